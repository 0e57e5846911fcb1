"""One database: its tables, and the commit of transactions to them.

    Transaction ─settle→ Settled ─journal.append→ on disk ─apply→ tables ─→ Commit, which monitors turn into updates

A commit that the journal refuses (a full disk) leaves the tables as they were.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.history import History
from pyovn.ovsdb.server.integrity import Changes, Settled, settle
from pyovn.ovsdb.server.tables import Reference, TableStore, build_tables
from pyovn.ovsdb.server.transaction import Transaction


class Journal(Protocol):
    """Where a database's transactions are kept."""

    def append(self, transaction: "Commit", database: "Database") -> None:
        """Write a transaction down; raises `Refused` if that fails, and then nothing of it is left behind."""

    def rewrite(self, database: "Database", comment: str) -> None:
        """Write down a database in the place of all before; raises `Refused`."""

    def sync(self) -> Any:
        """A `Sync` for everything written so far; None if it is safe already."""


class Commit(NamedTuple):
    """A transaction that was checked."""

    id: Uuid
    changes: Changes
    comment: str | None
    durable: bool


class Database:
    """A schema, its rows, and what lately happened to them."""

    def __init__(self, schema: Schema, journal: Journal | None = None, *, read_only: bool = False) -> None:
        self.schema = schema
        self.name = schema.name
        self.tables: dict[str, TableStore] = build_tables(schema)
        self.journal = journal
        self.read_only = read_only
        self.history = History()
        self.listeners: list[Callable[[Database, Commit], None]] = []

    def commit(self, transaction: Transaction) -> Commit | None:
        """Apply a transaction as a whole or raise `Refused`; None if it changes nothing."""
        settled = settle(transaction)
        if not settled.changes:
            return None
        comment = "\n".join(transaction.comments) if transaction.comments else None
        commit = Commit(transaction.id, settled.changes, comment, transaction.durable)
        if self.journal is not None:
            self.journal.append(commit, self)
        self.apply(settled)
        self.history.add(commit.id, commit.changes)
        for listener in self.listeners:
            listener(self, commit)
        return commit

    def load(self, transaction: Transaction) -> None:
        """Apply a transaction that a journal has kept; raises `Refused` if it breaks the schema."""
        self.apply(settle(transaction))

    def transaction(self, uuids: Iterator[Uuid]) -> Transaction:
        """A new, empty transaction on this database."""
        return Transaction(self.tables, uuids)

    def apply(self, settled: Settled) -> None:
        """Bring tables, indexes and counts up to date."""
        for name, changes in settled.changes.items():
            table = self.tables[name]
            for index in table.indexes:
                _apply_index(index, changes)
            for reference in table.weak_references:
                _apply_weak(reference, changes)
            rows = table.rows
            for uuid, (_, new) in changes.items():
                if new is None:
                    del rows[uuid]
                else:
                    rows[uuid] = new
        for name, differences in settled.strong.items():
            _apply_strong(self.tables[name].strong, differences)


def _apply_index(index: Any, changes: dict[str, Any]) -> None:
    uuids, key, places = index.uuids, index.key, index.places
    if len(changes) == 1:  # most often the rows' keys stay what they are
        ((_, (before, after)),) = changes.items()
        if before is not None and after is not None and all(before[at] == after[at] for at in places):
            return
    for uuid, (old, _) in changes.items():
        if old is not None and uuids.get(old_key := key(old)) == uuid:
            del uuids[old_key]
    for uuid, (_, new) in changes.items():
        if new is not None:
            uuids[key(new)] = uuid


def _apply_weak(reference: Reference, changes: dict[str, Any]) -> None:
    referring = reference.target.weak[reference.source.name, reference.place, reference.of_values]
    place, targets = reference.place, reference.targets
    for uuid, (old, new) in changes.items():
        before = old[place] if old is not None else None
        after = new[place] if new is not None else None
        if before is after:
            continue
        for target in targets(before) if old is not None else ():
            if (sources := referring.get(target)) is not None:
                sources.discard(uuid)
                if not sources:
                    del referring[target]
        for target in targets(after) if new is not None else ():
            sources = referring.get(target)
            if sources is None:
                sources = referring[target] = set()
            sources.add(uuid)


def _apply_strong(strong: dict[str, int], differences: dict[str, int]) -> None:
    for uuid, difference in differences.items():
        count = strong.get(uuid, 0) + difference
        if count:
            strong[uuid] = count
        else:
            strong.pop(uuid, None)
