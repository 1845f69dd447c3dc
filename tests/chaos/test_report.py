"""The report: what is counted, and that a miss is one."""

import json

import pytest

import report
from incidents import Incident
from night import Verdict


def verdict(rules=None, **incident):
    what = Incident("kill shows", 0, **{"resumed": True, "recovery_ms": 70.0, **incident})
    return Verdict("sqlite", 1, 12.0, [what], rules or {"log": []}, records=40, commands=10,
                   requests=30, outcomes={"reserve 201": 3}, events={"SeatsSold": 2},
                   longest_pause_ms=90.0, machine_pause_ms=3.0, clock_back_ms=0.4, crowded=0.5)


@pytest.mark.parametrize("found,then", [
    (verdict(), []),
    (verdict(recovery_ms=2001.0), ["took 2001 ms, at most 2000"]),
    (verdict(recovery_ms=None), ["people could not buy again"]),
    (verdict(resumed=False), ["people could not buy again"]),
    (verdict(note="waited in vain"), ["waited in vain"]),
])
def test_report__a_miss_is_a_problem(found, then):
    row, = report.rows_of([found])
    assert len(row.problems) == len(then)
    assert all(text in problem for text, problem in zip(then, row.problems))
    assert found.wrong == bool(then)


@pytest.mark.parametrize("line,counts", [
    ("reservation a: refused as sold_out, the log says [{}]", (1, 0, 0)),
    ("key a: 2 reservations of one key", (0, 1, 0)),
    ("shows.events/1@3: oversold by 1", (0, 0, 1)),
    ("shows.events/1@3: says {}, but its history makes {}", (0, 0, 0)),
])
def test_report__what_is_wrong_is_counted(line, counts):
    found = verdict({"log": [line], "journal": []})
    assert (found.lost, found.doubled, found.oversold) == counts
    assert (found.passed, found.failed, found.wrong) == (1, 1, True)


def test_report__is_written_for_people_and_programs(tmp_path):
    report.write(tmp_path, [verdict(), verdict({"log": ["key a: 2 reservations of one key"]})], ["x"])
    text = (tmp_path / "report.md").read_text()
    assert "Lost 0 · doubled 1 · oversold 0 · breaches 1, of 20 commands, 60 HTTP requests" in text
    assert "| sqlite | kill shows | 2 | 70 | 70 | 70 | 2000 | held |" in text
    assert "- sqlite: key a: 2 reservations of one key" in text
    data = json.loads((tmp_path / "report.json").read_text())
    assert data["recovery"][0]["p99_ms"] == 70.0 and data["skipped"] == ["x"]
