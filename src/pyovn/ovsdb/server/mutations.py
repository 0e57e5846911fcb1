"""Mutations: `[column, mutator, value]` compiled into functions from old value to new (RFC 7047 §5.1).

+= -= *= /= %=     every number of the column           integers wrap never: out of 64 bits is an error
insert delete      members of sets, pairs of maps       a map's existing keys win over inserted ones
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from pyovn.ovsdb.schema import MAX_INTEGER, MIN_INTEGER, BaseType, Column, ColumnType
from pyovn.ovsdb.server.atoms import Names
from pyovn.ovsdb.server.columns import FIRST_AT, CompiledColumn, keys_reader, operand_reader
from pyovn.ovsdb.server.errors import Refused, constraint_violation, syntax_error
from pyovn.ovsdb.server.tables import TableStore

Mutation = tuple[CompiledColumn, Callable[[Any], Any]]

_FEW = 8  #: that many members are put into a long sorted tuple one by one


def read_mutation(table: TableStore, json: Any, names: Names | None) -> Mutation:
    """The column and the change that JSON writes; raises `Refused`."""
    if not isinstance(json, list) or len(json) != 3 or not all(isinstance(part, str) for part in json[:2]):
        raise syntax_error("Parse error in mutation.", json)
    column, mutator = table.column(json[0], json), json[1]
    if not column.mutable or column.place < FIRST_AT:
        raise constraint_violation(f"Cannot mutate immutable column {column.name} in table {table.name}.", json)
    if mutator not in _ARITHMETIC and mutator not in ("insert", "delete"):
        raise Refused("unknown mutator", f"No mutator named {mutator}.")
    if not _is_applicable(column, mutator):
        raise syntax_error(
            f'Type mismatch: "{mutator}" operator may not be applied to column {column.name} of type'
            f" {column.type_text}.",
            json,
        )
    if mutator == "insert":
        return column, _inserting(column, operand_reader(column, unlimited=False)(json[2], names))
    if mutator == "delete":
        return column, _deleting(column, *_deletion(column, json[2], names))
    return column, _calculating(column, mutator, _number(column, json[2], names))


def _is_applicable(column: CompiledColumn, mutator: str) -> bool:
    if mutator in ("insert", "delete"):
        return not column.type.is_scalar
    allowed = ("integer",) if mutator == "%=" else ("integer", "real")
    return not column.is_map and column.type.key.type in allowed


def _number(column: CompiledColumn, json: Any, names: Names | None) -> Any:
    """The operand of an arithmetic mutator, which the column's own bounds do not concern."""
    unbounded = Column(column.name, ColumnType(BaseType(column.type.key.type)))
    return CompiledColumn(unbounded, column.place).read(json, names)


# -- arithmetic ------------------------------------------------------------------------------------------------------


def _divided(left: Any, right: Any) -> Any:
    if right == 0:
        raise Refused("domain error", "Division by zero.")
    if isinstance(left, float):
        return left / right
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise Refused("domain error", "Division by zero.")
    if right == -1 and left == MIN_INTEGER:
        raise _out_of_range("%=")
    return left - right * _divided(left, right)  # type: ignore[no-any-return]


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+=": lambda left, right: left + right,
    "-=": lambda left, right: left - right,
    "*=": lambda left, right: left * right,
    "/=": _divided,
    "%=": _remainder,
}


def _calculating(column: CompiledColumn, mutator: str, operand: Any) -> Callable[[Any], Any]:
    calculate = _ARITHMETIC[mutator]
    is_real = column.type.key.type == "real"

    def mutate(value: Any) -> Any:
        results = [calculate(atom, operand) for atom in column.members(value)]
        for result in results:
            if not (math.isfinite(result) if is_real else MIN_INTEGER <= result <= MAX_INTEGER):
                raise _out_of_range(mutator)
        if len(set(results)) != len(results):
            raise constraint_violation(f'Result of "{mutator}" operation contains duplicates.')
        mutated = column.from_members(tuple(sorted(results)))
        column.check(mutated)
        return mutated

    return mutate


def _out_of_range(mutator: str) -> Refused:
    return Refused("range error", f'Result of "{mutator}" operation is out of range.')


# -- sets and maps ---------------------------------------------------------------------------------------------------


def _deletion(column: CompiledColumn, json: Any, names: Names | None) -> tuple[Any, bool]:
    """What to delete, and whether it is whole pairs of a map."""
    if not column.is_map:
        return operand_reader(column, unlimited=True)(json, names), False
    try:
        return operand_reader(column, unlimited=True)(json, names), True
    except Refused:
        return keys_reader(column)(json, names), False


def _inserting(column: CompiledColumn, operand: Any) -> Callable[[Any], Any]:
    if column.is_map:
        return lambda value: column.from_members({**operand, **value})
    return lambda value: column.from_members(_union(column.members(value), operand))


def _deleting(column: CompiledColumn, operand: Any, pairs: bool) -> Callable[[Any], Any]:
    if not column.is_map:
        return lambda value: column.from_members(_minus(column.members(value), operand))
    if pairs:
        nothing = object()
        return lambda value: column.from_members(
            {key: each for key, each in value.items() if operand.get(key, nothing) != each}
        )
    keys = frozenset(operand)
    return lambda value: column.from_members({key: each for key, each in value.items() if key not in keys})


def _union(members: tuple[Any, ...], more: tuple[Any, ...]) -> tuple[Any, ...]:
    """Both sorted tuples in one; a port joining a switch of thousands must not cost a sort of them all."""
    if len(more) > _FEW:
        return tuple(sorted({*members, *more}))
    for atom in more:
        place = bisect_left(members, atom)
        if place == len(members) or members[place] != atom:
            members = (*members[:place], atom, *members[place:])
    return members


def _minus(members: tuple[Any, ...], less: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(less) > _FEW:
        gone = frozenset(less)
        return tuple(atom for atom in members if atom not in gone)
    for atom in less:
        place = bisect_left(members, atom)
        if place < len(members) and members[place] == atom:
            members = members[:place] + members[place + 1 :]
    return members
