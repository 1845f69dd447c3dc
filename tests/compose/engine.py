"""compose.yaml as a container engine runs it: a project of its own, asked and handled by the same commands that
people use. COMPOSE says which compose reads it ("docker compose", or "docker-compose" for 1.29)."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/e2e"))
from theatre import Web, until  # noqa: E402

PROJECT = "stagedoor-trial"
COMPOSE = [*shlex.split(os.environ.get("COMPOSE", "docker compose")), "-p", PROJECT, "-f",
           ROOT / "compose/compose.yaml"]
PATIENCE_S = 180


def run(*words, check=True):
    """What it says, with its standard error; a failure fails the test with it."""
    done = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}"
    return done.stdout.strip()


def compose(*words, **more):
    return run(*COMPOSE, *words, **more)


class Container:
    """One of the project's, by the name that the engine gave it: shows-1, edge-2."""

    def __init__(self, name):
        facts = json.loads(run("docker", "inspect", name))[0]
        labels = facts["Config"]["Labels"]
        self.id, self.part = facts["Id"], labels["com.docker.compose.service"]
        self.name = f"{self.part}-{labels['com.docker.compose.container-number']}"
        self.volumes = [mount["Name"] for mount in facts["Mounts"] if mount["Type"] == "volume"]

    def state(self):
        return json.loads(run("docker", "inspect", "-f", "{{json .State}}", self.id))

    def is_healthy(self):
        state = self.state()
        return state["Running"] and state.get("Health", {}).get("Status") == "healthy"

    def is_running(self):
        return self.state()["Running"]

    def run(self, *words, **more):
        return run("docker", "exec", self.id, *words, **more)

    def crash(self):
        """As if its program had died of itself; the engine has no part in it."""
        os.kill(self.state()["Pid"], signal.SIGKILL)

    def kill(self):
        run("docker", "kill", self.id)


def done(answer):
    """Or not yet: who waits too long is told 202, and 503 when part of the house is down."""
    assert answer.status in (201, 202, 503), answer.text
    return answer.status == 201


class Evening:
    """The containers, a box office behind the door, and whatever was sold."""

    def __init__(self):
        self.web, self.sold = Web("http://127.0.0.1:3000"), []

    def up(self, *more):
        compose("up", "-d", *more)
        self.wait()

    def wait(self):
        until(lambda: all(one.is_healthy() for one in self.containers()), "all to be healthy", PATIENCE_S)

    def containers(self):
        """All but init, who has done its work."""
        return [one for one in map(Container, compose("ps", "-q").split()) if one.part != "init"]

    def find(self, name):
        return next(one for one in self.containers() if one.name == name)

    def open(self):
        said = compose("logs", "init")
        self.web.key = re.search(r"box office key \(keep it\): (\S+)", said)[1]
        self.web.create_show("hamlet", 1_000_000)

    def sell(self):
        """True when somebody has a ticket in hand; false when it may be tried again."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            held = self.web.reserve("hamlet", wait=5)
            if done(held):
                bought = self.web.check_out(held)
                if done(bought):
                    assert bought["status"] == "confirmed", bought.text
                    self.sold.append(held)
                    return True
        return False

    def seconds_until_a_sale(self, since, *words):
        began = time.monotonic()
        since(*words)
        until(self.sell, "a sale", PATIENCE_S)
        return time.monotonic() - began

    def verdict(self):
        said = self.find("edge-1").run("stagedoor", "verify", "--replay", "--json")
        return json.loads(said.splitlines()[-1])
