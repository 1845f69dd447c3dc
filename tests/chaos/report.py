"""What the nights came to: build/chaos/report.md for people, report.json for programs."""

import dataclasses
import json
import pathlib
import platform
import subprocess

import paths
from incidents import INCIDENTS
from recovery import percentile
from theatre import BIN


@dataclasses.dataclass
class Row:
    """One kind of incident on one bus; passed: all recovered within its bound."""
    bus: str
    kind: str
    incidents: list

    @property
    def bound_ms(self):
        return INCIDENTS[self.kind].bound_ms

    @property
    def times(self):
        return [incident.recovery_ms for incident in self.incidents
                if incident.recovery_ms is not None]

    @property
    def problems(self):
        found = []
        for incident in self.incidents:
            where = f"{self.bus}: {self.kind} no. {incident.number + 1}"
            if incident.note:
                found.append(f"{where}: {incident.note}")
            if not incident.resumed or incident.recovery_ms is None:
                found.append(f"{where}: people could not buy again")
            elif incident.recovery_ms > self.bound_ms:
                found.append(f"{where}: took {incident.recovery_ms:.0f} ms, at most "
                             f"{self.bound_ms} are allowed")
        return found


def rows_of(verdicts):
    rows = {}
    for verdict in verdicts:
        for incident in verdict.incidents:
            rows.setdefault((verdict.bus, incident.kind), []).append(incident)
    return [Row(*place, incidents) for place, incidents in sorted(rows.items())]


def version_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=paths.ROOT)
        return (done.stdout or done.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def versions():
    return {"stagedoor": version_of(BIN / "stagedoor", "--version"),
            "commit": version_of("git", "describe", "--always", "--dirty"),
            "java": version_of("java", "-version"), "kcat": version_of("kcat", "-V"),
            "python": platform.python_version(), "kernel": platform.release(),
            "processors": pathlib.Path("/proc/cpuinfo").read_text().count("processor\t")}


def ms(value):
    return "–" if value is None else f"{value:.0f}"


def incidents_table(rows):
    yield ("| bus | incident | how often | p50 ms | p99 ms | longest ms | allowed ms | | longest a "
           "customer waited, ms |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        times = row.times
        yield (f"| {row.bus} | {row.kind} | {len(row.incidents)} | {ms(percentile(times, 0.5))} | "
               f"{ms(percentile(times, 0.99))} | {ms(max(times, default=None))} | "
               f"{row.bound_ms:.0f} | {'MISSED' if row.problems else 'held'} | "
               f"{ms(max(incident.customer_ms for incident in row.incidents))} |")


def counts_table(verdicts):
    yield ("| bus | seconds | HTTP requests | commands | records | sold | refused | incidents | "
           "longest pause of a customer | machine stood still | its clock set back | processors wanting |")
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for verdict in verdicts:
        events = verdict.events
        yield (f"| {verdict.bus} | {verdict.seconds:.0f} | {verdict.requests} | "
               f"{verdict.commands} | {verdict.records} | {events.get('SeatsSold', 0)} | "
               f"{events.get('HoldRejected', 0)} | {len(verdict.incidents)} | "
               f"{verdict.longest_pause_ms:.0f} ms | {verdict.machine_pause_ms:.0f} ms | "
               f"{verdict.clock_back_ms:.1f} ms | "
               f"{100 * verdict.crowded:.0f} % |")


def markdown(verdicts, rows, skipped):
    breaches = [f"{verdict.bus}: {line}" for verdict in verdicts for line in verdict.breaches]
    lost, doubled, oversold = (sum(getattr(verdict, name) for verdict in verdicts)
                               for name in ("lost", "doubled", "oversold"))
    yield "# Real faults\n"
    yield (f"Lost {lost} · doubled {doubled} · oversold {oversold} · breaches {len(breaches)}, of "
           f"{sum(verdict.commands for verdict in verdicts)} commands, "
           f"{sum(verdict.requests for verdict in verdicts)} HTTP requests and "
           f"{sum(len(verdict.incidents) for verdict in verdicts)} incidents.\n")
    yield from counts_table(verdicts)
    yield "\n## How long until people could buy again\n"
    yield from incidents_table(rows)
    problems = breaches + [line for row in rows for line in row.problems]
    if problems:
        yield "\n## What is wrong\n"
        yield from (f"- {line}" for line in problems[:100])
    if skipped:
        yield "\n## Not done here\n"
        yield from (f"- {line}" for line in skipped)
    yield "\n## What customers were told, and events\n"
    for verdict in verdicts:
        yield f"- {verdict.bus}, seed {verdict.seed}: " + ", ".join(
            f"{name} {count}" for name, count in sorted(verdict.outcomes.items()))
        yield f"- {verdict.bus}, seed {verdict.seed}: " + ", ".join(
            f"{name} {count}" for name, count in sorted(verdict.events.items()))
    yield "\n## Versions\n"
    yield ", ".join(f"{name} {text}" for name, text in versions().items())


def summary(verdicts, rows):
    """For whoever looks at a terminal."""
    yield from (f"{verdict.bus}: {line}" for verdict in verdicts for line in verdict.breaches[:20])
    yield from (line for row in rows for line in row.problems)
    yield from incidents_table(rows)
    yield from counts_table(verdicts)


def write(folder, verdicts, skipped):
    """Both reports; returns the rows."""
    rows = rows_of(verdicts)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text("\n".join(markdown(verdicts, rows, skipped)) + "\n")
    (folder / "report.json").write_text(json.dumps({
        "versions": versions(), "skipped": skipped,
        "nights": [dataclasses.asdict(verdict) for verdict in verdicts],
        "recovery": [{"bus": row.bus, "incident": row.kind, "count": len(row.incidents),
                      "p50_ms": percentile(row.times, 0.5), "p99_ms": percentile(row.times, 0.99),
                      "customer_ms": max(incident.customer_ms for incident in row.incidents),
                      "longest_ms": max(row.times, default=None), "allowed_ms": row.bound_ms,
                      "problems": row.problems} for row in rows]}, indent=1) + "\n")
    return rows
