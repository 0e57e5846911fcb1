"""Tables in memory: rows as tuples, unique indexes, and who refers to whom.

    rows       uuid → (uuid, version, value, value, …)          values in kept form, see columns.py
    strong     uuid → how many strong references point at it
    weak       (referring table, place of the column) → uuid → the uuids of rows that refer to it weakly
    indexes    columns of the index → their values → uuid

Everything is keyed so that a transaction costs what it touches, never the size of a table.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pyovn.ovsdb.schema import UNLIMITED, Schema, Table
from pyovn.ovsdb.server.atoms import Names
from pyovn.ovsdb.server.columns import FIRST_AT, CompiledColumn, special_columns
from pyovn.ovsdb.server.errors import Refused, syntax_error, unknown_column

Row = tuple[Any, ...]


class Reference:
    """One column (the keys or the values of it) that holds UUIDs of another table's rows."""

    __slots__ = ("column", "is_mixed", "is_strong", "of_values", "place", "source", "target")

    def __init__(self, source: "TableStore", column: CompiledColumn, target: "TableStore", of_values: bool) -> None:
        self.source = source
        self.column = column
        self.place = column.place
        self.target = target
        self.of_values = of_values
        base = column.type.value if of_values else column.type.key
        other = column.type.key if of_values else column.type.value
        self.is_strong = base is not None and base.is_strong
        self.is_mixed = other is not None and other.is_strong != self.is_strong and other.ref_table is not None

    def targets(self, value: Any) -> Iterable[str]:
        """The UUIDs that a value of the column refers to."""
        if self.of_values:
            return value.values()  # type: ignore[no-any-return]
        return self.column.members(value)  # type: ignore[no-any-return]

    def without(self, value: Any, gone: set[str]) -> Any:
        """The members of the value (not yet its kept form) that do not refer to rows in `gone`."""
        members = self.column.members(value)
        if not self.column.is_map:
            return tuple(each for each in members if each not in gone)
        if self.of_values:
            return {key: each for key, each in members.items() if each not in gone}
        return {key: each for key, each in members.items() if key not in gone}


class Index:
    """One unique index."""

    __slots__ = ("columns", "places", "uuids")

    def __init__(self, columns: tuple[CompiledColumn, ...]) -> None:
        self.columns = columns
        self.places = tuple(column.place for column in columns)
        self.uuids: dict[Any, str] = {}

    def key(self, row: Row) -> Any:
        """What must be unique about a row."""
        if len(self.places) == 1:
            return _hashable(row[self.places[0]])
        return tuple(_hashable(row[place]) for place in self.places)


class TableStore:
    """One table: its compiled schema and its rows."""

    __slots__ = (
        "bad_defaults", "by_name", "columns", "defaults", "indexes", "is_plain", "is_root", "is_target", "max_rows",
        "name", "persistent", "referrers", "rows", "strong", "strong_references", "weak", "weak_references",
    )  # fmt: skip

    def __init__(self, table: Table, *, is_root: bool) -> None:
        self.name = table.name
        self.is_root = is_root
        self.max_rows = table.max_rows if table.max_rows != UNLIMITED else None
        self.is_target = False  #: references lead here, which matters when rows are deleted
        self.is_plain = is_root and self.max_rows is None  #: rows may come and change without a look at other tables
        self.columns = tuple(
            CompiledColumn(column, place) for place, column in enumerate(table.columns.values(), FIRST_AT)
        )
        self.by_name = {column.name: column for column in self.columns} | special_columns()
        self.defaults: list[Any] = [None] * FIRST_AT + [column.default for column in self.columns]
        self.bad_defaults = tuple(_bad_defaults(self.columns))
        self.persistent = tuple(column for column in self.columns if not column.ephemeral)
        self.indexes = tuple(Index(tuple(self.by_name[name] for name in names)) for names in table.indexes)
        self.rows: dict[str, Row] = {}
        self.strong: dict[str, int] = {}
        self.weak: dict[tuple[str, int, bool], dict[str, set[str]]] = {}
        self.strong_references: tuple[Reference, ...] = ()
        self.weak_references: tuple[Reference, ...] = ()
        self.referrers: tuple[Reference, ...] = ()  #: weak references from anywhere to this table

    def __repr__(self) -> str:
        return f"TableStore({self.name}, {len(self.rows)} rows)"

    def needs_care(self, pending: Mapping[str, Row | None]) -> bool:
        """True where such changes may break references, or too many rows may come of them."""
        return not self.is_plain or (self.is_target and None in pending.values())

    def column(self, name: Any, syntax: Any) -> CompiledColumn:
        """The column of that name; raises `Refused`."""
        column = self.by_name.get(name)
        if column is None:
            raise unknown_column(name, self.name, syntax)
        return column

    def column_set(self, names: Any) -> tuple[CompiledColumn, ...]:
        """The columns that a JSON array names; raises `Refused`."""
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise syntax_error("array of distinct column names expected", names)
        for name in names:
            if name not in self.by_name:
                raise syntax_error(f"{name} is not a valid column name", names)
        if len(set(names)) != len(names):
            raise syntax_error("array of distinct column names expected", names)
        return tuple(self.by_name[name] for name in names)

    def read_row(self, json: Mapping[str, Any], names: Names | None) -> list[tuple[CompiledColumn, Any]]:
        """The columns that a `<row>` sets, with their values; raises `Refused`."""
        by_name = self.by_name
        values = []
        for name, value in json.items():
            column = by_name.get(name)
            if column is None:
                raise unknown_column(name, self.name, json)
            values.append((column, column.read(value, names)))
        return values


def build_tables(schema: Schema) -> dict[str, TableStore]:
    """Empty tables for a schema, aware of each other's references."""
    tables = {table.name: TableStore(table, is_root=schema.is_root(table.name)) for table in schema.tables.values()}
    for table in tables.values():
        references = tuple(_references(table, tables))
        table.strong_references = tuple(each for each in references if each.is_strong)
        table.weak_references = tuple(each for each in references if not each.is_strong)
        table.is_plain = table.is_plain and not references
        for reference in references:
            reference.target.is_target = True
        for reference in table.weak_references:
            reference.target.referrers += (reference,)
            reference.target.weak[table.name, reference.place, reference.of_values] = {}
    return tables


def _references(table: TableStore, tables: dict[str, TableStore]) -> Iterable[Reference]:
    for column in table.columns:
        for base, of_values in ((column.type.key, False), (column.type.value, True)):
            if base is not None and base.ref_table is not None:
                yield Reference(table, column, tables[base.ref_table], of_values)


def _bad_defaults(columns: Iterable[CompiledColumn]) -> Iterable[tuple[CompiledColumn, Refused]]:
    """Columns that an insertion has to set, with the error if it does not."""
    for column in columns:
        try:
            column.check(column.default)
        except Refused as refusal:
            yield column, refusal


def _hashable(value: Any) -> Any:
    return tuple(value.items()) if value.__class__ is dict else value
