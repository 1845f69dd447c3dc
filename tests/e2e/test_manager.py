"""The stage manager: `up -d`, and everything one says to it afterwards."""

import json
import os
import re
import signal

import pytest

from managed import Managed
from theatre import BIN, SERVICES, Buyers, children_of, is_alive, until

EVERYONE = ["shows-1", "reservations-1", "checkout-1", "edge-1"]


@pytest.fixture
def managed(house):
    found = Managed(house)
    yield found
    found.close()


@pytest.fixture
def small(house_on, sqlite_bus):
    """For what has nothing to do with the bus."""
    found = Managed(house_on(sqlite_bus))
    yield found
    found.close()


def test_manager__runs_without_a_terminal_until_it_is_told(managed):
    web = managed.up()
    assert web.get("/readyz").status == 200
    web.create_show("hamlet", 5)
    processes = managed.ls()
    assert list(processes) == EVERYONE
    assert all(process["state"] == "ready" for process in processes.values())
    assert all(is_alive(process["pid"]) for process in processes.values())
    assert "shows: ready, owns 0 1 2 3" in managed.say("logs", "shows")
    assert "edge" not in managed.say("logs", "checkout-1")
    assert managed.down()
    assert not any(is_alive(process["pid"]) for process in processes.values())
    managed.house.check_log()


def test_manager__nobody_there_is_said_with_what_to_do(small):
    small.house.data.mkdir()
    for words in (["ls"], ["reload", "edge"], ["down"], ["save"]):
        assert "stagedoor up -d" in small.say(*words, end=1)
    assert "--data" in small.say("logs", end=1)
    assert "stagedoor save" in small.say("resurrect", end=1)


def test_manager__a_house_that_cannot_open_says_so_at_once(small):
    small.up()
    said = small.say("up", "-d", *small.house.bus.arguments, "--listen", "127.0.0.1:0", end=111)
    assert "running already" in said


def test_manager__reload_and_scale_are_noticed_by_nobody(managed):
    web = managed.up("--edges", "2")
    web.create_show("hamlet", 100000)
    before = managed.ls()
    with Buyers(web, "hamlet") as buyers:
        buyers.go_on()
        said = managed.say("reload", "all")
        assert said.index("shows-2 is ready") < said.index("shows-1 is stopped")
        assert said.index("edge-3 is ready") < said.index("edge-1 is stopped")
        buyers.go_on()
        managed.say("scale", "shows", "3")
        buyers.go_on()
        managed.say("scale", "edge", "4")
        buyers.go_on()
        managed.say("scale", "edge", "-3")
        managed.say("scale", "shows", "1")
        buyers.go_on()
    assert not buyers.failed, buyers.failed[:3]
    assert len(set(buyers.sold)) == len(buyers.sold)
    after = managed.ls()
    assert list(after) == EVERYONE
    assert not any(after[name]["pid"] == before[name]["pid"] for name in EVERYONE)
    assert not any(after[name]["restarts"] for name in EVERYONE)
    until(lambda: web.availability("hamlet")["held"] == len(buyers.sold), "the edge to agree")
    managed.down()
    managed.house.check_log()


def test_manager__what_is_killed_is_there_again_and_counted(managed):
    web = managed.up()
    web.create_show("hamlet", 9)
    for name in ("shows-1", "edge-1"):
        os.kill(managed.ls(name)[name]["pid"], signal.SIGKILL)
        until(lambda: managed.ls(name)[name]["restarts"] == 1, "it to be started again")
        assert "killed by signal 9" in managed.ls(name)[name]["last_end"]
    until(lambda: web.get("/readyz").status == 200, "the edge to be ready")
    assert web.check_out(web.reserve("hamlet").json).status == 201
    assert "killed by signal 9" in managed.say("describe", "shows-1")
    managed.down()
    managed.house.check_log()


def test_manager__stop_start_delete_by_part_name_and_number(small):
    web = small.up("--edges", "2")
    web.create_show("hamlet", 9)
    small.say("stop", "edge-1")
    assert small.ls()["edge-1"]["state"] == "stopped"
    assert web.reserve("hamlet").status == 201
    small.say("start", "edge")
    assert small.ls()["edge-1"]["state"] == "ready"
    number = small.ls()["edge-2"]["number"]
    assert "edge-2" in small.say("show", str(number))
    small.say("delete", str(number))
    assert list(small.ls()) == EVERYONE
    assert "edge-1" in small.say("list") and "edge-2" not in small.say("status")
    small.say("restart", "reservations")
    assert web.reserve("hamlet").status == 201
    small.say("stop", "number-nine", end=100)
    small.say("scale", "edge", "many", end=100)
    small.say("start", "edge", "-i", "max")
    assert len(small.ls("edge")) == os.cpu_count()


def test_manager__one_change_at_a_time(small):
    small.up()
    reload = small.house.start("stagedoor", "reload", "all", "--data", small.house.data)
    until(lambda: any(process["name"].endswith("-2") for process in small.ls().values()),
          "an understudy to be there")
    assert "under way" in small.say("stop", "all", end=1)
    assert reload.ended() == 0
    assert all(process["state"] == "ready" for process in small.ls().values())


def test_manager__an_order_is_carried_out_though_nobody_waits(small):
    small.up()
    before = small.ls("edge")["edge-1"]["pid"]
    small.house.start("stagedoor", "reload", "edge", "--data", small.house.data).kill()
    reload = small.house.start("stagedoor", "reload", "edge", "--data", small.house.data)
    reload.ended()
    until(lambda: list(small.ls("edge")) == ["edge-1"] and
          small.ls("edge")["edge-1"]["pid"] != before, "the reload to be done")


def test_manager__saved_it_comes_again_as_it_was(small):
    web = small.up("--paydesk", "succeed")
    web.create_show("hamlet", 3)
    small.say("scale", "edge", "2")
    small.say("stop", "checkout")
    small.say("save")
    port = web.url.rsplit(":", 1)[1]
    small.down()
    web = small.web(small.say("resurrect"))
    assert web.url.endswith(port)
    until(lambda: small.ls("paydesk")["paydesk-1"]["ready"], "the paydesk")
    assert set(small.ls()) == {"shows-1", "reservations-1", "edge-1", "edge-2", "paydesk-1"}
    small.say("start", "checkout")
    assert web.check_out(web.reserve("hamlet").json).status == 201
    unit = small.say("startup", "--print")
    assert f"ExecStart={BIN}/stagedoor resurrect --foreground --data {small.house.data}" in unit


def test_manager__logs_are_followed_and_emptied(small):
    small.up()
    follower = small.house.start("stagedoor", "logs", "-f", "--json", "edge", "--data",
                                 small.house.data)
    follower.said("edge: ready")
    small.say("flush")
    small.say("reload", "edge")
    until(lambda: [line for line in follower.lines if "edge: stopped" in line][1:],
          "the reload to be followed over a new page")
    assert {json.loads(line)["name"] for line in follower.lines} == {"edge-1", "edge-2"}
    assert "shows-1" not in small.say("logs", "-n", "1000")
    follower.signal(signal.SIGTERM)
    follower.ended()


def test_manager__the_log_level_is_changed_while_they_run(small):
    web = small.up()
    web.create_show("hamlet", 9)
    web.reserve("hamlet")
    assert " debug " not in small.say("logs", "-n", "1000")
    assert small.say("loglevel", "shows").split() == ["shows-1", "info"]
    assert small.say("loglevel", "all", "debug").count("debug") == len(EVERYONE)
    web.reserve("hamlet")
    until(lambda: " debug shows/" in small.say("logs", "shows", "-n", "1000"), "decisions to be told")
    assert small.say("loglevel", "all", "info").count("info") == len(EVERYONE)
    assert "debug, info, warning or error" in small.say("loglevel", "all", "loud", end=100)


def test_manager__monit_tells_how_the_house_fares(small):
    web = small.up()
    web.create_show("hamlet", 3)
    with Buyers(web, "hamlet", 2) as buyers:
        until(lambda: buyers.failed, "nothing to be left")
        looks = [json.loads(line) for line in small.say("monit", "-n", "2", "--json").splitlines()]
        table = small.say("monit", "-n", "1")
    assert [look["name"] for look in looks] == 2 * EVERYONE
    edges = [look for look in looks if look["name"] == "edge-1"]
    assert all(look["per_second"] > 0 and look["p99_us"] > 0 for look in edges), edges
    assert re.search(r"^ +all_held +\d+ +\d+/s$", table, re.M), table
    assert all(name in table for name in EVERYONE)


def test_manager__who_takes_too_much_memory_is_reloaded(small):
    web = small.up("--memory-limit", "1")
    web.create_show("hamlet", 100000)
    with Buyers(web, "hamlet", 2) as buyers:
        until(lambda: "MiB, more than 1; reloading it" in small.say("logs", "-n", "1000"),
              "the first to be reloaded")
        buyers.go_on()
    assert not buyers.failed, buyers.failed[:3]


def test_manager__its_own_death_takes_everyone_along(small):
    small.up()
    pids = [process["pid"] for process in small.ls().values()]
    manager = int((small.house.data / "up.lock").read_text())
    assert set(children_of(manager)) == {f"stagedoor-{name}" for name in (*SERVICES, "edge")}
    os.kill(manager, signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)), "the children to go")
    small.up()  # over what it left behind: the lock, the socket
    assert list(small.ls()) == EVERYONE
