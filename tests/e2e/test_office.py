"""What the box office looks at: what needs a person, and the evening in figures."""

from test_money import becomes, open_house, payment, start
from theatre import new_key, until

WAIT = {"Prefer": "wait=20"}


def matters(web):
    return {matter["kind"]: matter for matter in web.staff("GET", "/v1/attention")["attention"]}


def pay_cash(web, held):
    answer = web.staff("POST", f"/v1/reservations/{held['reservation_id']}/checkout",
                       {"method": "cash"}, key=new_key(), headers=WAIT)
    assert answer.status == 201
    return becomes(web, held, "confirmed")


def test_office__what_needs_a_person_is_told_until_it_is_done(house):
    web, _ = open_house(house)
    assert web.staff("GET", "/v1/attention").json == {"attention": []}
    cash, unknown = web.reserve("hamlet", 2, name="Ann").json, web.reserve("hamlet", 1).json
    payment_id = start(web, unknown)["payment_id"]
    web.staff("POST", f"/v1/payments/{payment_id}/result", {"result": "unknown"}, headers=WAIT)
    becomes(web, unknown, "payment_unknown")
    pay_cash(web, cash)
    assert web.cancel(cash).status == 200
    refund = until(lambda: web.look(cash).json.get("refund"), "the cash to be owed")
    held = web.reserve("hamlet", 2)
    lessened = web.staff("PUT", "/v1/shows/hamlet/capacity", {"capacity": 1, "force": True},
                         headers=WAIT)
    assert lessened["availability"]["oversold_by"] == 2, lessened.text
    found = matters(web)
    assert set(found) == {"payment_unknown", "refund", "oversold"}
    assert found["payment_unknown"]["payment_id"] == payment_id
    assert found["refund"] == {
        "kind": "refund", "show_id": "hamlet", "reservation_id": cash["reservation_id"],
        "reference": web.look(cash)["reference"], "name": "Ann", "refund_id": refund["refund_id"],
        "amount": {"amount_minor": 1000, "currency": "EUR"}, "do": found["refund"]["do"]}
    assert found["oversold"]["oversold_by"] == 2
    first = web.staff("GET", "/v1/attention?limit=1")
    assert len(first["attention"]) == 2 and first["attention"][0]["kind"] == "oversold"
    second = web.staff("GET", first.headers["Link"].partition(">")[0].removeprefix("<"))
    assert [matter["kind"] for matter in first["attention"][1:] + second["attention"]] == [
        "refund", "payment_unknown"] and "cursor" not in second.json
    web.staff("POST", f"/v1/payments/{payment_id}/result", {"result": "succeeded"}, headers=WAIT)
    web.staff("POST", f"/v1/refunds/{refund['refund_id']}/result", {"result": "completed"},
              headers=WAIT)
    assert web.cancel(held).status == 200
    assert until(lambda: matters(web) == {}, "everything to be done")
    assert web.get("/v1/attention").status == 401


def test_office__the_evening_in_figures(house):
    web, paydesk = open_house(house)
    card, cash, given_back = (web.reserve("hamlet", number).json for number in (2, 1, 1))
    assert paydesk.call(web, payment(card, start(web, card))).status == 200
    becomes(web, card, "confirmed")
    tickets = pay_cash(web, cash)["tickets"]
    pay_cash(web, given_back)
    assert web.cancel(given_back).status == 200
    refund = until(lambda: web.look(given_back).json.get("refund"), "the cash to be owed")
    web.reserve("hamlet", 1)
    scanned = web.staff("POST", "/v1/checkins", {"code": tickets[0]["code"], "list_id": "main",
                                                 "nonce": "n1"}, headers=WAIT)
    assert scanned["status"] == "ok"
    told = web.staff("GET", "/v1/shows/hamlet/report").json
    assert told["show"]["availability"]["sold"] == 3
    counts = told["reservations"]
    assert (counts["confirmed"], counts["held"], counts["cancelled"]) == (2, 1, 1)

    def money(amount_minor):
        return {"amount_minor": amount_minor, "currency": "EUR"}
    assert {paid["method"]: (paid["count"], paid["amount"]) for paid in told["payments"]} == {
        "external": (1, money(1000)), "cash": (2, money(1000))}
    assert told["refunds"] == {"completed": {"count": 0, "amount": money(0)},
                               "open": {"count": 1, "amount": money(500)}}
    assert told["taken"] == money(2000)
    assert told["door"] == {"tickets": 3, "seen": 1, "inside": 1}
    assert sum(hour["seats"] for hour in told["sales"]) == 3
    assert sum(hour["amount_minor"] for hour in told["sales"]) == 1500
    web.staff("POST", f"/v1/refunds/{refund['refund_id']}/result", {"result": "completed"},
              headers=WAIT)
    told = web.staff("GET", "/v1/shows/hamlet/report").json
    assert (told["taken"], told["refunds"]["completed"]["count"]) == (money(1500), 1)
    assert web.get("/v1/shows/hamlet/report").status == 401
    assert web.staff("GET", "/v1/shows/lear/report").status == 404
