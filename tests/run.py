#!/usr/bin/python3
"""Runs suites of tests and counts: the last line is "N passed, N failed", and any failure is an
exit code of 1. What there is to run is said by the Makefile, one argument a suite:

    run.py [--canary PROGRAM] [--jobs N] [--waiting N] [--timeout S] 'NAME KIND [MARKS]: WORDS'...

    cmocka    WORDS are programs, each is run and its TAP is read; a crash counts as failed, and so
              does every test that was not reached because of it
    counted   WORDS are a command that ends with the line "N passed, N failed"
    pytest    WORDS are pytest's arguments
    files     WORDS are files of pytest's, each is run by itself
    command   WORDS are a command: one test, passed when it exits with 0

    kafka     the suite finds the address of a real broker in STAGEDOOR_TEST_KAFKA. One is started
              for all such suites and wiped at the end, unless the variable is set already
    waits     the suite mostly waits: for processes, for a session to be over, for money. Several of
              its jobs run at once, beside --jobs of those that compute; and since many of them
              look at the clock as well, those that compute are nice to them
    alone     the suite runs when nothing else does: it needs the whole machine

Temporary files, those of brokers among them, lie in memory (/dev/shm) where there is room: what a
test asks is whether a process that dies loses anything, and a disk that stands still for seconds
because somebody compiles is no part of the question.

Jobs begin in the order in which they are given: the long ones should come first.

WORDS may begin with variables: 'bus cmocka: STAGEDOOR_TEST_BACKENDS=sqlite build/…/conformance'.

Nothing is believed that cannot fail: first a test is run that must fail, through each way of
counting that is used. Only the standard library; Debian's /usr/bin/python3."""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
KAFKA = ROOT / "compose/local-kafka/kafka.sh"
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
KINDS = ("cmocka", "counted", "pytest", "files", "command")
MARKS = ("kafka", "waits", "alone")
KAFKA_VARIABLE = "STAGEDOOR_TEST_KAFKA"
SHARED_MEMORY = pathlib.Path("/dev/shm")
ROOM_BYTES = 6 << 30  # in it; a whole run takes about a third of that
STOP_S = 30  # from "please stop" to kill -9
NICE = 10  # of what computes, while others look at the clock
SHOWN_MAX = 200_000  # characters of one failed program's output

COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$")
TAP_PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
TAP_TEST = re.compile(r"^(not ok|ok) \d+ (- |# SKIP )", re.MULTILINE)


@dataclasses.dataclass
class Suite:
    name: str
    kind: str
    marks: frozenset
    variables: dict
    words: list


@dataclasses.dataclass
class Job:
    """One program to run; a suite of cmocka programs, or of files, has one for each."""
    suite: Suite
    command: list

    @property
    def writes_junit(self):
        return self.suite.kind in ("pytest", "files")


@dataclasses.dataclass
class Result:
    job: Job
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    output: str = ""


# ---- what to run ---------------------------------------------------------------------------------

def suite_of(text):
    head, colon, tail = text.partition(":")
    name, *marks = head.split()
    words = shlex.split(tail)
    kinds = [mark for mark in marks if mark in KINDS]
    unknown = [mark for mark in marks if mark not in KINDS + MARKS]
    if not colon or len(kinds) != 1 or unknown:
        raise argparse.ArgumentTypeError(f"'{text}' is not 'NAME KIND [MARKS]: WORDS'")
    variables = {}
    while words and re.match(r"[A-Z_]+=", words[0]):
        variable, _, value = words.pop(0).partition("=")
        variables[variable] = value
    return Suite(name, kinds[0], frozenset(marks) & frozenset(MARKS), variables, words)


def jobs_of(suite):
    if suite.kind == "cmocka":
        return [Job(suite, [program]) for program in suite.words]
    if suite.kind == "pytest":
        return [Job(suite, PYTEST + suite.words)]
    if suite.kind == "files":
        return [Job(suite, PYTEST + [file]) for file in suite.words]
    return [Job(suite, suite.words)]


# ---- where files lie -----------------------------------------------------------------------------

def has_room(folder):
    """Programs are started from there, too."""
    try:
        found = os.statvfs(folder)
        memory = dict(line.split(":") for line in open("/proc/meminfo", encoding="ascii"))
        available = int(memory["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError):
        return False
    return (os.access(folder, os.W_OK) and not found.f_flag & os.ST_NOEXEC
            and found.f_bavail * found.f_frsize >= ROOM_BYTES and available >= 2 * ROOM_BYTES)


def is_alive(pid):
    return pathlib.Path(f"/proc/{pid}").exists()


@contextlib.contextmanager
def files_in_memory():
    """For everybody who asks for a temporary file. What earlier runs had no time to give back goes
    first."""
    if not has_room(SHARED_MEMORY):
        yield
        return
    for left in SHARED_MEMORY.glob("stagedoor-tests-*"):
        if not is_alive(left.name.rsplit("-", 1)[1]):
            shutil.rmtree(left, ignore_errors=True)
    folder = SHARED_MEMORY / f"stagedoor-tests-{os.getpid()}"
    folder.mkdir(mode=0o755)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- the broker ----------------------------------------------------------------------------------

class Broker:
    """One Kafka for all suites, started by the first that needs it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.folder = pathlib.Path(tempfile.gettempdir()) / f"stagedoor-kafka-{os.getpid()}"
        self.address_found = os.environ.get(KAFKA_VARIABLE)
        self.started = False

    def call(self, verb):
        variables = dict(os.environ, KAFKA_DIR=str(self.folder), KAFKA_PORT="0")
        return subprocess.run([KAFKA, verb], env=variables, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def address(self):
        with self.lock:
            if not self.address_found:
                self.started = True
                done = self.call("up")
                if done.returncode != 0:
                    raise OSError(f"no broker: {done.stdout}")
                port = (self.folder / "port").read_text().strip()
                self.address_found = f"localhost:{port}"
            return self.address_found

    def wipe(self):
        if self.started:
            self.call("wipe")


# ---- running one program -------------------------------------------------------------------------

def stop(process):
    """Politely first: pytest takes its processes down when it is interrupted."""
    for number, patience_s in ((signal.SIGINT, STOP_S), (signal.SIGKILL, STOP_S)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience_s)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
    process.wait()


class Runner:
    def __init__(self, timeout_s):
        self.timeout_s = timeout_s
        self.broker = Broker()
        self.running = set()
        self.stopping = False

    def variables(self, suite):
        variables = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
        variables.update(suite.variables)
        if "kafka" in suite.marks:
            variables[KAFKA_VARIABLE] = self.broker.address()
        return variables

    def execute(self, command, variables, nice):
        """Exit code (None: it hung) and everything it wrote."""
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            # A group, so that it can be stopped as one; not a session: Linux shares the cores
            # among sessions alike, however nice their processes are.
            process = subprocess.Popen(["nice", "-n", str(nice)] + command, cwd=ROOT,
                                       env=variables, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, process_group=0)
            self.running.add(process)
            try:
                code = process.wait(self.timeout_s)
            except subprocess.TimeoutExpired:
                code = None
                stop(process)
            self.running.discard(process)
            output.seek(0)
            return code, output.read()

    def run(self, job):
        result = Result(job)
        started_at = time.monotonic()
        try:
            if not self.stopping:
                self.run_and_count(job, result)
        except OSError as error:
            result.failed += 1
            result.output += f"\nrun.py: cannot run it: {error}"
        result.seconds = time.monotonic() - started_at
        return result

    def run_and_count(self, job, result):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.xml"
            command = job.command + [f"--junitxml={report}"] * job.writes_junit
            nice = 0 if job.suite.marks & {"waits", "alone"} else NICE
            code, result.output = self.execute(command, self.variables(job.suite), nice)
            COUNTERS[job.suite.kind](code, result, report)
        if code is None:
            result.output += f"\nrun.py: stopped after {self.timeout_s} s"
        elif code < 0:
            result.output += f"\nrun.py: died of signal {-code} ({signal.strsignal(-code)})"
        # A leak found at exit, a crash after the last test: what the counts do not show.
        if code != 0 and result.failed == 0:
            result.output += f"\nrun.py: every test passed, but the exit code is {code}"
            result.failed = 1
        if result.passed + result.failed + result.skipped == 0:
            result.output += "\nrun.py: no test was run"
            result.failed = 1

    def stop(self):
        self.stopping = True
        for process in list(self.running):
            stop(process)


# ---- counting ------------------------------------------------------------------------------------

def count_tap(_code, result, _report):
    planned = sum(int(count) for count in TAP_PLAN.findall(result.output))
    tests = TAP_TEST.findall(result.output)
    result.skipped = sum(mark.startswith("# SKIP") for _, mark in tests)
    result.passed = tests.count(("ok", "- "))
    result.failed = max(planned, len(tests)) - result.passed - result.skipped


def count_last_line(_code, result, _report):
    lines = result.output.strip().splitlines()
    counts = COUNTS.match(lines[-1]) if lines else None
    if counts:
        result.passed, result.failed = int(counts[1]), int(counts[2])
    else:
        result.output += "\nrun.py: its last line is not 'N passed, N failed'"
        result.failed = 1


def count_junit(_code, result, report):
    try:
        cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        cases = []
    for case in cases:
        marks = {child.tag for child in case}
        if marks & {"failure", "error"}:
            result.failed += 1
        elif "skipped" in marks:
            result.skipped += 1
        else:
            result.passed += 1


def count_command(code, result, _report):
    result.passed = int(code == 0)
    result.failed = 1 - result.passed


COUNTERS = {"cmocka": count_tap, "counted": count_last_line, "pytest": count_junit,
            "files": count_junit, "command": count_command}


# ---- what must fail ------------------------------------------------------------------------------

def heard(runner, suite, passed):
    results = [runner.run(job) for job in jobs_of(suite)]
    return [(result.passed, result.failed) for result in results] == [(passed, 1)]


def silent_canaries(runner, program, suites):
    """The kinds of suites whose failures would not be seen."""
    kinds = {suite.kind for suite in suites}
    silent = []
    if program:
        told = Suite("canary", "cmocka", frozenset(), {"STAGEDOOR_CANARY": "1"}, [program])
        silent += ["cmocka"] * (not heard(runner, told, 0))
    if kinds & {"pytest", "files"}:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "test_canary.py"
            path.write_text("def test_sings(): pass\ndef test_falls(): assert False\n")
            told = Suite("canary", "pytest", frozenset(), {}, ["--rootdir", folder, str(path)])
            silent += ["pytest"] * (not heard(runner, told, 1))
    return silent


# ---- the evening ---------------------------------------------------------------------------------

def print_suite(suite, results):
    passed, failed, skipped = (sum(getattr(result, field) for result in results)
                               for field in ("passed", "failed", "skipped"))
    seconds = sum(result.seconds for result in results)
    more = f", {skipped} skipped" if skipped else ""
    print(f"  {suite.name:<12} {passed:>6} passed {failed:>4} failed {seconds:>7.1f} s{more}",
          flush=True)


def print_failures(results):
    for result in results:
        if result.failed == 0:
            continue
        output = result.output.strip()
        if len(output) > SHOWN_MAX:
            output = "…\n" + output[-SHOWN_MAX:]
        print(f"\n==== {result.job.suite.name}: {shlex.join(result.job.command)}\n{output}")


def run_together(runner, suites, computing_count, waiting_count):
    """Runs the jobs of the suites and prints each suite when its last job is over."""
    results = []
    pool = concurrent.futures.ThreadPoolExecutor
    with pool(computing_count) as computing, pool(waiting_count) as waiting:
        started = {}
        for suite in suites:
            lane = waiting if "waits" in suite.marks else computing
            started.update({lane.submit(runner.run, job): job for job in jobs_of(suite)})
        try:
            for done in concurrent.futures.as_completed(started):
                results.append(done.result())
                suite = started[done].suite
                own = [result for result in results if result.job.suite is suite]
                if len(own) == len(jobs_of(suite)):
                    print_suite(suite, own)
        except KeyboardInterrupt:
            runner.stop()
            raise
    return results


def run_all(runner, options):
    for kind in silent_canaries(runner, options.canary, options.suites):
        print(f"run.py: a failing test of kind {kind} was not heard; no count can be believed")
        return 0, 1
    together = [suite for suite in options.suites if "alone" not in suite.marks]
    results = run_together(runner, together, options.jobs, options.waiting)
    for suite in options.suites:
        if "alone" in suite.marks:
            results += run_together(runner, [suite], 1, 1)
    print_failures(results)
    return sum(result.passed for result in results), sum(result.failed for result in results)


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--canary", metavar="PROGRAM",
                        help="a cmocka program that fails with STAGEDOOR_CANARY=1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="programs that compute, at once (as many as there are cores)")
    parser.add_argument("--waiting", type=int, default=4, metavar="N",
                        help="programs that wait, at once (4)")
    parser.add_argument("--timeout", type=int, default=900, metavar="S",
                        help="of one program (900)")
    parser.add_argument("suites", nargs="+", type=suite_of, metavar="SUITE")
    return parser.parse_args(arguments)


def run_and_clear(options):
    runner = Runner(options.timeout)
    try:
        return run_all(runner, options)
    except KeyboardInterrupt:
        print("run.py: interrupted")
        return 0, 1
    finally:
        runner.broker.wipe()


def main(arguments):
    options = options_of(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)  # in the background it is ignored, by children as well
    with files_in_memory():
        passed, failed = run_and_clear(options)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
