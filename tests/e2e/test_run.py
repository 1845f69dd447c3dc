"""tests/run.py counts what it should: what crashes, hangs or is never reached has failed."""

import os
import pathlib
import subprocess

import pytest

RUN = pathlib.Path(__file__).resolve().parents[1] / "run.py"
CANARY = 'if [ "$STAGEDOOR_CANARY" = 1 ]; then echo 1..1; echo "not ok 1 - falls"; exit 1; fi\n'
GOOD = "echo 1..2; echo 'ok 1 - one'; echo 'ok 2 - two'"


def program(folder, text, name="program"):
    path = folder / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)
    return path


def run(*arguments):
    """(exit code, last line, everything)."""
    done = subprocess.run([RUN, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          check=False)
    return done.returncode, done.stdout.splitlines()[-1], done.stdout


@pytest.mark.parametrize("kind,text,passed,failed", [
    ("cmocka", GOOD, 2, 0),
    ("cmocka", "echo 1..2; echo 'ok 1 - one'; echo 'not ok 2 - two'; exit 1", 1, 1),
    ("cmocka", "echo 1..3; echo 'ok 1 - one'; kill -ABRT $$", 1, 2),  # crashed in the second
    ("cmocka", GOOD + "; exit 23", 2, 1),  # a leak was found at the end
    ("cmocka", GOOD + "; " + GOOD, 4, 0),  # two groups
    ("cmocka", "true", 0, 1),  # nothing was run
    ("counted", "echo 7 passed, 0 failed", 7, 0),
    ("counted", "echo 7 passed, 2 failed; exit 1", 7, 2),
    ("counted", "echo 7 passed, 0 failed; exit 1", 7, 1),
    ("counted", "echo all is well", 0, 1),
    ("command", "true", 1, 0),
    ("command", "false", 0, 1),
    ("command", "sleep 60", 0, 1),  # stopped
])
def test_run__counts(tmp_path, kind, text, passed, failed):
    code, last, output = run("--timeout", "2", f"suite {kind}: {program(tmp_path, text)}")
    assert last == f"{passed} passed, {failed} failed", output
    assert code == (1 if failed else 0)


def test_run__in_the_background_a_politely_asked_program_ends_too(tmp_path):
    """A shell without job control lets what it starts with & ignore SIGINT."""
    asked = tmp_path / "asked"
    path = program(tmp_path, f"trap 'touch {asked}; exit 1' INT; while :; do sleep 0.1; done")
    done = subprocess.run(["sh", "-c", "trap '' INT; exec \"$@\"", "sh", RUN, "--timeout", "2",
                           f"suite command: {path}"], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"
    assert asked.exists(), done.stdout


def test_run__counts_pytest(tmp_path):
    (tmp_path / "test_some.py").write_text(
        "import pytest\ndef test_a(): pass\ndef test_b(): assert False, 'the reason'\n"
        "@pytest.fixture\ndef broken():\n    yield\n    assert False\n"
        "def test_c(broken): pass\n@pytest.mark.skip\ndef test_d(): pass\n")
    code, last, output = run(f"suite pytest: {tmp_path}")
    assert (code, last) == (1, "1 passed, 2 failed"), output
    assert "1 skipped" in output and "the reason" in output


def test_run__a_program_that_is_not_there(tmp_path):
    code, last, _ = run(f"suite cmocka: {tmp_path}/nowhere",
                        f"good cmocka: {program(tmp_path, GOOD)}")
    assert (code, last) == (1, "2 passed, 1 failed")


def test_run__a_canary_that_does_not_fall(tmp_path):
    good = program(tmp_path, GOOD)
    canary = program(tmp_path, CANARY + GOOD, "canary")
    assert run("--canary", canary, f"suite cmocka: {good}")[:2] == (0, "2 passed, 0 failed")
    code, last, output = run("--canary", good, f"suite cmocka: {good}")
    assert (code, last) == (1, "0 passed, 1 failed") and "not heard" in output


def test_run__variables_go_before_words(tmp_path):
    text = '[ "$STAGEDOOR_TEST_BACKENDS" = sqlite ]'
    path = program(tmp_path, text)
    assert run(f"suite command: STAGEDOOR_TEST_BACKENDS=sqlite {path}")[0] == 0
    assert run(f"suite command: STAGEDOOR_TEST_BACKENDS=sim {path}")[0] == 1


def test_run__files_are_run_each_by_itself(tmp_path):
    (tmp_path / "conftest.py").write_text("import os\nos.environ.setdefault('FIRST', '')\n")
    files = [tmp_path / f"test_{name}.py" for name in ("one", "other")]
    for file in files:
        file.write_text("import os\ndef test_first():\n"
                        "    assert not os.environ['FIRST']\n    os.environ['FIRST'] = 'no'\n")
    assert run(f"suite files: {files[0]} {files[1]}")[:2] == (0, "2 passed, 0 failed")
    assert run(f"suite pytest: {files[0]} {files[1]}")[:2] == (1, "1 passed, 1 failed")


def test_run__what_waits_runs_beside_what_computes(tmp_path):
    """Each needs the other to be there, with one program of a kind at once; and one is nice."""
    here, there = tmp_path / "here", tmp_path / "there"
    os.mkfifo(here)
    os.mkfifo(there)
    computing = program(tmp_path, f'[ $(nice) -gt {os.nice(0)} ] && read x <{here} && echo x >{there}', "one")
    waiting = program(tmp_path, f'[ $(nice) = {os.nice(0)} ] && echo x >{here} && read x <{there}', "other")
    code, last, output = run("--jobs", "1", "--waiting", "1", "--timeout", "20",
                             f"suite command: {computing}", f"other command waits: {waiting}")
    assert (code, last) == (0, "2 passed, 0 failed"), output


def test_run__unknown_marks_are_wrong_usage():
    done = subprocess.run([RUN, "suite command sleepy: true"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2 and "'NAME KIND [MARKS]: WORDS'" in done.stderr
