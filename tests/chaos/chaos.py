#!/usr/bin/python3
"""Real processes, real faults, real customers, on both buses; see README.md.

    chaos.py [--bus sqlite|kafka]… [--only INCIDENT]… [--times N] [--seed N] [--hours H]
             [--smoke] [--patience X] [--out FOLDER]

Every kind of incident happens --times times (3) in each bus's nights, in an order drawn from the
seed; with --hours one night follows another for so long. The last line is "N passed, N failed": one
for each kind of incident on each bus, and one for each rule that has to hold at the end of a night.
The report lies in build/chaos."""

import argparse
import itertools
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import paths
import report
from disk import Disk, alone
from incidents import INCIDENTS
from night import Night

SMOKE = ("kill shows", "kill reservations", "kill checkout", "kill edge")
NIGHTS = ("plain", "clock", "wire")


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bus", action="append", choices=("sqlite", "kafka"))
    parser.add_argument("--only", action="append", choices=sorted(INCIDENTS), metavar="INCIDENT",
                        help=", ".join(sorted(INCIDENTS)))
    parser.add_argument("--times", type=int, default=3, help="each kind of incident (3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="each process is killed once")
    parser.add_argument("--hours", type=float, default=0, help="go on with other seeds")
    parser.add_argument("--patience", type=float, default=1,
                        help="so many times what is allowed, for a machine that is busy (1)")
    parser.add_argument("--out", type=pathlib.Path, default=paths.ROOT / "build/chaos")
    return parser.parse_args(arguments)


def programme(bus, night, seed, options):
    """What will happen, in which order."""
    kinds = options.only or (SMOKE if options.smoke else list(INCIDENTS))
    names = [name for name in kinds
             if bus in INCIDENTS[name].buses and INCIDENTS[name].night == night]
    times = 1 if options.smoke else options.times
    rng = random.Random(f"{seed}/{bus}/{night}")
    return [name for _ in range(times) for name in rng.sample(names, len(names))]


def impossible(bus, disk, name):
    """Why it cannot be done here; None: it can."""
    if bus == "kafka" and INCIDENTS[name].on_broker and "STAGEDOOR_TEST_KAFKA" in os.environ:
        return f"{name}: the broker is somebody else's (STAGEDOOR_TEST_KAFKA)"
    if name == "disk full" and not disk.is_small:
        return "disk full: a small disk cannot be mounted here"
    return None


class Season:
    """Nights, one after another."""

    def __init__(self, options):
        self.options, self.verdicts, self.skipped = options, [], set()
        self.began = time.monotonic()

    def play(self, bus, kind, seed, names):
        """One night. What was said is kept when something is wrong."""
        disk = Disk(pathlib.Path(tempfile.mkdtemp(prefix=f"chaos-{bus}-")))
        night, verdict = None, None
        try:
            night = Night(bus, disk, seed, kind)
            for name in names:
                reason = impossible(bus, disk, name)
                if reason:
                    self.skipped.add(reason)
                    continue
                incident = night.play(name)
                print(f"  {night.name:<13} {name:<18} {'ok' if incident.resumed else 'STOPPED'}"
                      f" {incident.note}", flush=True)
            verdict = night.verdict()
            self.verdicts.append(verdict)
            report.write(self.options.out, self.verdicts, sorted(self.skipped))
        finally:
            if night:
                night.close()
                if verdict is None or verdict.wrong:
                    self.keep(disk.folder, f"{bus}-{kind}-{seed}")
            disk.remove()

    def keep(self, folder, name):
        kept = self.options.out / name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("kafka", "ballast"))
        print(f"  what they said is kept in {os.path.relpath(kept)}")

    def end(self):
        """The report, and the count."""
        rows = report.write(self.options.out, self.verdicts, sorted(self.skipped))
        print("\n".join([*report.summary(self.verdicts, rows), *sorted(self.skipped)]))
        passed = sum(not row.problems for row in rows) + sum(v.passed for v in self.verdicts)
        failed = sum(bool(row.problems) for row in rows) + sum(v.failed for v in self.verdicts)
        print(f"{passed} passed, {failed} failed")
        return 1 if failed else 0


def season_of(season, seed, until_s):
    """Every kind of night on every bus; none begins when the time is up."""
    for bus in season.options.bus or ("sqlite", "kafka"):
        for kind in NIGHTS:
            names = programme(bus, kind, seed, season.options)
            if names and time.monotonic() < until_s:
                season.play(bus, kind, seed, names)


def interrupt(_number, _frame):
    raise KeyboardInterrupt  # so that nobody stays behind


def main(arguments):
    options = options_of(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    for kind in INCIDENTS.values():
        kind.bound_ms *= options.patience
    season = Season(options)
    season_of(season, options.seed, float("inf"))
    until_s = season.began + options.hours * 3600
    for seed in itertools.count(options.seed + 1):
        if time.monotonic() >= until_s:
            return season.end()
        season_of(season, seed, until_s)


if __name__ == "__main__":
    alone(sys.argv)
    sys.exit(main(sys.argv[1:]))
