"""All remotes of a server: those it was started with, and those its databases name.

db:DB,TABLE,COLUMN      whatever the rows of TABLE say in COLUMN, as it changes: targets themselves, or references
                        to rows with a `target`, which are told how it goes in `is_connected` and `status`
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pyovn.net.errors import Malformed, OvnError
from pyovn.ovsdb.server.database import Commit, Database
from pyovn.ovsdb.server.errors import Refused
from pyovn.ovsdb.server.tables import Row, TableStore
from pyovn.runtime import logging as vlog
from pyovn.runtime.ovsdb_server.endpoints import Endpoint, Options, Status
from pyovn.runtime.ovsdb_server.places import locate

if TYPE_CHECKING:
    from pyovn.runtime.ovsdb_server.shell import Shell

LOG = vlog.module("ovsdb_server")

STATUS_INTERVAL_S = 2.5


class Target(NamedTuple):
    """A remote that a database names, and the row that has more to say about it."""

    text: str
    options: Options
    database: Database
    table: TableStore | None = None
    row: Row | None = None


class Remotes:
    """All remotes of a server."""

    def __init__(self, shell: Shell) -> None:
        self.configured: set[str] = set()
        self.endpoints: dict[str, Endpoint] = {}
        self._shell = shell
        self._options: dict[str, Options] = {}  # of the configured ones, where a file gives any
        self._failed: dict[str, str] = {}
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

    async def use(self, remotes: Mapping[str, Options]) -> None:
        """Use these remotes and no others; those that do not work are said to fail, and tried again."""
        self.configured, self._options = set(remotes), dict(remotes)
        await self.reconcile()

    async def remove(self, text: str) -> None:
        """Use a remote no longer; raises `KeyError` if it is not in use."""
        self.configured.remove(text)
        await self.reconcile()

    async def run(self) -> None:
        """Follow what databases say about remotes, and tell them how these do, for ever."""
        loop = asyncio.get_running_loop()
        report_at = loop.time() + STATUS_INTERVAL_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(report_at):
                    await self._due.wait()
            if self._due.is_set():
                self._due.clear()
                await self.reconcile()
            if loop.time() >= report_at:
                report_at = loop.time() + STATUS_INTERVAL_S
                await (self.reconcile() if self._failed else self._refresh_tls())
                self.report()

    async def reconcile(self) -> None:
        """Start and stop endpoints so that they are the wanted ones."""
        wanted = self._wanted()
        for text in self.endpoints.keys() - wanted.keys():
            await self.endpoints.pop(text).stop()
        self._failed = {text: why for text, why in self._failed.items() if text in wanted}
        await self._refresh_tls()
        for text, options in wanted.items():
            if text in self.endpoints:
                self.endpoints[text].configure(options)
            else:
                await self._start(text, options)

    async def _start(self, text: str, options: Options) -> None:
        try:
            endpoint = Endpoint(self._shell, text, options)
            await endpoint.start()
        except OvnError as fault:
            self._fail(text, str(fault))
        else:
            self._failed.pop(text, None)
            self.endpoints[text] = endpoint

    async def _refresh_tls(self) -> None:
        for text, endpoint in list(self.endpoints.items()):
            if endpoint.remote.uses_tls:
                try:
                    await endpoint.refresh_tls()
                except OvnError as fault:
                    # To go on with keys that the administrator has withdrawn would be worse than to refuse.
                    await self.endpoints.pop(text).stop()
                    self._fail(text, str(fault))

    def _fail(self, text: str, why: str) -> None:
        if self._failed.get(text) != why:
            LOG.warning("%s", why)
        self._failed[text] = why

    async def close(self) -> None:
        """Stop everything."""
        for endpoint in self.endpoints.values():
            await endpoint.stop()
        self.endpoints.clear()

    # -- what databases say ------------------------------------------------------------------------------------------

    def _wanted(self) -> dict[str, Options]:
        given = self._options
        wanted = {text: given.get(text, Options()) for text in self.configured if not text.startswith("db:")}
        for name, _ in self._shell.tls.tables():
            self._watch(self._shell.server.databases[name])
        for target in self._targets():
            wanted[target.text] = target.options
        return wanted

    def _targets(self) -> Iterable[Target]:
        for text in self.configured:
            if text.startswith("db:"):
                with contextlib.suppress(Malformed):
                    database, table, column = locate(self._shell.server.databases, text)
                    self._watch(database)
                    yield from _targets(database, table, column)

    def _watch(self, database: Database) -> None:
        if self._on_commit not in database.listeners:
            database.listeners.append(self._on_commit)

    def _on_commit(self, database: Database, commit: Commit) -> None:
        for text in self.configured:
            if text.startswith("db:") and not commit.changes.keys().isdisjoint(self._tables(text)):
                self._due.set()
        if any(name == database.name and table in commit.changes for name, table in self._shell.tls.tables()):
            self._due.set()

    def _tables(self, text: str) -> set[str]:
        try:
            _, table, column = locate(self._shell.server.databases, text)
        except Malformed:
            return set()
        return {table.name, column.type.key.ref_table or table.name}

    # -- what databases are told -------------------------------------------------------------------------------------

    def report(self) -> None:
        """Write down how the remotes do, in the rows that name them."""
        now, was_due = self._shell.tick(), self._due.is_set()
        by_database: dict[str, list[Target]] = {}
        for target in self._targets():
            if target.row is not None:
                by_database.setdefault(target.database.name, []).append(target)
        for name, targets in by_database.items():
            database = self._shell.server.databases[name]
            transaction = database.transaction(self._shell.server.uuids)
            for target in targets:
                if target.table is not None and target.row is not None:
                    transaction.update(target.table, target.row, _told(target.table, self._status(target.text, now)))
            if transaction.pending and not database.read_only:
                with contextlib.suppress(Refused):
                    self._shell.server.write(database, transaction)
        if not was_due:
            self._due.clear()  # that was us
        self._shell.flush()

    def _status(self, text: str, now: float) -> Status:
        endpoint = self.endpoints.get(text)
        if endpoint is not None:
            return endpoint.status(now)
        return Status(False, {"last_error": self._failed.get(text, ""), "state": "BACKOFF"})


def _targets(database: Database, table: TableStore, column: Any) -> Iterable[Target]:
    referred = database.tables.get(column.type.key.ref_table or "")
    for row in table.rows.values():
        for member in column.members(row[column.place]):
            if referred is None:
                yield Target(str(member), Options(), database)
            elif (found := referred.rows.get(member)) is not None:
                values = {name: found[each.place] for name, each in referred.by_name.items()}
                if "target" in values:
                    options = Options(
                        values.get("inactivity_probe"),
                        values.get("max_backoff"),
                        values.get("role") or "",
                        bool(values.get("read_only")),
                    )
                    yield Target(values["target"], options, database, referred, found)


def _told(table: TableStore, status: Status) -> Iterable[tuple[int, Any]]:
    """The columns of a row that say how a remote does."""
    for name, value in status._asdict().items():
        column = table.by_name.get(name)
        if column is not None:
            yield column.place, value
