"""mutants.py itself: what is stale, what survives, what is caught by something else."""

import argparse
import os

import pytest

import mutants

SOURCE = "int seats;\nint sold;\nint seats;\nint held;\n"
MUTANT = """seats are sold twice
caught by: invariant 1, owners at rest
seed: 7

Why somebody would write that.

bus/a.c
 int seats;
-int held;
+int held = 1;

-int sold;
+int sold = 1;
+int more;
"""


def written(tmp_path, text):
    path = tmp_path / "07_twice.mutant"
    path.write_text(text)
    (tmp_path / "bus").mkdir(exist_ok=True)
    (tmp_path / "bus/a.c").write_text(SOURCE)
    return path


def test_mutants__a_mutant_changes_what_it_says_and_nothing_else(tmp_path):
    mutant = mutants.mutant_of(written(tmp_path, MUTANT))
    assert (mutant.number, mutant.bug, mutant.seed) == ("07", "seats are sold twice", 7)
    assert mutant.caught_by == ["invariant 1", "owners at rest"]
    assert mutants.mutate(mutant, tmp_path) == {
        "bus/a.c": "int seats;\nint sold = 1;\nint more;\nint seats;\nint held = 1;\n"}


@pytest.mark.parametrize("old, new", [
    ("-int sold;\n", "-int bought;\n"),  # not there
    (" int seats;\n-int held;\n", "-int seats;\n"),  # there twice
    ("-int sold;\n", "-nt sold;\n"),  # not a whole line
    ("-int sold;\n", ""),  # new lines, but nobody says where
])
def test_mutants__what_is_not_there_exactly_once_is_stale(tmp_path, old, new):
    mutant = mutants.mutant_of(written(tmp_path, MUTANT.replace(old, new)))
    with pytest.raises(mutants.Stale):
        mutants.mutate(mutant, tmp_path)


@pytest.mark.parametrize("text", ["", "a bug\n", MUTANT.replace("caught by: ", "by: "),
                                  MUTANT.split("bus/a.c")[0]])
def test_mutants__a_file_that_says_too_little_is_stale(tmp_path, text):
    with pytest.raises(mutants.Stale):
        mutants.mutant_of(written(tmp_path, text))


class Tools:
    """A simulator that does in each seed from 13 on what it is told."""

    def __init__(self, folder, action):
        self.program = folder / "simulator"
        self.program.write_text(f"""#!/bin/bash
for ((seed = $6; seed < $6 + $4; seed++)); do
    [ $seed -ge 13 ] && {{ {action}; }}
done
exit 0
""")
        os.chmod(self.program, 0o755)

    def build(self, _mutant):
        return self.program


def verdict_of(tmp_path, action, seeds=20, **more):
    options = argparse.Namespace(**{"seeds": seeds, "table": False, "hints": False, **more})
    return mutants.try_out(Tools(tmp_path, action), written(tmp_path, MUTANT), options)


SOLD = 'echo "seed $seed: shows.events/0@4: invariant 1: 3 seats more"'


def test_mutants__the_first_seed_that_fails_is_found(tmp_path):
    verdict = verdict_of(tmp_path, SOLD)
    assert (verdict.caught, verdict.seed) == (True, 13)
    assert "invariant 1: 3 seats" in verdict.line()


def test_mutants__the_seed_it_names_is_tried_first(tmp_path):
    written(tmp_path, MUTANT)
    assert verdict_of(tmp_path, SOLD).seed == 13
    known = MUTANT.replace("seed: 7", "seed: 70")
    options = argparse.Namespace(seeds=20, table=False, hints=False)
    assert mutants.try_out(Tools(tmp_path, SOLD), written(tmp_path, known), options).seed == 70


def test_mutants__what_survives_is_not_caught(tmp_path):
    verdict = verdict_of(tmp_path, SOLD, seeds=12)
    assert not verdict.caught
    assert verdict.text == "survives 12 seeds"


@pytest.mark.parametrize("words", ["invariant 12: money", "invariant 2: seq", "two runs differ"])
def test_mutants__another_breach_than_it_can_cause_is_not_caught(tmp_path, words):
    verdict = verdict_of(tmp_path, f'echo "seed $seed: {words}"')
    assert not verdict.caught
    assert words in verdict.text


def test_mutants__a_process_that_dies_is_found_with_its_seed(tmp_path):
    said = "sim: bus/a.c:12: land: Assertion \\`owners at rest' failed."
    verdict = verdict_of(tmp_path, f'echo "{said}" >&2; kill -ABRT $$')
    assert (verdict.caught, verdict.seed) == (True, 13), verdict.text
    assert verdict.text == "a.c: land: Assertion `owners at rest' failed"


def test_mutants__one_that_never_ends_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "SEED_S", 0.2)
    verdict = verdict_of(tmp_path, "exec tail -f /dev/null", seeds=13)
    assert (verdict.caught, verdict.seed) == (False, 13)
    assert "it never ends" in verdict.text
