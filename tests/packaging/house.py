"""The package in a clean Debian that is started by systemd, as somebody would use it: `make deb-test`.

The machine is a folder made by packaging/debian-base.sh, run by systemd-nspawn with whatever it
writes in memory, and with a network of its own that leads nowhere. Needs root."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/e2e"))
from theatre import until  # noqa: E402

URL = "http://127.0.0.1:3000"
BUS = "sqlite:/var/lib/stagedoor/bus.db"
KINDS = ("shows", "reservations", "checkout", "edge")
HALT = signal.SIGRTMIN + 4  # "power off" in the words of a systemd that is a container's first process


class Machine:
    def __init__(self, folder, package):
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--volatile=overlay", "--private-network", "--register=no",
             "--keep-unit", f"--bind-ro={package}:/root/stagedoor.deb", "--console=pipe", "-b", "-D",
             folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        self.first = until(self.find_first, "the machine to have a first process")
        until(lambda: self.run("systemctl", "is-system-running", check=False) in
              ("running", "degraded"), "the machine to be up")

    def find_first(self):
        assert self.nspawn.poll() is None, self.nspawn.stdout.read()
        path = pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children")
        words = path.read_text().split()
        return int(words[0]) if words and (
            pathlib.Path(f"/proc/{words[0]}/comm").read_text().strip() == "systemd") else None

    def run(self, *words, user=None, check=True):
        """Its output, without the end of the last line."""
        become = ["runuser", "-u", user, "--"] if user else []
        done = subprocess.run(
            ["nsenter", "-t", str(self.first), "-m", "-p", "-u", "-i", "-n", "-r", "-w", *become,
             *words], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"],
                                                                       "LANG": "C.UTF-8"})
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def stagedoor(self, *words, **more):
        return self.run("stagedoor", *words, user="stagedoor", **more)

    def ask(self, method, path, body=None, *headers):
        words = [word for header in headers for word in ("-H", header)]
        if body is not None:
            words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        return json.loads(self.run("curl", "-sS", "--max-time", "30", "-X", method, URL + path,
                                   *words))

    def halt(self):
        os.kill(self.first, HALT)
        self.nspawn.wait(60)


@pytest.fixture(scope="module")
def machine(package):
    assert os.geteuid() == 0, "this needs root; try: sudo make deb-test"
    started = Machine(ROOT / "build/debian", package)
    yield started
    started.halt()


def running(machine):
    return machine.run("systemctl", "list-units", "--plain", "--no-legend", "stagedoor*")


# One evening, in the order of the file.

def test_house__lintian_has_nothing_to_say(package):
    done = subprocess.run(["lintian", "--allow-root", package], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_house__is_installed_and_nothing_runs(machine):
    machine.run("dpkg", "-i", "/root/stagedoor.deb")
    assert machine.run("stagedoor", "--version").startswith("stagedoor ")
    assert "HTTP in front of the log" in machine.run("man", "stagedoor-edge")
    assert machine.run("getent", "passwd", "stagedoor").endswith("/usr/sbin/nologin")
    assert running(machine) == ""
    settings = machine.run("stat", "-c", "%U %G %a", "/etc/stagedoor/stagedoor.conf")
    assert settings == "root stagedoor 640"


def test_house__opens(machine):
    machine.run("systemctl", "enable", "--now", "stagedoor.target")
    machine.run("stagedoor", "ready", "--url", URL)
    for kind in KINDS:
        assert machine.run("systemctl", "is-active", f"stagedoor-{kind}@1") == "active"


def test_house__says_how_it_fares(machine):
    for port in (3101, 3111, 3121, 3131):
        assert machine.run("curl", "-sSf", f"http://127.0.0.1:{port}/readyz")
        assert "stagedoor_build_info" in machine.run("curl", "-sS",
                                                     f"http://127.0.0.1:{port}/metrics")
    assert machine.run("systemctl", "show", "-P", "StatusText", "stagedoor-shows@1")


def test_house__who_is_killed_comes_back(machine):
    before = machine.run("systemctl", "show", "-P", "MainPID", "stagedoor-shows@1")
    machine.run("systemctl", "kill", "-s", "KILL", "stagedoor-shows@1")
    until(lambda: machine.run("systemctl", "show", "-P", "MainPID", "stagedoor-shows@1")
          not in (before, "0"), "another process")
    until(lambda: machine.run("systemctl", "is-active", "stagedoor-shows@1", check=False)
          == "active", "it to be ready")


def test_house__sells_a_seat(machine):
    key = machine.run("cat", "/var/lib/stagedoor/signin")
    machine.ask("POST", "/v1/shows", {"show_id": "hamlet", "name": "Hamlet", "capacity": 2,
                                      "starts_at": "2036-01-01T20:00:00Z"},
                f"Authorization: Bearer {key}", "Prefer: wait=20")
    held = machine.ask("POST", "/v1/shows/hamlet/reservations", {"quantity": 2, "name": "Ann"},
                       "Idempotency-Key: one-and-only-ann-and-ben", "Prefer: wait=20")
    sold = machine.ask("POST", f"/v1/reservations/{held['reservation_id']}/checkout",
                       {"method": "none"}, f"Authorization: Bearer {held['secret']}",
                       "Idempotency-Key: one-and-only-checkout-1", "Prefer: wait=20")
    assert sold["status"] == "confirmed"


def test_house__grows_and_starts_again_without_refusing_anyone(machine):
    machine.run("systemctl", "enable", "--now", "stagedoor-shows@2", "stagedoor-edge@2")
    loaded = machine.run(
        "sh", "-c", f"runuser -u stagedoor -- stagedoor bench reserve --url {URL} --json --seconds 5"
        " --data /var/lib/stagedoor --create 100000 -c 4 & load=$!; for edge in 1 2 1 2;"
        " do systemctl restart stagedoor-edge@$edge; done; wait $load")
    report = json.loads(loaded)
    assert (report["errors"], report["retries"]) == ({}, {}), loaded


def test_house__the_log_holds(machine):
    machine.run("systemctl", "stop", "stagedoor.target")
    until(lambda: not running(machine), "everyone to be gone")
    assert "no breach" in machine.stagedoor("verify", "--replay", "--bus", BUS)


def test_house__is_removed_but_what_was_sold_stays(machine):
    machine.run("dpkg", "-P", "stagedoor")
    assert machine.run("find", "/usr", "/etc", "-name", "*stagedoor*") == ""
    assert machine.run("ls", "/var/lib/stagedoor/bus.db")
