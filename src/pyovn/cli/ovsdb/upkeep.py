"""Commands for whole databases: backup, restore, convert, needs-conversion, wait."""

import sys
from collections.abc import Iterator
from time import sleep, time
from typing import TYPE_CHECKING, Any

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.messages import line
from pyovn.cli.ctl.output import compact
from pyovn.cli.ovsdb.call import write
from pyovn.cli.ovsdb.files import differences, read_schema
from pyovn.cli.ovsdb.offline import FileFault, recovered
from pyovn.cli.ovsdb.schemas import fetch
from pyovn.cli.ovsdb.server import Listener, reach
from pyovn.cli.session import ConnectionFailed, Refused
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.storage.log import build

if TYPE_CHECKING:
    from pyovn.cli.ovsdb_client import Call

Json = Any
RETRY_S = 1.0
STATES = ("added", "connected", "removed")


def backup(call: "Call") -> None:
    """Print the database as a file that servers and `restore` take."""
    schema = fetch(call)
    kept = {
        table.name: [name for name, column in table.columns.items() if not column.ephemeral]
        for table in schema.tables.values()
    }
    operations = [
        {"op": "select", "table": name, "where": [], "columns": ["_uuid", *columns]} for name, columns in kept.items()
    ]
    results = call.session.call("transact", call.database, *operations)
    record: dict[str, Json] = {"_date": int(time() * 1000), "_is_diff": True}
    record["_comment"] = 'produced by "ovsdb-client backup"'
    for name, result in zip(kept, results, strict=False):
        if result.get("error"):
            raise CtlError(f"transact returned error: {compact(result)}")
        if result["rows"]:
            record[name] = {row.pop("_uuid")[1]: row for row in result["rows"]}
    for json in (schema.json(), record):
        sys.stdout.buffer.write(build(compact(json).encode("utf-8", "surrogateescape")))
    sys.stdout.buffer.flush()


def restore(call: "Call") -> None:
    """Replace the contents of the database by those of a backup."""
    try:
        snapshot = recovered(sys.stdin.buffer.read(), "/dev/stdin")
    except FileFault as fault:
        raise CtlError(str(fault)) from None
    _compare(snapshot.schema, fetch(call), call)
    deletions = [{"op": "delete", "table": name, "where": []} for name in fetch(call).tables]
    results = call.session.call("transact", call.database, *deletions, *_insertions(snapshot))
    for result in results:
        if result and result.get("error"):
            raise CtlError(f"transact returned error: {compact(result)}")


def _compare(ours: Schema, theirs: Schema, call: "Call") -> None:
    """Say how the schemas differ; raises `CtlError` unless that is to be ignored."""
    for number, text in enumerate(differences(ours, theirs), 1):
        if "force" not in call.options:
            hint = '(use --force to override differences, or "ovsdb-client convert" to change the schema)'
            raise CtlError(f"{text} {hint}")
        sys.stderr.write(line(number, "ovsdb_client", "INFO", text))


def _insertions(snapshot: Database) -> Iterator[Json]:
    """Operations that insert the rows of a database; they get other UUIDs."""
    names = {uuid: "row" + uuid.replace("-", "_") for table in snapshot.tables.values() for uuid in table.rows}
    for table in snapshot.tables.values():
        for uuid, row in table.rows.items():
            columns = {column.name: column.wire(row[column.place]) for column in table.persistent}
            yield {"op": "insert", "table": table.name, "uuid-name": names[uuid], "row": renamed(columns, names)}


def renamed(value: Json, names: dict[str, str]) -> Json:
    """JSON with references to rows turned into references to rows of the same transaction."""
    if isinstance(value, dict):
        return {key: renamed(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        if len(value) == 2 and value[0] == "uuid" and value[1] in names:
            return ["named-uuid", names[value[1]]]
        return [renamed(each, names) for each in value]
    return value


def convert(call: "Call") -> None:
    """Give the database another schema."""
    schema = read_schema(call.words[0])
    session = reach(call.server, call.options, schema.name)
    schema = _fit(schema, session, call.words[0])
    session.call("set_db_change_aware", True)
    session.call("convert", schema.name, schema.json())


def needs_conversion(call: "Call") -> None:
    """Say whether the database's schema is another one."""
    schema = read_schema(call.words[0])
    session = reach(call.server, call.options, schema.name)
    there = Schema.parse(session.call("get_schema", schema.name))
    write("no\n" if there == _fit(schema, session, call.words[0]) else "yes\n")


def _fit(schema: Schema, session: Listener, file: str) -> Schema:
    """A schema as the server can have it: members of clusters keep all columns."""
    passing = [(table, column) for table in schema.tables.values() for column in table.columns.values()]
    passing = [(table, column) for table, column in passing if column.ephemeral]
    if not passing or not _is_clustered(session, schema.name):
        return schema
    table, column = passing[0]
    text = (
        f"{file}: changed {len(passing)} columns in '{schema.name}' database from ephemeral to persistent, including "
        f"'{column.name}' column in '{table.name}' table, because clusters do not support ephemeral columns"
    )
    sys.stderr.write(line(1, "ovsdb", "WARN", text))
    parts = schema.json()
    for table, column in passing:
        parts["tables"][table.name]["columns"][column.name].pop("ephemeral")
    return Schema.parse(parts)


def _is_clustered(session: Listener, name: str) -> bool:
    where = [["name", "==", name]]
    select = {"op": "select", "table": "Database", "where": where, "columns": ["model"]}
    try:
        (answer,) = session.call("transact", "_Server", select)
    except Refused:  # an old server, without that database
        return False
    return [row["model"] for row in answer.get("rows", ())] == ["clustered"]


def wait(call: "Call") -> None:
    """Return once a database is there, can serve, or has gone."""
    name, state = call.words
    if state not in STATES:
        raise CtlError(f"{state}: unknown state")
    while True:
        try:
            _wait(reach(call.server, call.options), name, state)
            return
        except (ConnectionFailed, CtlError):  # the server restarts, or is not there yet
            sleep(RETRY_S)


def _wait(session: Listener, name: str, state: str) -> None:
    columns = {"Database": {"columns": ["name", "connected", "model"]}}
    tables = session.call("monitor", "_Server", None, columns)
    rows: dict[str, Json] = {}
    while True:
        for uuid, update in tables.get("Database", {}).items():
            if "new" in update:
                rows[uuid] = update["new"]
            else:
                rows.pop(uuid, None)
        if _holds(state, [row for row in rows.values() if row["name"] == name]):
            return
        session.wait_for_notes()
        tables = session.notes.pop(0)[1][1]


def _holds(state: str, rows: list[Json]) -> bool:
    if state == "removed":
        return not rows
    return bool(rows) and (state == "added" or bool(rows[0]["connected"]))
