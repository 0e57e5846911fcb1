"""Readers for single atoms, made to measure for each `<base-type>`.

    reader(base)(json, names) → atom                      raises `Refused`
    checker(base)(atom)       → atom                      raises `Refused`; None where anything goes

Atoms are what Python has for them: int, float, bool, str, and a UUID's text.  A reader is called once for every atom
that clients send, so each is a closure with the constraints already looked up.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pyovn.net.uuids import ZERO, Uuid
from pyovn.ovsdb.schema import MAX_INTEGER, MIN_INTEGER, BaseType
from pyovn.ovsdb.server.errors import Refused, constraint_violation, syntax_error
from pyovn.ovsdb.server.text import enum_fault, length_fault, range_fault

Atom = int | float | bool | str
Reader = Callable[[Any, "Names | None"], Any]
Checker = Callable[[Any], Any]

DEFAULTS: dict[str, Atom] = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": ZERO}

_is_uuid = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}").fullmatch
is_identifier = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch


class Names:
    """The `uuid-name`s of one transaction; a name may be used before the insertion that it stands for."""

    __slots__ = ("_uuids", "claimed", "known")

    def __init__(self, uuids: Iterator[Uuid]) -> None:
        self._uuids = uuids
        self.known: dict[str, Uuid] = {}
        self.claimed: set[str] = set()

    def resolve(self, name: str) -> Uuid:
        """The UUID that `name` stands for throughout this transaction."""
        if name not in self.known:
            self.known[name] = next(self._uuids)
        return self.known[name]

    def claim(self, name: str, uuid: Uuid | None) -> Uuid:
        """The UUID for the row that is inserted under `name`: `uuid` if the client chose one."""
        if name in self.claimed:
            raise Refused("duplicate uuid-name", 'This "uuid-name" appeared on an earlier "insert" operation.', name)
        self.claimed.add(name)
        if uuid is not None:
            self.known[name] = uuid
        return self.resolve(name)


def uuid_or_none(text: str) -> Uuid | None:
    """The canonical form of a UUID's text in either case."""
    return Uuid(text.lower()) if _is_uuid(text) else None


def reader(base: BaseType) -> Reader:
    """The function that reads one atom of `base` from JSON."""
    plain = _PLAIN[base.type]
    check = checker(base)
    if check is None:
        return plain
    if base.type == "string" and base.enum is not None:
        return _enum_reader(base, plain, check)

    def read(json: Any, names: Names | None) -> Any:
        return check(plain(json, names))

    return read


def checker(base: BaseType) -> Checker | None:
    """The function that holds an atom against the constraints of `base`."""
    if base.enum is not None:
        return _enum_checker(base)
    if base.type == "string" and (base.low is not None or base.high is not None):
        return _bounds_checker(base, len, length_fault)
    if base.low is not None or base.high is not None:
        return _bounds_checker(base, lambda number: number, range_fault)
    return None


def _enum_reader(base: BaseType, plain: Reader, check: Checker) -> Reader:
    interned = {atom: atom for atom in base.enum or ()}  # equal values of all rows are one object

    def read(json: Any, names: Names | None) -> Any:
        if json.__class__ is str and json in interned:
            return interned[json]
        return check(plain(json, names))

    return read


def _enum_checker(base: BaseType) -> Checker:
    allowed = frozenset(base.enum or ())

    def check(atom: Any) -> Any:
        if atom not in allowed:
            raise constraint_violation(enum_fault(base, atom))
        return atom

    return check


def _bounds_checker(base: BaseType, measure: Callable[[Any], Any], fault: Callable[[BaseType, Any], str]) -> Checker:
    low = float("-inf") if base.low is None else base.low
    high = float("inf") if base.high is None else base.high

    def check(atom: Any) -> Any:
        if not low <= measure(atom) <= high:
            raise constraint_violation(fault(base, atom))
        return atom

    return check


def _read_string(json: Any, _names: Names | None) -> str:
    if json.__class__ is not str:
        raise syntax_error("expected string", json)
    return json


def _read_integer(json: Any, _names: Names | None) -> int:
    if json.__class__ is float and json.is_integer():
        json = int(json)
    if json.__class__ is not int or not MIN_INTEGER <= json <= MAX_INTEGER:
        raise syntax_error("expected integer", json)
    return json


def _read_real(json: Any, _names: Names | None) -> float:
    if json.__class__ is not float and json.__class__ is not int:
        raise syntax_error("expected real", json)
    return float(json)


def _read_boolean(json: Any, _names: Names | None) -> bool:
    if json.__class__ is not bool:
        raise syntax_error("expected boolean", json)
    return json


def _read_uuid(json: Any, names: Names | None) -> Uuid:
    if json.__class__ is list and len(json) == 2 and json[1].__class__ is str:
        kind, text = json
        if kind == "uuid":
            if _is_uuid(text):
                return text.lower()  # type: ignore[no-any-return]
            raise syntax_error(f'"{text}" is not a valid UUID', json)
        if kind == "named-uuid" and names is not None:
            if not is_identifier(text):
                raise syntax_error("named-uuid string is not a valid <id>", json)
            return names.resolve(text)
    raise syntax_error('expected ["uuid", <string>]', json)


_PLAIN: dict[str, Reader] = {
    "string": _read_string,
    "integer": _read_integer,
    "real": _read_real,
    "boolean": _read_boolean,
    "uuid": _read_uuid,
}
