"""The command line, read as GNU getopt reads it.

    ovn-nbctl [options] [--] command-options command arguments… [-- command-options command arguments…]…

Options may be abbreviated as long as they stay unique, up to the first word that is none.  Those that are not the
program's belong to the first command.  Commands after a `--` have their options spelt out.
"""

from pyovn.cli.ctl.errors import CtlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyovn.cli.ctl.command import Command

    Options = dict[str, str | None]

#: the options of every program: name → how it takes a value ("", "=" always, "?" perhaps)
COMMON = {
    "--db": "=", "--no-syslog": "", "--help": "", "--commands": "", "--options": "", "--leader-only": "",
    "--no-leader-only": "", "--shuffle-remotes": "", "--no-shuffle-remotes": "", "--version": "", "--dry-run": "",
    "--oneline": "", "--timeout": "=", "--verbose": "?", "--log-file": "?", "--syslog-method": "=",
    "--syslog-target": "=", "--private-key": "=", "--certificate": "=", "--ca-cert": "=", "--bootstrap-ca-cert": "=",
    "--ssl-protocols": "=", "--ssl-ciphers": "=", "--ssl-ciphersuites": "=", "--ssl-server-name": "=",
    "--format": "=", "--data": "=", "--no-headings": "", "--pretty": "", "--bare": "", "--max-column-width": "=",
}  # fmt: skip

#: the options of tools that can stay in the background
RESIDENT = {
    "--detach": "", "--unixctl": "=", "--pidfile": "?", "--overwrite-pidfile": "", "--no-chdir": "", "--monitor": "",
    "--user": "=", "--no-self-confinement": "",
}  # fmt: skip

#: options that so many commands have that they are known without looking at the commands
FREQUENT = {"--may-exist": "", "--if-exists": "", "--columns": "=", "--id": "="}

SHORT = {
    "-h": "--help", "-V": "--version", "-t": "--timeout", "-v": "--verbose", "-p": "--private-key",
    "-c": "--certificate", "-C": "--ca-cert", "-f": "--format", "-d": "--data", "-u": "--unixctl",
}  # fmt: skip


def leading_options(
    words: "Sequence[str]",
    known: "Mapping[str, str]",
    *,
    abbreviated: bool = True,
    short: "Mapping[str, str]" = SHORT,
) -> "tuple[list[tuple[str, str | None]], list[str]]":
    """The options that `words` begin with, in full, and the words after them; raises `CtlError`."""
    given: list[tuple[str, str | None]] = []
    left = list(words)
    while left and left[0].startswith("-") and left[0] != "-":
        word = left.pop(0)
        if word == "--":
            break
        given.extend(
            _long(word, left, known, abbreviated) if word.startswith("--") else _short(word, left, known, short)
        )
    return given, left


def _long(
    word: str, left: "list[str]", known: "Mapping[str, str]", abbreviated: bool
) -> "list[tuple[str, str | None]]":
    name, equals, value = word.partition("=")
    full = full_name(name, known) if abbreviated or name in known else None
    if full is None:
        raise CtlError(f"unrecognized option '{word}'", name, known)
    if equals:
        if not known[full]:
            raise CtlError(f"option '{word}' doesn't allow an argument")
        return [(full, value)]
    if known[full] != "=":
        return [(full, None)]
    if not left:
        raise CtlError(f"option '{word}' requires an argument")
    return [(full, left.pop(0))]


def _short(
    word: str, left: "list[str]", known: "Mapping[str, str]", short: "Mapping[str, str]"
) -> "list[tuple[str, str | None]]":
    """The options of a cluster such as `-t5` or `-hV`."""
    given: list[tuple[str, str | None]] = []
    for at, letter in enumerate(word[1:], 1):
        full = short.get("-" + letter)
        if full is None or full not in known:
            raise CtlError(f"unrecognized option '{letter}'")
        rest = word[at + 1 :]
        if not known[full]:
            given.append((full, None))
            continue
        if not rest and known[full] == "=":
            if not left:
                raise CtlError(f"option '-{letter}' requires an argument")
            rest = left.pop(0)
        return [*given, (full, rest or None)]
    return given


def full_name(name: str, known: "Mapping[str, str]") -> str | None:
    """The option that `name` is, or abbreviates without doubt."""
    if name in known:
        return name
    candidates = [option for option in known if option.startswith(name)]
    return candidates[0] if len(candidates) == 1 else None


def chain(
    first: "list[tuple[str, str | None]]", words: "Sequence[str]", find: "Callable[[str], Command]"
) -> "list[tuple[Command, Options, list[str]]]":
    """The commands of a chain; `first` are the first one's options."""
    calls: list[tuple[Command, Options, list[str]]] = []
    at = 0
    for position, word in enumerate([*words, "--"]):
        if word != "--":
            continue
        part = list(words[at:position])
        if part or (position == len(words) and not calls):
            calls.append(_one(first if not calls else [], part, find))
        at = position + 1
    return calls


def _one(
    options: "list[tuple[str, str | None]]", words: "list[str]", find: "Callable[[str], Command]"
) -> "tuple[Command, Options, list[str]]":
    own: Options = {}
    while words and words[0].startswith("-"):
        name, equals, value = words.pop(0).partition("=")
        options = [*options, (name, value if equals else None)]
    for name, given in options:
        if name in own:
            raise CtlError(f"'{name}' option specified multiple times")
        own[name] = given
    if not words:
        raise CtlError("missing command name (use --help for help)")
    command = find(words[0])
    command.check_options(own)
    command.check_arguments(words[1:])
    return command, own, words[1:]
