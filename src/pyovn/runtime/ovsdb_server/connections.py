"""Connections of clients: bytes in, messages to their sessions, bytes out.

A client that breaks the protocol, or sends a message beyond all measure, is cut off with one line in the log.  One
that does not read is not read from either, and its session is told, so that nothing piles up.
"""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import orjson

from pyovn.ovsdb.errors import ProtocolFault
from pyovn.ovsdb.jsonrpc import Splitter, parse
from pyovn.ovsdb.server.session import Session
from pyovn.ovsdb.server.text import json_text
from pyovn.runtime import logging as vlog

if TYPE_CHECKING:
    from pyovn.runtime.ovsdb_server.shell import Shell

LOG = vlog.module("jsonrpc")

LARGEST_MESSAGE = 2**30
MOST_UNSENT = 2**20  #: bytes that may wait for a slow reader before its monitors fall silent
BULK = 2**20  #: messages from this size on are handled with the garbage collector off

_null_character = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000").search
_PROBE = b'{"id":"echo","method":"echo","params":[]}'


class Connection(asyncio.BufferedProtocol):
    """One client.

    All connections read into one buffer, which is free again by the time the loop looks at the next socket: to have
    the loop make a new bytes object for every read costs more than handling a small transaction.
    """

    transport: asyncio.Transport
    session: Session

    def __init__(self, shell: Shell, name: str, probe_ms: int, on_close: Callable[[Connection], None]) -> None:
        self.name = name
        self.probe_ms = probe_ms
        self.since = shell.clock.now()
        self._shell = shell
        self.on_close = on_close
        self._splitter = Splitter(LARGEST_MESSAGE)
        self._heard = self.since
        self._probed = False

    # -- asyncio's side ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a session."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=MOST_UNSENT)
        self.session = self._shell.server.open(self.name)
        self._shell.connections[self.session] = self

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return self._shell.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Handle the messages that these bytes complete."""
        shell = self._shell
        self._heard = shell.tick()
        self._probed = False
        data = bytes(shell.buffer[:nbytes])
        try:
            if data[0] == 0x7B and data[-1] == 0x7D and not self._splitter.pending:
                # Nearly always a read brings exactly one message: then looking for its end would be a waste.
                try:
                    message = orjson.loads(data)
                except ValueError:
                    self._receive(data)
                else:
                    self._handle(data, message)
            else:
                self._receive(data)
        except ProtocolFault as fault:
            self._cut_off(str(fault))
        shell.flush(self.session)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the session."""
        self._shell.connections.pop(self.session, None)
        self.session.close()
        self.on_close(self)
        self._shell.flush()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self.session.congested = True
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The client keeps up again."""
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self.session.uncongested()
            self._shell.flush()

    # -- ours --------------------------------------------------------------------------------------------------------

    def probe(self, now: float) -> None:
        """Ask a silent client for a sign of life; cut off one that gave none."""
        if not self.probe_ms or now - self._heard < self.probe_ms / 1000:
            return
        if self._probed:
            LOG.warning("%s: no response to inactivity probe after %g seconds, disconnecting", self.name,
                        now - self._heard)  # fmt: skip
            self.transport.abort()
        else:
            self._heard, self._probed = now, True
            self.transport.write(_PROBE)

    def close(self) -> None:
        """Close the connection when everything is sent."""
        self.transport.close()

    def _receive(self, data: bytes) -> None:
        for text in self._splitter.feed(data):
            self._handle(text, parse(orjson.loads, text))
            if self.transport.is_closing():
                break

    def _handle(self, text: bytes, message: dict[str, Any]) -> None:
        if b"\\u0000" in text and _null_character(text):
            raise ProtocolFault("null bytes not supported in quoted strings")
        if len(text) < BULK:
            self.session.handle(message)
            return
        collecting = gc.isenabled()
        gc.disable()
        try:
            self.session.handle(message)
        finally:
            if collecting:
                gc.enable()

    def _cut_off(self, why: str) -> None:
        LOG.warning("%s: %s; connection dropped", self.name, why)
        error = json_text({"error": "protocol error", "details": why}).encode()
        self.session.send(b'{"id":null,"method":"error","params":[%b]}' % error)
        self._shell.flush(self.session)
        self.transport.close()
