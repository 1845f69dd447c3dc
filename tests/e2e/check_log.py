#!/usr/bin/python3
"""Reads a log to its end and says what is wrong in it. Shares nothing with the services but the
written rules: one outcome for every cause, nothing oversold, nobody refused while seats were free;
the lives of holds, tickets and payments are in check_lives.py.

    check_log.py sqlite:PATH | kafka://HOST:PORT [--prefix P]

Each breach is a line "topic/partition@offset: what". Exit code 1 when there is one."""

import argparse
import collections
import re
import sys

from check_lives import LIVES
from log import ACCEPTED, CLAIM, COMMAND, INSTALLED, PROGRESS, SERVICES
from log import judge, partition_of, read_kafka, read_sqlite

SOURCE = re.compile(r"([a-z.]+)/(\d+)@(\d+)#([0-9a-f]{8})")

# What may come of what. A cause in ALWAYS must have an outcome, whatever the state is: until the
# show's books are closed, which forgets its reservations.
OUTCOMES = {
    "shows": {
        "CreateShow": "ShowCreated Refused", "UpdateShow": "ShowUpdated Refused",
        "SetCapacity": "CapacityChanged Refused", "SetBlock": "BlockSet Refused",
        "OpenSale": "SaleOpened Refused", "PauseSale": "SalePaused Refused",
        "CancelShow": "ShowCancelled Refused",
        "ReservationRequested": "SeatsHeld HoldRejected",
        "ChangeRequested": "HoldResized ResizeRejected",
        "ExtensionRequested": "HoldExtended ExtensionRejected",
        "CheckoutStarted": "HoldExtended ExtensionRejected",
        "PaymentUnknown": "HoldExtended ExtensionRejected",
        "PaymentSucceeded": "SeatsSold SaleRejected",
        "CancellationRequested": "HoldReleased SeatsReturned ReleaseRejected",
        "timer": "HoldExpired ShowArchived"},
    "reservations": {
        "RequestReservation": "ReservationRequested Refused",
        "ChangeReservation": "ChangeRequested Refused",
        "UpdateReservation": "ReservationUpdated Refused",
        "ExtendReservation": "ExtensionRequested Refused",
        "CancelReservation": "CancellationRequested Refused",
        "CheckInTicket": "TicketCheckedIn CheckInRejected Refused",
        "TransferTicket": "TicketTransferred Refused",
        "HoldRejected": "ReservationRejected", "HoldReleased": "ReservationReleased",
        "SeatsReturned": "ReservationCancelled", "ReleaseRejected": "CancellationRejected",
        "HoldExpired": "ReservationExpired", "SeatsSold": "ReservationConfirmed",
        "ShowCancelled": "ShowCancellationStarted", "ShowArchived": "ReservationsArchived",
        "timer": "CancellationRequested ShowCancellationFinished"},
    "checkout": {
        "StartCheckout": "CheckoutStarted Refused",
        "RecordPayment": "PaymentSucceeded PaymentFailed PaymentUnknown Refused",
        "RecordRefund": "RefundCompleted RefundFailed Refused",
        "HoldExtended": "PaymentRequested PaymentSucceeded CheckoutRejected",
        "ExtensionRejected": "CheckoutRejected", "SaleRejected": "RefundRequested",
        "SeatsReturned": "RefundRequested", "HoldExpired": "PaymentAbandoned",
        "HoldReleased": "PaymentAbandoned", "SeatsSold": "PaymentAbandoned",
        "ShowArchived": "PaymentsArchived", "timer": "RefundRequested RefundFailed"},
}
ALWAYS = {
    "shows": {"ReservationRequested", "ChangeRequested", "ExtensionRequested", "CheckoutStarted",
              "PaymentUnknown", "PaymentSucceeded", "CancellationRequested"},
    "reservations": {"HoldRejected", "HoldReleased", "SeatsReturned", "ReleaseRejected",
                     "HoldExpired", "SeatsSold", "ShowCancelled", "ShowArchived"},
    "checkout": {"ShowArchived"},
}
# Who a command is, beside its ce_id: another with the same identity is a repeat.
IDENTITY = {"CreateShow": ("show_id",), "RequestReservation": ("reservation_id",),
            "StartCheckout": ("payment_id",), "CheckInTicket": ("ticket_id", "list_id", "nonce"),
            "TransferTicket": ("ticket_id", "generation"), "RecordRefund": ("refund_id",)}


class Log:
    def __init__(self, records):
        self.records = judge(records)
        self.at = {record.place: record for record in records}
        self.accepted = [record for record in records if record.verdict == ACCEPTED]
        self.partition_count = 1 + max((record.partition for record in records
                                        if record.verdict == INSTALLED), default=0)
        self.answers = collections.defaultdict(list)  # (service, place of the cause) → outcomes
        for record in self.accepted:
            source = SOURCE.fullmatch(record.header("sd_source") or "")
            if source:
                place = f"{source[1]}/{source[2]}@{source[3]}"
                self.answers[service_of(record), place].append(record)


def service_of(record):
    return record.topic.split(".")[0]


# ---- causes and outcomes -------------------------------------------------------------------------

def check_sources(log):
    for record in log.accepted:
        text = record.header("sd_source") or ""
        source = SOURCE.fullmatch(text)
        if text == "timer":
            yield from check_kind(record, "timer")
            continue
        cause = source and log.at.get(text.split("#")[0])
        if not cause:
            yield record, f"answers what is not there: '{text}'"
        elif cause.partition != record.partition:
            yield record, f"answers another partition: '{text}'"
        elif f"{cause.crc():08x}" != source[4]:
            yield record, f"answers other bytes than those at {cause.place}"
        elif cause.verdict == COMMAND and service_of(cause) != service_of(record):
            yield record, f"answers a command to another service at {cause.place}"
        elif cause.verdict not in (ACCEPTED, COMMAND):
            yield record, f"answers what does not count: {cause.place} is {cause.verdict}"
        elif record.type != "Refused":
            yield from check_kind(record, cause.type)


def check_kind(record, cause_type):
    possible = OUTCOMES[service_of(record)].get(cause_type, "").split()
    if record.type not in possible:
        yield record, f"{record.type} is no answer to {cause_type}"


def check_doubled(log):
    for (service, place), outcomes in log.answers.items():
        for outcome in outcomes[1:]:
            yield outcome, f"a second outcome of {service} for {place}, after {outcomes[0].place}"


def identity(record):
    """Of a payment's results a lower one is overtaken by any other; money is known by its number."""
    body = record.body()
    if record.type == "RecordPayment":
        if body.get("result") == "succeeded":
            return record.topic, body.get("payment_id"), body.get("provider_ref")
        return record.topic, body.get("payment_id")
    fields = IDENTITY.get(record.type)
    who = [body.get(field) for field in fields] if fields else [record.header("ce_id")]
    return record.topic, record.type, *who


def check_commands(log):
    """Every command is answered, but for repeats."""
    known = {("checkout.commands", record.body()["payment"]["payment_id"])
             for record in log.accepted if record.type == "PaymentSucceeded"}
    for record in log.records:
        if record.verdict != COMMAND:
            continue
        own = {identity(record), (record.topic, record.type, record.header("ce_id"))}
        if log.answers.get((service_of(record), record.place)):
            known |= own
        elif not own & known:
            yield record, f"{record.type or 'a command'} was never answered"


def check_reactions(log):
    archived = set()
    for record in log.accepted:
        if record.type == "ShowArchived":
            archived.add(record.body()["show_id"])
        elif record.body().get("show_id") in archived and record.topic == "shows.events":
            continue
        for service in SERVICES:
            if record.type in ALWAYS[service] and not log.answers.get((service, record.place)):
                yield record, f"{record.type} was never answered by {service}"


def check_checkouts(log):
    """Every attempt that was not superseded ends; every refund that is due is asked for."""
    superseded = {record.body().get("supersedes") for record in log.accepted
                  if record.type == "CheckoutStarted"}
    for record in log.accepted:
        body = record.body()
        open_attempt = (record.type in ("HoldExtended", "ExtensionRejected")
                        and body.get("cause") == "checkout"
                        and body.get("payment_id") not in superseded)
        payment = body.get("payment", {})
        refund_due = (payment.get("amount_minor", 0) > 0 and payment.get("method") != "comp"
                      and (record.type == "SaleRejected"
                           or record.type == "SeatsReturned" and body.get("refund") == "full"))
        if (open_attempt or refund_due) and not log.answers.get(("checkout", record.place)):
            yield record, f"{record.type} was never answered by checkout"


def check_order(log):
    """Positions never go back, and nobody decides on what lies behind them."""
    last = {}
    for record in log.records:
        if record.verdict not in (ACCEPTED, PROGRESS):
            continue
        places = [int(re.match(r"\d+", text)[0])
                  for text in (record.header("sd_positions") or "").split(";") if text]
        before = last.get((record.topic, record.partition), [0] * len(places))
        if not places or len(places) != len(before) or any(a < b for a, b in zip(places, before)):
            yield record, f"positions went from {before} to {places}"
        last[record.topic, record.partition] = places


def check_turns(log):
    """What came first is decided first."""
    last = {}
    for record in log.accepted:
        source = SOURCE.fullmatch(record.header("sd_source") or "")
        if source:
            place = record.topic, record.partition, source[1]
            if last.get(place, -1) >= int(source[3]):
                yield record, f"answers {source[1]}@{source[3]}, after @{last[place]}"
            last[place] = int(source[3])


def check_partitions(log):
    for record in log.accepted:
        if record.key and partition_of(record.key, log.partition_count) != record.partition:
            yield record, f"key '{record.key.decode()}' belongs into another partition"


def check_beginnings(log):
    ids = {record.body().get("installation") for record in log.records
           if record.verdict in (INSTALLED, CLAIM)}
    if len(ids) > 1:
        yield log.records[0], f"several installations in one log: {sorted(map(str, ids))}"


# ---- seats ---------------------------------------------------------------------------------------

def by_tier(lines):
    seats = collections.Counter()
    for line in lines:
        seats[line["tier_id"]] += line["quantity"]
    return seats


class Seats:
    """One show, folded from what shows said."""

    def __init__(self, capacity):
        self.capacity, self.seq, self.tiers = capacity, 0, []
        self.held, self.sold, self.blocked, self.ended = {}, {}, {}, {}

    def held_of(self, tier_id):
        return sum(seats[tier_id] for seats in self.held.values())

    def sold_of(self, tier_id):
        return sum(seats[tier_id] for seats in self.sold.values())

    def now(self):
        held, sold = (sum(seats.total() for seats in those.values())
                      for those in (self.held, self.sold))
        blocked = sum(self.blocked.values())
        in_use = held + sold + blocked
        return {"capacity": self.capacity, "held": held, "sold": sold, "blocked": blocked,
                "free": max(0, self.capacity - in_use),
                "oversold_by": max(0, in_use - self.capacity),
                "tiers": [{"tier_id": tier["tier_id"], "held": self.held_of(tier["tier_id"]),
                           "sold": self.sold_of(tier["tier_id"])} for tier in self.tiers]}

    def apply(self, kind, body):
        """Folds one event; says what is wrong with it, or None."""
        who = body.get("reservation_id")
        if kind == "CapacityChanged":
            self.capacity = body["capacity"]
        elif kind in ("ShowCreated", "ShowUpdated"):
            self.tiers = body["tiers"]
        elif kind == "BlockSet":
            self.blocked[body["block_id"]] = body["quantity"]
        elif kind == "SeatsHeld":
            if who in self.held or who in self.sold or who in self.ended:
                return f"reservation {who} is held a second time"
            self.held[who] = by_tier(body["lines"])
        elif kind == "HoldResized":
            if self.held.get(who) != by_tier(body["old"]):
                return f"reservation {who} did not hold {body['old']}"
            self.held[who] = by_tier(body["lines"])
        elif kind == "SeatsSold":
            return self.sell(who, body)
        elif kind in ("HoldReleased", "HoldExpired"):
            self.ended[who] = self.held.pop(who, collections.Counter())
            if self.ended[who].total() != body["quantity"]:
                return f"reservation {who} did not hold {body['quantity']}"
        elif kind == "SeatsReturned":
            left = self.sold.get(who, collections.Counter())
            left.subtract(by_tier(body["lines"]))
            if min(left.values()) < 0 or len(body["tickets"]) != body["quantity"]:
                return f"reservation {who} had not bought {body['lines']}"
        return None

    def sell(self, who, body):
        seats = self.held.pop(who, None)
        if body.get("reacquired"):
            seats = self.ended.get(who)
        if seats != by_tier(body["lines"]):
            return f"reservation {who} is sold without a hold of {body['lines']}"
        self.sold[who] = seats
        return None


def check_seats(log):
    shows = {}
    for record in log.accepted:
        if record.topic != "shows.events" or record.type == "Refused":
            continue
        body = record.body()
        if record.type == "ShowCreated":
            shows[body["show_id"]] = Seats(body["capacity"])
        seats = shows.get(body.get("show_id"))
        if seats is None:
            if body.get("reason") not in ("no_such_show", "archived", "gone",
                                          "unknown_reservation"):
                yield record, f"of show '{body.get('show_id')}', which is not there"
        elif record.type.endswith("Rejected"):
            yield from check_refusal(log, record, seats)
        else:
            yield from check_change(record, seats)
        if record.type == "ShowArchived":
            shows.pop(body["show_id"])


def check_change(record, seats):
    body, oversold_before = record.body(), seats.now()["oversold_by"]
    problem = seats.apply(record.type, body)
    if problem:
        yield record, problem
    if body.get("seq") != seats.seq + 1:
        yield record, f"seq {body.get('seq')} follows {seats.seq}"
    seats.seq = body.get("seq", 0)
    now = seats.now()
    told = {name: body.get("after", {}).get(name) for name in now}
    if told != now:
        yield record, f"says {told}, but its history makes {now}"
    forced = record.type == "CapacityChanged" and body.get("forced")
    if now["oversold_by"] > oversold_before and not forced:
        yield record, f"oversold by {now['oversold_by']}"
    for tier in seats.tiers:
        use = seats.held_of(tier["tier_id"]) + seats.sold_of(tier["tier_id"])
        if use > tier.get("capacity", use):
            yield record, f"oversold in tier '{tier['tier_id']}': {use} of {tier['capacity']}"


def check_refusal(log, record, seats):
    body, now = record.body(), seats.now()
    if "seq" in body and body["seq"] != seats.seq:
        yield record, f"refuses at seq {body['seq']}, but the show is at {seats.seq}"
    cause = log.at.get((record.header("sd_source") or "").split("#")[0])
    if record.type != "HoldRejected" or cause is None:
        return
    wanted = by_tier(cause.body().get("lines", []))
    caps = {tier["tier_id"]: tier["capacity"] for tier in seats.tiers if "capacity" in tier}
    reason = body.get("reason")
    if (reason == "sold_out" and wanted.total() <= now["capacity"] - now["sold"] - now["blocked"]
            and all(wanted[tier] <= cap - seats.sold_of(tier) for tier, cap in caps.items())):
        yield record, f"refuses {wanted.total()} as sold out while there are {now}"
    if (reason == "all_held" and wanted.total() <= now["free"]
            and all(wanted[tier] <= cap - seats.sold_of(tier) - seats.held_of(tier)
                    for tier, cap in caps.items())):
        yield record, f"refuses {wanted.total()} as all held while there are {now}"


# ---- money ---------------------------------------------------------------------------------------

def check_money(log):
    """All money that came is kept for a sale, or its refund is asked for; never twice."""
    kept, asked = {}, collections.Counter()
    for record in log.accepted:
        body = record.body()
        if record.type == "SeatsSold":
            before = kept.setdefault(body["reservation_id"], body["payment"]["payment_id"])
            if before != body["payment"]["payment_id"]:
                yield record, f"a second payment kept, after {before}"
        elif record.type == "RefundRequested" and body["attempt"] == 1:
            payment = body["payment"]
            key = payment["payment_id"], payment.get("provider_ref")
            asked[key] += body["amount_minor"]
            if asked[key] > payment["amount_minor"]:
                yield record, f"{asked[key]} given back of a payment of {payment['amount_minor']}"


def check_tickets(log):
    for record in log.accepted:
        if record.type != "ReservationConfirmed":
            continue
        cause = log.at.get((record.header("sd_source") or "").split("#")[0])
        issued = sum(ticket.get("count", 0) for ticket in record.body().get("tickets", []))
        if cause and issued != cause.body().get("quantity"):
            yield record, f"{issued} tickets for {cause.body().get('quantity')} seats"


RULES = (check_beginnings, check_sources, check_doubled, check_commands, check_reactions,
         check_checkouts, check_order, check_turns, check_partitions, check_seats, check_money,
         check_tickets, *LIVES)


def breaches(records):
    log = Log(records)
    return [f"{record.place}: {what}" for rule in RULES for record, what in rule(log)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bus")
    parser.add_argument("--prefix", default="")
    options = parser.parse_args()
    scheme, _, rest = options.bus.partition(":")
    records = (read_sqlite(rest) if scheme == "sqlite"
               else read_kafka(rest.lstrip("/"), options.prefix))
    found = breaches(records)
    print("\n".join(found + [f"{len(records)} records, {len(found)} breaches"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
