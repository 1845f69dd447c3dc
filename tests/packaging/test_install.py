"""make install, make uninstall."""

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


def test_install__strangers_find_what_it_says(installed):
    found = files(installed / "share/stagedoor")
    assert {"openapi.json", "asyncapi.yaml", "json/shows.CreateShow.schema.json",
            "examples/CreateShow.json"} <= found


def test_install__uninstall_leaves_what_was_there_before(tmp_path):
    ours = tmp_path / "usr/bin/ours"
    ours.parent.mkdir(parents=True)
    ours.touch()
    where = (f"DESTDIR={tmp_path}", "PREFIX=/usr", f"STAGE={tmp_path / 'stage'}")
    make("install", *where)
    assert {f"bin/{name}" for name in PROGRAMS} < files(tmp_path / "usr")
    make("uninstall", *where)
    assert files(tmp_path / "usr") == {"bin/ours"}


def test_install__the_version_is_told_once_in_each_place():
    version = (ROOT / "base/version.h").read_text().split('"')[1]
    first = (ROOT / "packaging/debian/changelog").read_text().split("\n", maxsplit=1)[0]
    assert first.startswith(f"stagedoor ({version})")
