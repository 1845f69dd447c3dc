#!/usr/bin/python3
"""Bugs on purpose: builds each into a simulator of its own and runs seeds until one fails.

    mutants.py [--only NN[,NN…]] [--seeds N] [--jobs N] [--table] [--hints]

A file NN_name.mutant says in its first line what the bug is, who must see it and where it is:

    readers accept any epoch
    caught by: invariant 4, invariant 8
    seed: 17

    bus/fence.c
     one line of the source that stays
    -one that goes
    +one that comes instead

What follows `caught by:` are words of the breaches that this bug can cause; to be caught by
anything else is not to be caught. `seed:` is optional: the first one that is tried. `within:` is
optional, too: the seeds that must do, if fewer than --seeds. A blank line ends a change; the lines
of a change that are not new must be in the file exactly once, one behind the other, else the mutant
is stale.

The last line is "N passed, N failed": whatever survives, is stale or is caught by something else
has failed. --table writes what was found into docs/proof.md, --hints the seeds into the mutants.
Wants `make build/bin/stagedoor-sim` first. Only the standard library."""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROOF = ROOT / "docs/proof.md"
TABLE = re.compile(r"(<!-- written by make mutants: -->\n).*?(<!-- :written by make mutants -->)",
                   re.S)
BATCH_MAX = 64
SEED_S = 60  # far longer than any seed takes: who waits for ever is caught as well
HINTED_FROM = 4  # seeds; fewer are found again at once
SHOWN_MAX = 150

SOURCE = re.compile(r"[\w/]+\.[ch]$")
FAILURE = re.compile(r"^seed (\d+): (.*)$")
ASSERTION = re.compile(r"\b(\w+\.[ch]:)\d+:.*?(\w+: Assertion `.*' failed)")


class Stale(Exception):
    """The mutant is not of this source any more, or is none."""


# ---- what a mutant says --------------------------------------------------------------------------

@dataclasses.dataclass
class Change:
    path: str
    old: str = ""
    new: str = ""


@dataclasses.dataclass
class Mutant:
    path: pathlib.Path
    bug: str
    caught_by: list
    seed: int = 0  # 0: nobody knows
    within: int = 0
    changes: list = dataclasses.field(default_factory=list)

    @property
    def number(self):
        return self.path.stem.split("_")[0]


def changes_of(lines):
    """The changes, each a run of lines that begin with ' ', '-' or '+'."""
    path, change = None, None
    for line in lines:
        if SOURCE.fullmatch(line):
            path, change = line, None
        elif line == "":
            change = None
        elif path and line[0] in " -+":
            if change is None:
                change = Change(path)
                yield change
            change.old += line[1:] + "\n" if line[0] != "+" else ""
            change.new += line[1:] + "\n" if line[0] != "-" else ""


def mutant_of(path):
    lines = path.read_text().splitlines()
    words = dict(line.split(": ", 1) for line in lines if re.match(r"(caught by|seed|within): ", line))
    mutant = Mutant(path, lines[0] if lines else "", words.get("caught by", "").split(", "),
                    int(words.get("seed", 0)), int(words.get("within", 0)), list(changes_of(lines)))
    if not mutant.bug or not mutant.changes or mutant.caught_by == [""]:
        raise Stale("it must say what the bug is, what it is caught by, and what it changes")
    return mutant


def mutate(mutant, root=ROOT):
    """The changed sources: path → text."""
    texts = {}
    for change in mutant.changes:
        text = "\n" + (texts.get(change.path) or (root / change.path).read_text())
        count = text.count("\n" + change.old)
        if not change.old or count != 1:
            raise Stale(f"{change.path} has {count} times, not once:\n{change.old}")
        texts[change.path] = text.replace("\n" + change.old, "\n" + change.new)[1:]
    return texts


# ---- building ------------------------------------------------------------------------------------

class Tools:
    """How the Makefile compiles and links the simulator."""

    def __init__(self):
        variables = {name: value for name, value in os.environ.items()
                     if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        told = subprocess.run(["make", "-s", "--no-print-directory", "simulator-tools"], cwd=ROOT,
                              env=variables, check=True, capture_output=True, text=True)
        compiler, self.objects, libraries = (shlex.split(line) for line in told.stdout.splitlines())
        # What a bug leaves unused is no error, and nobody includes its dependencies.
        self.compiler = [word for word in compiler if word not in ("-MMD", "-MP")] + ["-w"]
        self.libraries = libraries

    def run(self, command):
        subprocess.run(command, cwd=ROOT, check=True)

    def sources_with(self, header):
        """Every source whose object depends on the header."""
        for depends in sorted((ROOT / "build/release").rglob("*.d")):
            words = depends.read_text().replace("\\\n", " ").split()
            if header in words[2:]:
                yield words[1]

    def build(self, mutant):
        folder = ROOT / "build/mutants" / mutant.path.stem
        texts = mutate(mutant)
        sources = {path for path in texts if path.endswith(".c")}
        for path, text in texts.items():
            copy = folder / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text)
            if path.endswith(".h"):
                sources |= set(self.sources_with(path))
        objects = []
        for path in sorted(sources):
            copy = folder / path if path in texts else ROOT / path
            objects.append(str(folder / path.replace("/", "_")) + ".o")
            # The copy's headers first.
            self.run(self.compiler[:1] + [f"-I{folder}"] + self.compiler[1:]
                     + ["-c", str(copy), "-o", objects[-1]])
        program = folder / "stagedoor-sim"
        # In front of the archives: what is defined already is not taken out of them.
        self.run([self.compiler[0], "-O2"] + objects + self.objects + ["-o", str(program)]
                 + self.libraries)
        return program


# ---- running -------------------------------------------------------------------------------------

def told_by(line):
    found = FAILURE.match(line)
    return (int(found[1]), found[2]) if found else None


def run(program, first, count):
    """What the first failing seed said: (seed, text), None if all hold. Seed 0: the process died, or
    never came back, in one of them."""
    command = ["stdbuf", "-oL", str(program), "--again", "0", "--seeds", str(count), "--from",
               str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as process:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            heard = pool.submit(listen, process)
            try:
                failure, lines = heard.result(SEED_S * count)
            except concurrent.futures.TimeoutError:
                process.kill()
                return 0, "it never ends"
    if failure or process.returncode == 0:
        return failure
    died = next((ASSERTION.search(line) for line in lines if ASSERTION.search(line)), None)
    return 0, f"{died[1]} {died[2]}" if died else f"died of {process.returncode}: {lines[-1:]}"


def listen(process):
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        failure = told_by(lines[-1])
        if failure:
            process.kill()
            return failure, lines
    process.wait()
    return None, lines


def run_batch(program, first, count):
    failure = run(program, first, count)
    if failure is None or failure[0]:
        return failure
    for seed in range(first, first + count):  # which one was it?
        failure = run(program, seed, 1)
        if failure:
            return seed, failure[1]
    return None


def search(program, mutant, seeds):
    """The first failing seed and what it said, or None."""
    if mutant.seed:
        failure = run_batch(program, mutant.seed, 1)
        if failure:
            return failure
    first, count = 1, 1
    while first <= seeds:
        count = min(count, seeds - first + 1)
        failure = run_batch(program, first, count)
        if failure:
            return failure
        first, count = first + count, min(first + count, BATCH_MAX)
    return None


# ---- judging -------------------------------------------------------------------------------------

@dataclasses.dataclass
class Verdict:
    path: pathlib.Path
    mutant: Mutant = None
    caught: bool = False
    seed: int = 0
    text: str = ""

    def line(self):
        bug = self.mutant.bug if self.mutant else ""
        return f"{'ok  ' if self.caught else 'FAIL'} {self.path.stem}: {bug}\n" \
               f"       {f'seed {self.seed}: ' if self.seed else ''}{self.text}"


def reason_of(mutant, text):
    """Which of its words; None: this bug cannot have caused that."""
    return next((words for words in mutant.caught_by
                 if re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text)), None)


def try_out(tools, path, options):
    verdict = Verdict(path)
    try:
        mutant = verdict.mutant = mutant_of(path)
        program = tools.build(mutant)
    except (Stale, OSError, ValueError, subprocess.CalledProcessError) as error:
        verdict.text = f"stale: {error}"
        return verdict
    mutant.seed = 0 if options.table or options.hints else mutant.seed
    seeds = min(mutant.within or options.seeds, options.seeds)
    failure = search(program, mutant, seeds)
    if failure is None:
        verdict.text = f"survives {seeds} seeds"
        return verdict
    verdict.seed, verdict.text = failure
    verdict.caught = reason_of(mutant, verdict.text) is not None
    if not verdict.caught:
        verdict.text = f"caught by what it cannot have caused: {verdict.text}"
    return verdict


# ---- telling -------------------------------------------------------------------------------------

def cell(text):
    text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "…", text)
    text = text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"
    return text.replace("|", "\\|").replace("<", "&lt;")


def write_table(verdicts):
    rows = ["| | bug | seed | what it said |", "|---|---|---|---|"]
    for verdict in verdicts:
        rows.append(f"| {verdict.mutant.number} | {cell(verdict.mutant.bug)} | {verdict.seed or '–'} |"
                    f" {cell(verdict.text)} |")
    text, count = TABLE.subn(lambda found: found[1] + "\n".join(rows) + "\n" + found[2],
                             PROOF.read_text())
    if count != 1:
        sys.exit("mutants.py: docs/proof.md has no place for the table")
    PROOF.write_text(text)


def write_hint(verdict):
    text = re.sub(r"^seed: \d+\n", "", verdict.path.read_text(), flags=re.M)
    if verdict.caught and verdict.seed >= HINTED_FROM:
        text = re.sub(r"^(caught by: .*\n)", rf"\1seed: {verdict.seed}\n", text, count=1, flags=re.M)
    verdict.path.write_text(text)


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NN[,NN…]", help="these, by number")
    parser.add_argument("--seeds", type=int, default=10000, help="that each may need (10000)")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once (2)")
    parser.add_argument("--table", action="store_true", help="write the table of docs/proof.md")
    parser.add_argument("--hints", action="store_true", help="write the seeds into the mutants")
    return parser.parse_args(arguments)


def main(arguments):
    options = options_of(arguments)
    only = [number for number in options.only.split(",") if number]
    paths = [path for path in sorted(HERE.glob("*.mutant"))
             if not only or path.stem.split("_")[0] in only]
    tools = Tools()
    verdicts = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for verdict in pool.map(lambda path: try_out(tools, path, options), paths):
            verdicts.append(verdict)
            print(verdict.line(), flush=True)
            if options.hints and verdict.mutant:
                write_hint(verdict)
    if options.table and not only:
        write_table([verdict for verdict in verdicts if verdict.mutant])
    failed = sum(not verdict.caught for verdict in verdicts)
    print(f"{len(verdicts) - failed} passed, {failed} failed")
    return int(failed > 0 or not verdicts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
