"""What a daemon can be asked: commands by name, and those that every daemon has.

    commands = Commands({"exit": Command(leave)}, version="ovn-nbctl 26.03.2")
    client = Conversation(commands)
    client.shown(client.carry_out("vlog/set", ["northd:dbg"]))

Who listens for them is somebody else: `control.ControlServer`, or a tool that has become a daemon.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyovn.net.errors import OvnError
from pyovn.runtime import logging as vlog
from pyovn.runtime.counters import Counters

Json = Any

ANY_NUMBER = 2**31
VERSION_LINES = 2  #: of the text of `--version`, what `version` answers: the program and its library


class CommandFailed(OvnError):
    """A command that could not be carried out; the text goes to whoever sent it."""


Action = Callable[[list[str]], "str | Awaitable[str | None] | None"]


@dataclass(frozen=True, slots=True)
class Command:
    """What a command does, how its arguments are shown, and how many it takes."""

    action: Action
    usage: str = ""
    least: int = 0
    most: int = 0


class Commands:
    """The commands of one daemon."""

    def __init__(self, own: Mapping[str, Command], *, version: str = "") -> None:
        common = {
            "list-commands": Command(lambda _: self.listing()),
            "version": Command(lambda _: "\n".join(version.splitlines()[:VERSION_LINES])),
        }
        self._commands = {**_logging_commands(), **common, **own}
        self._commands["set-options"] = Command(lambda _: None, "[--format text|json]", 1, 2)

    def add(self, name: str, command: Command) -> None:
        """Add a command."""
        self._commands[name] = command

    def carry_out(self, name: str, arguments: Sequence[str]) -> str | Awaitable[str | None] | None:
        """What a command gives, now or later; raises `OvnError` where it fails."""
        command = self._commands.get(name)
        if command is None:
            raise CommandFailed(
                f'"{name}" is not a valid command (use "list-commands" to see a list of valid commands)'
            )
        if len(arguments) < command.least:
            raise CommandFailed(f'"{name}" command requires at least {command.least} arguments')
        if len(arguments) > command.most:
            raise CommandFailed(f'"{name}" command takes at most {command.most} arguments')
        return command.action(list(arguments))

    def usages(self) -> dict[str, str]:
        """The arguments that each takes."""
        return {name: command.usage for name, command in sorted(self._commands.items())}

    def listing(self) -> str:
        """All of them, with their arguments."""
        lines = [f"  {name:<23} {usage}" for name, usage in self.usages().items()]
        return "The available commands are:\n" + "\n".join(lines) + "\n"


def whole_lines(text: str) -> str:
    """Text as it goes over a control socket: its last line ends, if there is one."""
    return text if not text or text.endswith("\n") else f"{text}\n"


class Conversation:
    """What one client asks, and how it wants to be answered."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._as_json = False

    def carry_out(self, name: str, arguments: Sequence[str]) -> str | Awaitable[str | None] | None:
        """What a command gives, now or later; raises `OvnError` where it fails."""
        found = self._commands.carry_out(name, arguments)
        if name == "set-options":
            self._set_options(arguments)
        return found

    def shown(self, name: str, text: str | None) -> Json:
        """What a command gave, as the client wants it."""
        if not self._as_json:
            return whole_lines(text or "")
        return self._commands.usages() if name == "list-commands" else {"reply-format": "plain", "reply": text or ""}

    def _set_options(self, words: Sequence[str]) -> None:
        name, equals, value = words[0].partition("=")
        if not name.startswith("-"):
            return
        if name != "--format":
            raise CommandFailed(f"unrecognized option '{words[0]}'")
        if not equals and len(words) == 1:
            raise CommandFailed("option '--format' requires an argument")
        form = value if equals else words[1]
        if form not in ("text", "json"):
            raise CommandFailed(f"option format has invalid value {form}")
        self._as_json = form == "json"


def _logging_commands() -> dict[str, Command]:
    """The `vlog/` commands that every daemon has."""

    def change(arguments: list[str]) -> None:
        for spec in arguments or ["ANY:ANY:DBG"]:
            vlog.apply(spec)

    return {
        "vlog/set": Command(change, "{spec | PATTERN:destination:pattern}", 0, ANY_NUMBER),
        "vlog/list": Command(lambda _: vlog.listing()),
        "vlog/list-pattern": Command(lambda _: vlog.patterns()),
        "vlog/reopen": Command(lambda _: vlog.reopen()),
        "vlog/close": Command(lambda _: vlog.close_file()),
        "vlog/enable-rate-limit": Command(
            lambda names: vlog.limit_rates(names, limited=True), "[module]...", 0, ANY_NUMBER
        ),
        "vlog/disable-rate-limit": Command(
            lambda names: vlog.limit_rates(names, limited=False), "[module]...", 0, ANY_NUMBER
        ),
    }


def counter_commands(counters: Counters) -> dict[str, Command]:
    """The commands that show what a daemon has counted and timed."""
    return {
        "memory/show": Command(lambda _: counters.memory_text()),
        "coverage/show": Command(lambda _: counters.coverage_text()),
        "coverage/read-counter": Command(lambda names: counters.counter_text(names[0]), "COUNTER", 1, 1),
        "stopwatch/show": Command(lambda names: counters.stopwatch_text(names[0] if names else None), "[NAME]", 0, 1),
        "stopwatch/reset": Command(lambda names: counters.reset(names[0] if names else None), "[NAME]", 0, 1),
    }
