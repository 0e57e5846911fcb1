"""The conversations leave no command and no option of the C tools out."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_differential import CONVERSATIONS, TOOLS
from tests.cli.twins import conversation
from tests.support.c_programs import need

pytestmark = pytest.mark.interop

#: options that no conversation can have: how the database is reached, what a resident tool does, where logs go, and
#: those that only ask about the tool
ELSEWHERE = {
    "--db", "--detach", "--unixctl", "--pidfile", "--overwrite-pidfile", "--no-chdir", "--monitor", "--user",
    "--no-self-confinement", "--private-key", "--certificate", "--ca-cert", "--bootstrap-ca-cert", "--peer-ca-cert",
    "--ssl-protocols", "--ssl-ciphers", "--ssl-ciphersuites", "--ssl-server-name", "--help", "--version", "--commands",
    "--options", "--log-file", "--syslog-target", "--print-wait-time", "--retry",
}  # fmt: skip


def commands_of(program: Path) -> dict[str, set[str]]:
    """Every command of a C tool, with its options."""
    text = subprocess.run([program, "--commands"], capture_output=True, text=True, timeout=20, check=True).stdout
    rows = [line.split(",", 2) for line in text.splitlines()]
    return {name: set(re.findall(r"\[(--[\w-]+)", options)) for options, name, _ in rows}


def options_of(program: Path) -> set[str]:
    """Every long option of a C tool, its own and its commands'."""
    text = subprocess.run([program, "--options"], capture_output=True, text=True, timeout=20, check=True).stdout
    return set(re.findall(r"^(--[\w-]+)", text, re.MULTILINE))


def said(tool: str, version: str) -> dict[str, set[str]]:
    """The commands of all conversations with a tool, and the options that stand before them."""
    found: dict[str, set[str]] = {}
    for path in CONVERSATIONS.glob(f"{tool}*.txt"):
        for line in conversation(path, version):
            options: set[str] = set()
            for part in " ".join(shlex.split(line)).split(" -- "):
                words = part.split()
                while words and words[0].startswith("-"):
                    options.add(words.pop(0).partition("=")[0])
                if words:
                    found.setdefault(words[0], set()).update(options)
                    options = set()
    return found


@pytest.mark.parametrize("version", ["26.03", "23.03"])
@pytest.mark.parametrize("tool", TOOLS)
def test_every_command_is_in_a_conversation_with_every_option(tool: str, version: str) -> None:
    program = need(TOOLS[tool][0].name, version)
    spoken = said(tool, version)
    missing = {
        name: sorted(options - spoken.get(name, set()))
        for name, options in commands_of(program).items()
        if name not in spoken or options - spoken[name]
    }
    assert not missing


@pytest.mark.parametrize("version", ["26.03", "23.03"])
@pytest.mark.parametrize("tool", TOOLS)
def test_every_other_option_is_in_a_conversation(tool: str, version: str) -> None:
    program = need(TOOLS[tool][0].name, version)
    spoken = set().union(*said(tool, version).values())
    of_commands = set().union(*commands_of(program).values())
    assert sorted(options_of(program) - of_commands - spoken - ELSEWHERE) == []


@pytest.mark.parametrize("tool", TOOLS)
def test_no_command_and_no_option_of_26_03_is_unknown(tool: str) -> None:
    ours = TOOLS[tool][0]
    program = need(ours.name, "26.03")
    rows = {name: row for topic in ours.topics for name, row in ours.table(topic).items()}
    theirs = commands_of(program)
    assert set(rows) == set(theirs)
    assert {name: set(row.options) for name, row in rows.items()} == theirs
    assert options_of(program) <= {*ours.options, *ours.command_options()}
