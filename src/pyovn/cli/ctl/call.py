"""One command of a chain: its arguments, what it can see and do, and what it has to say."""

from pyovn.cli.ctl.errors import CtlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from pyovn.cli.ctl.command import Command
    from pyovn.cli.ctl.output import Listing
    from pyovn.cli.ctl.program import Program
    from pyovn.cli.ctl.view import View

    Json = Any
    Found = TypeVar("Found")


class Call:
    """A command as it was given."""

    __slots__ = ("arguments", "command", "options")

    def __init__(self, command: "Command", options: "dict[str, str | None]", arguments: "list[str]") -> None:
        self.command = command
        self.options = options
        self.arguments = arguments


class Ctl:
    """What a command's function works with."""

    __slots__ = ("arguments", "as_json", "documents", "lines", "listing", "options", "program", "symbols", "view")

    def __init__(
        self, program: "Program", call: Call, view: "View", symbols: "Symbols", *, as_json: bool = False
    ) -> None:
        self.program = program
        self.arguments = call.arguments
        self.options = call.options
        self.view = view
        self.symbols = symbols
        self.as_json = as_json
        self.documents: list[Json] = []  #: what there is to say as JSON
        self.lines: list[str] = []
        self.listing: Listing | None = None

    def has(self, option: str) -> bool:
        """True where the option was given."""
        return option in self.options

    def option(self, name: str) -> str | None:
        """The value of an option; None where it was not given, or without a value."""
        return self.options.get(name)

    def print(self, line: str) -> None:
        """Say a line, once the chain has been committed."""
        self.lines.append(line)

    def tell(self, found: "Found", lines: "Callable[[Found], Iterable[str]]") -> None:
        """Say what was found: itself as JSON where that is asked for, otherwise the lines made of it."""
        if self.as_json:
            self.documents.append(found)
        else:
            self.lines += lines(found)


class Symbols:
    """The names (`@port`) that a chain gives to the rows it creates."""

    def __init__(self) -> None:
        self._uuids: dict[str, str] = {}
        self._created: set[str] = set()
        self._used: set[str] = set()

    def reference(self, name: str) -> str:
        """The UUID that stands for `name`, created already or yet to be."""
        self._used.add(name)
        return self._uuid(name)

    def create(self, name: str) -> str:
        """The UUID for the row that an `--id` option names; raises if the name is bad or taken."""
        if not name.startswith("@"):
            raise CtlError(f'row id "{name}" does not begin with "@"')
        if name in self._created:
            raise CtlError(f'row id "{name}" may only be specified on one --id option')
        self._created.add(name)
        return self._uuid(name)

    def bind(self, name: str, uuid: str) -> None:
        """Let `name` stand for a row that exists."""
        self.create(name)
        self._uuids[name] = uuid

    def check(self) -> None:
        """Raise if a name was used that no row was given."""
        for name in sorted(self._used - self._created):
            raise CtlError(f'row id "{name}" is referenced but never created (e.g. with "-- --id={name} create ...")')

    def unused(self, view: "View") -> list[str]:
        """The names of created rows that nothing refers to and that cannot live without a reference."""
        lonely = {self._uuids[name]: name for name in self._created - self._used}
        return sorted(
            lonely[row.uuid]
            for table in (view.tables() if lonely else ())
            if not view.schema.is_root(table.name)
            for row in table.edited
            if row.is_new and row.uuid in lonely
        )

    def _uuid(self, name: str) -> str:
        if name not in self._uuids:
            from pyovn.cli.ctl.view import random_uuid

            self._uuids[name] = random_uuid()
        return self._uuids[name]
