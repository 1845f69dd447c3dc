"""make install, make uninstall."""

import re
import subprocess

from conftest import ROOT, make

PROGRAMS = {"stagedoor", *(f"stagedoor-{name}" for name in
                           ("shows", "reservations", "checkout", "edge", "paydesk"))}


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_install__what_is_installed_runs(installed):
    for program in PROGRAMS - {"stagedoor"}:
        assert (installed / "bin" / program).stat().st_mode & 0o777 == 0o755
    done = subprocess.run([installed / "bin/stagedoor", "--version"], capture_output=True, text=True,
                          check=True)
    assert done.stdout.startswith("stagedoor ")


def test_install__there_are_settings_to_begin_with(installed):
    found = (installed / "etc/stagedoor/stagedoor.conf").read_text()
    assert found == (ROOT / "packaging/stagedoor.conf").read_text()


def test_install__strangers_find_what_it_says(installed):
    found = files(installed / "share/stagedoor")
    assert {"openapi.json", "asyncapi.yaml", "json/shows.CreateShow.schema.json",
            "examples/CreateShow.json"} <= found


def test_install__what_is_not_ours_stays_as_it_is(tmp_path):
    where = (f"DESTDIR={tmp_path}", "PREFIX=/usr", f"STAGE={tmp_path / 'stage'}")
    theirs, settings = tmp_path / "usr/bin/theirs", tmp_path / "etc/stagedoor/stagedoor.conf"
    for path in (theirs, settings):
        path.parent.mkdir(parents=True)
        path.write_text("rate = 7\n")
    make("install", *where)
    assert {f"bin/{name}" for name in PROGRAMS} < files(tmp_path / "usr")
    make("uninstall", *where)
    assert files(tmp_path / "usr") == {"bin/theirs"}
    assert settings.read_text() == "rate = 7\n"


def test_install__every_setting_that_is_offered_is_known(tmp_path):
    text = (ROOT / "packaging/stagedoor.conf").read_text()
    offered = tmp_path / "stagedoor.conf"
    offered.write_text(re.sub(r"^#(\S+ = )", r"\1", text, flags=re.M).replace("bus = sqlite", "#"))
    for program in PROGRAMS - {"stagedoor"}:
        done = subprocess.run([ROOT / "build/bin" / program, "--config", offered, "--print-config"],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert re.search(r"^kafka.sasl.password = \S+", done.stdout, re.M)


def test_install__the_version_is_told_once_in_each_place():
    version = (ROOT / "base/version.h").read_text().split('"')[1]
    first = (ROOT / "packaging/debian/changelog").read_text().split("\n", maxsplit=1)[0]
    assert first.startswith(f"stagedoor ({version})")
