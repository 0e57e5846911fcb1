"""`ovsdb-client`: an OVSDB server as it is, from the command line.

    ovsdb-client dump unix:/run/ovn/ovnnb_db.sock OVN_Northbound Logical_Switch name
    ovsdb-client monitor-cond tcp:10.0.0.1:6642 '[["type","==","router"]]' Port_Binding

Each command, its options and its output are those of the C program.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pyovn.cli.ctl.errors import CtlError, Leave
from pyovn.cli.ctl.frame import limit
from pyovn.cli.ctl.output import Listing, Style, listing_text
from pyovn.cli.ctl.program import SPACED
from pyovn.cli.ovsdb import call as frame
from pyovn.cli.ovsdb import contents, locks, monitor, schemas, upkeep
from pyovn.cli.ovsdb.call import MANY, Command, Tool, write
from pyovn.cli.ovsdb.server import Listener, choose_database, default_server, looks_like_remote, reach
from pyovn.cli.session import ConnectionFailed
from pyovn.runtime.daemon import COMMON, Daemon, Program
from pyovn.runtime.daemon import main as daemon_main
from pyovn.runtime.options import Arguments, Option, help_text

Json = Any

OPTIONS = (
    Option("format", "f", argument="FORMAT", doc="table, list, html, csv or json"),
    Option("data", "d", argument="FORMAT", doc="how cells look: string, bare or json"),
    Option("no-headings", doc="omit table heading row"),
    Option("pretty", doc="pretty-print JSON in output"),
    Option("bare", doc='equivalent to "--format=list --data=bare --no-headings"'),
    Option("max-column-width", argument="N", doc="cut table columns after N characters"),
    Option("timestamp", doc='timestamp "monitor" output'),
    Option("force", doc="restore in spite of a different schema"),
    Option("leader-only", doc="of a cluster, use the leader (default)"),
    Option("no-leader-only", doc="accept any server of a cluster"),
    Option("db-change-aware", doc="accepted for compatibility"),
    Option("no-db-change-aware", doc="accepted for compatibility"),
    Option("timeout", "t", argument="SECS", doc="give up after this time"),
    *(option for option in COMMON if option.name != "unixctl"),
)

#: what --help says: words of the command, and what it does
USAGES = (
    ("list-dbs [SERVER]", "list databases available on SERVER"),
    ("get-schema [SERVER] [DATABASE]", "print the schema of DATABASE"),
    ("get-schema-version [SERVER] [DATABASE]", "print only its version number"),
    ("get-schema-cksum [SERVER] [DATABASE]", "print only its checksum"),
    ("list-tables [SERVER] [DATABASE]", "list the tables of DATABASE"),
    ("list-columns [SERVER] [DATABASE] [TABLE]", "list the columns of TABLE, or of all tables"),
    ("transact [SERVER] TRANSACTION", "run TRANSACTION, the parameters of a transact request, and print the results"),
    ("query [SERVER] TRANSACTION", "the same, without changing anything"),
    ("monitor [SERVER] [DATABASE] TABLE [COLUMN,...]...", "print contents and changes; !initial, !insert, !delete"),
    ("", "and !modify among the columns leave out that kind"),
    ("monitor [SERVER] [DATABASE] ALL", "print contents and changes of all tables"),
    ("monitor-cond [SERVER] [DATABASE] CONDITION TABLE [COLUMN,...]...", "the same, of rows that match CONDITION"),
    ("monitor-cond-since [SERVER] [DATABASE] [LASTID] CONDITION TABLE [COLUMN,...]...", "… since transaction LASTID"),
    ("dump [SERVER] [DATABASE] [TABLE [COLUMN]...]", "print contents"),
    ("backup [SERVER] [DATABASE] > SNAPSHOT", "print contents in the form of a database file"),
    ("[--force] restore [SERVER] [DATABASE] < SNAPSHOT", "restore contents from a database file"),
    ("convert [SERVER] SCHEMA", "convert the database named in the file SCHEMA to that schema"),
    ("needs-conversion [SERVER] SCHEMA", "say whether that would change it"),
    ("wait [SERVER] DATABASE STATE", 'wait until DATABASE is "added", "connected" or "removed"'),
    ("lock [SERVER] LOCK", "create or wait for LOCK"),
    ("steal [SERVER] LOCK", "take LOCK from its owner"),
    ("unlock [SERVER] LOCK", "release LOCK"),
)

COMMANDS = {
    "list-dbs": Command(schemas.list_dbs, 0, 0, "server"),
    "get-schema": Command(schemas.get_schema, 0, 0, "database"),
    "get-schema-version": Command(schemas.get_schema_version, 0, 0, "database"),
    "get-schema-cksum": Command(schemas.get_schema_cksum, 0, 0, "database"),
    "list-tables": Command(schemas.list_tables, 0, 0, "database"),
    "list-columns": Command(schemas.list_columns, 0, 1, "database"),
    "transact": Command(contents.transact, 1, 1),
    "query": Command(contents.query, 1, 1),
    "monitor": Command(partial(monitor.run, method="monitor"), 1, MANY, "database"),
    "monitor-cond": Command(partial(monitor.run, method="monitor_cond"), 2, MANY, "database"),
    "monitor-cond-since": Command(partial(monitor.run, method="monitor_cond_since"), 2, MANY, "database"),
    "dump": Command(contents.dump, 0, MANY, "database"),
    "backup": Command(upkeep.backup, 0, 0, "database"),
    "restore": Command(upkeep.restore, 0, 0, "database"),
    "convert": Command(upkeep.convert, 1, 1),
    "needs-conversion": Command(upkeep.needs_conversion, 1, 1),
    "wait": Command(upkeep.wait, 2, 2),
    "lock": Command(partial(locks.run, method="lock"), 1, 1, "server"),
    "steal": Command(partial(locks.run, method="steal"), 1, 1, "server"),
    "unlock": Command(partial(locks.run, method="unlock"), 1, 1, "server"),
}  # fmt: skip


class Call:
    """One command with its words, its server and database, and what it has printed."""

    def __init__(self, command: Command, options: Arguments, words: list[str]) -> None:
        self.options = options
        self.style = Style(styling(options))
        self.shown = 0  #: listings that stand above the next one
        self.database = ""
        self.server = default_server()
        if len(words) > command.least and looks_like_remote(words[0]):
            self.server = words.pop(0)
        self.session: Listener
        if command.needs:
            self.session = reach(self.server, options)
        if command.needs == "database":
            self.database = choose_database(self.session.call("list_dbs"), words, command.least)
            if "," in self.server:
                self.session.close()
                self.session = reach(self.server, options, self.database)
        self.words = words

    def between(self) -> None:
        """Part what comes from the listing above it."""
        if self.shown and self.style.format in SPACED:
            write("\n")

    def show(self, listing: Listing) -> None:
        """Print a listing."""
        self.between()
        self.shown += 1
        write(listing_text(listing, self.style))

    def follow(self, start: Callable[[], None], take: Callable[[str, Json], None]) -> None:
        """Start something, then take notifications for ever; with --detach, in the background."""
        if "detach" in self.options:
            program = Program("ovsdb-client", "", VERSION, OPTIONS, most_words=MANY, family="OVS")
            argv = [f"--{name}" + ("" if value is None else f"={value}") for name, value in self._daemon_options()]
            status = daemon_main(program, argv, partial(self._follow_detached, start, take))
            raise Leave(status)
        start()
        while True:
            self.session.wait_for_notes()
            for method, params in self.session.take_notes():
                take(method, params)

    def _daemon_options(self) -> list[tuple[str, str | None]]:
        return [(name, value) for name, values in self.options.options.items() for value in values]

    async def _follow_detached(
        self, start: Callable[[], None], take: Callable[[str, Json], None], daemon: Daemon
    ) -> None:
        start()
        ended = asyncio.Event()

        def readable() -> None:
            try:
                self.session.wait_for_notes()
            except ConnectionFailed:
                ended.set()
            for method, params in self.session.take_notes():
                take(method, params)

        async with daemon.control({}):
            daemon.ready()
            asyncio.get_running_loop().add_reader(self.session.stream.fileno(), readable)
            await ended.wait()


def styling(options: Arguments) -> dict[str, str | None]:
    """The options that say how listings look, with the defaults of this tool."""
    found: dict[str, str | None] = {"--format": "table"}
    if "bare" in options:
        found |= {"--format": "list", "--data": "bare", "--no-headings": None}
    for name in ("format", "data", "no-headings", "pretty", "max-column-width"):
        if name in options:
            found[f"--{name}"] = options.get(name)
    return found


def start(command: Command, options: Arguments, words: list[str]) -> int | None:
    """Carry out one command; raises `OvnError`."""
    limit({"--timeout": options.get("timeout")})
    call = Call(command, options, words)
    if not command.least <= len(call.words) <= command.most:
        raise CtlError(f"invalid syntax for '{options.words[0]}' (use --help for help)")
    return command.run(call)


def usage() -> str:
    """The text of `--help`."""
    lines = "".join(f"  {words}\n    {text}\n" if words else f"    {text}\n" for words, text in USAGES)
    return (
        "ovsdb-client: Open vSwitch database JSON-RPC client\nusage: ovsdb-client [OPTIONS] COMMAND [ARG...]\n\n"
        f"Valid commands are:\n{lines}\nThe default SERVER is {default_server()}.\n"
        f"The default DATABASE is Open_vSwitch.\n\nOptions:\n{help_text(OPTIONS)}"
    )


VERSION = "ovsdb-client (pyovn, Open vSwitch compatible) 3.7.0"
TOOL = Tool("ovsdb-client", VERSION, usage, OPTIONS, COMMANDS)


def main(words: Sequence[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return frame.main(TOOL, words, start)


if __name__ == "__main__":
    raise SystemExit(main())
