"""check_log.py and published.py see what is wrong: a log that holds, then one thing changed in it."""

import copy
import json

import pytest

import check_log
import published
from buses import SqliteBus
from theatre import House, new_key, until


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A sale with a refusal and a cancellation, and one for money that is given back."""
    folder = tmp_path_factory.mktemp("log")
    house = House(SqliteBus(folder), folder)
    try:
        _, web = house.up("--paydesk", "succeed", env={"STAGEDOOR_PAYDESK_DELAY": "0ms"})
        web.create_show("hamlet", 3)
        first, second = web.reserve("hamlet", 2).json, web.reserve("hamlet", 1).json
        assert web.reserve("hamlet").status == 409
        assert web.check_out(first).status == 201
        assert web.cancel(second, key=new_key()).status == 200
        assert web.cancel(first, key=new_key()).status == 200
        buy_and_give_back(web)
        house.check_log()
        return house.bus.read()
    finally:
        house.close()


def buy_and_give_back(web):
    web.create_show("lear", 3, tiers=[{"tier_id": "stalls", "name": "Stalls", "amount_minor": 500}])
    held = web.reserve("lear", 2).json
    web.post(f"/v1/reservations/{held['reservation_id']}/checkout",
             {"method": "external", "provider": "paydesk"}, key=new_key(), bearer=held["secret"])
    until(lambda: web.look(held)["status"] == "confirmed", "the money to come")
    assert web.cancel(held, key=new_key()).status == 200
    until(lambda: (web.look(held).json.get("refund") or {}).get("status") == "completed",
          "the money to go back")


def find(records, kind):
    return next(record for record in records if record.type == kind)


def change(record, **fields):
    record.value = json.dumps(dict(record.body(), **fields)).encode()


def hold_more_than_there_is(records):
    held = find(records, "SeatsHeld")
    change(held, lines=[dict(held.body()["lines"][0], quantity=4)])


def say_other_numbers(records):
    held = find(records, "SeatsHeld")
    change(held, after=dict(held.body()["after"], held=1))


def skip_a_number(records):
    change(find(records, "SeatsSold"), seq=99)


def lose_a_decision(records):
    records.remove(find(records, "HoldRejected"))


def lose_an_outcome_at_the_end(records):
    records.remove([record for record in records if record.topic == "reservations.events"
                    and record.type == "ReservationCancelled"][-1])


def lose_a_cause(records):
    records.remove(find(records, "RequestReservation"))


def change_a_cause(records):
    change(find(records, "RequestReservation"), channel="api")


def refuse_falsely(records):
    rejected = find(records, "HoldRejected")
    cause = rejected.header("sd_source").split("#")[0]
    change(next(record for record in records if record.place == cause),
           lines=[{"tier_id": "standard", "quantity": 0}])


def answer_twice(records):
    """The same cause once more, under the next stamp."""
    own = [record for record in records if record.topic == "shows.events"
           and record.partition == find(records, "SeatsHeld").partition]
    second = copy.deepcopy(find(records, "SeatsHeld"))
    last = [record for record in own if record.header("sd_stamp")][-1]
    claim, n = last.header("sd_stamp").rsplit(".", 1)
    second.offset = own[-1].offset + 1
    second.headers = [(name, f"{claim}.{int(n) + 1}".encode() if name == "sd_stamp" else value)
                      for name, value in second.headers]
    records.insert(records.index(own[-1]) + 1, second)


def issue_too_few_tickets(records):
    change(find(records, "ReservationConfirmed"),
           tickets=[{"tier_id": "standard", "first": 1, "count": 1}])


def go_back(records):
    sold = find(records, "SeatsSold")
    sold.headers = [(name, b"0;0;0" if name == "sd_positions" else value)
                    for name, value in sold.headers]


def jump_the_queue(records):
    """Two answers of reservations change places, sources and all."""
    partition = find(records, "HoldRejected").partition
    first, second = [record for record in records if record.type == "ReservationRequested"
                     and record.partition == partition][:2]
    for record, source in ((first, second.header("sd_source")), (second, first.header("sd_source"))):
        set_header(record, "sd_source", source.encode())


def expire_early(records):
    held, released = find(records, "SeatsHeld"), find(records, "HoldReleased")
    set_header(released, "ce_type", b"stagedoor.shows.HoldExpired")
    change(released, expires_at_ms=held.body()["expires_at_ms"])


def sell_when_it_is_over(records):
    change(find(records, "ShowCreated"), off_sale_at_ms=1000)


def sell_too_many_to_one(records):
    change(find(records, "ShowCreated"), max_per_order=1)


def hold_too_long(records):
    extended = find(records, "HoldExtended")
    change(extended, expires_at_ms=extended.body()["expires_at_ms"] + 3_600_000)


def return_a_ticket_twice(records):
    change(find(records, "SeatsReturned"), tickets=[1, 1])


def ask_for_more_than_it_costs(records):
    change(find(records, "PaymentRequested"), amount_minor=9999)


def keep_the_money(records):
    change(find(records, "RefundRequested"), amount_minor=1)


def give_it_back_twice(records):
    change(find(records, "RefundCompleted"), amount_minor=9999)


def come_from_elsewhere(records):
    change(find(records, "Claimed"), installation="00000000-0000-4000-8000-000000000000")


def test_check_log__finds_nothing_in_a_good_log(records):
    assert check_log.breaches(copy.deepcopy(records)) == []


@pytest.mark.parametrize("spoil,breach", [
    (hold_more_than_there_is, "oversold by 1"),
    (say_other_numbers, "but its history makes"),
    (skip_a_number, "seq 99 follows"),
    (lose_a_decision, "was never answered by"),
    (lose_an_outcome_at_the_end, "SeatsReturned was never answered by reservations"),
    (lose_a_cause, "answers what is not there"),
    (change_a_cause, "answers other bytes"),
    (refuse_falsely, "refuses 0 as"),
    (answer_twice, "a second outcome of shows"),
    (issue_too_few_tickets, "1 tickets for 2 seats"),
    (go_back, "positions went from"),
    (come_from_elsewhere, "several installations"),
    (jump_the_queue, "after @"),
    (expire_early, "and grace"),
    (sell_when_it_is_over, "outside the time of the sale"),
    (sell_too_many_to_one, "2 seats in one order, at most 1"),
    (hold_too_long, "a checkout moved the deadline"),
    (return_a_ticket_twice, "go back, gone are []"),
    (ask_for_more_than_it_costs, "asks for 9999"),
    (keep_the_money, "are kept for nothing"),
    (give_it_back_twice, "completed twice, or of another amount"),
])
def test_check_log__finds(records, spoil, breach):
    spoiled = copy.deepcopy(records)
    spoil(spoiled)
    found = check_log.breaches(spoiled)
    assert any(breach in line for line in found), found


# ---- published.py --------------------------------------------------------------------------------

def set_header(record, name, value):
    record.headers = [row for row in record.headers if row[0] != name]
    if value is not None:
        record.headers.append((name, value))


def say_more_than_a_word(records):
    change(find(records, "SeatsHeld"), channel="smoke")


def ask_for_nothing(records):
    change(find(records, "RequestReservation"), lines=[])


def forget_the_source(records):
    set_header(find(records, "SeatsSold"), "sd_source", None)


def forget_the_claim(records):
    set_header(find(records, "Installed"), "ce_source", None)


def forget_the_key(records):
    find(records, "ReservationRequested").key = None  # a command may have none


def give_a_key(records):
    find(records, "Claimed").key = b"hamlet"


def invent_a_message(records):
    set_header(find(records, "SeatsHeld"), "ce_type", b"stagedoor.shows.SeatsSeized")


def answer_something_else(records):
    set_header(find(records, "SeatsHeld"), "ce_type", b"stagedoor.shows.SaleOpened")


def decide_alone(records):
    set_header(find(records, "SeatsHeld"), "sd_source", b"timer")


def test_published__a_good_log_is_as_published(records):
    assert published.breaches(copy.deepcopy(records)) == []


@pytest.mark.parametrize("spoil,breach", [
    (say_more_than_a_word, "payload of SeatsHeld not as published: 'smoke' is not one of"),
    (ask_for_nothing, "payload of RequestReservation not as published"),
    (forget_the_source, "headers of SeatsSold not as published: 'sd_source' is a required"),
    (forget_the_claim, "headers of Installed not as published: 'ce_source' is a required"),
    (forget_the_key, "key of ReservationRequested not as published: None is not of type"),
    (give_a_key, "key of Claimed not as published: 'hamlet' is not of type 'null'"),
    (invent_a_message, "SeatsSeized is not published on shows.events"),
    (answer_something_else, "SaleOpened is not published as an answer to ReservationRequested"),
    (decide_alone, "SeatsHeld is not published as said by a timer"),
])
def test_published__finds(records, spoil, breach):
    spoiled = copy.deepcopy(records)
    spoil(spoiled)
    found = published.breaches(spoiled)
    assert any(breach in line for line in found), found
