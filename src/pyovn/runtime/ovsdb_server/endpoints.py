"""One place that clients come from: a socket that listens, or a connection that is made again whenever it is lost.

punix:PATH  ptcp:[PORT][:HOST]  pssl:[PORT][:HOST]     listen
unix:PATH   tcp:HOST:PORT       ssl:HOST:PORT          connect: BACKOFF ─→ CONNECTING ─→ ACTIVE ⇄ IDLE
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple

from pyovn.runtime import logging as vlog
from pyovn.runtime.ovsdb_server.connections import Connection
from pyovn.runtime.streams import Remote, StreamFault, learn_authority, reason

if TYPE_CHECKING:
    from pyovn.runtime.ovsdb_server.shell import Shell

LOG = vlog.module("ovsdb_server")

DEFAULT_PROBE_MS = 5000  #: UNIX sockets are not probed: there the kernel tells when a peer dies
LEAST_BACKOFF_S = 1.0
MOST_BACKOFF_S = 8.0
HANDSHAKE_S = 10.0
LOGGED_FAILURES = 4  #: attempts in a row, the last of which is logged to be so
LONGEST_PATH = 107
BACKLOG = 100


class Options(NamedTuple):
    """What a database may say about a remote beside its target."""

    probe_ms: int | None = None
    max_backoff_ms: int | None = None
    role: str = ""
    read_only: bool = False


class Status(NamedTuple):
    """What a database is told about a remote."""

    is_connected: bool
    status: dict[str, str]


class Endpoint:
    """One remote in use."""

    def __init__(self, shell: Shell, text: str, options: Options) -> None:
        self.text = text
        self.remote = Remote.parse(text)
        self.options = options
        self.connections: set[Connection] = set()
        self.bound_port: int | None = None
        self.error: str | None = None
        self._shell = shell
        self._state = "VOID"
        self._connected_at: float | None = None
        self._disconnected_at: float | None = None
        self._listening: socket.socket | None = None
        self._tls_state: object = None
        self._listener: asyncio.Server | None = None
        self._connector: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._path: tuple[str, int] | None = None
        self._count = 0

    async def start(self) -> None:
        """Listen, or begin to connect; raises `StreamFault`."""
        if self.remote.is_passive:
            await self._listen()
        else:
            self._connector = asyncio.ensure_future(self._connect())

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._connector is not None:
            self._connector.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connector
        if self._listener is not None:
            self._listener.close()
        if self._listening is not None:
            self._listening.close()
        self._unlink()
        self.disconnect()

    def disconnect(self) -> None:
        """Close the connections there are."""
        for connection in list(self.connections):
            connection.close()

    def configure(self, options: Options) -> None:
        """Go on with other options; what clients may do is settled when they connect, so these start anew for that."""
        before, self.options = self.options, options
        if (before.role, before.read_only) != (options.role, options.read_only):
            self.disconnect()

    async def refresh_tls(self) -> None:
        """Accept clients with new TLS settings if these have changed; raises `StreamFault`."""
        if self._listening is None or self._tls_state == self._shell.tls.state:
            return
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._accept()

    @property
    def probe_ms(self) -> int:
        """After how long a silence a client is asked for a sign of life; 0 for never."""
        if self.options.probe_ms is not None:
            return self.options.probe_ms
        return 0 if self.remote.kind.endswith("unix") else DEFAULT_PROBE_MS

    @property
    def longest_pause_s(self) -> float:
        """The most time between attempts to connect."""
        most_ms = self.options.max_backoff_ms
        return MOST_BACKOFF_S if most_ms is None else max(LEAST_BACKOFF_S, most_ms / 1000)

    def made(self, connection: Connection) -> None:
        """A connection is up, which takes more than having been accepted where TLS is spoken."""
        self.connections.add(connection)

    def lost(self, connection: Connection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        self._lost.set()

    def status(self, now: float) -> Status:
        """How the remote does, in the words of the column `status`."""
        return self._passive_status() if self.remote.is_passive else self._active_status(now)

    def _passive_status(self) -> Status:
        found = {} if self.bound_port is None else {"bound_port": str(self.bound_port)}
        if len(self.connections) > 1:
            found["n_connections"] = str(len(self.connections))
        return Status(bool(self.connections), {**found, "sec_since_connect": "0", "sec_since_disconnect": "0"})

    def _active_status(self, now: float) -> Status:
        found = {"state": self._state}
        for connection in self.connections:
            if connection.is_idle:
                found["state"] = "IDLE"
            standing = self._shell.server.locks.status(connection.session)
            found |= {f"locks_{what}": " ".join(names) for what, names in standing._asdict().items() if names}
        if self.error is not None:
            found["last_error"] = self.error
        for what, when in (("connect", self._connected_at), ("disconnect", self._disconnected_at)):
            if when is not None:
                found[f"sec_since_{what}"] = str(int(now - when))
        return Status(bool(self.connections), dict(sorted(found.items())))

    def _connection(self) -> Connection:
        """The protocol object for one more connection."""
        name = f"{self.remote.kind.removeprefix('p')}#{self._count}" if self.remote.is_passive else self.text
        self._count += 1
        return Connection(self._shell, name, self)

    # -- listening ---------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        remote = self.remote
        try:
            if remote.kind == "punix":
                listening = _unix_socket(remote.path)
                self._path = (remote.path, os.stat(remote.path).st_ino)
                self._listener = await asyncio.get_running_loop().create_unix_server(self._connection, sock=listening)
                return
            self._listening = _inet_socket(remote.host, remote.port)
            self.bound_port = self._listening.getsockname()[1]
            await self._accept()
        except (OSError, StreamFault) as fault:
            await self.stop()
            raise StreamFault(f"{remote}: listen failed: {reason(fault)}") from fault

    async def _accept(self) -> None:
        """Accept clients; the socket itself stays ours, so that it never stops to listen when TLS settings change."""
        assert self._listening is not None
        self._tls_state = self._shell.tls.state if self.remote.uses_tls else None
        context = self._shell.tls.context(server=True) if self.remote.uses_tls else None
        self._listener = await asyncio.get_running_loop().create_server(
            self._connection,
            sock=self._listening.dup(),
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_S if context is not None else None,
        )

    def _unlink(self) -> None:
        if self._path is None:
            return
        path, inode = self._path
        with contextlib.suppress(OSError):
            if os.stat(path).st_ino == inode:  # not that of a server that took our place
                os.unlink(path)

    # -- connecting --------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        clock, pause, failures = self._shell.clock, LEAST_BACKOFF_S, 0
        while True:
            self._state = "CONNECTING"
            self._lost.clear()
            try:
                connection = await self._open()
            except (OSError, ssl.SSLError, StreamFault) as fault:
                self.error = reason(fault)
                failures += 1
                if failures < LOGGED_FAILURES:
                    LOG.info("%s: connection attempt failed (%s)", self.text, self.error)
                elif failures == LOGGED_FAILURES:
                    LOG.info("%s: continuing to reconnect in the background but suppressing further logging", self.text)
            else:
                self._state, self.error, failures = "ACTIVE", None, 0
                self._connected_at = clock.now()
                try:
                    await self._lost.wait()
                finally:
                    connection.close()
                self._disconnected_at = clock.now()
                if self._disconnected_at - self._connected_at >= pause:
                    pause = LEAST_BACKOFF_S
            self._state = "BACKOFF"
            await asyncio.sleep(min(pause, self.longest_pause_s))
            pause = min(2 * pause, self.longest_pause_s)

    async def _open(self) -> Connection:
        loop, remote = asyncio.get_running_loop(), self.remote
        if remote.kind == "unix":
            return (await loop.create_unix_connection(self._connection, remote.path))[1]
        if not remote.uses_tls:
            return (await loop.create_connection(self._connection, remote.host, remote.port))[1]
        tls = self._shell.tls
        settings, _ = tls.state
        if settings.lacks_authority:
            await learn_authority(remote, settings)
        name = settings.server_name or remote.host
        context = tls.context(server=False)
        _, connection = await loop.create_connection(
            self._connection, remote.host, remote.port, ssl=context, server_hostname=name
        )
        return connection


def _inet_socket(host: str, port: int) -> socket.socket:
    """A socket that listens at an address: all IPv4 ones where none is named."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or "0.0.0.0", port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
    except socket.gaierror as fault:
        raise StreamFault(f'"{host}" is not a numeric address ({fault.strerror})') from fault
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)


def _unix_socket(path: str) -> socket.socket:
    """A socket bound to a path of any length, in place of one that a dead process left there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if len(os.fsencode(path)) <= LONGEST_PATH:
            listening.bind(path)
        else:
            directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
            try:
                listening.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
            finally:
                os.close(directory)
    except OSError:
        listening.close()
        raise
    return listening
