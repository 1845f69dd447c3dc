"""The tools an operator has for the log, on a real sale: flow, refused, at, publish, tail."""

import datetime
import json
import os
import pty
import subprocess
import time
import uuid

from log import partition_of
from theatre import BIN, new_key, until

SHOW = "hamlet"


def tool(house, *arguments, end=0):
    """What the tool said on standard output; on any other end than that the test fails."""
    done = house.run(*arguments, *house.bus.arguments)
    assert done.returncode == end, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout if end == 0 else done.stderr


def publish(house, topic, kind, body, *more, key=SHOW):
    """Where it landed."""
    value = body if isinstance(body, str) else json.dumps(body)
    return tool(house, "publish", *more, topic, kind, key, value).strip()


def flow_of(house, subject, *more):
    return json.loads(tool(house, "flow", subject, "--json", *more))


def types_of(flow):
    return [step["type"] for step in flow["steps"]]


def refusals(house, *filters):
    return [json.loads(line)
            for line in tool(house, "refused", "--json", *filters).splitlines()]


def refusal_of(house, place):
    """The refusal of what lies there, once there is one."""
    return until(lambda: [row for row in refusals(house) if row["place"] == place],
                 f"{place} to be refused")[0]


# ---- flow ----------------------------------------------------------------------------------------

def test_tools__flow_tells_a_sale_from_the_first_wish_on(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    key = new_key()
    held = web.reserve(SHOW, 2, name="Zoë", key=key).json
    web.reserve(SHOW, 1)
    web.reserve(SHOW, 2, name="Zoë", key=key)
    assert web.check_out(held).status == 201
    rid = held["reservation_id"]

    flow = flow_of(house, rid)
    assert (flow["kind"], flow["id"], flow["show_id"]) == ("reservation", rid, SHOW)
    steps = {step["place"]: step for step in flow["steps"]}
    assert all(step["data"].get("reservation_id") == rid for step in flow["steps"])
    chain = ["RequestReservation", "ReservationRequested", "SeatsHeld"]
    assert types_of(flow)[:3] == chain
    assert [step["depth"] for step in flow["steps"]][:3] == [0, 1, 2]
    paid = ["StartCheckout", "CheckoutStarted", "HoldExtended", "PaymentSucceeded", "SeatsSold",
            "ReservationConfirmed"]
    assert types_of(flow)[-6:] == paid
    for step in flow["steps"]:
        if step["role"] == "event":
            cause = steps[step["cause"]]
            assert step["after_cause_ms"] >= 0 and step["depth"] == cause["depth"] + 1
        else:
            assert step["who"] == "edge" and step["answered"]

    text = tool(house, "flow", rid)
    assert "edge (public): asks for 2 standard for Zoë, web" in text
    assert "shows: held 2 standard until " in text
    assert f"[ReservationConfirmed {flow['steps'][-1]['place']}]" in text
    mermaid = tool(house, "flow", rid, "--mermaid")
    assert mermaid.startswith("sequenceDiagram\n") and "    R->>S: ReservationRequested" in mermaid
    house.check_log()


def test_tools__flow_finds_by_payment_and_ticket(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    held = web.reserve(SHOW, 2).json
    payment_id = web.check_out(held).json["payment_id"]
    whole = flow_of(house, held["reservation_id"])
    for subject in (payment_id, f"{held['reservation_id']}-2"):
        found = flow_of(house, subject)
        assert found["id"] == held["reservation_id"] and types_of(found) == types_of(whole)


def test_tools__flow_of_a_show_counts_its_reservations(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    web.create_show("lear", 5)
    web.reserve("lear", 1)
    assert web.check_out(web.reserve(SHOW, 2).json).status == 201
    web.reserve(SHOW, 3)
    assert web.reserve(SHOW, 1).status == 409
    flow = flow_of(house, SHOW)
    assert flow["kind"] == "show" and types_of(flow) == ["CreateShow", "ShowCreated"]
    assert flow["reservations"]["count"] == 3
    assert flow["reservations"]["confirmed"] == {"reservations": 1, "seats": 2}
    assert flow["reservations"]["held"] == {"reservations": 1, "seats": 3}
    assert flow["reservations"]["rejected"]["reservations"] == 1
    assert "3 reservations: 1 held (3 seats), 1 confirmed (2 seats), 1 rejected (1 seat)" \
        in tool(house, "flow", SHOW)
    every = flow_of(house, SHOW, "--all")
    assert types_of(every).count("RequestReservation") == 3
    assert all(step["data"]["show_id"] == SHOW for step in every["steps"])


def test_tools__flow_knows_the_whole_vocabulary_of_a_reservation(house):
    """From a wish that grows, over money nobody knows about, to a show that is cancelled."""
    house.up()
    rid, payment_id = str(uuid.uuid4()), str(uuid.uuid4())
    of = {"show_id": SHOW, "reservation_id": rid}
    paid = {**of, "payment_id": payment_id, "amount_minor": 6800, "currency": "EUR",
            "provider": "paydesk", "provider_ref": "ref-1"}
    ticket = {"show_id": SHOW, "ticket_id": f"{rid}-1", "generation": 1}
    scan = {**ticket, "list_id": "main", "entry": "in"}

    def say(kind, answer, **body):
        """Publishes and waits until a service has said that."""
        tool(house, "publish", kind, json.dumps(body))
        return until(lambda: [step for step in flow_of(house, SHOW, "--all")["steps"]
                              if step["type"] == answer], f"{answer} to {kind}")[-1]["data"]

    say("CreateShow", "ShowCreated", show_id=SHOW, name="Hamlet", capacity=9, currency="EUR",
        starts_at_ms=2082830400000,
        tiers=[{"tier_id": "stalls", "name": "Stalls", "amount_minor": 2500},
               {"tier_id": "circle", "name": "Circle", "amount_minor": 1800}])
    stalls, circle = ({"tier_id": tier, "quantity": count}
                      for tier, count in (("stalls", 2), ("circle", 1)))
    say("RequestReservation", "SeatsHeld", **of, lines=[stalls], holder={"name": "Zoë"},
        channel="web")
    say("ChangeReservation", "HoldResized", **of, lines=[stalls, circle])
    say("UpdateReservation", "ReservationUpdated", **of, note="comes by bus")
    say("ExtendReservation", "HoldExtended", **of,
        until_at_ms=int(time.time() + 3600) * 1000)
    say("StartCheckout", "PaymentRequested", **of, payment_id=payment_id, method="external",
        by="customer", provider="paydesk")
    say("RecordPayment", "PaymentUnknown", **paid, result="unknown")
    say("RecordPayment", "ReservationConfirmed", **paid, result="succeeded")
    say("CheckInTicket", "TicketCheckedIn", **scan, nonce="1")
    say("CheckInTicket", "CheckInRejected", **scan, nonce="2")
    say("TransferTicket", "TicketTransferred", **{**ticket, "ticket_id": f"{rid}-2"},
        holder={"name": "Adam"})
    refund_id = say("CancelReservation", "RefundRequested", **of, tickets=[2, 3], by="staff",
                    refund="full")["refund_id"]
    say("RecordRefund", "RefundFailed", **of, refund_id=refund_id, result="failed")
    say("RecordRefund", "RefundCompleted", **of, refund_id=refund_id, result="completed")
    say("CancelShow", "ShowCancellationFinished", show_id=SHOW, reason="ill", refund="full")
    until(lambda: types_of(flow_of(house, rid)).count("RefundRequested") == 2, "the last refund")

    text = tool(house, "flow", rid)
    for words in ("changed the hold from 2 stalls to 2 stalls, 1 circle, now EUR 68.00; 6 of 9",
                  "updated the reservation, note \"comes by bus\"", "(for an unknown payment)", "(for staff)",
                  "has the payment: EUR 68.00 online (paydesk ref-1)",
                  "confirmed as ", "tickets stalls 1-2, circle 3", "in at main: already_in",
                  f"ticket {rid}-2 belongs to Adam now (generation 2)",
                  "took back 1 stalls, 1 circle (tickets 2-3) by staff, EUR 43.00, refund full",
                  "cancelled tickets 2-3; 1 left", "owes EUR 43.00 back (cancelled), try 1",
                  "the refund failed at try 1", "EUR 43.00 went back at try 1",
                  "timer of reservations: took down the cancellation by show"):
        assert words in text, text
    steps = flow_of(house, rid)["steps"]
    timed = [step for step in steps if step.get("timer")]
    assert [step["type"] for step in timed] == ["CancellationRequested"]
    assert types_of(flow_of(house, refund_id)) == types_of({"steps": steps})
    counted = flow_of(house, SHOW)["reservations"]
    assert counted["cancelled"] == {"reservations": 1, "seats": 3} and counted["count"] == 1
    assert at(house, SHOW)["status"] == "cancelled"
    lines = tool(house, "tail", "--from-start").splitlines()
    assert "old=stalls×2 lines=stalls×2,circle×1" in next(x for x in lines if "HoldResized" in x)
    assert "tickets=2-3" in next(x for x in lines if "SeatsReturned" in x)
    house.check_log()


def test_tools__flow_of_what_is_not_there(house):
    house.create_topics()
    assert "nothing in the log names" in tool(house, "flow", str(uuid.uuid4()), end=1)
    assert "nothing in the log names" in tool(house, "flow", "no-such-show", end=1)
    assert "say which" in tool(house, "flow", end=100)


def test_tools__flow_leaves_out_what_does_not_count(house):
    """A forged event of the same reservation is no part of its story."""
    _, web = house.up()
    web.create_show(SHOW, 5)
    held = web.reserve(SHOW, 2).json
    before = flow_of(house, held["reservation_id"])
    body = next(step for step in before["steps"] if step["type"] == "SeatsHeld")["data"]
    publish(house, "shows.events", "SeatsHeld", body, "--force")
    assert types_of(flow_of(house, held["reservation_id"])) == types_of(before)


# ---- refused -------------------------------------------------------------------------------------

def test_tools__refused_lists_what_and_why(house):
    house.up()[1].create_show(SHOW, 5)
    assert tool(house, "refused") == "nothing was refused\n"
    broken = publish(house, "reservations.commands", "CancelReservation", '{"show_id', "--force")
    invalid = publish(house, "shows.commands", "SetBlock", {"show_id": SHOW}, "--force")
    unknown = publish(house, "shows.commands", "stagedoor.shows.Dance", {}, "--force")
    expected = {broken: "undecodable", invalid: "invalid", unknown: "unknown_type"}
    for place, code in expected.items():
        assert refusal_of(house, place)["code"] == code
    assert refusal_of(house, invalid)["field"] == "block_id"
    assert refusal_of(house, invalid)["show_id"] == SHOW
    places = [row["place"] for row in refusals(house)]
    assert places == [broken, invalid, unknown]  # in the order in which it happened
    assert [row["place"] for row in refusals(house, "--code", "invalid")] == [invalid]
    assert [row["place"] for row in refusals(house, "--topic", "shows.commands")] == [
        invalid, unknown]
    assert len(refusals(house, "--since", "1h")) == 3
    assert refusals(house, "--since", "2036-01-01T00:00:00Z") == []
    line = next(line for line in tool(house, "refused").splitlines() if invalid in line)
    assert "invalid" in line and "SetBlock: block_id: " in line and f"show {SHOW}" in line
    for wrong in (("--code", "nonsense"), ("--topic", "x.commands"), ("--since", "yesterday"),
                  ("show",), ("show", "somewhere"), ("dance", invalid)):
        tool(house, "refused", *wrong, end=100)


def test_tools__refused_shows_the_record_and_moves_no_cursor(house):
    house.up()[1].create_show(SHOW, 5)
    house.bus.append("shows.commands", b"\x1b[2J\xff", SHOW,
                     [("ce_type", "stagedoor.shows.SetBlock"), ("x", "a\x1b[31m")])
    place = until(lambda: refusals(house), "it to be refused")[0]["place"]
    text = tool(house, "refused", "show", place)
    assert "\\x1b[2J\\xff" in text and "x: a\\x1b[31m" in text and "\x1b" not in text
    assert "refused: " in text and "undecodable" in text
    shown = json.loads(tool(house, "refused", "show", place, "--json"))
    assert shown["value_hex"] == "1b5b324aff" and shown["key"] == SHOW
    assert {"name": "ce_type", "value": "stagedoor.shows.SetBlock"} in shown["headers"]
    assert shown["refused"]["code"] == "undecodable"
    assert "no record at" in tool(house, "refused", "show", place.split("@")[0] + "@999", end=1)


def test_tools__what_was_misrouted_is_published_where_it_belongs(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    right = partition_of(SHOW.encode(), 4)
    body = {"show_id": SHOW, "reservation_id": str(uuid.uuid4()), "holder": {"name": "Ann"},
            "lines": [{"tier_id": "standard", "quantity": 2}], "channel": "api"}
    house.bus.append("reservations.commands", json.dumps(body), SHOW,
                     [("ce_type", "stagedoor.reservations.RequestReservation")], (right + 1) % 4)
    refusal = until(lambda: refusals(house, "--code", "misrouted"), "it to be refused")[0]
    assert "say --yes" in tool(house, "refused", "republish", refusal["place"], end=100)
    again = json.loads(tool(house, "refused", "republish", refusal["place"], "--yes", "--json"))
    assert again["place"].startswith(f"reservations.commands/{right}@")
    assert again["id"] != refusal["command_id"]
    until(lambda: web.availability(SHOW)["held"] == 2, "the seats to be held")
    flow = flow_of(house, body["reservation_id"])
    assert types_of(flow) == ["RequestReservation", "Refused", "RequestReservation",
                              "ReservationRequested", "SeatsHeld"]
    assert flow["steps"][2]["who"] == "republish"
    house.check_log()


def test_tools__the_same_id_again_is_a_repeat(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    cancel = {"show_id": SHOW, "reservation_id": web.reserve(SHOW).json["reservation_id"],
              "tickets": [1], "by": "staff", "refund": "none"}
    place = publish(house, "reservations.commands", "CancelReservation", cancel)
    assert refusal_of(house, place)["code"] == "wrong_state"  # there are no tickets yet
    same = json.loads(tool(house, "refused", "republish", place, "--yes", "--json", "--same-id"))
    other = json.loads(tool(house, "refused", "republish", place, "--yes", "--json"))
    assert same["id"] == refusal_of(house, place)["command_id"] != other["id"]
    assert refusal_of(house, other["place"])["code"] == "wrong_state"
    assert [row["place"] for row in refusals(house)] == [place, other["place"]]
    unanswered = [step for step in flow_of(house, cancel["reservation_id"])["steps"]
                  if step["place"] == same["place"]]
    assert unanswered[0]["repeats"] == place
    house.check_log()


def test_tools__republish_looks_first(house):
    house.up()[1].create_show(SHOW, 5)
    broken = publish(house, "shows.commands", "SetBlock", "{", "--force")
    refusal_of(house, broken)
    assert "refused again" in tool(house, "refused", "republish", broken, "--yes", end=1)
    forced = tool(house, "refused", "republish", broken, "--yes", "--force").strip()
    assert refusal_of(house, forced)["code"] == "undecodable"
    answer = refusal_of(house, broken)["answer"]
    assert "only commands" in tool(house, "refused", "republish", answer, "--yes", end=1)
    good = publish(house, "shows.commands", "PauseSale", {"show_id": SHOW})
    assert "nobody has refused it" in tool(house, "refused", "republish", good, "--yes", end=1)


def test_tools__republish_asks_who_sits_at_a_terminal(house):
    house.up()[1].create_show(SHOW, 5)
    block = {"show_id": SHOW, "block_id": "house", "quantity": 9}
    place = publish(house, "shows.commands", "SetBlock", block)
    assert refusal_of(house, place)["code"] == "precondition"

    def answered(answer):
        ours, theirs = pty.openpty()
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run([BIN / "stagedoor", "refused", "republish", place,
                               *house.bus.arguments], stdin=theirs, capture_output=True,
                              text=True, timeout=60, check=False)
        os.close(theirs)
        os.close(ours)
        assert "publish it again to shows.commands/" in done.stderr
        return done
    assert answered("n").returncode == 1
    assert len(refusals(house)) == 1
    said = answered("y")
    assert said.returncode == 0
    assert refusal_of(house, said.stdout.strip())["code"] == "precondition"


def test_tools__a_structured_command_is_republished_as_a_binary_one(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    right = partition_of(SHOW.encode(), 4)
    event = {"specversion": "1.0", "id": new_key(), "source": "test",
             "type": "stagedoor.shows.SetBlock",
             "data": {"show_id": SHOW, "block_id": "house", "quantity": 2}}
    house.bus.append("shows.commands", json.dumps(event), None,
                     [("content-type", "application/cloudevents+json")], (right + 1) % 4)
    refusal = until(lambda: refusals(house, "--code", "misrouted"), "it to be refused")[0]
    assert refusal["command_id"] == event["id"]
    tool(house, "refused", "republish", refusal["place"], "--yes", "--same-id")
    until(lambda: web.availability(SHOW)["blocked"] == 2, "the seats to be kept")
    house.check_log()


# ---- at ------------------------------------------------------------------------------------------

def at(house, show_id, *more):
    return json.loads(tool(house, "at", show_id, "--json", *more))


def test_tools__at_knows_how_a_show_stood_at_every_event(house):
    """The seats at each offset are what the event there says, and what the edge said then."""
    _, web = house.up()
    web.create_show(SHOW, 5)
    first = web.reserve(SHOW, 2).json
    web.reserve(SHOW, 3)
    assert web.check_out(first).status == 201
    now = at(house, SHOW)
    edge = web.availability(SHOW)
    assert now["seats"] == {name: edge[name] for name in now["seats"]}
    assert (now["status"], now["name"]) == ("on sale", f"the {SHOW} show")
    assert now["reservations"]["held"] == {"reservations": 1, "seats": 3}
    assert now["reservations"]["confirmed"] == {"reservations": 1, "seats": 2}
    events = [record for record in house.bus.read(("shows.events",))
              if record.body().get("after")]
    for record in events:
        then = at(house, SHOW, "--offset", record.offset)
        after = record.body()["after"]
        assert then["seats"] == {name: after[name] for name in then["seats"]}
        assert then["tiers"][0]["held"] == after["tiers"][0]["held"]
        assert (then["place"], then["seq"]) == (record.place, record.body()["seq"])
    assert [at(house, SHOW, "--offset", record.offset)["reservations"]["count"]
            for record in events[:3]] == [0, 1, 2]
    text = tool(house, "at", SHOW)
    assert "seats: 0 of 5 free, 3 held, 2 sold, 0 blocked" in text and "on sale; sale from " in text


def test_tools__at_a_time(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    web.reserve(SHOW, 2)
    held = next(record for record in house.bus.read(("shows.events",))
                if record.type == "SeatsHeld")
    moments = [datetime.datetime.fromtimestamp(held.time_ms / 1000 + shift, datetime.timezone.utc)
               .isoformat(timespec="milliseconds") for shift in (-0.001, 0)]
    assert [at(house, SHOW, "--time", moment)["seats"]["held"] for moment in moments] == [0, 2]
    assert "there was no show" in tool(house, "at", SHOW, "--time", "1h", end=1)
    assert at(house, SHOW, "--time", "0s")["seats"]["held"] == 2
    assert "there is no show" in tool(house, "at", "lear", end=1)
    assert "no record at" in tool(house, "at", SHOW, "--offset", "999", end=1)
    assert "--time takes" in tool(house, "at", SHOW, "--time", "soon", end=100)
    assert "not both" in tool(house, "at", SHOW, "--time", "1h", "--offset", "1", end=100)


# ---- publish -------------------------------------------------------------------------------------

def test_tools__every_example_can_be_published(house):
    """None is refused for what it is: only for when it comes."""
    house.up()
    listed = [json.loads(line)
              for line in house.run("publish", "--list", "--json").stdout.splitlines()]
    names = [row["name"] for row in listed]
    assert names[0] == "CreateShow" and len(names) == 17
    for row in listed:
        example = house.run("publish", "--example", row["name"]).stdout
        needed = {field["path"] for field in row["fields"]
                  if field["needed"] and "." not in field["path"]}
        assert needed <= set(json.loads(example))
        done = house.run("publish", row["name"], "-", "--json", *house.bus.arguments,
                         stdin=example)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["place"].startswith(row["topic"] + "/")
    show_id = json.loads(example)["show_id"]
    until(lambda: "ShowCreated" in types_of(flow_of(house, show_id)), "the show to be made")
    assert not {"undecodable", "invalid", "unknown_type", "misrouted"} & {
        row["code"] for row in refusals(house)}
    assert house.run("publish", "--example", "Dance").returncode == 100


def test_tools__publish_finds_topic_and_key_itself(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    tool(house, "publish", "SetBlock", json.dumps({"show_id": SHOW, "block_id": "house",
                                                   "quantity": 2}))
    until(lambda: web.availability(SHOW)["blocked"] == 2, "the seats to be kept")
    assert "block_id" in tool(house, "publish", "SetBlock", json.dumps({"show_id": SHOW}), end=1)
    assert "show_id" in tool(house, "publish", "SetBlock", "{}", end=1)
    assert "only commands" in tool(house, "publish", "SeatsHeld", "{}", end=1)
    assert "unknown type" in tool(house, "publish", "Dance", "{}", end=100)


def test_tools__tail_reads_the_same_sale(house):
    _, web = house.up()
    web.create_show(SHOW, 5)
    assert web.check_out(web.reserve(SHOW, 2, name="Zoë").json).status == 201
    lines = tool(house, "tail", "-n", "50").splitlines()
    assert len(lines) == 11
    assert "tickets=standard 1-2" in next(x for x in lines if "ReservationConfirmed" in x)
    sold = next(line for line in lines if "SeatsSold" in line)
    assert "payment={EUR 0.00 none " in sold and "sold:2 free:3/5" in sold
    rows = [json.loads(line) for line in tool(house, "tail", "--json", "shows.events").splitlines()]
    assert [row["name"] for row in rows] == ["ShowCreated", "SeatsHeld", "HoldExtended",
                                             "SeatsSold"]
