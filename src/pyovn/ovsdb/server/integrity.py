"""What must hold between rows, checked when a transaction commits; only rows that it touched are looked at.

    1  strong references   targets exist, deleted rows have none left         referential integrity violation
    2  garbage             rows of non-root tables that lost their last one are deleted, and so on
    3  maxRows             no table grows beyond its limit                    constraint violation
    4  weak references     to rows that are gone are dropped; a column that must not become empty refuses
    5  indexes             stay unique                                        constraint violation

The result is a `Settled`: the rows that really change, and the counts to apply with them.
"""

from collections.abc import Iterable
from typing import Any

from pyovn.ovsdb.server.columns import UUID_AT, VERSION_AT
from pyovn.ovsdb.server.errors import Refused, constraint_violation
from pyovn.ovsdb.server.tables import Index, Reference, Row, TableStore
from pyovn.ovsdb.server.text import and_list
from pyovn.ovsdb.server.transaction import Pending, Transaction

Change = tuple[Row | None, Row | None]  #: a row before and after
Changes = dict[str, dict[str, Change]]  #: table → uuid → change


class Settled:
    """A transaction that may be applied."""

    __slots__ = ("changes", "strong")

    def __init__(self, changes: Changes, strong: dict[str, dict[str, int]]) -> None:
        self.changes = changes
        self.strong = strong  #: by how much the number of strong references to each row differs


def settle(transaction: Transaction) -> Settled:
    """Complete a transaction's changes and hold them against the schema; raises `Refused`."""
    strong: dict[str, dict[str, int]] = {}
    for name, pending in transaction.pending.items():
        if transaction.tables[name].needs_care(pending):
            strong = _settle_references(transaction)
            break
    changes = _actual_changes(transaction)
    for name in changes:
        for index in transaction.tables[name].indexes:
            _check_index(transaction, transaction.tables[name], index, changes[name])
    return Settled(changes, strong)


def _settle_references(transaction: Transaction) -> dict[str, dict[str, int]]:
    """See to it that references hold; gives how many more strong ones there are to each row."""
    counter = _StrongCounter(transaction)
    counter.count_all()
    counter.check()
    counter.collect_garbage()
    _check_max_rows(transaction)
    while _drop_weak_references(transaction):
        counter = _StrongCounter(transaction)
        counter.count_all()
        counter.collect_garbage()
    return counter.differences


# -- strong references -----------------------------------------------------------------------------------------------


class _StrongCounter:
    """Counts how a transaction changes the number of strong references to each row."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.differences: dict[str, dict[str, int]] = {}

    def count_all(self) -> None:
        """Count what the transaction changes."""
        for name, pending in self._transaction.pending.items():
            self._count(self._transaction.tables[name], pending)

    def _count(self, table: TableStore, pending: Pending) -> None:
        rows = table.rows
        for reference in table.strong_references:
            place, targets = reference.place, reference.targets
            differences = self.differences.setdefault(reference.target.name, {})
            within = reference.target is table
            for uuid, new in pending.items():
                old = rows.get(uuid)
                before = old[place] if old is not None else None
                after = new[place] if new is not None else None
                if before is after or before == after:
                    continue
                if new is not None:
                    _add(differences, targets(after), 1, uuid if within else None)
                if old is not None:
                    _add(differences, targets(before), -1, uuid if within else None)

    def check(self) -> None:
        """Raise `Refused` where a row that something refers to is missing."""
        for name, differences in self.differences.items():
            table = self._transaction.tables[name]
            pending = self._transaction.pending.get(name, {})
            for uuid, difference in differences.items():
                if difference > 0 and (pending[uuid] if uuid in pending else table.rows.get(uuid)) is None:
                    raise self._missing(table, uuid)
        for name, pending in self._transaction.pending.items():
            table = self._transaction.tables[name]
            for uuid, row in pending.items():
                if row is None and uuid in table.strong and self._references_to(table, uuid):
                    raise self._missing(table, uuid)

    def collect_garbage(self) -> None:
        """Delete the rows of non-root tables that nothing refers to any more."""
        orphans = self._orphans()
        while orphans:
            found: list[tuple[TableStore, str]] = []
            for table, uuid in orphans:
                found += self._delete(table, uuid)
            orphans = found

    def _orphans(self) -> list[tuple[TableStore, str]]:
        suspects: dict[str, set[str]] = {
            name: {uuid for uuid, difference in differences.items() if difference < 0}
            for name, differences in self.differences.items()
            if not self._transaction.tables[name].is_root
        }
        for name, pending in self._transaction.pending.items():
            if not self._transaction.tables[name].is_root:
                suspects.setdefault(name, set()).update(pending)
        return [
            (self._transaction.tables[name], uuid)
            for name, uuids in suspects.items()
            for uuid in uuids
            if self._is_orphan(self._transaction.tables[name], uuid)
        ]

    def _is_orphan(self, table: TableStore, uuid: str) -> bool:
        return self._transaction.row(table, uuid) is not None and not self._references_to(table, uuid)

    def _delete(self, table: TableStore, uuid: str) -> Iterable[tuple[TableStore, str]]:
        """Delete a row; yields the rows that this leaves without a reference."""
        row = self._transaction.row(table, uuid)
        if row is None:
            return
        self._transaction.delete(table, uuid)
        for reference in table.strong_references:
            differences = self.differences.setdefault(reference.target.name, {})
            targets = list(reference.targets(row[reference.place]))
            _add(differences, targets, -1, uuid if reference.target is table else None)
            if not reference.target.is_root:
                yield from ((reference.target, each) for each in targets if self._is_orphan(reference.target, each))

    def _references_to(self, table: TableStore, uuid: str) -> int:
        return table.strong.get(uuid, 0) + self.differences.get(table.name, {}).get(uuid, 0)

    def _missing(self, table: TableStore, uuid: str) -> Refused:
        """The error for a row that is referred to and not there."""
        if uuid in table.rows:
            remaining = self._references_to(table, uuid)
            what = f"cannot delete {table.name} row {uuid} because of {remaining} remaining reference(s)"
            return Refused("referential integrity violation", what)
        reference, source = self._referrer(table, uuid)
        return Refused(
            "referential integrity violation",
            f"Table {reference.source.name} column {reference.column.name} row {source} references nonexistent"
            f" row {uuid} in table {table.name}.",
        )

    def _referrer(self, target: TableStore, uuid: str) -> tuple[Reference, str]:
        return next(
            (reference, source)
            for name, pending in self._transaction.pending.items()
            for reference in self._transaction.tables[name].strong_references
            if reference.target is target
            for source, row in pending.items()
            if row is not None and uuid in reference.targets(row[reference.place])
        )


def _add(differences: dict[str, int], targets: Iterable[str], amount: int, itself: str | None) -> None:
    """Count references; a row's reference to itself does not keep it alive."""
    for target in targets:
        if target != itself:
            differences[target] = differences.get(target, 0) + amount


# -- the size of tables ----------------------------------------------------------------------------------------------


def _check_max_rows(transaction: Transaction) -> None:
    for name, pending in transaction.pending.items():
        table = transaction.tables[name]
        if table.max_rows is None:
            continue
        grown = sum((row is not None) - (uuid in table.rows) for uuid, row in pending.items())
        if grown > 0 and (count := len(table.rows) + grown) > table.max_rows:
            raise constraint_violation(
                f'transaction causes "{name}" table to contain {count} rows, greater than the schema-defined limit of'
                f" {table.max_rows} row(s)"
            )


# -- weak references -------------------------------------------------------------------------------------------------


def _drop_weak_references(transaction: Transaction) -> bool:
    """Drop references to rows that are not there; true if strong references went with them, in pairs of a map."""
    mixed = False
    for name in list(transaction.pending):
        table = transaction.tables[name]
        for reference in table.weak_references:
            mixed |= _drop_dangling(transaction, reference) and reference.is_mixed
        if table.referrers:
            gone = {uuid for uuid, row in transaction.pending[name].items() if row is None and uuid in table.rows}
            for reference in table.referrers if gone else ():
                mixed |= _drop_to_deleted(transaction, reference, gone) and reference.is_mixed
    return mixed


def _drop_dangling(transaction: Transaction, reference: Reference) -> bool:
    """Drop references from changed rows to rows that never were, or are gone."""
    table, place, targets = reference.source, reference.place, reference.targets
    committed = reference.target.rows
    pending = transaction.pending.get(reference.target.name, {})
    rows, dropped = table.rows, False
    for uuid, row in list(transaction.pending[table.name].items()):
        if row is None:
            continue
        value = row[place]
        if value is None or not value or (uuid in rows and rows[uuid][place] is value and not pending):
            continue
        gone = {each for each in targets(value) if (pending[each] if each in pending else committed.get(each)) is None}
        if gone:
            _drop(transaction, reference, row, gone)
            dropped = True
    return dropped


def _drop_to_deleted(transaction: Transaction, reference: Reference, gone: set[str]) -> bool:
    """Drop references from rows that this transaction did not touch to rows that it deletes."""
    referring = reference.target.weak[reference.source.name, reference.place, reference.of_values]
    touched = transaction.pending.get(reference.source.name, {})
    sources = {source for uuid in gone for source in referring.get(uuid, ()) if source not in touched}
    for source in sources:
        row = reference.source.rows[source]
        _drop(transaction, reference, row, gone.intersection(reference.targets(row[reference.place])))
    return bool(sources)


def _drop(transaction: Transaction, reference: Reference, row: Row, gone: set[str]) -> None:
    column, place = reference.column, reference.place
    members = reference.without(row[place], gone)
    if len(members) < column.type.min:
        dropped = len(column.members(row[place])) - len(members)
        new = "" if row[UUID_AT] in reference.source.rows else " (inserted within this transaction)"
        raise constraint_violation(
            f"Deletion of {dropped} weak reference(s) to deleted (or never-existing) rows from column"
            f' "{column.name}" in "{reference.source.name}" row {row[UUID_AT]}{new} caused this column to become empty,'
            " but constraints on this column disallow an empty column."
        )
    transaction.update(reference.source, row, [(place, column.from_members(members))])


# -- results ---------------------------------------------------------------------------------------------------------


def _actual_changes(transaction: Transaction) -> Changes:
    """What differs from the committed rows, leaving out rows that came and went, or changed back."""
    changes: Changes = {}
    for name, pending in transaction.pending.items():
        get = transaction.tables[name].rows.get
        found: dict[str, Change] = {}
        for uuid, new in pending.items():
            old = get(uuid)
            if old is None:
                if new is not None:
                    found[uuid] = (None, new)
            elif new is None or old[VERSION_AT + 1 :] != new[VERSION_AT + 1 :]:
                found[uuid] = (old, new)
        if found:
            changes[name] = found
    return changes


# -- indexes ---------------------------------------------------------------------------------------------------------


def _check_index(transaction: Transaction, table: TableStore, index: Index, changes: dict[str, Change]) -> None:
    key, committed = index.key, index.uuids
    taken: dict[Any, str] = {}
    for uuid, (_, new) in changes.items():
        if new is None:
            continue
        mine = key(new)
        other = taken.setdefault(mine, uuid)
        if other == uuid:
            other = committed.get(mine, uuid)
            if other in changes:  # then it is gone, or its new key is, or comes, in `taken`
                continue
        if other != uuid:
            raise _duplicate(transaction, table, index, (other, uuid))


def _duplicate(transaction: Transaction, table: TableStore, index: Index, uuids: tuple[str, str]) -> Refused:
    row = transaction.row(table, uuids[1])
    assert row is not None
    values = and_list(column.text(row[column.place]) for column in index.columns)
    names = and_list(f'"{column.name}"' for column in index.columns)
    first, second = (_history(transaction, table, index, uuid) for uuid in uuids)
    return constraint_violation(
        f'Transaction causes multiple rows in "{table.name}" table to have identical values ({values}) for index on'
        f" column{'s' if len(index.columns) > 1 else ''} {names}.  First row, with UUID {uuids[0]}, {first}"
        f"  Second row, with UUID {uuids[1]}, {second}"
    )


def _history(transaction: Transaction, table: TableStore, index: Index, uuid: str) -> str:
    """How a row came to have the values that it has."""
    old = table.rows.get(uuid)
    if old is None:
        return "was inserted by this transaction."
    if uuid not in transaction.pending.get(table.name, {}):
        return "existed in the database before this transaction and was not modified by the transaction."
    now = transaction.row(table, uuid)
    if now is not None and index.key(now) == index.key(old):
        return (
            "existed in the database before this transaction, which modified some of the row's columns but not any"
            " columns in this index."
        )
    values = and_list(column.text(old[column.place]) for column in index.columns)
    return f"had the following index values before the transaction: {values}."
