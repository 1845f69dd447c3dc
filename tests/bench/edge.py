#!/usr/bin/python3
"""How much of a bare server's speed an edge has left when it tells how a show stands.

    edge.py [--rounds N] [--seconds S] [--readers N] [--buyers N]

Both are asked for the same bytes with an If-None-Match by h2load, in turns: while nobody buys it is the
tag of the show, so both say 304; then `stagedoor bench` sells seats of the show through the edge, every
tag is old at once, and both say 200. The last line is the median of the ratios."""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
BIN = ROOT / "build/bin"
BARE = ROOT / "build/release/tests/bench/bare"


class Program:
    """A process whose output is looked through for a line, and read on so that it never waits."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def said(self, pattern):
        for line in self.process.stdout:
            if match := re.search(pattern, line):
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return match[1]
        raise SystemExit(f"{self.process.args[0]} never said {pattern}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.headers["ETag"], answer.read()


def read_rate(url, tag, args):
    """Answers a second."""
    done = subprocess.run(["h2load", "--h1", "-t1", f"-c{args.readers}", f"-D{args.seconds}", "-H",
                           f"If-None-Match: {tag}", url], capture_output=True, text=True, check=True)
    assert " 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout
    return float(re.search(r"([\d.]+) req/s", done.stdout)[1])


class Sale(threading.Thread):
    """Buys until it is told to stop; a sale that is not right ends everything."""

    def __init__(self, url, data, args):
        super().__init__()
        self.command = [BIN / "stagedoor", "bench", "reserve", "--url", url, "--data", data, "--show",
                        "hamlet", "-c", str(args.buyers), "-R", str(args.sales), "--others"]
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            done = subprocess.run([*self.command, "--seconds", "2", "--json"], capture_output=True,
                                  text=True, check=False)
            if done.returncode:
                raise SystemExit(f"the sale went wrong: {done.stdout}{done.stderr}")


def measure(url, bare_url, fresh, args):
    ratios = []
    for number in range(args.rounds):
        rates = {}
        for name, of in (("edge", url), ("bare", bare_url))[::1 if number % 2 else -1]:
            tag = get(of)[0] if fresh else '"old"'
            rates[name] = read_rate(of, tag, args)
        ratios.append(rates["edge"] / rates["bare"])
        print(f"round {number + 1}: edge {rates['edge']:.0f}/s, bare {rates['bare']:.0f}/s, "
              f"ratio {ratios[-1]:.2f}", flush=True)
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--readers", type=int, default=32)
    parser.add_argument("--buyers", type=int, default=64)
    parser.add_argument("--sales", type=int, default=1000, help="a second, of all buyers together")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with Program(BIN / "stagedoor", "up", "--bus", f"sqlite:{folder}/bus.db", "--data",
                     f"{folder}/data", "--listen", "127.0.0.1:0") as theatre:
            url = theatre.said(r"^open: (http://\S+)")
            data = f"{folder}/data"
            subprocess.run([BIN / "stagedoor", "bench", "reserve", "--url", url, "--data", data,
                            "--show", "hamlet", "--create", "1000000", "-n", "1"], check=True,
                           stdout=subprocess.DEVNULL)
            show = f"{url}/v1/shows/hamlet"
            body = pathlib.Path(folder, "body")
            body.write_bytes(get(show)[1])
            with Program(BARE, body) as bare:
                bare_url = f"http://127.0.0.1:{bare.said(r'^([0-9]+)')}/v1/shows/hamlet"
                print("nobody buys:")
                quiet = measure(show, bare_url, True, args)
                print(f"{args.buyers} buy:")
                sale = Sale(url, data, args)
                sale.start()
                busy = measure(show, bare_url, False, args)
                sale.over.set()
                sale.join()
    print(f"of a bare libmicrohttpd: {statistics.median(quiet):.2f} when nobody buys, "
          f"{statistics.median(busy):.2f} while {args.buyers} buy")


if __name__ == "__main__":
    sys.exit(main())
