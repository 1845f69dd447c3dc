#!/usr/bin/python3
"""What good customers notice of bad ones, of ten times too many, and of a thousand who only watch.

    crowds.py [slow] [overload] [viewers] [--seconds S]

Each scene is a theatre of its own on SQLite. The good customers are `stagedoor bench`, which also says
whether anything was sold twice; what they get beside the crowd is compared with what they get alone,
before and after, in the same run. The last lines are the ratios."""

import argparse
import asyncio
import contextlib
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading

from edge import BIN, Program, get

CROWD = 1000
SOURCES = [f"127.0.0.{number}" for number in range(2, 10)]
SHOW = "hamlet"


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
    with tempfile.TemporaryDirectory() as folder:
        play = Theatre(folder, *options)
        with play.program:
            yield play


# ---- crowds --------------------------------------------------------------------------------------

class Crowd(threading.Thread):
    """Many connections in one loop of their own, until it is over."""

    def __init__(self, play, visit):
        super().__init__()
        self.play, self.visit = play, visit
        self.over, self.told = threading.Event(), []

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
            await asyncio.sleep(1)
    elif number % 3 == 1:
        writer.write(f"GET /v1/shows/{SHOW}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await asyncio.sleep(3600)
    else:
        body = '{"quantity":1,"name":"Eve"}'
        writer.write((f"POST /v1/shows/{SHOW}/reservations HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\n"
                      f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                      f"Idempotency-Key: {random.randbytes(16).hex()}\r\n\r\n{body}").encode())
        await asyncio.sleep(random.random() * 0.01)
        await asyncio.sleep(5)


async def watch(crowd, number, reader, writer):
    writer.write(f"GET /v1/shows/{SHOW}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    while line := await reader.readline():
        if line.startswith(b"data: "):
            crowd.told[number] = json.loads(line[6:])["availability"]


# ---- scenes --------------------------------------------------------------------------------------

def compared(play, crowd, seconds, *words):
    """p99 in µs alone, beside the crowd, and alone again."""
    def p99():
        return play.bench("--seconds", seconds, *words)["latency_us"]["p99"]
    before = p99()
    with crowd:
        settle(play, CROWD // 2)
        during = p99()
        memory = play.memory_kib()
        more = p99()
        grown = play.memory_kib() - memory
    after = p99()
    alone = statistics.mean((before, after))
    print(f"  p99 alone {before / 1000:.1f} and {after / 1000:.1f} ms, beside them "
          f"{during / 1000:.1f} and {more / 1000:.1f} ms; memory grew by {grown} KiB meanwhile")
    return max(during, more) / alone


def settle(play, connections):
    while play.connections() < connections:
        threading.Event().wait(0.1)


def scene_slow(seconds):
    print(f"{CROWD} slow, mute and fickle connections:")
    with theatre() as play:
        idle = play.connections()
        ratio = compared(play, Crowd(play, be_slow), seconds, "-R", 200)
        waited = 0
        while play.connections() > idle + 20 and waited < 60:
            threading.Event().wait(1)
            waited += 1
        print(f"  {play.connections() - idle} of their connections were there {waited} s after they "
              "had left")
    return f"slow: p99 of good customers × {ratio:.2f}"


def scene_viewers(seconds):
    print(f"{CROWD} viewers of one show:")
    with theatre() as play:
        crowd = Crowd(play, watch)
        crowd.told = [None] * CROWD
        before = play.bench("--seconds", seconds, "-R", 200)["latency_us"]["p99"]
        with crowd:
            settle(play, CROWD)
            during = play.bench("--seconds", seconds, "-R", 200)["latency_us"]["p99"]
            threading.Event().wait(2)
            right = json.loads(get(f"{play.url}/v1/shows/{SHOW}")[1])["availability"]
            same = sum(told == right for told in crowd.told)
        after = play.bench("--seconds", seconds, "-R", 200)["latency_us"]["p99"]
        print(f"  p99 alone {before / 1000:.1f} and {after / 1000:.1f} ms, beside them "
              f"{during / 1000:.1f} ms; {same} of {CROWD} ended on the right numbers")
    return (f"viewers: p99 of the sale × {during / statistics.mean((before, after)):.2f}, "
            f"{same} of {CROWD} right")


def scene_overload(seconds):
    print("ten times too many:")
    with theatre() as play:
        peak = max(play.bench("--seconds", seconds, "-c", count)["settled_per_second"]
                   for count in (32, 64, 128))
        report = play.bench("--seconds", 30, "-R", peak * 10, "-c", 4000, "--sources", 8,
                            "--patience", 0)
        goodput = report["held"] / (report["elapsed_us"] / 1e6)
        print(f"  peak {peak}/s; at {peak * 10}/s for 30 s: {goodput:.0f} held/s, refused "
              f"{report['refused']}, errors {report['errors']}, dropped {report['dropped']}, p99 "
              f"{report['latency_us']['p99'] / 1000:.0f} ms")
        logged = subprocess.run([BIN / "stagedoor", "verify", "--bus", f"sqlite:{play.folder}/bus.db",
                                 "--running"], capture_output=True, text=True, check=False)
        print("  " + (logged.stdout.strip().splitlines() or [logged.stderr])[-1])
        assert logged.returncode == 0
    return f"overload: goodput {goodput / peak:.2f} of the peak"


SCENES = {"slow": scene_slow, "overload": scene_overload, "viewers": scene_viewers}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", default=list(SCENES))
    parser.add_argument("--seconds", type=int, default=10)
    args = parser.parse_args()
    results = [SCENES[name](args.seconds) for name in args.scenes]
    print("\n".join(results))


if __name__ == "__main__":
    sys.exit(main())
