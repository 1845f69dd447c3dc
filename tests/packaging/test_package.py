"""What is in the Debian package. What Debian's own judge says of it: house.py."""

import re
import subprocess

from test_install import PROGRAMS


def ask(*words):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True).stdout


def contents(package):
    """{path: (mode, owner)}"""
    lines = [line.split(None, 5) for line in ask("dpkg-deb", "-c", package).splitlines()]
    return {words[5].removeprefix(".").split(" -> ")[0]: (words[0], words[1]) for words in lines}


def script(package, name):
    return ask("dpkg-deb", "-I", package, name)


def test_package__has_what_make_install_installs(package, installed):
    found = contents(package)
    for name in PROGRAMS:
        assert found[f"/usr/bin/{name}"] == ("-rwxr-xr-x", "root/root")
    for path in installed.rglob("*"):
        name = path.relative_to(installed).as_posix()
        name = name.replace("zsh/site-functions", "zsh/vendor-completions")
        name = name if name.startswith("etc/") else f"usr/{name}"
        if path.is_file() and "@1" not in name:
            assert {f"/{name}", f"/{name}.gz"} & set(found), name
    assert not [path for path in found if path.startswith("/usr/local")]


def test_package__settings_belong_to_the_one_who_runs_it(package):
    assert script(package, "conffiles").split() == ["/etc/stagedoor/stagedoor.conf"]


def test_package__makes_its_user_and_starts_nothing(package):
    made = script(package, "postinst")
    assert "systemd-sysusers" in made and "stagedoor.conf" in made
    assert not re.search(r"systemctl (enable|start)|deb-systemd-(helper|invoke)", made)


def test_package__depends_on_the_libraries_it_was_linked_with(package):
    depends = ask("dpkg-deb", "-f", package, "Depends")
    for library in ("librdkafka1", "libmicrohttpd12", "libcjson1", "libsqlite3-0", "libssl3",
                    "libcurl4"):
        assert re.search(rf"\b{library}(t64)?\b", depends), depends
