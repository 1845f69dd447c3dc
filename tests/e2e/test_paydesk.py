"""The paydesk against the real services, with an edge played by the test: its signatures, its
script, its patience, and what it remembers when it is killed."""

import base64
import hashlib
import hmac
import http.server
import json
import signal
import sqlite3
import threading
import time
import uuid

import pytest

from log import ACCEPTED, PROGRESS, judge, partition_of
from theatre import new_key, until

SECRET = "whsec_" + base64.b64encode(b"between us, and of 24 bytes or more").decode()
SHOW = "tempest"
EVENTS = tuple(f"{service}.events" for service in ("shows", "reservations", "checkout"))
HANG = 0
PLANNED, OWED, TOLD, REFUSED, CANCELLED = range(5)


# ---- an edge, as far as the paydesk can see ------------------------------------------------------

class Edge:
    """Believes only what is signed, and puts it into the log. `moods`: the statuses of its next
    answers, 200 after that; what it does not answer with 200 it does not take. HANG: it never
    answers at all."""

    def __init__(self, bus, moods=(), port=0):
        self.bus, self.moods = bus, list(moods)
        self.calls = []  # (webhook-id, body, status)
        self.closed = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def handler(edge):  # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = edge.hear(self.path, self.headers, body)
                if status == HANG:
                    edge.closed.wait(60)
                    return
                answer = b'{"code": "of the test"}'
                self.send_response(status)
                if status == 503:
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass
        return Handler

    def hear(self, path, headers, body):
        status = self.moods.pop(0) if self.moods else 200
        if not path.startswith("/v1/payments/callbacks/") or not is_signed(headers, body):
            status = 400
        self.calls.append((headers["webhook-id"], body.decode(), status))
        if status == 200:
            command = json.loads(body)
            name = "RecordRefund" if "refund_id" in command else "RecordPayment"
            say(self.bus, "checkout", name, command)
        return status

    def taken(self):
        return [(name, json.loads(body)) for name, body, status in self.calls if status == 200]

    def close(self):
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()


def is_signed(headers, body):
    """Standard Webhooks, from its text and not from our C."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


# ---- customers without an edge -------------------------------------------------------------------

def say(bus, service, name, body):
    bus.append(f"{service}.commands", json.dumps(body), body["show_id"],
               [("ce_type", f"stagedoor.{service}.{name}")])


class Theatre:
    """A house with the three services, one show and a paydesk."""

    def __init__(self, house):
        self.house, self.bus = house, house.bus
        house.create_topics()
        house.service("shows")
        house.service("reservations")
        self.checkout = house.service("checkout")
        say(self.bus, "shows", "CreateShow",
            {"show_id": SHOW, "name": "The Tempest", "starts_at_ms": 2082751200000,
             "capacity": 100, "currency": "EUR", "max_per_order": 10,
             "tiers": [{"tier_id": "standard", "name": "Standard", "amount_minor": 3400}]})
        self.saw("ShowCreated")

    def paydesk(self, edge, *more, ready=True):
        desk = self.house.start("stagedoor-paydesk", *self.bus.arguments, "--data",
                                self.house.folder, "--edge", edge.url, *more,
                                env={"STAGEDOOR_PAYDESK_SECRET": SECRET})
        if ready:
            desk.said("paydesk: ready, ")
        return desk

    def said(self, *names, **fields):
        """Bodies of the accepted events of these names that have these fields."""
        records = judge(self.bus.read(EVENTS))
        bodies = [(record.type, record.body()) for record in records
                  if record.verdict == ACCEPTED and record.type in names]
        return [(name, body) for name, body in bodies
                if all(body.get(field, body.get("payment", {}).get(field)) == value
                       for field, value in fields.items())]

    def saw(self, name, count=1, **fields):
        return until(lambda: len(found := self.said(name, **fields)) >= count and found,
                     f"{count} {name} of {fields}")

    def hold(self, quantity=2):
        reservation_id = str(uuid.uuid4())
        say(self.bus, "reservations", "RequestReservation",
            {"show_id": SHOW, "reservation_id": reservation_id, "channel": "web",
             "lines": [{"tier_id": "standard", "quantity": quantity}], "holder": {"name": "Ann"}})
        self.saw("SeatsHeld", reservation_id=reservation_id)
        return reservation_id

    def check_out(self, reservation_id, provider="paydesk"):
        payment_id = str(uuid.uuid4())
        say(self.bus, "checkout", "StartCheckout",
            {"show_id": SHOW, "reservation_id": reservation_id, "payment_id": payment_id,
             "method": "external", "by": "customer", "provider": provider})
        self.saw("PaymentRequested", payment_id=payment_id)
        return payment_id

    def cancel(self, reservation_id):
        say(self.bus, "reservations", "CancelReservation",
            {"show_id": SHOW, "reservation_id": reservation_id, "by": "customer",
             "refund": "full"})

    def answers(self):
        """{subject: states of its answers} in the ledger."""
        ledger = sqlite3.connect(f"file:{self.house.folder}/payments-paydesk.db?mode=ro", uri=True)
        found = {}
        for subject, state in ledger.execute("SELECT subject, state FROM answers ORDER BY seq"):
            found.setdefault(subject, []).append(state)
        ledger.close()
        return found

    def noted(self, answers):
        until(lambda: self.answers() == answers, f"the ledger to say {answers}")


@pytest.fixture
def theatre(house):
    """In the end nothing may be wrong in the log: every success has its seats or its refund."""
    found = Theatre(house)
    yield found
    house.check_log()


@pytest.fixture
def edges():
    opened = []

    def open_edge(*arguments, **more):
        opened.append(Edge(*arguments, **more))
        return opened[-1]
    yield open_edge
    for edge in opened:
        edge.close()


# ---- the script ----------------------------------------------------------------------------------

SCRIPT = [  # step, the callbacks' results, what the services make of it
    ("succeed", ["succeeded"], {"PaymentSucceeded": 1, "SeatsSold": 1}),
    ("fail", ["failed"], {"PaymentFailed": 1}),
    ("unknown", ["unknown"], {"PaymentUnknown": 1}),
    ("unknown-then-succeed:200ms", ["unknown", "succeeded"],
     {"PaymentUnknown": 1, "PaymentSucceeded": 1, "SeatsSold": 1}),
    ("unknown-then-fail:200ms", ["unknown", "failed"], {"PaymentUnknown": 1, "PaymentFailed": 1}),
    ("twice", ["succeeded", "succeeded"], {"PaymentSucceeded": 1, "SeatsSold": 1}),
    ("captured-twice", ["succeeded", "succeeded"],
     {"PaymentSucceeded": 2, "SeatsSold": 1, "SaleRejected": 1, "RefundRequested": 1,
      "RefundCompleted": 1}),
    ("wrong-amount", ["succeeded"],
     {"PaymentSucceeded": 1, "SaleRejected": 1, "RefundRequested": 1, "RefundCompleted": 1}),
    ("wrong-currency", ["succeeded"],
     {"PaymentSucceeded": 1, "SaleRejected": 1, "RefundRequested": 1, "RefundCompleted": 1}),
    ("silent", [], {}),
]
OUTCOMES = ("PaymentSucceeded", "PaymentFailed", "PaymentUnknown", "SeatsSold", "SaleRejected",
            "RefundRequested", "RefundCompleted", "RefundFailed")


def test_paydesk__does_as_the_script_says(theatre, edges):
    edge = edges(theatre.bus)
    desk = theatre.paydesk(edge, "--delay", "0ms", "--script", ",".join(row[0] for row in SCRIPT))
    for step, results, outcomes in SCRIPT:
        reservation_id = theatre.hold()
        payment_id = theatre.check_out(reservation_id)
        desk.said(f"payment {payment_id}: no. .*: {step}")

        def found():
            said = [name for name, _ in theatre.said(*OUTCOMES, reservation_id=reservation_id)]
            return {name: said.count(name) for name in said}
        until(lambda: found() == outcomes, f"{step}: {outcomes}")
        until(lambda: [body["result"] for _, body in edge.taken()
                       if body.get("payment_id") == payment_id] == results, f"{step}: {results}")
        assert theatre.said("PaymentRequested", payment_id=payment_id)[0][1]["amount_minor"] == 6800
    ids = [name for name, body in edge.taken() if "payment_id" in body]
    assert len(ids) == len(set(ids)) + 1  # one callback came twice
    assert all(status == 200 for _, _, status in edge.calls)
    assert desk.stop() == 0


def test_paydesk__pays_back_what_it_took(theatre, edges):
    edge = edges(theatre.bus)
    theatre.paydesk(edge, "--delay", "0ms", "--script",
                    "refund-complete,refund-fail:always,refund-silent")
    for outcome in ("RefundCompleted", "RefundFailed", None):
        reservation_id = theatre.hold()
        theatre.check_out(reservation_id)
        theatre.saw("ReservationConfirmed", reservation_id=reservation_id)
        theatre.cancel(reservation_id)
        refund = theatre.saw("RefundRequested", reservation_id=reservation_id)[0][1]
        assert refund["manual"] is False and refund["amount_minor"] == 6800
        if outcome:
            theatre.saw(outcome, reservation_id=reservation_id)
    assert len(theatre.said("RefundCompleted", "RefundFailed")) == 2


def test_paydesk__minds_its_own_provider(theatre, edges):
    edge = edges(theatre.bus)
    desk = theatre.paydesk(edge, "--delay", "0ms")
    theatre.check_out(theatre.hold(), provider="otherpay")
    own = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=own)
    assert [body["payment_id"] for _, body in edge.taken()] == [own]
    assert desk.find("otherpay") is None


def test_paydesk__believes_the_fence(theatre, edges):
    """A PaymentRequested that no owner of the partition wrote is no order to charge."""
    edge = edges(theatre.bus)
    theatre.paydesk(edge, "--delay", "0ms")
    own = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=own)
    body = dict(theatre.said("PaymentRequested", payment_id=own)[0][1], payment_id=str(uuid.uuid4()))
    theatre.bus.append("checkout.events", json.dumps(body), SHOW,
                       [("ce_type", "stagedoor.checkout.PaymentRequested")])
    after = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=after)
    assert [body["payment_id"] for _, body in edge.taken()] == [own, after]


def test_paydesk__stops_at_what_it_cannot_read(house, edges):
    """A newer build may have written it, and it may be about money; so it is not passed over."""
    theatre, edge = Theatre(house), edges(house.bus)
    desk = theatre.paydesk(edge, "--delay", "0ms")
    own = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=own)
    theatre.checkout.kill()
    last = [record for record in judge(theatre.bus.read(["checkout.events"]))
            if record.verdict in (ACCEPTED, PROGRESS)
            and record.partition == partition_of(SHOW.encode(), 4)][-1]
    epoch, n = last.header("sd_stamp").rsplit(".", 1)
    theatre.bus.append("checkout.events", json.dumps({"show_id": SHOW}), SHOW, [
        ("ce_type", "stagedoor.checkout.PaymentWished"), ("sd_stamp", f"{epoch}.{int(n) + 1}"),
        ("sd_source", "timer"), ("sd_positions", last.header("sd_positions"))])
    where = r"checkout\.events/\d at offset \d+: accepted, but not understood"
    line = desk.said(where)[0]
    assert desk.stop() == 0
    for _ in range(2):
        desk = theatre.paydesk(edge)
        assert desk.said(where)[0] == line
        desk.kill()
    assert [body["payment_id"] for _, body in edge.taken()] == [own]


# ---- cancelling ----------------------------------------------------------------------------------

def test_paydesk__cancels_what_is_superseded_or_abandoned(theatre, edges):
    edge = edges(theatre.bus)
    desk = theatre.paydesk(edge, "--delay", "1h", "--script", "succeed*3,late:1h")
    first = theatre.hold()
    old = theatre.check_out(first)
    new = theatre.check_out(first)
    desk.said(f"payment {old}: superseded; the intent is cancelled")
    theatre.cancel(first)
    desk.said(f"payment {new}: abandoned; the intent is cancelled")
    kept = theatre.check_out(theatre.hold())
    second = theatre.hold()
    late = theatre.check_out(second)
    theatre.cancel(second)
    desk.said(f"payment {late}: abandoned; but the script says it is paid all the same")
    assert desk.stop() == 0
    theatre.noted({old: [CANCELLED], new: [CANCELLED], kept: [PLANNED],
                                 late: [PLANNED]})
    assert edge.calls == []


def test_paydesk__does_not_charge_what_was_abandoned_while_it_was_away(theatre, edges):
    edge = edges(theatre.bus)
    theatre.paydesk(edge, "--delay", "0ms").kill()
    gone = theatre.hold()
    abandoned, kept = theatre.check_out(gone), theatre.check_out(theatre.hold())
    theatre.cancel(gone)
    theatre.saw("PaymentAbandoned", payment_id=abandoned)
    theatre.paydesk(edge, "--delay", "0ms")
    theatre.saw("PaymentSucceeded", payment_id=kept)
    theatre.noted({abandoned: [CANCELLED], kept: [TOLD]})
    assert [body["payment_id"] for _, body in edge.taken()] == [kept]


# ---- an edge that is not there, or does not like it ----------------------------------------------

def test_paydesk__tries_until_it_is_taken(theatre, edges):
    edge = edges(theatre.bus, [503, 429, 500, 503])
    theatre.paydesk(edge, "--delay", "0ms")
    payment_id = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=payment_id)
    assert [status for _, _, status in edge.calls] == [503, 429, 500, 503, 200]
    assert len({(name, body) for name, body, _ in edge.calls}) == 1


def test_paydesk__does_not_wait_for_an_edge_that_hangs(theatre, edges):
    edge = edges(theatre.bus, [HANG])
    desk = theatre.paydesk(edge, "--delay", "0ms")
    stuck = theatre.check_out(theatre.hold())
    until(lambda: edge.calls, "the first callback")
    paid = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=paid)
    theatre.noted({stuck: [OWED], paid: [TOLD]})
    assert desk.stop() == 0
    theatre.paydesk(edge, "--delay", "0ms")
    theatre.saw("PaymentSucceeded", payment_id=stuck)


def test_paydesk__leaves_to_a_person_what_is_refused(theatre, edges):
    edge = edges(theatre.bus, [400])
    desk = theatre.paydesk(edge, "--delay", "0ms")
    first = theatre.check_out(theatre.hold())
    desk.said(f"error paydesk: msg_{first}_1: the edge will not take it, a person must look")
    second = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=second)
    theatre.noted({first: [REFUSED], second: [TOLD]})
    assert desk.stop() == 0
    assert [status for _, _, status in edge.calls] == [400, 200]
    theatre.paydesk(edge, "--delay", "0ms").said("1 answers that were refused are sent once more")
    theatre.saw("PaymentSucceeded", payment_id=first)


def test_paydesk__forgets_nothing_when_it_is_killed(theatre, edges):
    """Charged, and killed before the edge had heard of it: told afterwards, and charged once."""
    edge = edges(theatre.bus)
    desk = theatre.paydesk(edge, "--delay", "0ms", "--script", "succeed,fail,succeed")
    edge.close()
    payments = [theatre.check_out(theatre.hold()) for _ in range(2)]
    for payment_id in payments:
        desk.said(f"msg_{payment_id}_1: try 1: no answer")
    desk.kill()
    edge = edges(theatre.bus)
    payments.append(theatre.check_out(theatre.hold()))
    desk = theatre.paydesk(edge, "--delay", "0ms", "--script", "succeed,fail,succeed")
    theatre.saw("PaymentSucceeded", payment_id=payments[0])
    theatre.saw("PaymentFailed", payment_id=payments[1])  # the script went on where it was
    theatre.saw("PaymentSucceeded", payment_id=payments[2])
    theatre.noted({payment_id: [TOLD] for payment_id in payments})

    desk.kill()  # at rest nothing is sent again
    theatre.paydesk(edge, "--delay", "0ms", "--script", "succeed,fail,succeed")
    last = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=last)
    told = [body["payment_id"] for _, body in edge.taken()]
    assert sorted(told) == sorted([*payments, last])


def test_paydesk__a_ledger_made_anew_charges_nobody_twice(theatre, edges):
    edge = edges(theatre.bus)
    desk = theatre.paydesk(edge, "--delay", "0ms")
    paid = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=paid)
    assert desk.stop() == 0
    for path in theatre.house.folder.glob("payments-paydesk.db*"):
        path.unlink()
    desk = theatre.paydesk(edge, "--delay", "0ms")
    desk.said(f"{paid}: succeeded, as the log knows already")
    last = theatre.check_out(theatre.hold())
    theatre.saw("PaymentSucceeded", payment_id=last)
    assert [body["payment_id"] for _, body in edge.taken()] == [paid, last]


# ---- starting ------------------------------------------------------------------------------------

def test_paydesk__says_what_is_wrong_before_it_starts(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    common = [*sqlite_bus.arguments, "--data", house.folder, "--secret", SECRET]
    for arguments, code, why in [
            (["--bus", sqlite_bus.url], 100, "a secret shared with the edge is needed"),
            (["--secret", SECRET], 100, "--bus URL is needed"),
            ([*common, "--secret", "whsec_c2hvcnQ="], 100, "it is not 24 to 64 bytes long"),
            ([*common, "--secret-file", house.folder / "none"], 100, "cannot read the secret"),
            ([*common, "--script", "suceed"], 100, "'suceed' is no step of a script"),
            ([*common, "--delay", "soon"], 100, "'soon' is no time to wait"),
            ([*common, "--edge", "localhost:3000"], 100, "is no address of an edge"),
            ([*common, "--provider", "../bus"], 100, "is no name of a provider"),
            ([*common, "--colour"], 100, "unknown option '--colour'"),
            ([*common, "extra"], 100, "unexpected argument 'extra'"),
            (common, 111, "topic")]:
        desk = house.start("stagedoor-paydesk", *arguments)
        assert desk.ended() == code, desk.output
        assert why in desk.output and SECRET not in desk.output
    for question in ("--help", "--version"):
        assert house.start("stagedoor-paydesk", question).ended() == 0


def test_paydesk__keeps_to_its_ledger(house_on, sqlite_bus, tmp_path, edges):
    """One process a ledger; and a ledger of another log is not written over."""
    theatre = Theatre(house_on(sqlite_bus))
    edge = edges(sqlite_bus)
    desk = theatre.paydesk(edge)
    second = theatre.paydesk(edge, ready=False)
    assert second.ended() == 111 and "another paydesk works with" in second.output
    assert desk.stop() == 0
    other = type(sqlite_bus)(tmp_path / "other")
    (tmp_path / "other").mkdir()
    assert theatre.house.run("topics", "create", *other.arguments).returncode == 0
    stranger = theatre.paydesk(edge, *other.arguments, ready=False)
    assert stranger.ended() == 111 and "of another installation" in stranger.output


# ---- beside all the others -----------------------------------------------------------------------

def test_paydesk__up_starts_it_and_a_customer_pays(house):
    up, web = house.up("--paydesk", "fail,succeed", env={"STAGEDOOR_PAYDESK_DELAY": "0ms"})
    up.said("paydesk: ready, ")
    web.create_show(SHOW, 5, tiers=[{"tier_id": "standard", "name": "Standard",
                                     "price": {"amount_minor": 3400, "currency": "EUR"}}])
    held = web.reserve(SHOW, 2).json
    path = f"/v1/reservations/{held['reservation_id']}"
    for status in ("held", "confirmed"):
        paying = web.post(f"{path}/checkout", {"method": "external", "provider": "paydesk"},
                          key=new_key(), bearer=held["secret"], headers={"Prefer": "wait=20"})
        assert paying.status == 201, paying.text
        up.said(f"msg_{paying['payment_id']}_1: told, status 200")
        until(lambda: web.look(held)["status"] == status, f"the reservation to be {status}")
    assert web.cancel(held).status == 200
    until(lambda: web.look(held).json.get("refund", {}).get("status") == "completed",
          "the money to be back")
    up.signal(signal.SIGTERM)
    assert up.ended() == 0, up.output
    house.check_log()
