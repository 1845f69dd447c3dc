"""The theatre as a test sees it: programs that run, a log, and a customer with an HTTP client.

Nothing here sleeps for a length of time: `until` asks again and again until a deadline. Nothing
here has a fixed port: addresses are read from what the programs print."""

import dataclasses
import http.client
import json
import os
import pathlib
import re
import shutil
import shlex
import signal
import subprocess
import threading
import time
import urllib.parse
import uuid

import check_log
import published

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("STAGEDOOR_BIN", ROOT / "build/bin"))
PATIENCE_S = 60
SERVICES = ("shows", "reservations", "checkout")


def until(condition, what, seconds=PATIENCE_S):
    """The first true value of condition(); fails the test at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        asked_at = time.monotonic()
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        # Who asks with effort, as by reading a whole log, leaves the cores to others in between.
        time.sleep(min(max(0.02, time.monotonic() - asked_at), 0.2))


def new_key():
    return uuid.uuid4().hex


# ---- programs ------------------------------------------------------------------------------------

class Program:
    """A process whose lines are read as they come."""

    def __init__(self, name, *arguments, env=None, pass_fds=()):
        self.name = name
        self.lines = []
        self.process = subprocess.Popen(
            [str(BIN / name), *map(str, arguments)], env=dict(os.environ, **(env or {})),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", bufsize=1, pass_fds=pass_fds)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def pid(self):
        return self.process.pid

    @property
    def output(self):
        return "\n".join(self.lines)

    def find(self, pattern, start=0):
        """The first match in the lines from number `start` on."""
        for line in self.lines[start:]:
            match = re.search(pattern, line)
            if match:
                return match
        return None

    def said(self, pattern, seconds=PATIENCE_S, start=0):
        def heard():
            match = self.find(pattern, start)
            ended = self.process.poll() is not None and not self.reader.is_alive()
            assert match or not ended, f"{self.name} never said {pattern}:\n{self.output}"
            return match
        return until(heard, f"{self.name} to say {pattern}", seconds)

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self, seconds=PATIENCE_S):
        """Its exit code, once it is over and all its lines were read."""
        until(lambda: self.process.poll() is not None, f"{self.name} to end", seconds)
        self.reader.join(5)
        return self.process.returncode

    def kill(self):
        self.signal(signal.SIGKILL)
        self.ended()

    def stop(self, seconds=PATIENCE_S):
        self.signal(signal.SIGTERM)
        return self.ended(seconds)


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def children_of(pid):
    """{name of the program: pid} of the living children."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found[os.path.basename(words[0].decode())] = int(folder.name)
    return found


def clock_of(setting):
    """The environment of somebody whose clock is beside the machine's by what the file says: "+3600"."""
    return {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketimeMT.so.1",  # the loader knows $LIB
            "FAKETIME_TIMESTAMP_FILE": str(setting), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}


# ---- HTTP ----------------------------------------------------------------------------------------

@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self):
        return json.loads(self.text)

    def __getitem__(self, name):
        return self.json[name]


class Web:
    """An edge, seen from outside. One connection a request: nothing is shared between threads."""

    def __init__(self, url, key=None):
        self.url, self.key = url, key
        self.address = urllib.parse.urlsplit(url).netloc

    def call(self, method, path, body=None, key=None, bearer=None, headers=None, seconds=40):
        """`body`: an object becomes JSON, text and bytes go as they are. `key`: the Idempotency-Key."""
        headers = dict(headers or {})
        if key:
            headers["Idempotency-Key"] = key
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            if not isinstance(body, bytes):
                body = (body if isinstance(body, str) else json.dumps(body)).encode()
        connection = http.client.HTTPConnection(self.address, timeout=seconds)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def staff(self, method, path, body=None, **more):
        return self.call(method, path, body, bearer=self.key, **more)

    # ---- the words of a customer and of a box office ----

    def create_show(self, show_id, capacity, **more):
        show = {"show_id": show_id, "name": f"the {show_id} show", "capacity": capacity,
                "starts_at": "2036-01-01T20:00:00.000Z", "currency": "EUR", **more}
        answer = self.staff("POST", "/v1/shows", show, key=new_key(), headers={"Prefer": "wait=20"})
        assert answer.status == 201, answer.text
        return answer.json

    def availability(self, show_id):
        return self.get(f"/v1/shows/{show_id}")["availability"]

    def reserve(self, show_id, quantity=1, name="Ann", key=None, wait=20):
        return self.post(f"/v1/shows/{show_id}/reservations", {"quantity": quantity, "name": name},
                         key=key or new_key(), headers={"Prefer": f"wait={wait}"})

    def check_out(self, reservation, key=None):
        return self.post(f"/v1/reservations/{reservation['reservation_id']}/checkout",
                         {"method": "none"}, key=key or new_key(), bearer=reservation["secret"],
                         headers={"Prefer": "wait=20"})

    def look(self, reservation):
        return self.get(f"/v1/reservations/{reservation['reservation_id']}",
                        bearer=reservation["secret"])

    def cancel(self, reservation, **more):
        return self.call("DELETE", f"/v1/reservations/{reservation['reservation_id']}",
                         bearer=reservation["secret"], headers={"Prefer": "wait=20"}, **more)


class Throng:
    """Threads that do `work(number)` for as long as the block lasts; they look at `over`."""

    def __init__(self, count, work):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Buyers(Throng):
    """Customers who reserve and look, one after the other, for as long as the block lasts. What they
    were told that was not right is in `failed`."""

    def __init__(self, web, show, count=6):
        super().__init__(count, self.buy)
        self.web, self.show = web, show
        self.failed, self.sold = [], []

    def buy(self, _):
        while not self.over.is_set():
            try:
                answer = self.web.reserve(self.show)
                if answer.status == 201:
                    self.sold.append(answer["reservation_id"])
                    answer = self.web.look(answer.json)
                if answer.status != 200:
                    self.failed.append((answer.status, answer.text))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))

    def go_on(self, count=20):
        """Waits until so many more have bought."""
        before = len(self.sold)
        until(lambda: len(self.sold) > before + count, "the sale to go on")


# ---- the house -----------------------------------------------------------------------------------

class House:
    """Everything that runs on one log. Whatever was started here is gone after the test."""

    def __init__(self, bus, folder):
        self.bus, self.folder = bus, folder
        self.data = folder / "data"
        self.programs = []

    def start(self, name, *arguments, env=None, pass_fds=()):
        program = Program(name, *arguments, env=env, pass_fds=pass_fds)
        self.programs.append(program)
        return program

    def run(self, *arguments, seconds=60, stdin=None):
        """stagedoor ARGUMENTS, to its end."""
        return subprocess.run([str(BIN / "stagedoor"), *map(str, arguments)], input=stdin,
                              capture_output=True, text=True, errors="replace", timeout=seconds,
                              check=False)

    def create_topics(self, *more):
        done = self.run("topics", "create", *self.bus.arguments, *more)
        assert done.returncode == 0, done.stderr

    def up(self, *more, listen="127.0.0.1:0", env=None):
        """The whole theatre; returns (the program, its edge)."""
        program = self.start("stagedoor", "up", *self.bus.arguments, "--data", self.data,
                             "--listen", listen, *more, env=env)
        url = program.said(r"^open: (http://\S+)")[1]
        return program, Web(url, (self.data / "signin").read_text().strip())

    def service(self, name, instance="1", *more, ready=True, env=None):
        """One service by itself."""
        program = self.start(f"stagedoor-{name}", *self.bus.arguments, "--group-instance",
                             f"{name}-{instance}", *more, env=env)
        if ready:
            program.said(f"{name}: ready")
        return program

    def edge(self, *more, data=None, env=None):
        data = data or self.data
        program = self.start("stagedoor-edge", *self.bus.arguments, "--data", data,
                             "--listen", "127.0.0.1:0", *more, env=env)
        url = program.said(r"ready, (http://[^\s\"]+)")[1]
        return program, Web(url, (data / "signin").read_text().strip())

    def second_edge(self, *more):
        """Beside the first one, with the same keys and a folder of its own."""
        data = self.data / "second"
        data.mkdir()
        for name in ("keys", "signin"):
            shutil.copy(self.data / name, data)
        return self.edge(*more, data=data)

    def freeze(self, program):
        """In mid-sentence, but not with the log's only pen in its hand: that stops everybody."""
        def lies_still():
            program.signal(signal.SIGSTOP)
            if self.bus.is_writable():
                return True
            program.signal(signal.SIGCONT)
            return False
        until(lies_still, f"{program.name} to be frozen while it writes nothing")

    def check_log(self, seconds=PATIENCE_S):
        """At rest nothing may be wrong in the log, nothing unanswered, and all as published."""
        deadline = time.monotonic() + seconds
        while True:
            records = self.bus.read()
            found = check_log.breaches(records)
            if not found or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        found = found or published.breaches(records)
        assert not found, "\n".join(found[:20])
        self.verify("--replay")

    def verify(self, *options):
        """The auditor's verdict, which shares nothing with check_log.py."""
        done = self.run("verify", *self.bus.arguments, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self):
        """In reverse, and with what each of them said: pytest shows it when the test failed."""
        for program in reversed(self.programs):
            if program.process.poll() is None:
                program.signal(signal.SIGCONT)
                program.signal(signal.SIGTERM)
        for program in reversed(self.programs):
            try:
                program.ended(10)
            except AssertionError:
                program.kill()
            print(f"---- {shlex.join(program.process.args)}: {program.process.returncode}")
            print("\n".join(program.lines[-200:]))
