"""Requests that are wrong, and what each is told: its status and code, in one table. Whatever is
wrong, the log does not hear of it, and nobody learns whether someone else's reservation exists."""

import json
import socket

from theatre import new_key

RID = "0b000000-0000-4000-8000-000000000001"
KEY = "a-key-of-more-than-22-characters"
RESERVE = "/v1/shows/hamlet/reservations"
GOOD = {"quantity": 1, "name": "Ann"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CHECKOUT = f"/v1/reservations/{RID}/checkout"

# What is sent without any key: verb, path, body (an object becomes JSON), headers; status, code.
PUBLIC = [
    # verbs and paths
    ("GET", "/nowhere", None, {}, 404, "not_found"),
    ("GET", "/v1", None, {}, 404, "not_found"),
    ("GET", "/v1/shows/", None, {}, 404, "not_found"),
    ("GET", "/v1/shows/hamlet/", None, {}, 404, "not_found"),
    ("GET", "/v1/shows/hamlet/seats", None, {}, 404, "not_found"),
    ("GET", "/v1/shows/lear", None, {}, 404, "not_found"),
    ("GET", "/v1/shows/%2e%2e", None, {}, 404, "not_found"),
    ("GET", "/v1/shows/" + "x" * 1100, None, {}, 404, "not_found"),
    ("GET", "//v1/shows", None, {}, 404, "not_found"),
    ("DELETE", "/v1/shows", None, {}, 405, "method_not_allowed"),
    ("PUT", RESERVE, GOOD, {}, 405, "method_not_allowed"),
    ("PATCH", "/v1/checkins", {}, {}, 405, "method_not_allowed"),
    ("BREW", "/v1/shows", None, {}, 405, "method_not_allowed"),
    ("TRACE", "/v1/shows", None, {}, 405, "method_not_allowed"),
    ("GET", "/problems/nonsense", None, {}, 404, "not_found"),
    # queries
    ("GET", "/v1/shows?limit=0", None, {}, 400, "invalid"),
    ("GET", "/v1/shows?limit=201", None, {}, 400, "invalid"),
    ("GET", "/v1/shows?limit=ten", None, {}, 400, "invalid"),
    ("GET", "/v1/shows?limit=-1", None, {}, 400, "invalid"),
    ("GET", "/v1/shows?limit=99999999999999999999", None, {}, 400, "invalid"),
    ("GET", f"/v1/reservations/{RID}?wait=-1", None, {}, 400, "invalid"),
    ("GET", "/v1/shows/hamlet?min_position=x", None, {}, 400, "invalid"),
    # keys of a purchase
    ("POST", RESERVE, GOOD, {}, 400, "key_missing"),
    ("POST", RESERVE, GOOD, {"Idempotency-Key": ""}, 400, "key_missing"),
    ("POST", RESERVE, GOOD, {"Idempotency-Key": "short"}, 400, "key_weak"),
    ("POST", RESERVE, GOOD, {"Idempotency-Key": "k" * 21}, 400, "key_weak"),
    ("POST", RESERVE, GOOD, {"Idempotency-Key": "k" * 201}, 400, "invalid"),
    # bodies
    ("POST", RESERVE, "", {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, "{", {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, "[]", {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, "null", {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, '"Ann"', {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, '{"quantity":1,"name":"Ann"} x', {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, '{"quantity":1,"quantity":2,"name":"Ann"}', {"Idempotency-Key": KEY}, 400,
     "invalid"),
    ("POST", RESERVE, '{"quantity":1,"name":"A\\u0000n"}', {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, '{"quantity":1,"name":"A\nn"}', {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, b'{"quantity":1,"name":"\xff"}', {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, '{"quantity":1,"name":"Ann","deep":' + "[" * 40 + "]" * 40 + "}",
     {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, json.dumps(GOOD) + " " * 17000, {"Idempotency-Key": KEY}, 413, "too_large"),
    ("POST", RESERVE, "quantity=1&name=Ann", {"Idempotency-Key": KEY, **FORM}, 415,
     "unsupported_media_type"),
    ("POST", RESERVE, GOOD, {"Idempotency-Key": KEY, "Content-Type": "text/plain"}, 415,
     "unsupported_media_type"),
    ("POST", RESERVE, {**GOOD, "seats": 1}, {"Idempotency-Key": KEY}, 400, "invalid"),
    # numbers and texts
    ("POST", RESERVE, {"quantity": 0, "name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": -1, "name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 1.5, "name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": "1", "name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": True, "name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, '{"quantity":1e400,"name":"Ann"}', {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 10**30, "name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 1001, "name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 11, "name": "Ann"}, {"Idempotency-Key": new_key()}, 409, "limit"),
    ("POST", RESERVE, {"name": "Ann"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 1}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 1, "name": ""}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 1, "name": "x" * 201}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"quantity": 1, "name": 7}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {**GOOD, "email": "nobody"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {**GOOD, "phone": "call me"}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {**GOOD, "lines": []}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"name": "Ann", "lines": []}, {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"name": "Ann", "lines": [{"tier_id": "standard"}]}, {"Idempotency-Key": KEY},
     400, "invalid"),
    ("POST", RESERVE, {"name": "Ann", "lines": [{"tier_id": "a b", "quantity": 1}]},
     {"Idempotency-Key": KEY}, 400, "invalid"),
    ("POST", RESERVE, {"name": "Ann", "lines": [{"tier_id": "balcony", "quantity": 1}]},
     {"Idempotency-Key": new_key()}, 409, "no_such_tier"),
    ("POST", "/v1/shows/lear/reservations", GOOD, {"Idempotency-Key": KEY}, 404, "not_found"),
    # other people's things
    ("GET", f"/v1/reservations/{RID}", None, {}, 404, "not_found"),
    ("GET", "/v1/reservations/mine", None, {}, 404, "not_found"),
    ("PATCH", f"/v1/reservations/{RID}", {"note": "x"}, {}, 404, "not_found"),
    ("DELETE", f"/v1/reservations/{RID}", None, {}, 404, "not_found"),
    ("GET", f"/v1/reservations/{RID}/tickets", None, {}, 404, "not_found"),
    ("POST", CHECKOUT, {"method": "none"}, {"Idempotency-Key": KEY}, 404, "not_found"),
    ("POST", f"/v1/reservations/{RID}/tickets/{RID}-1/transfer", {"name": "Bob"}, {}, 404,
     "not_found"),
    # who may not
    ("GET", "/v1/shows", None, {"Authorization": "Bearer nobody"}, 401, "unauthorized"),
    ("GET", "/v1/shows", None, {"Authorization": "Basic YTpi"}, 401, "unauthorized"),
    ("GET", "/v1/shows", None, {"Authorization": "Bearer"}, 401, "unauthorized"),
    ("POST", "/v1/shows", {}, {}, 401, "unauthorized"),
    ("PATCH", "/v1/shows/hamlet", {"name": "x"}, {}, 401, "unauthorized"),
    ("PUT", "/v1/shows/hamlet/capacity", {"capacity": 1}, {}, 401, "unauthorized"),
    ("POST", "/v1/shows/hamlet/cancel", {}, {}, 401, "unauthorized"),
    ("POST", f"/v1/reservations/{RID}/extend", {}, {}, 401, "unauthorized"),
    ("POST", f"/v1/reservations/{RID}/cancel", {}, {}, 401, "unauthorized"),
    ("POST", "/v1/checkins", {}, {}, 401, "unauthorized"),
    ("POST", f"/v1/payments/{RID}/result", {}, {}, 401, "unauthorized"),
    ("POST", f"/v1/refunds/{RID}/result", {}, {}, 401, "unauthorized"),
    ("POST", "/v1/payments/callbacks/paydesk", {}, {}, 400, "bad_signature"),
]

# What an admin sends.
STAFF = [
    ("POST", "/v1/shows", {}, 400, "invalid"),
    ("POST", "/v1/shows", {"name": "x", "starts_at": "tomorrow", "capacity": 1}, 400, "invalid"),
    ("POST", "/v1/shows", {"name": "x", "starts_at": "2036-02-30T20:00:00Z", "capacity": 1}, 400,
     "invalid"),
    ("POST", "/v1/shows", {"name": "x", "starts_at": "2036-01-01T20:00:00Z", "capacity": -1}, 400,
     "invalid"),
    ("POST", "/v1/shows", {"show_id": "a b", "name": "x", "starts_at": "2036-01-01T20:00:00Z",
                           "capacity": 1}, 400, "invalid"),
    ("POST", "/v1/shows", {"show_id": "hamlet", "name": "x", "starts_at": "2036-01-01T20:00:00Z",
                           "capacity": 1}, 409, "wrong_state"),
    ("PUT", "/v1/shows/hamlet/capacity", {"capacity": 1000001}, 400, "invalid"),
    ("PUT", "/v1/shows/hamlet/capacity", {}, 400, "invalid"),
    ("PUT", "/v1/shows/hamlet/capacity", {"capacity": 3, "expected_seq": 99}, 409, "precondition"),
    ("PUT", "/v1/shows/lear/capacity", {"capacity": 3}, 404, "not_found"),
    ("PUT", "/v1/shows/hamlet/blocks/a%20b", {"quantity": 1}, 400, "invalid"),
    ("PUT", "/v1/shows/hamlet/blocks/house", {"quantity": 1, "expected_quantity": 7}, 409,
     "precondition"),
    ("POST", "/v1/shows/hamlet/cancel", {"reason": "x", "refund": "some"}, 400, "invalid"),
    ("GET", f"/v1/reservations/{RID}", None, 404, "not_found"),
    ("POST", f"/v1/reservations/{RID}/extend", {"until": "2035-01-01T00:00:00Z"}, 404, "not_found"),
    ("POST", f"/v1/reservations/{RID}/cancel", {"tickets": [f"{RID}-0"]}, 400, "invalid"),
    ("POST", "/v1/checkins", {"code": "x", "list_id": "a b", "nonce": "n"}, 400, "invalid"),
    ("POST", "/v1/checkins", {"code": "x", "list_id": "main", "nonce": ""}, 400, "invalid"),
    ("POST", f"/v1/payments/{RID}/result", {"result": "maybe"}, 400, "invalid"),
    ("POST", f"/v1/refunds/{RID}/result", {"result": "failed"}, 404, "not_found"),
]

# What is not even HTTP as it should be: the bytes, and the status or None (the line is cut).
RAW = [
    ("GET /v1/shows HTTP/1.1\r\n\r\n", 400),  # no Host
    ("GET /v1/shows HTTP/9.9\r\nHost: x\r\n\r\n", 505),
    ("GET\r\n\r\n", None),
    ("GET /v1/shows HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
    (f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    (f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n", 400),
    # Whose length is told in two ways may be two requests to somebody else (RFC 9112 11.2).
    (f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}", 400),
    (f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n", 400),
    (f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    (f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (f"GET /v1/shows HTTP/1.1\r\nHost: x\r\nX-Much: {'x' * 40000}\r\n\r\n", 431),
    (f"GET /{'x' * 40000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
]


def unlike(answer, status, code, what):
    """What is wrong with what was told; None: nothing."""
    right = (answer.status == status and answer.json.get("code") == code and
             answer.headers["Content-Type"] == "application/problem+json" and
             answer["type"] == f"/problems/{code}" and answer["status"] == status and
             answer["title"] and answer["detail"])
    return None if right else f"{what[:150]}: {answer.status} {answer.text.strip()}"


def raw_status(web, request):
    host, port = web.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(request.encode())
        first = line.makefile("rb").readline()
    return int(first.split()[1]) if first else None


def test_wrong__is_told_what_is_wrong_and_changes_nothing(house):
    _, web = house.up()
    web.create_show("hamlet", 5)
    assert len(PUBLIC) + len(STAFF) + len(RAW) >= 100
    before = len(house.bus.read())
    wrong = [problem for verb, path, body, headers, status, code in PUBLIC
             if (problem := unlike(web.call(verb, path, body, headers=headers), status, code,
                                   f"{verb} {path} {body} {headers}"))]
    wrong += [problem for verb, path, body, status, code in STAFF
              if (problem := unlike(web.staff(verb, path, body), status, code,
                                    f"{verb} {path} {body}"))]
    wrong += [f"{request[:60]!r}: {found}, not {status}" for request, status in RAW
              if (found := raw_status(web, request)) != status]
    assert not wrong, "\n".join(wrong)
    assert web.get("/v1/shows/hamlet").status == 200
    changed = [record.type for record in house.bus.read()[before:]]
    house.check_log()
    assert changed.count("SeatsHeld") == 0
    assert web.availability("hamlet") == {"capacity": 5, "held": 0, "sold": 0, "blocked": 0, "free": 5,
                                          "oversold_by": 0, "state": "available"}


def test_wrong__nobody_learns_whether_it_exists(house):
    """What is not there and what is someone else's are told in the same words."""
    _, web = house.up()
    web.create_show("hamlet", 5)
    theirs, mine = web.reserve("hamlet").json, web.reserve("hamlet").json
    assert web.check_out(theirs).status == 201
    ways = (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/tickets"),
            ("POST", "/checkout"))
    bodies = {"PATCH": {"note": "x"}, "POST": {"method": "none"}}
    for verb, end in ways:
        for bearer in (None, mine["secret"], theirs["secret"][:-1] + "x", "x" * 44 + ".hamlet"):
            told = [web.call(verb, f"/v1/reservations/{rid}{end}", bodies.get(verb), bearer=bearer,
                             key=KEY) for rid in (theirs["reservation_id"], RID)]
            assert told[0].status == told[1].status == 404, (verb, end, bearer)
            assert told[0].text == told[1].text
            names = [sorted(name.lower() for name in answer.headers) for answer in told]
            assert names[0] == names[1]
    assert web.look(theirs)["status"] == "confirmed"
