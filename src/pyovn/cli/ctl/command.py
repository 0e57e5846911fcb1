"""A command: a row of facts about it, and the function that carries it out.

    command = CommandTable("Logical switch commands")

    @command("lsp-add", "SWITCH PORT [PARENT TAG]", options="--may-exist", reads=(...))
    def lsp_add(ctl, switch, port, parent=None, tag=None):
        '''Add port PORT to SWITCH.'''

How many arguments a command takes is read off the function; `--help` is made from the rows.  `reads` names the tables
and columns that the command looks at ("Table column column…"), or is a function that works it out from the arguments.
"""

from pyovn.cli.ctl.errors import CtlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from pyovn.cli.ctl.call import Ctl

    Reads = tuple[str, ...] | Callable[[Ctl], Iterable[str]]

VARIADIC = 0x04  #: the code flag of a function that takes `*arguments`


class Command:
    """One row of a command table."""

    __slots__ = ("function", "is_hidden", "least", "most", "name", "options", "reads", "synopsis")

    def __init__(self, name: str, synopsis: str, options: str, reads: "Reads", function: "Callable[..., None]") -> None:
        self.name = name
        self.synopsis = synopsis
        self.options = dict(_option(word) for word in options.split())
        self.reads = reads
        self.function = function
        code = function.__code__
        takes = code.co_argcount - 1
        self.least = takes - len(function.__defaults__ or ())
        self.most = None if code.co_flags & VARIADIC else takes

    @property
    def summary(self) -> str:
        """What the command does, in a line."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    def check_options(self, given: "dict[str, str | None]") -> None:
        """Raise for options that the command does not have, or that lack a value or have one too many."""
        for option, value in given.items():
            if option not in self.options:
                raise CtlError(f"'{self.name}' command has no '{option}' option", option, self.options)
            takes = self.options[option]
            if takes == "=" and value is None:
                raise CtlError(f"missing argument to '{option}' option on '{self.name}' command")
            if not takes and value is not None:
                raise CtlError(f"'{option}' option on '{self.name}' does not accept an argument")

    def check_arguments(self, arguments: "list[str]") -> None:
        """Raise unless the command can take so many arguments."""
        if len(arguments) < self.least:
            raise CtlError(f"'{self.name}' command requires at least {self.least} arguments")
        if self.most is not None and len(arguments) > self.most:
            hint = ""
            if any(argument.startswith("-") for argument in arguments):
                hint = ' (note that options must precede command names and follow a "--" argument)'
            raise CtlError(f"'{self.name}' command takes at most {self.most} arguments{hint}")


class CommandTable(dict[str, Command]):
    """The commands of one topic; calling it adds the decorated function."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def __call__(
        self, name: str, synopsis: str = "", *, options: str = "", reads: "Reads" = ()
    ) -> "Callable[[Callable[..., None]], Callable[..., None]]":
        """A decorator that makes a function the command `name`."""

        def add(function: "Callable[..., Any]") -> "Callable[..., Any]":
            self[name] = Command(name, synopsis, options, reads, function)
            return function

        return add


def _option(word: str) -> tuple[str, str]:
    """An option's name and how it takes a value: not (""), always ("=") or perhaps ("?")."""
    return (word[:-1], word[-1]) if word[-1] in "=?" else (word, "")
