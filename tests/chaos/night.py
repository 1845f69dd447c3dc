"""One night on one bus: customers who buy, incidents one after another, and the verdict at the end,
when everybody has gone home."""

import collections
import contextlib
import dataclasses
import io
import math
import pathlib
import random
import threading
import time

import check_journal
import check_log
import paths  # noqa: F401
import published
from company import Company
from customers import now_ms
from incidents import INCIDENTS, Incident
from log import COMMAND
from recovery import Timeline
from theatre import until

CALM_S = (0.2, 0.6)  # between two incidents
REST_S = 60
SOON_MS = 5000
PLANNED, OWED, TOLD, REFUSED, CANCELLED = range(5)  # of paydesk/ledger.c
# What the report calls a breach, by words of the checkers; the rest is only counted as a breach.
LOST = ("never answered", "not in the log", "neither seats nor a refund", "log says", "recorded 0")
DOUBLED = ("second", "two final answers", "reservations of one key", "times", "nobody asked")
OVERSOLD = ("oversold",)


class Stopwatch(threading.Thread):
    """How long the machine itself stood still, as somebody sees it who only wants to tick, how much
    of the time somebody had to wait for a processor, and how far the machine's clock was set back
    by those who keep it in time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.longest_ms, self.clock_back_ms, self.over = 0, 0, threading.Event()
        self.began, self.waited_before_us = time.monotonic(), waited_us()

    def run(self):
        last, furthest_ms = time.monotonic(), 0
        while not self.over.wait(0.01):
            now = time.monotonic()
            ahead_ms = (time.time() - now) * 1000
            self.longest_ms = max(self.longest_ms, (now - last) * 1000 - 10)
            last = now
            if time.monotonic() - now < 0.001:  # or the two clocks were not read together
                furthest_ms = max(furthest_ms, ahead_ms)
                self.clock_back_ms = max(self.clock_back_ms, furthest_ms - ahead_ms)

    @property
    def seconds(self):
        return time.monotonic() - self.began

    @property
    def crowded(self):
        """A share of the time."""
        return (waited_us() - self.waited_before_us) / 1e6 / self.seconds


def waited_us():
    """Since the machine was started, anybody for a processor; 0 where the kernel does not tell."""
    try:
        return int(pathlib.Path("/proc/pressure/cpu").read_text().split("total=")[1].split()[0])
    except (OSError, IndexError):
        return 0


@dataclasses.dataclass
class Verdict:
    bus: str
    seed: int
    seconds: float
    incidents: list
    rules: dict  # name of a check → lines: what is wrong
    records: int
    commands: int
    requests: int  # over HTTP
    outcomes: dict  # what customers were told, and how often
    events: dict
    longest_pause_ms: float  # of a customer, from the first try to the answer
    machine_pause_ms: float
    clock_back_ms: float  # how far the machine's clock was set back
    crowded: float  # the share of the time in which somebody waited for a processor

    @property
    def breaches(self):
        return [line for lines in self.rules.values() for line in lines]

    @property
    def passed(self):
        return sum(not lines for lines in self.rules.values())

    @property
    def failed(self):
        return sum(bool(lines) for lines in self.rules.values())

    @property
    def wrong(self):
        """Something is to be looked at: then what was said is kept."""
        return bool(self.breaches) or any(
            incident.note or not incident.resumed or incident.recovery_ms is None
            or incident.recovery_ms > INCIDENTS[incident.kind].bound_ms
            for incident in self.incidents)

    def count(self, words):
        return sum(any(word in line for word in words) for line in self.breaches)

    lost = property(lambda self: self.count(LOST))
    doubled = property(lambda self: self.count(DOUBLED))
    oversold = property(lambda self: self.count(OVERSOLD))


class Night:
    def __init__(self, bus, disk, seed, kind="plain"):
        self.bus, self.seed, self.folder = bus, seed, disk.folder
        self.kind = kind
        self.name = bus if kind == "plain" else f"{bus}, {kind}"
        self.rng = random.Random(f"{seed}/{self.name}")
        self.stopwatch = Stopwatch()
        self.stopwatch.start()
        self.company = Company(bus, disk, seed, kind)
        self.incidents, self.counts = [], collections.Counter()
        self.company.sales_resume(now_ms())  # everybody has found their place

    # ---- while it runs ----

    def play(self, name):
        """One incident, and until people can buy again."""
        kind = INCIDENTS[name]
        incident = Incident(name, self.counts[name])
        self.counts[name] += 1
        self.incidents.append(incident)
        try:
            kind.play(self.company, incident)
        except AssertionError as error:
            incident.note = str(error).splitlines()[0]
            incident.healed_ms = incident.healed_ms or now_ms()
        incident.resumed = self.company.sales_resume(incident.healed_ms, kind.priced)
        time.sleep(self.rng.uniform(*CALM_S))
        return incident

    # ---- when it is over ----

    def settled(self):
        """Whether the provider owes nobody an answer, now or soon."""
        soon_ms = now_ms() + SOON_MS
        return not any(state == OWED or state == PLANNED and at_ms < soon_ms
                       for _, state, _, at_ms in self.company.ledger())

    def await_provider(self):
        deadline = time.monotonic() + REST_S
        while not self.settled() and time.monotonic() < deadline:
            time.sleep(0.1)

    def look_after_refused(self):
        """An answer that was signed an hour ago is refused, and kept for a person to look at, who
        starts the paydesk again. Where no clock is set, nobody has to."""
        if self.kind == "clock" and any(row[1] == REFUSED for row in self.company.ledger()):
            self.company.kill_child("paydesk")
            until(lambda: not any(row[1] == REFUSED for row in self.company.ledger()),
                  "the paydesk to tell again")
            self.await_provider()

    def at_rest(self):
        """The records and what is wrong with them, when nothing more happens; or after REST_S."""
        self.await_provider()
        self.look_after_refused()
        deadline = time.monotonic() + REST_S
        while True:
            records = self.company.bus.read()
            found = check_log.breaches(records)
            if not found or time.monotonic() > deadline:
                return records, found
            time.sleep(0.5)

    def verdict(self):
        crowd = self.company.crowd
        rules = {"customers": crowd.leave()}
        records, rules["log"] = self.at_rest()
        ledger = self.company.ledger()
        rules["published"] = published.breaches(records)
        rules["journal"] = check_journal.breaches(crowd.journal, records)
        taken = [body for _, state, body, _ in ledger if state in (OWED, TOLD, REFUSED)]
        rules["money"] = check_journal.money_breaches(taken, records)
        rules["money"] += [f"the paydesk was refused: {body}" for _, state, body, _ in ledger
                           if state == REFUSED]
        rules["verify --replay"] = self.verify()
        timeline = Timeline(records, crowd.journal)
        for incident in self.incidents:
            timeline.measure(incident, INCIDENTS[incident.kind].measured)
        return self.summary(records, rules)

    def verify(self):
        """The auditor of the house, who decides everything once more. He may come when a hold has
        just ended of which nobody has said anything yet; so he looks twice."""
        slack_ms = math.ceil(self.stopwatch.clock_back_ms) + 1
        steady = [] if self.kind == "clock" else ["--steady-clock", "--clock-slack", str(slack_ms)]
        for _ in range(2):
            try:
                self.company.house.verify("--replay", *steady)
                return []
            except AssertionError as error:
                found = [f"stagedoor verify --replay: {error}"]
        return found

    def summary(self, records, rules):
        journal = self.company.crowd.journal
        outcomes = collections.Counter()
        for errand in journal.errands:
            final = errand.final
            outcomes[f"{errand.what} {final.told.get('code', final.status) if final else '?'}"] += 1
        events = collections.Counter(record.type for record in records
                                     if record.verdict != COMMAND and record.type)
        return Verdict(
            self.name, self.seed, self.stopwatch.seconds, self.incidents, rules, len(records),
            sum(record.verdict == COMMAND for record in records), journal.requests, dict(outcomes),
            dict(events), max((errand.pause_ms for errand in journal.errands if errand.final),
                              default=0), self.stopwatch.longest_ms,
            self.stopwatch.clock_back_ms, self.stopwatch.crowded)

    def close(self):
        self.stopwatch.over.set()
        self.company.crowd.journal.write(self.folder / "journal.jsonl")
        with (self.folder / "programs.log").open("w") as file:
            for program in self.company.house.programs:
                file.write(f"---- {' '.join(program.process.args)}\n{program.output}\n")
        with contextlib.redirect_stdout(io.StringIO()):  # it would print all that once more
            self.company.close()
