"""One configuration for all programs: what may stand in it, and what may not be set."""

import re
import subprocess

import pytest

from theatre import BIN

PROGRAMS = ["stagedoor-edge", "stagedoor-shows", "stagedoor-reservations", "stagedoor-checkout",
            "stagedoor-paydesk"]
COMMANDS = [line.split()[0] for line in
            subprocess.run([BIN / "stagedoor", "help"], capture_output=True, text=True, check=True)
            .stdout.splitlines() if line.startswith("  ")]


def run(*words, **variables):
    return subprocess.run([BIN / words[0], *words[1:]], capture_output=True, text=True, timeout=60,
                          check=False, env={"PATH": "/usr/bin:/bin", **variables})


def settings_of(*words):
    """Every name that has a variable, by --help."""
    rows = re.split(r"^ +(?:-\w, )?--", run(*words, "--help").stdout, flags=re.MULTILINE)[1:]
    return [re.match("[a-z-]+", row)[0] for row in rows if "[STAGEDOOR_" in row]


def test_config__one_file_may_hold_what_any_program_knows(tmp_path):
    programs = [[name] for name in PROGRAMS] + [["stagedoor", name] for name in COMMANDS]
    names = {name for words in programs for name in settings_of(*words)} - {"config", "kafka"}
    assert {"bus", "rate", "session-timeout", "provider", "edges"} <= names
    path = tmp_path / "stagedoor.conf"
    path.write_text("".join(f"{name} =\n" for name in sorted(names)) + "kafka.linger.ms = 5\n")
    for words in programs:
        done = run(*words, "--config", path, "--print-config")
        assert done.returncode == 0, done.stderr
        if "bus" in settings_of(*words):
            assert "kafka.linger.ms = 5 " in done.stdout and str(path) in done.stdout


@pytest.mark.parametrize("name, why", [
    ("acks", "must be on all replicas"), ("enable.idempotence", "must keep their order"),
    ("request.required.acks", "must be on all replicas"), ("bootstrap.servers", "named by --bus"),
    ("isolation.level", "would stop all readers"), ("enable.auto.commit", "not in the group"),
    ("group.id", "follows from --group-instance"), ("session.timeout.ms", "--session-timeout")])
def test_property__that_a_promise_depends_on_is_refused(name, why):
    for program in ("stagedoor-edge", "stagedoor-shows"):
        done = run(program, "--bus", "kafka://localhost:1", "--check",
                   STAGEDOOR_GROUP_INSTANCE="1",
                   **{"STAGEDOOR_KAFKA_" + name.upper().replace(".", "_"): "1"})
        assert done.returncode == 1, done
        assert f"-X {name} cannot be set: " in done.stderr and why in done.stderr


def test_property__that_is_unknown_is_told_in_librdkafkas_own_words():
    common = ["--bus", "kafka://localhost:1", "-X", "sasl.pasword=geheim"]
    for words in (["stagedoor", "tail"], ["stagedoor-shows", "--group-instance", "1"]):
        done = run(*words, *common)
        assert done.returncode == 100
        assert 'No such configuration property: "sasl.pasword"' in done.stderr
        assert "geheim" not in done.stderr


def test_check__says_whether_it_would_start(tmp_path):
    url = f"sqlite:{tmp_path}/bus.db"
    shows = ["stagedoor-shows", "--bus", url, "--group-instance", "1", "--check"]
    edge = ["stagedoor-edge", "--bus", url, "--data", str(tmp_path / "edge"), "--check"]
    for words in (shows, edge):
        done = run(*words)
        assert done.returncode == 1 and "stagedoor topics create" in done.stderr
    assert not list(tmp_path.iterdir())
    assert run("stagedoor", "topics", "create", "--bus", url).returncode == 0
    for words in (shows, edge):
        done = run(*words)
        assert done.returncode == 0 and "fit to start" in done.stdout, done.stderr
    done = run(*shows, "--partitions", "9")
    assert done.returncode == 1 and "4 partitions, not 9" in done.stderr
    done = run(*edge, "--listen", "0.0.0.0:0")
    assert done.returncode == 1 and "keys" in done.stderr
    assert not (tmp_path / "edge").exists()
