"""Strangers who write into the topics: with kcat, with the sqlite3 shell, with `stagedoor publish`.
Their commands are refused, their events do not count, and nobody has to wait because of them."""

import json
import random
import uuid

import paths  # noqa: F401
from log import ACCEPTED, SERVICES, judge
from test_garbage import JSON, SHOW, bad_commands, kind

COMMANDS_A_TOPIC = 4


def garbage_for(service, rng):
    """(topic, value, key, headers, partition) of commands that cannot be taken."""
    for _, _, headers, value, key, partition in rng.sample(bad_commands(service), COMMANDS_A_TOPIC):
        yield f"{service}.commands", value, key, headers, partition


def forgeries(service, partition, last):
    """The same of what looks like an event, and of a claim. `last` is a true one, or None. Whatever
    the owner appends meanwhile, none of these may ever count."""
    topic = f"{service}.events"
    yield topic, b"\xff\x00", None, [], partition
    yield topic, "{}", SHOW, [kind("shows", "SeatsHeld"), JSON], partition
    yield topic, "{}", None, [kind("bus", "Claimed"), ("sd_claim", "nobody")], partition
    yield topic, "{}", None, [kind("bus", "Installed")], partition
    if last:
        headers = [(name, (text or b"").decode()) for name, text in last.headers]
        claim, _, _ = last.header("sd_stamp").partition("-")
        for stamp in (last.header("sd_stamp"), f"{claim}-{'0' * 16}.1", f"{10 ** 9}-{'0' * 16}.1"):
            yield (topic, last.value.decode(), (last.key or b"").decode() or None,
                   [(name, stamp if name == "sd_stamp" else text) for name, text in headers],
                   partition)


def scribble(company, seed):
    """All of it; how many records."""
    rng, count = random.Random(seed), 0
    for service in SERVICES:
        last = {record.partition: record
                for record in judge(company.bus.read((f"{service}.events",)))
                if record.verdict == ACCEPTED and record.key}
        partition = rng.randrange(company.partitions)
        for record in (*garbage_for(service, rng),
                       *forgeries(service, partition, last.get(partition))):
            company.bus.append(*record)
            count += 1
    return count + publish(company)


def publish(company):
    """What our own tool appends when it is told not to look."""
    wrong = [("shows.commands", "OpenSale", SHOW, '{"show_id":7}'),
             ("reservations.commands", "CancelReservation", SHOW,
              json.dumps({"show_id": SHOW, "reservation_id": str(uuid.uuid4())})),
             ("checkout.commands", "SellEverything", SHOW, "[]")]
    for command in wrong:
        done = company.house.run("publish", "--force", *company.bus.arguments, *command)
        assert done.returncode == 0, done.stderr
    return len(wrong)
