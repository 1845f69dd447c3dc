"""What the log tells over HTTP: the feed of events, and the story of one reservation."""

import collections
import re
import threading
import urllib.parse

from theatre import new_key, until


def feed(web, after=None, **query):
    if after is not None:
        query["after"] = after
    answer = web.staff("GET", f"/v1/events?{urllib.parse.urlencode(query)}")
    assert answer.status == 200, answer.text
    return answer


def read_all(web, after=None, **query):
    """Everything from there, page by page, and the cursor behind it."""
    found = []
    while True:
        answer = feed(web, after, **query)
        found += answer["events"]
        after = answer["cursor"]
        assert urllib.parse.quote(after, safe="") in answer.headers["Link"]
        if not answer["events"]:
            return found, after


def short(event):
    return event["type"].rsplit(".", 1)[1]


def test_events__every_word_once_and_after_its_cause(house):
    _, web = house.up()
    for show in ("hamlet", "lear", "macbeth"):
        web.create_show(show, 500)
    done = house.run("bench", "reserve", "--url", web.url, "--data", house.data, "--show", "hamlet",
                     "-c", "8", "-n", "150")
    assert done.returncode == 0, done.stdout
    ann = web.reserve("lear", 2)
    assert web.check_out(ann).status == 201
    until(lambda: web.look(ann)["status"] == "confirmed", "the sale")
    events, cursor = read_all(web, limit=70)
    places = [event["position"] for event in events]
    assert len(places) == len(set(places))
    logged = house.run("tail", *house.bus.arguments, "--from-start", "--json", "shows.events",
                       "reservations.events", "checkout.events").stdout
    assert logged.count("\n") == len(events)
    kinds = collections.Counter(map(short, events))
    assert kinds["ReservationRequested"] == kinds["SeatsHeld"] == 151
    seen = {}
    for event in events:
        topic, partition, offset = re.fullmatch(r"(.+)/(\d+)@(\d+)", event["position"]).groups()
        assert event["specversion"] == "1.0" and event["id"] and event["data"]
        assert seen.get((topic, partition), -1) < int(offset), "out of order"
        seen[topic, partition] = int(offset)
    told = [event["id"] for event in events]
    for event in events:
        if event.get("causationid") in told:
            assert told.index(event["causationid"]) < told.index(event["id"])
    # A newcomer and one who begins now see the same.
    assert feed(web, "latest")["events"] == []
    bob = web.reserve("macbeth")
    for after in (cursor, feed(web, cursor, limit=1)["cursor"]):
        rest, _ = read_all(web, after)
        assert {event["data"]["reservation_id"] for event in rest} == {bob["reservation_id"]}


def test_events__of_some_types(house):
    _, web = house.up()
    web.create_show("hamlet", 50)
    ann = web.reserve("hamlet")
    found, _ = read_all(web, types="SeatsHeld, stagedoor.shows.ShowCreated")
    assert list(map(short, found)) == ["ShowCreated", "SeatsHeld"]
    assert found[1]["data"]["reservation_id"] == ann["reservation_id"]
    assert read_all(web, types="Held")[0] == []


def test_events__one_who_waits_is_told_at_once(house):
    _, web = house.up()
    web.create_show("hamlet", 50)
    _, cursor = read_all(web)
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(feed(web, cursor, wait=30, types="SeatsHeld")))
    waiting.start()
    reservation = web.reserve("hamlet")
    waiting.join()
    [event] = answers[0]["events"]
    assert event["data"]["reservation_id"] == reservation["reservation_id"]
    after = answers[0]["cursor"]
    answer = feed(web, after, wait=1, types="SeatsHeld")
    assert answer["events"] == []


def test_events__a_cursor_is_good_at_another_edge_and_after_a_restart(house):
    theatre, web = house.up()
    web.create_show("hamlet", 50)
    _, cursor = read_all(web)
    reservation = web.reserve("hamlet")
    beside, other = house.second_edge()
    for door in (web, other):
        events, _ = read_all(door, cursor)
        assert {event["data"]["reservation_id"] for event in events} == {
            reservation["reservation_id"]}
    beside.stop()
    theatre.stop()
    _, web = house.up()
    assert read_all(web, cursor)[0] == events


def test_events__what_is_wrong_is_said(house):
    _, web = house.up()
    assert web.get("/v1/events").status == 401
    for query in ("after=x", "after=1;2", "limit=0", "limit=1000", "wait=soon", "after="):
        answer = web.staff("GET", f"/v1/events?{query}")
        assert (answer.status, answer["code"]) == (400, "invalid"), query
    foreign = re.sub(r"\d+@", "99@", feed(web)["cursor"])
    assert web.staff("GET", "/v1/events?" + urllib.parse.urlencode({"after": foreign})).status == 400


def test_flow__tells_what_came_of_what(house):
    _, web = house.up()
    web.create_show("hamlet", 50)
    web.reserve("hamlet", name="Else")
    ann = web.reserve("hamlet", 2)
    assert web.check_out(ann).status == 201
    until(lambda: web.look(ann)["status"] == "confirmed", "the sale")
    path = f"/v1/flow/{ann['reservation_id']}"
    story = web.staff("GET", path)
    assert story.status == 200
    assert (story["kind"], story["show_id"]) == ("reservation", "hamlet")
    steps = story["steps"]
    assert [step["type"] for step in steps][:3] == ["RequestReservation", "ReservationRequested",
                                                    "SeatsHeld"]
    assert steps[2]["cause"] == steps[1]["place"] and "held 2" in steps[2]["words"]
    assert "ReservationConfirmed" in {step["type"] for step in steps}
    told = house.run("flow", *house.bus.arguments, "--json", ann["reservation_id"]).stdout
    assert all(f'"{step["place"]}"' in told for step in steps)
    assert told.count('"place":') == len(steps)
    assert web.get(path, bearer=ann["secret"]).status == 401
    for other in (new_key(), "00000000-0000-4000-8000-000000000000"):
        assert web.staff("GET", f"/v1/flow/{other}").status == 404
