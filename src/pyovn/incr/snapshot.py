"""Rows without a database: a source for an engine over a snapshot, and for tests."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row

R = TypeVar("R", bound=Row)


class Snapshot:
    """Tables of rows that change only by `put` and `drop`, which give the change."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._tables: dict[type[Row], dict[Uuid, Any]] = {}
        for row in rows:
            self._tables.setdefault(type(row), {})[row.uuid] = row

    def rows(self, cls: type[R], /) -> Mapping[Uuid, R]:
        """The rows of a table."""
        found: dict[Uuid, R] = self._tables.setdefault(cls, {})
        return found

    def where(self, cls: type[R], /, **equal: Any) -> tuple[R, ...]:
        """The rows that have these values."""
        rows = self.rows(cls).values()
        return tuple(row for row in rows if all(getattr(row, name) == value for name, value in equal.items()))

    def put(self, row: Row) -> dict[type[Row], dict[Uuid, tuple[Row | None, Row | None]]]:
        """Add a row, or replace the one with its UUID."""
        table = self._tables.setdefault(type(row), {})
        old = table.get(row.uuid)
        table[row.uuid] = row
        return {type(row): {row.uuid: (old, row)}}

    def drop(self, row: Row) -> dict[type[Row], dict[Uuid, tuple[Row | None, Row | None]]]:
        """Take a row away."""
        return {type(row): {row.uuid: (self._tables[type(row)].pop(row.uuid), None)}}

    def changes(self) -> dict[type[Row], dict[Uuid, tuple[Row | None, Row | None]]]:
        """Everything, as a change from nothing."""
        return {cls: {uuid: (None, row) for uuid, row in rows.items()} for cls, rows in self._tables.items()}
