"""Row changes as values, so that what wants them can be a pure function whose results compare.

Insert(Port, {"name": "ovn-ch2-0", "interfaces": frozenset({NEW_INTERFACE})}, id=…)
Update(port, {"external_ids": {…}})     Put(bridge, "external_ids", {"ct-zone-p1": "4"})     Delete(port)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row
from pyovn.ovsdb.txn import Txn

ANONYMOUS: Final = Uuid("")


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row; `id` is what other edits of the same batch call it."""

    table: type[Row]
    columns: Mapping[str, Any]
    id: Uuid = ANONYMOUS


@dataclass(frozen=True, slots=True)
class Update:
    """Columns of a row overwritten."""

    row: Row
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Put:
    """Entries of a map column set, members of a set column added; others of the row stay."""

    row: Row
    column: str
    value: Any


@dataclass(frozen=True, slots=True)
class Take:
    """Keys of a map column, or members of a set column, removed."""

    row: Row
    column: str
    value: frozenset[Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """A row gone."""

    row: Row


Edit = Insert | Update | Put | Take | Delete


@dataclass(slots=True)
class _Names:
    """The references that a transaction gave to rows it inserts."""

    given: dict[str, Uuid] = field(default_factory=dict)

    def resolved(self, value: Any) -> Any:
        """`value` with the names in it replaced."""
        match value:
            case str():
                return self.given.get(value, value)
            case frozenset() | set():
                return frozenset(self.resolved(item) for item in value)
            case Mapping():
                return {key: self.resolved(item) for key, item in value.items()}
            case _:
                return value


def write(txn: Txn, edits: Iterable[Edit]) -> None:
    """Put the edits into a transaction; inserts come before what refers to them."""
    names = _Names()
    for edit in edits:
        _write(txn, edit, names)


def _write(txn: Txn, edit: Edit, names: _Names) -> None:
    match edit:
        case Insert(table, columns, id):
            reference = txn.insert(table, **{name: names.resolved(value) for name, value in columns.items()})
            if id:
                names.given[id] = reference
        case Update(row, columns):
            txn.update(row, **{name: names.resolved(value) for name, value in columns.items()})
        case Put(row, column, value) if isinstance(value, Mapping):
            txn.mutate(row, column, "delete", frozenset(value))
            txn.mutate(row, column, "insert", names.resolved(value))
        case Put(row, column, value):
            txn.mutate(row, column, "insert", names.resolved(value))
        case Take(row, column, value):
            txn.mutate(row, column, "delete", value)
        case Delete(row):
            txn.delete(row)


def map_edits(row: Row, column: str, wanted: Mapping[str, str | None]) -> Iterable[Edit]:
    """What makes a map column hold `wanted`; None means the key must not be there."""
    have: Mapping[str, str] = getattr(row, column)
    put = {key: value for key, value in wanted.items() if value is not None and have.get(key) != value}
    take = frozenset(key for key, value in wanted.items() if value is None and key in have)
    if put:
        yield Put(row, column, put)
    if take:
        yield Take(row, column, take)


def column_edits(row: Row, wanted: Mapping[str, Any]) -> Iterable[Edit]:
    """What makes the columns of a row equal `wanted`."""
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if changed:
        yield Update(row, changed)
