"""Conditions on rows: `[column, function, value]` compiled into predicates (RFC 7047 §5.1).

where      clauses that must all hold     operations: `Where.rows()` picks the shortest way to the rows
any_of     clauses of which one must      conditional monitors
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pyovn.ovsdb.schema import ColumnType
from pyovn.ovsdb.server.atoms import Names
from pyovn.ovsdb.server.columns import UUID_AT, CompiledColumn, one_reader, operand_reader
from pyovn.ovsdb.server.errors import Refused, syntax_error
from pyovn.ovsdb.server.tables import Row, TableStore

Predicate = Callable[[Row], bool]

_ORDERINGS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_FUNCTIONS = ("==", "!=", "includes", "excludes", *_ORDERINGS)


class Clause(NamedTuple):
    """One test of one column."""

    column: CompiledColumn
    function: str
    value: Any

    @property
    def is_equality(self) -> bool:
        """True where rows that pass hold exactly one known, hashable value."""
        return self.function == "==" and not self.column.is_map

    def predicate(self) -> Predicate:
        """The test as a function of a row."""
        place, value = self.column.place, self.value
        if self.function == "==":
            return lambda row: row[place] == value
        if self.function == "!=":
            return lambda row: row[place] != value
        if self.function in _ORDERINGS:
            compare = _ORDERINGS[self.function]
            return lambda row: row[place] is not None and compare(row[place], value)
        return _membership(self.column, value, wanted=self.function == "includes")


def read_clause(table: TableStore, json: Any, names: Names | None) -> Clause | bool:
    """The clause that JSON writes: a constant, or a test; raises `Refused`."""
    if json.__class__ is bool:
        return json
    if not isinstance(json, list) or len(json) != 3 or not all(isinstance(part, str) for part in json[:2]):
        raise syntax_error("Parse error in condition.", json)
    column = table.column(json[0], json)
    function = json[1]
    if function not in _FUNCTIONS:
        raise Refused("unknown function", f"No function named {function}.")
    if function in _ORDERINGS and not _is_orderable(column.type):
        raise syntax_error(
            f'Type mismatch: "{function}" operator may not be applied to column {column.name} of type'
            f" {column.type_text}.",
            json,
        )
    return Clause(column, function, _read_operand(column, function, json[2], names))


class Where:
    """The clauses of an operation's `where`: all must hold."""

    __slots__ = ("_clauses", "_never", "_predicates", "_table")

    def __init__(self, table: TableStore, json: Any, names: Names | None) -> None:
        clauses = [read_clause(table, each, names) for each in json]
        self._table = table
        self._never = any(clause is False for clause in clauses)
        self._clauses = [clause for clause in clauses if isinstance(clause, Clause)]
        self._predicates = [clause.predicate() for clause in self._clauses]

    def rows(self, pending: Mapping[str, Row | None]) -> list[Row]:
        """The rows that pass, seen through a transaction's own `pending` changes."""
        if self._never:
            return []
        predicates = self._predicates
        if not predicates:
            return list(self._candidates(pending))
        if len(predicates) == 1:
            return list(filter(predicates[0], self._candidates(pending)))
        return [row for row in self._candidates(pending) if all(passes(row) for passes in predicates)]

    def _candidates(self, pending: Mapping[str, Row | None]) -> Iterable[Row]:
        table = self._table
        uuids = self._uuids()
        if uuids is not None:
            looked_up = (pending[uuid] if uuid in pending else table.rows.get(uuid) for uuid in uuids)
            found = [row for row in looked_up if row is not None]
            # An index knows only what is committed: rows that this transaction touched have to be looked at as well.
            return found + [row for uuid, row in pending.items() if row is not None and uuid not in uuids]
        if not pending:
            return table.rows.values()
        committed = (row for uuid, row in table.rows.items() if uuid not in pending)
        return [*committed, *(row for row in pending.values() if row is not None)]

    def _uuids(self) -> tuple[str, ...] | None:
        """The only committed rows that can pass, if that is known without looking at all of them."""
        for clause in self._clauses:
            if clause.is_equality and clause.column.place == UUID_AT:
                return (clause.value,)
        equal = {clause.column.place: clause.value for clause in self._clauses if clause.is_equality}
        for index in self._table.indexes:
            if equal and equal.keys() >= set(index.places):
                key = equal[index.places[0]] if len(index.places) == 1 else tuple(equal[at] for at in index.places)
                return (index.uuids[key],) if key in index.uuids else ()
        return None


def any_of(clauses: list[Clause | bool]) -> Predicate | None:
    """A monitor's condition, of which one clause must hold; None where every row passes."""
    if not clauses or any(clause is True for clause in clauses):
        return None
    tests = [clause for clause in clauses if isinstance(clause, Clause)]
    alternatives: dict[int, set[Any]] = {}
    predicates = []
    for test in tests:
        if test.is_equality:
            alternatives.setdefault(test.column.place, set()).add(test.value)
        else:
            predicates.append(test.predicate())
    predicates += [_one_of(place, values) for place, values in alternatives.items()]
    if len(predicates) == 1:
        return predicates[0]
    return lambda row: any(passes(row) for passes in predicates)


def _one_of(place: int, values: set[Any]) -> Predicate:
    """A look-up instead of many comparisons: a chassis asks for the rows of hundreds of datapaths."""
    return lambda row: row[place] in values


def _membership(column: CompiledColumn, members: Any, *, wanted: bool) -> Predicate:
    place, as_members = column.place, column.members
    if column.is_map:
        pairs = members.items()
        if wanted:
            return lambda row: pairs <= row[place].items()
        return lambda row: pairs.isdisjoint(row[place].items())
    atoms = frozenset(members)
    if wanted:
        return lambda row: atoms.issubset(as_members(row[place]))
    return lambda row: atoms.isdisjoint(as_members(row[place]))


def _is_orderable(type_: ColumnType) -> bool:
    return type_.max == 1 and type_.value is None and type_.key.type in ("integer", "real")


def _read_operand(column: CompiledColumn, function: str, json: Any, names: Names | None) -> Any:
    if function in _ORDERINGS:
        return one_reader(column)(json, names)
    if function in ("==", "!="):
        return column.read(json, names)
    if column.type.is_scalar:
        return column.members(column.read(json, names))
    return operand_reader(column, unlimited=function == "excludes")(json, names)
