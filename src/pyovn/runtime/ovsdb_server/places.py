"""Places in databases, as command lines name them: `db:DATABASE,TABLE,COLUMN`."""

from __future__ import annotations

from typing import Any

from pyovn.net.errors import Malformed
from pyovn.ovsdb.server.database import Database


def locate(databases: dict[str, Database], text: str) -> tuple[Database, Any, Any]:
    """The database, table and column that `db:DATABASE,TABLE,COLUMN` names; raises `Malformed`."""
    parts = text.removeprefix("db:").split(",")
    if len(parts) != 3:
        raise Malformed(f'"{text}": invalid syntax')
    database = databases.get(parts[0])
    if database is None:
        raise Malformed(f'"{text}": no database named {parts[0]}')
    table = database.tables.get(parts[1])
    if table is None:
        raise Malformed(f'"{text}": no table named {parts[1]}')
    column = table.by_name.get(parts[2])
    if column is None:
        raise Malformed(f'"{text}": table "{parts[1]}" has no column "{parts[2]}"')
    return database, table, column
