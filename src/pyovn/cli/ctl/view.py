"""The database as a chain of commands sees it: what the server sent, with this chain's own edits on top.

    Contents   tables ─ uuid ─ column ─ JSON      kept up to date by the server's updates (`take`)
       ▲
    View       tables ─ Row ─ column ─ value      read by commands; edits are remembered, not applied
       ▼
    transaction.operations(view)

A set or a map that is edited member by member becomes a mutation in the transaction; a column that is assigned
becomes an update.  Either way later commands in the chain read the new value.  When the chain is over, its edits are
forgotten; rows, values and indexes stay, so that the next chain costs what it looks at.
"""

from bisect import bisect_left, insort
from os import urandom

from pyovn.cli.ctl.updates import patched, row_of
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


NOTHING: "dict[str, Any]" = {}  #: what a row that was not edited shares with all others
NO_COLUMNS: "set[str]" = set()


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
        "is_touched",
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
        self._seen: dict[str, Value] = NOTHING  #: values as the server has them, decoded when first read
        self.is_new = json is None
        self.forget()

    def forget(self) -> None:
        """Be as the server has it."""
        self.values: dict[str, Value] = NOTHING  #: values as this chain has changed them
        self.written: set[str] = NO_COLUMNS  #: columns that were assigned as a whole
        self.adds: dict[str, dict[Any, Any]] = NOTHING  #: members this chain added (maps: with their values)
        self.drops: dict[str, dict[Any, Any]] = NOTHING  #: members this chain removed
        self.verified: set[str] = NO_COLUMNS  #: columns that must still be as seen when the chain commits
        self.is_deleted = False
        self.is_touched = False

    def touch(self) -> None:
        """Get ready to be edited."""
        if not self.is_touched:
            self.is_touched = True
            self.values, self.written, self.adds, self.drops, self.verified = {}, set(), {}, {}, set()
            self.table.touched.append(self)

    def has_read(self, column: str) -> bool:
        """True where the column was decoded already."""
        return column in self._seen

    def reread(self, column: str) -> None:
        """Decode the column anew: its JSON is another one."""
        if self.has_read(column):
            del self._seen[column]

    def flip(self, column: str, flipped: "Iterable[Value]") -> "tuple[list[Value], list[Value]]":
        """Remove those members that a set has and add those that it has not; returns both.

        The set's JSON is out of date from now on, and nobody looks at it any more.
        """
        value = self.before(column)
        gone, come = [], []
        for member in flipped:
            at = bisect_left(value, member)
            if at < len(value) and value[at] == member:
                del value[at]
                gone.append(member)
            else:
                value.insert(at, member)
                come.append(member)
        return gone, come

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
        json = None if self._json is None else self._json.get(column)
        value = default(type_) if json is None else from_json(type_, json)
        if self._seen is NOTHING:
            self._seen = {}
        self._seen[column] = value
        return value

    def __setitem__(self, column: str, value: "Value") -> None:
        self._check(column)
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
        self._check(column)
        members = self._own(column)
        if member not in members:
            insort(members, member)
            self.table.reindex(self, column, [], [member])
            self._note(column, member, None)

    def discard(self, column: str, member: "Value") -> None:
        """Remove a member from a set, if it is there."""
        self._check(column)
        members = self._own(column)
        if member in members:
            members.remove(member)
            self.table.reindex(self, column, [member], [])
            self._forget(column, member)

    def put(self, column: str, key: "Value", value: "Value") -> None:
        """Set one key of a map."""
        self._check(column)
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
        self._check(column)
        if self._own(column).pop(key, None) is not None:
            self.table.reindex(self, column, [key], None)
            self._forget(column, key)

    def verify(self, *columns: str) -> None:
        """Let the commit fail, and the chain start anew, if someone else changes these columns meanwhile."""
        if not self.is_new:
            self.touch()
            self.verified.update(columns)

    def delete(self) -> None:
        """Delete the row."""
        self.touch()
        self.is_deleted = True
        self.table.remove(self)

    def _check(self, column: str) -> None:
        """Raise for a column that the server does not have."""
        assert not self.is_deleted
        self.touch()
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

    __slots__ = ("_indexes", "_types", "edited", "name", "rows", "schema", "touched")

    def __init__(self, name: str, schema: TableSchema, contents: "Mapping[str, Mapping[str, Json]]") -> None:
        self.name = name
        self.schema = schema
        self.rows = {uuid: Row(self, uuid, json) for uuid, json in contents.items()}
        self.edited: list[Row] = []  #: rows that were inserted or deleted, in that order
        self.touched: list[Row] = []  #: rows that were edited in any way
        self._types: dict[str, ColumnType] = {}
        self._indexes: dict[str, dict[Value, list[Row]]] = {}

    def type_of(self, column: str) -> "ColumnType | None":
        """The column's type; None where the server has no such column."""
        found = self.schema.columns.get(column)
        return None if found is None else found.type

    def insert(self, uuid: str) -> Row:
        """A new row."""
        row = self.rows[uuid] = Row(self, uuid, None)
        row.touch()
        self.edited.append(row)
        self._enter(row)
        return row

    def forget(self) -> None:
        """Undo every edit."""
        for row in self.touched:
            if row.is_new:
                if not row.is_deleted:
                    self._leave(row)
            elif row.is_deleted:
                row.forget()
                self.rows[row.uuid] = row
                self._enter(row)
            else:
                for column in row.values.keys() & self._indexes.keys():
                    self.reindex(row, column, row.values[column], row.before(column))
                row.forget()
        self.edited, self.touched = [], []

    def put(self, uuid: str, json: "Mapping[str, Json]") -> None:
        """Have a row that the server has made or made anew."""
        if uuid in self.rows:
            self._leave(self.rows[uuid])
        row = self.rows[uuid] = Row(self, uuid, json)
        self._enter(row)

    def patch(self, row: Row, json: "dict[str, Json]", column: str, difference: "Json") -> None:
        """Take in how a column of a row, whose JSON this is, differs now."""
        type_ = self.schema.columns[column].type
        is_indexed = column in self._indexes
        if not type_.is_map and type_.max > 1 and (is_indexed or row.has_read(column)):
            gone, come = row.flip(column, from_json(type_, difference))
            self.reindex(row, column, gone, come)
            return
        old = row.before(column) if is_indexed else None
        json[column] = patched(type_, json.get(column), difference)
        row.reread(column)
        if is_indexed:
            self.reindex(row, column, old, row.before(column))

    def drop(self, uuid: str) -> None:
        """Do without a row that the server has deleted."""
        if uuid in self.rows:
            self._leave(self.rows[uuid])

    def _enter(self, row: Row) -> None:
        for column, index in self._indexes.items():
            for member in _keys(row[column]):
                index.setdefault(member, []).append(row)

    def _leave(self, row: Row) -> None:
        del self.rows[row.uuid]
        for column in self._indexes:
            self.reindex(row, column, row[column], None)

    def remove(self, row: Row) -> None:
        """Take a deleted row out."""
        self.edited.append(row)
        self._leave(row)

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
        self.contents = contents
        self._tables: dict[str, Table] = {}
        self.comments: list[str] = []

    def forget(self) -> None:
        """Undo a chain's edits."""
        self.comments = []
        for table in self._tables.values():
            table.forget()

    def take(self, update: "Json") -> None:
        """Take in what the server says has changed (RFC 7047 §4.1.6, ovsdb-server(7) §4.1.14)."""
        for name, changes in update.items():
            rows = self.contents.setdefault(name, {})
            table = self._tables.get(name)
            for uuid, change in changes.items():
                if "modify" in change:
                    for column, difference in change["modify"].items():
                        self._patch(name, uuid, column, difference)
                elif (json := row_of(change)) is None:
                    rows.pop(uuid, None)
                    if table is not None:
                        table.drop(uuid)
                else:
                    rows[uuid] = json
                    if table is not None:
                        table.put(uuid, json)

    def _patch(self, name: str, uuid: str, column: str, difference: "Json") -> None:
        json = self.contents[name][uuid]
        table = self._tables.get(name)
        if table is not None:
            table.patch(table.rows[uuid], json, column, difference)
        else:
            json[column] = patched(self.schema[name].columns[column].type, json.get(column), difference)

    def table(self, name: str) -> Table:
        """A table by its exact name."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = Table(name, self.schema[name], self.contents.get(name, {}))
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
