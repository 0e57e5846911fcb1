"""Active-backup service: a server that follows another one and changes nothing by itself.

    active   serves its databases, as any server
    backup   monitors the active server's databases, makes its own the same, and refuses all other writes

Both roles may change at any time; clients are then disconnected, and find out who is active.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from pyovn.net.errors import Malformed, OvnError
from pyovn.ovsdb.errors import ProtocolFault
from pyovn.ovsdb.jsonrpc import Splitter, parse, request
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.server_schema import SERVER_SCHEMA
from pyovn.ovsdb.server.transaction import Transaction
from pyovn.runtime import logging as vlog
from pyovn.runtime.streams import READ_LIMIT, Remote, StreamFault, close, connect, reason

if TYPE_CHECKING:
    from pyovn.ovsdb.server.tables import TableStore
    from pyovn.runtime.ovsdb_server.shell import Shell

LOG = vlog.module("replication")

DEFAULT_PROBE_MS = 60_000
PAUSES_S = (1.0, 2.0, 4.0, 8.0)

Json = Any


class Replication:
    """A server's role, and the connection to the active server while it is the backup."""

    def __init__(self, shell: Shell) -> None:
        self.active_server = ""
        self.excluded: tuple[str, ...] = ()
        self.probe_ms = DEFAULT_PROBE_MS
        self._shell = shell
        self._following: asyncio.Task[None] | None = None
        self._replicated: set[str] = set()  # databases that are the same as the active server's

    @property
    def is_backup(self) -> bool:
        """True while another server is the active one."""
        return self._following is not None

    async def follow(self) -> None:
        """Become the backup of the active server, or connect to it anew; raises `OvnError`."""
        remote = Remote.parse(self.active_server)
        if remote.is_passive:
            raise Malformed(f'"{remote}" is a place to listen at, not one to connect to')
        await self.stop()
        self._following = asyncio.ensure_future(self._follow(remote))
        for database in self._databases():
            database.read_only = True
        self._shell.disconnect_all()

    async def lead(self) -> None:
        """Become active."""
        if self.is_backup:
            await self.stop()
            for database in self._databases():
                database.read_only = False
            self._shell.disconnect_all()

    async def stop(self) -> None:
        """Follow nobody any longer."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
            self._following = None

    async def databases_changed(self) -> None:
        """Take account of a database that was added."""
        if self.is_backup:
            await self.follow()

    def exclude(self, text: str) -> None:
        """Leave tables as they are, named as DB:TABLE,DB:TABLE…; raises `Malformed`."""
        names = tuple(name.strip() for name in text.split(",") if name.strip())
        for name in names:
            if name.count(":") != 1:
                raise Malformed(f"{name}: expected DB:TABLE")
        self.excluded = names

    def status(self) -> str:
        """The answer to the command `sync-status`."""
        if not self.active_server:
            return "state: active\n"
        return "".join(self._status(database.name) for database in self._databases())

    def _status(self, name: str) -> str:
        if not self.is_backup:
            return f"database: {name}\nstate: active\n\n"
        if name not in self._replicated:
            return f"database: {name}\nstate: backup\nconnecting: {self.active_server}\n\n"
        lines = f"database: {name}\nstate: backup\nreplicating: {self.active_server}"
        excluded = ",".join(each for each in self.excluded if each.startswith(f"{name}:"))
        return f"{lines}\nexclude: {excluded}\n" if excluded else f"{lines}\n\n"

    def _databases(self) -> Iterable[Database]:
        return [each for name, each in self._shell.server.databases.items() if name != SERVER_SCHEMA.name]

    # -- following ---------------------------------------------------------------------------------------------------

    async def _follow(self, remote: Remote) -> None:
        failures = 0
        while True:
            try:
                reader, writer = await connect(remote, self._shell.tls.state[0])
                try:
                    failures = 0
                    await self._replicate(_Conversation(reader, writer, self.probe_ms))
                finally:
                    self._replicated.clear()
                    await close(writer)
            except (OvnError, OSError, LookupError, TypeError) as fault:
                LOG.warning("%s: %s", remote, fault if isinstance(fault, OvnError) else reason(fault))
            await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
            failures += 1

    async def _replicate(self, active: _Conversation) -> None:
        if await active.call("get_server_id") == self._shell.server.id:
            raise StreamFault("this is the server itself; not replicating from it")
        served = await active.call("list_dbs")
        for database in self._databases():
            if database.name in served:
                await self._begin(active, database)
        while True:
            message = await active.receive()
            if message.get("method") == "update":
                name, updates = message["params"]
                if name in self._replicated:
                    self._write(self._shell.server.databases[name], updates)

    async def _begin(self, active: _Conversation, database: Database) -> None:
        schema = await active.call("get_schema", database.name)
        if schema.get("version") != database.schema.version:
            raise StreamFault(f"{database.name}: schema version differs from the active server's")
        tables = [each for each in database.tables.values() if f"{database.name}:{each.name}" not in self.excluded]
        wanted = {each.name: [{"columns": [column.name for column in each.columns]}] for each in tables}
        contents = await active.call("monitor", database.name, database.name, wanted)
        self._write(database, contents, tables)
        self._replicated.add(database.name)
        LOG.info("%s: replicating from %s", database.name, self.active_server)

    def _write(self, database: Database, updates: Json, reset: Iterable[TableStore] = ()) -> None:
        """Make rows what `updates` say, and delete all others of the tables in `reset`."""
        transaction = database.transaction(self._shell.server.uuids)
        for table in reset:
            for uuid in table.rows.keys() - updates.get(table.name, {}).keys():
                transaction.delete(table, uuid)
        for name, rows in updates.items():
            for uuid, update in rows.items():
                _replace(transaction, database.tables[name], uuid, update.get("new"))
        self._shell.tick()
        self._shell.server.write(database, transaction)
        self._shell.flush()


def _replace(transaction: Transaction, table: TableStore, uuid: str, image: Json) -> None:
    row = table.rows.get(uuid)
    if image is None:
        if row is not None:
            transaction.delete(table, uuid)
        return
    values = table.read_row(image, None)
    if row is None:
        transaction.insert(table, uuid, values)
    else:
        transaction.update(table, row, [(column.place, value) for column, value in values])


class _Conversation:
    """A JSON-RPC connection to the active server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, probe_ms: int) -> None:
        self._reader = reader
        self._writer = writer
        self._probe_s = probe_ms / 1000 or None
        self._splitter = Splitter()
        self._arrived: deque[Json] = deque()
        self._kept: deque[Json] = deque()  # notifications that came before an answer
        self._id = 0

    async def call(self, method: str, *params: Json) -> Json:
        """The result of a request; raises `StreamFault` if it fails."""
        self._id += 1
        self._send(request(method, list(params), self._id))
        while True:
            message = await self._next()
            if "method" in message:
                self._kept.append(message)
            elif message.get("id") == self._id:
                if message.get("error") is not None:
                    raise StreamFault(f"{method}: {message['error']}")
                return message.get("result")

    async def receive(self) -> Json:
        """The next message that is not an answer."""
        return self._kept.popleft() if self._kept else await self._next()

    async def _next(self) -> Json:
        while not self._arrived:
            for text in self._splitter.feed(await self._read()):
                message = parse(orjson.loads, text)
                if message.get("method") == "echo":
                    self._send({"id": message.get("id"), "result": message.get("params"), "error": None})
                elif message.get("id") != "echo":
                    self._arrived.append(message)
        return self._arrived.popleft()

    async def _read(self) -> bytes:
        for _ in range(2):
            try:
                async with asyncio.timeout(self._probe_s):
                    piece = await self._reader.read(READ_LIMIT)
            except TimeoutError:
                self._send(request("echo", [], "echo"))
                continue
            if not piece:
                raise ProtocolFault("connection closed by peer")
            return piece
        raise ProtocolFault("no response to inactivity probe")

    def _send(self, message: Json) -> None:
        self._writer.write(orjson.dumps(message))
