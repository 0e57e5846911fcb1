"""One transaction under way: a database seen through uncommitted changes.

    pending[table][uuid]   the row as this transaction leaves it, None if it deletes it

The committed tables stay as they are until `Database.commit`, so giving up costs nothing.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyovn.ovsdb.server.atoms import Names
from pyovn.ovsdb.server.columns import UUID_AT, VERSION_AT
from pyovn.ovsdb.server.tables import Row, TableStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.net.uuids import Uuid

Pending = dict[str, Row | None]


class Transaction:
    """The changes of one transaction, not yet checked against each other."""

    __slots__ = ("comments", "durable", "id", "names", "pending", "tables", "uuids")

    def __init__(self, tables: dict[str, TableStore], uuids: "Iterator[Uuid]") -> None:
        self.tables = tables
        self.uuids = uuids
        self.id = next(uuids)  #: also the `_version` of every row it writes
        self.names = Names(uuids)
        self.pending: dict[str, Pending] = {}
        self.comments: list[str] = []
        self.durable = False

    def changes_of(self, table: str) -> Pending:
        """The pending rows of a table, to be added to."""
        pending = self.pending.get(table)
        if pending is None:
            pending = self.pending[table] = {}
        return pending

    def row(self, table: TableStore, uuid: str) -> Row | None:
        """A row as this transaction sees it."""
        pending = self.pending.get(table.name)
        if pending is not None and uuid in pending:
            return pending[uuid]
        return table.rows.get(uuid)

    def insert(self, table: TableStore, uuid: str, values: Iterable[tuple[Any, Any]]) -> None:
        """Add a row with these values by column, and defaults elsewhere; `_uuid` and `_version` are not theirs."""
        row = table.defaults.copy()
        for column, value in values:
            row[column.place] = value
        row[UUID_AT] = uuid
        row[VERSION_AT] = self.id
        self.changes_of(table.name)[uuid] = tuple(row)

    def update(self, table: TableStore, row: Row, values: Iterable[tuple[int, Any]]) -> None:
        """Give a row new values by place; a row that already has them stays untouched."""
        changed = [(place, value) for place, value in values if row[place] != value]
        if changed:
            new = list(row)
            new[VERSION_AT] = self.id
            for place, value in changed:
                new[place] = value
            self.changes_of(table.name)[row[UUID_AT]] = tuple(new)

    def delete(self, table: TableStore, uuid: str) -> None:
        """Remove a row."""
        self.changes_of(table.name)[uuid] = None
