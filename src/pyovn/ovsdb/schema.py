"""OVSDB schemas as values: databases, tables, columns and their types (RFC 7047 §3.2).

    Schema ─ tables ─ Table ─ columns ─ Column ─ ColumnType ─ key, value: BaseType
                                                  min..max    atomic type + constraints

`Schema.parse` reads the JSON of any schema, `.json()` writes it back in the server's own normal form (what is
default is left out), so equal schemas give equal JSON.  Imports nothing, because command-line tools wait for it.
"""

from pyovn.ovsdb.errors import SchemaFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    Json = Any

UNLIMITED: "Final" = 2**32 - 1  #: the `max` of a set or map without bound
ATOMIC_TYPES: "Final" = ("integer", "real", "boolean", "string", "uuid")
MIN_INTEGER: "Final" = -(2**63)
MAX_INTEGER: "Final" = 2**63 - 1

_RANGES = {
    "integer": ("minInteger", "maxInteger"),
    "real": ("minReal", "maxReal"),
    "string": ("minLength", "maxLength"),
}
_IDENTIFIER = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class _Value:
    """Equality and a readable form for the small frozen classes below."""

    __slots__: "tuple[str, ...]" = ()

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(f"{slot}={getattr(self, slot)!r}" for slot in self.__slots__)
        return f"{self.__class__.__name__}({shown})"


class BaseType(_Value):
    """An atomic type with its constraints: an enumeration, or a range, or the table a UUID points into.

    `low` and `high` bound integers and reals themselves, and strings by their length in characters.
    """

    __slots__ = ("enum", "high", "low", "ref_table", "ref_type", "type")

    def __init__(
        self,
        type: str,
        enum: "tuple[Any, ...] | None" = None,
        low: float | None = None,
        high: float | None = None,
        ref_table: str | None = None,
        ref_type: str = "strong",
    ) -> None:
        self.type = type
        self.enum = enum
        self.low = low
        self.high = high
        self.ref_table = ref_table
        self.ref_type = ref_type

    @property
    def is_strong(self) -> bool:
        """True where the target must exist and is kept alive by this reference."""
        return self.ref_table is not None and self.ref_type == "strong"

    @property
    def is_weak(self) -> bool:
        """True where the reference goes away together with its target."""
        return self.ref_table is not None and self.ref_type == "weak"

    @classmethod
    def parse(cls, json: "Json") -> "BaseType":
        """The type that a `<base-type>` writes; raises `SchemaFault`."""
        if isinstance(json, str):
            json = {"type": json}
        members = _Members(json, "base type")
        atomic = members.take("type", str)
        if atomic not in ATOMIC_TYPES:
            raise SchemaFault(f'"{atomic}" is not an atomic-type')
        enum = members.take("enum", (list, str, int, float, bool), None)
        low, high = (members.take(name, (int, float), None) for name in _RANGES.get(atomic, ("", "")))
        if low is not None and high is not None and low > high:
            raise SchemaFault(f"{atomic} with minimum {low} above maximum {high}")
        ref_table = members.take("refTable", str, None) if atomic == "uuid" else None
        ref_type = members.take("refType", str, "strong") if ref_table is not None else "strong"
        if ref_type not in ("strong", "weak"):
            raise SchemaFault(f'refType must be "strong" or "weak" (not "{ref_type}")')
        members.done()
        return cls(atomic, None if enum is None else _enum(atomic, enum), low, high, ref_table, ref_type)

    def json(self) -> "Json":
        """The type in its shortest JSON form."""
        parts: dict[str, Any] = {"type": self.type}
        if self.enum is not None:
            members = [_enum_json(self.type, atom) for atom in self.enum]
            parts["enum"] = members[0] if len(members) == 1 else ["set", members]
        bounds = zip(_RANGES.get(self.type, ()), (self.low, self.high), strict=False)
        parts |= {name: bound for name, bound in bounds if bound is not None}
        if self.ref_table is not None:
            parts["refTable"] = self.ref_table
            if self.ref_type == "weak":
                parts["refType"] = "weak"
        return parts if len(parts) > 1 else self.type


class ColumnType(_Value):
    """What one column holds: between `min` and `max` keys, each with a value if it is a map."""

    __slots__ = ("key", "max", "min", "value")

    def __init__(self, key: BaseType, value: BaseType | None = None, min: int = 1, max: int = 1) -> None:
        self.key = key
        self.value = value
        self.min = min
        self.max = max

    @property
    def is_map(self) -> bool:
        """True for maps of any size."""
        return self.value is not None

    @property
    def is_scalar(self) -> bool:
        """True for exactly one value."""
        return self.value is None and self.min == 1 and self.max == 1

    @property
    def is_optional(self) -> bool:
        """True for one value or none."""
        return self.value is None and self.min == 0 and self.max == 1

    @property
    def is_set(self) -> bool:
        """True for sets that may have several members."""
        return self.value is None and self.max > 1

    @classmethod
    def parse(cls, json: "Json") -> "ColumnType":
        """The type that a `<type>` writes; raises `SchemaFault`."""
        if isinstance(json, str):
            return cls(BaseType.parse(json))
        members = _Members(json, "type")
        key = BaseType.parse(members.take("key", (str, dict)))
        value = members.take("value", (str, dict), None)
        low = members.take("min", int, 1)
        high = members.take("max", (int, str), 1)
        members.done()
        if high == "unlimited":
            high = UNLIMITED
        if low not in (0, 1) or not isinstance(high, int) or high < 1:
            raise SchemaFault("type fails constraint 0 <= min <= 1 <= max")
        return cls(key, None if value is None else BaseType.parse(value), low, high)

    def json(self) -> "Json":
        """The type in its shortest JSON form."""
        key = self.key.json()
        if self.is_scalar and isinstance(key, str):
            return key
        parts: dict[str, Any] = {"key": key}
        if self.value is not None:
            parts["value"] = self.value.json()
        if self.min != 1:
            parts["min"] = self.min
        if self.max != 1:
            parts["max"] = "unlimited" if self.max == UNLIMITED else self.max
        return parts


class Column(_Value):
    """One column: its type, and whether it may change after insertion and outlives the server's process."""

    __slots__ = ("ephemeral", "mutable", "name", "type")

    def __init__(self, name: str, type: ColumnType, *, mutable: bool = True, ephemeral: bool = False) -> None:
        self.name = name
        self.type = type
        self.mutable = mutable
        self.ephemeral = ephemeral

    @classmethod
    def parse(cls, name: str, json: "Json") -> "Column":
        """The column that a `<column-schema>` writes; raises `SchemaFault`."""
        members = _Members(json, f"schema for column {name}")
        try:
            type_ = ColumnType.parse(members.take("type", (str, dict)))
        except SchemaFault as fault:
            raise SchemaFault(f"column {name}: {fault}") from None
        mutable = members.take("mutable", bool, True)
        ephemeral = members.take("ephemeral", bool, False)
        members.done()
        return cls(name, type_, mutable=mutable, ephemeral=ephemeral)

    def json(self) -> "Json":
        """The column as JSON, defaults left out."""
        parts: dict[str, Any] = {"type": self.type.json()}
        if not self.mutable:
            parts["mutable"] = False
        if self.ephemeral:
            parts["ephemeral"] = True
        return parts


class Table(_Value):
    """One table: columns, unique indexes, and how many rows it may have and why they live."""

    __slots__ = ("columns", "indexes", "is_root", "max_rows", "name")

    def __init__(
        self,
        name: str,
        columns: "Mapping[str, Column]",
        *,
        is_root: bool = False,
        max_rows: int = UNLIMITED,
        indexes: "tuple[tuple[str, ...], ...]" = (),
    ) -> None:
        self.name = name
        self.columns = columns
        self.is_root = is_root
        self.max_rows = max_rows
        self.indexes = indexes

    @classmethod
    def parse(cls, name: str, json: "Json") -> "Table":
        """The table that a `<table-schema>` writes; raises `SchemaFault`."""
        members = _Members(json, f"table schema for table {name}")
        columns_json = members.take("columns", dict)
        if not columns_json:
            raise SchemaFault(f"table {name} must have at least one column")
        columns = {_identifier(column, "column"): Column.parse(column, spec) for column, spec in columns_json.items()}
        max_rows = members.take("maxRows", int, UNLIMITED)
        if max_rows <= 0:
            raise SchemaFault(f"table {name}: maxRows must be at least 1")
        indexes = tuple(_index(name, columns, index) for index in members.take("indexes", list, []))
        is_root = members.take("isRoot", bool, False)
        members.take("mutable", bool, True)
        members.done()
        return cls(name, columns, is_root=is_root, max_rows=max_rows, indexes=indexes)

    def json(self) -> "Json":
        """The table as JSON, defaults left out."""
        parts: dict[str, Any] = {"columns": {name: column.json() for name, column in self.columns.items()}}
        if self.max_rows != UNLIMITED:
            parts["maxRows"] = self.max_rows
        if self.is_root:
            parts["isRoot"] = True
        if self.indexes:
            parts["indexes"] = [list(index) for index in self.indexes]
        return parts


class Schema(_Value):
    """One database's schema."""

    __slots__ = ("cksum", "name", "tables", "version")

    def __init__(self, name: str, version: str, tables: "Mapping[str, Table]", cksum: str = "") -> None:
        self.name = name
        self.version = version
        self.tables = tables
        self.cksum = cksum

    @classmethod
    def parse(cls, json: "Json") -> "Schema":
        """The schema that a `<database-schema>` writes; raises `SchemaFault`."""
        members = _Members(json, "database schema")
        name = _identifier(members.take("name", str), "database")
        version = members.take("version", str, "")
        cksum = members.take("cksum", str, "")
        tables_json = members.take("tables", dict)
        members.done()
        tables = {_identifier(table, "table"): Table.parse(table, spec) for table, spec in tables_json.items()}
        schema = cls(name, version, tables, cksum)
        schema._check_references()
        return schema

    def json(self) -> "Json":
        """The schema as JSON, defaults left out."""
        parts: dict[str, Any] = {"name": self.name, "version": self.version}
        if self.cksum:
            parts["cksum"] = self.cksum
        parts["tables"] = {name: table.json() for name, table in self.tables.items()}
        return parts

    def is_root(self, table: str) -> bool:
        """True where the rows of `table` need no reference to stay; a schema that names no root has only roots."""
        return self.tables[table].is_root or not any(each.is_root for each in self.tables.values())

    def _check_references(self) -> None:
        for table in self.tables.values():
            for column in table.columns.values():
                for base in (column.type.key, column.type.value):
                    if base is not None and base.ref_table is not None and base.ref_table not in self.tables:
                        raise SchemaFault(
                            f"{table.name} column {column.name}: refers to undefined table {base.ref_table}"
                        )


class _Members:
    """A JSON object whose members are taken one by one; what is left over at the end is an error."""

    __slots__ = ("left", "what")

    def __init__(self, json: "Json", what: str) -> None:
        if not isinstance(json, dict):
            raise SchemaFault(f"Parsing {what} failed: expected a JSON object")
        self.left = dict(json)
        self.what = what

    def take(self, name: str, kind: "Any", *default: "Any") -> "Any":
        """Member `name`, which must be of `kind` (a type, or a tuple of them), or the default if it is absent."""
        if name not in self.left:
            if default:
                return default[0]
            raise SchemaFault(f"Parsing {self.what} failed: Required '{name}' member is missing.")
        value = self.left.pop(name)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise SchemaFault(f"Parsing {self.what} failed: Type mismatch for member '{name}'.")
        return value

    def done(self) -> None:
        """Raise for members that nobody asked for."""
        if self.left:
            raise SchemaFault(f"Parsing {self.what} failed: Member '{min(self.left)}' is present but not allowed here.")


def _identifier(name: str, what: str) -> str:
    if not name or name[0].isdigit() or not _IDENTIFIER.issuperset(name):
        raise SchemaFault(f'"{name}" is not a valid {what} name')
    if name[0] == "_" and what != "database":
        raise SchemaFault(f'names beginning with "_" are reserved ("{name}")')
    return name


def _index(table: str, columns: "Mapping[str, Column]", json: "Json") -> "tuple[str, ...]":
    if not isinstance(json, list) or not json:
        raise SchemaFault(f"table {table}: an index must be an array of column names")
    for name in json:
        if name not in columns:
            raise SchemaFault(f'table {table}: index on undefined column "{name}"')
        if columns[name].ephemeral:
            raise SchemaFault(f'table {table}: ephemeral column "{name}" cannot be part of an index')
    return tuple(json)


def _enum(atomic: str, json: "Json") -> "tuple[Any, ...]":
    """The members of an enumeration, sorted: written as one atom or as a set."""
    atoms = json[1] if isinstance(json, list) and len(json) == 2 and json[0] == "set" else [json]
    if atomic == "uuid":
        atoms = [atom[1] if isinstance(atom, list) and len(atom) == 2 else atom for atom in atoms]
    if atomic == "real":
        atoms = [float(atom) if type(atom) is int else atom for atom in atoms]
    if not atoms or any(type(atom) is not type(atoms[0]) or isinstance(atom, list | dict) for atom in atoms):
        raise SchemaFault("an enum must be a non-empty set of atoms of one type")
    return tuple(sorted(set(atoms)))


def _enum_json(atomic: str, atom: "Any") -> "Json":
    return ["uuid", atom] if atomic == "uuid" else atom
