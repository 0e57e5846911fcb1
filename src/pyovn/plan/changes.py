"""What an edit changed in a database: rows before and after.

recorder = Recorder(database) ─ commits ─▶ recorder.changes() ─▶ [Change("ACL", uuid, before, after), …]
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from pyovn.ovsdb.server.database import Commit, Database

Json = Any


class Change(NamedTuple):
    """A row before and after, columns in JSON notation; None where there is none."""

    table: str
    uuid: str
    before: dict[str, Json] | None
    after: dict[str, Json] | None

    @property
    def columns(self) -> list[str]:
        """The columns that differ."""
        before, after = self.before or {}, self.after or {}
        return sorted(name for name in {**before, **after} if before.get(name) != after.get(name))


class Recorder:
    """Takes down what is committed to a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._rows: dict[tuple[str, str], list[Any]] = {}  #: first before, last after, as the server stores them
        database.listeners.append(self._record)

    def _record(self, _database: Database, commit: Commit) -> None:
        for table, rows in commit.changes.items():
            for uuid, (before, after) in rows.items():
                self._rows.setdefault((table, uuid), [before, None])[1] = after

    def changes(self) -> Iterator[Change]:
        """The rows that are not as they were."""
        for (table, uuid), (before, after) in self._rows.items():
            change = Change(table, uuid, self.row(table, before), self.row(table, after))
            if change.before != change.after:
                yield change

    def row(self, table: str, stored: Any) -> dict[str, Json] | None:
        """A stored row's columns that are not as in a new row."""
        if stored is None:
            return None
        columns = self.database.tables[table].columns
        row = {
            each.name: stored[each.place] if each.write is None else each.write(stored[each.place])
            for each in columns
            if stored[each.place] != each.default
        }
        found: dict[str, Json] = orjson.loads(orjson.dumps(row))  # sets and pairs become lists
        return found
