"""What may stand where the cursor is.

    ovn-nbctl --wait=hv lsp-add sw0 ▮          ─▶ the synopsis of lsp-add says PORT there

A line is options, a command and its arguments, and again after each `--`.
"""

from pyovn.cli.completion.choices import OPTIONS, TABLES, Column, choices, placeholders, tokens
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.options import SHORT, full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyovn.cli.completion.database import Source
    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Program


class Typed:
    """The words before the cursor, as far as they matter to the one that it is in."""

    __slots__ = ("arguments", "command", "is_first", "options", "own", "pending")

    def __init__(self) -> None:
        self.options: Options = {}  #: of the program, wherever they stand
        self.is_first = True  #: no `--` so far
        self.own: list[str] = []  #: the options before the command
        self.pending = ""  #: an option whose value comes next
        self.command = ""
        self.arguments: list[str] = []

    def take(self, program: "Program", word: str) -> None:
        """Go past a word."""
        if self.pending:
            self.options[self.pending] = word
            self.pending = ""
        elif word == "--":
            if self.command or not self.own:
                self.is_first = False
            self.own, self.command, self.arguments = [], "", []
        elif not self.command and word.startswith("-"):
            self._option(program, word)
        elif not self.command:
            self.command = word
        else:
            self.arguments.append(word)

    def _option(self, program: "Program", word: str) -> None:
        name, equals, value = word.partition("=")
        name = SHORT.get(name, name)
        full = full_name(name, program.options)
        if full is None:
            self.own.append(name)
        elif equals:
            self.options[full] = value
        elif program.options[full] == "=":
            self.pending = full
        else:
            self.options[full] = None


def typed(program: "Program", words: "Iterable[str]") -> Typed:
    """What the words before the cursor come to."""
    found = Typed()
    for word in words:
        found.take(program, word)
    return found


def candidates(program: "Program", before: Typed, current: str, source: "Source") -> "Iterator[str]":
    """The words that may stand at the cursor, all of them; those that end in `=` or `:` go on."""
    if before.pending:
        yield from _values(before.command, before.pending, source)
    elif not before.command and current.startswith("-"):
        yield from _options(program, before, current, source)
    elif not before.command:
        yield from _commands(program, before)
    else:
        yield from _arguments(program, before, current, source)
        if current.startswith("-"):
            yield "--"


def _values(command: str, option: str, source: "Source") -> "Iterator[str]":
    for choice in choices(OPTIONS, command, option) or ():
        yield from source.values(choice) if isinstance(choice, Column) else (choice,)


def _options(program: "Program", before: Typed, current: str, source: "Source") -> "Iterator[str]":
    name, equals, _ = current.partition("=")
    if equals:
        yield from (f"{name}={value}" for value in _values("", name, source))
        return
    known = program.command_options() | (program.options if before.is_first else {})
    for option, how in known.items():
        if option not in program.refused:
            yield f"{option}=" if how == "=" else option


def _commands(program: "Program", before: Typed) -> "Iterator[str]":
    """The commands that have the options given so far."""
    for topic, names in program.topics.items():
        for name in names.split():
            if not before.own or not set(before.own) - {*program.table(topic)[name].options}:
                yield name


def _arguments(program: "Program", before: Typed, current: str, source: "Source") -> "Iterator[str]":
    try:
        command = program.find(before.command)
    except CtlError:
        return
    for name in places(command.synopsis, len(before.arguments)):
        if name in GENERIC and before.command in GENERIC_COMMANDS:
            yield from GENERIC[name](program, before, current, source)
        elif not name.isupper():
            yield name
        for choice in choices(TABLES[program.name], before.command, name) or ():
            yield from source.values(choice) if isinstance(choice, Column) else (choice,)


def places(synopsis: str, at: int) -> "Iterator[str]":
    """What the synopsis has for the argument number `at`, and for those after it that may be the next as well."""
    words = tokens(synopsis)
    several = next((n for n, word in enumerate(words) if word.endswith("...") and "," not in word), None)
    for word in words[at if several is None else min(at, several) :]:
        yield from placeholders(word)
        if not word.startswith("[") and (several is None or at < several):
            return


def _tables(program: "Program", before: Typed, current: str, source: "Source") -> "Iterator[str]":
    return iter(source.schema().names)


def _records(program: "Program", before: Typed, current: str, source: "Source") -> "Iterator[str]":
    table = source.table(before.arguments[0])
    for way in program.records.get(table, ()):
        if way.is_only:
            yield "."
        elif not way.table:
            yield from source.values(Column(f"{table}.{way.column}:{way.key}"))


def _columns(program: "Program", before: Typed, current: str, source: "Source") -> "Iterator[str]":
    """Columns, with what must follow where a value is to be set."""
    table = source.table(before.arguments[0])
    is_set = before.command in ("set", "create", "find", "wait-until")
    if not table:
        return
    column, colon, _ = current.partition(":")
    if colon:
        yield from (f"{column}:{key}{'=' if is_set else ''}" for key in source.keys(table, column))
        return
    for name in source.schema().columns(table):
        yield name + ("=" if is_set else "")


GENERIC = {"TABLE": _tables, "RECORD": _records, "COLUMN": _columns}
GENERIC_COMMANDS = frozenset(
    ("list", "find", "get", "set", "add", "remove", "clear", "create", "destroy", "wait-until")
)
