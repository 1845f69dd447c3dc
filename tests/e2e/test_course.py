"""What each step of the Node course shows, and what stands in its place here: one test a row, by the
name of the row."""

import concurrent.futures
import json
import os
import re
import signal
import socket
import time

import pytest

from managed import Managed
from test_sample import CONCERT, PLAY, SHOWS
from theatre import Buyers, Web, new_key, until

SEATS = 2000


@pytest.fixture
def managed(house_on, sqlite_bus):
    found = Managed(house_on(sqlite_bus))
    yield found
    found.close()


def reserve_many(web, show, count):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: web.reserve(show).status, range(count)))


def seconds(call):
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def test_course__blocking_server(managed):
    """There everyone waits behind /timer. Here a sale does not wait for who asks for much."""
    web = managed.up()
    web.create_show("hamlet", SEATS)
    assert set(reserve_many(web, "hamlet", 300)) == {201}

    def read_much():
        return web.staff("GET", "/v1/shows/hamlet/reservations", headers={"Accept": "text/csv"})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read_much) for _ in range(40)]
        took = sorted(seconds(lambda: web.reserve("hamlet")) for _ in range(20))
        assert {read.result().status for read in reading} == {200}
    assert took[len(took) // 2] < 1, took  # 0.1 s on a machine that has nothing else to do


def test_course__cluster_fork(managed):
    """Clones share a port, and each takes its part of the requests."""
    web = managed.up("--edges", "3")
    web.create_show("hamlet", SEATS)

    def each_has_answered():
        reserve_many(web, "hamlet", 20)
        looks = managed.say("monit", "-n", "1", "--json").splitlines()
        edges = [look for look in map(json.loads, looks) if look["name"].startswith("edge-")]
        return len(edges) == 3 and all(asked(managed, edge["name"]) for edge in edges)
    until(each_has_answered, "each of three to be asked something")


def asked(managed, edge):
    """How many requests that edge has answered."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.path.relpath(managed.house.data / "admin" / edge))
        line.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        text = b"".join(iter(lambda: line.recv(65536), b"")).decode()
    return sum(float(value) for value in
               re.findall(r"^stagedoor_http_requests_total\{.*\} (\S+)$", text, re.M))


def test_course__zero_downtime(managed):
    """A dead worker is replaced; workers restart one after another; nobody is sent away."""
    web = managed.up("--edges", "2")
    web.create_show("hamlet", 100000)
    with Buyers(web, "hamlet", 4) as buyers:
        buyers.go_on()
        managed.say("reload", "all")
        buyers.go_on()
    assert not buyers.failed, buyers.failed[:3]
    os.kill(managed.ls()["edge-1"]["pid"], signal.SIGKILL)
    until(lambda: managed.ls()["edge-1"]["restarts"] == 1 and managed.ls()["edge-1"]["ready"],
          "the dead one to be replaced")
    assert web.reserve("hamlet").status == 201


def test_course__pm2(managed):
    """start -i, list, stop, delete, restart, reload, logs, monit, describe: the same verbs."""
    managed.up()
    managed.say("start", "edge", "-i", "3")
    assert len(managed.ls("edge")) == 3
    for words in (["list"], ["status"], ["show", "edge-1"], ["describe", "edge-1"], ["logs"],
                  ["monit", "-n", "1"], ["stop", "edge-2"], ["restart", "edge-2"],
                  ["reload", "edge"], ["delete", "edge-3"], ["scale", "edge", "1"], ["flush"]):
        managed.say(*words)
    assert list(managed.ls("edge")) == ["edge-1"]


def test_course__counter_in_a_shared_database(managed):
    """Clones count together, and nothing is lost or counted twice."""
    web = managed.up("--edges", "3", "--instances", "2")
    web.create_show("hamlet", SEATS)
    told = reserve_many(web, "hamlet", 200)
    assert set(told) == {201}
    until(lambda: web.availability("hamlet")["held"] == 200, "all clones to have counted")
    managed.down()
    managed.house.check_log()


def test_course__sharded_database(managed):
    """Shows lie in partitions: one is found in its own, a list or a search goes over all."""
    web = managed.up()
    names = [f"cat-{number}" for number in range(12)]
    for name in names:
        web.create_show(name, 3)
    placed = {record.partition for record in managed.house.bus.read(("shows.events",))
              if record.type == "ShowCreated"}
    assert len(placed) > 1
    assert all(web.get(f"/v1/shows/{name}")["show_id"] == name for name in names)
    listed = web.get("/v1/shows?limit=50").json["shows"]
    assert sorted(show["show_id"] for show in listed) == sorted(names)
    found = web.get("/v1/shows?q=cat-1").json["shows"]
    assert {show["show_id"] for show in found} == {"cat-1", "cat-10", "cat-11"}


def test_course__prime_worker(managed):
    """What computes long is not done where requests are answered: of the clerks, at lower priority."""
    managed.up()
    edge = managed.ls()["edge-1"]["pid"]
    nice = {}
    for thread in os.listdir(f"/proc/{edge}/task"):
        with open(f"/proc/{edge}/task/{thread}/stat", encoding="ascii") as stat:
            name, rest = re.fullmatch(r"\d+ \((.*)\) (.*)\n", stat.read()).groups()
        nice.setdefault(int(rest.split()[16]), []).append(name)
    assert len(nice) == 2 and len(nice[max(nice)]) == 2, nice


def test_course__loadtest(managed):
    """n requests, c at once: how long each took, how many a second; and here, whether all is right."""
    web = managed.up()
    said = managed.say("bench", "reserve", "--url", web.url, "--create", "100", "-c", "4", "-n",
                       "300", "--json")
    report = json.loads(said)
    assert report["breach"] is None
    assert report["latency_us"]["p50"] > 0 and report["latency_us"]["p99"] > 0


def test_course__monolith(managed):
    """One server, its data, and its routes."""
    web = seeded_by(managed)
    assert sorted(web.get("/").json["shows"], key=lambda show: show["_id"]) == SHOWS
    assert web.post("/reserveTickets", {"name": "Ann", "count": 2, "showID": PLAY}).status == 200
    assert web.get(f"/show/{PLAY}")["reserved"] == 12


def seeded_by(managed, *listen):
    words = [word for address in listen for word in ("--listen", address)]
    said = managed.say("up", "-d", *managed.house.bus.arguments,
                       *(words or ["--listen", "127.0.0.1:0"]))
    web = managed.web(said)
    managed.say("seed", "--url", web.url)
    return web


def test_course__split_services(managed):
    """Shows at one address, reservations at another; each knows its own routes."""
    web = seeded_by(managed, "127.0.0.1:0=api", "127.0.0.1:0=shows", "127.0.0.1:0=reservations")
    ports = re.findall(r"ready, http://127\.0\.0\.1:(\d+)", managed.say("logs", "edge"))
    shows, reservations = (Web(f"http://127.0.0.1:{port}") for port in ports[1:])
    assert shows.get(f"/{CONCERT}")["houseSize"] == 100
    assert [guest["name"] for guest in reservations.get("/")[CONCERT]] == ["WDJ", "Eve"]
    assert web.post("/reserveTickets", {"name": "Ann", "count": 1, "showID": PLAY}).status == 200
    assert [guest["name"] for guest in reservations.get("/")[PLAY]] == ["Ann"]


def test_course__api(managed):
    """One entry for all: it asks nobody else, and knows both."""
    web = seeded_by(managed, "127.0.0.1:0=api")
    assert sorted(web.get("/").json, key=lambda show: show["_id"]) == SHOWS
    assert web.get(f"/show/{CONCERT}")["reserved"] == 10
    assert [guest["name"] for guest in web.get(f"/reservations/{CONCERT}").json] == ["WDJ", "Eve"]


def test_course__messaging_layer(managed):
    """There checkout tells a layer, which reserves. Here services meet in the log alone."""
    web = managed.up()
    web.create_show("hamlet", 3)
    reservation = web.reserve("hamlet", key=new_key()).json
    assert web.check_out(reservation).status == 201
    said = {record.type: record.topic for record in managed.house.bus.read()}
    assert said["ReservationRequested"] == "reservations.events"
    assert said["SeatsHeld"] == said["SeatsSold"] == "shows.events"
    assert said["PaymentSucceeded"] == "checkout.events"
    managed.down()
    managed.house.check_log()
