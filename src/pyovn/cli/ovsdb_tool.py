"""`ovsdb-tool`: database files without a server.

    ovsdb-tool create ovnnb_db.db ovn-nb.ovsschema
    ovsdb-tool -mm show-log ovnnb_db.db

Files that a server has open are protected by its lock; reading them (`query`, `show-log`, `db-…`) is always possible.
Clustered files are recognized, and what their headers say is shown; making and changing them is left to the C tool.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pyovn.cli.ctl.errors import CtlError, Leave
from pyovn.cli.ovsdb import call as frame
from pyovn.cli.ovsdb import history, offline
from pyovn.cli.ovsdb.call import MANY, Command, Tool, write, write_json
from pyovn.cli.ovsdb.files import parse, read_schema
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.convert import converted
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.errors import Refused, syntax_error
from pyovn.ovsdb.server.operations import Caller, NotYet, execute
from pyovn.ovsdb.storage.records import Snapshot
from pyovn.runtime.clock import SYSTEM
from pyovn.runtime.daemon import COMMON
from pyovn.runtime.options import Arguments, Option, help_text
from pyovn.runtime.ovsdb_server.logfile import LogFile, StorageFault, create_log, open_log
from pyovn.runtime.ovsdb_server.uuids import random_uuids

Json = Any
VERSION = "ovsdb-tool (pyovn, Open vSwitch compatible) 3.7.0"
LOGGING = ("verbose", "log-file", "syslog-method", "syslog-target", "help", "version")
OPTIONS = (
    Option("more", "m", many=True, doc="increase show-log verbosity"),
    Option("rbac-role", argument="ROLE", doc="accepted for compatibility: whoever has the file may do everything"),
    Option("election-timer", argument="MS"),
    Option("cid", argument="UUID"),
    *(option for option in COMMON if option.name in LOGGING),
)
RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, "==": operator.eq, ">=": operator.ge, ">": operator.gt, "!=": operator.ne,
}  # fmt: skip
NOT_SUPPORTED = "cluster files are not supported here; use Open vSwitch's own ovsdb-tool"
FALSE = 2  #: exit status of a test that does not hold


class Call:
    """One command with its words and options."""

    def __init__(self, name: str, words: list[str], options: Arguments) -> None:
        self.name = name
        self.words = words
        self.options = options

    @property
    def file(self) -> str:
        """The database file, which comes first."""
        return self.words[0] if self.words else default_file()


def default_file() -> str:
    """The database of a local switch."""
    return f"{os.environ.get('OVS_DBDIR') or os.environ.get('OVS_SYSCONFDIR', '/etc') + '/openvswitch'}/conf.db"


def default_schema() -> str:
    """The schema of a switch's database."""
    return f"{os.environ.get('OVS_PKGDATADIR') or '/usr/share/openvswitch'}/vswitch.ovsschema"


# -- files as a whole ------------------------------------------------------------------------------------------------


def create(call: Call) -> None:
    """Make a new, empty database."""
    schema = read_schema(call.words[1] if len(call.words) > 1 else default_schema())
    create_log(Path(call.file), schema)


def compact(call: Call) -> None:
    """Forget the history of a database."""
    _rewrite(call.file, call.words[1:], "compacted by ovsdb-tool (pyovn)", lambda database: database)


def convert(call: Call) -> None:
    """Give a database another schema."""
    schema = read_schema(call.words[1] if len(call.words) > 1 else default_schema())
    convert_file(call.file, schema, call.words[2:])


def convert_file(file: str, schema: Schema, target: Sequence[str] = ()) -> None:
    """Give the database in a file another schema, there or in the file `target`; raises `OvnError`."""
    _rewrite(file, target, "converted by ovsdb-tool (pyovn)", partial(_converted, schema))


def _converted(schema: Schema, old: Database) -> Database:
    """A database under a schema, even of another name."""
    renamed = Schema(old.name, schema.version, schema.tables, schema.cksum)
    new = converted(old, renamed, random_uuids())
    new.schema = schema
    return new


def _rewrite(file: str, target: Sequence[str], comment: str, change: Callable[[Database], Database]) -> None:
    """Write a database anew, in its own file under the lock or into another one."""
    if target:
        snapshot = Snapshot(change(offline.recovered(offline.contents(file), file)))
        _replace(Path(target[0]), b"".join(snapshot.records(SYSTEM.wall_ms(), comment)))
        return
    try:
        database, log = _open(file)
    except StorageFault as fault:
        raise CtlError(str(fault).removeprefix("I/O error: ")) from None
    try:
        log.rewrite(change(database), comment)
    finally:
        log.abandon()


def _open(file: str) -> tuple[Database, LogFile]:
    """A database and its journal, locked; a damaged one is refused, not repaired."""
    data = offline.contents(file)
    offline.recovered(data, file)
    return open_log(Path(file), random_uuids())


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError as fault:
        raise CtlError(f"I/O error: {path}: create failed ({fault.strerror})") from None


# -- what is in them -------------------------------------------------------------------------------------------------


def query(call: Call) -> None:
    """Run a transaction on a copy, and print its results."""
    file, operations = _transaction(call)
    write_json(run(offline.recovered(offline.contents(file), file), operations), call.options)


def transact(call: Call) -> None:
    """Run a transaction, and print its results once they are on the disk."""
    file, operations = _transaction(call)
    database, log = _open(file)
    try:
        results = run(database, operations)
    finally:
        log.abandon()
    with open(file, "rb") as written:
        os.fsync(written.fileno())
    write_json(results, call.options)


def _transaction(call: Call) -> tuple[str, Json]:
    *files, text = call.words
    return files[0] if files else default_file(), parse(text)


def run(database: Database, params: Json) -> Json:
    """The results of a transaction, which takes effect in `database`."""
    if not isinstance(params, list):
        return syntax_error("array expected", params).json()
    if not params or params[0] != database.name:
        return syntax_error("database name expected as first parameter", params).json()
    transaction = database.transaction(random_uuids())
    try:
        results, succeeded = execute(transaction, params[1:], Caller(lambda _: False, False, 0))
        if succeeded and transaction.pending:
            database.commit(transaction)
    except NotYet:
        return [Refused("not supported", "triggers not supported").json()]
    except Refused as refusal:
        results.append(refusal.json())
    return results


def show_log(call: Call) -> None:
    """Print what happened to a database."""
    for line in history.lines(call.file, len(call.options.all("more"))):
        write(line + "\n")


# -- what they are ---------------------------------------------------------------------------------------------------


def header(file: str) -> Json:
    """What the first record of a cluster member's file says; raises `CtlError` for other files."""
    data = offline.contents(file)
    if not offline.is_clustered(data, file):
        raise CtlError(f"{file}: not a clustered database")
    return offline.cluster_header(data, file)


def db_name(call: Call) -> None:
    """Print the name of the schema."""
    data = offline.contents(call.file)
    clustered = offline.is_clustered(data, call.file)
    write((header(call.file)["name"] if clustered else offline.schema(data, call.file).name) + "\n")


def show_schema(call: Call, attribute: str, *, embedded: bool) -> None:
    """Print something of a schema: one in a file of its own, or the one that a database has."""
    if embedded:
        schema = offline.schema(offline.contents(call.file), call.file)
    else:
        schema = read_schema(call.words[0] if call.words else default_schema())
    write(getattr(schema, attribute) + "\n")


def needs_conversion(call: Call) -> None:
    """Say whether a database has another schema than that in a file."""
    schema = read_schema(call.words[1] if len(call.words) > 1 else default_schema())
    write("no\n" if offline.schema(offline.contents(call.file), call.file) == schema else "yes\n")


def is_kind(call: Call, *, clustered: bool) -> int:
    """Say with the exit status which kind of file it is."""
    return 0 if offline.is_clustered(offline.contents(call.file), call.file) == clustered else FALSE


def show_header(call: Call, member: str) -> int:
    """Print something of a cluster member's file."""
    value = header(call.file).get(member)
    if value is None:
        return FALSE
    write(f"{value}\n")
    return 0


def compare_versions(call: Call) -> int:
    """Say with the exit status whether two versions compare so."""
    first, relation, second = call.words
    versions = [_version(first), _version(second)]
    if relation not in RELATIONS:
        raise CtlError(f"{relation}: not a relational operator")
    return 0 if RELATIONS[relation](*versions) else FALSE


def _version(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+\.\d+\.\d+", text):
        raise CtlError(f"{text}: not an OVSDB version number in format x.y.z")
    return tuple(map(int, text.split(".")))


def not_supported(call: Call) -> None:
    """Say that the command is for clusters."""
    raise CtlError(f"{call.name}: {NOT_SUPPORTED}")


COMMANDS = {
    "create": Command(create, 0, 2),
    "compact": Command(compact, 0, 2),
    "convert": Command(convert, 0, 3),
    "needs-conversion": Command(needs_conversion, 0, 2),
    "db-name": Command(db_name, 0, 1),
    "db-version": Command(partial(show_schema, attribute="version", embedded=True), 0, 1),
    "db-cksum": Command(partial(show_schema, attribute="cksum", embedded=True), 0, 1),
    "schema-name": Command(partial(show_schema, attribute="name", embedded=False), 0, 1),
    "schema-version": Command(partial(show_schema, attribute="version", embedded=False), 0, 1),
    "schema-cksum": Command(partial(show_schema, attribute="cksum", embedded=False), 0, 1),
    "db-is-standalone": Command(partial(is_kind, clustered=False), 1, 1),
    "db-is-clustered": Command(partial(is_kind, clustered=True), 1, 1),
    "db-cid": Command(partial(show_header, member="cluster_id"), 1, 1),
    "db-sid": Command(partial(show_header, member="server_id"), 1, 1),
    "db-local-address": Command(partial(show_header, member="local_address"), 1, 1),
    "compare-versions": Command(compare_versions, 3, 3),
    "query": Command(query, 1, 2),
    "transact": Command(transact, 1, 2),
    "show-log": Command(show_log, 0, 1),
    "create-cluster": Command(not_supported, 3, 3),
    "join-cluster": Command(not_supported, 4, MANY),
    "check-cluster": Command(not_supported, 0, MANY),
    "cluster-to-standalone": Command(not_supported, 2, 2),
}  # fmt: skip
USAGES = (
    ("create [DB [SCHEMA]]", "create DB with the given SCHEMA"),
    ("compact [DB [DST]]", "compact DB in place, or to DST"),
    ("convert [DB [SCHEMA [DST]]]", "convert DB to SCHEMA, in place or to DST"),
    ("needs-conversion [DB [SCHEMA]]", "say whether DB has another schema than SCHEMA"),
    ("db-name, db-version, db-cksum [DB]", "what schema DB has"),
    ("schema-name, schema-version, schema-cksum [SCHEMA]", "what SCHEMA is"),
    ("db-is-standalone, db-is-clustered DB", "exit status 0 if so, 2 if not"),
    ("db-cid, db-sid, db-local-address DB", "what the header of a clustered DB says"),
    ("compare-versions A OP B", "exit status 0 if versions A and B compare so, 2 if not"),
    ("query [DB] TRANSACTION", "run TRANSACTION on a copy of DB"),
    ("transact [DB] TRANSACTION", "run TRANSACTION on DB"),
    ("[-m]... show-log [DB]", "print what happened to DB"),
)


def start(command: Command, options: Arguments, words: list[str]) -> int | None:
    """Carry out one command; raises `OvnError`."""
    name = options.words[0]
    if len(words) < command.least:
        raise CtlError(f"'{name}' command requires at least {command.least} arguments")
    if len(words) > command.most:
        raise CtlError(f"'{name}' command takes at most {command.most} arguments")
    try:
        return command.run(Call(name, words, options))
    except BrokenPipeError:
        raise Leave(1) from None


def usage() -> str:
    """The text of `--help`."""
    lines = "".join(f"  {words}\n    {text}\n" for words, text in USAGES)
    return (
        "ovsdb-tool: Open vSwitch database management utility\nusage: ovsdb-tool [OPTIONS] COMMAND [ARG...]\n"
        f"{lines}The default DB is {default_file()}.\nThe default SCHEMA is {default_schema()}.\n\n"
        f"Options:\n{help_text(OPTIONS)}"
    )


TOOL = Tool("ovsdb-tool", VERSION, usage, OPTIONS, COMMANDS)


def main(words: Sequence[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return frame.main(TOOL, words, start)


if __name__ == "__main__":
    raise SystemExit(main())
