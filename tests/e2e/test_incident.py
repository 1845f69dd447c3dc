"""What an operator reaches for when something is wrong: who owns what, stopping all sales, and
what is wrong."""

import http.server
import json
import signal
import threading
import time

from theatre import until

SHOW = "hamlet"


def tell(house, *arguments, end=0):
    done = house.run(*arguments, *house.bus.arguments)
    assert done.returncode == end, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


# ---- owners --------------------------------------------------------------------------------------

def owners(house):
    return {(row["service"], row["partition"]): row
            for row in json.loads(tell(house, "owners", "--json"))}


def test_owners__says_who_and_whether_anything_waits(house):
    house.create_topics()
    assert {row["state"] for row in owners(house).values()} == {"nobody"}
    program = house.service("shows")
    found = owners(house)
    assert len(found) == 12
    mine = [found["shows", partition] for partition in range(4)]
    assert {(row["state"], row["instance"], row["pid"], row["claims_lately"]) for row in mine} == {
        ("ready", "shows-1", program.pid, 1)}
    house.freeze(program)
    tell(house, "publish", "--force", "shows.commands", "CreateShow", SHOW, "{}")
    waiting = [row for row in owners(house).values() if row["waiting"]]
    assert [(row["service"], row["state"], row["waiting"]) for row in waiting] == [
        ("shows", "recovering", 1)]
    program.signal(signal.SIGCONT)
    until(lambda: not any(row["waiting"] for row in owners(house).values()), "an answer")
    assert sum(row.get("accepted", 0) for row in owners(house).values()) == 1
    assert program.stop() == 0
    house.service("shows", "2")
    after = [owners(house)["shows", partition] for partition in range(4)]
    assert {row["instance"] for row in after} == {"shows-2"}
    assert {row["changes_lately"] for row in after} == {1}
    assert "shows-2 on " in tell(house, "owners")


# ---- pause and resume ----------------------------------------------------------------------------

def switch(house, *arguments, end=0):
    return {row["show_id"]: row["outcome"]
            for row in json.loads(tell(house, *arguments, "--json", end=end))}


def test_pause__stops_every_sale_and_resume_undoes_just_that(house):
    _, web = house.up()
    for show in ("hamlet", "lear", "macbeth"):
        web.create_show(show, 10)
    held = web.reserve("hamlet", 2).json
    assert web.staff("POST", "/v1/shows/lear/pause", {"reason": "rain"}).status in (200, 202)
    assert "hamlet: paused\n" in tell(house, "pause", "--all", "--reason", "something is wrong")
    assert switch(house, "pause", "--all") == dict.fromkeys(
        ("hamlet", "lear", "macbeth"), "was paused before")
    for show in ("hamlet", "lear", "macbeth"):
        assert web.reserve(show, 1)["code"] == "sale_paused"
    assert web.check_out(held).status == 201
    # Somebody else says so too: that is theirs.
    assert web.staff("POST", "/v1/shows/macbeth/pause", {}).status in (200, 202)
    assert switch(house, "resume", "--all") == {
        "hamlet": "open", "lear": "was left as it is", "macbeth": "was left as it is"}
    assert web.reserve("hamlet", 1).status == 201
    assert web.reserve("lear", 1)["code"] == web.reserve("macbeth", 1)["code"] == "sale_paused"
    assert switch(house, "resume", "lear", "macbeth") == {"lear": "open", "macbeth": "open"}
    assert switch(house, "pause", "lear") == {"lear": "paused"}
    assert switch(house, "resume", "--all")["lear"] == "was left as it is"
    house.check_log()


def test_pause__says_what_it_could_not_do(house):
    house.create_topics()
    assert tell(house, "pause", "--all") == "there is no show to be switched\n"
    shows = house.service("shows")
    tell(house, "publish", "CreateShow", json.dumps({
        "show_id": SHOW, "name": "Hamlet", "starts_at_ms": 2082826800000, "capacity": 3,
        "currency": "EUR"}))
    until(lambda: switch(house, "pause", "--all"), "the show")
    assert house.run("pause", "nobody", *house.bus.arguments).returncode == 1
    assert house.run("pause", *house.bus.arguments).returncode == 100
    assert house.run("pause", "--all", SHOW, *house.bus.arguments).returncode == 100
    shows.kill()
    late = house.run("resume", "--all", "--wait", "1", *house.bus.arguments)
    assert late.returncode == 111 and "stagedoor owners" in late.stderr
    assert late.stdout == f"{SHOW}: has not answered; the command is in the log\n"


# ---- doctor --------------------------------------------------------------------------------------

class Doctor:
    """What is found in a house whose edge is at `url`."""

    def __init__(self, house, url="http://127.0.0.1:1", **more):
        done = house.run("doctor", "--json", "--data", house.data, "--url", url,
                         *more.get("arguments", house.bus.arguments))
        assert done.returncode in (0, 1), done.stderr
        self.well, self.rows = done.returncode == 0, json.loads(done.stdout)
        bad = [row for row in self.rows if row["state"] in ("grave", "wrong")]
        assert self.well == (not bad) and self.rows[:len(bad)] == bad
        assert all(row.get("mend") for row in bad), bad

    def finds(self, look, state, words, mend=""):
        found = [row for row in self.rows if row["look"] == look and row["state"] == state
                 and words in row["text"] and mend in row.get("mend", "")]
        assert found, self.rows
        return found[0]


def test_doctor__of_a_house_in_order_has_nothing_to_say(house):
    _, web = house.up()
    web.create_show(SHOW, 10)
    assert web.check_out(web.reserve(SHOW, 2).json).status == 201
    found = Doctor(house, web.url)
    assert found.well, found.rows
    assert {row["look"] for row in found.rows} == {
        "folder", "disk", "bus", "topics", "place", "owners", "builds", "clocks", "edge"}
    text = house.run("doctor", "--data", house.data, "--url", web.url, *house.bus.arguments)
    assert text.returncode == 0 and "fine  owners " in text.stdout


def test_doctor__sees_what_is_wrong_around_the_log(house_on, sqlite_bus, tmp_path):
    house = house_on(sqlite_bus)
    empty = Doctor(house)
    empty.finds("bus", "grave", "there is no log", "topics create")
    assert not sqlite_bus.path.exists()
    program, web = house.up()
    (house.data / "keys").chmod(0o644)
    house.data.chmod(0o777)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        found = Doctor(house, f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
    found.finds("folder", "grave", "can be read by others", f"chmod 600 {house.data}/keys")
    found.finds("folder", "wrong", "can be changed by others", "chmod 700")
    found.finds("edge", "wrong", "somebody else answers", "--listen")
    (house.data / "keys").write_text("nonsense\n")
    Doctor(house, web.url).finds("folder", "grave", "no edge can start")
    assert program.stop() == 0
    Doctor(house).finds("edge", "note", "no edge answers", "--url")
    damaged = tmp_path / "damaged.db"
    whole = bytearray(sqlite_bus.path.read_bytes())
    whole[8192:16384] = b"\xff" * 8192
    damaged.write_bytes(whole)
    Doctor(house, arguments=["--bus", f"sqlite:{damaged}"]).finds(
        "place", "grave", "is damaged", "restore")


def test_doctor__sees_who_is_missing_and_clocks_that_differ(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    Doctor(house).finds("owners", "note", "nobody has ever owned shows/0")
    sqlite_bus.append("shows.commands", "{}", key=SHOW)
    Doctor(house).finds("owners", "grave", "1 inputs wait", "stagedoor-shows")
    for turn in range(4):
        assert house.service("shows", str(turn)).stop() == 0
    found = Doctor(house)
    found.finds("owners", "wrong", "changed its owner 3 times", "--group-instance")
    sqlite_bus.append("shows.commands", "{}", key=SHOW)
    sqlite_bus.change(("UPDATE records SET append_ms = append_ms - 900000", ()))
    Doctor(house).finds("owners", "grave", "is silent: 1 inputs wait, the oldest for 15 min")
    # The answer came from a build that decides otherwise; and the log's clock was wrong for a while.
    at = int(time.time() * 1000)
    sqlite_bus.change(
        ("UPDATE records SET value = replace(value, '\"rules\":', '\"rules\":9') WHERE partition = 0",
         ()),
        ("UPDATE records SET append_ms = ? WHERE partition = 1 AND \"offset\" = 1",
         (at + 3600 * 1000,)))
    found = Doctor(house)
    found.finds("builds", "wrong", "other rules", "one version")
    found.finds("clocks", "wrong", "ahead of this machine's", "chronyc")
    found.finds("clocks", "note", "was set back")
    sqlite_bus.append("shows.events", "{}", partition=2, headers=[
        ("ce_type", "stagedoor.bus.Claimed"),
        ("sd_claim", "0123456789abcdef/0b7e6a52-6c1f-4d8e-9a41-000000000001")])
    Doctor(house).finds("topics", "grave", "not what it was", "stagedoor verify")


def test_doctor__sees_what_is_wrong_with_topics_and_broker(house_on, kafka_bus):
    house = house_on(kafka_bus)
    Doctor(house, arguments=["--bus", "kafka://127.0.0.1:1"]).finds("bus", "grave", "cannot reach")
    Doctor(house).finds("topics", "grave", "does not exist", "stagedoor topics create")
    house.create_topics()
    found = Doctor(house)
    found.finds("place", "fine", "librdkafka")
    found.finds("place", "note", "lost when the power goes", "log.flush.interval.messages")
    kafka_bus.configure("shows.events", "retention.ms", "604800000")
    Doctor(house).finds("topics", "grave", "retention.ms=604800000",
                        "kafka-configs --bootstrap-server")
