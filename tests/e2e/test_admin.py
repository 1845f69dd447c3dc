"""What whoever runs it asks a process: is it alive, is it ready and if not why, how does it fare."""

import concurrent.futures
import dataclasses
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from theatre import ROOT, SERVICES, clock_of, new_key, until


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("admin", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Admin:
    """The admin listener of one process, at a socket file of its own."""

    def __init__(self, folder, name):
        self.path = folder / f"{name}.sock"
        self.option = ("--admin", f"unix:{self.path}")

    def call(self, method, path, **headers):
        connection = UnixConnection(self.path)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def there(self):
        until(self.path.exists, f"{self.path} to be there")
        return self

    def ready(self):
        status, _, text = self.get("/readyz")
        return status, json.loads(text)

    def metrics(self):
        status, kind, text = self.get("/metrics")
        assert status == 200 and kind.startswith("text/plain; version=0.0.4")
        return text

    def value(self, sample):
        """The value of a sample, written with its labels; None: it is not told."""
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.metrics(), re.M)
        return float(found[1]) if found else None


class Systemd:
    """What sd_notify(3) sends arrives here, as a list of "NAME=value"."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = folder / "notify"
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.said = []

    def env(self, **more):
        return dict({"NOTIFY_SOCKET": str(self.path)}, **more)

    def heard(self, pattern):
        def found():
            try:
                while True:
                    self.said += self.socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                pass
            return [line for line in self.said if re.fullmatch(pattern, line)]
        return until(found, f"systemd to hear {pattern}")[0]


def promtool():
    return shutil.which("promtool") or ROOT / "build/tools/promtool"


def check(metrics):
    done = subprocess.run([promtool(), "check", "metrics"], input=metrics, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr


# ---- services ------------------------------------------------------------------------------------

@pytest.fixture
def admins(house):
    """The services and an edge at work; their admin listeners by name."""
    house.create_topics()
    found = {}
    for name in SERVICES:
        found[name] = Admin(house.folder, name)
        house.service(name, "1", *found[name].option)
    return found


def test_admin__what_a_service_decides_is_counted(house, admins):
    _, web = house.edge()
    web.create_show("hamlet", 3)
    sold = web.reserve("hamlet", 2).json
    assert web.check_out(sold).status in (200, 201)
    assert web.reserve("hamlet", 2).status == 409
    shows = admins["shows"]
    until(lambda: shows.value('stagedoor_seats{state="sold"}') == 2, "the seats to be told")
    assert shows.value('stagedoor_outcomes_total{type="SeatsSold"}') == 1
    assert shows.value('stagedoor_rejections_total{reason="sold_out"}') == 1
    assert shows.value("stagedoor_append_duration_seconds_count") >= 4
    assert shows.value("stagedoor_decide_duration_seconds_count") >= 4
    assert shows.value("stagedoor_answer_duration_seconds_count") >= 4
    assert shows.value('stagedoor_input_lag_records{topic="shows.commands",partition="0"}') == 0
    until(lambda: shows.value("stagedoor_bus_answer_seconds"), "the log's answer to be timed")
    for name, admin in admins.items():
        assert admin.get("/livez") == (200, "text/plain; charset=utf-8", "live\n")
        assert admin.ready() == (200, {"status": "ready", "log_reachable": True, "joined": True,
                                       "recovered": True, "log_intact": True, "keeping_up": True,
                                       "turning": True, "serving": True, "reasons": []})
        assert f'stagedoor_build_info{{program="{name}",' in admin.metrics()
        check(admin.metrics())


def test_admin__answers_before_the_bus_does(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    admin = Admin(house.folder, "shows")
    program = house.start("stagedoor-shows", "--bus", f"kafka://127.0.0.1:{port}",
                          "--group-instance", "1", *admin.option)
    admin.there()
    status, answer = admin.ready()
    assert status == 503 and answer["log_reachable"] is False
    assert answer["reasons"] == ["no bus: the log does not answer; is it running?"]
    status, kind, text = admin.get("/readyz", Accept="text/plain")
    assert (status, kind) == (503, "text/plain; charset=utf-8")
    assert text == f"not ready\n{answer['reasons'][0]}\n"
    assert admin.get("/livez")[0] == 200
    assert admin.value("stagedoor_bus_up") == 0
    check(admin.metrics())
    program.signal(signal.SIGTERM)
    program.signal(signal.SIGINT)
    program.ended()


def test_admin__has_three_pages_and_no_more(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    admin = Admin(house.folder, "shows")
    program = house.service("shows", "1", *admin.option)
    assert admin.get("/")[0] == 404
    assert admin.call("POST", "/metrics")[0] == 405
    assert admin.call("HEAD", "/readyz")[::2] == (200, "")
    assert program.stop() == 0
    assert not admin.path.exists()


def test_admin__takes_a_port_or_a_path(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    program = house.service("shows", "1", "--admin", "127.0.0.1:0")
    port = program.said(r"metrics at http://127\.0\.0\.1:(\d+)/metrics")[1]
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    connection.request("GET", "/livez")
    assert connection.getresponse().status == 200
    other = house.start("stagedoor-shows", *house.bus.arguments, "--group-instance", "2",
                        "--admin", f"127.0.0.1:{port}")
    assert other.ended() == 111
    assert f"cannot listen on '127.0.0.1:{port}'" in other.output
    other = house.start("stagedoor-shows", *house.bus.arguments, "--group-instance", "2",
                        "--admin", "nowhere")
    assert other.ended() == 100
    assert "'nowhere' is no value for --admin" in other.output


def test_admin__a_path_left_by_the_dead_is_taken_over(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    admin = Admin(house.folder, "shows")
    house.service("shows", "1", *admin.option).kill()
    assert admin.path.exists()
    house.service("shows", "1", *admin.option)
    assert admin.get("/livez")[0] == 200
    other = house.start("stagedoor-shows", *house.bus.arguments, "--group-instance", "2",
                        *admin.option)
    assert other.ended() == 111 and f"cannot listen at '{admin.path}'" in other.output


# ---- systemd -------------------------------------------------------------------------------------

def test_admin__systemd_hears_of_a_service(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    systemd = Systemd(house.folder)
    program = house.start("stagedoor-shows", *house.bus.arguments, "--group-instance", "1",
                          env=systemd.env(WATCHDOG_USEC="200000"))
    systemd.heard("READY=1")
    assert systemd.heard("STATUS=ready.*") == "STATUS=ready, owns 0 1 2 3 of 4 partitions"
    systemd.heard("WATCHDOG=1")
    systemd.said.clear()
    systemd.heard("WATCHDOG=1")
    assert program.stop() == 0
    systemd.heard("STOPPING=1")


def test_admin__who_started_once_says_so_when_the_clock_is_set(house_on, sqlite_bus):
    """Whoever counts restarts by it counts every change."""
    house = house_on(sqlite_bus)
    house.create_topics()
    clock, admin = house.folder / "clock", Admin(house.folder, "shows")
    clock.write_text("+0\n")
    house.service("shows", "1", *admin.option, env=clock_of(clock))
    begun = admin.there().value("process_start_time_seconds")
    assert abs(begun - time.time()) < 120
    clock.write_text("+3600\n")
    for _ in range(3):
        assert admin.value("process_start_time_seconds") == begun


def test_admin__asked_twice_a_service_ends_at_once(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    program = house.service("shows")
    program.signal(signal.SIGSTOP)  # so that both are there when it looks
    program.signal(signal.SIGTERM)
    program.signal(signal.SIGINT)
    program.signal(signal.SIGCONT)
    assert program.ended() == 111


# ---- edge and paydesk ----------------------------------------------------------------------------

def test_admin__systemd_hears_of_an_edge(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    systemd = Systemd(house.folder)
    program = house.start("stagedoor-edge", *house.bus.arguments, "--data", house.data, "--listen",
                          "127.0.0.1:0", env=systemd.env(WATCHDOG_USEC="400000"))
    systemd.heard("READY=1")
    systemd.heard("STATUS=ready")
    systemd.heard("WATCHDOG=1")
    assert program.stop() == 0
    systemd.heard("STOPPING=1")


def test_admin__asked_twice_an_edge_ends_at_once(house_on, sqlite_bus):
    """Somebody waits for an answer that nobody will give: the first signal lets him wait for it."""
    house = house_on(sqlite_bus)
    house.create_topics()
    house.service("shows")
    program, web = house.edge()
    web.create_show("hamlet", 1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(web.reserve, "hamlet", wait=30)
        until(lambda: samples(web.get("/metrics").text)["stagedoor_edge_waiting_requests"] == 1,
              "the customer to wait")
        program.signal(signal.SIGTERM)
        program.said("stopping")
        program.signal(signal.SIGTERM)
        assert program.ended(3) == 111
        with pytest.raises((http.client.HTTPException, OSError)):
            waiting.result()


def test_admin__an_edge_that_waits_for_the_log_can_be_stopped(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    program = house.start("stagedoor-edge", "--bus", f"kafka://127.0.0.1:{port}", "--data",
                          house.data, "--listen", "127.0.0.1:0")
    program.said("trying again")
    assert program.stop() == 0


def samples(text):
    """{name with its labels: value}"""
    return {name: float(value) for name, value in re.findall(r"^([a-z]\S*) (\S+)$", text, re.M)}


def test_admin__an_edge_tells_of_its_reading(house):
    house.create_topics()
    for name in SERVICES:
        house.service(name)
    _, web = house.edge()
    web.create_show("hamlet", 3)
    web.reserve("hamlet", 2)
    told = samples(web.get("/metrics").text)
    assert told["stagedoor_edge_commands_total"] == 2
    assert told["stagedoor_edge_command_duration_seconds_count"] == 2
    assert told["stagedoor_edge_commands_unacknowledged_total"] == 0
    assert told["stagedoor_events_read_total"] >= 3
    assert told["stagedoor_bus_up"] == 1
    assert told['stagedoor_seats{state="held"}'] == 2
    until(lambda: samples(web.get("/metrics").text)["stagedoor_view_lag_records"] == 0, "no lag")
    check(web.get("/metrics").text)


# ---- all of them, through a whole sale -----------------------------------------------------------

EVERYTHING = ("--log-level", "debug")
ZOE = {"name": "Zoe Zimmermann-Quux", "email": "zoe.quux@example.org", "phone": "+4915112345678"}


@dataclasses.dataclass
class Sale:
    """A theatre that says everything, and what was sold there and given back."""
    web: object
    admins: dict  # by program
    programs: list
    held: dict

    def metrics(self):
        told = {name: admin.metrics() for name, admin in self.admins.items()}
        assert re.findall("^#.*", told["edge"], re.M) == \
            re.findall("^#.*", self.web.get("/metrics").text, re.M)
        return told


def sold(house, *options):
    """Somebody reserves, pays at the paydesk, and has his money back."""
    house.create_topics()
    admins = {name: Admin(house.folder, name) for name in (*SERVICES, "edge", "paydesk")}
    programs = [house.service(name, "1", *admins[name].option, *options, ready=False)
                for name in SERVICES]
    edge, web = house.edge(*options, *admins["edge"].option, "--pay-url=paydesk=https://pay.example/{payment_id}")
    desk = house.start("stagedoor-paydesk", *house.bus.arguments, "--data", house.folder, "--edge",
                       web.url, "--secret-file", house.data / "keys", "--delay", "0ms",
                       *admins["paydesk"].option, *options)
    web.create_show("hamlet", 5, tiers=[{"tier_id": "stalls", "name": "Stalls",
                                         "price": {"amount_minor": 3400, "currency": "EUR"}}])
    held = web.post("/v1/shows/hamlet/reservations", {"quantity": 2, **ZOE}, key=new_key(),
                    headers={"Prefer": "wait=20"}).json
    path = f"/v1/reservations/{held['reservation_id']}"
    paying = web.post(f"{path}/checkout", {"method": "external", "provider": "paydesk"},
                      key=new_key(), bearer=held["secret"], headers={"Prefer": "wait=20"})
    assert paying.status == 201, paying.text
    until(lambda: web.look(held)["status"] == "confirmed", "the seats to be sold")
    assert web.get(path, bearer="x" * 43).status in (401, 403)  # a guess
    assert web.cancel(held).status == 200
    until(lambda: web.look(held).json.get("refund", {}).get("status") == "completed",
          "the money to be back")
    return Sale(web, admins, [*programs, edge, desk], held)


def secrets_of(house, sale):
    """Whatever nobody else may know: keys of people and of providers, secrets of customers."""
    words = (house.data / "keys").read_text().split() + [sale.web.key, sale.held["secret"]]
    found = {word for word in words if len(word) >= 16}
    assert any(word.startswith("whsec_") for word in found) and len(found) >= 4
    return found | set(ZOE.values())


@pytest.mark.parametrize("form", ["text", "logfmt", "json"])
def test_admin__no_secret_is_ever_logged(house_on, sqlite_bus, form):
    house = house_on(sqlite_bus)
    sale = sold(house, *EVERYTHING, "--log-format", form)
    for program in sale.programs:
        assert program.stop() == 0
    said = "\n".join(program.output for program in sale.programs)
    told = [f"reservations.commands@0: ReservationRequested, show hamlet, "
            f"reservation {sale.held['reservation_id']}", "PaymentSucceeded", "SeatsReturned",
            "POST /v1/shows/{}/reservations: 201"]
    assert all(words in said for words in told), said
    leaked = [secret for secret in secrets_of(house, sale) if secret in said]
    assert not leaked
    if form == "json":
        for line in said.splitlines():
            assert set(json.loads(line)) == {"time", "level", "subject", "message"}


def listed():
    """{metric: (kind, programs)} of docs/metrics.md."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([SEP]+) \| .* \|$",
                      (ROOT / "docs/metrics.md").read_text(), re.M)
    assert len({name for name, *_ in rows}) == len(rows) > 40
    return {name: (kind, set(who)) for name, kind, who in rows}


def test_admin__every_metric_is_in_the_table_and_the_reverse(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    sale = sold(house)
    letters = {"edge": "E", "paydesk": "P"}
    found = {}
    for program, metrics in sale.metrics().items():
        check(metrics)
        assert not [secret for secret in secrets_of(house, sale) if secret in metrics]
        for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", metrics, re.M):
            known = found.setdefault(name, (kind, set()))
            assert known[0] == kind
            known[1].add(letters.get(program, "S"))
    assert found == listed()


def test_admin__paydesk_tells_of_what_it_owes(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    paydesk = sold(house).admins["paydesk"]
    until(lambda: paydesk.value("stagedoor_paydesk_owed_answers") == 0, "nothing to be owed")
    assert paydesk.value('stagedoor_paydesk_callbacks_total{result="told"}') == 2
    assert paydesk.ready()[0] == 200
