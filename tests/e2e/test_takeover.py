"""Two of a kind share the partitions; what happens to them when one dies, leaves, returns or was
only asleep. Who owns a partition is what its claims say, and when is when the log took them."""

import concurrent.futures
import signal
import time

import pytest

from log import CLAIM, VOID, judge
from theatre import is_alive, until

SESSION_MS, LONG_SESSION_MS = 2000, 20000
PARTITIONS = 4
SHOWS = ("hamlet", "lear", "macbeth", "othello", "cymbeline", "pericles", "henry-v", "as-you-like")


def claims(house, service="shows"):
    records = judge(house.bus.read((f"{service}.events",)))
    return [record for record in records if record.verdict == CLAIM]


def owners(house, service="shows"):
    """{partition: instance} by the last claims."""
    return {record.partition: record.body()["instance"] for record in claims(house, service)}


def owned_by(house, instance):
    return {partition for partition, owner in owners(house).items() if owner == instance}


def two_of_shows(house, session_ms=SESSION_MS):
    """Two instances of shows with two partitions each, one of the others, and an edge."""
    house.create_topics()
    session = ("--session-timeout", str(session_ms))
    first = house.service("shows", "a", *session)
    until(lambda: len(owned_by(house, "shows-a")) == PARTITIONS, "the first to own all")
    second = house.service("shows", "b", *session)
    until(lambda: len(owned_by(house, "shows-b")) == 2, "the second to get its half")
    house.service("reservations", "1", *session)
    house.service("checkout", "1", *session)
    _, web = house.edge()
    for show in SHOWS:
        web.create_show(show, 50)
    return first, second, web


def sell_one_of_each(web):
    with concurrent.futures.ThreadPoolExecutor(len(SHOWS)) as pool:
        answers = list(pool.map(lambda show: web.reserve(show, wait=30), SHOWS))
    assert [answer.status for answer in answers] == [201] * len(SHOWS)


def held_in_all(web):
    return sum(web.availability(show)["held"] for show in SHOWS)


def moved_after_ms(house, instance, since_ms, already):
    """How long after since_ms the last of all partitions was claimed by `instance`."""
    until(lambda: len(owned_by(house, instance)) == PARTITIONS, f"{instance} to own all")
    return max(record.time_ms for record in claims(house)
               if record.partition not in already) - since_ms


def now_ms():
    return time.time() * 1000


def test_takeover__the_dead_ones_partitions_move_in_time(house):
    first, _, web = two_of_shows(house)
    sell_one_of_each(web)
    mine = owned_by(house, "shows-b")
    killed_at_ms = now_ms()
    first.kill()
    # Within a second of the session's end where nothing else runs: chaos measures that.
    assert SESSION_MS / 2 <= moved_after_ms(house, "shows-b", killed_at_ms, mine) <= 5 * SESSION_MS
    sell_one_of_each(web)
    assert held_in_all(web) == 2 * len(SHOWS)
    house.check_log()


def test_takeover__who_leaves_hands_over_at_once(house):
    first, _, web = two_of_shows(house, LONG_SESSION_MS)
    sell_one_of_each(web)
    mine = owned_by(house, "shows-b")
    asked_at_ms = now_ms()
    assert first.stop() == 0
    assert moved_after_ms(house, "shows-b", asked_at_ms, mine) <= LONG_SESSION_MS / 10
    sell_one_of_each(web)
    assert held_in_all(web) == 2 * len(SHOWS)
    house.check_log()


def test_takeover__who_returns_in_time_gets_its_own_back(house):
    first, _, web = two_of_shows(house)
    sell_one_of_each(web)
    before, count = owners(house), len(claims(house))
    first.kill()
    house.service("shows", "a", "--session-timeout", str(SESSION_MS))
    until(lambda: len(claims(house)) == count + 2, "it to claim its two again")
    sell_one_of_each(web)
    assert owners(house) == before
    assert len(claims(house)) == count + 2, "the other one was disturbed"
    house.check_log()


def test_takeover__who_returns_late_shares_again(house):
    first, _, web = two_of_shows(house)
    first.kill()
    until(lambda: len(owned_by(house, "shows-b")) == PARTITIONS, "the other to own all")
    house.service("shows", "a", "--session-timeout", str(SESSION_MS))
    until(lambda: len(owned_by(house, "shows-a")) == 2, "it to get its half")
    sell_one_of_each(web)
    assert held_in_all(web) == len(SHOWS)
    house.check_log()


def test_takeover__a_sleeper_doubles_nothing(house):
    """Frozen with requests on the way, and thawed when somebody else has its partitions."""
    first, _, web = two_of_shows(house)
    sell_one_of_each(web)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        house.freeze(first)
        sale = pool.submit(sell_one_of_each, web)
        until(lambda: len(owned_by(house, "shows-b")) == PARTITIONS, "the other to own all")
        sale.result()
        first.signal(signal.SIGCONT)
        for _ in range(5):
            sell_one_of_each(web)
    assert held_in_all(web) == 7 * len(SHOWS)
    assert is_alive(first.pid)
    until(lambda: len(owned_by(house, "shows-a")) == 2, "the sleeper to get its half again")
    sell_one_of_each(web)
    house.check_log()


@pytest.mark.parametrize("service", ["reservations", "checkout"])
def test_takeover__the_other_services_do_it_too(house, service):
    house.create_topics()
    session = ("--session-timeout", str(SESSION_MS))
    for name in ("shows", "reservations", "checkout"):
        house.service(name, "a", *session)
    second = house.service(service, "b", *session)
    until(lambda: set(owners(house, service).values()) == {f"{service}-a", f"{service}-b"},
          "both to own something")
    _, web = house.edge()
    for show in SHOWS:
        web.create_show(show, 50)
    for stop in (second.kill, None):
        if stop:
            stop()
        for show in SHOWS:
            held = web.reserve(show, wait=30)
            assert held.status == 201 and web.check_out(held.json).status == 201
    assert set(owners(house, service).values()) == {f"{service}-a"}
    house.check_log()


def test_takeover__what_a_fenced_writer_wrote_is_void(house):
    """As by a zombie that wakes up after everything: its next record counts for nobody."""
    first, _, web = two_of_shows(house)
    sell_one_of_each(web)
    partition = min(owned_by(house, "shows-a"))
    last = [record for record in judge(house.bus.read(("shows.events",)))
            if record.partition == partition and record.type == "SeatsHeld"][-1]
    claim, n = last.header("sd_stamp").rsplit(".", 1)
    first.kill()
    until(lambda: len(owned_by(house, "shows-b")) == PARTITIONS, "the other to own all")
    headers = [(name, f"{claim}.{int(n) + 1}" if name == "sd_stamp" else text.decode())
               for name, text in last.headers]
    house.bus.append("shows.events", last.value.decode(), last.key.decode(), headers, partition)
    sell_one_of_each(web)
    assert held_in_all(web) == 2 * len(SHOWS)
    assert [record.partition for record in judge(house.bus.read(("shows.events",)))
            if record.verdict == VOID] == [partition]
    house.check_log()
