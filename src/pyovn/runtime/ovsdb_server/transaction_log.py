"""A line in the log for each row that transactions change, in the tables that an operator is curious about.

transaction|INFO|table:Address_Set,op:inserted,name:a,addresses:["10.0.0.1"],external_ids:{},_uuid:…,_version:…
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyovn.runtime import logging as vlog
from pyovn.runtime.commands import CommandFailed

if TYPE_CHECKING:
    from pyovn.ovsdb.server.columns import CompiledColumn
    from pyovn.ovsdb.server.database import Commit, Database
    from pyovn.ovsdb.server.tables import Row, TableStore

LOG = vlog.Limited(vlog.module("transaction"))

_SWITCH = {"on": True, "off": False}
_HEADING = (("database", "table", "logging"), ("--------", "-----", "-------"))


class TransactionLog:
    """Which tables' changes are logged."""

    def __init__(self, databases: dict[str, Database]) -> None:
        self._databases = databases
        self._logged: set[tuple[str, str]] = set()

    def switch(self, place: str, word: str) -> None:
        """Log the changes of `DATABASE:TABLE`, or do not; raises `CommandFailed`."""
        name, colon, table = place.partition(":")
        if not colon:
            raise CommandFailed("invalid DB:TABLE argument")
        database = self._databases.get(name)
        if database is None:
            raise CommandFailed("no such database")
        if table not in database.tables:
            raise CommandFailed("no such table")
        if word not in _SWITCH:
            raise CommandFailed("invalid command argument")
        if _SWITCH[word]:
            self._logged.add((name, table))
            if self._on_commit not in database.listeners:
                database.listeners.append(self._on_commit)
        else:
            self._logged.discard((name, table))

    def listing(self) -> str:
        """Every table, and whether its changes are logged."""
        lines = [f"{name:<15} {table:<27} {logging}\n" for name, table, logging in _HEADING]
        for name, database in sorted(self._databases.items()):
            logged = {table: "ON" if (name, table) in self._logged else "OFF" for table in sorted(database.tables)}
            lines.append(f"{name:<16} \n")
            lines += [f"{'':<16}{table:<27} {state}\n" for table, state in logged.items()]
        return "".join(lines)

    def _on_commit(self, database: Database, commit: Commit) -> None:
        for name, rows in commit.changes.items():
            if (database.name, name) in self._logged:
                for change in rows.values():
                    LOG.info("%s", _line(database.tables[name], *change))


def _line(table: TableStore, old: Row | None, new: Row | None) -> str:
    row = new or old
    assert row is not None
    what = "inserted" if old is None else "deleted" if new is None else "updated"
    columns = [*table.columns, table.by_name["_uuid"], table.by_name["_version"]]
    return ",".join(
        (f"table:{table.name}", f"op:{what}", *(f"{each.name}:{_text(each, row[each.place])}" for each in columns))
    )


def _text(column: CompiledColumn, value: Any) -> str:
    text = column.text(value)
    return f"[{text}]" if column.is_set and len(value) == 1 else text
