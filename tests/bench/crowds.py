#!/usr/bin/python3
"""What good customers notice of bad ones, of ten times too many, and of a thousand who only watch.

    crowds.py [slow] [overload] [viewers] [--seconds S]

Each scene is a theatre of its own on SQLite, in memory if there is /dev/shm, so that no disk is measured.
The good customers are `stagedoor bench`, which also says whether anything was sold twice; what they get
beside the crowd is compared with what they get alone, in turns, in the same run. The last lines are the
ratios."""

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading

from edge import BIN, Program, get

CROWD = 1000
SOURCES = [f"127.0.0.{number}" for number in range(2, 10)]
SHOW = "hamlet"
MEMORY = "/dev/shm"


class Theatre:
    """Everything by `stagedoor up`, with one show."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.program = Program(BIN / "stagedoor", "up", "--bus", f"sqlite:{folder}/bus.db", "--data",
                               f"{folder}/data", "--listen", "127.0.0.1:0", *options)
        self.url = self.program.said(r"^open: (http://\S+)")
        self.port = int(self.url.rsplit(":", 1)[1])
        self.bench("-n", 1, "--create", 1000000)
        children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(self.program.process.pid)],
                                  capture_output=True, text=True, check=True).stdout.split("\n")
        self.edge_pid = next(line.split()[0] for line in children if "stagedoor-edge" in line)

    def bench(self, *words):
        done = subprocess.run([BIN / "stagedoor", "bench", "reserve", "--url", self.url, "--data",
                               f"{self.folder}/data", "--show", SHOW, "--others", "--json",
                               *map(str, words)], capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
        assert report["breach"] is None, report
        return report

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.edge_pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def connections(self):
        return len(list(pathlib.Path(f"/proc/{self.edge_pid}/fd").iterdir()))


@contextlib.contextmanager
def theatre(*options):
    with tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as folder:
        play = Theatre(folder, *options)
        with play.program:
            yield play


# ---- crowds --------------------------------------------------------------------------------------

class Crowd(threading.Thread):
    """Many connections in one loop of their own, until it is over."""

    def __init__(self, play, visit):
        super().__init__()
        self.play, self.visit = play, visit
        self.over, self.told = threading.Event(), [None] * CROWD

    def run(self):
        asyncio.run(self.come())

    async def come(self):
        visits = [asyncio.create_task(self.again(number)) for number in range(CROWD)]
        while not self.over.is_set():
            await asyncio.sleep(0.1)
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)

    async def again(self, number):
        while True:
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.play.port, local_addr=(SOURCES[number % len(SOURCES)], 0))
                with contextlib.closing(writer):
                    await self.visit(self, number, reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.2)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


async def be_slow(_, number, reader, writer):
    """A byte a second; asking much and never reading; or leaving while waiting."""
    if number % 3 == 0:
        for byte in b"GET /v1/shows HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)
    elif number % 3 == 1:
        writer.write(f"GET /v1/shows/{SHOW}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await asyncio.sleep(3600)
    else:
        await asyncio.sleep(random.random() * 10)
        body = '{"quantity":1,"name":"Eve"}'
        writer.write((f"POST /v1/shows/{SHOW}/reservations HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\n"
                      f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                      f"Idempotency-Key: {random.randbytes(16).hex()}\r\n\r\n{body}").encode())
        await writer.drain()
        await asyncio.sleep(random.random() * 0.01)
        writer.transport.abort()


async def watch(crowd, number, reader, writer):
    writer.write(f"GET /v1/shows/{SHOW}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    while line := await reader.readline():
        if line.startswith(b"data: "):
            crowd.told[number] = json.loads(line[6:])["availability"]


# ---- scenes --------------------------------------------------------------------------------------

def p99(play, seconds):
    """In ms, of 200 purchases a second."""
    return play.bench("--seconds", seconds, "-R", 200)["latency_us"]["p99"] / 1000


def compared(play, crowd, args, beside):
    """The median p99 beside the crowd by that alone; `beside(crowd)` is called while it is there."""
    alone, together = [], []
    for _ in range(args.rounds):
        alone.append(p99(play, args.seconds))
        with crowd() as there:
            settle(play, CROWD // 2)
            together.append(p99(play, args.seconds))
            beside(there)
    print(f"  p99 alone {told(alone)} ms, beside them {told(together)} ms")
    return statistics.median(together) / statistics.median(alone)


def told(figures):
    return " ".join(f"{figure:.1f}" for figure in figures)


def settle(play, connections):
    while play.connections() < connections:
        threading.Event().wait(0.1)


def scene_slow(args):
    print(f"{CROWD} slow, mute and fickle connections:")
    with theatre() as play:
        idle, memory = play.connections(), []
        ratio = compared(play, lambda: Crowd(play, be_slow), args,
                         lambda _: memory.append(play.memory_kib()))
        waited = 0
        while play.connections() > idle + 20 and waited < 60:
            threading.Event().wait(1)
            waited += 1
        print(f"  memory beside them {memory} KiB; {play.connections() - idle} of their connections "
              f"were there {waited} s after they had left")
    return f"slow: p99 of good customers × {ratio:.2f}"


def scene_viewers(args):
    print(f"{CROWD} viewers of one show:")
    same = []
    with theatre() as play:
        def look(crowd):
            threading.Event().wait(2)
            right = json.loads(get(f"{play.url}/v1/shows/{SHOW}")[1])["availability"]
            same.append(sum(told == right for told in crowd.told))
        ratio = compared(play, lambda: Crowd(play, watch), args, look)
    return f"viewers: p99 of the sale × {ratio:.2f}; {same} of {CROWD} ended on the right numbers"


def scene_overload(args):
    print("ten times as many as can be served at once, who never pause:")
    with theatre() as play:
        peak = max(play.bench("--seconds", args.seconds, "-c", count)["settled_per_second"]
                   for count in (64, 128, 256))
        journal = pathlib.Path(play.folder, "journal")
        report = play.bench("--seconds", 30, "-c", 4000, "--sources", 8, "--patience", 0,
                            "--journal", journal)
        goodput = report["held"] / (report["elapsed_us"] / 1e6)
        print(f"  peak {peak}/s; beside 4000 connections for 30 s {goodput:.0f}/s; refused "
              f"{report['refused']}, errors {report['errors']}, p99 of those who got seats "
              f"{report['latency_us']['p99'] / 1000:.0f} ms")
        logged = subprocess.run([BIN / "stagedoor", "verify", "--bus", f"sqlite:{play.folder}/bus.db",
                                 "--running"], capture_output=True, text=True, check=False)
        print("  " + (logged.stdout.strip().splitlines() or [logged.stderr])[-1])
        assert logged.returncode == 0
        told, there = promised(journal), requested(play)
        print(f"  {len(told)} answers of 2xx, {len(told - there)} of them not in the log")
        assert told and told <= there
    return f"overload: goodput {goodput / peak:.2f} of the peak"


def promised(journal):
    """The reservations that somebody was told of with a status of 2xx."""
    rows = map(json.loads, journal.read_text().splitlines())
    return {row["reservation_id"] for row in rows if 200 <= row["status"] < 300}


def requested(play):
    tail = subprocess.run([BIN / "stagedoor", "tail", "--bus", f"sqlite:{play.folder}/bus.db",
                           "--from-start", "--json", "reservations.commands"],
                          capture_output=True, text=True, check=True).stdout
    return set(re.findall(r'"reservation_id":"([0-9a-f-]{36})"', tail))


SCENES = {"slow": scene_slow, "overload": scene_overload, "viewers": scene_viewers}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", default=list(SCENES))
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    results = [SCENES[name](args) for name in args.scenes]
    print("\n".join(results))


if __name__ == "__main__":
    sys.exit(main())
