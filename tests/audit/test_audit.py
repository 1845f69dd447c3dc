"""`stagedoor verify` on a good log, and on the same log doctored in many ways.

A file NAME.edit says what is wrong in it, which invariant that breaks and where, and then the lines
that are not as in good.log, or new."""

import json
import pathlib
import re
import subprocess

import pytest

from log_text import parse, records_of, rows_of, text_of, write_sqlite

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
STAGEDOOR = ROOT / "build/bin/stagedoor"
PLAY = ROOT / "build/release/test/audit/play"
EDITS = sorted(HERE.glob("*.edit"))


def good_lines():
    return parse((HERE / "good.log").read_text())


def verify(tmp_path, lines, *options):
    path = tmp_path / "bus.db"
    bus = ("--bus", f"sqlite:{path}")
    subprocess.run([STAGEDOOR, "topics", "create", *bus, "--partitions", "2"], check=True,
                   stdout=subprocess.DEVNULL)
    write_sqlite(path, records_of(lines))
    done = subprocess.run([STAGEDOOR, "verify", *bus, "--json", *options], capture_output=True,
                          text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert found["verified"] == (done.returncode == 0)
    return found


def test_audit__finds_nothing_in_the_good_log(tmp_path):
    found = verify(tmp_path, good_lines(), "--replay", "--steady-clock")
    assert found["verified"], found.get("first")
    assert found["records"] == len(good_lines())
    assert (found["seats_sold"], found["voids"], found["repeats"]) == (3, 1, 0)
    assert found["replayed"] > 30


def test_audit__good_log_is_what_the_services_say_today():
    played = rows_of(subprocess.run([PLAY], capture_output=True, text=True, check=True).stdout)
    kept = [str(line) for line in good_lines().values()]
    assert kept == text_of(played).splitlines(), \
        "write it again: build/release/test/audit/play | tests/audit/log_text.py > good.log"


def test_audit__the_text_leaves_nothing_out():
    played = rows_of(subprocess.run([PLAY], capture_output=True, text=True, check=True).stdout)
    again = {f"{record.topic}/{record.partition}@{record.offset}": record
             for record in records_of(good_lines())}
    for row in played:
        record = again[f"{row['topic']}/{row['partition']}@{row['offset']}"]
        assert [list(header) for header in record.headers] == row["headers"]
        assert (record.key, record.value) == (row.get("key"), row["value"])


@pytest.mark.parametrize("path", EDITS, ids=[path.stem for path in EDITS])
def test_audit__finds(tmp_path, path):
    text = path.read_text()
    expected = re.search(r"^# breach of invariant (\d+) at (\S+)$", text, re.M)
    lines = good_lines()
    edited = parse(text)
    assert edited
    for place, line in edited.items():
        assert place not in lines or str(lines[place]) != str(line), f"{place} is as it was"
    lines.update(edited)
    option = re.findall(r"^# found by (--\S+) only$", text, re.M)
    if option:
        assert verify(tmp_path, lines)["verified"]
    found = verify(tmp_path, lines, *option)
    assert not found["verified"]
    first = found["first"]
    place = f"{first['topic']}/{first['partition']}@{first['offset']}"
    assert (first["invariant"], place) == (int(expected[1]), expected[2]), first


@pytest.mark.parametrize("slack_ms, verified", [(819, False), (820, True)])
def test_audit__a_clock_that_is_kept_in_time_has_some_slack(tmp_path, slack_ms, verified):
    lines = good_lines()
    lines.update(parse((HERE / "timer_ahead.edit").read_text()))  # by 820 ms
    found = verify(tmp_path, lines, "--steady-clock", "--clock-slack", str(slack_ms))
    assert found["verified"] == verified


@pytest.mark.parametrize("name", ["timer_before_backlog", "backlog_out_of_order"])
def test_audit__within_the_slack_nobody_knows_what_was_first(tmp_path, name):
    lines = good_lines()
    lines.update(parse((HERE / f"{name}.edit").read_text()))
    assert verify(tmp_path, lines, "--steady-clock", "--clock-slack", "3600000")["verified"]


def test_audit__every_invariant_has_a_doctored_log():
    broken = {int(number) for path in EDITS
              for number in re.findall(r"breach of invariant (\d+)", path.read_text())}
    assert broken == set(range(1, 17))
