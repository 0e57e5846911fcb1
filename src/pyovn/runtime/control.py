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
from collections.abc import Awaitable, Mapping, Sequence

from pyovn.net.errors import OvnError
from pyovn.ovsdb import jsonrpc
from pyovn.ovsdb.errors import ProtocolFault
from pyovn.runtime import logging as vlog
from pyovn.runtime import streams
from pyovn.runtime.commands import Command, CommandFailed, Commands, Conversation, whole_lines

log = vlog.module("unixctl")
LARGEST = 2**24


class ControlServer:
    """Listens on a UNIX socket and carries out commands."""

    def __init__(self, path: str, commands: Mapping[str, Command], *, version: str = "") -> None:
        self.path = path
        self._commands = Commands(commands, version=version)
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
        self._commands.add(name, command)

    async def run(self, name: str, arguments: Sequence[str]) -> str:
        """The text that a command gives; raises `OvnError` where it fails."""
        return await _done(self._commands.carry_out(name, arguments)) or ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter = jsonrpc.Splitter(LARGEST)
        client = Conversation(self._commands)
        self._writers[writer] = None
        try:
            while piece := await reader.read(65536):
                for text in splitter.feed(piece):
                    answer = await _answer(client, jsonrpc.parse(json.loads, text))
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


async def _answer(client: Conversation, message: jsonrpc.Message) -> jsonrpc.Message | None:
    if jsonrpc.kind(message) != "request":
        return None
    name, arguments = message["method"], message["params"]
    try:
        if not all(isinstance(argument, str) for argument in arguments):
            raise CommandFailed("command has non-string argument")
        return jsonrpc.reply(client.shown(name, await _done(client.carry_out(name, arguments))), message["id"])
    except OvnError as fault:
        return jsonrpc.error(whole_lines(str(fault)), message["id"])
    except Exception as fault:
        log.exception("command %s failed", name)
        return jsonrpc.error(f"internal error: {type(fault).__name__}: {fault}\n", message["id"])


async def _done(outcome: str | Awaitable[str | None] | None) -> str | None:
    return await outcome if inspect.isawaitable(outcome) else outcome


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
