"""What a collector of traces hears, and that nobody waits for it. The collector is ours; whether it
was spoken to rightly is asked of OpenTelemetry's own schema (check_otlp.py)."""

import http.server
import json
import re
import socket
import subprocess
import threading

import pytest

from theatre import ROOT, new_key, until

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


class Collector:
    """Keeps what it is told. `answers`: what to say next; when there is none, that all is well."""

    def __init__(self):
        self.requests, self.answers = [], []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said = collector.answers.pop(0) if collector.answers else (200, {})
                collector.requests.append((self.path, self.headers, body, status))
                answer = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def env(self, **more):
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "50", **more}

    def taken(self):
        """[(resource, span)], attributes as dictionaries."""
        found = []
        for _, _, body, status in list(self.requests):
            for told in json.loads(body)["resourceSpans"] if status == 200 else []:
                resource = attributes(told["resource"])
                found += [(resource, span | {"attributes": attributes(span)})
                          for scope in told["scopeSpans"] for span in scope["spans"]]
        return found

    def spans(self, trace=None):
        """{name: span} of one trace; `service` is whose it is."""
        return {span["name"]: span | {"service": resource["service.name"]}
                for resource, span in self.taken() if trace in (None, span["traceId"])}

    def heard(self, *names, trace=None):
        until(lambda: set(names) <= set(self.spans(trace)), f"the collector to hear {names}")
        return self.spans(trace)

    def check(self):
        """By the official schema, strictly."""
        for _, _, body, _ in self.requests:
            done = subprocess.run([ROOT / "build/venv/bin/python", ROOT / "tests/e2e/check_otlp.py"],
                                  input=body, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr.decode()


def attributes(told):
    return {one["key"]: next(iter(one["value"].values())) for one in told["attributes"]}


@pytest.fixture
def collector():
    found = Collector()
    yield found
    found.close()


RESERVE = "POST /v1/shows/{}/reservations"
REQUESTED = "RequestReservation: ReservationRequested"
HELD = "ReservationRequested: SeatsHeld"


def reserve(web, traceparent=None, quantity=1):
    headers = {"Prefer": "wait=20", **({"traceparent": traceparent} if traceparent else {})}
    return web.post("/v1/shows/hamlet/reservations", {"quantity": quantity, "name": "Ann"},
                    key=new_key(), headers=headers)


def test_tracing__a_sale_is_one_trace_through_all_processes(house, collector):
    _, web = house.up(env=collector.env(OTEL_EXPORTER_OTLP_HEADERS="api-key=a%20b,x=1",
                                        OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test"))
    web.create_show("hamlet", 3)
    sold = reserve(web, TRACEPARENT)
    assert sold.status == 201
    _, trace, edge, flags = sold.headers["traceparent"].split("-")
    assert (trace, flags) == (TRACE, "01") and edge != CALLER
    spans = collector.heard(RESERVE, REQUESTED, HELD, trace=TRACE)
    asked, requested, held = spans[RESERVE], spans[REQUESTED], spans[HELD]
    assert (asked["parentSpanId"], asked["spanId"], asked["kind"]) == (CALLER, edge, 2)
    assert (requested["parentSpanId"], requested["kind"]) == (edge, 5)
    assert held["parentSpanId"] == requested["spanId"]
    assert [span["service"] for span in (asked, requested, held)] == [
        "stagedoor-edge", "stagedoor-reservations", "stagedoor-shows"]
    reservation = sold["reservation_id"]
    told = held["attributes"]
    assert told["messaging.destination.name"] == "reservations.events"
    assert told["stagedoor.outcome"] == "SeatsHeld" and told["stagedoor.show_id"] == "hamlet"
    for span in (asked, requested, held):
        assert span["attributes"]["stagedoor.reservation_id"] == reservation
        assert 0 < int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert int(asked["startTimeUnixNano"]) < int(held["endTimeUnixNano"])
    assert asked["attributes"]["http.response.status_code"] == "201"
    # The records are what they would have been, but for who is named as the parent.
    [outcome] = [record for record in house.bus.read(("shows.events",))
                 if record.header("ce_id") == told["stagedoor.outcome.id"]]
    assert outcome.header("traceparent") == sold.headers["traceparent"]
    for resource, _ in collector.taken():
        assert resource["deployment.environment"] == "test" and resource["service.instance.id"]
    path, headers, _, _ = collector.requests[0]
    assert (path, headers["api-key"], headers["x"]) == ("/v1/traces", "a b", "1")
    collector.check()
    house.check_log()


def test_tracing__who_sends_none_begins_one_and_probes_do_not(house_on, sqlite_bus, collector):
    house = house_on(sqlite_bus)
    _, web = house.up(env=collector.env())
    web.create_show("hamlet", 1)
    sold = reserve(web)
    trace = sold.headers["traceparent"].split("-")[1]
    spans = collector.heard(RESERVE, REQUESTED, HELD, trace=trace)
    assert "parentSpanId" not in spans[RESERVE]
    assert web.get("/readyz").headers["traceparent"] is None
    refused = reserve(web)
    trace = refused.headers["traceparent"].split("-")[1]
    rejected = collector.heard(RESERVE, "ReservationRequested: HoldRejected", trace=trace)
    told = rejected["ReservationRequested: HoldRejected"]
    assert told["attributes"]["stagedoor.reason"] == "all_held" and "status" not in told
    assert rejected[RESERVE]["attributes"]["error.type"] == "all_held"


def test_tracing__what_others_left_out_stays_out(house_on, sqlite_bus, collector):
    house = house_on(sqlite_bus)
    _, web = house.up(env=collector.env(OTEL_TRACES_SAMPLER="parentbased_traceidratio",
                                        OTEL_TRACES_SAMPLER_ARG="0"))
    web.create_show("hamlet", 3)
    unsampled = TRACEPARENT[:-2] + "00"
    assert reserve(web, unsampled).headers["traceparent"] == unsampled
    assert reserve(web).headers["traceparent"] is None
    assert reserve(web, TRACEPARENT).status == 201
    collector.heard(RESERVE, REQUESTED, HELD, trace=TRACE)
    assert len(collector.taken()) == 3


def test_tracing__nobody_waits_for_a_collector(house_on, sqlite_bus, collector):
    house = house_on(sqlite_bus)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        up, web = house.up(env=collector.env(OTEL_EXPORTER_OTLP_ENDPOINT=url))
        web.create_show("hamlet", 3000)
        for _ in range(20):
            assert reserve(web).status == 201
        assert up.stop() == 0
    house.check_log()


def test_tracing__a_collector_that_comes_back_is_told_what_it_missed(house_on, sqlite_bus,
                                                                     collector):
    house = house_on(sqlite_bus)
    collector.answers = [(503, {})]
    house.create_topics()
    for name in ("reservations", "shows", "checkout"):
        house.service(name)
    program, web = house.edge(env=collector.env())
    web.create_show("hamlet", 3)
    program.said("traces: cannot be told .* it answers 503")
    collector.heard("POST /v1/shows")
    program.said("traces: are told again")
    collector.answers = [(400, {"message": "no"})]
    reserve(web, TRACEPARENT)
    program.said("it answers 400: .*no")
    collector.answers = [(200, {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "full"}})]
    reserve(web)
    program.said("the collector left out 1 of 1: full")
    metrics = web.get("/metrics").text
    assert re.search(r'^stagedoor_spans_total\{result="failed"\} 2$', metrics, re.M)
    assert re.search(r'^stagedoor_spans_total\{result="dropped"\} 0$', metrics, re.M)


def test_tracing__what_is_left_is_told_at_the_end(house_on, sqlite_bus, collector):
    house = house_on(sqlite_bus)
    up, web = house.up(env=collector.env(OTEL_BSP_SCHEDULE_DELAY="3600000"))
    web.create_show("hamlet", 3)
    reserve(web, TRACEPARENT)
    assert not collector.taken()
    assert up.stop() == 0
    assert {RESERVE, REQUESTED, HELD} <= set(collector.spans(TRACE))


@pytest.mark.parametrize("name, value, said", [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "give a URL, such as"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "only http/json is spoken"),
    ("OTEL_TRACES_SAMPLER", "sometimes", "parentbased_always_on is taken"),
    ("OTEL_BSP_SCHEDULE_DELAY", "soon", "give milliseconds"),
])
def test_tracing__what_is_not_understood_is_said(house_on, sqlite_bus, collector, name, value,
                                                 said):
    house = house_on(sqlite_bus)
    house.create_topics()
    program = house.service("shows", env=collector.env(**{name: value}))
    program.said(f"warning traces: {name} is '{value}': .*{said}")
