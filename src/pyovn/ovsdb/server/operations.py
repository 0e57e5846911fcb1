"""The operations of a transaction: read from JSON and carried out on a `Transaction` (RFC 7047 §5.2).

    insert select update mutate delete      rows
    wait                                    raises `NotYet` where waiting may help
    commit abort comment assert             the transaction as a whole

`execute` stops at the first operation that fails; what the shell sends is its list of results.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from pyovn.ovsdb.server.atoms import is_identifier, uuid_or_none
from pyovn.ovsdb.server.columns import CompiledColumn
from pyovn.ovsdb.server.conditions import Where
from pyovn.ovsdb.server.errors import Refused, constraint_violation, syntax_error
from pyovn.ovsdb.server.mutations import read_mutation
from pyovn.ovsdb.server.rbac import Guard
from pyovn.ovsdb.server.tables import Row, TableStore
from pyovn.ovsdb.server.transaction import Transaction

Json = Any
_NO_ROWS: dict[str, Row | None] = {}
_BY_UUID = ["_uuid", "=="]


class Caller:
    """Who asks, as far as operations care."""

    __slots__ = ("guard", "holds_lock", "read_only", "waited_ms")

    def __init__(
        self, holds_lock: Callable[[str], bool], read_only: bool, waited_ms: int, guard: Guard | None = None
    ) -> None:
        self.holds_lock = holds_lock
        self.read_only = read_only
        self.waited_ms = waited_ms  #: how long this transaction has been waiting
        self.guard = guard  #: the rules of the client's role, if it has one


class NotYet(Exception):
    """A `wait` that does not hold: try again when something changed, at most `timeout_ms` after the start."""

    def __init__(self, timeout_ms: int | None) -> None:
        super().__init__(timeout_ms)
        self.timeout_ms = timeout_ms


def execute(transaction: Transaction, operations: Sequence[Json], caller: Caller) -> tuple[list[Json], bool]:
    """Carry out operations in order: their results, and whether all of them succeeded.  Raises `NotYet`."""
    results: list[Json] = []
    for number, operation in enumerate(operations, 1):
        try:
            results.append(_carry_out(transaction, operation, caller))
        except _Unreadable as fault:
            what = f"Parsing ovsdb operation {number} of {len(operations)} failed: {fault}"
            refusal = syntax_error(what, operation) if isinstance(operation, dict) else syntax_error(what)
            results.append(refusal.json())
        except Refused as refusal:
            results.append(refusal.json())
        else:
            continue
        results += [None] * (len(operations) - number)
        return results, False
    return results, True


def waits_on(operations: Sequence[Json]) -> frozenset[str]:
    """The tables whose change may end the waiting of a transaction."""
    return frozenset(
        str(each.get("table")) for each in operations if isinstance(each, dict) and each.get("op") == "wait"
    )


class _Unreadable(Exception):
    """An operation whose members are wrong."""


def _carry_out(transaction: Transaction, operation: Json, caller: Caller) -> Json:
    if not isinstance(operation, dict):
        raise _Unreadable("Object expected.")
    name: str = operation.get("op", "")
    if name.__class__ is not str or not name:
        _demand(operation, "op", str)
    known = _OPERATIONS.get(name)
    if known is None:
        raise _Unreadable(f'No operation "{name}"')
    carry_out, members = known
    _check_members(transaction, operation, members)
    return carry_out(transaction, operation, caller)


# -- members ---------------------------------------------------------------------------------------------------------

_OPTIONAL = object()


def _check_members(transaction: Transaction, operation: dict[str, Json], members: "Members") -> None:
    if "table" in members.required and transaction.tables.get(_demand(operation, "table", str)) is None:
        raise _Unreadable(f"No table named {operation['table']}.")
    for name, kind in members.required.items():
        if operation.get(name).__class__ is not kind:
            _demand(operation, name, kind)
    extra = len(operation) - 1 - len(members.required)
    if extra:
        _check_extra(operation, members)


def _demand(operation: dict[str, Json], name: str, kind: type) -> Json:
    if name not in operation:
        raise _Unreadable(f"Required '{name}' member is missing.")
    if operation[name].__class__ is not kind:
        raise _Unreadable(f"Type mismatch for member '{name}'.")
    return operation[name]


def _check_extra(operation: dict[str, Json], members: "Members") -> None:
    for name, kind in members.optional.items():
        if name in operation and operation[name].__class__ is not kind:
            raise _Unreadable(f"Type mismatch for member '{name}'.")
    unknown = sorted(operation.keys() - members.required.keys() - members.optional.keys() - {"op"}, reverse=True)
    if len(unknown) == 1:
        raise _Unreadable(f"Member '{unknown[0]}' is present but not allowed here.")
    if unknown:
        others = f"{len(unknown) - 1} other member{'s' if len(unknown) > 2 else ''}"
        raise _Unreadable(f"Member '{unknown[0]}' and {others} are present but not allowed here.")


def _check_identifier(operation: dict[str, Json], name: str) -> str:
    if not is_identifier(operation[name]):
        raise _Unreadable(f"Type mismatch for member '{name}'.")
    return operation[name]  # type: ignore[no-any-return]


def _check_writable(operation: dict[str, Json], caller: Caller) -> None:
    if caller.read_only:
        what = f"{operation['op']} operation not allowed when database server is in read only mode"
        raise Refused("not allowed", what)


# -- rows ------------------------------------------------------------------------------------------------------------


def _insert(transaction: Transaction, operation: dict[str, Json], caller: Caller) -> Json:
    table = transaction.tables[operation["table"]]
    uuid = None
    if "uuid" in operation:
        uuid = _chosen_uuid(transaction, table, operation["uuid"])
    if "uuid-name" in operation:
        uuid = transaction.names.claim(_check_identifier(operation, "uuid-name"), uuid)
    elif uuid is None:
        uuid = next(transaction.uuids)
    values = table.read_row(operation["row"], transaction.names)
    if table.bad_defaults:
        _check_defaults(table, operation["row"])
    if caller.guard is not None:
        caller.guard.check_insert(table, _with_defaults(table, values))
    if caller.read_only:
        _check_writable(operation, caller)
    transaction.insert(table, uuid, values)
    return {"uuid": ("uuid", uuid)}


def _with_defaults(table: TableStore, values: Iterable[tuple[CompiledColumn, Any]]) -> Sequence[Any]:
    row = table.defaults.copy()
    for column, value in values:
        row[column.place] = value
    return row


def _chosen_uuid(transaction: Transaction, table: TableStore, text: str) -> Any:
    uuid = uuid_or_none(text)
    if uuid is None:
        raise syntax_error("bad uuid", text)
    if uuid in table.rows or transaction.row(table, uuid) is not None:
        raise Refused(
            "duplicate uuid",
            "This UUID would duplicate a UUID already present within the table or deleted within the same transaction.",
            text,
        )
    return uuid


def _check_defaults(table: TableStore, row: dict[str, Json]) -> None:
    for column, refusal in table.bad_defaults:
        if column.name not in row:
            raise refusal


def _reader(transaction: Transaction, table: TableStore, operation: dict[str, Json]) -> Callable[[], list[Row]]:
    """What gives the rows that `where` selects; raises `Refused` if that makes no sense."""
    clauses = operation["where"]
    if len(clauses) == 1 and clauses[0].__class__ is list and clauses[0][:2] == _BY_UUID and len(clauses[0]) == 3:
        # The way in which nearly all clients name the row that they mean: no need for predicates then.
        uuid = table.by_name["_uuid"].read(clauses[0][2], transaction.names)
        return lambda: [] if (row := transaction.row(table, uuid)) is None else [row]
    where = Where(table, clauses, transaction.names)
    return lambda: where.rows(transaction.pending.get(table.name, _NO_ROWS))


def _columns(table: TableStore, operation: dict[str, Json]) -> tuple[CompiledColumn, ...]:
    if "columns" in operation:
        return table.column_set(operation["columns"])
    return tuple(table.by_name.values())


def _select(transaction: Transaction, operation: dict[str, Json], _caller: Caller) -> Json:
    table = transaction.tables[operation["table"]]
    rows = _reader(transaction, table, operation)
    columns = [(column.name, column.place, column.wire) for column in _columns(table, operation)]
    selected = {tuple(_hashable(row[place]) for _, place, _ in columns): row for row in rows()}
    return {"rows": [{name: wire(row[place]) for name, place, wire in columns} for row in selected.values()]}


def _update(transaction: Transaction, operation: dict[str, Json], caller: Caller) -> Json:
    table = transaction.tables[operation["table"]]
    values = table.read_row(operation["row"], transaction.names)
    for column, _ in values:
        if not column.mutable:
            what = f"Cannot update immutable column {column.name} in table {table.name}."
            raise constraint_violation(what, operation)
    rows = _reader(transaction, table, operation)
    if caller.guard is not None:
        caller.guard.check_update(table, rows(), [column.name for column, _ in values])
    _check_writable(operation, caller)
    placed = [(column.place, value) for column, value in values]
    count = 0
    for row in rows():
        transaction.update(table, row, placed)
        count += 1
    return {"count": count}


def _mutate(transaction: Transaction, operation: dict[str, Json], caller: Caller) -> Json:
    table = transaction.tables[operation["table"]]
    mutations = [read_mutation(table, each, transaction.names) for each in operation["mutations"]]
    rows = _reader(transaction, table, operation)
    if caller.guard is not None:
        caller.guard.check_mutate(table, rows(), [column.name for column, _ in mutations])
    _check_writable(operation, caller)
    found = rows()
    for row in found:
        values: dict[int, Any] = {}
        for column, mutate in mutations:
            values[column.place] = mutate(values.get(column.place, row[column.place]))
        transaction.update(table, row, values.items())
    return {"count": len(found)}


def _delete(transaction: Transaction, operation: dict[str, Json], caller: Caller) -> Json:
    table = transaction.tables[operation["table"]]
    rows = _reader(transaction, table, operation)
    if caller.guard is not None:
        caller.guard.check_delete(table, rows())
    _check_writable(operation, caller)
    found = rows()
    for row in found:
        transaction.delete(table, row[0])
    return {"count": len(found)}


def _wait(transaction: Transaction, operation: dict[str, Json], caller: Caller) -> Json:
    table = transaction.tables[operation["table"]]
    timeout = operation.get("timeout")
    rows = _reader(transaction, table, operation)
    columns = _columns(table, operation)
    if operation["until"] not in ("==", "!="):
        raise syntax_error('"until" must be "==" or "!="', operation["until"])
    expected = {_projection(_expected_row(transaction, table, json), columns) for json in operation["rows"]}
    if timeout is not None and timeout < 0:
        raise syntax_error("timeout must be nonnegative", timeout)
    actual = {_projection(row, columns) for row in rows()}
    if (actual == expected) == (operation["until"] == "=="):
        return {}
    if timeout == 0:
        raise Refused("timed out", '"where" clause test failed')
    if timeout is not None and caller.waited_ms >= timeout:
        raise Refused("timed out", f'"wait" timed out after {caller.waited_ms} ms')
    raise NotYet(timeout)


def _expected_row(transaction: Transaction, table: TableStore, json: Json) -> Sequence[Any]:
    if not isinstance(json, dict):
        raise syntax_error("row must be JSON object", json)
    return _with_defaults(table, table.read_row(json, transaction.names))


def _projection(row: Sequence[Any], columns: Sequence[CompiledColumn]) -> tuple[Any, ...]:
    return tuple(_hashable(row[column.place]) for column in columns)


def _hashable(value: Any) -> Any:
    return tuple(value.items()) if value.__class__ is dict else value


# -- the transaction as a whole --------------------------------------------------------------------------------------


def _commit(transaction: Transaction, operation: dict[str, Json], _caller: Caller) -> Json:
    transaction.durable |= operation["durable"]
    return {}


def _abort(_transaction: Transaction, _operation: dict[str, Json], _caller: Caller) -> Json:
    raise Refused("aborted", "aborted by request")


def _comment(transaction: Transaction, operation: dict[str, Json], _caller: Caller) -> Json:
    transaction.comments.append(operation["comment"])
    return {}


def _assert(_transaction: Transaction, operation: dict[str, Json], caller: Caller) -> Json:
    lock = _check_identifier(operation, "lock")
    if not caller.holds_lock(lock):
        raise Refused("not owner", f"Asserted lock {lock} not held.")
    return {}


class Members(NamedTuple):
    """The members of an operation's object beside `op`, with their types."""

    required: dict[str, type]
    optional: dict[str, type]


_OPERATIONS: dict[str, tuple[Callable[[Transaction, dict[str, Json], Caller], Json], Members]] = {
    "insert": (_insert, Members({"table": str, "row": dict}, {"uuid": str, "uuid-name": str})),
    "select": (_select, Members({"table": str, "where": list}, {"columns": list})),
    "update": (_update, Members({"table": str, "where": list, "row": dict}, {})),
    "mutate": (_mutate, Members({"table": str, "where": list, "mutations": list}, {})),
    "delete": (_delete, Members({"table": str, "where": list}, {})),
    "wait": (
        _wait,
        Members({"table": str, "where": list, "until": str, "rows": list}, {"columns": list, "timeout": int}),
    ),
    "commit": (_commit, Members({"durable": bool}, {})),
    "abort": (_abort, Members({}, {})),
    "comment": (_comment, Members({"comment": str}, {})),
    "assert": (_assert, Members({"lock": str}, {})),
}
