"""Conditions of `find` and `wait-until`, and the `COLUMN[:KEY]=VALUE` arguments they share with `set` and `create`.

    name=sw0   priority>=1000   ports{>=}UUID   external_ids:owner!=me   type{in}router,switch

Plain operators compare whole values: fewer members are less, then members decide in order.  Operators in braces are
those of set theory.  A key that a map lacks fulfils no plain condition; in braces it is the empty set.
"""

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.records import column_name
from pyovn.cli.ctl.values import Reader, members, parse_atom, parse_atoms, parse_pairs
from pyovn.ovsdb.schema import UNLIMITED, ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, Schema

    Value = Any

    from pyovn.cli.ctl.values import Symbols

ASSIGN = ("=",)


def _order(pairs: "list[Any]") -> "Any":
    """What plain operators compare: the number of members, then the members."""
    return len(pairs), pairs


PLAIN: "dict[str, Callable[[Any, Any], bool]]" = {
    "=": lambda have, want: bool(have == want),
    "!=": lambda have, want: bool(have != want),
    "<": lambda have, want: bool(_order(have) < _order(want)),
    ">": lambda have, want: bool(_order(have) > _order(want)),
    "<=": lambda have, want: bool(_order(have) <= _order(want)),
    ">=": lambda have, want: bool(_order(have) >= _order(want)),
}
SETS: "dict[str, Callable[[set[Any], set[Any]], bool]]" = {
    "{=}": lambda have, want: have == want,
    "{!=}": lambda have, want: have != want,
    "{<}": lambda have, want: have < want,
    "{>}": lambda have, want: have > want,
    "{<=}": lambda have, want: have <= want,
    "{>=}": lambda have, want: have >= want,
    "{in}": lambda have, want: have <= want,
    "{not-in}": lambda have, want: not have & want,
}
OPERATORS = (*PLAIN, *SETS)
_LONGEST_FIRST = sorted(OPERATORS, key=len, reverse=True)


class Term:
    """`COLUMN[:KEY]` with perhaps an operator and a value, still as text."""

    __slots__ = ("column", "key", "operator", "text")

    def __init__(self, column: str, key: str | None, operator: str, text: str) -> None:
        self.column = column
        self.key = key
        self.operator = operator
        self.text = text


def column_and_key(schema: "Schema", table: str, argument: str) -> "tuple[Term, Reader]":
    """The column and key that `argument` begins with, and a reader of what follows."""
    reader = Reader(argument)
    name = reader.token()
    if not name:
        raise CtlError(f"{argument}: missing column name")
    column = column_name(schema, table, name, with_uuid=True)
    key = None
    if reader.text[reader.at : reader.at + 1] == ":":
        reader.at += 1
        key = reader.token()
    return Term(column, key, "", ""), reader


def term(schema: "Schema", table: str, argument: str, operators: "tuple[str, ...]" = OPERATORS) -> Term:
    """`COLUMN[:KEY] OPERATOR VALUE`; raises `CtlError`."""
    found, reader = column_and_key(schema, table, argument)
    if found.column == "_uuid":
        raise CtlError(f'{table} does not contain a column whose name matches "_uuid"')
    rest = reader.text[reader.at :]
    choices = _LONGEST_FIRST if operators is OPERATORS else operators
    found.operator = next((operator for operator in choices if rest.startswith(operator)), "")
    found.text = rest[len(found.operator) :]
    if not found.operator or not found.text:
        raise CtlError(f"{argument}: argument does not end in {_choice(operators)} followed by a value.")
    return found


def _choice(operators: "tuple[str, ...]") -> str:
    words = [f'"{operator}"' for operator in operators]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f", or {words[-1]}"


def holds(ctl: "Ctl", row: "Row", argument: str) -> bool:
    """True where `row` fulfils a condition."""
    wanted = term(ctl.view.schema, row.table.name, argument)
    type_ = row.table.schema.columns[wanted.column].type
    if wanted.key is None:
        have = _members(type_, row[wanted.column])
        return compare(wanted.operator, have, _parsed(type_, wanted.text, ctl.symbols.reference))
    if type_.value is None:
        raise CtlError(f"cannot specify key to check for non-map column {wanted.column}")
    key = parse_atom(type_.key, wanted.key, ctl.symbols.reference)
    values = ColumnType(type_.value, None, 0, UNLIMITED)
    want = parse_atoms(values, wanted.text, ctl.symbols.reference)
    pairs = row[wanted.column]
    if key not in pairs and wanted.operator in PLAIN:
        return False
    return compare(wanted.operator, [pairs[key]] if key in pairs else [], want)


def compare(operator: str, have: "list[Any]", want: "list[Any]") -> bool:
    """True where `have OPERATOR want`, for lists of members."""
    if operator in PLAIN:
        return PLAIN[operator](have, want)
    return SETS[operator](set(have), set(want))


def _members(type_: ColumnType, value: "Value") -> "list[Any]":
    return sorted(value.items()) if type_.is_map else members(type_, value)


def _parsed(type_: ColumnType, text: str, symbols: "Symbols") -> "list[Any]":
    if type_.is_map:
        return sorted(parse_pairs(type_, text, symbols))
    from pyovn.cli.ctl.values import check_count

    atoms = parse_atoms(type_, text, symbols)
    check_count(type_, len(atoms), text)
    return atoms
