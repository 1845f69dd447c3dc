"""What `make install` puts somewhere, once for all tests."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def make(*words):
    """make, as a person says it: nothing is inherited from the make that runs the tests."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "-s", *map(str, words)], cwd=ROOT, env=env, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A PREFIX with everything below it."""
    prefix = tmp_path_factory.mktemp("prefix")
    make("install", f"PREFIX={prefix}", f"SYSCONFDIR={prefix}/etc",
         f"STAGE={tmp_path_factory.mktemp('stage')}")
    return prefix


@pytest.fixture(scope="session")
def package():
    found = list((ROOT / "build").glob("stagedoor_*.deb"))
    assert len(found) == 1, f"{len(found)} packages; run: make deb"
    return found[0]
