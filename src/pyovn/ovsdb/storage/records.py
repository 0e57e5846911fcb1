"""What the records of a database file say: a schema, or the rows that one transaction changed.

    {"_date": 1795244534198, "_comment": "…", "_is_diff": true,
     "Table": {"<uuid>": {"column": value, …}, "<uuid>": null}}

A new row lists what is not default, a deleted one is null.  For a changed row the columns hold differences if
`_is_diff` says so (as newer C servers write), else new values.  Ephemeral columns are left out.  A difference may have
more members than its column allows, which OVS 3.1 does not read: such a transaction is written as new values.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from pyovn.net.errors import Malformed
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.columns import difference_reader
from pyovn.ovsdb.server.database import Commit, Database
from pyovn.ovsdb.server.errors import Refused
from pyovn.ovsdb.server.tables import Row, TableStore
from pyovn.ovsdb.server.transaction import Transaction
from pyovn.ovsdb.storage.log import Damage, Record, build, head, scan

Json = Any


def schema_record(schema: Schema) -> bytes:
    """The first record of a file."""
    return build(orjson.dumps(schema.json()))


def transaction_record(database: Database, commit: Commit, date_ms: int) -> bytes | None:
    """The record of a transaction; None if it changes nothing that is kept."""
    try:
        tables = _changed_tables(database, commit, _differences)
        is_diff = True
    except _TooLarge:
        tables = _changed_tables(database, commit, _new_values)
        is_diff = False
    if not tables:
        return None
    record: dict[str, Json] = {"_date": date_ms, **tables}
    if is_diff:
        record["_is_diff"] = True
    if commit.comment is not None:
        record["_comment"] = commit.comment
    return build(orjson.dumps(record))


ROWS_AT_ONCE = 50  #: that are turned into JSON in one go


class Snapshot:
    """A database's rows at one moment; cheap to take, because rows never change."""

    def __init__(self, database: Database) -> None:
        self._schema = database.schema
        self._tables = [(table, list(table.rows.values())) for table in database.tables.values()]

    def records(self, date_ms: int, comment: str, breathe: Callable[[], None] = lambda: None) -> list[bytes]:
        """The shortest file that holds these rows, in pieces; `breathe` is called once for each."""
        pieces = []
        for piece in self._body(date_ms, comment):
            pieces.append(piece)
            breathe()
        return [schema_record(self._schema), head(pieces), *pieces]

    def _body(self, date_ms: int, comment: str) -> Iterator[bytes]:
        yield b'{"_date":%d' % date_ms
        for table, rows in self._tables:
            lead = b',"%b":{' % table.name.encode()
            for at in range(0, len(rows), ROWS_AT_ONCE):
                some = {row[0]: _new_row(table, row) for row in rows[at : at + ROWS_AT_ONCE]}
                yield lead + orjson.dumps(some)[1:-1]
                lead = b","
            if rows:
                yield b"}"
        yield b',"_is_diff":true,"_comment":%b}\n' % orjson.dumps(comment)


def _new_row(table: TableStore, row: Row) -> Json:
    return {
        column.name: row[column.place] if column.write is None else column.write(row[column.place])
        for column in table.persistent
        if row[column.place] != column.default
    }


class _TooLarge(Exception):
    """A difference that its column could not hold."""


def _changed_tables(
    database: Database, commit: Commit, changed_row: Callable[[TableStore, Row, Row], Json]
) -> dict[str, Json]:
    tables = {}
    for name, changes in commit.changes.items():
        table = database.tables[name]
        rows: dict[str, Json] = {}
        for uuid, (old, new) in changes.items():
            if new is None:
                rows[uuid] = None
            elif old is None:
                rows[uuid] = _new_row(table, new)
            elif changed := changed_row(table, old, new):
                rows[uuid] = changed
        if rows:
            tables[name] = rows
    return tables


def _differences(table: TableStore, old: Row, new: Row) -> Json:
    changed = {}
    for column in table.persistent:
        before, after = old[column.place], new[column.place]
        if before != after:
            difference = column.difference(before, after)
            if not column.replaces and len(difference) > column.type.max:
                raise _TooLarge
            changed[column.name] = column.write_difference(difference)
    return changed


def _new_values(table: TableStore, old: Row, new: Row) -> Json:
    return {
        column.name: column.wire(new[column.place])
        for column in table.persistent
        if old[column.place] != new[column.place]
    }


# -- reading ---------------------------------------------------------------------------------------------------------


class Recovered:
    """A database as its file has it."""

    def __init__(self, database: Database, length: int, base: int, damage: Damage | None) -> None:
        self.database = database
        self.length = length  #: bytes that are whole; anything after that is damaged
        self.base = base  #: bytes up to the end of the first transaction: what compaction would leave, roughly
        self.damage = damage


def recover(file: bytes | memoryview, uuids: Iterator[Uuid]) -> Recovered:
    """The database in a file, up to the last whole transaction; raises `Malformed` if there is no schema."""
    records = scan(file)
    first = next(records, None)
    if not isinstance(first, Record):
        raise Malformed("file is empty" if first is None else first.reason)
    database = Database(Schema.parse(_json(first)))
    replay = _Replay(database, uuids)
    length = base = first.end
    for record in records:
        if isinstance(record, Damage):
            return Recovered(database, length, base, record)
        try:
            replay.apply(_json(record))
        except (Refused, Malformed) as fault:
            damage = Damage(record.start, f"transaction at offset {record.start} cannot be applied: {fault}")
            return Recovered(database, length, base, damage)
        base = record.end if length == first.end else base
        length = record.end
    return Recovered(database, length, base, None)


def _json(record: Record) -> dict[str, Json]:
    try:
        json = orjson.loads(record.json)
    except ValueError as fault:
        raise Malformed(f"record at offset {record.start} is not JSON: {fault}") from None
    if not isinstance(json, dict):
        raise Malformed(f"record at offset {record.start} is not a JSON object")
    return json


class _Replay:
    """Puts the transactions of a file into a database again."""

    def __init__(self, database: Database, uuids: Iterator[Uuid]) -> None:
        self._database = database
        self._uuids = uuids
        self._differences = {
            name: {column.name: difference_reader(column) for column in table.columns}
            for name, table in database.tables.items()
        }

    def apply(self, record: dict[str, Json]) -> None:
        """Apply one record; raises `Refused` or `Malformed`."""
        transaction = self._database.transaction(self._uuids)
        is_diff = record.get("_is_diff") is True
        for name, rows in record.items():
            if name.startswith("_"):
                continue
            table = self._database.tables.get(name)
            if table is None or not isinstance(rows, dict):
                raise Malformed(f"no table named {name}")
            for uuid, row in rows.items():
                self._apply_row(transaction, table, uuid, row, is_diff)
        self._database.load(transaction)

    def _apply_row(self, transaction: Transaction, table: TableStore, uuid: str, json: Json, is_diff: bool) -> None:
        old = table.rows.get(uuid)
        if json is None:
            if old is None:
                raise Malformed(f"deletes row {uuid} of {table.name}, which does not exist")
            transaction.delete(table, uuid)
        elif old is None:
            transaction.insert(table, uuid, table.read_row(json, None))
        elif is_diff:
            readers = self._differences[table.name]
            transaction.update(table, old, [_difference(table, readers, old, *item) for item in json.items()])
        else:
            transaction.update(table, old, [(column.place, value) for column, value in table.read_row(json, None)])


def _difference(table: TableStore, readers: dict[str, Any], old: Row, name: str, json: Json) -> tuple[int, Any]:
    column = table.column(name, name)
    return column.place, column.apply_difference(old[column.place], readers[name](json, None))
