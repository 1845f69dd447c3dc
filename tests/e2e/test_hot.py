"""Ten thousand people want the ninety seats that are free, at once, while services die."""

import json
import signal
import subprocess

from theatre import BIN, SERVICES, children_of, until

CONCERT = "5b805a00297ae6047030f2e0"  # of the sample's data: 100 seats, 10 of them sold
SEATS_FREE, REQUESTS, ROUNDS = 90, 10000, 3
RATE = {"sqlite": 1000, "kafka": 500}
# A test may open as many connections from one address as it likes; the edge's defaults protect it.
LIMITS_RAISED = [word for name in ("--connections-max", "--per-address-max", "--in-flight-max")
                 for word in ("--edge-arg", name, "--edge-arg", "20000")]


def open_house(house):
    up, web = house.up(*LIMITS_RAISED)
    assert house.run("seed", "--url", web.url, "--data", house.data).returncode == 0
    assert web.availability(CONCERT)["free"] == SEATS_FREE
    return up, web


def start_bench(house, web, *more):
    """Running; its report will be one JSON object on its standard output."""
    return subprocess.Popen(
        [str(BIN / "stagedoor"), "bench", "reserve", "--url", web.url, "--show", CONCERT,
         "-n", str(REQUESTS), "--json", "--patience", "120",
         "--journal", str(house.folder / "journal"), *map(str, more)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_bench(bench):
    output, errors = bench.communicate(timeout=240)
    assert bench.returncode == 0, output + errors
    return json.loads(output)


def assert_exactly_the_free_seats_went(house, web, report):
    assert report["requests"] == REQUESTS
    assert report["held"] == SEATS_FREE
    # All of them are held and none is paid, so any may come back: that is the true reason.
    assert report["refused"] == {"all_held": REQUESTS - SEATS_FREE}
    assert report["errors"] == {} and report["dropped"] == 0 and report["breach"] is None
    now = web.availability(CONCERT)
    assert (now["held"], now["sold"], now["free"]) == (SEATS_FREE, 10, 0)
    house.check_log(60)
    assert_journal_and_log_agree(house)


def assert_journal_and_log_agree(house):
    """What every single customer was told is what the log says of their reservation."""
    told = {}
    for line in (house.folder / "journal").read_text().splitlines():
        entry = json.loads(line)
        told[entry["reservation_id"]] = entry["outcome"], entry["code"]
    assert len(told) == REQUESTS
    said = {}
    for record in house.bus.read(("shows.events",)):
        body = record.body()
        if record.type == "SeatsHeld":
            said[body["reservation_id"]] = "held", ""
        elif record.type == "HoldRejected":
            said[body["reservation_id"]] = "refused", body["reason"]
    assert {key: said.get(key) for key in told} == told


def test_hot__ten_thousand_at_once(house):
    _, web = open_house(house)
    report = end_bench(start_bench(house, web, "-c", REQUESTS))
    assert report["connections"] == REQUESTS
    assert_exactly_the_free_seats_went(house, web, report)


def test_hot__while_services_are_killed(house):
    up, web = open_house(house)
    # So many begin each second, whether or not others were answered: long enough for nine deaths.
    bench = start_bench(house, web, "-c", 4000, "-R", RATE[house.bus.kind])
    until(lambda: web.availability(CONCERT)["held"] > 0, "the first hold")
    for _ in range(ROUNDS):
        for service in SERVICES:
            kill_and_await(up, service)
        assert bench.poll() is None, "the sale was over before the last kill"
    assert_exactly_the_free_seats_went(house, web, end_bench(bench))
    deaths = [line for line in up.lines if "was killed by signal 9" in line]
    assert len(deaths) == ROUNDS * len(SERVICES)


def kill_and_await(up, service):
    """kill -9, then until its successor has all its partitions again."""
    heard = len(up.lines)
    up_children = children_of(up.pid)
    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(up_children[f"stagedoor-{service}"])],
                   check=True)
    up.said(rf"^{service}-1 .*: ready", start=heard)
