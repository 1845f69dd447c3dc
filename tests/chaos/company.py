"""Everybody who plays tonight: `stagedoor up` as a user runs it, a second edge on the same log, and
on Kafka a broker of our own. What can be done to them is in incidents.py.

There are three kinds of nights, because two of them would slow down the others:
    plain    as it is
    clock    clocks can be set (libfaketime): with sqlite everybody's, on Kafka one owner's
    wire     everybody but the checker speaks to Kafka through a proxy (proxy.py)"""

import os
import signal
import sqlite3

import paths  # noqa: F401
from buses import Broker, KafkaBus, SharedBroker, SqliteBus
from customers import PARTITIONS, Crowd, now_ms
from proxy import Proxy
from theatre import SERVICES, House, Web, children_of, clock_of, until

SESSION_MS = 2000
# A provider makes every kind of trouble, over and over; a script has at most 64 items.
TROUBLES = ("fail", "twice", "captured-twice", "wrong-amount", "unknown-then-succeed:300ms",
            "unknown-then-fail:200ms")
SCRIPT = ",".join(["succeed*150", *(f"{trouble}*15" for trouble in TROUBLES)] * 9 + ["succeed"])
ENVIRONMENT = {"STAGEDOOR_SESSION_TIMEOUT": str(SESSION_MS), "STAGEDOOR_PAYDESK_DELAY": "50ms"}
PAY_URL = "paydesk=https://pay.example/{payment_id}"
SALES_RESUME_S = 60


def open_bus(kind, folder):
    """(the bus, its broker or None). STAGEDOOR_TEST_KAFKA=HOST:PORT is used when it is there, and
    then nobody may do anything to it."""
    if kind == "sqlite":
        return SqliteBus(folder), None
    address = os.environ.get("STAGEDOOR_TEST_KAFKA")
    broker = SharedBroker(address) if address else Broker(folder / "kafka")
    return KafkaBus(broker), broker


class Company:
    partitions = PARTITIONS

    def __init__(self, kind, disk, seed, night="plain"):
        self.kind, self.disk, self.folder, self.seed = kind, disk, disk.folder, seed
        self.bus, self.broker = open_bus(kind, self.folder)
        self.house = House(self.bus, self.folder)
        self.understudies, self.storms = 0, 0
        self.clock_setting = self.folder / "clock"
        self.proxy = None
        try:
            everybody = ENVIRONMENT
            if night == "clock":
                self.set_clock(0)
                everybody = dict(ENVIRONMENT, **(self.clock() if kind == "sqlite" else {}))
            if night == "wire":
                self.proxy = Proxy(self.bus.address, seed=seed).start()
                self.bus.arguments[1] = f"kafka://{self.proxy.address}"
            self.environment = everybody
            self.up, self.web = self.house.up("--paydesk", SCRIPT, env=everybody)
            self.second, self.second_web = self.start_second_edge()
            if night == "clock" and kind == "kafka":
                for service in SERVICES:
                    self.understudy(service, env=self.clock())
            self.crowd = Crowd(f"{kind}-{seed}", [self.web.url, self.second_web.url], self.web.key,
                               f"{seed}/{kind}")
            self.crowd.start()
        except BaseException:
            self.close()
            raise

    def start_second_edge(self, address="127.0.0.1:0"):
        keys = (self.house.data / "keys").read_text()
        program = self.house.start("stagedoor-edge", *self.bus.arguments, "--data",
                                   self.folder / "second", "--listen", address, "--pay-url",
                                   PAY_URL, env=dict(self.environment, STAGEDOOR_KEYS=keys))
        return program, Web(program.said(r"ready, (http://\S+)")[1])

    def restart_second_edge(self):
        self.second.stop()
        self.second, self.second_web = self.start_second_edge(self.second_web.address)

    # ---- the children of `stagedoor up` ----

    def child(self, name):
        return until(lambda: children_of(self.up.pid).get(f"stagedoor-{name}"), f"{name} to run")

    def kill_child(self, name):
        """(when, and when it was started again): kill -9; `up` does the rest."""
        pid, heard = self.child(name), len(self.up.lines)
        at_ms = now_ms()
        os.kill(pid, signal.SIGKILL)
        told = self.up.said(rf"{name}-1 was killed by signal 9 .* again in (\d+) ms", start=heard)
        return at_ms, at_ms + int(told[1])

    def reload_child(self, name):
        """SIGTERM; `up` starts it again. Returns when it is ready."""
        pid, heard = self.child(name), len(self.up.lines)
        os.kill(pid, signal.SIGTERM)
        self.up.said(rf"{name}-1 ended with exit code 0 ", start=heard)
        self.up.said(rf"^{name}-1 .*{name}: ready", start=heard)

    def understudy(self, service, env=None):
        """A second instance of a service, once some of the partitions are its own."""
        self.understudies += 1
        instance = f"{service}-understudy-{self.understudies}"
        program = self.house.start(f"stagedoor-{service}", *self.bus.arguments, "--group-instance",
                                   instance, "--session-timeout", SESSION_MS, env=env)
        program.instance = instance
        program.said(rf"{service}/\d+: claimed")
        return program

    # ---- what is around them ----

    def clock(self):
        """The environment of somebody whose clock set_clock() sets."""
        return clock_of(self.clock_setting)

    def set_clock(self, seconds):
        """All at once: somebody may be reading it."""
        fresh = self.clock_setting.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.rename(self.clock_setting)

    def storm(self, requests, connections):
        """So many want one small show at once; what each was told lies in a journal of its own."""
        self.storms += 1
        show_id = f"storm-{self.storms}"
        path = self.folder / f"{show_id}.jsonl"
        self.crowd.put_on_for_a_storm(show_id)
        done = self.house.run("bench", "reserve", "--url", self.web.url, "--show", show_id, "-n",
                              requests, "-c", connections, "--sources", 8, "--patience", 60,
                              "--journal", path, seconds=120)
        self.crowd.journal.read_storm(path)
        assert done.returncode == 0, done.stdout + done.stderr

    # ---- how the sale goes ----

    def sales_resume(self, since_ms, priced=None, seconds=SALES_RESUME_S):
        """Until in every partition somebody came after since_ms and has bought; whether they did."""
        try:
            until(lambda: len(self.crowd.sold_since(since_ms, priced)) == PARTITIONS,
                  "sales in every partition", seconds)
            return True
        except AssertionError:
            return False

    def ledger(self):
        """Rows (subject, state, body, when) of what the paydesk said, owes or will say."""
        path = self.house.data / "payments-paydesk.db"
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute("SELECT subject, state, body, at_ms FROM answers").fetchall()
        finally:
            database.close()

    def close(self):
        self.house.close()
        if self.proxy:
            self.proxy.stop()
        if self.broker:
            self.broker.wipe()
