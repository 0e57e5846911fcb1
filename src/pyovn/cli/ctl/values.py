"""Column values: as JSON on the wire, as Python values in commands, as text for people.

column type          Python value               text
exactly one          "a"                        a   "a b"   5   true   36-character UUID
optional             "a" or None                a   []
set                  ["a", "b"] sorted          [a, b]
map                  {"k": "v"} sorted          {k=v}
"""

import json

from pyovn.cli.ctl.errors import CtlError
from pyovn.net.uuids import ZERO, is_uuid
from pyovn.ovsdb.schema import UNLIMITED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyovn.ovsdb.schema import BaseType, ColumnType

    Atom = Any
    Value = Any
    Json = Any
    Symbols = Callable[[str], str]  #: the UUID that stands for a name such as `@a`

DELIMITERS = frozenset(":=, []{}!<>")
WORD_START = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
WORD = WORD_START | frozenset("0123456789.-")
BLANKS = " \t\n\v\f\r"  #: what C's isspace() takes for a blank
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
LONGEST_RANGE = 4096
LARGEST = 2**63
_ZERO: "dict[str, Atom]" = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": ZERO}


# JSON and Python


def from_json(type_: "ColumnType", wire: "Json") -> "Value":
    """The Python value of a column that arrived as JSON."""
    if not isinstance(wire, list):  # a single atom, the most frequent by far
        return wire if type_.max == 1 else [wire]
    if type_.value is not None:
        pairs = wire[1]
        if type_.key.type == "uuid":
            pairs = [(key[1], value) for key, value in pairs]
        if type_.value.type == "uuid":
            pairs = [(key, value[1]) for key, value in pairs]
        return dict(sorted(pairs))
    atoms = wire[1] if wire[0] == "set" else [wire]
    if type_.key.type == "uuid":
        atoms = [atom[1] for atom in atoms]
    if type_.max == 1:
        return atoms[0] if atoms else None
    return sorted(atoms)


def to_json(type_: "ColumnType", value: "Value", reference: "Callable[[str], Json]") -> "Json":
    """The JSON of a Python value; `reference` writes UUIDs."""
    if type_.value is not None:
        key, item = type_.key.type == "uuid", type_.value.type == "uuid"
        return ["map", [[reference(k) if key else k, reference(v) if item else v] for k, v in value.items()]]
    atoms = members(type_, value)
    if type_.key.type == "uuid":
        atoms = [reference(atom) for atom in atoms]
    return atoms[0] if len(atoms) == 1 else ["set", atoms]


def plain_uuid(uuid: str) -> "Json":
    """A UUID that the database knows already, as JSON."""
    return ["uuid", uuid]


def default(type_: "ColumnType") -> "Value":
    """What a column holds in a new row that does not set it."""
    if type_.value is not None:
        return {}
    if type_.min == 0:
        return None if type_.max == 1 else []
    atom = _ZERO[type_.key.type]
    return atom if type_.max == 1 else [atom]


def members(type_: "ColumnType", value: "Value") -> "list[Atom]":
    """The members of a set, however many its type allows; of a map, its keys."""
    if type_.value is not None or type_.max > 1:
        return list(value)
    return [] if value is None else [value]


def gathered(type_: "ColumnType", atoms: "list[Atom]") -> "Value":
    """The Python value of a set with these members: the inverse of `members`."""
    if type_.max > 1:
        return atoms
    return atoms[0] if atoms else None


# text


def atom_text(base: "BaseType | str", atom: "Atom") -> str:
    """One atom as `list` and `get` print it: strings that could be taken for something else stand in quotes."""
    kind = base if isinstance(base, str) else base.type
    if kind == "string":
        return atom if is_word(atom) else quoted(atom)
    if kind == "boolean":
        return "true" if atom else "false"
    if kind == "real":
        return f"{atom:.15g}"
    return str(atom)


def is_word(text: str) -> bool:
    """True for strings that are printed bare."""
    return (
        bool(text)
        and text[0] in WORD_START
        and WORD.issuperset(text)
        and text not in ("true", "false")
        and not is_uuid(text)
    )


def quoted(text: str) -> str:
    """A JSON string."""
    return json.dumps(text, ensure_ascii=False)


def value_text(type_: "ColumnType", value: "Value") -> str:
    """A column's value as `list` and `get` print it."""
    if type_.value is not None:
        key, item = type_.key, type_.value
        return "{" + ", ".join(f"{atom_text(key, k)}={atom_text(item, v)}" for k, v in value.items()) + "}"
    if type_.max == 1:
        return "[]" if value is None else atom_text(type_.key, value)
    return "[" + ", ".join([atom_text(type_.key, atom) for atom in value]) + "]"


def bare_atom(base: "BaseType", atom: "Atom") -> str:
    """One atom without quotes."""
    return str(atom) if base.type == "string" else atom_text(base, atom)


def bare_text(type_: "ColumnType", value: "Value") -> str:
    """A column's value without brackets and quotes, for scripts."""
    if type_.value is not None:
        return " ".join(f"{bare_atom(type_.key, k)}={bare_atom(type_.value, v)}" for k, v in value.items())
    return " ".join(bare_atom(type_.key, atom) for atom in members(type_, value))


# parsing


def english(type_: "ColumnType") -> str:
    """What a column holds, in words."""
    if type_.is_scalar:
        return type_.key.type
    least = f"{type_.min} or more " if type_.min and type_.max == UNLIMITED else ""
    most = f"up to {type_.max} " if type_.max < UNLIMITED else ""
    if type_.min and most:
        least, most = f"{type_.min} to {type_.max} ", ""
    if type_.value is not None:
        return f"map of {least}{most}({type_.key.type}, {type_.value.type}) pairs"
    return f"set of {least}{most}{type_.key.type}s"


class Reader:
    """Takes a command-line value apart, token by token."""

    __slots__ = ("at", "text", "what")

    def __init__(self, text: str, what: str = "") -> None:
        self.text = text
        self.at = 0
        self.what = what

    def peek(self) -> str:
        """The next character, spaces skipped; empty at the end."""
        while self.at < len(self.text) and self.text[self.at] in BLANKS:
            self.at += 1
        return self.text[self.at : self.at + 1]

    def token(self) -> str:
        """Everything up to the next delimiter; those in quotes or behind a backslash do not count."""
        start, quoting = self.at, False
        word = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "\\":
                self.at += 1
                if self.at == len(self.text):
                    raise CtlError(f"{self.text[start:]}: backslash at end of argument")
                character = ("\\" if quoting else "") + self.text[self.at]
            elif character == '"':
                quoting = not quoting
            elif character in DELIMITERS and not quoting:
                break
            word.append(character)
            self.at += 1
        if quoting:
            raise CtlError(f"{self.text[start:]}: quoted string extends past end of argument")
        return "".join(word)

    def atom_token(self) -> str:
        """The token of one atom; raises where a delimiter stands instead."""
        character = self.peek()
        start = self.at
        word = self.token()
        if self.at == start and character:
            raise CtlError(f'{self.text}: unexpected "{character}" parsing {self.what}')
        return word

    def take(self, character: str) -> bool:
        """Step over `character` if it comes next."""
        if self.peek() != character:
            return False
        self.at += 1
        return True

    def items(self, opening: str, closing: str) -> "Callable[[], bool]":
        """A test whether another item follows in a list that may be bracketed; it also steps over separators."""
        bracketed = self.take(opening)
        if not bracketed and not self.peek():
            kind = "map" if opening == "{" else "set"
            raise CtlError(f'use "{opening}{closing}" to specify the empty {kind}')

        def more() -> bool:
            character = self.peek()
            if bracketed and character == closing:
                self.at += 1
                if self.peek():
                    raise CtlError(f'{self.text}: trailing garbage after "{closing}"')
                return False
            if not character and bracketed:
                raise CtlError(f'{self.text}: missing "{closing}" at end of data')
            return bool(character)

        return more


def parse(type_: "ColumnType", text: str, symbols: "Symbols") -> "Value":
    """The value that `text` writes; raises `CtlError`."""
    if type_.value is not None:
        pairs = parse_pairs(type_, text, symbols)
        check_count(type_, len(pairs), text)
        return dict(sorted(pairs))
    atoms = parse_atoms(type_, text, symbols)
    check_count(type_, len(atoms), text)
    return gathered(type_, atoms)


def check_count(type_: "ColumnType", count: int, text: str) -> None:
    """Raise unless a column of this type may hold `count` members."""
    what = "pair(s)" if type_.is_map else "value(s)"
    if count > type_.max:
        raise CtlError(f"{text}: {count} {what} specified but the maximum number is {type_.max}")
    if count < type_.min:
        raise CtlError(f"{text}: {count} {what} specified but the minimum number is {type_.min}")


def parse_atoms(type_: "ColumnType", text: str, symbols: "Symbols") -> "list[Atom]":
    """The sorted members of a set, of whatever number."""
    reader = Reader(text, english(type_))
    atoms: list[Atom] = []
    more = reader.items("[", "]")
    while more():
        word = reader.atom_token()
        atoms.extend(
            parse_range(type_.key, word) if type_.key.type == "integer" else [parse_atom(type_.key, word, symbols)]
        )
        reader.take(",")
    if len(set(atoms)) != len(atoms) <= type_.max:  # of too many, the number is complained of
        raise CtlError(f"{text}: set contains duplicate value")
    return sorted(atoms)


def parse_pairs(type_: "ColumnType", text: str, symbols: "Symbols") -> "list[tuple[Atom, Atom]]":
    """The pairs of a map."""
    reader = Reader(text, english(type_))
    pairs: list[tuple[Atom, Atom]] = []
    more = reader.items("{", "}")
    while more():
        pairs.append(_pair(reader, type_, symbols))
        reader.take(",")
    if len({key for key, _ in pairs}) != len(pairs):
        raise CtlError(f"{text}: map contains duplicate key")
    return pairs


def _pair(reader: Reader, type_: "ColumnType", symbols: "Symbols") -> "tuple[Atom, Atom]":
    assert type_.value is not None
    start = reader.at
    key = parse_atom(type_.key, reader.atom_token(), symbols)
    if not reader.take("="):
        where = reader.peek()
        raise CtlError(f'{reader.text[start:]}: syntax error at "' + (f'{where}" expecting "="' if where else ""))
    reader.peek()
    return key, parse_atom(type_.value, reader.token(), symbols)


def parse_range(base: "BaseType", word: str) -> list[int]:
    """The integers of `5` or `3-7`."""
    first, dash, last = word[1:].partition("-")
    ends = [word[:1] + first, last] if dash else [word]
    try:
        low, high = (_integer(end) for end in (ends[0], ends[-1]))
    except ValueError:
        parse_atom(base, word, _no_symbols)
        raise CtlError(f'"{word}" is not a valid integer or range') from None
    if high < low:
        raise CtlError(f'"{word}" is not a valid range. Range end cannot be before start.')
    for number in (low, high):
        check_atom(base, number)
    if high - low >= LONGEST_RANGE:
        raise CtlError(f'"{word}" is not a valid range. Range cannot contain more than {LONGEST_RANGE} values.')
    return list(range(low, high + 1))


def parse_atom(base: "BaseType", text: str, symbols: "Symbols") -> "Atom":
    """One atom; raises `CtlError` for text that is none, or that the type forbids."""
    if not text:
        raise CtlError('An empty string is not valid as input; use "" to represent the empty string')
    atom = _PARSERS[base.type](text, symbols)
    check_atom(base, atom)
    return atom


def _no_symbols(name: str) -> str:
    raise CtlError(f'"{name}" is not a valid UUID')


def _integer(text: str) -> int:
    """The number that all of `text` is; blanks may come before it, as before C's numbers.  Raises ValueError."""
    text = text.lstrip(BLANKS)
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits.isascii() or not digits.isdecimal() or not -LARGEST <= int(text) < LARGEST:
        raise ValueError(text)
    return int(text)


def _parse_integer(text: str, symbols: "Symbols") -> int:
    try:
        return _integer(text)
    except ValueError:
        raise CtlError(f'"{text}" is not a valid integer or range') from None


def _parse_real(text: str, symbols: "Symbols") -> float:
    try:
        return float(text)
    except ValueError:
        raise CtlError(f'"{text}" is not a valid real number') from None


def _parse_boolean(text: str, symbols: "Symbols") -> bool:
    try:
        return BOOLEANS[text]
    except KeyError:
        raise CtlError(f'"{text}" is not a valid boolean (use "true" or "false")') from None


def _parse_string(text: str, symbols: "Symbols") -> str:
    return unquoted(text) if text.startswith('"') else text


def _parse_uuid(text: str, symbols: "Symbols") -> str:
    if text.startswith("@"):
        return symbols(text)
    if not is_uuid(text.lower()):
        raise CtlError(f'"{text}" is not a valid UUID')
    return text.lower()


_PARSERS = {
    "integer": _parse_integer,
    "real": _parse_real,
    "boolean": _parse_boolean,
    "string": _parse_string,
    "uuid": _parse_uuid,
}


def unquoted(text: str) -> str:
    """The string that a quoted string writes; raises `CtlError`."""
    if len(text) < 2 or not text.endswith('"'):
        raise CtlError(f"{text}: missing quote at end of quoted string")
    try:
        string = json.loads(text, strict=False)
        string.encode()
    except ValueError:
        raise CtlError(f"{text}: {_escape_fault(text[1:-1])}") from None
    if not isinstance(string, str):
        raise CtlError(f"{text}: missing quote at end of quoted string")
    if "\0" in string:
        raise CtlError(f"{text}: null bytes not supported in quoted strings")
    return string


def _escape_fault(inside: str) -> str:
    """What is wrong with the first bad escape in a quoted string."""
    for escape in inside.replace("\\\\", "").split("\\")[1:]:
        kind, digits = escape[:1], escape[1:5]
        if kind not in '"/bfnrtu':
            return f"bad escape \\{kind}"
        if kind == "u" and len(digits) < 4:
            return "quoted string ends within \\u escape"
        if kind == "u" and not set(digits) <= set("0123456789abcdefABCDEF"):
            return "malformed \\u escape"
    return "malformed escaped surrogate pair"


def check_atom(base: "BaseType", atom: "Atom") -> None:
    """Raise for an atom that the column's constraints forbid; the length of strings is for the server to check."""
    shown = atom_text(base, atom)
    if base.enum is not None:
        if atom not in base.enum:
            allowed = ", ".join(atom_text(base, choice) for choice in base.enum)
            raise CtlError(f"constraint violation: {shown} is not one of the allowed values ([{allowed}])")
    elif base.type != "string":
        _check_bounds(base, atom, shown)


def _check_bounds(base: "BaseType", atom: "Atom", shown: str) -> None:
    if base.low is not None and base.high is not None:
        if base.low <= atom <= base.high:
            return
        text = f"{shown} is not in the valid range {base.low} to {base.high} (inclusive)"
    elif base.low is not None and atom < base.low:
        text = f"{shown} is less than minimum allowed value {base.low}"
    elif base.high is not None and atom > base.high:
        text = f"{shown} is greater than maximum allowed value {base.high}"
    else:
        return
    raise CtlError(f"constraint violation: {text}")
