"""What completion asks the database, or the tool's own daemon.

Only the columns that it needs are fetched; where nobody answers, there are no names.
"""

from pyovn.cli.completion.choices import Column
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.frame import address
from pyovn.cli.ctl.records import table_name
from pyovn.cli.ctl.view import Schema
from pyovn.cli.session import Refused, connect
from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Program
    from pyovn.cli.session import Session

    Json = Any


class Source:
    """Names from a database; a database that cannot be reached has none."""

    def __init__(self, program: "Program", options: "Options") -> None:
        self._program = program
        self._options = options
        self._session: Session | None = None
        self._is_dead = False
        self._schema: Schema | None = None

    def schema(self) -> Schema:
        """The server's schema; an empty one where there is no server."""
        if self._schema is None:
            answer = self._call("get_schema", self._program.database)
            self._schema = Schema(answer or {"tables": {}})
        return self._schema

    def table(self, name: str) -> str:
        """The table that `name` means; empty where it means none."""
        try:
            return table_name(self.schema(), name)
        except CtlError:
            return ""

    def values(self, column: "Column") -> "Iterator[str]":
        """The values of a column, but for empty ones."""
        for value in self._select(column):
            if column.key:
                value = dict(value[1]).get(column.key) if isinstance(value, list) else None
            for each in _atoms(value):
                if each != "":
                    yield str(each)

    def keys(self, table: str, column: str) -> "list[str]":
        """The keys that the rows of a table have in a column."""
        maps = [value for value in self._select(Column(f"{table}.{column}")) if value and value[0] == "map"]
        return sorted({str(key) for value in maps for key, _ in value[1]})

    def _select(self, column: "Column") -> "list[Json]":
        path = self._daemon()
        if path:
            return self._ask(path, column)
        select = {"op": "select", "table": column.table, "where": [], "columns": [column.name]}
        answer = self._call("transact", self._program.database, select)
        rows = answer[0].get("rows", []) if answer and answer[0] else []
        return [row[column.name] for row in rows]

    def _daemon(self) -> str | None:
        from os import environ

        variable = self._program.environment[2]
        given = self._options.get("--unixctl") or (environ.get(variable) if variable else None)
        return None if "--db" in self._options else given

    def _ask(self, path: str, column: "Column") -> "list[Json]":
        """The same, of a daemon of the tool's own."""
        import json

        from pyovn.cli.ctl.forward import forward

        words = [f"--columns={column.name}", "list", column.table]
        try:
            return [row[0] for row in json.loads(forward(self._program, path, {"--format": "json"}, words))["data"]]
        except (OvnError, ValueError):
            return []

    def _call(self, method: str, *params: "Json") -> "Json":
        if self._is_dead:
            return None
        try:
            if self._session is None:
                where = address(self._program, self._options)
                self._session = connect(where, self._program.database, leader_only=False, tls=self._options)
            return self._session.call(method, *params)
        except Refused:
            return None
        except (OvnError, OSError, ValueError):
            self._is_dead = True
            return None


def _atoms(value: "Json") -> "list[Json]":
    """The atoms of a value as OVSDB writes it (RFC 7047 §5.1)."""
    match value:
        case ["set", atoms]:
            return list(atoms)
        case ["uuid", uuid]:
            return [uuid]
        case None | ["map", _]:
            return []
    return [value]
