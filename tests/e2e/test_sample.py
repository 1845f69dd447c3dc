"""The routes of the course project, answered word for word, and its data."""

import concurrent.futures
import re
import urllib.parse

from theatre import Web, until

CONCERT, PLAY, RALLY = ("5b805a00297ae6047030f2e0", "5b805a570cee1505a52bc75d",
                        "5b805a790cee1505a52bc75e")
SHOWS = [
    {"_id": CONCERT, "name": "yodeling Concert", "houseSize": 100, "reserved": 10},
    {"_id": PLAY, "name": "Shakespeare Play", "houseSize": 50, "reserved": 10},
    {"_id": RALLY, "name": "Food Poison Rally", "houseSize": 500, "reserved": 500},
]
CONCERT_GUESTS = [("WDJ", 3), ("Eve", 7)]
RALLY_GUESTS = [("WDJ", 75), ("Eve", 125), ("Scooby", 50), ("Jungle", 25), ("Daryle", 25),
                ("Cheryle", 100), ("Meryle", 10), ("Jones", 15), ("Jinkins", 50), ("Johanas", 20),
                ("Jerry", 5)]


def seeded(house, *more):
    _, web = house.up(*more)
    done = house.run("seed", "--url", web.url, "--data", house.data)
    assert done.returncode == 0, done.stderr
    return web


def guests(pairs):
    return [{"name": name, "guests": count} for name, count in pairs]


def test_sample__the_seed_is_the_samples_data(house):
    web = seeded(house)
    everything = web.get("/").json
    assert sorted(everything["shows"], key=lambda show: show["_id"]) == SHOWS
    assert everything["reservations"][CONCERT] == guests(CONCERT_GUESTS)
    assert everything["reservations"][RALLY] == guests(RALLY_GUESTS)
    assert everything["reservations"].get(PLAY, []) == []
    for show in SHOWS:
        assert web.get(f"/show/{show['_id']}").json == show
    assert web.get(f"/reservations/{CONCERT}").json == guests(CONCERT_GUESTS)
    assert web.get(f"/reservations/{RALLY}").json == guests(RALLY_GUESTS)
    assert web.get(f"/reservations/{PLAY}").json == []
    assert web.get("/reservations/nowhere").json == []
    house.check_log()


def test_sample__a_second_seed_changes_nothing(house):
    web = seeded(house)
    before, records = web.get("/").json, house.bus.read()
    done = house.run("seed", "--url", web.url, "--data", house.data)
    assert done.returncode == 0
    assert done.stdout.count("is there already") == 3
    assert web.get("/").json == before
    assert changes(house.bus.read()) == changes(records)
    house.check_log()


def changes(records):
    return [record.place for record in records if record.type not in ("Claimed", "Progress")]


def test_sample__reserve_and_cancel(house):
    web = seeded(house)
    for path, name, count in (("/reserveTickets", "Ann", 2), ("/reserve", "Bob", "3")):
        answer = web.post(path, {"name": name, "count": count, "showID": CONCERT})
        assert answer.status == 200, answer.text
        assert answer.json == {"success": True, "showID": CONCERT, "name": name,
                               "guests": int(count)}
    assert web.get(f"/show/{CONCERT}")["reserved"] == 15
    assert web.get(f"/reservations/{CONCERT}").json == guests(
        CONCERT_GUESTS + [("Ann", 2), ("Bob", 3)])

    answer = web.call("DELETE", "/cancel", {"name": "Ann", "showID": CONCERT})
    assert answer.status == 200, answer.text
    assert answer.json == {"canceled": True, "showID": CONCERT, "name": "Ann", "guests": 2}
    assert web.get(f"/show/{CONCERT}")["reserved"] == 13
    assert web.get(f"/reservations/{CONCERT}").json == guests(CONCERT_GUESTS + [("Bob", 3)])
    house.check_log()


def test_sample__hold_and_release(house):
    web = seeded(house)
    held = web.call("PUT", "/hold-seats", {"showID": PLAY, "count": 5})
    assert (held.status, held.json) == (200, dict(SHOWS[1], reserved=15))
    released = web.call("PUT", "/release-seats", {"showID": PLAY, "count": "15"})
    assert (released.status, released.json) == (200, dict(SHOWS[1], reserved=0))
    assert_error(web.call("PUT", "/release-seats", {"showID": PLAY, "count": 1}), 409)
    assert_error(web.call("PUT", "/hold-seats", {"showID": PLAY, "count": 51}), 409)
    assert web.get(f"/show/{PLAY}")["reserved"] == 0
    house.check_log()


def test_sample__forms_are_read_as_well(house):
    web = seeded(house)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urllib.parse.urlencode({"name": "Zoë & Co", "count": 2, "showID": CONCERT})
    answer = web.post("/reserveTickets", body, headers=form)
    assert (answer.status, answer["name"], answer["guests"]) == (200, "Zoë & Co", 2)
    body = urllib.parse.urlencode({"name": "Zoë & Co", "showID": CONCERT})
    assert web.call("DELETE", "/cancel", body, headers=form)["guests"] == 2
    house.check_log()


def test_sample__errors_have_true_statuses(house):
    web = seeded(house)
    reserve = {"name": "Ann", "count": 1, "showID": CONCERT}
    for path in ("/reserveTickets", "/reserve"):
        for change in ({"name": None}, {"count": None}, {"showID": None}, {"count": "abc"},
                       {"count": 0}, {"count": -1}, {"count": 1.5}):
            body = {name: value for name, value in dict(reserve, **change).items()
                    if value is not None}
            assert_error(web.post(path, body), 400)
        assert_error(web.post(path, "{"), 400)
        assert_error(web.post(path, dict(reserve, showID="nowhere")), 404)
        assert_error(web.post(path, dict(reserve, count=91)), 409)
        assert_error(web.post(path, dict(reserve, showID=RALLY)), 409)
    for path in ("/hold-seats", "/release-seats"):
        assert_error(web.call("PUT", path, {"showID": CONCERT, "count": "abc"}), 400)
        assert_error(web.call("PUT", path, {"showID": CONCERT}), 400)
        assert_error(web.call("PUT", path, {"showID": "nowhere", "count": 1}), 404)
    assert_error(web.get("/show/nowhere"), 404)
    assert_error(web.call("DELETE", "/cancel", {"name": "Nobody", "showID": CONCERT}), 404)
    assert_error(web.call("DELETE", "/cancel", {"name": "Ann", "showID": "nowhere"}), 404)
    assert_error(web.call("DELETE", "/cancel", {"showID": CONCERT}), 400)
    assert web.get(f"/show/{CONCERT}")["reserved"] == 10
    house.check_log()


def test_sample__two_of_one_name_are_not_guessed_at(house):
    web = seeded(house)
    for _ in range(2):
        assert web.post("/reserve", {"name": "Ann", "count": 1, "showID": CONCERT}).status == 200
    assert_error(web.call("DELETE", "/cancel", {"name": "Ann", "showID": CONCERT}), 409)
    assert web.get(f"/show/{CONCERT}")["reserved"] == 12
    house.check_log()


def test_sample__a_show_with_a_price_is_not_given_away(house):
    _, web = house.up()
    web.create_show("opera", 5, tiers=[{"tier_id": "stalls", "name": "Stalls",
                                        "price": {"amount_minor": 4200, "currency": "EUR"}}])
    answer = web.post("/reserve", {"name": "Ann", "count": 1, "showID": "opera"})
    assert_error(answer, 409)
    assert "payment_required" in answer["error"]
    assert web.availability("opera")["free"] == 5
    house.check_log()


def test_sample__holds_at_once_lose_no_update(house):
    web = seeded(house)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda _: web.call("PUT", "/hold-seats", {"showID": CONCERT, "count": 1}), range(24)))
    assert [answer.status for answer in answers] == [200] * 24
    assert web.get(f"/show/{CONCERT}")["reserved"] == 34
    house.check_log()


def test_sample__browsers_from_anywhere_may_ask(house):
    web = seeded(house)
    for answer in (web.get("/"), web.get("/show/nowhere")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    asked = web.call("OPTIONS", "/reserveTickets", headers={"Origin": "http://example.org"})
    assert asked.status == 204 and "POST" in asked.headers["Access-Control-Allow-Methods"]


def test_sample__can_be_switched_off(house):
    _, web = house.up("--edge-arg", "--sample", "--edge-arg", "off")
    assert web.get("/show/" + CONCERT).status == 404
    assert web.post("/reserve", {"name": "Ann", "count": 1, "showID": CONCERT}).status == 404


def assert_error(answer, status):
    assert answer.status == status, answer.text
    assert list(answer.json) == ["error"] and answer["error"], answer.text


def test_sample__three_servers_as_in_the_course(house):
    kinds = ("api", "shows", "reservations")
    listeners = [part for kind in kinds for part in ("--listen", f"127.0.0.1:0={kind}")]
    program, web = house.up(*listeners)
    assert house.run("seed", "--url", web.url, "--data", house.data).returncode == 0
    urls = until(lambda: found if len(found := re.findall(r"ready, (http://\S+)", program.output)) == 4
                 else None, "every listener to be announced")
    monolith, api, shows, reservations = (Web(url) for url in urls)
    assert monolith.url == web.url
    for server in (api, shows):
        assert sorted(server.get("/").json, key=lambda show: show["_id"]) == SHOWS
    assert shows.get(f"/{CONCERT}").json == SHOWS[0]  # as api.js asks
    assert api.get(f"/{CONCERT}").status == 404 and shows.get("/nowhere").status == 404
    assert shows.get("/livez").status == 200
    names = reservations.get("/").json
    assert names[CONCERT] == guests(CONCERT_GUESTS) == reservations.get(
        f"/reservations/{CONCERT}").json
    held = shows.call("PUT", "/hold-seats", {"showID": CONCERT, "count": 4})
    assert (held.status, held["reserved"]) == (200, 14)
    made = api.post("/reserveTickets", {"name": "Ann", "count": 2, "showID": CONCERT})
    assert (made.status, made.json) == (200, {"success": True, "showID": CONCERT, "name": "Ann",
                                              "guests": 2})
    assert reservations.get("/").json[CONCERT][-1] == {"name": "Ann", "guests": 2}
    gone = reservations.call("DELETE", "/cancel", {"name": "Ann", "showID": CONCERT})
    assert (gone.status, gone["canceled"]) == (200, True)
    assert api.get(f"/show/{CONCERT}")["reserved"] == 14
    house.check_log()
