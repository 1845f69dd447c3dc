"""check_journal.py sees what is wrong: a night that holds, then one thing changed in it."""

import copy
import dataclasses
import json
import pathlib

import pytest

import check_journal
from company import Company
from disk import Disk
from journal import Journal
from log import judge
from theatre import until

SECONDS = 60


class Evidence:
    def __init__(self, errands, looks, answers, records):
        self.journal = Journal()
        self.journal.errands, self.journal.looks = errands, looks
        self.answers, self.records = answers, records  # answers: what the paydesk told

    def copy(self):
        return Evidence(*copy.deepcopy((self.journal.errands, self.journal.looks, self.answers,
                                        self.records)))

    def said(self, kind):
        return next(record for record in self.records if record.type == kind)

    def lose(self, kind, reservation_id):
        self.records.remove(next(
            record for record in self.records if record.type == kind
            and record.body()["reservation_id"] == reservation_id))

    def granted(self, what, **fields):
        """An errand that was answered with yes."""
        return next(errand for errand in self.journal.errands
                    if errand.what == what and errand.final and errand.final.succeeded
                    and all(getattr(errand, name) == value for name, value in fields.items()))

    def breaches(self):
        return (check_journal.breaches(self.journal, self.records)
                + check_journal.money_breaches(self.answers, self.records))


def everything_happened(journal):
    """Each thing that a test needs, at least once."""
    methods = {errand.method for errand in journal.of("checkout") if errand.final}
    return (methods == {"none", "external"} and len(journal.purchases) > 20
            and any(errand.final for errand in journal.of("cancel")))


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    company = Company("sqlite", Disk(pathlib.Path(tmp_path_factory.mktemp("night"))), seed=1)
    try:
        journal = company.crowd.journal
        until(lambda: everything_happened(journal), "sales of each kind", SECONDS)
        assert company.crowd.leave() == []
        until(lambda: not any(state < 2 for _, state, _, _ in company.ledger()), "all to be told")
        company.house.check_log()
        return Evidence(journal.errands, journal.looks,
                        [body for _, _, body, _ in company.ledger()], judge(company.bus.read()))
    finally:
        company.close()


def test_check_journal__finds_nothing_in_a_good_night(night):
    assert night.breaches() == []


# ---- one thing each ------------------------------------------------------------------------------

def lose_a_hold(night):
    night.lose("SeatsHeld", night.granted("reserve").final.told["reservation_id"])


def lose_a_reservation(night):
    night.lose("ReservationRequested", night.granted("reserve").final.told["reservation_id"])


def lose_a_show(night):
    night.records.remove(night.said("ShowCreated"))


def lose_a_checkout(night):
    night.lose("CheckoutStarted", night.granted("checkout").reservation_id)


def lose_a_confirmation(night):
    night.lose("ReservationConfirmed", night.granted("checkout", method="none").reservation_id)


def lose_a_cancellation(night):
    who = night.granted("cancel").reservation_id
    night.records = [record for record in night.records
                     if record.type not in ("HoldReleased", "SeatsReturned")
                     or record.body()["reservation_id"] != who]


def hold_other_seats(night):
    night.granted("reserve").quantity += 1


def answer_no_after_yes(night):
    tries = night.granted("reserve").tries
    tries.append(dataclasses.replace(tries[-1], status=409, told={"code": "sold_out"}))


def name_another_reservation(night):
    night.granted("reserve").final.told["reservation_id"] = "somebody-elses"


def refuse_what_is_held(night):
    errand = night.granted("reserve")
    errand.tries = [dataclasses.replace(errand.final, status=409, told={"code": "sold_out"})]


def never_answer(night):
    errand = night.granted("reserve")
    errand.tries = [dataclasses.replace(errand.tries[0], status=503)]


def never_have_asked(night):
    night.journal.errands.remove(night.granted("reserve"))


def never_have_cancelled(night):
    night.journal.errands.remove(night.granted("cancel"))


def act_twice_on_a_key(night):
    again = copy.deepcopy(night.said("ReservationRequested"))
    again.value = json.dumps(dict(again.body(), reservation_id="the-second")).encode()
    night.records.append(again)


def show_what_is_not_so(night):
    who = night.granted("cancel").reservation_id
    night.journal.looks.append((0, who, "rejected"))


def lose_money(night):
    who = night.granted("checkout", method="external").reservation_id
    night.records = [record for record in night.records
                     if record.type not in ("SeatsSold", "SaleRejected", "RefundRequested")
                     or record.body()["reservation_id"] != who]


def lose_a_charge(night):
    charge = json.loads(next(body for body in night.answers if "payment_id" in body
                             and json.loads(body)["result"] == "succeeded"))
    night.lose("PaymentSucceeded", charge["reservation_id"])


def take_no_money(night):
    night.answers.remove(next(body for body in night.answers if "payment_id" in body
                              and json.loads(body)["result"] == "succeeded"))


@pytest.mark.parametrize("spoil,breach", [
    (lose_a_hold, "are held, the log says"),
    (lose_a_reservation, "answered 201, but not in the log"),
    (lose_a_show, "created, but not in the log"),
    (lose_a_checkout, "the log has it 0 times"),
    (lose_a_confirmation, "the log has no ReservationConfirmed"),
    (lose_a_cancellation, "cancelled, the log has 0 effects"),
    (hold_other_seats, "nobody asked for that"),
    (answer_no_after_yes, "two final answers"),
    (name_another_reservation, "told somebody-elses, it is"),
    (refuse_what_is_held, "refused as sold_out, the log says"),
    (never_answer, "never answered"),
    (never_have_asked, "nobody asked for that"),
    (never_have_cancelled, "0 asked for"),
    (act_twice_on_a_key, "2 reservations of one key"),
    (show_what_is_not_so, "was shown as rejected"),
    (lose_money, "neither seats nor a refund"),
    (lose_a_charge, "recorded 0 times"),
    (take_no_money, "the provider never took it"),
])
def test_check_journal__sees_one_thing(night, spoil, breach):
    spoiled = night.copy()
    spoil(spoiled)
    found = spoiled.breaches()
    assert any(breach in line for line in found), found
