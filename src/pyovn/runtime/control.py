"""The control socket (unixctl): commands to a running daemon, and the client that sends them.

    ovs-appctl -t PATH vlog/set northd:dbg   ──►   {"method": "vlog/set", "params": ["northd:dbg"], "id": 0}

JSON-RPC on a UNIX socket; method is the command, params are its arguments, all strings; the result, or the error, is
the text to print.  Works with the C `ovs-appctl` and `ovn-appctl`, and our client with C daemons.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from pyovn.net.errors import OvnError
from pyovn.ovsdb import jsonrpc
from pyovn.ovsdb.errors import ProtocolFault
from pyovn.runtime import logging as vlog
from pyovn.runtime import streams
from pyovn.runtime.counters import Counters

log = vlog.module("unixctl")
LARGEST = 2**24
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


class ControlServer:
    """Listens on a UNIX socket and carries out commands."""

    def __init__(self, path: str, commands: Mapping[str, Command], *, version: str = "") -> None:
        self.path = path
        self._commands = {**_logging_commands(), **self._own_commands(version), **commands}
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, None] = {}

    async def start(self) -> None:
        """Begin to listen, unless the path is empty; raises `streams.StreamFault`."""
        if not self.path:
            return
        remote = streams.Remote("punix", path=self.path, text=f"punix:{self.path}")
        self._server = await streams.listen(remote, self._serve)

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
            with contextlib.suppress(OSError):
                os.unlink(self.path)
        for writer in list(self._writers):
            await streams.close(writer)

    async def __aenter__(self) -> ControlServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def add(self, name: str, command: Command) -> None:
        """Add a command."""
        self._commands[name] = command

    async def run(self, name: str, arguments: Sequence[str]) -> str:
        """The text that a command gives; raises `OvnError` where it fails."""
        command = self._commands.get(name)
        if command is None:
            raise CommandFailed(
                f'"{name}" is not a valid command (use "list-commands" to see a list of valid commands)'
            )
        if len(arguments) < command.least:
            raise CommandFailed(f'"{name}" command requires at least {command.least} arguments')
        if len(arguments) > command.most:
            raise CommandFailed(f'"{name}" command takes at most {command.most} arguments')
        outcome = command.action(list(arguments))
        return (await outcome if inspect.isawaitable(outcome) else outcome) or ""

    def _own_commands(self, version: str) -> dict[str, Command]:
        return {
            "list-commands": Command(self._list_commands),
            "version": Command(lambda _: "\n".join(version.splitlines()[:VERSION_LINES])),
            "set-options": Command(_set_options, "[--format text|json]", 0, 2),
        }

    def _list_commands(self, _: list[str]) -> str:
        lines = [f"  {name:<23} {command.usage}" for name, command in sorted(self._commands.items())]
        return "The available commands are:\n" + "\n".join(lines) + "\n"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter = jsonrpc.Splitter(LARGEST)
        self._writers[writer] = None
        try:
            while piece := await reader.read(65536):
                for text in splitter.feed(piece):
                    answer = await self._answer(jsonrpc.parse(json.loads, text))
                    if answer is not None:
                        writer.write(json.dumps(answer, separators=(",", ":")).encode())
                await writer.drain()
        except ProtocolFault as fault:
            log.warning("control connection: %s", fault)
        except OSError:
            pass  # the client went away
        finally:
            del self._writers[writer]
            writer.close()

    async def _answer(self, message: jsonrpc.Message) -> jsonrpc.Message | None:
        if jsonrpc.kind(message) != "request":
            return None
        name, arguments = message["method"], message["params"]
        try:
            if not all(isinstance(argument, str) for argument in arguments):
                raise CommandFailed("command has non-string argument")
            return jsonrpc.reply(_whole_lines(await self.run(name, arguments)), message["id"])
        except OvnError as fault:
            return jsonrpc.error(_whole_lines(str(fault)), message["id"])
        except Exception as fault:
            log.exception("command %s failed", name)
            return jsonrpc.error(f"internal error: {type(fault).__name__}: {fault}\n", message["id"])


def _whole_lines(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _set_options(arguments: list[str]) -> str:
    if arguments and arguments != ["--format", "text"]:
        raise CommandFailed("only text output is available")
    return ""


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


async def send(path: str, command: str, arguments: Sequence[str] = (), timeout_s: float | None = None) -> str:
    """The text that a daemon gives to a command; raises `CommandFailed` with its error, or `StreamFault`."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await streams.connect(streams.Remote("unix", path=path, text=f"unix:{path}"))
        try:
            writer.write(json.dumps(jsonrpc.request(command, list(arguments), 0)).encode())
            return await _reply(reader)
        finally:
            await streams.close(writer)


async def _reply(reader: asyncio.StreamReader) -> str:
    splitter = jsonrpc.Splitter()
    while piece := await reader.read(65536):
        for text in splitter.feed(piece):
            message = jsonrpc.parse(json.loads, text)
            match jsonrpc.kind(message):
                case "reply":
                    return _shown(message["result"])
                case "error":
                    raise CommandFailed(_shown(message["error"]).removesuffix("\n"))
    raise CommandFailed("connection closed before the answer came")


def _shown(answer: object) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer)
