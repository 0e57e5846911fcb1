"""Connections of clients: bytes in, messages to their sessions, bytes out.

    read ─→ messages ─→ a few are handled, then it is others' turn ─→ answers ─→ written, while the client reads them

A client that breaks the protocol, or sends a message beyond all measure, is cut off with one line in the log.  One
that does not read is not read from either, and its session is told, so that nothing piles up.
"""

from __future__ import annotations

import asyncio
import gc
import re
from collections import deque
from typing import TYPE_CHECKING, Any, cast

import orjson

from pyovn.ovsdb.errors import ProtocolFault
from pyovn.ovsdb.jsonrpc import Splitter, parse
from pyovn.ovsdb.server.session import Session
from pyovn.ovsdb.server.text import json_text
from pyovn.runtime import logging as vlog
from pyovn.runtime.certificates import common_name
from pyovn.runtime.ovsdb_server.descriptors import for_clients

if TYPE_CHECKING:
    from pyovn.runtime.ovsdb_server.endpoints import Endpoint
    from pyovn.runtime.ovsdb_server.shell import Shell

LOG = vlog.module("jsonrpc")
LIMITED = vlog.Limited(LOG)

LARGEST_MESSAGE = 2**30  #: bytes in one message, and in the unfinished messages of all clients together
MOST_UNSENT = 2**20  #: bytes that may wait for a slow reader before its monitors fall silent
AT_ONCE = 64  #: messages of one client that are handled before others get their turn
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

    def __init__(self, shell: Shell, name: str, endpoint: Endpoint) -> None:
        self.name = name
        self.endpoint = endpoint
        self.since = shell.clock.now()
        self.is_idle = False  #: asked for a sign of life, which has not come yet
        self._shell = shell
        self._splitter = Splitter(LARGEST_MESSAGE)
        self._backlog: deque[bytes] = deque()
        self._fault: ProtocolFault | None = None  # what is wrong with what follows the backlog
        self._paused = False
        self._going_on = False
        self._heard = self.since

    # -- asyncio's side ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a session."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=MOST_UNSENT)
        session = self.session = self._shell.server.open(self.name)
        session.role, session.read_only = self.endpoint.options.role, self.endpoint.options.read_only
        session.identity = common_name(transport.get_extra_info("peercert"))
        self._shell.connections[session] = self
        self.endpoint.made(self)
        if len(self._shell.connections) > for_clients():
            LIMITED.warning("%s: too many connections; dropping it", self.name)
            self.transport.abort()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return self._shell.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Handle the messages that these bytes complete."""
        shell = self._shell
        self._heard = shell.tick()
        self.is_idle = False
        data = bytes(shell.buffer[:nbytes])
        if data[0] == 0x7B and data[-1] == 0x7D and not self._backlog and not self._splitter.pending:
            # Nearly always a read brings exactly one message: then looking for its end would be a waste.
            try:
                message = orjson.loads(data)
            except ValueError:
                self._receive(data)
            else:
                try:
                    self._handle(data, message)
                except ProtocolFault as fault:
                    self._cut_off(str(fault))
                shell.flush(self.session)
        else:
            self._receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the session."""
        self._backlog.clear()
        self._shell.connections.pop(self.session, None)
        self.session.close()
        self.endpoint.lost(self)
        self._shell.flush()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self.session.congested = True
        self._read(False)

    def resume_writing(self) -> None:
        """The client keeps up again."""
        if not self.transport.is_closing():
            self.session.uncongested()
            self._shell.flush()
            self.go_on()

    # -- ours --------------------------------------------------------------------------------------------------------

    def probe(self, now: float) -> None:
        """Ask a silent client for a sign of life; cut off one that gave none."""
        probe_ms = self.endpoint.probe_ms
        if not probe_ms or now - self._heard < probe_ms / 1000:
            return
        if self.is_idle:
            LOG.warning("%s: no response to inactivity probe after %g seconds, disconnecting", self.name,
                        now - self._heard)  # fmt: skip
            self.transport.abort()
        else:
            self._heard, self.is_idle = now, True
            self.transport.write(_PROBE)

    def close(self) -> None:
        """Close the connection when everything is sent."""
        self.transport.close()

    @property
    def unfinished(self) -> int:
        """How many bytes are held of a message that is not complete."""
        return self._splitter.pending

    def go_on(self) -> None:
        """Handle what was left lying, soon, and read again when that is done."""
        if self._paused and not self._going_on:
            self._going_on = True
            asyncio.get_running_loop().call_soon(self._work)

    def cut_off(self, why: str) -> None:
        """Say what is wrong and hang up."""
        self._backlog.clear()
        self._cut_off(why)

    def _receive(self, data: bytes) -> None:
        try:
            self._backlog.extend(self._splitter.feed(data))
        except ProtocolFault as fault:
            self._fault = fault
        if self._splitter.pending > BULK:
            self._shell.bound_unfinished(LARGEST_MESSAGE)
        self._work()

    def _work(self) -> None:
        """Handle some of the messages that have come; no more are read before all of them are handled."""
        self._going_on = False
        if self.transport.is_closing():
            self._backlog.clear()
            return
        try:
            for _ in range(min(AT_ONCE, len(self._backlog))):
                if self._is_stalled:
                    break
                text = self._backlog.popleft()
                self._handle(text, parse(orjson.loads, text))
                if self.session.queued > MOST_UNSENT:
                    self._shell.flush(self.session)
            if self._fault is not None and not self._backlog:
                raise self._fault
        except ProtocolFault as fault:
            self.cut_off(str(fault))
        self._shell.flush(self.session)
        self._read(not self._backlog and not self._is_stalled)
        if self._backlog and not self._is_stalled:
            self.go_on()

    @property
    def _is_stalled(self) -> bool:
        """True while the client does not take its answers, or these wait for the disk."""
        return self.session.congested or self.session.queued > MOST_UNSENT or self.transport.is_closing()

    def _read(self, on: bool) -> None:
        if on is self._paused and not self.transport.is_closing():
            self._paused = not on
            if on:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

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
