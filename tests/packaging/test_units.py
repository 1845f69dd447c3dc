"""The units, as systemd reads them: no complaint, and hardly anything they may do."""

import re
import subprocess

import pytest

INSTANCES = [f"stagedoor-{name}@1.service" for name in ("shows", "reservations", "checkout", "edge")]
SERVICES = [*INSTANCES, "stagedoor-topics.service"]
EXPOSURE_MAX = 2.0


@pytest.fixture(scope="module")
def units(installed):
    """A folder of units, templates once as an instance."""
    folder = installed / "lib/systemd/system"
    for name in INSTANCES:
        (folder / name).write_text((folder / name.replace("@1", "@")).read_text())
    return folder


def analyze(units, *words):
    # The colon lets systemd's own targets be found as well.
    return subprocess.run(["systemd-analyze", *words], cwd=units, capture_output=True, text=True,
                          env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
                          check=False)


def test_units__systemd_has_nothing_to_say(units):
    done = analyze(units, "verify", "--man=no", *SERVICES, "stagedoor-edge.socket",
                   "stagedoor.target")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_units__are_hardened(units, name):
    done = analyze(units, "security", "--offline=yes", f"./{name}")
    exposure = re.search(r"exposure level for \S+: (\d+\.\d)", done.stdout)
    assert exposure, done.stdout + done.stderr
    assert float(exposure[1]) <= EXPOSURE_MAX, done.stdout


def test_units__nothing_is_left_to_fill_in(units):
    for file in units.iterdir():
        assert not re.search(r"@[A-Z]+@", file.read_text()), file
