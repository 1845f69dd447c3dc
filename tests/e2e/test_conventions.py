"""What holds for every request: who is asking too often, whom a proxy speaks for, pages of other
origins, names that travel with a request, and reading what one wrote at another edge."""

import collections
import concurrent.futures
import re
import socket
import time

from buses import ROOT
from theatre import new_key, until

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def with_env(house, **env):
    _, web = house.up(env={f"STAGEDOOR_{name.upper()}": value for name, value in env.items()})
    web.create_show("hamlet", 50)
    return web


def statuses(web, count, path="/v1/shows/hamlet", **headers):
    return collections.Counter(web.get(path, headers=headers).status for _ in range(count))


def test_conventions__who_asks_too_often_waits(house):
    web = with_env(house, rate="1", burst="20", trusted_proxy="127.0.0.0/8,10.0.0.0/8")
    assert statuses(web, 60) == {200: 60}  # from this machine
    many = statuses(web, 60, **{"X-Forwarded-For": "198.51.100.7"})
    assert many[200] >= 20 and many[429] >= 30
    told = web.get("/v1/shows", headers={"X-Forwarded-For": "198.51.100.7"})
    assert (told.status, told["code"]) == (429, "rate_limited")
    assert int(told.headers["Retry-After"]) >= 1
    # Another customer, also of the first one's own saying; and the same one in other words.
    assert statuses(web, 10, **{"X-Forwarded-For": "198.51.100.7, 198.51.100.8"}) == {200: 10}
    assert web.get("/v1/shows", headers={"Forwarded": "for=198.51.100.7;proto=https"}).status == 429
    assert web.get("/v1/shows",
                   headers={"X-Forwarded-For": "1.2.3.4, 198.51.100.7, 10.1.1.1"}).status == 429
    assert web.get("/livez", headers={"X-Forwarded-For": "198.51.100.7"}).status == 200
    assert web.staff("GET", "/v1/shows", headers={"X-Forwarded-For": "198.51.100.7"}).status == 200


def test_conventions__nobody_is_believed_who_is_no_proxy_of_ours(house):
    web = with_env(house, rate="1", burst="1", trusted_proxy="10.0.0.0/8")
    assert statuses(web, 10, **{"X-Forwarded-For": "198.51.100.7"}) == {200: 10}


def answers(web, source):
    """Whether somebody at that address is served; the connection is left open."""
    host, port = web.address.rsplit(":", 1)
    line = socket.create_connection((host, int(port)), 20, (source, 0))
    try:
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        return (line, line.recv(100).startswith(b"HTTP/1.1 200"))
    except ConnectionResetError:
        return (line, False)


def test_conventions__one_address_has_so_many_places(house):
    web = with_env(house, per_address_max="4")
    places = [answers(web, "127.0.0.2") for _ in range(6)]
    assert [served for _, served in places] == [True] * 4 + [False] * 2
    other = answers(web, "127.0.0.3")
    assert other[1]
    places[0][0].close()
    more = []
    until(lambda: more.append(answers(web, "127.0.0.2")) or more[-1][1], "a place to be free again")
    for line, _ in (*places, *more, other):
        line.close()


def test_conventions__a_proxy_has_places_for_many(house):
    web = with_env(house, per_address_max="4", trusted_proxy="127.0.0.2")
    places = [answers(web, "127.0.0.2") for _ in range(20)]
    assert all(served for _, served in places)
    for line, _ in places:
        line.close()


def test_conventions__pages_of_other_origins(house):
    web = with_env(house, cors_origin="https://shop.example")
    ours, theirs = {"Origin": "https://shop.example"}, {"Origin": "https://other.example"}
    for _ in range(2):
        told = web.get("/v1/shows/hamlet", headers=ours)
        assert told.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert told.headers["Vary"] == "Origin"
        assert "ETag" in told.headers["Access-Control-Expose-Headers"]
        other = web.get("/v1/shows/hamlet", headers=theirs)
        assert other.status == 200 and other.headers["Access-Control-Allow-Origin"] is None
    before = web.call("OPTIONS", "/v1/shows/hamlet/reservations",
                      headers={**ours, "Access-Control-Request-Method": "POST"})
    assert (before.status, before.text) == (204, "")
    assert "POST" in before.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in before.headers["Access-Control-Allow-Headers"]
    refused = web.post("/v1/shows/hamlet/reservations", {"quantity": 0, "name": "Ann"},
                       key=new_key(), headers=ours)
    assert refused.status == 400  # and the page may read why
    assert refused.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert web.call("OPTIONS", "/v1/shows/hamlet", headers=theirs).headers["Allow"]


def test_conventions__names_travel_into_the_log(house):
    web = with_env(house)
    told = web.post("/v1/shows/hamlet/reservations", {"quantity": 1, "name": "Ann"}, key=new_key(),
                    headers={"X-Request-Id": "till-4", "traceparent": TRACE, "Prefer": "wait=20"})
    assert told.status == 201
    assert (told.headers["X-Request-Id"], told.headers["traceparent"]) == ("till-4", TRACE)
    [record] = [record for record in house.bus.read(("reservations.commands",))]
    assert record.header("request_id") == "till-4"
    assert record.header("traceparent") == TRACE
    for bad in (TRACE[:-1], TRACE.upper(), f"ff{TRACE[2:]}", f"00-{'0' * 32}-{TRACE[36:]}", "x" * 64):
        told = web.get("/v1/shows", headers={"traceparent": bad, "X-Request-Id": "a" * 129})
        assert told.status == 200
        assert told.headers["traceparent"] is None and told.headers["X-Request-Id"] is None


def test_conventions__reading_at_one_edge_what_was_written_at_another(house):
    web = with_env(house)
    _, other = house.second_edge()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: web.reserve("hamlet"), range(20)))
    for held in range(21, 30):
        assert web.reserve("hamlet").status == 201
        position = web.get("/v1/shows/hamlet").headers["X-Log-Position"]
        read = other.get(f"/v1/shows/hamlet?min_position={position}")
        assert (read.status, read["availability"]["held"]) == (200, held)
    partition, offset = position.split(":")
    far = f"{partition}:{int(offset) + 1000}"
    late = other.get(f"/v1/shows/hamlet?min_position={far}", headers={"Prefer": "wait=0"})
    assert (late.status, late["code"]) == (503, "catching_up") and late.headers["Retry-After"]
    for bad in ("", "1", f"{offset}:{partition}x", "99:1", ":", "-1:0"):
        assert other.get(f"/v1/shows/hamlet?min_position={bad}")["code"] == "invalid", bad
    assert other.get(f"/v1/shows/lear?min_position={position}").status == 404


def test_conventions__the_document_is_served(house):
    _, web = house.up()
    told = web.get("/openapi.json")
    assert told.status == 200 and told.headers["Content-Type"] == "application/json"
    assert told.text == (ROOT / "schemas/openapi.json").read_text()
    page = web.get("/docs")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert page.text == (ROOT / "schemas/openapi.html").read_text()


def test_conventions__health_says_what_is_wrong(house):
    _, web = house.up()
    assert web.get("/healthz").json == {"status": "healthy"}
    checks = web.get("/healthz?verbose=1")["checks"]
    assert {check["name"] for check in checks} == {"caught_up", "log_reachable", "log_intact",
                                                   "keeping_up", "turning", "serving",
                                                   "register_written"}
    assert all(check["good"] and "why" not in check for check in checks)
    ready = web.get("/readyz").json
    assert ready["status"] == "ready" and ready["log_reachable"] is True and ready["reasons"] == []
    told = web.get("/readyz", headers={"Accept": "text/plain"})
    assert told.status == 200 and told.text == "ready\n"


def samples(text):
    """{(name, labels): value}; every line is of the form that Prometheus reads."""
    found = {}
    for line in text.splitlines():
        if re.fullmatch(r"# (HELP \w+ .+|TYPE \w+ (counter|gauge|histogram))", line):
            continue
        name, labels, value = re.fullmatch(r'(\w+)(?:\{((?:\w+="[^"]*",?)+)\})? (\S+)', line).groups()
        assert (name, labels) not in found
        found[name, labels] = float(value)
    return found


def test_conventions__what_is_counted_is_told(house):
    _, web = house.up()
    web.create_show("hamlet", 3)
    web.reserve("hamlet", 2)
    for _ in range(3):
        assert web.reserve("hamlet", 2).status == 409
        web.get("/v1/shows/hamlet")
    web.get("/nowhere")
    told = web.get("/metrics")
    assert told.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = samples(told.text)
    reserve = 'method="POST",route="/v1/shows/{}/reservations"'
    count = "stagedoor_http_requests_total"
    assert found[count, f'{reserve},status="2xx"'] == 1
    assert found[count, f'{reserve},status="4xx"'] == 3
    assert found[count, 'method="GET",route="/v1/shows/{}",status="2xx"'] == 3
    assert found[count, 'method="",route="",status="4xx"'] == 1
    assert found["stagedoor_http_problems_total", 'code="all_held"'] == 3
    took = "stagedoor_http_request_duration_seconds"
    assert found[f"{took}_count", reserve] == found[f"{took}_bucket", f'{reserve},le="+Inf"'] == 4
    assert 0 < found[f"{took}_sum", reserve] < 60
    assert found["stagedoor_seats", 'state="held"'] == 2
    assert found["stagedoor_seats", 'state="free"'] == 1
    assert found["stagedoor_edge_caught_up", None] == 1
    assert abs(found["process_start_time_seconds", None] - time.time()) < 600
    assert found["process_resident_memory_bytes", None] > 1e6


def test_conventions__what_the_log_decided_names_its_story(house):
    _, web = house.up()
    web.create_show("hamlet", 1)
    refused = web.reserve("hamlet", 2)
    assert (refused.status, refused["code"]) == (409, "sold_out")
    story = web.staff("GET", refused["instance"])
    assert [step["type"] for step in story["steps"]][:3] == [
        "RequestReservation", "ReservationRequested", "HoldRejected"]
    assert "instance" not in web.reserve("lear").json
