"""Compares what customers were told with what the log says. Every 2xx is in the log, one key is one
reservation and one effect, no key had two different final answers, nothing is in the log that
nobody asked for, and of the provider's money none is kept without seats.

    breaches(journal, records)         `records` are judged; a line for each breach
    money_breaches(answers, records)   `answers`: the bodies of the callbacks the paydesk made"""

import collections
import json

import paths  # noqa: F401
from log import ACCEPTED

TAKEN = "succeeded"


class Told:
    """The accepted events by what they are about."""

    def __init__(self, records):
        self.by_reservation = collections.defaultdict(list)
        self.by_name = collections.defaultdict(list)  # of the holder: the key it was asked with
        self.shows = {}
        self.payments = collections.defaultdict(list)  # (payment_id, provider_ref) → events
        for record in records:
            if record.verdict != ACCEPTED:
                continue
            body = record.body()
            if record.type == "ShowCreated":
                self.shows[body["show_id"]] = body
            if "reservation_id" in body:
                self.by_reservation[body["reservation_id"]].append((record.type, body))
            if record.type == "ReservationRequested":
                self.by_name[body["holder"]["name"]].append(body)
            payment = body.get("payment")
            if payment:
                place = payment["payment_id"], payment.get("provider_ref")
                self.payments[place].append((record.type, body))

    def of(self, reservation_id, *names):
        return [body for name, body in self.by_reservation.get(reservation_id, []) if name in names]


def check_finals(journal, _told):
    for errand in journal.errands:
        verdicts = {tried.verdict for tried in errand.finals}
        if len(verdicts) > 1:
            yield f"{errand.what} {errand.key}: two final answers, {sorted(map(str, verdicts))}"
        if not verdicts:
            yield f"{errand.what} {errand.key}: never answered, {len(errand.tries)} tries"


def check_shows(journal, told):
    asked = {errand.show_id for errand in journal.of("create")}
    for errand in journal.of("create"):
        if errand.final and errand.final.succeeded and errand.show_id not in told.shows:
            yield f"show {errand.show_id}: created, but not in the log"
    for show_id in told.shows.keys() - asked:
        yield f"show {show_id}: nobody asked for it"


def check_reservations(journal, told):
    asked = {errand.key: errand for errand in journal.of("reserve")}
    stormers = {row["reservation_id"] for row in journal.storms}
    for key, errand in asked.items():
        found = told.by_name.get(key, [])
        if len(found) > 1:
            yield f"key {key}: {len(found)} reservations of one key"
        if errand.final:
            yield from check_reserved(errand, found, told)
    for key, found in told.by_name.items():
        wanted = asked.get(key)
        for body in found:
            if body["reservation_id"] in stormers:
                continue
            lines = sum(line["quantity"] for line in body["lines"])
            if wanted is None or (wanted.show_id, wanted.quantity) != (body["show_id"], lines):
                yield f"reservation {body['reservation_id']}: nobody asked for that ({key})"


def check_reserved(errand, found, told):
    key, final = errand.key, errand.final
    if not found:
        if final.succeeded or final.status == 409:
            yield f"key {key}: answered {final.status}, but not in the log"
        return
    reservation_id = found[0]["reservation_id"]
    held = told.of(reservation_id, "SeatsHeld")
    if len(held) > 1:
        yield f"key {key}: seats held {len(held)} times"
    if final.succeeded:
        if final.told.get("reservation_id") != reservation_id:
            yield f"key {key}: told {final.told.get('reservation_id')}, it is {reservation_id}"
        if not held or held[0]["quantity"] != errand.quantity:
            yield f"key {key}: told that {errand.quantity} are held, the log says {held}"
    elif final.status == 409:
        rejected = told.of(reservation_id, "HoldRejected")
        if held or [body["reason"] for body in rejected] != [final.told.get("code")]:
            yield f"key {key}: refused as {final.told.get('code')}, the log says {held or rejected}"


def check_checkouts(journal, told):
    asked = collections.Counter()
    for errand in journal.of("checkout"):
        asked[errand.reservation_id] += 1
        if errand.final and errand.final.succeeded:
            yield from check_started(errand, told)
    for reservation_id in told.by_reservation:
        started = told.of(reservation_id, "CheckoutStarted")
        if len(started) > asked[reservation_id]:
            yield (f"reservation {reservation_id}: {len(started)} checkouts, "
                   f"{asked[reservation_id]} asked for")


def check_started(errand, told):
    payment_id = errand.final.told.get("payment_id")
    started = [body for body in told.of(errand.reservation_id, "CheckoutStarted")
               if body["payment_id"] == payment_id]
    if len(started) != 1:
        yield f"key {errand.key}: told of {payment_id}, the log has it {len(started)} times"
    name = "ReservationConfirmed" if errand.method == "none" else "PaymentRequested"
    if not told.of(errand.reservation_id, name):
        yield f"key {errand.key}: checkout answered, but the log has no {name}"


def check_cancellations(journal, told):
    asked = collections.Counter()
    for errand in journal.of("cancel"):
        asked[errand.reservation_id] += 1
        done = told.of(errand.reservation_id, "HoldReleased", "SeatsReturned")
        if errand.final and errand.final.succeeded and len(done) != 1:
            yield f"key {errand.key}: cancelled, the log has {len(done)} effects"
    for reservation_id in told.by_reservation:
        wanted = told.of(reservation_id, "CancellationRequested")
        if len(wanted) > asked[reservation_id]:
            yield (f"reservation {reservation_id}: {len(wanted)} cancellations, "
                   f"{asked[reservation_id]} asked for")


def check_storms(journal, told):
    """What every one of the thousands was told is what the log says of their reservation."""
    for row in journal.storms:
        who, held = row["reservation_id"], told.of(row["reservation_id"], "SeatsHeld")
        rejected = [body["reason"] for body in told.of(who, "HoldRejected")]
        if row["outcome"] == "held" and (len(held) != 1 or rejected):
            yield f"reservation {who}: told it is held, the log says {held or rejected}"
        if row["outcome"] == "refused" and (held or rejected != [row["code"]]):
            yield f"reservation {who}: refused as {row['code']}, the log says {held or rejected}"
        if row["outcome"] not in ("held", "refused"):
            yield f"reservation {who}: never answered: {row['outcome']} {row['code']}"


EVENT_OF = {"confirmed": "ReservationConfirmed", "held": "SeatsHeld", "released": "HoldReleased",
            "cancelled": "SeatsReturned", "expired": "HoldExpired", "rejected": "HoldRejected"}


def check_looks(journal, told):
    """Whoever read that it is confirmed has a confirmation in the log."""
    for reservation_id, status in {look[1:] for look in journal.looks}:
        if status in EVENT_OF and not told.of(reservation_id, EVENT_OF[status]):
            yield f"reservation {reservation_id}: was shown as {status}, the log says nothing of it"


def check_money(answers, told):
    """Each charge was reported, once; it bought its seats, or goes back."""
    charged = {(body["payment_id"], body["provider_ref"]) for body in map(json.loads, answers)
               if "payment_id" in body and body["result"] == TAKEN}
    for place in charged:
        kinds = collections.Counter(name for name, _ in told.payments.get(place, []))
        if kinds["PaymentSucceeded"] != 1:
            yield f"charge {place}: recorded {kinds['PaymentSucceeded']} times"
        if kinds["SeatsSold"] + min(1, kinds["SaleRejected"] and kinds["RefundRequested"]) != 1:
            yield f"charge {place}: neither seats nor a refund, or both: {dict(kinds)}"
    for place, events in told.payments.items():
        external = any(body["payment"]["method"] == "external" for _, body in events)
        if external and place not in charged:
            yield f"payment {place}: in the log, but the provider never took it"


RULES = (check_finals, check_shows, check_reservations, check_checkouts, check_cancellations,
         check_storms, check_looks)


def breaches(journal, records):
    told = Told(records)
    return [line for rule in RULES for line in rule(journal, told)]


def money_breaches(answers, records):
    return list(check_money(answers, Told(records)))
