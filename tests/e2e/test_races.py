"""ThreadSanitizer looks on while an edge is treated as a rush treats it: a report is a failure.

The edge alone is built with the sanitizer (build/tsan/bin), its SQLite log and register with it;
the services are what STAGEDOOR_BIN says. Many threads reserve, read, retry under one key
at the same time, pay, cancel, list, wait, change shows, and leave without hearing the end."""

import random
import socket
import threading
import time

from buses import ROOT
from theatre import SERVICES, Web, new_key, until

TSAN_EDGE = ROOT / "build/tsan/bin/stagedoor-edge"
TSAN_OPTIONS = "halt_on_error=0 exitcode=66"
THREADS, SECONDS = 12, 12
SHOWS = [f"show-{number}" for number in range(4)]


class Customer(threading.Thread):
    """Does one thing after another until the time is up; every answer must be one we know."""

    def __init__(self, web, number, until_s):
        super().__init__()
        self.web, self.until_s = web, until_s
        self.random = random.Random(number)
        self.reservations = []
        self.answers = {}
        self.error = None

    def run(self):
        deeds = (self.reserve, self.reserve, self.reserve_twice, self.look, self.wait, self.pay,
                 self.cancel, self.browse, self.leave, self.hold_blocks, self.manage,
                 self.watch, self.table)
        try:
            while time.monotonic() < self.until_s:
                self.random.choice(deeds)()
        except Exception as error:  # it is told by the test
            self.error = error

    def heard(self, answer):
        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        assert answer.status < 500 or answer.status == 503, answer.text  # 503: the machine is busy
        return answer

    def reserve(self, key=None):
        answer = self.heard(self.web.reserve(self.random.choice(SHOWS), self.random.randint(1, 3),
                                             key=key, wait=self.random.choice((0, 2, 20))))
        if answer.status in (201, 202):
            self.reservations.append(answer.json)

    def table(self):
        path = f"/v1/shows/{self.random.choice(SHOWS)}/reservations"
        self.heard(self.web.staff("GET", path, headers={"Accept": "text/csv"}))

    def connect(self):
        host, port = self.web.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)))

    def watch(self):
        """A show live, for a moment; who watches leaves without a word."""
        with self.connect() as line:
            line.settimeout(1)
            path = f"/v1/shows/{self.random.choice(SHOWS)}/stream"
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: stagedoor\r\n\r\n".encode())
            for _ in range(self.random.randint(0, 3)):
                try:
                    line.recv(4096)
                except TimeoutError:
                    break

    def reserve_twice(self):
        """The same purchase from two connections at once."""
        key, show, told = new_key(), self.random.choice(SHOWS), []
        twins = [threading.Thread(target=lambda: told.append(self.web.reserve(show, 1, key=key)))
                 for _ in range(2)]
        for twin in twins:
            twin.start()
        for twin in twins:
            twin.join()
        assert len(told) == 2
        assert len({answer["reservation_id"] for answer in told if answer.status == 201}) <= 1

    def one(self):
        return self.random.choice(self.reservations) if self.reservations else None

    def look(self):
        if self.one():
            self.heard(self.web.look(self.one()))

    def wait(self):
        one = self.one()
        if one:
            self.heard(self.web.get(f"/v1/reservations/{one['reservation_id']}?wait=1",
                                    bearer=one["secret"]))

    def pay(self):
        if self.one():
            self.heard(self.web.check_out(self.one()))

    def cancel(self):
        if self.reservations:
            gone = self.reservations.pop(self.random.randrange(len(self.reservations)))
            self.heard(self.web.cancel(gone))

    def browse(self):
        for path in ("/v1/shows?limit=2", "/v1/shows/nowhere", "/", f"/show/{SHOWS[0]}", "/readyz",
                     f"/v1/shows/{self.random.choice(SHOWS)}", f"/reservations/{SHOWS[1]}"):
            self.heard(self.web.get(path))

    def hold_blocks(self):
        for path in ("/hold-seats", "/release-seats"):
            self.heard(self.web.call("PUT", path, {"showID": SHOWS[3], "count": 1}))

    def manage(self):
        show = self.random.choice(SHOWS[:2])
        for method, path, body in (("PUT", "blocks/b1", {"quantity": self.random.randint(0, 3)}),
                                   ("PUT", "capacity", {"capacity": 4000}), ("POST", "pause", {}),
                                   ("POST", "open", {})):
            self.heard(self.web.staff(method, f"/v1/shows/{show}/{path}", body, key=new_key()))
        self.heard(self.web.post("/v1/payments/callbacks/paydesk", {}))

    def leave(self):
        """A request, whole or in part, and nobody there to hear what is said to it."""
        body = '{"quantity":1,"name":"Eve"}'
        request = (f"POST /v1/shows/{SHOWS[2]}/reservations HTTP/1.1\r\nHost: x\r\n"
                   f"Idempotency-Key: {new_key()}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        with self.connect() as connection:
            connection.sendall(request[:self.random.randint(1, len(request))].encode())


def start_edge(house):
    edge = house.start(TSAN_EDGE, *house.bus.arguments, "--data", house.data, "--listen",
                       "127.0.0.1:0", env={"TSAN_OPTIONS": TSAN_OPTIONS})
    url = edge.said(r"ready, (http://\S+)", 60)[1]
    return edge, Web(url, (house.data / "signin").read_text().strip())


def assert_no_race(edge):
    reports = [number for number, line in enumerate(edge.lines) if "ThreadSanitizer" in line]
    assert not reports, "\n".join(edge.lines[reports[0]:reports[0] + 80])


def test_races__none_in_an_edge_under_load(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    for service in SERVICES:
        house.service(service)
    edge, web = start_edge(house)
    for number, show in enumerate(SHOWS):
        web.create_show(show, 8 if number % 2 else 5000, hold_ttl_s=60)
    until_s = time.monotonic() + SECONDS
    customers = [Customer(web, number, until_s) for number in range(THREADS)]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join()
    assert_no_race(edge)
    errors = [customer.error for customer in customers if customer.error]
    assert not errors, errors[0]
    statuses = set().union(*(customer.answers for customer in customers))
    assert {200, 201, 404, 409} <= statuses, statuses
    until(lambda: web.availability(SHOWS[0])["held"] > 0, "seats are held")
    code = edge.stop(60)
    assert_no_race(edge)
    assert code == 0, edge.output
    house.check_log()
