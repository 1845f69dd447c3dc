"""What bash and zsh offer when Tab is pressed."""

import os
import subprocess

import pytest

from conftest import ROOT

ENV = dict(os.environ, PATH=f"{ROOT}/build/bin:{os.environ['PATH']}")

BASH = """
source {file}
COMP_WORDS=({words}) COMP_CWORD={last}
_stagedoor
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

# The functions of zsh's own that would draw a menu say instead what it would be of.
ZSH = """
_describe() {{ print -l -- "${{(@P)2%%:*}}" }}
_files() {{ print -l -- files "$@" }}
_message() {{ print -- "message $1" }}
compadd() {{ shift; print -l -- "$@" }}
autoload -Uz {file}
words=({words}) CURRENT={current}
_stagedoor
"""


def quoted(words):
    return " ".join(f"'{word}'" for word in words)


def bash(*words):
    file = ROOT / "packaging/completions/stagedoor.bash"
    script = BASH.format(file=file, words=quoted(words), last=len(words) - 1)
    done = subprocess.run(["bash", "-c", script], env=ENV, cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stderr == ""
    return done.stdout.split()


def zsh(*words):
    file = ROOT / "packaging/completions/_stagedoor"
    script = ZSH.format(file=file, words=quoted(words), current=len(words))
    done = subprocess.run(["zsh", "-f", "-c", script], env=ENV, cwd=ROOT, capture_output=True,
                          text=True, check=True)
    assert done.stderr == ""
    # It offers all of a kind and narrows it down itself.
    return [word for word in done.stdout.split() if word.startswith(words[-1]) or not words[-1]]


@pytest.mark.parametrize("shell", [bash, zsh])
@pytest.mark.parametrize("line, offered", [
    (("stagedoor", "to"), ["topics"]),
    (("stagedoor", "help", "to"), ["topics"]),
    (("stagedoor", "topics", ""), ["create", "check", "acls"]),
    (("stagedoor", "topics", "--part"), ["--partitions"]),
    (("stagedoor", "keys", "ro"), ["rotate"]),
    (("stagedoor-edge", "--sample", ""), ["on", "off"]),
    (("stagedoor-edge", "--trusted"), ["--trusted-proxy"]),
    (("stagedoor-shows", "--group"), ["--group-instance"]),
])
def test_completions__offer(shell, line, offered):
    found = shell(*line)
    assert found == offered


def test_completions__what_only_people_know_is_left_to_them():
    assert bash("stagedoor-edge", "--burst", "") == []
    assert zsh("stagedoor-edge", "--burst", "")[:2] == ["message", "N:"]


def test_completions__bash_offers_folders_where_one_is_wanted():
    assert "services" in bash("stagedoor", "tail", "--data", "")
    assert "Makefile" not in bash("stagedoor", "tail", "--data", "")


def test_completions__zsh_offers_folders_where_one_is_wanted():
    assert zsh("stagedoor", "tail", "--data", "") == ["files", "-/"]
