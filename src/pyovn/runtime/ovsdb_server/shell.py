"""The engine put to work: clients, files and deadlines around one `Server`, on the running asyncio loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyovn.net.errors import OvnError
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.server import Server
from pyovn.ovsdb.server.session import Session
from pyovn.ovsdb.server.tables import TableStore
from pyovn.runtime import logging as vlog
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.ovsdb_server.configuration import Configuration
from pyovn.runtime.ovsdb_server.connections import Connection
from pyovn.runtime.ovsdb_server.logfile import LogFile, StorageFault, create_log, open_log
from pyovn.runtime.ovsdb_server.remotes import Remotes
from pyovn.runtime.ovsdb_server.replication import Replication
from pyovn.runtime.ovsdb_server.tls import TlsSettings
from pyovn.runtime.ovsdb_server.transaction_log import TransactionLog
from pyovn.runtime.ovsdb_server.uuids import random_uuids
from pyovn.runtime.streams import Tls

LOG = vlog.module("ovsdb_server")

Source = Path | str | Schema | Mapping[str, Any]  #: a database file, or a schema for a database kept in memory only

HOUSEKEEPING_S = 1.0
MOST_COUNTED = 1_000_000  #: cells up to which their atoms are counted, which takes a while
READ_SIZE = 2**19  #: bytes that are read from a socket at once


class Shell:
    """A running server."""

    def __init__(self, *, tls: Tls | None = None, clock: Clock = SYSTEM, uuids: Iterator[Uuid] | None = None) -> None:
        self.clock = clock
        self.server = Server(uuids or random_uuids())
        self.tls = TlsSettings(self.server.databases, tls or Tls())
        self.remotes = Remotes(self)
        self.replication = Replication(self)
        self.transaction_log = TransactionLog(self.server.databases)
        self.logs: dict[str, LogFile] = {}
        self.connections: dict[Session, Connection] = {}
        self.buffer = memoryview(bytearray(READ_SIZE))
        self._flushing = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ms: int | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._compacting: set[asyncio.Task[None]] = set()

    async def start(self, sources: Sequence[Source], remotes: Sequence[str]) -> None:
        """Open databases and remotes; raises `OvnError` if one of them does not work."""
        self.tick()
        for source in sources:
            self.add_database(source)
        for remote in remotes:
            await self.remotes.add(remote)
        self._tasks = [asyncio.ensure_future(self.remotes.run()), asyncio.ensure_future(self._keep_house())]

    async def stop(self) -> None:
        """Close connections and files; everything committed is on its way to the disk."""
        for task in (*self._tasks, *self._compacting):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._alarm is not None:
            self._alarm.cancel()
        await self.replication.stop()
        await self.remotes.close()
        for connection in list(self.connections.values()):
            connection.transport.abort()
        while self.connections:
            await asyncio.sleep(0)
        for log in self.logs.values():
            await log.close()
        self.logs.clear()

    # -- databases ---------------------------------------------------------------------------------------------------

    def add_database(self, source: Source) -> Database:
        """Serve a database; raises `OvnError`."""
        if isinstance(source, Schema | Mapping):
            database = Database(source if isinstance(source, Schema) else Schema.parse(source))
            self.server.add_database(database)
            return database
        path = Path(source).resolve()
        if any(part.startswith("relay:") for part in path.parts):
            raise StorageFault(f"{source}: relays are not offered")
        if any(log.path == path for log in self.logs.values()):
            raise StorageFault(f"ovsdb error: {source}: already open")
        database, log = open_log(path, self.server.uuids, self.clock)
        try:
            self.server.add_database(database)
        except OvnError:
            log.abandon()
            raise
        log.on_synced = self._flush_all
        self.logs[database.name] = log
        self.flush()
        return database

    async def configure(self, configuration: Configuration) -> None:
        """Serve what a file says and nothing else; raises `OvnError` where a database cannot be opened."""
        wanted = {path.resolve(): path for path in configuration.databases}
        for path in wanted.keys() - {log.path for log in self.logs.values()}:
            self.add_database(path)
        for name in [name for name, log in self.logs.items() if log.path not in wanted]:
            await self.remove_database(name)
        await self.remotes.use(configuration.remotes)

    async def remove_database(self, name: str) -> None:
        """Serve a database no longer."""
        self.server.remove_database(name)
        self.flush()
        log = self.logs.pop(name, None)
        if log is not None:
            await log.close()
        await self.remotes.reconcile()

    async def compact(self, name: str) -> None:
        """Compact a database's file, if it has one; raises `StorageFault`."""
        log = self.logs.get(name)
        if log is not None:
            await log.compact(self.server.databases[name])

    def storage_fault(self, name: str) -> str | None:
        """Why a database takes no more transactions, if it does not."""
        log = self.logs.get(name)
        return None if log is None else log.failure

    # -- what operators ask for --------------------------------------------------------------------------------------

    def sizes(self) -> dict[str, int]:
        """What is held in memory."""
        databases = self.server.databases.values()
        tables = [table for database in databases for table in database.tables.values()]
        cells = sum(len(table.rows) * len(table.by_name) for table in tables)
        found = {
            "atoms": sum(map(_atoms, tables)) if cells <= MOST_COUNTED else 0,
            "cells": cells,
            "json-caches": len(self.server.initials),
            "monitors": sum(len(session.subscriptions) for session in self.connections),
            "n-weak-refs": sum(
                len(uuids) for table in tables for weak in table.weak.values() for uuids in weak.values()
            ),
            "sessions": len(self.connections),
            "triggers": self.server.waiting,
            "txn-history": sum(len(database.history) for database in databases),
            "backlog": sum(session.queued for session in self.connections),
        }
        always = ("cells", "monitors", "n-weak-refs")
        return {name: count for name, count in sorted(found.items()) if count or name in always}

    def counters_text(self) -> str:
        """How often each method was called, and what came of it."""
        return "".join(f"{name}: {count}\n" for name, count in sorted(self.counters.items()))

    @property
    def counters(self) -> dict[str, int]:
        """The engine's counters."""
        return self.server.counters

    def withhold_conditions(self) -> None:
        """Know no conditional monitors any more, as servers of old; clients have to start anew."""
        self.server.knows_conditions = False
        self.disconnect_all()

    def disconnect_all(self) -> None:
        """Close every connection; clients come back by themselves."""
        for endpoint in self.remotes.endpoints.values():
            endpoint.disconnect()

    def bound_unfinished(self, most: int) -> None:
        """Cut off who has sent most of the messages that nobody has finished, if these are too much together."""
        holders = [connection for connection in self.connections.values() if connection.unfinished]
        if sum(connection.unfinished for connection in holders) > most:
            max(holders, key=lambda connection: connection.unfinished).cut_off("too many unfinished messages")

    # -- time and output ---------------------------------------------------------------------------------------------

    def tick(self) -> float:
        """Tell the engine what time it is."""
        now = self.clock.now()
        self.server.now_ms = int(now * 1000)
        return now

    def flush(self, asker: Session | None = None) -> None:
        """Send what sessions have queued: at once to the one that asked, to the others at the end of this round."""
        dirty = self.server.dirty
        if asker is not None and asker in dirty:
            dirty.discard(asker)
            self._send(asker)
        if dirty and not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush_dirty)
        if self._alarm_ms is not None or self.server.is_waiting:
            self._set_alarm()

    def _flush_dirty(self) -> None:
        self._flushing = False
        dirty = self.server.dirty
        while dirty:
            self._send(dirty.pop())

    def _send(self, session: Session) -> None:
        connection = self.connections.get(session)
        if connection is None:
            return
        if ready := session.take():
            connection.transport.write(ready)
        connection.go_on()
        if session.ending and not session.outbox:
            connection.close()

    def _flush_all(self) -> None:
        self.server.dirty.update(session for session in self.connections if session.outbox)
        self._flush_dirty()

    def _set_alarm(self) -> None:
        deadline = self.server.deadline_ms
        if deadline == self._alarm_ms:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_ms = deadline
        if deadline is not None:
            delay = max(0.0, deadline / 1000 - self.clock.now()) + 0.001
            self._alarm = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._alarm = self._alarm_ms = None
        self.tick()
        self.server.expire()
        self.flush()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            now = self.tick()
            for connection in list(self.connections.values()):
                connection.probe(now)
            for name, log in list(self.logs.items()):
                if log.wants_compaction:
                    task = asyncio.ensure_future(self._compact_quietly(name))
                    self._compacting.add(task)
                    task.add_done_callback(self._compacting.discard)

    async def _compact_quietly(self, name: str) -> None:
        try:
            await self.compact(name)
        except StorageFault as fault:
            LOG.warning("%s", fault)


def _atoms(table: TableStore) -> int:
    """How many atoms a table's rows hold."""
    columns = [(column.place, 2 if column.is_map else 1, column.members) for column in table.by_name.values()]
    return sum(atoms * len(members(row[place])) for row in table.rows.values() for place, atoms, members in columns)


__all__ = ["Shell", "Source", "create_log"]
