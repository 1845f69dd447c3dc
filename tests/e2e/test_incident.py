"""What an operator reaches for when something is wrong: who owns what."""

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
