"""Command lines of daemons: one table of options that all of them share, and each daemon's own.

    Option("log-file", argument="FILE", optional=True, default="$logdir/NAME.log", doc="enable logging to FILE")

Read as GNU's getopt does: `--name=value`, `--name value`, unambiguous beginnings of long names, `-p FILE`, `-pFILE`,
bundles of short ones, `--` before arguments that start with a hyphen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyovn.net.errors import OvnError


class UsageFault(OvnError):
    """A command line that makes no sense."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its long and short name, what its argument is called, and what it does."""

    name: str
    short: str = ""
    argument: str = ""
    doc: str = ""
    optional: bool = False  #: the argument may be left out
    many: bool = False  #: may be given several times

    @property
    def usage(self) -> str:
        """The option as help texts show it."""
        argument = f"[={self.argument}]" if self.optional and self.argument else self.argument and f"={self.argument}"
        return f"-{self.short}, --{self.name}{argument}" if self.short else f"--{self.name}{argument}"


@dataclass(slots=True)
class Arguments:
    """A command line that was read: options by long name, and the other words."""

    options: dict[str, list[str | None]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return name in self.options

    def get(self, name: str, default: str | None = None) -> str | None:
        """The argument that an option was last given; None where it was given without."""
        return self.options[name][-1] if name in self.options else default

    def text(self, name: str, default: str = "") -> str:
        """The argument of an option that always has one."""
        return self.get(name) or default

    def all(self, name: str) -> list[str | None]:
        """All arguments of an option that may be given several times."""
        return self.options.get(name, [])


def read(options: Sequence[Option], argv: Sequence[str]) -> Arguments:
    """The command line `argv` by a table of options; raises `UsageFault`."""
    arguments = Arguments()
    by_short = {option.short: option for option in options if option.short}
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            arguments.words += words
            break
        if word.startswith("--"):
            _read_long(options, word, words, arguments)
        elif word.startswith("-") and len(word) > 1:
            _read_short(by_short, word, words, arguments)
        else:
            arguments.words.append(word)
    return arguments


def _read_long(options: Sequence[Option], word: str, rest: list[str], arguments: Arguments) -> None:
    name, equals, value = word[2:].partition("=")
    option = _named(options, name)
    given: str | None = value if equals else None
    if option.argument and not equals and not option.optional:
        if not rest:
            raise UsageFault(f"option '--{option.name}' requires an argument")
        given = rest.pop(0)
    if equals and not option.argument:
        raise UsageFault(f"option '--{option.name}' doesn't allow an argument")
    arguments.options.setdefault(option.name, []).append(given)


def _read_short(by_short: dict[str, Option], word: str, rest: list[str], arguments: Arguments) -> None:
    letters = word[1:]
    while letters:
        option = by_short.get(letters[0])
        if option is None:
            raise UsageFault(f"invalid option -- '{letters[0]}'")
        letters = letters[1:]
        given: str | None = None
        if option.argument:
            given, letters = letters or None, ""
            if given is None and not option.optional:
                if not rest:
                    raise UsageFault(f"option requires an argument -- '{option.short}'")
                given = rest.pop(0)
        arguments.options.setdefault(option.name, []).append(given)


def _named(options: Sequence[Option], name: str) -> Option:
    """The option of this name, or the only one whose name begins so."""
    beginning = [option for option in options if option.name.startswith(name)]
    exact = [option for option in beginning if option.name == name]
    if exact:
        return exact[0]
    if not beginning or not name:
        raise UsageFault(f"unrecognized option '--{name}'")
    if len(beginning) > 1:
        choices = " ".join(f"'--{option.name}'" for option in beginning)
        raise UsageFault(f"option '--{name}' is ambiguous; possibilities: {choices}")
    return beginning[0]


def help_text(options: Sequence[Option]) -> str:
    """The lines that explain options."""
    return "".join(f"  {option.usage:<26}  {option.doc}\n" for option in options if option.doc)
