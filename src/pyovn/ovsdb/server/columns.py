"""Columns compiled for the server: how their values are kept, read, written, compared and checked.

    type        kept as                      example
    1..1        the atom                     "next;"
    0..1        the atom or None             None
    other set   sorted tuple of atoms        ("a", "b")
    map         dict in key order            {"k": "v"}

`read` takes the wire form and returns the kept form, `write` goes back; for an atom that JSON has, both are the
identity and `write` is None, which hot loops test for.  Kept values are never changed in place.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pyovn.ovsdb.schema import UNLIMITED, BaseType, Column, ColumnType
from pyovn.ovsdb.server.atoms import DEFAULTS, Names, Reader, checker, reader
from pyovn.ovsdb.server.errors import Refused, constraint_violation, syntax_error
from pyovn.ovsdb.server.text import size_text, type_text, value_text

Value = Any  #: a column's value in its kept form
Writer = Callable[[Value], Any]

UUID_AT = 0  #: where a row tuple keeps `_uuid`
VERSION_AT = 1  #: where it keeps `_version`
FIRST_AT = 2  #: where its own columns begin


class CompiledColumn:
    """One column of one table."""

    __slots__ = (
        "_checks", "default", "ephemeral", "is_map", "is_set", "mutable", "name", "place", "read", "replaces",
        "type", "write",
    )  # fmt: skip

    def __init__(self, column: Column, place: int) -> None:
        type_ = column.type
        self.name = column.name
        self.type = type_
        self.place = place  #: index into a row tuple
        self.mutable = column.mutable
        self.ephemeral = column.ephemeral
        self.is_map = type_.is_map
        self.is_set = not type_.is_map and not type_.is_scalar and not type_.is_optional  #: kept as a tuple
        self.replaces = type_.max == 1  #: differences are the new value
        self.read: Reader = _reader(type_)
        self.write: Writer | None = _writer(type_)
        self.default: Value = default_value(type_)
        self._checks = (checker(type_.key), checker(type_.value) if type_.value is not None else None)

    def __repr__(self) -> str:
        return f"CompiledColumn({self.name})"

    @property
    def type_text(self) -> str:
        """The type in English."""
        return type_text(self.type)

    def wire(self, value: Value) -> Any:
        """The value as JSON."""
        return value if self.write is None else self.write(value)

    def members(self, value: Value) -> Any:
        """The value as a tuple of atoms, or as a dict."""
        if self.is_map or self.is_set:
            return value
        return () if value is None else (value,)

    def from_members(self, members: Any) -> Value:
        """The kept form of sorted atoms, or of a dict; raises `Refused` if there are too few or too many."""
        if not self.type.min <= len(members) <= self.type.max:
            raise constraint_violation(f"Attempted to store {len(members)} elements in {self.type_text}.")
        if self.is_map:
            return dict(sorted(members.items()))
        if self.is_set:
            return tuple(members)
        return members[0] if members else None

    def check(self, value: Value) -> None:
        """Raise `Refused` for atoms outside the column's constraints."""
        key_check, value_check = self._checks
        members = self.members(value)
        if key_check is not None:
            for atom in members:
                key_check(atom)
        if value_check is not None:
            for atom in members.values():
                value_check(atom)

    def text(self, value: Value) -> str:
        """The value as messages show it."""
        return value_text(self.type, self.members(value))

    def difference(self, old: Value, new: Value) -> Value:
        """What turns `old` into `new`, in the form of `members`; for columns that `replaces`, just `new`."""
        if self.replaces:
            return new
        if self.is_map:
            return {key: old.get(key, new.get(key)) if key not in new else new[key] for key in _changed_keys(old, new)}
        return tuple(sorted(set(old) ^ set(new)))

    def write_difference(self, difference: Value) -> Any:
        """A difference as JSON."""
        return difference if self.write is None else self.write(difference)

    def apply_difference(self, old: Value, difference: Value) -> Value:
        """The value that `difference` makes of `old`."""
        if self.replaces:
            return difference
        if not self.is_map:
            return tuple(sorted(set(old) ^ set(difference)))
        new = dict(old)
        for key, value in difference.items():
            if key in new and new[key] == value:
                del new[key]
            else:
                new[key] = value
        return dict(sorted(new.items()))


def special_columns() -> dict[str, CompiledColumn]:
    """`_uuid` and `_version`, which every table has."""
    uuid = ColumnType(BaseType("uuid"))
    return {
        name: CompiledColumn(Column(name, uuid, mutable=False, ephemeral=True), place)
        for name, place in (("_uuid", UUID_AT), ("_version", VERSION_AT))
    }


def default_value(type_: ColumnType) -> Value:
    """What a column holds if an insertion does not say."""
    atom = DEFAULTS[type_.key.type]
    if type_.value is not None:
        return {atom: DEFAULTS[type_.value.type]} if type_.min else {}
    if type_.max == 1:
        return atom if type_.min else None
    return (atom,) if type_.min else ()


def operand_reader(column: CompiledColumn, *, unlimited: bool) -> Reader:
    """A reader for some of a column's members, down to none; `unlimited` lifts the upper bound as well.

    The result is in the form of `CompiledColumn.members`, whatever the column's own kept form is.
    """
    type_ = column.type
    high = UNLIMITED if unlimited else type_.max
    read = _reader(ColumnType(type_.key, type_.value, 0, high))
    return read if high > 1 or column.is_map else lambda json, names: column.members(read(json, names))


def keys_reader(column: CompiledColumn) -> Reader:
    """A reader for any number of a column's keys."""
    return _reader(ColumnType(column.type.key, None, 0, UNLIMITED))


def one_reader(column: CompiledColumn) -> Reader:
    """A reader for exactly one key of a column."""
    return _reader(ColumnType(column.type.key))


def difference_reader(column: CompiledColumn) -> Reader:
    """A reader for `CompiledColumn.difference`."""
    return column.read if column.replaces else operand_reader(column, unlimited=True)


def _changed_keys(old: dict[Any, Any], new: dict[Any, Any]) -> list[Any]:
    return sorted(key for key in old.keys() | new.keys() if key not in old or key not in new or old[key] != new[key])


# -- reading ---------------------------------------------------------------------------------------------------------


def _reader(type_: ColumnType) -> Reader:
    if type_.value is not None:
        return _map_reader(type_, reader(type_.key), reader(type_.value))
    if type_.max == 1:
        return _single_reader(type_, reader(type_.key))
    return _set_reader(type_, reader(type_.key))


def _single_reader(type_: ColumnType, atom: Reader) -> Reader:
    def read(json: Any, names: Names | None) -> Any:
        if json.__class__ is list and json and json[0] == "set":
            atoms = _set_members(type_, json)
            return atom(atoms[0], names) if atoms else None
        return atom(json, names)

    def read_string(json: Any, names: Names | None) -> Any:
        return json if json.__class__ is str else read(json, names)

    return read_string if type_.key.type == "string" and checker(type_.key) is None else read


def _set_reader(type_: ColumnType, atom: Reader) -> Reader:
    def read(json: Any, names: Names | None) -> tuple[Any, ...]:
        if json.__class__ is not list or not json or json[0] != "set":
            return (atom(json, names),)
        items = _set_members(type_, json)
        if len(items) < 2:
            return (atom(items[0], names),) if items else ()
        atoms = {atom(item, names) for item in items}
        if len(atoms) != len(items):
            raise Refused("ovsdb error", "set contains duplicate")
        return tuple(sorted(atoms))

    return read


def _map_reader(type_: ColumnType, key: Reader, value: Reader) -> Reader:
    def read(json: Any, names: Names | None) -> dict[Any, Any]:
        pairs = _map_pairs(type_, json)
        members = {}
        for pair in pairs:
            if pair.__class__ is not list or len(pair) != 2:
                raise syntax_error("expected 2-element array", pair)
            atom = key(pair[0], names)  # first, as errors are reported in the order of the text
            members[atom] = value(pair[1], names)
        if len(members) != len(pairs):
            raise Refused("ovsdb error", "map contains duplicate key")
        return dict(sorted(members.items())) if len(members) > 1 else members

    return read


def _set_members(type_: ColumnType, json: list[Any]) -> list[Any]:
    if len(json) != 2 or json[1].__class__ is not list:
        raise syntax_error('expected ["set", <array>]', json)
    members: list[Any] = json[1]
    if not type_.min <= len(members) <= type_.max:
        raise syntax_error(f"set must have {size_text(type_)} but {len(members)} are present", json)
    return members


def _map_pairs(type_: ColumnType, json: Any) -> list[Any]:
    if json.__class__ is not list or len(json) != 2 or json[0] != "map" or json[1].__class__ is not list:
        raise syntax_error('expected ["map", <array>]', json)
    pairs: list[Any] = json[1]
    if not type_.min <= len(pairs) <= type_.max:
        raise syntax_error(f"map must have {size_text(type_)} but {len(pairs)} are present", json)
    return pairs


# -- writing ---------------------------------------------------------------------------------------------------------


def _writer(type_: ColumnType) -> Writer | None:
    is_uuid = type_.key.type == "uuid"
    if type_.value is not None:
        return _map_writer(is_uuid, type_.value.type == "uuid")
    if type_.is_scalar:
        return _write_uuid if is_uuid else None
    if type_.max == 1:
        return _write_optional_uuid if is_uuid else _write_optional
    return _write_uuid_set if is_uuid else _write_set


def _write_uuid(value: Value) -> Any:
    return ("uuid", value)


def _write_optional(value: Value) -> Any:
    return ("set", ()) if value is None else value


def _write_optional_uuid(value: Value) -> Any:
    return ("set", ()) if value is None else ("uuid", value)


def _write_set(value: Sequence[Any]) -> Any:
    return value[0] if len(value) == 1 else ("set", value)


def _write_uuid_set(value: Sequence[Any]) -> Any:
    return ("uuid", value[0]) if len(value) == 1 else ("set", [("uuid", each) for each in value])


def _map_writer(uuid_keys: bool, uuid_values: bool) -> Writer:
    if not uuid_keys and not uuid_values:
        return lambda value: ("map", tuple(value.items()))

    def write(value: dict[Any, Any]) -> Any:
        pairs: Iterable[Any] = (
            (("uuid", key) if uuid_keys else key, ("uuid", each) if uuid_values else each)
            for key, each in value.items()
        )
        return ("map", tuple(pairs))

    return write
