"""What an operator reaches for when something is wrong: who owns what, and stopping all sales."""

import json
import signal

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
    program.signal(signal.SIGSTOP)
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
