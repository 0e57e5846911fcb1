"""Atoms, the single values that columns are made of: JSON ↔ Python, constraints, text (RFC 7047 §5.1).

    type      JSON                                Python
    integer   1                                   int
    real      1.5 (or 1)                          float
    boolean   true                                bool
    string    "a"                                 str
    uuid      ["uuid", "…"] ["named-uuid", "x"]   Uuid (a str); a name stays one until it is resolved

Texts of errors are the C server's, because its users and tests know them.
"""

from pyovn.net.uuids import Uuid, is_uuid
from pyovn.ovsdb.errors import ValueFault
from pyovn.ovsdb.schema import MAX_INTEGER, MIN_INTEGER, BaseType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Atom = int | float | bool | str
    Json = Any
    Names = Callable[[str], Uuid]

_BARE_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_BARE = _BARE_FIRST | frozenset("0123456789-.")


def parse_atom(base: BaseType, json: "Json", names: "Names | None" = None) -> "Atom":
    """The atom that JSON writes, constraints checked; `names` resolves named UUIDs.  Raises `ValueFault`."""
    atom = read_atom(base.type, json, names)
    check_atom(base, atom)
    return atom


def read_atom(type: str, json: "Json", names: "Names | None" = None) -> "Atom":
    """The atom that JSON writes, constraints not looked at.  Raises `ValueFault`."""
    kind = json.__class__
    match type:
        case "string" if kind is str:
            return json  # type: ignore[no-any-return]
        case "integer" if kind is int and MIN_INTEGER <= json <= MAX_INTEGER:
            return json  # type: ignore[no-any-return]
        case "integer" if kind is float and json.is_integer() and abs(json) < 2.0**63:
            return int(json)
        case "boolean" if kind is bool:
            return json  # type: ignore[no-any-return]
        case "real" if kind is float or kind is int:
            return float(json)
        case "uuid":
            return _uuid(json, names)
    raise ValueFault("syntax error", f"expected {type}", json)


def _uuid(json: "Json", names: "Names | None") -> Uuid:
    match json:
        case ["uuid", str(text)]:
            lower = text.lower()
            if is_uuid(lower):
                return Uuid(lower)
            raise ValueFault("syntax error", f'"{text}" is not a valid UUID', json)
        case ["named-uuid", str(name)]:
            return Uuid(name) if names is None else names(name)
    raise ValueFault("syntax error", 'expected ["uuid", <string>]', json)


def atom_json(type: str, atom: "Atom") -> "Json":
    """The JSON of an atom."""
    if type != "uuid":
        return atom
    return uuid_json(Uuid(atom))


def uuid_json(uuid: str) -> "Json":
    """The JSON of a UUID, or of the name that stands for one within a transaction."""
    return ["uuid", uuid] if len(uuid) == 36 else ["named-uuid", uuid]


def check_atom(base: BaseType, atom: "Atom") -> None:
    """Raises `ValueFault` for an atom that breaks a constraint of its type."""
    if base.enum is not None:
        if atom not in base.enum:
            allowed = ", ".join(atom_text(each) for each in base.enum)
            _violation(f"{shown(atom)} is not one of the allowed values ([{allowed}])")
    elif base.low is not None or base.high is not None:
        if isinstance(atom, str):
            _check_length(base, atom)
        else:
            _check_range(base, atom)


def _check_length(base: BaseType, atom: str) -> None:
    length = len(atom)
    if base.low is not None and length < base.low:
        _violation(f"{shown(atom)} length {length} is less than minimum allowed length {base.low}")
    if base.high is not None and length > base.high:
        _violation(f"{shown(atom)} length {length} is greater than maximum allowed length {base.high}")


def _check_range(base: BaseType, atom: float) -> None:
    low, high = base.low, base.high
    if (low is None or atom >= low) and (high is None or atom <= high):
        return
    if high is None:
        _violation(f"{shown(atom)} is less than minimum allowed value {low}")
    elif low is None:
        _violation(f"{shown(atom)} is greater than maximum allowed value {high}")
    else:
        _violation(f"{shown(atom)} is not in the valid range {low} to {high} (inclusive)")


def _violation(details: str) -> None:
    raise ValueFault("constraint violation", details)


def atom_text(atom: "Atom") -> str:
    """An atom in OVSDB's text notation: strings that look like a word are written without quotes."""
    if isinstance(atom, bool):
        return "true" if atom else "false"
    if isinstance(atom, str):
        return atom if is_bare(atom) else quoted(atom)
    return _number_text(atom)


def shown(atom: "Atom") -> str:
    """An atom as error texts show it: strings always in quotes."""
    return quoted(atom) if isinstance(atom, str) else atom_text(atom)


def _number_text(number: float) -> str:
    return f"{number:.15g}" if isinstance(number, float) else str(number)


def is_bare(text: str) -> bool:
    """True for strings that text notation can write without quotes."""
    return (
        bool(text)
        and text[0] in _BARE_FIRST
        and _BARE.issuperset(text)
        and text not in ("true", "false")
        and not is_uuid(text)
    )


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES |= {chr(code): f"\\u{code:04x}" for code in range(32) if chr(code) not in _ESCAPES}
_ESCAPE_TABLE = str.maketrans(_ESCAPES)


def quoted(text: str) -> str:
    """A string in quotes, with JSON's escapes where they are needed."""
    return f'"{text.translate(_ESCAPE_TABLE)}"'
