"""Kafka that asks who one is, and lets each do its work and nothing more."""

import concurrent.futures
import itertools
import os
import shlex
import subprocess

import pytest

import log
from buses import folder_of
from secured import CLUSTER, GROUP, TOPIC, SecuredBroker, SecuredBus
from theatre import ROOT, House


@pytest.fixture(scope="module")
def broker():
    found = SecuredBroker(folder_of("secured"))
    yield found
    found.wipe()


def sell(web):
    web.create_show("hamlet", 2)
    held = web.reserve("hamlet")
    assert held.status == 201, held.text
    assert web.check_out(held.json).json["status"] == "confirmed"


def properties_of(broker, door):
    return {"TLS": broker.trust(), "MTLS": broker.certificate(),
            "SASL": broker.user("theatre")}[door]


@pytest.mark.parametrize("door", ["TLS", "MTLS"])
def test_sale__through_every_door(broker, house_on, door):
    """Through the third one sells who is known by name: test_acls."""
    house = house_on(SecuredBus(broker, door, properties_of(broker, door)))
    sell(house.up()[1])


def test_scram__sells_or_says_which_librdkafka_it_takes(broker, house_on):
    bus = SecuredBus(broker, "SASL", broker.user("theatre", "SCRAM-SHA-256"))
    house = house_on(bus)
    done = house.run("topics", "create", *bus.arguments)
    if done.returncode == 0:
        sell(house.up()[1])
    else:
        assert done.returncode == 111 and "with librdkafka 2.6.1 or later" in done.stderr


def test_scram__sells_with_a_librdkafka_that_can(broker, house_on, monkeypatch):
    """Debian 12's cannot; PyPI's confluent-kafka brings one along."""
    [newer] = ROOT.glob("build/venv/lib/python3*/site-packages/confluent_kafka.libs/librdkafka-*.so.1")
    house = house_on(SecuredBus(broker, "SASL", broker.user("theatre", "SCRAM-SHA-256")))
    (house.folder / "librdkafka.so.1").symlink_to(newer)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(house.folder))
    house.create_topics()
    sell(house.up()[1])


WRONG = [
    ("SASL", {"sasl.password": "guess"}, "look at sasl.username and sasl.password"),
    ("SASL", {"sasl.mechanism": "SCRAM-SHA-512"}, "look at sasl.mechanism"),
    ("SASL", {"security.protocol": "ssl"}, "look at security.protocol"),
    ("TLS", {"ssl.ca.location": "stranger.crt"}, "look at ssl.ca.location"),
    ("TLS", {"ssl.ca.location": "nowhere.crt"}, "ssl.ca.location failed"),
    ("MTLS", {"ssl.key.location": "", "ssl.certificate.location": ""},
     "look at ssl.certificate.location and ssl.key.location"),
]


def test_error__says_what_to_look_at(broker, tmp_path):
    """All at once: each waits until librdkafka gives up."""
    def look(row):
        door, change, why = row
        properties = properties_of(broker, door)
        for name, value in change.items():
            properties[name] = str(broker.folder / value) if value.endswith(".crt") else value
        bus = SecuredBus(broker, door, {name: value for name, value in properties.items() if value})
        done = House(bus, tmp_path).run("topics", "check", *bus.arguments)
        assert done.returncode in (100, 111) and done.stdout == ""
        assert why in done.stderr, done.stderr
        assert "of-theatre" not in done.stderr and "guess" not in done.stderr
    with concurrent.futures.ThreadPoolExecutor(len(WRONG)) as pool:
        list(pool.map(look, WRONG))


# ---- who may do what -----------------------------------------------------------------------------

SERVICES = ["shows", "reservations", "checkout"]
USERS = [*SERVICES, "edge", "paydesk", "tools"]


def may_write(user, topic):
    return topic == f"{user}.events" or (user == "edge" and topic.endswith(".commands"))


def may_read(user, topic):
    return topic.endswith(".events") or user in ("edge", "tools") or topic == f"{user}.commands"


def guard(broker, house, prefix):
    """What the script says to Kafka's own tool is said to the broker."""
    done = house.run("topics", "acls", "--topic-prefix", prefix, "--user-prefix", "t-")
    assert done.returncode == 0, done.stderr
    heard = house.folder / "heard"
    subprocess.run(["sh", "-s", "--", "--bootstrap-server", "there"], input=done.stdout, text=True,
                   check=True, env={**os.environ, "KAFKA_ACLS": "./tool"}, cwd=tool_in(heard))
    rules = set()
    for line in (heard / "words").read_text().splitlines():
        words = shlex.split(line)
        assert words[:3] == ["--bootstrap-server", "there", "--add"]
        said = {}
        for name, value in zip(words[3:], words[4:] + ["--"]):
            if name.startswith("--"):
                said.setdefault(name, []).append(value)
        places = [(TOPIC, name) for name in said.get("--topic", [])]
        places += [(GROUP, name) for name in said.get("--group", [])]
        places += [(CLUSTER, "kafka-cluster")] * ("--cluster" in said)
        rules |= set(itertools.product(said["--allow-principal"], said["--operation"], places))
    for principal, operation, (kind, name) in sorted(rules):
        broker.allow(principal, operation, kind, name)


def tool_in(folder):
    folder.mkdir()
    tool = folder / "tool"
    tool.write_text("#!/bin/sh\nfor word; do printf \"'%s' \" \"$word\"; done >>words\necho >>words\n")
    tool.chmod(0o755)
    return folder


def configure(broker, bus, path):
    """One file for all programs, each of them another user."""
    lines = [f"bus = {bus.url}", f"topic-prefix = {bus.prefix}"]
    lines += [f"kafka.{name} = {value}" for name, value in broker.user("t-tools").items()]
    for name in (*SERVICES, "edge", "paydesk"):
        lines += [f"[{name}]", f"kafka.sasl.username = t-{name}",
                  f"kafka.sasl.password = of-t-{name}"]
    path.write_text("\n".join(lines) + "\n")


def tries(broker, bus, user, topic, *words, value=None):
    """kcat as that user; whether it was let."""
    command = ["kcat", "-b", bus.url[len("kafka://"):], "-t", bus.prefix + topic, "-p", "0", *words]
    for name, setting in broker.user(f"t-{user}").items():
        command += ["-X", f"{name}={setting}"]
    done = subprocess.run(command, input=value, capture_output=True, timeout=60, check=False)
    denied = b"authorization failed" in done.stderr
    assert denied == (done.returncode != 0), done.stderr
    return not denied


def test_acls__let_each_do_its_work_and_nothing_more(broker, house_on, tmp_path):
    bus = SecuredBus(broker, "SASL", broker.user("theatre"))
    house = house_on(bus)
    house.create_topics()
    guard(broker, house, bus.prefix)
    path = tmp_path / "stagedoor.conf"
    configure(broker, bus, path)

    # Before anything is sold: what is tried here would not count, but it must not be there at all.
    def look(pair):
        user, topic = pair
        if not may_write(user, topic) and tries(broker, bus, user, topic, "-P", value=b"x"):
            return f"{user} may write {topic}"
        read = tries(broker, bus, user, topic, "-C", "-e", "-q")
        return None if read == may_read(user, topic) else f"{user} reads {topic}: {read}"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        wrong = [found for found in pool.map(look, itertools.product(USERS, log.TOPICS)) if found]
    assert not wrong, wrong

    bus.arguments = ["--config", str(path)]
    sell(house.up("--paydesk", "succeed")[1])
    assert house.run("tail", "--from-start", *bus.arguments).returncode == 0
    assert house.run("publish", "--config", path, "--force", "shows.commands", "X", "k", "{}"
                     ).returncode != 0
    house.check_log()
