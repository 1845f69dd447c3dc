#!/usr/bin/python3
"""Runs fuzz targets, two at a time, and counts: the last line is "N passed, N failed".

    run.py [--seconds N] [--jobs N] [--corpus DIR] PROGRAM...

Each gets its share of the seconds, which are for all of them together, on `--jobs` cores. It
starts from inputs that it makes itself (--seeds) and from tests/fuzz/found/NAME, what broke it
once; that is tried first, so nothing comes back unseen. With --corpus it goes on where it was the
last time, and keeps what it finds there. What breaks a target is left in build/fuzz/broken."""

import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOUND = ROOT / "tests/fuzz/found"
BROKEN = ROOT / "build/fuzz/broken"
PATIENCE_S = 120  # beyond its share: for a slow start on a busy machine


def command_of(program, folder, corpus, options):
    """libFuzzer's words, its first inputs made."""
    seeds = folder / "seeds"
    seeds.mkdir()
    subprocess.run([program, f"--seeds={seeds}"], check=True)
    words = [program, "-seed=1", f"-max_total_time={options.share_s}", "-timeout=20",
             "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=1",
             f"-artifact_prefix={BROKEN}/{pathlib.Path(program).name}-"]
    dictionary = seeds / "words.dict"
    if dictionary.exists():
        words.append(f"-dict={dictionary.rename(folder / 'words.dict')}")
    return words + [corpus, seeds]


def run(program, options):
    """(name, whether it held, what to show)"""
    name = pathlib.Path(program).name
    before = sorted((FOUND / name).glob("*"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        corpus = options.corpus / name if options.corpus else folder / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        outputs = []
        commands = [[program, *before]] * bool(before)
        commands.append(command_of(program, folder, corpus, options))
        for words in commands:
            try:
                done = subprocess.run(words, capture_output=True, text=True, errors="replace",
                                      timeout=options.share_s + PATIENCE_S)
            except subprocess.TimeoutExpired:
                return name, False, "it did not end"
            outputs.append(done.stderr)
            if done.returncode:
                return name, False, done.stderr[-6000:]
        runs = re.search(r"number_of_executed_units: (\d+)", outputs[-1])
        covered = re.findall(r"cov: (\d+)", outputs[-1])
        if not runs or int(runs[1]) == 0 or not covered:
            return name, False, outputs[-1][-6000:]
        return name, True, f"{runs[1]} inputs, {covered[-1]} edges"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    options.share_s = max(1, options.seconds * options.jobs // len(options.programs))
    shutil.rmtree(BROKEN, ignore_errors=True)
    BROKEN.mkdir(parents=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, held, told in pool.map(lambda program: run(program, options), options.programs):
            print(f"  {name:<14} {told}" if held else f"==== {name} is broken:\n{told}", flush=True)
            failed += not held
    if failed:
        print(f"what broke them is in {BROKEN.relative_to(ROOT)}; once mended, keep it in "
              f"{FOUND.relative_to(ROOT)}/NAME")
    print(f"{len(options.programs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
