"""The typed model of a database: a class per table, whose annotations are the schema.

    @table("ACL")
    class ACL(Row):
        priority: Annotated[int, Between(0, 32767)]
        action: Literal["allow", "drop"]
        sample_new: Strong[Sample] | None

    annotation                          column                      value of the attribute
    str int float bool Uuid             exactly one                 itself
    Literal["a", "b"]                   string enumeration          str
    Annotated[int, Between(0, 9)]       bounded integer             int
    Annotated[str, MaxLength(63)]       bounded string              str
    Strong[T]  Weak[T]                  uuid of a row of T          Uuid (a str)
    X | None                            at most one                 value or None
    frozenset[X]                        set of 0..unlimited         frozenset
    Annotated[frozenset[X], Size(1, 8)] set of 1..8                 frozenset
    Mapping[K, V]                       map                         dict, not to be changed
    Annotated[X, Ephemeral, Immutable]  column flags

A row is an immutable snapshot.  At run time it is a tuple (UUID first, then the columns in the class's order), which
is what makes 100,000 of them cheap to build, compare and read.  Annotations stay text (`from __future__ import
annotations`) until somebody asks for the schema; then the words above are looked up in `_VOCABULARY`, where they build
a `schema.ColumnType` directly, so that no typing machinery is imported.
"""

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.errors import SchemaFault
from pyovn.ovsdb.schema import UNLIMITED, BaseType, Column, ColumnType, Schema
from pyovn.ovsdb.schema import Table as TableSchema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Generic, TypeVar, dataclass_transform

    R = TypeVar("R", bound="Row")
    RowClass = TypeVar("RowClass", bound="type[Row]")
    Target = TypeVar("Target", bound="Row", covariant=True)

    class Ref(Uuid, Generic[Target]):
        """The UUID of a row of one table."""

    class Strong(Ref[Target]):
        """A reference whose target must exist and is kept alive by it."""

    class Weak(Ref[Target]):
        """A reference that goes away with its target."""

    @dataclass_transform(frozen_default=True, kw_only_default=True)
    class _Modelled:
        """What makes checkers and editors see the tables as frozen dataclasses."""

else:
    try:
        from _collections import _tuplegetter
    except ImportError:

        def _tuplegetter(index, doc):
            return property(lambda row: tuple.__getitem__(row, index), doc=doc)

    class _RowType(type):
        """Turns the annotations of a class into the places of a tuple."""

        def __new__(mcls, name, bases, namespace):
            names = tuple(namespace.get("__annotations__", ()))
            if namespace.get("__module__") != __name__:
                names = ("uuid", *names)
            for place, column in enumerate(names):
                namespace[column] = _tuplegetter(place, None)
            return super().__new__(mcls, name, bases, {"__slots__": (), **namespace, "__match_args__": names})

    class _Modelled(tuple, metaclass=_RowType):
        def __new__(cls, /, uuid="", **columns):
            given = {"uuid": uuid, **defaults(cls), **columns}
            if len(given) != len(cls.__match_args__):
                unknown = min(given.keys() - set(cls.__match_args__))
                raise TypeError(f"{cls.__table__} has no column {unknown}")
            return tuple.__new__(cls, map(given.__getitem__, cls.__match_args__))

        def __reduce__(self):
            return tuple.__new__, (self.__class__, tuple(self))

        def __hash__(self):
            return hash(self[0])

        def __eq__(self, other):
            return self.__class__ is other.__class__ and tuple.__eq__(self, other)

        def __ne__(self, other):
            return not self == other

        def __repr__(self):
            usual = {"uuid": "", **defaults(self.__class__)}
            shown = zip(self.__match_args__, self, strict=True)
            inside = ", ".join(f"{name}={value!r}" for name, value in shown if value != usual[name])
            return f"{self.__class__.__name__}({inside})"


class Row(_Modelled):
    """A row of some table; constructed with keywords, columns not given take the schema's default."""

    uuid: Uuid


class Between:
    """Smallest and largest integer allowed; None leaves that side open."""

    def __init__(self, low: int | None, high: int | None) -> None:
        self.low = low
        self.high = high


class MaxLength:
    """The largest number of characters allowed."""

    def __init__(self, length: int) -> None:
        self.length = length


class Size:
    """Smallest (0 or 1) and largest number of members; without a largest, as many as you like."""

    def __init__(self, low: int, high: int = UNLIMITED) -> None:
        self.low = low
        self.high = high


class Ephemeral:
    """Marks a column whose contents need not outlive the server's process."""


class Immutable:
    """Marks a column that is set when the row is inserted and never again."""


def table(
    name: str,
    *,
    root: bool = True,
    max_rows: int | None = None,
    indexes: "Sequence[tuple[str, ...]]" = (),
) -> "Callable[[RowClass], RowClass]":
    """Names the table that a class stands for.

    `root=False` where rows live only as long as something refers to them strongly; `indexes` are the column tuples
    that must be unique.
    """

    def decorate(cls: "RowClass") -> "RowClass":
        vars_ = (name, root, UNLIMITED if max_rows is None else max_rows, tuple(indexes))
        cls.__table__, cls.__is_root__, cls.__max_rows__, cls.__indexes__ = vars_  # type: ignore[attr-defined]
        return cls

    return decorate


class Database:
    """A database: name, version and the classes of its tables."""

    def __init__(self, name: str, version: str, tables: "Sequence[type[Row]]", cksum: str = "") -> None:
        self.name = name
        self.version = version
        self.cksum = cksum
        self.tables = tuple(tables)
        self._by_class_name = {cls.__name__: cls for cls in self.tables}
        self.by_name: dict[str, type[Row]] = {table_name(cls): cls for cls in self.tables}
        for cls in self.tables:
            cls.__database__ = self  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<Database {self.name} {self.version}>"

    def typed_schema(self) -> Schema:
        """The schema that the classes describe."""
        tables = {table_name(cls): typed_table(cls) for cls in self.tables}
        return Schema(self.name, self.version, tables, self.cksum)

    def schema(self) -> "dict[str, Any]":
        """The schema as OVSDB JSON."""
        json: dict[str, Any] = self.typed_schema().json()
        return json

    def __getitem__(self, class_name: str) -> "Any":
        """What a word in an annotation means here: one of our classes, or a word every database knows."""
        found = self._by_class_name.get(class_name)
        return _VOCABULARY[class_name] if found is None else found


def table_name(cls: "type[Row]") -> str:
    """The name of the table that `cls` stands for, as in `Logical_Switch`."""
    name: str = cls.__table__  # type: ignore[attr-defined]
    return name


def database(cls: "type[Row]") -> Database:
    """The database that `cls` is part of."""
    found: Database = cls.__database__  # type: ignore[attr-defined]
    return found


def columns(cls: "type[Row]") -> "dict[str, Column]":
    """The columns of `cls` by name, in the order of its annotations."""
    known = cls.__dict__.get("__columns__")
    if known is None:
        known = {name: _column(cls, name, text) for name, text in _annotations(cls)}
        cls.__columns__ = known  # type: ignore[attr-defined]
    found: dict[str, Column] = known
    return found


def typed_table(cls: "type[Row]") -> TableSchema:
    """The schema of the table that `cls` stands for."""
    return TableSchema(
        table_name(cls),
        columns(cls),
        is_root=cls.__is_root__,  # type: ignore[attr-defined]
        max_rows=cls.__max_rows__,  # type: ignore[attr-defined]
        indexes=cls.__indexes__,  # type: ignore[attr-defined]
    )


def table_schema(cls: "type[Row]") -> "dict[str, Any]":
    """The schema of the table that `cls` stands for, as OVSDB JSON."""
    json: dict[str, Any] = typed_table(cls).json()
    return json


def defaults(cls: "type[Row]") -> "dict[str, Any]":
    """The value that each column of `cls` has where nobody set it."""
    known = cls.__dict__.get("__defaults__")
    if known is None:
        known = {name: default_value(column.type) for name, column in columns(cls).items()}
        cls.__defaults__ = known  # type: ignore[attr-defined]
    found: dict[str, Any] = known
    return found


def new(cls: "type[R]", uuid: str = "", **values: "Any") -> "R":
    """A row with the columns given, and the schema's defaults for the others."""
    return cls(uuid=Uuid(uuid), **values)


def changed(row: "R", **values: "Any") -> "R":
    """`row` with other values in some columns."""
    cls = row.__class__
    return cls(**{**dict(zip(_names(cls), row, strict=True)), **values})  # type: ignore[call-overload]


def items(row: Row) -> "Iterator[tuple[str, Any]]":
    """The columns of a row with their values, UUID left out."""
    pairs: Iterator[tuple[str, Any]] = zip(_names(row.__class__), row, strict=True)  # type: ignore[call-overload]
    next(pairs)
    return pairs


_ATOM_DEFAULTS: "dict[str, Any]" = {
    "integer": 0,
    "real": 0.0,
    "boolean": False,
    "string": "",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def default_atom(base: BaseType) -> "Any":
    """The atom that stands in where nothing was given (RFC 7047 §5.2.1)."""
    return _ATOM_DEFAULTS[base.type]


def default_value(type: ColumnType) -> "Any":
    """The value of a column that nobody set."""
    if type.is_map:
        return {} if type.min == 0 else {default_atom(type.key): default_atom(type.value or type.key)}
    if type.is_scalar:
        return default_atom(type.key)
    if type.is_optional:
        return None
    return frozenset() if type.min == 0 else frozenset((default_atom(type.key),))


def _names(cls: "type[Row]") -> "tuple[str, ...]":
    names: tuple[str, ...] = cls.__match_args__
    return names


def _annotations(cls: "type[Row]") -> "Iterator[tuple[str, str]]":
    """Column names with the text of their annotations."""
    for name, text in cls.__annotations__.items():
        if not isinstance(text, str):
            raise SchemaFault(f"{cls.__module__} lacks `from __future__ import annotations`")
        yield name, text


def _column(cls: "type[Row]", name: str, text: str) -> Column:
    """The column that an annotation describes."""
    words: Any = database(cls)
    try:
        meaning = eval(text, {"__builtins__": {}}, words)  # our own source text
        type_ = _column_type(meaning)
    except (NameError, TypeError, AttributeError) as fault:
        raise SchemaFault(f"{cls.__name__}.{name}: {text} is not the type of a column ({fault})") from None
    flags = meaning.flags if isinstance(meaning, _Flagged) else ()
    return Column(name, type_, mutable=Immutable not in flags, ephemeral=Ephemeral in flags)


class _Flagged:
    """A column type together with `Ephemeral` or `Immutable`."""

    def __init__(self, type_: ColumnType, flags: "tuple[type, ...]") -> None:
        self.type = type_
        self.flags = flags


class _Word:
    """A base type as it appears in an annotation: `word | None` makes it optional."""

    def __init__(self, base: BaseType) -> None:
        self.base = base

    def __or__(self, other: None) -> ColumnType:
        return ColumnType(self.base, min=0)


def _column_type(meaning: "Any") -> ColumnType:
    match meaning:
        case _Word():
            return ColumnType(meaning.base)
        case _Flagged():
            return meaning.type
        case ColumnType():
            return meaning
    raise TypeError(f"what is {meaning!r}?")


class _Annotated:
    """`Annotated[X, note, …]`."""

    def __getitem__(self, parts: "tuple[Any, ...]") -> "Any":
        meaning, *notes = parts
        for note in notes:
            meaning = self.noted(meaning, note)
        return meaning

    @staticmethod
    def noted(meaning: "Any", note: "Any") -> "Any":
        """`meaning` narrowed by one note."""
        match note:
            case Between():
                return _Word(BaseType(meaning.base.type, low=note.low, high=note.high))
            case MaxLength():
                return _Word(BaseType(meaning.base.type, high=note.length))
            case Size():
                return ColumnType(meaning.key, meaning.value, note.low, note.high)
        flags = meaning.flags if isinstance(meaning, _Flagged) else ()
        return _Flagged(_column_type(meaning), (*flags, note))


class _Literal:
    """`Literal["a", "b"]`."""

    def __getitem__(self, values: "str | tuple[str, ...]") -> _Word:
        members = (values,) if isinstance(values, str) else values
        return _Word(BaseType("string", enum=tuple(sorted(members))))


class _Set:
    """`frozenset[X]`."""

    def __getitem__(self, member: _Word) -> ColumnType:
        return ColumnType(member.base, min=0, max=UNLIMITED)


class _Map:
    """`Mapping[K, V]`."""

    def __getitem__(self, pair: "tuple[_Word, _Word]") -> ColumnType:
        return ColumnType(pair[0].base, pair[1].base, min=0, max=UNLIMITED)


class _Reference:
    """`Strong[T]` and `Weak[T]`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __getitem__(self, target: "type[Row]") -> _Word:
        return _Word(BaseType("uuid", ref_table=table_name(target), ref_type=self.kind))


_VOCABULARY: "dict[str, Any]" = {
    "str": _Word(BaseType("string")),
    "int": _Word(BaseType("integer")),
    "float": _Word(BaseType("real")),
    "bool": _Word(BaseType("boolean")),
    "Uuid": _Word(BaseType("uuid")),
    "Annotated": _Annotated(),
    "Literal": _Literal(),
    "frozenset": _Set(),
    "Mapping": _Map(),
    "Strong": _Reference("strong"),
    "Weak": _Reference("weak"),
    "Between": Between,
    "MaxLength": MaxLength,
    "Size": Size,
    "Ephemeral": Ephemeral,
    "Immutable": Immutable,
}
