#!/usr/bin/python3
"""An evening of an operator: customers buy while everything is reloaded, scaled and killed.

    operations.py [--bus sqlite|kafka] [--seconds S] [--seed N]

Calm minutes and stormy ones take turns. In a calm one everyone is reloaded and the edges and the shows
are scaled up and down: not one request may fail then. In a stormy one somebody is killed with -9 every
five seconds on top of that: a request may be lost with its connection, be told 503 to come again, or
202 that it is on its way, and is asked again with its key until it has its answer. In the end the log must hold, and each
customer's seats must be held, once. Exit code 0: so it was; 1: not."""

import argparse
import collections
import contextlib
import http.client
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from buses import Broker, KafkaBus, SqliteBus  # noqa: E402
from log import ACCEPTED, judge  # noqa: E402
from managed import Managed  # noqa: E402
from theatre import BIN, House, Throng, new_key, until  # noqa: E402

CUSTOMERS = 8
SHOWS = [f"show-{number}" for number in range(8)]
MINUTE_S = 60
KILL_EVERY_S = 5
CALM, STORM = "calm", "storm"


class Customers(Throng):
    """They buy until it is over. What went wrong is told with the kind of minute it happened in."""

    def __init__(self, web):
        super().__init__(CUSTOMERS, self.buy)
        self.web, self.minute = web, STORM
        self.took = {CALM: [], STORM: []}
        self.failed = {CALM: collections.Counter(), STORM: collections.Counter()}
        self.told, self.lock = [], threading.Lock()

    def buy(self, number):
        dice = random.Random(number)
        while not self.over.is_set():
            self.buy_once(dice.choice(SHOWS), new_key())

    def buy_once(self, show, key):
        begun, began_in = time.monotonic(), self.minute
        while True:
            what, reservation = self.ask(show, key)
            if reservation:
                break
            # What begins in one kind of minute and ends in the other is counted as of a storm.
            minute = CALM if began_in == self.minute == CALM else STORM
            with self.lock:
                self.failed[minute][what] += 1
            time.sleep(0.05)
        with self.lock:
            self.told.append(reservation)
            self.took[CALM if began_in == self.minute == CALM else STORM].append(
                time.monotonic() - begun)

    def ask(self, show, key):
        """(None, the reservation), or (what was told instead, None)."""
        try:
            answer = self.web.reserve(show, key=key)
        except (OSError, http.client.HTTPException) as error:
            return f"connection: {type(error).__name__}", None
        if answer.status == 201:
            return None, answer["reservation_id"]
        if answer.status == 503 and answer.headers["Retry-After"]:
            return "503 with Retry-After", None
        if answer.status == 202:
            return "202 on its way", None
        return f"{answer.status}: {answer.text[:200]}", None


def operate(house, dice, until_s):
    """One change after the other; the last one may end a little late."""
    while time.monotonic() < until_s:
        for words in (("reload", "all"), ("scale", "edge", "4"), ("scale", "shows", "3"),
                      ("reload", dice.choice(("edge", "shows", "reservations", "checkout"))),
                      ("scale", "edge", "1"), ("scale", "shows", "1"), ("scale", "edge", "2")):
            # In a storm an instance may die while it is waited for: the change is told to have failed.
            house.say(*words, end=(0, 1), seconds=600)
            if time.monotonic() >= until_s:
                break


def kill_someone(house, dice):
    alive = [process for process in house.ls().values() if process["pid"]]
    victim = dice.choice(alive)
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim["pid"], signal.SIGKILL)
    return victim["part"]


def storm(house, dice, until_s):
    killed = collections.Counter()
    operator = threading.Thread(target=operate, args=(house, random.Random(dice.random()), until_s))
    operator.start()
    while time.monotonic() < until_s:
        killed[kill_someone(house, dice)] += 1
        time.sleep(KILL_EVERY_S)
    operator.join()
    until(lambda: all(process["ready"] for process in house.ls().values()),
          "everyone to be there again")
    return killed


def run(house, options):
    dice, killed = random.Random(options.seed), collections.Counter()
    web = house.up("--scale", "edge=2")
    for show in SHOWS:
        web.create_show(show, 1_000_000)
    end_s = time.monotonic() + options.seconds
    with Customers(web) as customers:
        while time.monotonic() < end_s:
            customers.minute = CALM
            operate(house, dice, min(end_s, time.monotonic() + MINUTE_S))
            customers.minute = STORM
            killed += storm(house, dice, min(end_s, time.monotonic() + MINUTE_S))
            print(tell(customers, killed), flush=True)
    house.say("down")
    verdict = subprocess.run([BIN / "stagedoor", "verify", "--replay", *house.house.bus.arguments],
                             capture_output=True, text=True, check=False)
    print(verdict.stdout + verdict.stderr)
    wrong = [f"in calm: {what} × {count}" for what, count in customers.failed[CALM].items()]
    wrong += [f"in a storm: {what} × {count}" for what, count in customers.failed[STORM].items()
              if not what.startswith(("connection: ", "503 with", "202 on"))]
    wrong += [f"{count} were told and {what}" for what, count in compare(house, customers).items()]
    if verdict.returncode:
        wrong.append(f"verify said {verdict.returncode}")
    print("\n".join(wrong) or "all as it should be")
    return 1 if wrong else 0


def compare(house, customers):
    """What customers were told, with what lies in the log."""
    records = house.house.bus.read(("shows.events",))
    judge(records)
    held = collections.Counter(record.body()["reservation_id"] for record in records
                               if record.verdict == ACCEPTED and record.type == "SeatsHeld")
    found = {"not held": sum(1 for each in customers.told if held[each] == 0),
             "held twice": sum(1 for each in customers.told if held[each] > 1),
             "told twice": len(customers.told) - len(set(customers.told))}
    return {what: count for what, count in found.items() if count}


def tell(customers, killed):
    lines = []
    for minute in (CALM, STORM):
        took = sorted(customers.took[minute])
        if took:
            lines.append(f"{minute}: {len(took)} bought, p50 {statistics.median(took) * 1000:.0f} ms, "
                         f"p99 {took[len(took) * 99 // 100] * 1000:.0f} ms, longest {took[-1]:.2f} s, "
                         f"not at once: {dict(customers.failed[minute])}")
    return "\n".join(lines) + f"\nkilled: {dict(killed)}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bus", choices=("sqlite", "kafka"), default="sqlite")
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        if options.bus == "kafka":
            broker = Broker(folder / "kafka")
            stack.callback(broker.wipe)
            bus = KafkaBus(broker)
        else:
            bus = SqliteBus(folder)
        house = Managed(House(bus, folder))
        stack.callback(house.close)
        return run(house, options)


if __name__ == "__main__":
    sys.exit(main())
