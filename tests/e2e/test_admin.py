"""What whoever runs it asks a process: is it alive, is it ready and if not why, how does it fare."""

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess

import pytest

from theatre import ROOT, until


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
    for name in ("shows", "reservations", "checkout"):
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


def test_admin__asked_twice_a_service_ends_at_once(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    program = house.service("shows")
    program.signal(signal.SIGSTOP)  # so that both are there when it looks
    program.signal(signal.SIGTERM)
    program.signal(signal.SIGINT)
    program.signal(signal.SIGCONT)
    assert program.ended() == 111
