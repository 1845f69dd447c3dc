"""`stagedoor up`: the one command a newcomer types, and how it ends."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess

from buses import Broker, KafkaBus
from theatre import SERVICES, Buyers, children_of, is_alive, until

PROGRAMS = {f"stagedoor-{name}" for name in SERVICES + ("edge",)}


def test_up__says_where_it_is_and_how_to_sign_in(house):
    up, web = house.up()
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", web.url)
    link = up.said(r"^sign in: (\S+)$")[1]
    assert link == f"{web.url}/boxoffice#key={web.key}"
    assert (house.data / "signin").stat().st_mode & 0o777 == 0o600
    assert (house.data / "keys").stat().st_mode & 0o777 == 0o600
    assert web.get("/readyz").status == 200
    assert web.staff("GET", "/v1/shows").status == 200


def assert_everything_is_owned(house):
    claimed = {(record.topic, record.partition) for record in house.bus.read()
               if record.type == "Claimed"}
    assert len(claimed) == len(SERVICES) * 4


def test_up__open_means_that_sales_can_begin(house):
    house.up()
    assert_everything_is_owned(house)


def test_up__open_means_it_on_a_new_broker_too(tmp_path, house_on):
    """The very first group of a broker waits a second or more for its coordinator."""
    broker = Broker(tmp_path / "kafka")
    try:
        house = house_on(KafkaBus(broker))
        up, _ = house.up()
        assert_everything_is_owned(house)
        assert up.stop() == 0
    finally:
        broker.wipe()


def test_up__ctrl_c_leaves_nothing_behind(house):
    up, web = house.up()
    children = children_of(up.pid)
    assert set(children) == PROGRAMS
    web.create_show("hamlet", 5)
    up.signal(signal.SIGINT)
    assert up.ended() == 0, up.output
    assert not [name for name, pid in children.items() if is_alive(pid)]
    assert_nobody_listens(web)
    house.check_log()


def test_up__its_own_death_takes_everyone_along(house):
    up, _ = house.up()
    children = children_of(up.pid)
    up.kill()
    until(lambda: not any(is_alive(pid) for pid in children.values()), "the children to go")
    _, web = house.up()
    web.create_show("hamlet", 1)
    house.check_log()


def test_up__again_it_finds_what_it_had(house):
    up, web = house.up("--seed")
    concert = "5b805a00297ae6047030f2e0"
    up.said("Food Poison Rally")
    held = web.reserve(concert, 4).json
    key = web.key
    assert up.stop() == 0

    _, web = house.up()
    assert web.key == key
    assert web.look(held)["status"] == "held"
    now = web.availability(concert)
    assert (now["held"], now["sold"], now["free"]) == (4, 10, 86)
    names = [guest["name"] for guest in web.get(f"/reservations/{concert}").json]
    assert names[:2] == ["WDJ", "Eve"]
    house.check_log()


def test_up__a_register_of_another_version_is_made_anew(house):
    house.data.mkdir()
    with contextlib.closing(sqlite3.connect(house.data / "register.db")) as older:
        older.executescript("""
            CREATE TABLE about(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            INSERT INTO about VALUES('layout', '1');
            CREATE TABLE reservations(reservation_id TEXT PRIMARY KEY, something TEXT);
            INSERT INTO reservations VALUES('r', 'older');""")
    up, web = house.up()
    up.said("the register is of another version; it is emptied")
    web.create_show("hamlet", 9)
    assert web.reserve("hamlet").status == 201
    assert len(web.staff("GET", "/v1/shows/hamlet/reservations")["reservations"]) == 1


def test_up__what_dies_is_started_again(house):
    up, web = house.up()
    web.create_show("hamlet", 9)
    for number, name in enumerate(SERVICES):
        children, heard = children_of(up.pid), len(up.lines)
        os.kill(children[f"stagedoor-{name}"], signal.SIGKILL)
        up.said(rf"stagedoor .*{name}-1 was killed by signal 9", start=heard)
        assert web.check_out(web.reserve("hamlet").json).status == 201
        assert web.availability("hamlet")["sold"] == number + 1
    assert set(children_of(up.pid)) == PROGRAMS
    house.check_log()


def test_up__the_edge_dies_and_its_address_stays(house):
    up, web = house.up()
    web.create_show("hamlet", 9)
    held = web.reserve("hamlet").json
    os.kill(children_of(up.pid)["stagedoor-edge"], signal.SIGKILL)
    up.said("edge-1 was killed by signal 9")
    # The supervisor holds the socket, so this waits instead of being refused.
    until(lambda: web.look(held).status == 200, "the edge to have caught up")
    assert web.look(held)["status"] == "held"
    assert web.check_out(held).status == 201
    house.check_log()


def test_up__a_port_in_use_is_one_line(house):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = house.start("stagedoor", "up", *house.bus.arguments, "--data", house.data, "--listen",
                         f"127.0.0.1:{port}")
        assert up.ended() == 111
    assert len(up.lines) == 1, up.output
    assert str(port) in up.lines[0] and "stagedoor up: " in up.lines[0]


def test_up__one_a_folder(house):
    house.up()
    second = house.start("stagedoor", "up", *house.bus.arguments, "--data", house.data, "--listen",
                         "127.0.0.1:0")
    assert second.ended() == 111
    assert len(second.lines) == 1 and "--data" in second.lines[0], second.output


def test_up__wrong_usage_is_one_line(house):
    for wrong in (["--no-such-option"], ["--listen", "nowhere"], ["--partitions", "0"], ["now"]):
        up = house.start("stagedoor", "up", *house.bus.arguments, "--data", house.data, *wrong)
        assert up.ended() == 100
        assert len(up.lines) == 1, up.output


def test_up__several_instances_share_the_work(house):
    up, web = house.up("--instances", "2", env={"STAGEDOOR_SESSION_TIMEOUT": "2000"})
    for show in ("hamlet", "lear", "macbeth", "othello", "cymbeline"):
        web.create_show(show, 2)
        assert web.check_out(web.reserve(show).json).status == 201
    until(lambda: len({record.body()["instance"] for record in house.bus.read(("shows.events",))
                       if record.type == "Claimed"}) == 2, "each to own something")
    assert up.stop() == 0
    house.check_log()


def edges_of(up):
    found = subprocess.run(["pgrep", "-P", str(up.pid), "stagedoor-edge"], capture_output=True,
                           text=True, check=False).stdout
    return sorted(map(int, found.split()))


def test_up__edges_share_an_address_and_one_that_restarts_drops_nobody(house):
    up, web = house.up("--edges", "3")
    until(lambda: up.output.count("edge: ready") == 3, "all edges to be ready")
    assert len(edges_of(up)) == 3
    web.create_show("hamlet", 100000)
    with Buyers(web, "hamlet") as buyers:
        for _ in range(2):
            for pid in edges_of(up):
                os.kill(pid, signal.SIGTERM)
                until(lambda: len(set(edges_of(up)) - {pid}) == 3, "another in its place")
                buyers.go_on()
    assert not buyers.failed, buyers.failed[:3]
    assert len(set(buyers.sold)) == len(buyers.sold)
    until(lambda: up.output.count("edge: stopped") == 6, "all of them to have stopped in order")
    until(lambda: web.availability("hamlet")["held"] == len(buyers.sold), "all edges to agree")
    assert up.stop() == 0
    house.check_log()


def assert_nobody_listens(web):
    host, port = web.address.split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0
