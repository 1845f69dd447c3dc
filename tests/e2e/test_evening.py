"""A venue's evening from the first door to the last refund: tiers that fill up, a sale that opens
by itself, money that is late, money nobody knows about, tickets at the door, and a show cancelled
while its services are being killed. What the log says at the end is checked twice."""

import concurrent.futures
import datetime
import json
import os
import signal
import time

from log import ACCEPTED, judge
from theatre import SERVICES, children_of, is_alive, new_key, until

EVENTS = tuple(f"{service}.events" for service in SERVICES)
OPERA, GALA = "opera", "gala"
GALA_GUESTS = 200
TIERS = [{"tier_id": "stalls", "name": "Stalls", "amount_minor": 5000, "capacity": 6},
         {"tier_id": "circle", "name": "Circle", "amount_minor": 3000, "capacity": 8},
         {"tier_id": "standing", "name": "Standing", "amount_minor": 1500}]
SEATS = 20
PATIENCE_S = 90  # a hold lives 30 s longer than the customer was told


def now_ms():
    return int(time.time() * 1000)


def rfc3339(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


class Evening:
    """The staff's side: they speak into the log, and read what came of it."""

    def __init__(self, house, web):
        self.house, self.web = house, web

    def say(self, service, kind, **fields):
        fields.setdefault("show_id", OPERA)
        done = self.house.run("publish", *self.house.bus.arguments, f"{service}.commands", kind,
                              fields["show_id"], json.dumps(fields))
        assert done.returncode == 0, done.stdout + done.stderr

    def told(self, kind, **fields):
        """What services said of that kind, with these fields."""
        return [record.body() for record in judge(self.house.bus.read(EVENTS))
                if record.verdict == ACCEPTED and record.type == kind
                and all(record.body().get(name) == value for name, value in fields.items())]

    def tells(self, kind, seconds=PATIENCE_S, **fields):
        return until(lambda: self.told(kind, **fields), f"{kind} with {fields}", seconds)[0]

    # ---- customers ----

    def reserve(self, tier, quantity, name="Eve", show=OPERA):
        return self.web.post(f"/v1/shows/{show}/reservations",
                             {"lines": [{"tier_id": tier, "quantity": quantity}], "name": name},
                             key=new_key(), headers={"Prefer": "wait=20"})

    def pay_cash(self, reservation):
        return self.web.staff("POST", f"/v1/reservations/{reservation['reservation_id']}/checkout",
                              {"method": "cash"}, key=new_key(), headers={"Prefer": "wait=20"})

    def buy(self, tier, quantity, name="Eve", show=OPERA):
        held = self.reserve(tier, quantity, name, show)
        assert held.status == 201, held.text
        assert self.pay_cash(held.json).status == 201
        return held.json

    def status(self, reservation):
        return self.web.look(reservation)["status"]

    # ---- a provider ----

    def start_external(self, reservation):
        """A checkout that waits for a provider; its PaymentRequested."""
        payment_id = reservation["reservation_id"][:-4] + "beef"
        self.say("checkout", "StartCheckout", payment_id=payment_id, method="external",
                 by="customer", provider="paydesk", reservation_id=reservation["reservation_id"])
        return self.tells("PaymentRequested", payment_id=payment_id)

    def result(self, request, result, ref, amount_minor=None):
        self.say("checkout", "RecordPayment", payment_id=request["payment_id"], result=result,
                 reservation_id=request["reservation_id"], provider="paydesk", provider_ref=ref,
                 amount_minor=amount_minor or request["amount_minor"],
                 currency=request["currency"])

    def cut_short(self, reservation):
        """Staff set the deadline to now, or nearly: they must be heard before it. The hold is gone
        30 s later."""
        self.say("reservations", "ExtendReservation", until_at_ms=now_ms() + 5000,
                 reservation_id=reservation["reservation_id"])


def open_by_itself(evening):
    at_ms = now_ms() + 3000
    evening.web.create_show(OPERA, SEATS, tiers=TIERS, on_sale_at=rfc3339(at_ms))
    early = evening.reserve("circle", 1)
    assert (early.status, early["code"]) == (409, "not_on_sale")
    first = until(lambda: found if (found := evening.reserve("circle", 1)).status == 201 else None,
                  "the sale to open by itself")
    assert evening.tells("SeatsHeld", reservation_id=first["reservation_id"])
    return first.json


def fill_the_house(evening, first):
    """8 + 6 + 6 seats; the circle is full before the house is."""
    assert evening.pay_cash(first).status == 201
    circle = [evening.buy("circle", 2, "Ann"), evening.buy("circle", 2, "Bob"),
              evening.buy("circle", 1, "Cid")]
    late, lost = evening.reserve("circle", 1, "Dan").json, evening.reserve("circle", 1, "Flo").json
    full = evening.reserve("circle", 1)
    assert (full.status, full["code"]) == (409, "all_held")  # of the tier, two are only held
    unknown = evening.reserve("stalls", 3, "Gus").json
    evening.buy("stalls", 3, "Hal")
    standing = evening.buy("standing", 6, "Ida")
    none = evening.reserve("standing", 6)  # five may still come back
    assert (none.status, none["code"]) == (409, "sold_out")
    return circle, late, lost, unknown, standing


def be_late(evening, late, lost):
    """Two customers pay, but slowly; half a minute later their seats are free again."""
    requests = [evening.start_external(one) for one in (late, lost)]
    assert evening.status(late) == "paying"
    for one in (late, lost):
        evening.cut_short(one)
    return requests


def late_money(evening, late, lost, requests):
    """Two holds expire under their payments. One finds its seats free, the other sold."""
    for one in (late, lost):
        evening.tells("HoldExpired", reservation_id=one["reservation_id"])
        evening.tells("PaymentAbandoned", reservation_id=one["reservation_id"])
    evening.result(requests[0], "succeeded", "ref-late")
    sold = evening.tells("SeatsSold", reservation_id=late["reservation_id"])
    assert sold["reacquired"] is True
    evening.tells("ReservationConfirmed", reservation_id=late["reservation_id"])
    evening.buy("circle", 1, "Kay")
    evening.result(requests[1], "succeeded", "ref-lost")
    assert evening.tells("SaleRejected",
                         reservation_id=lost["reservation_id"])["reason"] == "sold_out"
    refund = evening.tells("RefundRequested", reservation_id=lost["reservation_id"])
    assert (refund["amount_minor"], refund["manual"], refund["attempt"]) == (3000, False, 1)
    for result in ("failed", "completed"):
        evening.say("checkout", "RecordRefund", refund_id=refund["refund_id"], result=result,
                    reservation_id=lost["reservation_id"], attempt=1)
    assert evening.tells("RefundFailed", refund_id=refund["refund_id"])["manual"] is False
    evening.tells("RefundCompleted", refund_id=refund["refund_id"])


def money_nobody_knows_about(evening, unknown):
    request = evening.start_external(unknown)
    evening.result(request, "unknown", "ref-unknown")
    pinned = evening.tells("HoldExtended", cause="pin", reservation_id=unknown["reservation_id"])
    assert pinned["expires_at_ms"] == request["pay_by_ms"] + 1800 * 1000
    until(lambda: evening.status(unknown) == "payment_unknown", "the view to say so")
    evening.result(request, "succeeded", "ref-unknown")  # somebody rang the provider up
    evening.tells("ReservationConfirmed", reservation_id=unknown["reservation_id"])


def returns(evening, standing):
    """Two of six tickets come back, and are sold again."""
    evening.say("reservations", "CancelReservation", reservation_id=standing["reservation_id"],
                tickets=[2, 5], by="staff", refund="full")
    back = evening.tells("SeatsReturned", reservation_id=standing["reservation_id"])
    assert (back["tickets"], back["amount_minor"]) == ([2, 5], 3000)
    cancelled = evening.tells("ReservationCancelled", reservation_id=standing["reservation_id"])
    assert cancelled["remaining"] == 4
    evening.buy("standing", 2, "Lee")


def at_the_door(evening, reservation, standing):
    def scan(number, nonce, entry="in", of=reservation):
        evening.say("reservations", "CheckInTicket", generation=1, list_id="main", entry=entry,
                    ticket_id=f"{of['reservation_id']}-{number}", nonce=nonce)
    scan(1, "n1")
    scan(1, "n1")
    scan(1, "n2")
    scan(2, "n3", of=standing)
    assert evening.tells("TicketCheckedIn", nonce="n1")["entry"] == "in"
    assert evening.tells("CheckInRejected", nonce="n2")["reason"] == "already_in"
    assert evening.tells("CheckInRejected", nonce="n3")["reason"] == "cancelled"
    assert len(evening.told("TicketCheckedIn", nonce="n1")) == 1


def sell_the_gala(evening):
    evening.web.create_show(GALA, GALA_GUESTS, tiers=[dict(TIERS[2], tier_id="gala")])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda guest: evening.buy("gala", 1, f"guest {guest}", GALA),
                      range(GALA_GUESTS)))


def kill(program, service):
    """The supervisor starts it again."""
    pid = children_of(program.pid).get(f"stagedoor-{service}")
    if pid:
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid), f"{service} to die")


def cancel_the_gala(evening, program):
    evening.say("shows", "CancelShow", show_id=GALA, reason="the singer is ill", refund="full")
    for service in SERVICES * 3:
        kill(program, service)
    evening.tells("ShowCancellationFinished", show_id=GALA)
    assert len(evening.told("SeatsReturned", show_id=GALA)) == GALA_GUESTS
    until(lambda: len(evening.told("RefundRequested", show_id=GALA)) == GALA_GUESTS,
          "every guest's refund")
    gone = evening.reserve("gala", 1, show=GALA)
    assert (gone.status, gone["code"]) == (410, "show_cancelled")


def test_evening(house):
    program, web = house.up()
    evening = Evening(house, web)
    first = open_by_itself(evening)
    circle, late, lost, unknown, standing = fill_the_house(evening, first)
    requests = be_late(evening, late, lost)
    money_nobody_knows_about(evening, unknown)
    returns(evening, standing)
    at_the_door(evening, circle[0], standing)
    sell_the_gala(evening)
    late_money(evening, late, lost, requests)
    cancel_the_gala(evening, program)
    house.check_log()
    seats = web.availability(OPERA)
    assert (seats["sold"], seats["held"], seats["oversold_by"]) == (SEATS, 0, 0)
