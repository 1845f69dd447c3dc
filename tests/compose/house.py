"""compose/ with a container engine, as somebody would use it: `make compose-test`. Where no registry can be reached
standins.sh has made the images. Needs root (it kills programs from outside), the ports that compose.yaml shows, and
a few minutes."""

import json
import os
import urllib.request

import pytest
import yaml

from engine import ROOT, Evening, compose, run, until

CONTAINERS = yaml.safe_load((ROOT / "compose/compose.yaml").read_text())["services"]
NAMES = ("kafka-1", "shows-1", "reservations-1", "checkout-1", "edge-1", "edge-2", "door-1")
PLACES = ("/", "/etc", "/usr/bin", "/home", "/var/tmp", "/dev")


def image_is_here(part):
    return run("docker", "image", "ls", "-q", CONTAINERS[part]["image"]) != ""


def look(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def evening():
    assert os.geteuid() == 0, "this needs root; try: sudo make compose-test"
    print("\n" + run("docker", "version", "-f", "engine {{.Server.Version}}"), compose("version", "--short"), sep=", ")
    compose("down", "-v", "--remove-orphans", check=False)
    compose("build", "init")
    yield Evening()
    compose("--profile", "obs", "--profile", "ui", "down", "-v", "--remove-orphans")


# One evening, in the order of the file.

def test_house__up_is_all_it_takes(evening):
    evening.up()
    assert {one.name for one in evening.containers()} == set(NAMES)


def test_house__a_sale_through_the_port(evening):
    evening.open()
    assert evening.sell()
    evening.find("edge-1").run("stagedoor", "seed", "--url", "http://127.0.0.1:3000")


@pytest.mark.parametrize("name", NAMES)
def test_house__nobody_is_root_or_writes_or_may_do_anything(evening, name):
    one = evening.find(name)
    assert one.run("id", "-u") != "0"
    status = dict(line.split(":\t") for line in one.run("cat", "/proc/1/status").splitlines() if ":\t" in line)
    assert {status[word].strip("0") for word in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {""}
    assert status["NoNewPrivs"] == "1"
    for place in PLACES:
        said = one.run("sh", "-c", f"echo >{place}/written && echo could", check=False)
        assert "could" not in said.splitlines(), place
    one.run("sh", "-c", "echo >/tmp/written")


@pytest.mark.parametrize("name", NAMES)
def test_house__who_dies_comes_back(evening, name):
    one = evening.find(name)
    seconds = evening.seconds_until_a_sale(one.crash)
    evening.wait()
    print(f"{name} died: a sale after {seconds:.1f} s")
    assert evening.sell()


@pytest.mark.parametrize("name", NAMES)
def test_house__who_is_killed_by_hand_comes_back_with_up(evening, name):
    """An engine takes `docker kill` for a wish, and leaves it so."""
    one = evening.find(name)
    if name.startswith("edge"):
        print(f"{name} killed by hand: a sale without it after {evening.seconds_until_a_sale(one.kill):.1f} s")
    else:
        one.kill()
    print(f"{name} killed by hand: {'runs again' if one.is_running() else 'stays down until `up -d`'}")
    seconds = evening.seconds_until_a_sale(compose, "up", "-d")
    evening.wait()
    print(f"{name} up again: a sale after {seconds:.1f} s")


def test_house__down_and_up_lose_nothing(evening):
    before = evening.verdict()
    nameless = [(one.part, name) for one in evening.containers() for name in one.volumes if len(name) == 64]
    assert [part for part, _ in nameless] == ["edge", "edge"]
    compose("down")
    assert compose("ps", "-q") == ""
    run("docker", "volume", "rm", *(name for _, name in nameless))
    evening.up()
    after = evening.verdict()
    assert after["verified"] and before["verified"]
    assert after["types"] == before["types"] and after["seats_sold"] == before["seats_sold"]
    for held in evening.sold:
        assert evening.web.look(held)["status"] == "confirmed"
    print(f"{after['records']} records, {after['seats_sold']} seats sold, {len(evening.sold)} asked for again")
    assert evening.sell()


def test_house__more_of_them_and_prometheus_sees_each(evening):
    evening.up("--scale", "shows=2", "--scale", "edge=4")
    parts = ["prometheus", *(["grafana"] if image_is_here("grafana") else [])]
    compose("--profile", "obs", "up", "-d", *parts)
    expected = {"stagedoor-shows": 2, "stagedoor-reservations": 1, "stagedoor-checkout": 1, "stagedoor-edge": 4}

    def targets():
        found = dict.fromkeys(expected, 0)
        for one in look("http://127.0.0.1:9090/api/v1/targets")["data"]["activeTargets"]:
            found[one["labels"]["job"]] += one["health"] == "up"
        return found
    evening.wait()
    until(lambda: targets() == expected, "each to be scraped")
    rules = look("http://127.0.0.1:9090/api/v1/rules")["data"]["groups"]
    assert rules and all(rule["health"] in ("ok", "unknown") for group in rules for rule in group["rules"])
    assert evening.sell()


def test_house__a_look_into_kafka(evening):
    if not image_is_here("kafka-ui"):
        pytest.skip("no image of it could be had")
    compose("--profile", "ui", "up", "-d", "kafka-ui")
    evening.wait()


def test_house__the_log_holds(evening):
    assert evening.verdict()["verified"]
