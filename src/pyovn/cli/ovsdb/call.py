"""The frame of both tools: a table of commands, the words they get, and how they end.

Command(run, least, most, needs)      run(call) with call.words, call.options; returns the exit status
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pyovn.cli.ctl.errors import CtlError, Leave
from pyovn.cli.ctl.output import compact, pretty
from pyovn.cli.session import ConnectionFailed, Refused
from pyovn.net.errors import OvnError
from pyovn.runtime.options import Arguments, Option, read

Json = Any
MANY = sys.maxsize  #: the most words of a command that takes any number of them


class Command(NamedTuple):
    """One command: what it does, how many words it takes, and whether it works on a server or a database there."""

    run: Callable[..., int | None]
    least: int = 0
    most: int = 0
    needs: str = ""  #: "", "server" or "database"


class Tool(NamedTuple):
    """A tool's name, version, options and commands."""

    name: str
    version: str
    help: Callable[[], str]
    options: Sequence[Option]
    commands: Mapping[str, Command]


def main(tool: Tool, words: Sequence[str] | None, start: Callable[[Command, Arguments, list[str]], int | None]) -> int:
    """Run one command with `start`; returns the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        found = read(tool.options, sys.argv[1:] if words is None else words)
        if "help" in found or found.words[:1] == ["help"]:
            write(tool.help())
            return 0
        if "version" in found:
            write(tool.version + "\n")
            return 0
        return start(command(tool, found.words), found, found.words[1:]) or 0
    except ConnectionFailed as fault:
        return failed(tool.name, f"{fault.remotes}: receive failed ({fault.reason})")
    except Refused as fault:
        return failed(tool.name, f"transaction returned error: {fault}")
    except OvnError as fault:
        return failed(tool.name, str(fault))
    except Leave as answer:
        return answer.status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def command(tool: Tool, words: Sequence[str]) -> Command:
    """The command that the words begin with; raises `CtlError`."""
    if not words:
        raise CtlError("missing command name; use --help for help")
    found = tool.commands.get(words[0])
    if found is None:
        raise CtlError(f"unknown command '{words[0]}'; use --help for help", words[0], tool.commands)
    return found


def failed(name: str, text: str) -> int:
    """Say what went wrong."""
    sys.stdout.flush()
    sys.stderr.write(f"{name}: {text}\n")
    return 1


def write(text: str) -> None:
    """Print text now."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_json(value: Json, options: Arguments) -> None:
    """Print JSON, keys sorted."""
    write((pretty(value) if "pretty" in options else compact(value)) + "\n")
