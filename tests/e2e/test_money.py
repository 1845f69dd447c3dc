"""Money from outside: a customer sent away to pay, what the provider says of it by signed
callbacks, and what a person at the box office records."""

import base64
import hashlib
import hmac
import json
import time
import uuid

from theatre import Web, new_key, until

PAY_URL = "paydesk=https://pay.example/{payment_id}?shop=1"
TIERS = [{"tier_id": "stalls", "name": "Stalls", "amount_minor": 500}]


class Paydesk:
    """The provider, as far as an edge can see it."""

    def __init__(self, house):
        lines = (house.data / "keys").read_text().splitlines()
        words = [line.split() for line in lines if line.startswith("callback paydesk ")]
        assert len(words) == 1, "a fresh installation knows one secret of paydesk"
        self.secret = base64.b64decode(words[0][2].removeprefix("whsec_"))

    def call(self, web, body, at=None, secret=None, provider="paydesk"):
        text, name = json.dumps(body), f"msg_{uuid.uuid4().hex}"
        at = str(int(at if at is not None else time.time()))
        digest = hmac.new(secret or self.secret, f"{name}.{at}.{text}".encode(), hashlib.sha256)
        signature = "v1," + base64.b64encode(digest.digest()).decode()
        return web.post(f"/v1/payments/callbacks/{provider}", text,
                        headers={"webhook-id": name, "webhook-timestamp": at,
                                 "webhook-signature": f"v1,{'A' * 43}= {signature}"})


def open_house(house):
    _, web = house.up(f"--edge-arg=--pay-url={PAY_URL}")
    web.create_show("hamlet", 5, tiers=TIERS)
    return web, Paydesk(house)


def start(web, held, key=None):
    return web.post(f"/v1/reservations/{held['reservation_id']}/checkout",
                    {"method": "external", "provider": "paydesk",
                     "return_url": "https://theatre.example/thanks"},
                    key=key or new_key(), bearer=held["secret"], headers={"Prefer": "wait=20"})


def payment(held, started, result="succeeded", **more):
    return {"show_id": "hamlet", "payment_id": started["payment_id"],
            "reservation_id": held["reservation_id"], "result": result, "amount_minor": 1000,
            "currency": "EUR", "provider": "paydesk", "provider_ref": "ref-1", **more}


def becomes(web, held, status):
    def seen():
        found = web.look(held).json
        return found if found["status"] == status else None
    return until(seen, f"the reservation to be {status}")


def said(house, kind):
    return [record for record in house.bus.read() if record.type == kind]


def test_money__paid_elsewhere_and_given_back(house):
    web, paydesk = open_house(house)
    held = web.reserve("hamlet", 2).json
    started = start(web, held)
    assert started.status == 201 and started["status"] == "paying" and started["pay_by"]
    assert started["next"] == {
        "kind": "redirect", "url": f"https://pay.example/{started['payment_id']}?shop=1"}
    requested, = said(house, "PaymentRequested")
    assert requested.body()["return_url"] == "https://theatre.example/thanks"

    paid = payment(held, started)
    assert paydesk.call(web, paid).status == 200
    confirmed = becomes(web, held, "confirmed")
    assert confirmed["payment"]["status"] == "kept"
    assert paydesk.call(web, paid).status == 200  # again: no second effect
    assert web.availability("hamlet")["sold"] == 2

    assert web.cancel(held).status == 200
    refund = until(lambda: web.look(held).json.get("refund"), "the refund to be requested")
    assert refund["amount"] == {"amount_minor": 1000, "currency": "EUR"}
    assert refund["status"] == "requested"
    assert paydesk.call(web, {"show_id": "hamlet", "reservation_id": held["reservation_id"],
                              "refund_id": refund["refund_id"], "result": "completed",
                              "provider": "paydesk", "provider_ref": "back-1"}).status == 200
    until(lambda: web.look(held)["refund"]["status"] == "completed", "the refund to be completed")
    assert len(said(house, "PaymentSucceeded")) == 1
    assert len(said(house, "RefundCompleted")) == 1


def test_money__only_the_provider_is_believed(house):
    web, paydesk = open_house(house)
    held = web.reserve("hamlet", 2).json
    paid = payment(held, start(web, held))
    for answer, status, code in (
            (paydesk.call(web, paid, secret=b"x" * 32), 400, "bad_signature"),
            (paydesk.call(web, paid, at=time.time() - 400), 400, "bad_signature"),
            (paydesk.call(web, paid, at=time.time() + 400), 400, "bad_signature"),
            (web.post("/v1/payments/callbacks/paydesk", paid), 400, "bad_signature"),
            (paydesk.call(web, paid, provider="cardbox"), 404, "not_found"),
            (paydesk.call(web, dict(paid, provider="cardbox")), 400, "invalid"),
            (paydesk.call(web, dict(paid, tip=1)), 400, "invalid")):
        assert (answer.status, answer["code"]) == (status, code), answer.text
    assert not said(house, "RecordPayment")
    assert web.look(held)["status"] == "paying"


def test_money__one_body_is_one_command_on_every_edge(house):
    web, paydesk = open_house(house)
    other = house.start("stagedoor-edge", *house.bus.arguments, "--data", house.folder / "other",
                        "--listen", "127.0.0.1:0",
                        env={"STAGEDOOR_KEYS": (house.data / "keys").read_text()})
    beside = Web(other.said(r"ready, (http://\S+)")[1])
    held = web.reserve("hamlet", 2).json
    failed = payment(held, start(web, held), "failed", failure="no funds")
    assert paydesk.call(web, failed).status == 200
    assert paydesk.call(beside, failed).status == 200
    commands = until(lambda: len(said(house, "RecordPayment")) == 2 and said(house, "RecordPayment"),
                     "both commands to be there")
    assert commands[0].header("ce_id") == commands[1].header("ce_id")
    assert commands[0].header("ce_actor") == "callback:paydesk"
    becomes(web, held, "held")
    assert len(said(house, "PaymentFailed")) == 1
    assert start(web, held).status == 201


def test_money__the_last_checkout_counts(house):
    web, paydesk = open_house(house)
    held = web.reserve("hamlet", 2).json
    key = new_key()
    first, second = start(web, held, key), start(web, held)
    assert (first.status, second.status) == (201, 201)
    again = start(web, held, key)
    assert again.status == 201 and again["next"] == {"kind": "none"}
    assert web.look(held)["payment"]["payment_id"] == second["payment_id"]
    assert paydesk.call(web, payment(held, first)).status == 200  # money is money
    assert becomes(web, held, "confirmed")["payment"]["payment_id"] == first["payment_id"]
    assert paydesk.call(web, payment(held, second, provider_ref="ref-2")).status == 200
    refund = until(lambda: web.look(held).json.get("refund"), "the second payment to go back")
    assert refund["amount"]["amount_minor"] == 1000
    assert web.look(held)["status"] == "confirmed"


def test_money__a_person_records_what_came_of_it(house):
    web, _ = open_house(house)
    held = web.reserve("hamlet", 2).json
    path = f"/v1/payments/{start(web, held)['payment_id']}/result"
    wait = {"Prefer": "wait=20"}
    unknown = web.staff("POST", path, {"result": "unknown"}, headers=wait)
    assert (unknown.status, unknown["status"]) == (200, "unknown")
    assert becomes(web, held, "payment_unknown")["pay_by"]
    paid = web.staff("POST", path, {"result": "succeeded"}, headers=wait)
    assert paid.status == 200 and paid["reservation_id"] == held["reservation_id"]
    becomes(web, held, "confirmed")
    assert web.post(path, {"result": "failed"}, bearer=held["secret"]).status == 401
    assert web.staff("POST", path, {"result": "failed"}, headers=wait).status == 409
    nobody = f"/v1/payments/{uuid.uuid4()}/result"
    assert web.staff("POST", nobody, {"result": "failed"}, headers=wait).status == 404

    cash = web.reserve("hamlet", 2).json
    assert web.staff("POST", f"/v1/reservations/{cash['reservation_id']}/checkout",
                     {"method": "cash"}, key=new_key(), headers=wait).status == 201
    assert web.cancel(cash).status == 200
    refund = until(lambda: web.look(cash).json.get("refund"), "the cash to be owed")
    assert refund["status"] == "manual"
    done = web.staff("POST", f"/v1/refunds/{refund['refund_id']}/result",
                     {"result": "completed", "note": "handed out at the desk"}, headers=wait)
    assert (done.status, done["status"]) == (200, "completed")
    assert web.look(cash)["refund"]["status"] == "completed"


def test_money__a_cancelled_show_gives_everything_back(house):
    web, paydesk = open_house(house)
    paid, held = web.reserve("hamlet", 2).json, web.reserve("hamlet", 1).json
    assert paydesk.call(web, payment(paid, start(web, paid))).status == 200
    becomes(web, paid, "confirmed")
    for body in ({}, {"reason": "rain"}, {"reason": "rain", "refund": "some"}):
        assert web.staff("POST", "/v1/shows/hamlet/cancel", body).status == 400
    assert web.post("/v1/shows/hamlet/cancel", {"reason": "rain", "refund": "full"}).status == 401
    key, wait = new_key(), {"Prefer": "wait=20"}
    for _ in range(2):  # a retry is told the same
        cancelled = web.staff("POST", "/v1/shows/hamlet/cancel",
                              {"reason": "rain", "refund": "full"}, key=key, headers=wait)
        assert cancelled.status == 200 and cancelled["status"] == "cancelled"
    assert cancelled.headers["Idempotent-Replayed"] == "true"
    becomes(web, held, "released")
    assert becomes(web, paid, "cancelled")["tickets"][0]["status"] == "cancelled"
    until(lambda: web.look(paid).json.get("refund"), "the money to go back")
    show = until(lambda: (found := web.get("/v1/shows/hamlet").json)["cancellation"]["finished"]
                 and found, "the cancellation to be finished")
    assert show["cancellation"] == {"reason": "rain", "refund": "full", "reservations": 2,
                                    "finished": True}
    assert show["availability"]["state"] == "cancelled" and show["availability"]["sold"] == 0
    late = web.reserve("hamlet")
    assert (late.status, late["code"]) == (410, "show_cancelled")


def test_money__what_was_said_outlives_the_edge(house):
    program, web = house.up(env={"STAGEDOOR_PAY_URL": PAY_URL})
    web.create_show("hamlet", 5, tiers=TIERS)
    held = web.reserve("hamlet", 2).json
    started, paydesk = start(web, held), Paydesk(house)
    assert paydesk.call(web, payment(held, started, "unknown")).status == 200
    becomes(web, held, "payment_unknown")
    before = until(lambda: (found := web.look(held).json)["pay_by"] != started["pay_by"] and found,
                   "the seats to be kept longer")
    program.signal(15)
    assert program.ended() == 0
    _, web = house.up(env={"STAGEDOOR_PAY_URL": PAY_URL})
    assert web.look(held).json == before
    assert paydesk.call(web, payment(held, started)).status == 200
    becomes(web, held, "confirmed")
