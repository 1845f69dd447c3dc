"""What may become of a reservation, and of a show, after it was made: other seats, another name, more
time, some tickets back; and what two people who change the same thing are told."""

from theatre import new_key

TIERS = [{"tier_id": "stalls", "name": "Stalls", "amount_minor": 0},
         {"tier_id": "circle", "name": "Circle", "amount_minor": 0}]


def path_of(reservation):
    return f"/v1/reservations/{reservation['reservation_id']}"


def change(web, reservation, body, **more):
    more.setdefault("headers", {})["Prefer"] = "wait=20"
    return web.call("PATCH", path_of(reservation), body, bearer=reservation["secret"], **more)


def test_changes__other_seats(house):
    _, web = house.up()
    web.create_show("hamlet", 6, tiers=TIERS)
    lines = [{"tier_id": "stalls", "quantity": 2}]
    held = web.post("/v1/shows/hamlet/reservations", {"lines": lines, "name": "Ann"}, key=new_key(),
                    headers={"Prefer": "wait=20"})
    assert held.status == 201, held.text
    more = change(web, held.json, {"quantity": 5})
    assert (more.status, more["quantity"]) == (200, 5)
    split = change(web, held.json, {"lines": [{"tier_id": "stalls", "quantity": 1},
                                              {"tier_id": "circle", "quantity": 1}]})
    assert (split.status, split["quantity"], len(split["lines"])) == (200, 2, 2)
    too_many = change(web, held.json, {"lines": [{"tier_id": "circle", "quantity": 7}]})
    assert (too_many.status, too_many["code"]) == (409, "sold_out") and "available" in too_many.json
    assert change(web, held.json, {"quantity": 3})["code"] == "invalid"  # of which tier?
    assert web.availability("hamlet")["held"] == 2
    house.check_log()


def test_changes__another_name_and_a_note(house):
    _, web = house.up()
    web.create_show("hamlet", 6)
    held = web.reserve("hamlet", 2, name="Ann").json
    key = new_key()
    for _ in range(2):  # a retry is told the same
        named = change(web, held, {"email": "bob@example.org", "name": "Bob"}, key=key)
        assert named.status == 200
        assert named["holder"] == {"name": "Bob", "email": "bob@example.org"}
    assert named.headers["Idempotent-Replayed"] == "true"
    assert change(web, held, {"name": "Cid"}, key=key)["code"] == "key_reused"
    noted = change(web, held, {"note": "at the aisle"})
    assert (noted["note"], noted["holder"]["name"]) == ("at the aisle", "Bob")
    for body in ({}, {"name": "Eve", "quantity": 1}, {"seats": 3}, {"name": ""}):
        assert change(web, held, body)["code"] == "invalid", body
    house.check_log()


def test_changes__more_time_and_some_tickets_back(house):
    _, web = house.up()
    web.create_show("hamlet", 6)
    held = web.reserve("hamlet", 3).json
    until = "2035-12-01T00:00:00.000Z"
    assert web.post(f"{path_of(held)}/extend", {"until": until}, bearer=held["secret"]).status == 401
    longer = web.staff("POST", f"{path_of(held)}/extend", {"until": until})
    assert (longer.status, longer["expires_at"]) == (200, until)
    assert web.check_out(held).status == 201
    tickets = [ticket["ticket_id"] for ticket in web.look(held)["tickets"]]
    back = web.staff("POST", f"{path_of(held)}/cancel",
                     {"tickets": tickets[:1], "refund": "none", "reason": "one is ill"})
    assert back.status == 200
    assert [ticket["status"] for ticket in back["tickets"]] == ["cancelled", "valid", "valid"]
    assert web.availability("hamlet")["sold"] == 2
    for body in ({"tickets": []}, {"tickets": ["x"]}, {"refund": "half"}):
        assert web.staff("POST", f"{path_of(held)}/cancel", body)["code"] == "invalid"
    assert web.staff("POST", f"{path_of(held)}/cancel").status == 200
    assert web.availability("hamlet")["sold"] == 0
    house.check_log()


def test_changes__a_show_as_it_was_seen(house):
    _, web = house.up()
    web.create_show("hamlet", 6)
    tag = web.get("/v1/shows/hamlet").headers["ETag"]
    renamed = web.staff("PATCH", "/v1/shows/hamlet", {"name": "Hamlet!", "max_per_order": 4},
                        headers={"If-Match": tag})
    assert (renamed.status, renamed["name"], renamed["max_per_order"]) == (200, "Hamlet!", 4)
    late = web.staff("PATCH", "/v1/shows/hamlet", {"name": "Macbeth"}, headers={"If-Match": tag})
    assert (late.status, late["code"]) == (412, "precondition_failed")
    again = web.staff("PUT", "/v1/shows/hamlet/capacity", {"capacity": 9},
                      headers={"If-Match": renamed.headers["ETag"]})
    assert (again.status, again["availability"]["capacity"]) == (200, 9)
    assert web.staff("PATCH", "/v1/shows/hamlet", {})["code"] == "invalid"
    assert web.staff("PATCH", "/v1/shows/lear", {"name": "Lear"}).status == 404
    assert web.call("PATCH", "/v1/shows/hamlet", {"name": "Lear"}).status == 401
    house.check_log()


def test_changes__blocks_are_listed(house):
    _, web = house.up()
    web.create_show("hamlet", 6)
    for block, quantity in (("house", 2), ("press", 1), ("house", 3), ("press", 0)):
        put = web.staff("PUT", f"/v1/shows/hamlet/blocks/{block}",
                        {"quantity": quantity, "note": "row one"})
        assert put.status == 200
    blocks = web.staff("GET", "/v1/shows/hamlet/blocks")
    assert blocks.json == {"show_id": "hamlet", "blocked": 3, "blocks": [
        {"block_id": "house", "quantity": 3, "note": "row one"}]}
    assert web.get("/v1/shows/hamlet/blocks").status == 401


def test_changes__what_was_answered_is_told_again_whatever_the_show_has_become(house):
    _, web = house.up()
    web.create_show("hamlet", 6)
    web.staff("POST", "/v1/shows/hamlet/pause")
    key = new_key()
    assert web.reserve("hamlet", key=key)["code"] == "sale_paused"
    assert web.staff("PATCH", "/v1/shows/hamlet", {"tiers": TIERS}).status == 200
    again = web.reserve("hamlet", key=key)
    assert (again.status, again["code"]) == (409, "sale_paused")
    assert again.headers["Idempotent-Replayed"] == "true"
    house.check_log()


def test_changes__a_number_alone_means_the_tier_that_stood_alone(house_on, sqlite_bus):
    """Who asked before there were others, and had no answer yet, means the same when he asks again."""
    house = house_on(sqlite_bus)
    _, web = house.up()
    web.create_show("hamlet", 6)
    gallery = [{"tier_id": "standard", "name": "Standard", "amount_minor": 0},
               {"tier_id": "gallery", "name": "Gallery", "amount_minor": 0}]
    assert web.staff("PATCH", "/v1/shows/hamlet", {"tiers": gallery}).status == 200
    assert [line["tier_id"] for line in web.reserve("hamlet", 2)["lines"]] == ["standard"]
    _, other = house.second_edge()
    assert [line["tier_id"] for line in other.reserve("hamlet")["lines"]] == ["standard"]
    web.create_show("lear", 6, tiers=TIERS)
    assert web.reserve("lear")["code"] == "invalid"  # of which tier?
    assert web.staff("PATCH", "/v1/shows/hamlet", {"tiers": TIERS})["code"] == "wrong_state"
    web.create_show("macbeth", 6)
    assert web.staff("PATCH", "/v1/shows/macbeth", {"tiers": TIERS}).status == 200
    assert web.reserve("macbeth")["code"] == "no_such_tier"
