"""Where clients come from: listening sockets, outgoing connections, and remotes that are configured in a database.

punix:PATH  ptcp:[PORT][:HOST]  pssl:[PORT][:HOST]     listen
unix:PATH   tcp:HOST:PORT       ssl:HOST:PORT          connect, and again whenever that is lost
db:DB,TABLE,COLUMN                                     whatever the rows of TABLE say in COLUMN, as it changes:
                                                       targets themselves, or references to rows with a `target`
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyovn.net.errors import Malformed, OvnError
from pyovn.ovsdb.server.database import Commit, Database
from pyovn.runtime import logging as vlog
from pyovn.runtime.ovsdb_server.connections import Connection
from pyovn.runtime.streams import Remote, StreamFault, reason

if TYPE_CHECKING:
    from pyovn.runtime.ovsdb_server.shell import Shell

LOG = vlog.module("ovsdb_server")

DEFAULT_PROBE_MS = 5000  #: UNIX sockets are not probed: there the kernel tells when a peer dies
MOST_BACKOFF_S = 8.0
LONGEST_PATH = 107


class Options:
    """What a database may say about a remote beside its target."""

    __slots__ = ("max_backoff_ms", "probe_ms")

    def __init__(self, probe_ms: int | None = None, max_backoff_ms: int | None = None) -> None:
        self.probe_ms = probe_ms
        self.max_backoff_ms = max_backoff_ms


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
        self._listener: asyncio.Server | None = None
        self._connector: asyncio.Task[None] | None = None
        self._path: tuple[str, int] | None = None
        self._count = 0

    async def start(self) -> None:
        """Listen, or begin to connect; raises `StreamFault` or `Malformed`."""
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
        self._unlink()
        self.disconnect()

    def disconnect(self) -> None:
        """Close the connections there are."""
        for connection in list(self.connections):
            connection.close()

    def connection(self) -> Connection:
        """The protocol object for one more connection."""
        probe_ms = self.options.probe_ms
        if probe_ms is None:
            probe_ms = 0 if self.remote.kind.endswith("unix") else DEFAULT_PROBE_MS
        name = f"{self.remote.kind.removeprefix('p')}#{self._count}" if self.remote.is_passive else self.text
        self._count += 1
        connection = Connection(self._shell, name, probe_ms, self.connections.discard)
        self.connections.add(connection)
        return connection

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        remote = self.remote
        try:
            if remote.kind == "punix":
                listening = _unix_socket(remote.path)
                self._path = (remote.path, os.stat(remote.path).st_ino)
                self._listener = await loop.create_unix_server(self.connection, sock=listening)
                return
            self._listener = await loop.create_server(
                self.connection, remote.host or None, remote.port, ssl=self._context(server=True)
            )
            self.bound_port = self._listener.sockets[0].getsockname()[1]
        except (OSError, ssl.SSLError) as fault:
            raise StreamFault(f"{remote}: listen failed: {reason(fault)}") from fault

    async def _connect(self) -> None:
        delay = 1.0
        while True:
            lost = asyncio.Event()
            try:
                connection = await self._open(lost)
            except (OSError, ssl.SSLError, StreamFault) as fault:
                self.error = reason(fault)
                LOG.info("%s: connection attempt failed (%s)", self.text, self.error)
                await asyncio.sleep(delay)
                delay = min(2 * delay, (self.options.max_backoff_ms or 1000 * MOST_BACKOFF_S) / 1000)
            else:
                delay, self.error = 1.0, None
                try:
                    await lost.wait()
                finally:
                    connection.close()

    async def _open(self, lost: asyncio.Event) -> Connection:
        loop = asyncio.get_running_loop()
        remote = self.remote

        def factory() -> Connection:
            connection = self.connection()
            connection.on_close = closed
            return connection

        def closed(connection: Connection) -> None:
            self.connections.discard(connection)
            lost.set()

        if remote.kind == "unix":
            _, connection = await loop.create_unix_connection(factory, remote.path)
        else:
            context = self._context(server=False)
            _, connection = await loop.create_connection(
                factory, remote.host, remote.port, ssl=context, server_hostname="" if context else None
            )
        return connection

    def _context(self, *, server: bool) -> ssl.SSLContext | None:
        return self._shell.tls.context(server=server) if self.remote.uses_tls else None

    def _unlink(self) -> None:
        if self._path is None:
            return
        path, inode = self._path
        with contextlib.suppress(OSError):
            if os.stat(path).st_ino == inode:  # not that of a server that took our place
                os.unlink(path)


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


class Remotes:
    """All remotes of a server: those it was started with, and those its databases name."""

    def __init__(self, shell: Shell) -> None:
        self.configured: set[str] = set()
        self.endpoints: dict[str, Endpoint] = {}
        self._shell = shell
        self._watched: set[str] = set()
        self._due = asyncio.Event()

    async def add(self, text: str) -> None:
        """Use a remote; raises `OvnError`."""
        if text.startswith("db:"):
            locate(self._shell.server.databases, text)
            self.configured.add(text)
            await self.reconcile()
            return
        endpoint = Endpoint(self._shell, text, Options())
        await endpoint.start()
        self.configured.add(text)
        self.endpoints[text] = endpoint

    async def remove(self, text: str) -> None:
        """Use a remote no longer; raises `KeyError` if it is not in use."""
        self.configured.remove(text)
        await self.reconcile()

    async def run(self) -> None:
        """Follow what databases say about remotes, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            await self.reconcile()

    async def reconcile(self) -> None:
        """Start and stop endpoints so that they are the wanted ones."""
        wanted = self._wanted()
        for text in self.endpoints.keys() - wanted.keys():
            await self.endpoints.pop(text).stop()
        for text, options in wanted.items():
            if text in self.endpoints:
                self.endpoints[text].options = options
                continue
            try:
                endpoint = Endpoint(self._shell, text, options)
                await endpoint.start()
            except OvnError as fault:
                LOG.warning("%s", fault)
            else:
                self.endpoints[text] = endpoint

    async def close(self) -> None:
        """Stop everything."""
        for endpoint in self.endpoints.values():
            await endpoint.stop()
        self.endpoints.clear()

    def _wanted(self) -> dict[str, Options]:
        wanted = {text: Options() for text in self.configured if not text.startswith("db:")}
        for text in self.configured - wanted.keys():
            with contextlib.suppress(Malformed):
                database, table, column = locate(self._shell.server.databases, text)
                self._watch(database)
                wanted |= dict(_targets(database, table, column))
        return wanted

    def _watch(self, database: Database) -> None:
        if database.name not in self._watched:
            self._watched.add(database.name)
            database.listeners.append(self._on_commit)

    def _on_commit(self, _database: Database, commit: Commit) -> None:
        for text in self.configured:
            if text.startswith("db:") and not commit.changes.keys().isdisjoint(self._tables(text)):
                self._due.set()

    def _tables(self, text: str) -> set[str]:
        try:
            _, table, column = locate(self._shell.server.databases, text)
        except Malformed:
            return set()
        return {table.name, column.type.key.ref_table or table.name}


def locate(databases: dict[str, Database], text: str) -> tuple[Database, Any, Any]:
    """The database, table and column that `db:DATABASE,TABLE,COLUMN` names; raises `Malformed`."""
    parts = text.removeprefix("db:").split(",")
    if len(parts) != 3:
        raise Malformed(f'"{text}": invalid syntax')
    database = databases.get(parts[0])
    if database is None:
        raise Malformed(f'"{text}": no database named {parts[0]}')
    table = database.tables.get(parts[1])
    if table is None:
        raise Malformed(f'"{text}": no table named {parts[1]}')
    column = table.by_name.get(parts[2])
    if column is None:
        raise Malformed(f'"{text}": table "{parts[1]}" has no column "{parts[2]}"')
    return database, table, column


def _targets(database: Database, table: Any, column: Any) -> Iterable[tuple[str, Options]]:
    referred = database.tables.get(column.type.key.ref_table or "")
    for row in table.rows.values():
        for member in column.members(row[column.place]):
            if referred is None:
                yield str(member), Options()
            elif (target := referred.rows.get(member)) is not None:
                values = {name: target[each.place] for name, each in referred.by_name.items()}
                if "target" in values:
                    yield values["target"], Options(values.get("inactivity_probe"), values.get("max_backoff"))
