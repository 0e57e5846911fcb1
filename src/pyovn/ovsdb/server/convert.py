"""Conversion: a database's rows under another schema.

columns in both schemas    keep their values, if those fit the new type
new columns, new tables    take defaults, are empty
gone from the new schema   are forgotten
"""

from collections.abc import Iterator

import orjson

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.errors import Refused


def converted(old: Database, schema: Schema, uuids: Iterator[Uuid]) -> Database:
    """A new database with the rows of `old`; raises `Refused` where the rows do not fit the schema."""
    if schema.name != old.name:
        what = f"new schema name ({schema.name}) does not match database name ({old.name})"
        raise Refused("invalid parameters", what)
    new = Database(schema)
    transaction = new.transaction(uuids)
    for name, table in new.tables.items():
        before = old.tables.get(name)
        if before is None:
            continue
        shared = [before.by_name[column.name] for column in table.columns if column.name in before.by_name]
        for uuid, row in before.rows.items():
            json = orjson.loads(orjson.dumps({column.name: column.wire(row[column.place]) for column in shared}))
            transaction.insert(table, uuid, table.read_row(json, None))
    new.load(transaction)
    return new
