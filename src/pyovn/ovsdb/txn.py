"""A transaction under construction: operations on typed rows, sent as one `transact`.

    txn = Txn()
    port = txn.insert(LogicalSwitchPort, name="p1")
    txn.mutate(switch, "ports", "insert", port)
    results = await client.transact(txn)
    txn.uuids[port]                                  # the UUID that the row got

`insert` gives a name that stands for the new row's UUID as the value of any reference in the same transaction.  A
failure is told in terms of what was attempted: `insert into Logical_Switch_Port (name="p1"): constraint violation: …`.

For bulk loads `raw_insert` takes the JSON of a row as the server wants it, as a dict or already as bytes; nothing is
checked then.
"""

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.atoms import atom_json, shown, uuid_json
from pyovn.ovsdb.datum import builder, writer
from pyovn.ovsdb.errors import OvsdbError, ProtocolFault, TransactionFailed, ValueFault, remote_error
from pyovn.ovsdb.model import columns, table_name
from pyovn.ovsdb.schema import UNLIMITED, ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pyovn.ovsdb.model import Row

    Json = Any
    Operation = dict[str, Any] | bytes
    Dumps = Callable[[Any], bytes]

#: columns that name a row to people, best first
_NAMING = ("name", "logical_port", "target", "hostname", "external_ip", "vip", "ip_prefix", "match", "mac", "id")


class Txn:
    """Operations that will be applied together or not at all."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._comments: list[str] = []
        self._names = 0
        self.uuids: dict[Uuid, Uuid] = {}  #: the name that `insert` gave → the UUID that the row got

    def __bool__(self) -> bool:
        return bool(self._operations)

    def __len__(self) -> int:
        return len(self._operations)

    def insert(self, cls: "type[Row]", **values: "Any") -> Uuid:
        """A new row; columns not given take the schema's defaults."""
        self._names += 1
        name = Uuid(f"row{self._names}")
        row = writer(cls)(values)
        self._operations.append({"op": "insert", "table": table_name(cls), "row": row, "uuid-name": name})
        return name

    def insert_as(self, cls: "type[Row]", uuid: str, **values: "Any") -> Uuid:
        """A new row with a UUID of the caller's choice, which must not be in use."""
        operation = {"op": "insert", "table": table_name(cls), "row": writer(cls)(values), "uuid": uuid}
        self._operations.append(operation)
        return Uuid(uuid)

    def raw_insert(self, table: str, row: "Mapping[str, Json] | bytes", name: str | None = None) -> None:
        """A new row from JSON as the server wants it; `name` may be the `row<n>` of `new_name`."""
        if isinstance(row, bytes):
            tail = b"" if name is None else b',"uuid-name":"%b"' % name.encode()
            self._operations.append(b'{"op":"insert","table":"%b","row":%b%b}' % (table.encode(), row, tail))
        else:
            operation: dict[str, Any] = {"op": "insert", "table": table, "row": row}
            self._operations.append(operation if name is None else {**operation, "uuid-name": name})

    def new_name(self) -> Uuid:
        """A name for a row that `raw_insert` will insert."""
        self._names += 1
        return Uuid(f"row{self._names}")

    def raw(self, operation: "dict[str, Json] | bytes") -> None:
        """Any operation, as JSON."""
        self._operations.append(operation)

    def update(self, row: "Row", **values: "Any") -> None:
        """Set columns of a row; those that have the value already are left out."""
        different = {name: value for name, value in values.items() if getattr(row, name) != value}
        if different:
            self.set(row.__class__, row.uuid, **different)

    def set(self, cls: "type[Row]", uuid: str, **values: "Any") -> None:
        """Set columns of the row of `cls` with this UUID (or name from `insert`), whatever they are now."""
        self._operations.append(
            {"op": "update", "table": table_name(cls), "where": by_uuid(uuid), "row": writer(cls)(values)}
        )

    def mutate(self, row: "Row", column: str, operator: str, value: "Any") -> None:
        """Change a column relative to what it is on the server.

        `insert` takes a member, a set or a map; `delete` a member or key, a set of them, or a map; `+= -= *= /= %=` a
        number.
        """
        self.mutate_by_uuid(row.__class__, row.uuid, column, operator, value)

    def mutate_by_uuid(self, cls: "type[Row]", uuid: str, column: str, operator: str, value: "Any") -> None:
        """Like `mutate`, for a row that is known by UUID (or name from `insert`)."""
        if column not in columns(cls):
            raise ValueFault("unknown column", f"No column {column} in table {table_name(cls)}.")
        mutation = [column, operator, mutation_json(columns(cls)[column].type, operator, value)]
        where = by_uuid(uuid)
        self._operations.append({"op": "mutate", "table": table_name(cls), "where": where, "mutations": [mutation]})

    def delete(self, row: "Row") -> None:
        """Delete a row."""
        self.delete_by_uuid(row.__class__, row.uuid)

    def delete_by_uuid(self, cls: "type[Row]", uuid: str) -> None:
        """Delete the row of `cls` with this UUID."""
        self._operations.append({"op": "delete", "table": table_name(cls), "where": by_uuid(uuid)})

    def wait(self, row: "Row", **expected: "Any") -> None:
        """Fail with "timed out" unless these columns of the row have these values on the server."""
        wanted = writer(row.__class__)(expected)
        self._operations.append(
            {
                "op": "wait",
                "timeout": 0,
                "table": table_name(row.__class__),
                "where": by_uuid(row.uuid),
                "columns": list(wanted),
                "until": "==",
                "rows": [wanted],
            }
        )

    def select(self, cls: "type[Row]", where: "Json" = (), names: "Sequence[str] | None" = None) -> None:
        """Ask for rows; their JSON is in the results."""
        chosen = list(columns(cls) if names is None else names)
        operation = {"op": "select", "table": table_name(cls), "where": list(where), "columns": ["_uuid", *chosen]}
        self._operations.append(operation)

    def comment(self, text: str) -> None:
        """Text for the server's log."""
        self._comments.append(text)

    def operations(self) -> "list[Operation]":
        """The operations, comment last."""
        if not self._comments:
            return list(self._operations)
        return [*self._operations, {"op": "comment", "comment": "\n".join(self._comments)}]

    def params(self, database: str, dumps: "Dumps", lock: str | None = None) -> bytes:
        """The `params` of the `transact` request, encoded; with `lock`, it fails where we do not own that lock."""
        head: list[Json] = [database] if lock is None else [database, {"op": "assert", "lock": lock}]
        everything = [*head, *self.operations()]
        if not any(isinstance(operation, bytes) for operation in everything):
            return dumps(everything)
        return b"[%b]" % b",".join(each if isinstance(each, bytes) else dumps(each) for each in everything)

    def settle(self, results: "Json") -> "list[Json]":
        """The results of our operations out of a server's reply; raises `TransactionFailed` naming the culprit."""
        if not isinstance(results, list):
            raise ProtocolFault("reply to transact is not an array")
        operations = self.operations()
        for index, result in enumerate(results):
            if isinstance(result, dict) and "error" in result:
                raise self._failure(operations, results, index, result)
        if len(results) < len(operations):
            raise ProtocolFault(f"{len(results)} results for {len(operations)} operations")
        for operation, result in zip(operations, results, strict=False):
            if isinstance(operation, dict) and "uuid-name" in operation:
                self.uuids[Uuid(operation["uuid-name"])] = Uuid(result["uuid"][1])
        return results[: len(operations)]

    def _failure(
        self, operations: "list[Operation]", results: "list[Json]", index: int, error: "dict[str, Json]"
    ) -> TransactionFailed:
        if index < len(operations):
            return remote_error(error, _described(operations[index]), index)
        details = str(error.get("details", ""))
        for operation, result in zip(operations, results, strict=False):
            if _uuid_of(operation, result) in details:
                return remote_error(error, _described(operation))
        return remote_error(error)


def by_uuid(uuid: str) -> "Json":
    """The condition that holds for one row."""
    return [["_uuid", "==", uuid_json(uuid)]]


def clause(cls: "type[Row]", column: str, function: str, value: "Any") -> "Json":
    """One clause of a condition, as `["name", "==", "sw0"]`; column `_uuid` is allowed."""
    if column == "_uuid":
        return [column, function, uuid_json(value)]
    type_ = columns(cls)[column].type
    if function in ("includes", "excludes") and not isinstance(value, frozenset | dict):
        return [column, function, atom_json(type_.key.type, value)]
    return [column, function, builder(type_)(value)]


def mutation_json(type: ColumnType, operator: str, value: "Any") -> "Json":
    """The operand of a mutation of a column of this type."""
    if operator not in ("insert", "delete"):
        return value
    if isinstance(value, dict):
        return builder(ColumnType(type.key, type.value, 0, UNLIMITED))(value)
    members = value if isinstance(value, frozenset | set | list | tuple) else (value,)
    if operator == "insert" and type.is_map:
        raise OvsdbError("only a map can be inserted into a map")
    return builder(ColumnType(type.key, None, 0, UNLIMITED))(members)


def _uuid_of(operation: "Operation", result: "Json") -> str:
    """The UUID of the row that an operation was about; no text at all where that is unknown."""
    match operation, result:
        case _, {"uuid": [_, str(uuid)]}:
            return uuid
        case {"where": [["_uuid", "==", ["uuid", str(uuid)]]]}, _:
            return uuid
    return "\0"


def _described(operation: "Operation") -> str:
    """`insert into Logical_Switch_Port (name="p1")` and the like."""
    if isinstance(operation, bytes):
        return operation[:200].decode(errors="replace")
    table, row = operation.get("table", ""), operation.get("row", {})
    named = [name for name in _NAMING if isinstance(row.get(name), str | int)]
    name = f" ({named[0]}={shown(row[named[0]])})" if named else ""
    match operation:
        case {"op": "insert"}:
            return f"insert into {table}{name}"
        case {"op": "assert", "lock": lock}:
            return f"lock {lock}"
        case {"op": op, "where": [["_uuid", "==", [_, uuid]]]}:
            return f"{op} of {table} {uuid}{name}"
    return f"{operation.get('op')} {table}".rstrip()
