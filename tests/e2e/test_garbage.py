"""Whatever strangers write into the log: commands are refused with the reason, events do not count,
and in both cases the next record is handled as if nothing had been."""

import json
import subprocess
import uuid

import pytest

from log import ACCEPTED, SERVICES, VOID, judge, partition_of
from theatre import new_key, until

SHOW = "hamlet"
EVENTS = "shows.events"
PARTITIONS = 4
JSON = ("content-type", "application/json")


def kind(service, name):
    return "ce_type", f"stagedoor.{service}.{name}"


def good_command(service):
    """(type, body) of a command that would be taken."""
    reservation = str(uuid.uuid4())
    return {
        "shows": ("OpenSale", {"show_id": SHOW}),
        "reservations": ("RequestReservation", {
            "show_id": SHOW, "reservation_id": reservation, "channel": "api",
            "lines": [{"tier_id": "standard", "quantity": 1}], "holder": {"name": "Ann"}}),
        "checkout": ("StartCheckout", {
            "show_id": SHOW, "reservation_id": reservation, "payment_id": str(uuid.uuid4()),
            "method": "none", "by": "customer"}),
    }[service]


def bad_commands(service):
    """(what it is, the code it is refused with, headers, value, key, partition or None)."""
    name, body = good_command(service)
    wrong = partition_of(SHOW.encode(), PARTITIONS) ^ 1
    text, typed = json.dumps(body), [kind(service, name), JSON]
    return [
        ("nothing at all", "undecodable", [], "", SHOW, None),
        ("no type", "undecodable", [JSON], text, SHOW, None),
        ("bytes", "undecodable", typed, b"\xff\xfe\x00\x01garbage", SHOW, None),
        ("no value", "undecodable", typed, None, SHOW, None),
        ("half an object", "undecodable", typed, text[:-1], SHOW, None),
        ("something behind it", "undecodable", typed, text + "x", SHOW, None),
        ("an array", "undecodable", typed, f"[{text}]", SHOW, None),
        ("a member twice", "undecodable", typed, '{"show_id":"a",' + text[1:], SHOW, None),
        ("too deep", "undecodable", typed, f'{{"x":{"[" * 60 + "]" * 60},{text[1:]}', SHOW, None),
        ("too large", "undecodable", typed, '{"x":"' + "x" * 20000 + '",' + text[1:], SHOW, None),
        ("an empty object", "invalid", typed, "{}", SHOW, None),
        ("a wrong type", "invalid", typed, json.dumps(dict(body, show_id=7)), SHOW, None),
        ("a wrong id", "invalid", typed, json.dumps(dict(body, show_id="no way!")), SHOW, None),
        ("an unknown type", "unknown_type", [kind(service, "SellEverything")], text, SHOW, None),
        ("a foreign type", "unknown_type", [("ce_type", "com.example.Thing")], text, SHOW, None),
        ("an event", "unknown_type", [kind("shows", "SeatsHeld")], text, SHOW, None),
        ("a claim", "unknown_type", [kind("bus", "Claimed")], text, SHOW, None),
        ("in another partition", "misrouted", typed, text, SHOW, wrong),
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_garbage__in_a_command_topic_is_refused(house, service):
    _, web = house.up()
    web.create_show(SHOW, 5)
    topic, cases = f"{service}.commands", bad_commands(service)
    for _, _, headers, value, key, partition in cases:
        house.bus.append(topic, value, key, headers, partition)
    name, body = good_command(service)
    house.bus.append(topic, json.dumps(body), SHOW, [kind(service, name), JSON])

    def refusals():
        found = [record for record in house.bus.read() if record.topic == f"{service}.events"
                 and record.type == "Refused"]
        return found if len(found) >= len(cases) else None
    answers = {record.header("sd_source"): record
               for record in until(refusals, f"{len(cases)} refusals")}
    house.check_log()

    commands = [record for record in house.bus.read() if record.topic == topic]
    for what, code, headers, value, key, partition in cases:
        command = find(commands, headers, value, key, partition)
        refused = answers.get(f"{command.place}#{command.crc():08x}")
        assert refused, f"{what}: nothing names {command.place} as its source"
        assert refused.body()["code"] == code, f"{what}: {refused.value}"
        assert refused.body()["detail"], what
        assert refused.key is None and refused.partition == command.partition
    assert web.reserve(SHOW).status == 201
    house.check_log()


def find(records, headers, value, key, partition):
    """What was appended, as it lies in the log. `partition` None: where the key belongs."""
    if partition is None:
        partition = partition_of(key.encode(), PARTITIONS)
    value = value.encode() if isinstance(value, str) else value
    wanted = (key.encode() if key else None, value or b"", sorted(headers), partition)
    found = [record for record in records
             if (record.key, record.value or b"",
                 sorted((name, text.decode()) for name, text in record.headers),
                 record.partition) == wanted]
    assert len(found) == 1, f"{wanted} was appended once, found {len(found)} times"
    return found[0]


def forgeries(records):
    """Records that look like events, the better the further down: (headers, value)."""
    last = [record for record in records if record.verdict == ACCEPTED][-1]
    claim, rest = last.header("sd_stamp").split("-")
    nonce, n = rest.split(".")
    headers = [(name, text.decode()) for name, text in last.headers]

    def stamped(stamp):
        return [(name, stamp if name == "sd_stamp" else text) for name, text in headers]
    body = last.value.decode()
    return [
        ([], b"\xff\x00"),
        ([], "hello"),
        ([kind("shows", "SeatsHeld")], "{}"),
        ([kind("shows", "SeatsHeld")] * 2 + [("sd_stamp", f"{claim}-{nonce}.{int(n) + 1}")], body),
        ([("content-type", "application/cloudevents+json")], '{"type":"SeatsHeld","data":{}}'),
        ([(f"h{i}", "x") for i in range(40)] + stamped(f"{claim}-{nonce}.{int(n) + 1}"), body),
        ([kind("bus", "Claimed")], body),
        ([kind("bus", "Installed")], body),
        (stamped("0" + last.header("sd_stamp")), body),  # not canonical
        (stamped(f"{claim}-{nonce}.{int(n) + 2}"), body),  # behind a gap
        (stamped(f"{claim}-{'0' * 16}.{int(n) + 1}"), body),  # of a nonce nobody drew
        (stamped(f"{int(claim) + 1}-{nonce}.1"), body),  # of a claim that is none
        (stamped(f"{10 ** 9}-{nonce}.1"), body),  # of a claim to come
        (headers, body),  # the very same record again
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_garbage__in_an_event_topic_does_not_count(house, service):
    _, web = house.up()
    web.create_show(SHOW, 9)
    assert web.check_out(web.reserve(SHOW).json).status == 201
    topic, partition = f"{service}.events", partition_of(SHOW.encode(), PARTITIONS)
    before = judge(house.bus.read((topic,)))
    forged = forgeries([record for record in before if record.partition == partition])
    for headers, value in forged:
        house.bus.append(topic, value, SHOW, headers, partition)
    for other in range(PARTITIONS):
        house.bus.append(topic, "hello", None, [], other)

    held = web.reserve(SHOW)
    assert held.status == 201 and web.check_out(held.json).status == 201
    assert web.availability(SHOW)["sold"] == 2
    house.check_log()
    void = [record for record in judge(house.bus.read((topic,))) if record.verdict == VOID]
    assert len(void) == len(forged) + PARTITIONS


def test_garbage__tail_says_what_does_not_count_and_why(house):
    _, web = house.up()
    web.create_show(SHOW, 9)
    partition = partition_of(SHOW.encode(), PARTITIONS)
    before = judge(house.bus.read((EVENTS,)))
    for headers, value in forgeries([record for record in before if record.partition == partition]):
        house.bus.append(EVENTS, value, SHOW, headers, partition)
    done = house.run("tail", *house.bus.arguments, "--raw", "--json", "--from-start", EVENTS)
    assert done.returncode == 0, done.stderr
    rows = [row for row in map(json.loads, done.stdout.splitlines()) if row["verdict"] == "void"]
    assert all(row["why"] for row in rows)
    void = [record for record in judge(house.bus.read((EVENTS,))) if record.verdict == VOID]
    assert sorted(f"{row['topic']}/{row['partition']}@{row['offset']}" for row in rows) == sorted(
        record.place for record in void)


def test_garbage__a_strangers_reservation_is_one(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    _, body = good_command("reservations")
    house.bus.append("reservations.commands", json.dumps(body), SHOW,
                     [kind("reservations", "RequestReservation")])
    path = f"/v1/reservations/{body['reservation_id']}"
    held = until(lambda: web.staff("GET", path).status == 200 and web.staff("GET", path).json,
                 "the reservation to be seen")
    until(lambda: web.staff("GET", path)["status"] == "held", "it to be held")
    assert held["holder"] == {"name": "Ann"} and held["quantity"] == 1
    assert web.availability(SHOW)["held"] == 1
    house.check_log()


def test_garbage__the_partition_counts_not_the_key(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    for key in (None, "somebody"):
        _, body = good_command("reservations")
        house.bus.append("reservations.commands", json.dumps(body), key,
                         [kind("reservations", "RequestReservation")],
                         partition_of(SHOW.encode(), PARTITIONS))
    until(lambda: web.availability(SHOW)["held"] == 2, "the seats to be held")
    house.check_log()


def test_garbage__a_structured_event_is_read_as_well(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    name, body = good_command("reservations")
    event = {"specversion": "1.0", "id": new_key(), "source": "test",
             "type": f"stagedoor.reservations.{name}", "data": body}
    house.bus.append("reservations.commands", json.dumps(event), SHOW,
                     [("content-type", "application/cloudevents+json")])
    until(lambda: web.availability(SHOW)["held"] == 1, "the seat to be held")
    house.check_log()


def test_garbage__publish_looks_first_and_can_be_forced(house):
    house.up()[1].create_show(SHOW, 5)
    place = ["publish", *house.bus.arguments]
    refused = house.run(*place, "shows.commands", "SetBlock", SHOW, "{}")
    assert refused.returncode == 1 and "--force" in refused.stderr
    refused = house.run(*place, "shows.events", "SeatsHeld", SHOW, "{}")
    assert refused.returncode == 1 and "--force" in refused.stderr
    forced = house.run(*place, "--force", "shows.commands", "SetBlock", SHOW, "{}")
    assert forced.returncode == 0, forced.stderr

    def answered():
        return [record for record in house.bus.read(("shows.events",))
                if (record.header("sd_source") or "").startswith(forced.stdout.strip())]
    assert until(answered, "its refusal")[0].body()["code"] == "invalid"
    house.check_log()


def test_garbage__kcat_shows_what_people_can_read(kafka_bus, house_on):
    house = house_on(kafka_bus)
    _, web = house.up()
    web.create_show(SHOW, 5)
    held = web.reserve(SHOW, 2, name="Zoë").json
    done = subprocess.run(
        ["kcat", "-C", "-q", "-e", "-b", kafka_bus.address, "-t", kafka_bus.prefix + "shows.events",
         "-f", "%h %s\\n"], capture_output=True, text=True, timeout=30, check=True)
    line = next(line for line in done.stdout.splitlines() if "SeatsHeld" in line)
    headers, _, value = line.partition(" {")
    for header in ("ce_type=stagedoor.shows.SeatsHeld", "ce_specversion=1.0", "sd_stamp=",
                   "sd_source=reservations.events/", "content-type=application/json"):
        assert header in headers
    body = json.loads("{" + value)
    assert body["reservation_id"] == held["reservation_id"] and body["quantity"] == 2
    assert body["after"]["free"] == 3
    house.check_log()
