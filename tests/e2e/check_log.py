#!/usr/bin/python3
"""Reads a log to its end and says what is wrong in it. Shares nothing with the services but the
written rules: one outcome for every cause, nothing oversold, nobody refused while seats were free.

    check_log.py sqlite:PATH | kafka://HOST:PORT [--prefix P]

Each breach is a line "topic/partition@offset: what". Exit code 1 when there is one."""

import argparse
import collections
import re
import sys

from log import ACCEPTED, CLAIM, COMMAND, INSTALLED, PROGRESS, SERVICES
from log import judge, partition_of, read_kafka, read_sqlite

SOURCE = re.compile(r"([a-z.]+)/(\d+)@(\d+)#([0-9a-f]{8})")

# What may come of what. A cause in ALWAYS must have an outcome, whatever the state is.
OUTCOMES = {
    "shows": {
        "CreateShow": "ShowCreated Refused", "UpdateShow": "ShowUpdated Refused",
        "SetCapacity": "CapacityChanged Refused", "SetBlock": "BlockSet Refused",
        "OpenSale": "SaleOpened Refused", "PauseSale": "SalePaused Refused",
        "ReservationRequested": "SeatsHeld HoldRejected",
        "CheckoutStarted": "HoldExtended ExtensionRejected",
        "PaymentSucceeded": "SeatsSold SaleRejected",
        "CancellationRequested": "HoldReleased SeatsReturned ReleaseRejected",
        "timer": "HoldExpired"},
    "reservations": {
        "RequestReservation": "ReservationRequested Refused",
        "CancelReservation": "CancellationRequested Refused",
        "HoldRejected": "ReservationRejected", "HoldReleased": "ReservationReleased",
        "SeatsReturned": "ReservationCancelled", "ReleaseRejected": "CancellationRejected",
        "HoldExpired": "ReservationExpired", "SeatsSold": "ReservationConfirmed"},
    "checkout": {
        "StartCheckout": "CheckoutStarted Refused",
        "HoldExtended": "PaymentSucceeded CheckoutRejected",
        "ExtensionRejected": "CheckoutRejected", "SaleRejected": "RefundRequested",
        "SeatsReturned": "RefundRequested"},
}
ALWAYS = {
    "shows": {"ReservationRequested", "CheckoutStarted", "PaymentSucceeded",
              "CancellationRequested"},
    "reservations": {"HoldRejected", "HoldReleased", "SeatsReturned", "ReleaseRejected",
                     "HoldExpired", "SeatsSold"},
    "checkout": set(),
}
# Who a command is, beside its ce_id: another with the same identity is a repeat.
IDENTITY = {"CreateShow": "show_id", "RequestReservation": "reservation_id",
            "StartCheckout": "payment_id"}


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
    field = IDENTITY.get(record.type)
    return record.topic, record.type, record.body().get(field) if field else record.header("ce_id")


def check_commands(log):
    """Every command is answered, but for repeats."""
    known = set()
    for record in log.records:
        if record.verdict != COMMAND:
            continue
        if log.answers.get((service_of(record), record.place)):
            known.add(identity(record))
        elif identity(record) not in known:
            yield record, f"{record.type or 'a command'} was never answered"


def check_reactions(log):
    for record in log.accepted:
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

class Seats:
    """One show, folded from what shows said."""

    def __init__(self, capacity):
        self.capacity, self.seq = capacity, 0
        self.held, self.sold, self.blocked, self.ended = {}, {}, {}, set()

    @property
    def in_use(self):
        return sum(self.held.values()) + sum(self.sold.values()) + sum(self.blocked.values())

    def now(self):
        return {"capacity": self.capacity, "held": sum(self.held.values()),
                "sold": sum(self.sold.values()), "blocked": sum(self.blocked.values()),
                "free": max(0, self.capacity - self.in_use),
                "oversold_by": max(0, self.in_use - self.capacity)}

    def apply(self, kind, body):
        """Folds one event; says what is wrong with it, or None."""
        who, quantity = body.get("reservation_id"), body.get("quantity", 0)
        if kind == "CapacityChanged":
            self.capacity = body["capacity"]
        elif kind == "BlockSet":
            self.blocked[body["block_id"]] = quantity
        elif kind == "SeatsHeld":
            if who in self.held or who in self.sold or who in self.ended:
                return f"reservation {who} is held a second time"
            self.held[who] = quantity
        elif kind == "SeatsSold":
            if self.held.pop(who, None) is None and not body.get("reacquired"):
                return f"reservation {who} is sold without a hold"
            self.sold[who] = quantity
        elif kind in ("HoldReleased", "HoldExpired"):
            self.ended.add(who)
            if self.held.pop(who, None) != quantity:
                return f"reservation {who} did not hold {quantity}"
        elif kind == "SeatsReturned":
            self.ended.add(who)
            if self.sold.pop(who, None) != quantity:
                return f"reservation {who} had not bought {quantity}"
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
            if body.get("reason") not in ("no_such_show", "gone", "unknown_reservation"):
                yield record, f"of show '{body.get('show_id')}', which is not there"
        elif record.type.endswith("Rejected"):
            yield from check_refusal(log, record, seats)
        else:
            yield from check_change(record, seats)


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


def check_refusal(log, record, seats):
    body, now = record.body(), seats.now()
    if "seq" in body and body["seq"] != seats.seq:
        yield record, f"refuses at seq {body['seq']}, but the show is at {seats.seq}"
    cause = log.at.get((record.header("sd_source") or "").split("#")[0])
    if record.type != "HoldRejected" or cause is None:
        return
    wanted = sum(line.get("quantity", 0) for line in cause.body().get("lines", []))
    reason = body.get("reason")
    if reason == "sold_out" and wanted <= now["capacity"] - now["sold"] - now["blocked"]:
        yield record, f"refuses {wanted} as sold out while there are {now}"
    if reason == "all_held" and wanted <= now["free"]:
        yield record, f"refuses {wanted} as all held while there are {now}"


def check_tickets(log):
    for record in log.accepted:
        if record.type != "ReservationConfirmed":
            continue
        cause = log.at.get((record.header("sd_source") or "").split("#")[0])
        issued = sum(ticket.get("count", 0) for ticket in record.body().get("tickets", []))
        if cause and issued != cause.body().get("quantity"):
            yield record, f"{issued} tickets for {cause.body().get('quantity')} seats"


RULES = (check_beginnings, check_sources, check_doubled, check_commands, check_reactions,
         check_checkouts, check_order, check_partitions, check_seats, check_tickets)


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
