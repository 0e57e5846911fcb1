"""Values of columns: wire JSON ↔ Python, for one value, and for whole rows by code made for each table.

    column        JSON                                     Python
    one value     atom                                     atom
    at most one   atom or ["set", []]                      atom or None
    set           atom or ["set", [atom, …]]               frozenset
    map           ["map", [[key, value], …]]               dict

`parse` and `build` work for any type and check everything.  `RowReader` is for what a server sends: it writes and
compiles one function per table, in which each column is a single expression, because a southbound database sends
100,000 rows at once.  It knows the server's schema, so columns that the server lacks take defaults and columns of
another shape (an older or newer schema) are converted the slow way.
"""

from pyovn.ovsdb.atoms import atom_json, parse_atom, read_atom, uuid_json
from pyovn.ovsdb.errors import ProtocolFault, ValueFault
from pyovn.ovsdb.model import columns, default_value, defaults, table_name
from pyovn.ovsdb.schema import UNLIMITED, ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from pyovn.net.uuids import Uuid
    from pyovn.ovsdb.atoms import Names
    from pyovn.ovsdb.model import Row
    from pyovn.ovsdb.schema import Table

    Json = Any
    Value = Any
    RowJson = Mapping[str, Any]


def parse(type: ColumnType, json: "Json", names: "Names | None" = None) -> "Value":
    """The value that JSON writes, all constraints checked; raises `ValueFault`."""
    if type.value is not None:
        return _parse_map(type, json, names)
    members = _members(json)
    if members is None:
        return _shaped(type, (parse_atom(type.key, json, names),))
    _check_size(type, len(members), "set", json)
    atoms = [parse_atom(type.key, member, names) for member in members]
    if len(set(atoms)) != len(atoms):
        raise ValueFault("ovsdb error", "set contains duplicate")
    return _shaped(type, atoms)


def _parse_map(type: ColumnType, json: "Json", names: "Names | None") -> "dict[Any, Any]":
    match json:
        case ["map", list(pairs)]:
            _check_size(type, len(pairs), "map", json)
        case _:
            raise ValueFault("syntax error", 'expected ["map", <array>]', json)
    value: dict[Any, Any] = {}
    for pair in pairs:
        if pair.__class__ is not list or len(pair) != 2:
            raise ValueFault("syntax error", "expected 2-element array", pair)
        key = parse_atom(type.key, pair[0], names)
        if key in value:
            raise ValueFault("ovsdb error", "map contains duplicate key")
        value[key] = parse_atom(type.value or type.key, pair[1], names)
    return value


def _members(json: "Json") -> "list[Any] | None":
    """The members of `["set", […]]`; None for a lone atom."""
    if json.__class__ is list and len(json) == 2 and json[0] == "set" and json[1].__class__ is list:
        members: list[Any] = json[1]
        return members
    return None


def _check_size(type: ColumnType, size: int, what: str, json: "Json") -> None:
    if type.min <= size <= type.max:
        return
    if type.min == type.max == 1:
        raise ValueFault("syntax error", f"{what} must have exactly one member but {size} are present", json)
    most = "" if type.max == UNLIMITED else f" to {type.max}"
    least = f"{type.min} or more" if type.max == UNLIMITED else f"{type.min}{most}"
    raise ValueFault("syntax error", f"{what} must have {least} members but {size} are present", json)


def _shaped(type: ColumnType, atoms: "Iterable[Any]") -> "Value":
    """The value of a column without map that consists of `atoms`, as far as its type has room."""
    if type.max > 1:
        return frozenset(atoms)
    for atom in atoms:
        return atom
    return default_value(type)


def build(type: ColumnType, value: "Value") -> "Json":
    """The JSON of a value; members of sets are in order, so that equal values are equal bytes."""
    return builder(type)(value)


def check(type: ColumnType, value: "Value") -> None:
    """Raises `ValueFault` where a value breaks the constraints of its column."""
    parse(type, build(type, value), None)


def builder(type: ColumnType) -> "Callable[[Value], Json]":
    """The function that gives the JSON of a column's values."""
    is_uuid = type.key.type == "uuid"
    if type.value is not None:
        return _map_builder(type)
    if type.is_scalar:
        return uuid_json if is_uuid else _same
    if type.is_optional:
        return _optional_uuid if is_uuid else _optional
    return _uuid_set if is_uuid else _set


def _same(value: "Value") -> "Json":
    return value


def _optional(value: "Value") -> "Json":
    return ["set", []] if value is None else value


def _optional_uuid(value: "Value") -> "Json":
    return ["set", []] if value is None else uuid_json(value)


def _set(value: "Value") -> "Json":
    return ["set", sorted(value)]


def _uuid_set(value: "Value") -> "Json":
    return ["set", [uuid_json(uuid) for uuid in sorted(value)]]


def _plain_map(value: "Value") -> "Json":
    return ["map", list(map(list, value.items()))]


def _map_builder(type: ColumnType) -> "Callable[[Value], Json]":
    key, value = type.key.type, (type.value or type.key).type
    if "uuid" not in (key, value):
        return _plain_map
    return lambda map_: ["map", [[atom_json(key, k), atom_json(value, v)] for k, v in map_.items()]]


def apply_difference(type: ColumnType, old: "Value", json: "Json") -> "Value":
    """`old` after the difference that `update2` and `update3` send (ovsdb-server(7) §4.1.14).

    Of a column with room for one value that is the new value; of a set, the members that come or go; of a map, the
    pairs that come, go (both halves equal) or change.
    """
    if type.max == 1 and type.value is None:
        return parse_loosely(type, json)
    loose = ColumnType(type.key, type.value, 0, UNLIMITED)
    difference = parse_loosely(loose, json)
    if type.value is None:
        return old ^ difference
    new = dict(old)
    for key, value in difference.items():
        if key in new and new[key] == value:
            del new[key]
        else:
            new[key] = value
    return new


def parse_loosely(type: ColumnType, json: "Json") -> "Value":
    """The value that a server's JSON writes, without constraints: those are the server's business."""
    if type.value is not None:
        value_type = type.value.type
        pairs = json[1] if json[0] == "map" else ()
        return {read_atom(type.key.type, k): read_atom(value_type, v) for k, v in pairs}
    members = _members(json)
    return _shaped(type, [read_atom(type.key.type, atom) for atom in ((json,) if members is None else members)])


def converted(json: "Json", given: ColumnType, wanted: ColumnType) -> "Value":
    """A value that a server with another schema sent, in our type; what has no sense there becomes the default."""
    if (given.value is None) != (wanted.value is None) or given.key.type != wanted.key.type:
        return default_value(wanted)
    if given.value is not None and wanted.value is not None and given.value.type != wanted.value.type:
        return default_value(wanted)
    return parse_loosely(wanted, json)


class RowReader:
    """Makes rows of one class from what a server with table `server` sends.

    `wanted` are the columns that are monitored; others keep their defaults.  After construction `read(uuid, json)`
    gives a row (absent columns take defaults) and `patch(row, json)` a row changed by a difference.
    """

    def __init__(self, cls: "type[Row]", server: "Table | None" = None, wanted: "Iterable[str] | None" = None) -> None:
        ours = columns(cls)
        theirs = {name: column.type for name, column in (ours if server is None else server.columns).items()}
        chosen = ours.keys() if wanted is None else set(wanted)
        self.cls = cls
        self.columns = tuple(name for name in ours if name in chosen and name in theirs)
        self._theirs = theirs
        self._places = {name: place for place, name in enumerate(ours, 1)}
        self.read: Callable[[Uuid, RowJson], Any] = self._compile()

    def patch(self, row: "Row", json: "RowJson") -> "Any":
        """`row` after the differences in `json`."""
        values = list(row)  # type: ignore[call-overload]
        ours = columns(self.cls)
        for name, difference in json.items():
            place = self._places.get(name)
            if place is None or name not in self.columns:
                continue
            theirs, type_ = self._theirs[name], ours[name].type
            if theirs.is_map == type_.is_map and (theirs.max > 1) == (type_.max > 1):
                values[place] = apply_difference(type_, values[place], difference)
            else:
                values[place] = self._patched_across(theirs, type_, values[place], difference)
        return tuple.__new__(self.cls, values)  # type: ignore[type-var]

    @staticmethod
    def _patched_across(theirs: ColumnType, ours: ColumnType, old: "Value", difference: "Json") -> "Value":
        """The new value of a column that is a set on one side and a single value on the other."""
        if theirs.is_map != ours.is_map:
            return old
        if theirs.max == 1:
            return converted(difference, theirs, ours)
        members = frozenset() if old is None else frozenset((old,))
        return _shaped(ours, sorted(apply_difference(ColumnType(ours.key, max=UNLIMITED), members, difference)))

    def _compile(self) -> "Callable[[Uuid, RowJson], Any]":
        """The function `read`, written out as one tuple with an expression per column."""
        ours = columns(self.cls)
        usual = defaults(self.cls)
        scope: dict[str, Any] = {"new": tuple.__new__, "cls": self.cls, "one": _one_uuid, "converted": converted}
        parts = ["uuid"]
        for place, (name, column) in enumerate(ours.items()):
            default = f"d{place}"
            scope[default] = usual[name]
            theirs = self._theirs.get(name)
            if name not in self.columns or theirs is None:
                parts.append(default)
            elif theirs.min == column.type.min and _shape(theirs) == _shape(column.type):
                parts.append(_expression(column.type, name, default))
            else:
                scope[f"t{place}"], scope[f"o{place}"] = theirs, column.type
                got = f"(v := get({name!r}))"
                parts.append(f"{default} if {got} is None else converted(v, t{place}, o{place})")
        source = "def read(uuid, row):\n get = row.get\n return new(cls, (" + ",\n  ".join(parts) + ",))\n"
        exec(compile(source, f"<rows of {table_name(self.cls)}>", "exec"), scope)
        return scope["read"]  # type: ignore[no-any-return]


def _shape(type: ColumnType) -> "tuple[str, str | None, bool]":
    return type.key.type, None if type.value is None else type.value.type, type.max > 1


def _expression(type: ColumnType, name: str, default: str) -> str:
    """Source text that reads column `name` of `row`, fast where the server writes values in its usual form."""
    get = f"(v := get({name!r}))"
    if type.value is not None:
        key, value = _atom_expression(type.key.type, "k"), _atom_expression(type.value.type, "w")
        pairs = "dict(v[1])" if (key, value) == ("k", "w") else f"{{{key}: {value} for k, w in v[1]}}"
        return f"{default} if {get} is None or not v[1] else {pairs}"
    atom = type.key.type
    if type.max > 1:
        member = _atom_expression(atom, "a")
        members = "frozenset(v[1])" if member == "a" else f"frozenset([{member} for a in v[1]])"
        one, is_set = _atom_expression(atom, "v"), "v[0] == 'set'" if atom == "uuid" else "v.__class__ is list"
        return f"{default} if {get} is None else {members} if {is_set} else frozenset(({one},))"
    if atom == "uuid":
        return f"{default} if {get} is None else v[1] if v[0] == 'uuid' else one(v, {default})"
    one = _atom_expression(atom, "v")
    return f"{default} if {get} is None else {one} if v.__class__ is not list else v[1][0] if v[1] else {default}"


def _atom_expression(type: str, variable: str) -> str:
    match type:
        case "uuid":
            return f"{variable}[1]"
        case "real":
            return f"float({variable})"
    return variable


def _one_uuid(json: "Json", default: "Uuid | None") -> "Uuid | None":
    """The UUID in a set of at most one."""
    if json[0] != "set":
        raise ProtocolFault(f"expected a UUID, not {json!r}")
    return json[1][0][1] if json[1] else default


class RowWriter:
    """Makes the JSON of the columns of one class's rows."""

    def __init__(self, cls: "type[Row]") -> None:
        self.cls = cls
        self._builders = {name: builder(column.type) for name, column in columns(cls).items()}

    def __call__(self, values: "Mapping[str, Value]") -> "dict[str, Json]":
        """The JSON of the columns given; raises `ValueFault` for a column that does not exist."""
        builders = self._builders
        try:
            return {name: builders[name](value) for name, value in values.items()}
        except KeyError as missing:
            raise ValueFault(
                "unknown column", f"No column {missing.args[0]} in table {table_name(self.cls)}."
            ) from None


def writer(cls: "type[Row]") -> RowWriter:
    """The writer of a class's rows, made once."""
    known: RowWriter | None = cls.__dict__.get("__writer__")
    if known is None:
        known = RowWriter(cls)
        cls.__writer__ = known  # type: ignore[attr-defined]
    return known
