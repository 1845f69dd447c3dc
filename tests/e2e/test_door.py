"""The door: who has a ticket comes in once, and who was given another's comes in with his own."""

import pytest

from theatre import new_key


@pytest.fixture
def sold(house):
    """An edge, and a reservation of two with its tickets."""
    _, web = house.up()
    web.create_show("hamlet", 6)
    reservation = web.reserve("hamlet", 2, name="Ann").json
    assert web.check_out(reservation).status == 201
    return house, web, reservation


def tickets_of(web, reservation):
    found = web.get(f"/v1/reservations/{reservation['reservation_id']}/tickets",
                    bearer=reservation["secret"])
    assert found.status == 200
    return found["tickets"]


def scan(web, code, nonce, **more):
    return web.staff("POST", "/v1/checkins",
                     {"code": code, "list_id": "main", "nonce": nonce, **more},
                     headers={"Prefer": "wait=20"})


def test_door__in_once_and_out_and_in_again(sold):
    house, web, reservation = sold
    first, second = tickets_of(web, reservation)
    came = scan(web, first["code"], "n1")
    assert (came.status, came["status"], came["name"]) == (200, "ok", "Ann")
    assert came["reference"] and came["entry"] == "in" and came["ticket_id"] == first["ticket_id"]
    same = scan(web, first["code"], "n1")  # the scanner did not hear the answer
    assert (same.status, same["status"]) == (200, "ok")
    twice = scan(web, first["code"], "n2")
    assert (twice.status, twice["status"], twice["reason"]) == (200, "rejected", "already_in")
    assert scan(web, second["code"], "n3", entry="out")["reason"] == "not_in"
    assert scan(web, first["code"], "n4", entry="out")["status"] == "ok"
    assert scan(web, first["code"], "n5")["status"] == "ok"
    assert scan(web, first["code"], "n5", entry="out")["code"] == "key_reused"
    house.check_log()


def test_door__what_was_not_given_out_opens_nothing(sold):
    house, web, reservation = sold
    code = tickets_of(web, reservation)[0]["code"]
    ticket, generation, mac = code.split(".")
    other = "A" if mac[-2] != "A" else "B"
    for forged in (f"{ticket}.2.{mac}", f"{ticket[:-1]}2.{generation}.{mac}", "", "x", f"{code}x",
                   f"{ticket}.{generation}.{mac[:-2]}{other}{mac[-1]}", ticket, "." * 40):
        told = scan(web, forged, "n1")
        assert (told.status, told["status"], told["reason"]) == (200, "rejected", "void"), forged
        assert "name" not in told.json and "reference" not in told.json
    body = {"code": code, "list_id": "main", "nonce": "n1"}
    assert web.post("/v1/checkins", body).status == 401
    assert web.staff("POST", "/v1/checkins", {**body, "entry": "under"})["code"] == "invalid"
    assert web.staff("POST", "/v1/checkins", {"code": code})["code"] == "invalid"
    house.check_log()


def test_door__who_passes_a_ticket_on_stays_outside(sold):
    house, web, reservation = sold
    ticket, _ = tickets_of(web, reservation)
    path = (f"/v1/reservations/{reservation['reservation_id']}"
            f"/tickets/{ticket['ticket_id']}/transfer")
    key = new_key()
    for _ in range(2):
        passed = web.post(path, {"name": "Bob"}, key=key, bearer=reservation["secret"],
                          headers={"Prefer": "wait=20"})
        assert passed.status == 200
        assert (passed["tickets"][0]["generation"], passed["tickets"][0]["holder"]) == (
            2, {"name": "Bob"})
    assert scan(web, ticket["code"], "n1")["reason"] == "void"
    assert scan(web, passed["tickets"][0]["code"], "n2")["name"] == "Bob"
    assert web.post(path, {"name": "Eve"}).status == 404  # without the secret
    house.check_log()


def test_door__a_cancelled_ticket(sold):
    house, web, reservation = sold
    ticket, _ = tickets_of(web, reservation)
    web.staff("POST", f"/v1/reservations/{reservation['reservation_id']}/cancel",
              {"tickets": [ticket["ticket_id"]]})
    assert scan(web, ticket["code"], "n1")["reason"] == "cancelled"
    assert "code" not in tickets_of(web, reservation)[0]
    house.check_log()
