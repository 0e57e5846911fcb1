"""The database as a chain of commands sees it: what the server sent, with this chain's own edits on top.

    Contents   tables ─ uuid ─ column ─ JSON      kept up to date by the server's updates
       ▲
    View       tables ─ Row ─ column ─ value      read by commands; edits are remembered, not applied
       ▼
    transaction.operations(view)

A set or a map that is edited member by member becomes a mutation in the transaction; a column that is assigned
becomes an update.  Either way later commands in the chain read the new value.
"""

from bisect import insort
from os import urandom

from pyovn.cli.ctl.values import default, from_json
from pyovn.net.uuids import uuid_text
from pyovn.ovsdb.schema import Table as TableSchema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from pyovn.ovsdb.schema import ColumnType

    Json = Any
    Value = Any
    Contents = dict[str, dict[str, dict[str, Json]]]


class Schema:
    """The server's schema, whose tables are taken apart only as they are used."""

    __slots__ = ("_json", "_tables", "names", "version")

    def __init__(self, json: "Json") -> None:
        self._json = json["tables"]
        self._tables: dict[str, TableSchema] = {}
        self.names: list[str] = list(self._json)
        self.version: str = json.get("version", "")

    def __contains__(self, table: object) -> bool:
        return table in self._json

    def __getitem__(self, name: str) -> TableSchema:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = TableSchema.parse(name, self._json[name])
        return table

    def columns(self, table: str) -> "Iterable[str]":
        """The names of a table's columns, without taking the table apart."""
        names: Iterable[str] = self._json[table]["columns"]
        return names

    def is_root(self, table: str) -> bool:
        """True where rows of `table` live without being referred to."""
        return bool(self._json[table].get("isRoot"))


class Row:
    """One row; `row["column"]` reads and assigns."""

    __slots__ = (
        "_json",
        "_seen",
        "adds",
        "drops",
        "is_deleted",
        "is_new",
        "table",
        "uuid",
        "values",
        "verified",
        "written",
    )

    def __init__(self, table: "Table", uuid: str, json: "Mapping[str, Json] | None") -> None:
        self.table = table
        self.uuid = uuid
        self._json = json
        self._seen: dict[str, Value] = {}  #: values as the server has them, decoded when first read
        self.values: dict[str, Value] = {}  #: values as this chain has changed them
        self.written: set[str] = set()  #: columns that were assigned as a whole
        self.adds: dict[str, dict[Any, Any]] = {}  #: members this chain added (maps: with their values)
        self.drops: dict[str, dict[Any, Any]] = {}  #: members this chain removed
        self.verified: set[str] = set()  #: columns that must still be as seen when the chain commits
        self.is_new = json is None
        self.is_deleted = False

    def __getitem__(self, column: str) -> "Value":
        if column in self.values:
            return self.values[column]
        return self.before(column)

    def entry(self, *columns: str) -> "dict[str, Value]":
        """The row's UUID and columns, as JSON has them."""
        return {"_uuid": self.uuid, **{column: self[column] for column in columns}}

    def before(self, column: str) -> "Value":
        """What the column held before this chain of commands; None for a column that the server does not know."""
        if column in self._seen:
            return self._seen[column]
        if column == "_uuid":
            return self.uuid
        type_ = self.table.type_of(column)
        if type_ is None:
            return None
        value = default(type_) if self._json is None else from_json(type_, self._json[column])
        self._seen[column] = value
        return value

    def __setitem__(self, column: str, value: "Value") -> None:
        self._touch(column)
        if isinstance(value, dict):
            value = dict(sorted(value.items()))
        elif isinstance(value, list):
            value = sorted(value)
        self.table.reindex(self, column, self[column], value)
        self.values[column] = value
        self.written.add(column)
        self.adds.pop(column, None)
        self.drops.pop(column, None)

    def add(self, column: str, member: "Value") -> None:
        """Add a member to a set."""
        self._touch(column)
        members = self._own(column)
        if member not in members:
            insort(members, member)
            self.table.reindex(self, column, [], [member])
            self._note(column, member, None)

    def discard(self, column: str, member: "Value") -> None:
        """Remove a member from a set, if it is there."""
        self._touch(column)
        members = self._own(column)
        if member in members:
            members.remove(member)
            self.table.reindex(self, column, [member], [])
            self._forget(column, member)

    def put(self, column: str, key: "Value", value: "Value") -> None:
        """Set one key of a map."""
        self._touch(column)
        pairs = self._own(column)
        if key in pairs:
            if pairs[key] == value:
                return
            self._forget(column, key)
        pairs[key] = value
        self.values[column] = dict(sorted(pairs.items()))
        self.table.reindex(self, column, [key], [key])
        self._note(column, key, value)

    def drop(self, column: str, key: "Value") -> None:
        """Remove one key of a map, if it is there."""
        self._touch(column)
        if self._own(column).pop(key, None) is not None:
            self.table.reindex(self, column, [key], None)
            self._forget(column, key)

    def verify(self, *columns: str) -> None:
        """Let the commit fail, and the chain start anew, if someone else changes these columns meanwhile."""
        if not self.is_new:
            self.verified.update(columns)

    def delete(self) -> None:
        """Delete the row."""
        self.is_deleted = True
        self.table.remove(self)

    def _touch(self, column: str) -> None:
        assert not self.is_deleted
        if self.table.type_of(column) is None:
            from pyovn.cli.ctl.errors import CtlError

            raise CtlError(f"the server's {self.table.name} table has no column {column}")

    def _own(self, column: str) -> "Any":
        """The column's value as a copy that belongs to this chain."""
        if column not in self.values:
            self.values[column] = self.before(column).copy()
        return self.values[column]

    def _note(self, column: str, member: "Value", value: "Value") -> None:
        if column in self.written:
            return
        dropped = self.drops.get(column, {})
        if member in dropped and dropped[member] == value:
            del dropped[member]
        else:
            self.adds.setdefault(column, {})[member] = value

    def _forget(self, column: str, member: "Value") -> None:
        if column in self.written:
            return
        if member in self.adds.get(column, ()):
            del self.adds[column][member]
            if member not in self.drops.get(column, ()) and self._had(column, member):
                self.drops.setdefault(column, {})[member] = self._old(column, member)
        elif member not in self.drops.get(column, ()):
            self.drops.setdefault(column, {})[member] = self._old(column, member)

    def _had(self, column: str, member: "Value") -> bool:
        return not self.is_new and member in self.before(column)

    def _old(self, column: str, member: "Value") -> "Value":
        before = self.before(column)
        return before.get(member) if isinstance(before, dict) else None


class Table:
    """The rows of one table, with an index for every column that was ever searched."""

    __slots__ = ("_indexes", "_types", "edited", "name", "rows", "schema")

    def __init__(self, name: str, schema: TableSchema, contents: "Mapping[str, Mapping[str, Json]]") -> None:
        self.name = name
        self.schema = schema
        self.rows = {uuid: Row(self, uuid, json) for uuid, json in contents.items()}
        self.edited: list[Row] = []  #: rows that were inserted or deleted, in that order
        self._types: dict[str, ColumnType] = {}
        self._indexes: dict[str, dict[Value, list[Row]]] = {}

    def type_of(self, column: str) -> "ColumnType | None":
        """The column's type; None where the server has no such column."""
        found = self.schema.columns.get(column)
        return None if found is None else found.type

    def insert(self, uuid: str) -> Row:
        """A new row."""
        row = self.rows[uuid] = Row(self, uuid, None)
        self.edited.append(row)
        for column, index in self._indexes.items():
            for member in _keys(row[column]):
                index.setdefault(member, []).append(row)
        return row

    def remove(self, row: Row) -> None:
        """Take a deleted row out."""
        del self.rows[row.uuid]
        self.edited.append(row)
        for column in self._indexes:
            self.reindex(row, column, row[column], None)

    def find(self, column: str, value: "Value") -> list[Row]:
        """The rows whose `column` holds `value`, or has it as a member or key."""
        index = self._indexes.get(column)
        if index is None:
            index = self._indexes[column] = {}
            for row in self.rows.values():
                for member in _keys(row[column]):
                    index.setdefault(member, []).append(row)
        return index.get(value, [])

    def reindex(self, row: Row, column: str, old: "Value", new: "Value") -> None:
        """Follow a change of one column."""
        index = self._indexes.get(column)
        if index is None:
            return
        for member in _keys(old):
            if row in index.get(member, ()):
                index[member] = [each for each in index[member] if each is not row]
        for member in _keys(new):
            index.setdefault(member, []).append(row)


class View:
    """The tables that one chain of commands reads and edits."""

    def __init__(self, schema: Schema, contents: "Contents") -> None:
        self.schema = schema
        self._contents = contents
        self._tables: dict[str, Table] = {}
        self.comments: list[str] = []

    def table(self, name: str) -> Table:
        """A table by its exact name."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = Table(name, self.schema[name], self._contents.get(name, {}))
        return table

    def tables(self) -> "Iterator[Table]":
        """The tables that were looked at, in that order."""
        return iter(self._tables.values())

    def rows(self, name: str) -> list[Row]:
        """All rows of a table, in the order in which the C tools print them."""
        rows = self.table(name).rows
        return [rows[uuid] for uuid in iteration_order(rows)]

    def row(self, name: str, uuid: str) -> Row:
        """A row that must be there, because a reference leads to it."""
        return self.table(name).rows[uuid]

    def get(self, name: str, uuid: "str | None") -> Row | None:
        """The row with this UUID, if any."""
        return self.table(name).rows.get(uuid) if uuid else None

    def referred(self, name: str, uuids: "Iterable[str]") -> list[Row]:
        """The rows that a column refers to, but for those already deleted."""
        rows = self.table(name).rows
        return [rows[uuid] for uuid in uuids if uuid in rows]

    def find(self, name: str, column: str, value: "Value") -> list[Row]:
        """The rows of a table whose `column` holds or contains `value`."""
        return self.table(name).find(column, value)

    def first(self, name: str, column: str, value: "Value") -> Row | None:
        """Any one of `find`."""
        found = self.find(name, column, value)
        return found[0] if found else None

    def the(self, name: str) -> Row | None:
        """The only row of a table that has at most one."""
        return next(iter(self.table(name).rows.values()), None)

    def insert(self, table: str, /, **columns: "Value") -> Row:
        """A new row."""
        row = self.table(table).insert(random_uuid())
        for column, value in columns.items():
            row[column] = value
        return row


def iteration_order(uuids: "Iterable[str]") -> list[str]:
    """UUIDs in the order of the C tools' hash tables: by the low bits of the first word."""
    chosen = sorted(uuids)
    mask = max((1 << len(chosen).bit_length() - 1) - 1, 3) if len(chosen) > 1 else 0
    return sorted(chosen, key=lambda uuid: int(uuid[:8], 16) & mask)


def random_uuid() -> str:
    """A version 4 UUID (RFC 9562), without the standard library's slow import."""
    number = int.from_bytes(urandom(16), "big")
    return uuid_text(number & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62)


def _keys(value: "Value") -> "Iterable[Value]":
    """What an index finds a value by."""
    if isinstance(value, (list, dict)):
        return value
    return () if value is None else (value,)
