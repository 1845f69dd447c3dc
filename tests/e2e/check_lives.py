"""The second half of check_log.py: the lives of holds, tickets and payments. A hold ends once and not
before its time, nothing is taken outside the sale, a ticket goes back once, and in the end the money
that was kept is the price of the tickets that are valid."""

import collections
import datetime

GRACE_MS = 30_000
PIN_MS = 1_800_000
HELD, EXPIRED, RELEASED, SOLD = "held", "expired", "released", "sold"


def time_of(record):
    """When it was decided, by the log's clock."""
    text = record.header("ce_time").replace("Z", "+00:00")
    moment = datetime.datetime.fromisoformat(text)
    return moment.timestamp() * 1000


class Hold:
    def __init__(self, at_ms, body):
        self.state, self.at_ms, self.expires_ms = HELD, at_ms, body["expires_at_ms"]
        self.quantity, self.party = body["quantity"], body.get("party")
        self.amount_minor = body["amount_minor"]
        self.pinned, self.returned = False, set()


class Show:
    def __init__(self, body):
        self.settings, self.paused, self.cancelled = body, False, False
        self.ttl_ms = body["hold_ttl_s"] * 1000
        self.window_ms = body["pay_window_s"] * 1000
        self.holds = {}

    def update(self, body):
        """A hold keeps the terms of its own time: the longest there were bound it."""
        self.settings = body
        self.ttl_ms = max(self.ttl_ms, body["hold_ttl_s"] * 1000)
        self.window_ms = max(self.window_ms, body["pay_window_s"] * 1000)

    def seats_of(self, party):
        return sum(hold.quantity - len(hold.returned) for hold in self.holds.values()
                   if hold.party == party and hold.state in (HELD, SOLD))

    # ---- one event each; what is wrong with it ----

    def taken(self, body, at_ms, quantity):
        """Seats are held, or more of them."""
        settings, cap = self.settings, self.settings.get("max_per_person")
        closed_ms = settings.get("off_sale_at_ms", settings["starts_at_ms"])
        if self.cancelled:
            yield "seats are taken of a cancelled show"
        if self.paused:
            yield "seats are taken while the sale is paused"
        if body.get("channel") != "boxoffice":
            if not settings.get("on_sale_at_ms", 0) <= at_ms < closed_ms:
                yield "seats are taken outside the time of the sale"
        if quantity > settings["max_per_order"]:
            yield f"{quantity} seats in one order, at most {settings['max_per_order']}"
        if cap and self.seats_of(body.get("party")) > cap:
            yield f"one person has {self.seats_of(body.get('party'))} seats, at most {cap}"

    def held(self, body, at_ms):
        self.holds[body["reservation_id"]] = Hold(at_ms, body)
        yield from self.taken(body, at_ms, body["quantity"])

    def resized(self, hold, body, at_ms):
        grew = sum(line["quantity"] for line in body["lines"]) > hold.quantity
        hold.quantity = sum(line["quantity"] for line in body["lines"])
        hold.amount_minor = body["amount_minor"]
        if grew:
            yield from self.taken(dict(body, party=hold.party, channel="boxoffice"), at_ms,
                                  hold.quantity)

    def extended(self, hold, body):
        before, hold.expires_ms = hold.expires_ms, body["expires_at_ms"]
        most = max(before, hold.at_ms + self.ttl_ms + self.window_ms)
        if self.cancelled:
            yield "a hold is extended of a cancelled show"
        if body["cause"] == "checkout" and not before <= hold.expires_ms <= most:
            yield f"a checkout moved the deadline by {hold.expires_ms - before} ms"
        if body["cause"] == "pin":
            if hold.pinned or hold.expires_ms != before + PIN_MS:
                yield "a second pin, or one of another length"
            hold.pinned = True

    def expired(self, hold, body, at_ms):
        hold.state = EXPIRED
        if body["expires_at_ms"] != hold.expires_ms or at_ms < hold.expires_ms + GRACE_MS:
            yield f"expired at {at_ms:.0f}, but it was held until {hold.expires_ms} and grace"

    def sold(self, hold, body):
        if hold.state not in ((EXPIRED,) if body["reacquired"] else (HELD,)):
            yield f"sold although it was {hold.state}"
        if self.cancelled:
            yield "sold of a cancelled show"
        if body["payment"]["amount_minor"] != hold.amount_minor:
            yield f"sold for {body['payment']['amount_minor']}, held for {hold.amount_minor}"
        hold.state = SOLD

    def returned(self, hold, body):
        numbers = set(body["tickets"])
        if hold.state != SOLD or len(numbers) != body["quantity"] or numbers & hold.returned:
            yield f"tickets {sorted(numbers)} go back, gone are {sorted(hold.returned)}"
        if not numbers <= set(range(1, hold.quantity + 1)):
            yield f"tickets {sorted(numbers)} go back of {hold.quantity}"
        hold.returned |= numbers

    def apply(self, record, body):
        """All events that are about a reservation."""
        if record.type == "SeatsHeld":
            yield from self.held(body, time_of(record))
            return
        hold = self.holds.get(body.get("reservation_id"))
        if hold is None:
            yield f"{record.type} of seats that nobody held"
            return
        if record.type in ("HoldResized", "HoldExtended", "HoldExpired", "HoldReleased") \
                and hold.state != HELD:
            yield f"{record.type} although it was {hold.state}"
        if record.type == "HoldResized":
            yield from self.resized(hold, body, time_of(record))
        elif record.type == "HoldExtended":
            yield from self.extended(hold, body)
        elif record.type == "HoldExpired":
            yield from self.expired(hold, body, time_of(record))
        elif record.type == "HoldReleased":
            hold.state = RELEASED
        elif record.type == "SeatsSold":
            yield from self.sold(hold, body)
        elif record.type == "SeatsReturned":
            yield from self.returned(hold, body)


def check_lives(log):
    shows = {}
    for record in log.accepted:
        body = record.body()
        show = shows.get(body.get("show_id"))
        if record.topic != "shows.events" or record.type.endswith("Rejected"):
            continue
        if record.type == "ShowCreated":
            shows[body["show_id"]] = Show(body)
        elif record.type == "ShowUpdated" and show:
            show.update(body)
        elif record.type in ("SaleOpened", "SalePaused") and show:
            show.paused = record.type == "SalePaused"
        elif record.type == "ShowCancelled" and show:
            show.cancelled = True
        elif record.type == "ShowArchived":
            shows.pop(body["show_id"], None)
        elif "reservation_id" in body and show and record.type != "Refused":
            for problem in show.apply(record, body):
                yield record, f"reservation {body['reservation_id']}: {problem}"


# ---- payments ------------------------------------------------------------------------------------

def check_requests(log):
    """Money is asked for only what the seats cost, after they were kept for it."""
    for record in log.accepted:
        if record.type != "PaymentRequested":
            continue
        cause = log.at.get((record.header("sd_source") or "").split("#")[0])
        asked, kept = record.body(), cause.body() if cause else {}
        if kept.get("cause") != "checkout" or any(
                asked[name] != kept.get(name)
                for name in ("payment_id", "reservation_id", "amount_minor", "currency")):
            yield record, f"asks for {asked['amount_minor']}, kept were {kept}"


def is_money(payment):
    return payment["method"] != "comp"


def price(lines):
    return sum(line["quantity"] * line["unit_amount_minor"] for line in lines)


def check_books(log):
    """At rest: what came in and is not to go back is the price of the valid tickets, and of those
    that were given up without a refund. RefundCompleted: once, of what was asked for."""
    books, last, asked, done = collections.Counter(), {}, {}, set()
    for record in log.accepted:
        body = record.body()
        who = body.get("reservation_id")
        if record.type == "PaymentSucceeded" and is_money(body["payment"]):
            books[who] += body["payment"]["amount_minor"]
            last[who] = record
        elif record.type == "RefundRequested" and body["attempt"] == 1:
            books[who] -= body["amount_minor"]
            asked[body["refund_id"]] = body["amount_minor"]
        elif record.type == "SeatsSold" and is_money(body["payment"]):
            books[who] -= price(body["lines"])
        elif record.type == "SeatsReturned" and is_money(body["payment"]):
            books[who] += price(body["lines"]) if body["refund"] == "full" else 0
        elif record.type == "RefundCompleted":
            if body["refund_id"] in done or asked.get(body["refund_id"]) != body["amount_minor"]:
                yield record, f"refund {body['refund_id']} completed twice, or of another amount"
            done.add(body["refund_id"])
    for who, rest in books.items():
        if rest and who in last:
            yield last[who], f"reservation {who}: {rest} minor units are kept for nothing"


LIVES = (check_lives, check_requests, check_books)
