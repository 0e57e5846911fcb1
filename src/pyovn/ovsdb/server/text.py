"""Values as error messages show them: JSON in canonical form, atoms and types in ovsdb-server's own notation."""

import re
from collections.abc import Iterable
from typing import Any

import orjson

from pyovn.ovsdb.schema import UNLIMITED, BaseType, ColumnType

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_PLURALS = {"integer": "integers", "real": "reals", "boolean": "booleans", "string": "strings", "uuid": "uuids"}


def number_text(number: float) -> str:
    """A number with up to 15 significant digits, whole numbers without a point."""
    return str(number) if isinstance(number, int) and -(2**63) <= number < 2**63 else f"{number:.15g}"


def json_text(json: Any) -> str:
    """Compact JSON with sorted members and numbers as `number_text` writes them."""
    if isinstance(json, dict):
        return "{" + ",".join(f"{json_text(name)}:{json_text(json[name])}" for name in sorted(json)) + "}"
    if isinstance(json, list | tuple):
        return "[" + ",".join(map(json_text, json)) + "]"
    if isinstance(json, int | float) and not isinstance(json, bool):
        return number_text(json)
    return orjson.dumps(json).decode()


def atom_text(atom: Any) -> str:
    """One atom; a string is quoted unless it is a plain word."""
    if isinstance(atom, bool):
        return "true" if atom else "false"
    if isinstance(atom, str):
        plain = _WORD.match(atom) and atom not in ("true", "false")
        return atom if plain or _looks_like_uuid(atom) else json_text(atom)
    return number_text(atom)


def value_text(type_: ColumnType, members: Any) -> str:
    """A column's value, given as the members of a set or as a dict."""
    if type_.value is not None:
        return "{" + ", ".join(f"{atom_text(key)}={atom_text(value)}" for key, value in members.items()) + "}"
    atoms = [atom_text(atom) for atom in members]
    return atoms[0] if len(atoms) == 1 else "[" + ", ".join(atoms) + "]"


def type_text(type_: ColumnType) -> str:
    """A column's type in English, as in "set of up to 3 integers"."""
    if type_.value is None and type_.min == type_.max == 1:
        return type_.key.type
    if type_.value is not None:
        return f"map of {_amount(type_)}({type_.key.type}, {type_.value.type}) pairs"
    return f"set of {_amount(type_)}{_PLURALS[type_.key.type]}"


def size_text(type_: ColumnType) -> str:
    """How many members a value must have, as in "exactly one member"."""
    return "exactly one member" if type_.min == type_.max else f"{type_.min} to {type_.max} members"


def range_fault(base: BaseType, number: float) -> str:
    """Why `number` is outside the range of `base`."""
    shown = number_text(number)
    if base.low is not None and base.high is not None:
        return f"{shown} is not in the valid range {number_text(base.low)} to {number_text(base.high)} (inclusive)"
    if base.low is not None:
        return f"{shown} is less than minimum allowed value {number_text(base.low)}"
    return f"{shown} is greater than maximum allowed value {number_text(base.high or 0)}"


def length_fault(base: BaseType, string: str) -> str:
    """Why `string` is too short or too long for `base`."""
    if base.low is not None and len(string) < base.low:
        return f'"{string}" length {len(string)} is less than minimum allowed length {base.low}'
    return f'"{string}" length {len(string)} is greater than maximum allowed length {base.high}'


def enum_fault(base: BaseType, atom: Any) -> str:
    """Why `atom` is none of the values of `base`."""
    allowed = ", ".join(atom_text(each) for each in base.enum or ())
    return f"{atom_text(atom)} is not one of the allowed values ([{allowed}])"


def and_list(items: Iterable[str]) -> str:
    """Items joined as English joins them: "a", "a and b", "a, b, and c"."""
    words = list(items)
    if len(words) < 3:
        return " and ".join(words)
    return ", ".join(words[:-1]) + ", and " + words[-1]


def _amount(type_: ColumnType) -> str:
    """ "up to 3 ", "1 to 3 ", "1 or more " or nothing."""
    if type_.max == UNLIMITED:
        return "1 or more " if type_.min else ""
    return f"{type_.min} to {type_.max} " if type_.min else f"up to {type_.max} "


def _looks_like_uuid(text: str) -> bool:
    return len(text) == 36 and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
