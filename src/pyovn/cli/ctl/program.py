"""What runs a command-line program: from words to output and exit status.

    words ─ options ─▶ calls ─▶ session ─▶ view ─▶ commands ─▶ transaction ─▶ output
                                   ▲                               │
                                   └──── the database changed ◀────┘ "timed out": what was verified is stale

One `Program` describes one tool: its database, its commands by topic, its record names, and its barrier, which is how
the tool waits for the rest of the system to catch up.
"""

import sys

from pyovn.cli.ctl.call import Call, Ctl, Symbols
from pyovn.cli.ctl.errors import CtlError, TryAgain
from pyovn.cli.ctl.options import COMMON, RESIDENT
from pyovn.cli.ctl.output import Style, json_text, lines_text, listing_text
from pyovn.cli.ctl.transaction import operations, provisional_uuid
from pyovn.cli.ctl.view import Schema, View
from pyovn.cli.session import ConnectionFailed, OutcomeUnknown
from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Protocol

    from pyovn.cli.ctl.command import Command, CommandTable
    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.records import RecordIds
    from pyovn.cli.ctl.view import Contents
    from pyovn.cli.session import Session

    Json = Any

    class Barrier(Protocol):
        """How a tool waits until its changes have taken effect."""

        def configure(self, options: "Options", chain: "Sequence[Call]") -> None:
            """Note what the user asked for; raises `CtlError`."""

        def reads(self) -> "Iterable[str]":
            """What must be monitored to wait."""

        def operations(self, edits: "list[Json]") -> "list[Json]":
            """What the transaction needs besides the commands' edits."""

        def wait(self, run: "Run", results: "list[Json]") -> str:
            """Return when the changes have taken effect, with what there is to say about it."""


SPACED = ("list", "table", "csv")  #: formats in which an empty line stands between listings

UNUSED = 'row id "{}" was created but no reference to it was inserted, so it will not actually appear in the database'


class Program:
    """One tool; `environment` are the variables with its database, its options and its daemon."""

    def __init__(
        self,
        name: str,
        *,
        title: str,
        database: str,
        version: str,
        socket: tuple[str, str, str],
        topics: "Mapping[str, str]",
        records: "RecordIds",
        only: str,
        barrier: "type[Barrier]",
        environment: "tuple[str, str, str]" = ("", "", ""),
        options: "Mapping[str, str] | None" = None,
        refused: "Sequence[str]" = (),
        renamed: "Sequence[tuple[str, str]]" = (),
    ) -> None:
        self.name = name
        self.title = title
        self.database = database
        self.version = version
        self.socket = socket  #: of a local server: the variable with its directory, the usual directory, the file
        self.topics = topics  #: module of commands → the names of its commands
        self.records = records
        self.only = only  #: the table of one row that every run makes sure is there
        self.barrier = barrier
        self.environment = environment
        self.options = COMMON | (RESIDENT if environment[2] else {}) | dict(options or {})
        self.refused = refused  #: options of other tools that are known here, but only to be turned down
        self.renamed = renamed  #: parts of commands as they were once called, and are now
        self._warnings = 0

    def table(self, topic: str) -> "CommandTable":
        """The commands of one topic."""
        module = __import__(topic, fromlist=["command"])
        found: CommandTable = module.command
        return found

    def find(self, name: str) -> "Command":
        """The command called `name`; raises `CtlError`."""
        for topic, names in self.topics.items():
            if name in names.split():
                return self.table(topic)[name]
        everything = (each for names in self.topics.values() for each in names.split())
        now = name
        for old, new in self.renamed:
            now = now.replace(old, new)
        raise CtlError(f"unknown command '{name}'; use --help for help", now, everything)

    def command_options(self) -> "dict[str, str]":
        """The options of all commands together."""
        return {
            option: how
            for topic in self.topics
            for row in self.table(topic).values()
            for option, how in row.options.items()
        }

    def warn(self, module: str, text: str) -> None:
        """Say something that does not stop the command."""
        from pyovn.cli.ctl.messages import warning

        self._warnings += 1
        sys.stderr.write(warning(self._warnings, module, text))


class Run:
    """One run of a program: a chain of commands against one database."""

    def __init__(self, program: Program, session: "Session", options: "Options", calls: "list[Call]") -> None:
        self.program = program
        self.session = session
        self.options = options
        self.calls = calls
        self.schema: Schema
        self.view: View
        self.results: list[Json] = []
        self.inserted: dict[str, str] = {}  #: new rows' tables, by the UUIDs that the rows got
        self.barrier = program.barrier()
        self.barrier.configure(options, calls)

    def load(self) -> None:
        """Fetch the schema, and the tables and columns that the commands read."""
        database = self.program.database
        self.schema = Schema(self.session.call("get_schema", database))
        self.view = view = View(self.schema, {})
        wanted: dict[str, set[str]] = {self.program.only: set()}
        for reads in (self.barrier.reads(), *(self._reads(call, view) for call in self.calls)):
            for words in reads:
                table, *columns = words.split()
                if table in self.schema:
                    wanted.setdefault(table, set()).update(columns)
        requests = {
            table: {"columns": sorted(columns.intersection(self.schema.columns(table)))}
            for table, columns in wanted.items()
        }
        self.apply(self.session.call("monitor", database, None, requests))

    def move(self, session: "Session") -> None:
        """Go on with another server; what it holds is to be loaded."""
        self.session.close()
        self.session = session

    def _reads(self, call: Call, view: View) -> "Iterable[str]":
        reads = call.command.reads
        if isinstance(reads, tuple):
            return reads
        return reads(Ctl(self.program, call, view, Symbols()))

    @property
    def contents(self) -> "Contents":
        """The database as far as it is fetched."""
        return self.view.contents

    def apply(self, update: "Json") -> None:
        """Take an update from the server in."""
        self.view.take(update)

    def wait(self) -> None:
        """Wait for the database to change."""
        self.session.wait()
        self.refresh()

    def refresh(self) -> None:
        """Take in what the server sent meanwhile."""
        for update in self.session.take_updates():
            self.apply(update)

    def go(self) -> str:
        """Carry the chain out, as often as it takes; returns what is to be printed."""
        while True:
            self.refresh()
            try:
                return self._attempt()
            except TryAgain:
                self.wait()

    def finish(self) -> str:
        """Wait until what was committed has taken effect; returns what there is to say about that."""
        return self.barrier.wait(self, self.results) if self.results else ""

    def _attempt(self) -> str:
        try:
            return self._carried_out(self.view)
        finally:
            self.view.forget()

    def _carried_out(self, view: View) -> str:
        if view.the(self.program.only) is None:
            view.insert(self.program.only)
        symbols = Symbols()
        as_json = self.options.get("--format") == "json"
        contexts = []
        for call in self.calls:
            ctl = Ctl(self.program, call, view, symbols, as_json=as_json)
            contexts.append(ctl)
            call.command.function(ctl, *call.arguments)
        symbols.check()
        for name in symbols.unused(view):
            self.program.warn("ovn_dbctl", UNUSED.format(name))
        text = self._text(contexts)
        if "--dry-run" in self.options:
            return text
        return self._renamed(text, self._commit(view))

    def _commit(self, view: View) -> "dict[str, str]":
        """Commit the edits; returns new rows' UUIDs by the provisional ones.  Raises `TryAgain` on stale data."""
        edits = operations(view)
        is_repeatable = not edits  # what the barrier counts up may well be counted up twice
        edits += self.barrier.operations(edits)
        if not edits:
            return {}
        serial = self.session.start("transact", self.program.database, *edits)
        try:
            results = self.session.finish(serial)
        except ConnectionFailed as lost:
            if is_repeatable:
                raise
            raise OutcomeUnknown(lost) from None
        for result in results:
            if result and result.get("error"):
                if result["error"] == "timed out":
                    raise TryAgain
                raise TransactionError(result)
        self.results = results
        inserted = ((edit, result) for edit, result in zip(edits, results, strict=False) if edit["op"] == "insert")
        uuids = {}
        for edit, result in inserted:
            uuids[provisional_uuid(edit["uuid-name"])] = result["uuid"][1]
            self.inserted[result["uuid"][1]] = edit["table"]
        return uuids

    def _renamed(self, text: str, uuids: "Mapping[str, str]") -> str:
        """The output with the UUIDs that new rows really got."""
        for provisional, real in uuids.items():
            if provisional in text:
                text = text.replace(provisional, real)
        return text

    def _text(self, contexts: "Iterable[Ctl]") -> str:
        style = Style(self.options)
        parts = []
        tables = 0
        for ctl in contexts:
            if ctl.listing is not None:
                parts.append(("\n" if tables and style.format in SPACED else "") + listing_text(ctl.listing, style))
                tables += 1
            elif ctl.documents:
                parts += [json_text(document, style) for document in ctl.documents]
            elif ctl.lines or style.one_line:
                parts.append(lines_text(ctl.lines, style))
        return "".join(parts)


class TransactionError(OvnError):
    """The database refused the transaction."""

    def __init__(self, result: "Json") -> None:
        import json

        shown = json.dumps(result, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        super().__init__(f"transaction error: {shown}")
