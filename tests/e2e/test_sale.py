"""One sale from end to end over HTTP, and what a retry, a stranger and a late customer are told."""

from theatre import new_key


def test_sale__reserve_pay_cancel(house):
    _, web = house.up()
    show = web.create_show("hamlet", 5)
    assert show["availability"] == {"capacity": 5, "held": 0, "sold": 0, "blocked": 0, "free": 5,
                                    "oversold_by": 0, "state": "available"}

    held = web.reserve("hamlet", 2)
    assert held.status == 201 and held["status"] == "held" and held["quantity"] == 2
    assert held.headers["Location"] == f"/v1/reservations/{held['reservation_id']}"
    assert web.look(held.json)["status"] == "held"
    assert web.availability("hamlet")["held"] == 2

    paid = web.check_out(held.json)
    assert paid.status == 201 and paid["status"] == "confirmed"
    confirmed = web.look(held.json)
    assert confirmed["status"] == "confirmed" and len(confirmed["tickets"]) == 2
    assert all(ticket["status"] == "valid" for ticket in confirmed["tickets"])
    assert confirmed["reference"]
    taken = web.availability("hamlet")
    assert (taken["held"], taken["sold"], taken["free"]) == (0, 2, 3)

    assert web.cancel(held.json).status == 200
    cancelled = web.look(held.json)
    assert cancelled["status"] == "cancelled"
    assert all(ticket["status"] == "cancelled" for ticket in cancelled["tickets"])
    assert web.availability("hamlet")["free"] == 5
    house.check_log()


def test_sale__a_hold_given_back_is_free_again(house):
    _, web = house.up()
    web.create_show("lear", 1)
    held = web.reserve("lear")
    assert web.reserve("lear").status == 409
    assert web.cancel(held.json).status == 200
    assert web.look(held.json)["status"] == "released"
    assert web.reserve("lear").status == 201
    house.check_log()


def test_sale__a_retry_is_the_same_reservation(house):
    _, web = house.up()
    web.create_show("hamlet", 5)
    key = new_key()
    first, again = web.reserve("hamlet", 2, key=key), web.reserve("hamlet", 2, key=key)
    assert (first.status, again.status) == (201, 201)
    assert again["reservation_id"] == first["reservation_id"]
    assert again["secret"] == first["secret"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert web.availability("hamlet")["held"] == 2

    key = new_key()
    paid, paid_again = web.check_out(first.json, key), web.check_out(first.json, key)
    assert (paid.status, paid_again.status) == (201, 201)
    assert paid_again["payment_id"] == paid["payment_id"]
    assert web.availability("hamlet")["sold"] == 2
    house.check_log()


def test_sale__a_refusal_is_final_for_its_key(house):
    _, web = house.up()
    web.create_show("lear", 1)
    held, key = web.reserve("lear"), new_key()
    refused = web.reserve("lear", key=key)
    assert refused.status == 409
    assert web.cancel(held.json).status == 200
    again = web.reserve("lear", key=key)
    assert (again.status, again["code"]) == (409, refused["code"])
    assert web.availability("lear")["free"] == 1
    house.check_log()


def test_sale__a_key_used_for_something_else(house):
    _, web = house.up()
    web.create_show("hamlet", 5)
    key = new_key()
    assert web.reserve("hamlet", 2, key=key).status == 201
    reused = web.reserve("hamlet", 3, key=key)
    assert_problem(reused, 422, "key_reused")
    assert web.availability("hamlet")["held"] == 2
    house.check_log()


def test_sale__a_refusal_proves_itself(house):
    _, web = house.up()
    web.create_show("lear", 3)
    held = web.reserve("lear", 2)

    some = web.reserve("lear", 2)
    assert_problem(some, 409, "all_held")
    assert (some["available"], some["held"], some["sold"]) == (1, 2, 0)
    assert 600 < some["retry_after_s"] <= 630  # the hold, and 30 s of grace
    assert some.headers["Retry-After"] == str(some["retry_after_s"])
    assert_is_in_the_log(house, some, "all_held")

    assert web.check_out(held.json).status == 201
    none = web.reserve("lear", 2)
    assert_problem(none, 409, "sold_out")
    assert (none["available"], none["held"], none["sold"]) == (1, 0, 2)
    assert_is_in_the_log(house, none, "sold_out")
    house.check_log()


def test_sale__problems_have_one_shape(house):
    _, web = house.up()
    web.create_show("hamlet", 5)
    path = "/v1/shows/hamlet/reservations"
    body = {"quantity": 1, "name": "Ann"}
    assert_problem(web.get("/v1/shows/nowhere"), 404, "not_found")
    assert_problem(web.get("/nowhere"), 404, "not_found")
    assert_problem(web.call("DELETE", "/v1/shows"), 405, "method_not_allowed")
    assert_problem(web.post(path, body), 400, "key_missing")
    assert_problem(web.post(path, body, key="short"), 400, "key_weak")
    assert_problem(web.post(path, "{", key=new_key()), 400, "invalid")
    assert_problem(web.post(path, '{"name":"Ann","name":"Bob","quantity":1}', key=new_key()), 400,
                   "invalid")
    assert_problem(web.post(path, {"quantity": 0, "name": "Ann"}, key=new_key()), 400, "invalid")
    assert_problem(web.post(path, {"quantity": "1", "name": "Ann"}, key=new_key()), 400, "invalid")
    assert_problem(web.post(path, dict(body, colour="red"), key=new_key()), 400, "invalid")
    assert_problem(web.post(path, "x" * 20000, key=new_key()), 413, "too_large")
    assert_problem(web.post(path, "a=b", key=new_key(), headers={"Content-Type": "text/plain"}),
                   415, "unsupported_media_type")
    assert_problem(web.post("/v1/shows", {}, key=new_key()), 401, "unauthorized")
    assert_problem(web.post("/v1/shows", {}, key=new_key(), bearer="wrong"), 401, "unauthorized")
    assert_problem(web.reserve("hamlet", 11), 409, "limit")
    errors = web.post(path, dict(body, quantity="x"), key=new_key())["errors"]
    assert errors[0]["pointer"] == "/quantity" and errors[0]["detail"]
    house.check_log()


def test_sale__what_is_somebody_elses_is_not_there(house):
    _, web = house.up()
    web.create_show("hamlet", 5)
    mine, theirs = web.reserve("hamlet").json, web.reserve("hamlet", name="Eve").json
    path = f"/v1/reservations/{mine['reservation_id']}"
    for bearer in (None, theirs["secret"], mine["secret"][:-4] + "AAAA"):
        assert web.get(path, bearer=bearer).status in (401, 404)
        assert web.call("DELETE", path, bearer=bearer).status in (401, 404)
        assert web.post(path + "/checkout", {"method": "none"}, key=new_key(),
                        bearer=bearer).status in (401, 404)
    assert_problem(web.get(path, bearer=theirs["secret"]), 404, "not_found")
    assert web.look(mine)["status"] == "held"
    assert web.staff("GET", path)["status"] == "held"
    house.check_log()


def test_sale__nothing_is_forgotten_by_a_restart(house):
    up, web = house.up()
    web.create_show("hamlet", 5)
    held, paid = web.reserve("hamlet").json, web.reserve("hamlet", 2).json
    assert web.check_out(paid).status == 201
    assert up.stop() == 0
    _, web = house.up()
    assert web.look(held)["status"] == "held"
    assert web.look(paid)["status"] == "confirmed"
    assert web.check_out(held).status == 201
    assert web.availability("hamlet")["sold"] == 3
    house.check_log()


# ---- what is asked again and again ---------------------------------------------------------------

def assert_problem(answer, status, code):
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["code"] == code, answer.text
    assert problem["type"] == f"/problems/{code}" and problem["status"] == status
    assert problem["title"] and problem["detail"]


def assert_is_in_the_log(house, problem, reason):
    """The record that the refusal points to says the same."""
    found = [record for record in house.bus.read() if record.place == problem["position"]]
    assert len(found) == 1 and found[0].type == "HoldRejected"
    body = found[0].body()
    assert (body["reason"], body["seq"], body["available"]) == (
        reason, problem["seq"], problem["available"])
    assert body["reservation_id"] == problem["reservation_id"]
