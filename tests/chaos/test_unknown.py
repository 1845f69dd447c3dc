"""Unknown outcomes, for real: the broker did it and nobody heard, or did it when it was too late.
Programs go through proxies; the log is read directly. Whatever happened, readers see every sale
exactly once, and `stagedoor verify --replay` finds nothing."""

import concurrent.futures
import contextlib
import socket
import time

from log import CLAIM, VOID, judge
from theatre import Web, new_key, until

SESSION = ("--session-timeout", "2000")
PARTITIONS = 4
UNTIL_HEALED_MS = 3600 * 1000
SILENCE_S = 30  # after which all dead connections have been noticed, one after the other
SHOWS = ("hamlet", "lear", "macbeth", "othello")


@contextlib.contextmanager
def through(house, proxy):
    """What is started now knows the broker by the proxy only."""
    arguments = house.bus.arguments
    house.bus.arguments = ["--bus", f"kafka://{proxy.address}", *arguments[2:]]
    yield
    house.bus.arguments = arguments


def open_with_shows_through(house, proxy):
    """Everything but shows comes directly. Returns the edge."""
    house.create_topics()
    with through(house, proxy):
        house.service("shows", "a", *SESSION)
    for name in ("reservations", "checkout"):
        house.service(name, "a", *SESSION)
    return open_edge(house)


def open_edge(house):
    _, web = house.edge()
    for show in SHOWS:
        web.create_show(show, 50)
    return web


def sell_one_of_each(web):
    with concurrent.futures.ThreadPoolExecutor(len(SHOWS)) as pool:
        answers = list(pool.map(lambda show: web.reserve(show, wait=30), SHOWS))
    assert [answer.status for answer in answers] == [201] * len(SHOWS)


def held(web):
    return [web.availability(show)["held"] for show in SHOWS]


def partitions_of(house, instance):
    """How many partitions of shows were claimed by it last."""
    owners = {record.partition: record.body()["instance"]
              for record in judge(house.bus.read(("shows.events",))) if record.verdict == CLAIM}
    return list(owners.values()).count(instance)


def void_records(house):
    return [record for record in judge(house.bus.read(("shows.events",)))
            if record.verdict == VOID]


def test_unknown__an_append_whose_answer_is_lost_counts_once(house, proxy):
    """Written, not acknowledged, sent again over the next connection."""
    web = open_with_shows_through(house, proxy)
    fault = proxy.swallow("Produce", "response", times=3)
    sell_one_of_each(web)  # what is read back counts, acknowledged or not
    until(lambda: fault.fired == 3, "three answers to be swallowed")
    proxy.cut_all()
    sell_one_of_each(web)
    assert held(web) == [2] * len(SHOWS)
    house.check_log()


def test_unknown__connections_cut_around_appends_double_nothing(house, proxy):
    web = open_with_shows_through(house, proxy)
    cuts = [proxy.cut("Produce", direction, where=where, times=1)
            for direction in ("request", "response") for where in ("before", "within", "after")]
    rounds = 0
    while not all(cut.fired for cut in cuts):
        sell_one_of_each(web)
        rounds += 1
    assert held(web) == [rounds] * len(SHOWS)
    house.check_log()


def test_unknown__what_a_silent_owner_appended_is_void_when_it_comes_late(house, proxy):
    """The group does not hear it any more, and its appends come when another has claimed."""
    web = open_with_shows_through(house, proxy)
    sell_one_of_each(web)
    beats = proxy.swallow("Heartbeat", "request")
    proxy.cut("JoinGroup", "request", where="before")
    late = proxy.delay("Produce", UNTIL_HEALED_MS, "request")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        sale = pool.submit(sell_one_of_each, web)
        until(lambda: late.fired and beats.fired, "the owner to append and to be silent")
        house.service("shows", "b", *SESSION, ready=False)
        until(lambda: partitions_of(house, "shows-b") == PARTITIONS, "the other to own all")
        sale.result()
    assert not void_records(house)
    late.heal()
    until(lambda: void_records(house), "what is late to be void")
    proxy.heal()
    until(lambda: partitions_of(house, "shows-a") == PARTITIONS // 2, "it to get half again")
    sell_one_of_each(web)
    assert held(web) == [3] * len(SHOWS)
    house.check_log()


def test_unknown__a_command_that_comes_too_late_is_decided_once(house, proxy):
    """The edge has given it up by then; the customer asks again with the same key."""
    house.create_topics()
    for name in ("shows", "reservations", "checkout"):
        house.service(name)
    with through(house, proxy):
        web = open_edge(house)
    late, key = proxy.delay("Produce", UNTIL_HEALED_MS, "request"), new_key()
    first = web.reserve("hamlet", key=key)
    assert late.fired and first.status == 503
    late.heal()
    until(lambda: web.availability("hamlet")["held"] == 1, "the hold, late")
    again = web.reserve("hamlet", key=key)
    assert again.status == 201 and web.availability("hamlet")["held"] == 1
    house.check_log()


def test_unknown__connections_that_died_in_silence_are_noticed(house, proxies):
    """Nobody is told that they are dead: not shows, whose every connection is, and not
    reservations, who waits for the answer to its joining."""
    proxy, other = proxies(), proxies()
    web = open_with_shows_through(house, proxy)
    sell_one_of_each(web)
    joins = other.swallow("JoinGroup", "response", times=1)
    with through(house, other):
        house.service("reservations", "b", *SESSION, ready=False)
    until(lambda: joins.fired, "the answer to be swallowed")
    assert proxy.half_open().fired
    silent_since = time.monotonic()
    sell_one_of_each(web)
    house.programs[-1].said("reservations: ready", SILENCE_S)
    assert time.monotonic() - silent_since < SILENCE_S
    sell_one_of_each(web)
    house.check_log()


def test_unknown__who_comes_before_the_edge_has_caught_up_waits(house, proxy):
    """At a socket that is lent, as by the stage manager; others may answer there meanwhile."""
    house.create_topics()
    for name in ("shows", "reservations", "checkout"):
        house.service(name, "a")
    open_edge(house)
    proxy.delay("Fetch", 1500, "response")
    with socket.create_server(("127.0.0.1", 0), backlog=8) as door, through(house, proxy):
        address = f"127.0.0.1:{door.getsockname()[1]}"
        edge = house.start("stagedoor-edge", *house.bus.arguments, "--data", house.folder / "other",
                           "--listen", address, pass_fds=[door.fileno()],
                           env={"STAGEDOOR_LISTEN_FDS": f"{door.fileno()}={address}"})
        answer = Web(f"http://{address}").get("/v1/shows/hamlet")
        assert (answer.status, answer["show_id"]) == (200, "hamlet"), answer.text
        assert int(edge.said(r"caught up after (\d+) ms")[1]) > 1000
