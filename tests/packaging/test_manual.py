"""The manual: a page for each program and each command, told by its own table of options."""

import re
import subprocess

import pytest

from conftest import ROOT
from test_install import PROGRAMS


def words(*command):
    done = subprocess.run([ROOT / "build/bin" / command[0], *command[1:], "--help=words"],
                          capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


COMMANDS = [word for word, _, _ in words("stagedoor")]


@pytest.fixture(scope="module")
def pages(installed):
    return {path.stem: path for path in (installed / "share/man").rglob("*.[18]")}


def shown(page):
    done = subprocess.run(["mandoc", "-T", "utf8", page], capture_output=True, text=True, check=True)
    return re.sub(".\b", "", done.stdout)


def test_manual__there_is_a_page_for_everything(pages):
    assert set(pages) == PROGRAMS | {f"stagedoor-{command}" for command in COMMANDS}


def test_manual__mandoc_has_nothing_to_say(pages):
    done = subprocess.run(["mandoc", "-T", "lint", *pages.values()], capture_output=True, text=True,
                          check=False)
    # It looks for other pages in the machine's own manual.
    complaints = [line for line in done.stdout.splitlines() if "manual not found: Xr" not in line]
    assert not complaints, "\n".join(complaints[:20])


def test_manual__a_page_that_is_named_is_there(pages):
    for page in pages.values():
        for name, section in re.findall(r"^\.Xr (\S+) (\d)", page.read_text(), re.M):
            assert name == "systemd" or pages[name].suffix == f".{section}", page


@pytest.mark.parametrize("command", COMMANDS)
def test_manual__a_page_names_every_option_and_word(pages, command):
    page = shown(pages[f"stagedoor-{command}"])
    for word, argument, _ in words("stagedoor", command):
        wanted = word if argument == "-" else f"{word} {argument}"
        assert wanted in page, f"{wanted}\n{page}"


@pytest.mark.parametrize("program", sorted(PROGRAMS - {"stagedoor"}))
def test_manual__a_service_and_its_options(pages, program):
    page = shown(pages[program])
    assert page.startswith(program.upper() + "(8)")
    for word, _, _ in words(program):
        assert word in page


def test_manual__the_first_page_names_all_commands(pages):
    page = shown(pages["stagedoor"])
    for command in COMMANDS:
        assert f"stagedoor-{command}(1)" in page
