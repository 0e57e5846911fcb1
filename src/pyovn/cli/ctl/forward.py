"""The client of a tool's own daemon: sends the command line over, prints what comes back.

    OVN_NB_DAEMON=$(ovn-nbctl --detach)     then every ovn-nbctl costs no connection to the database, and no download

A database that is named on the command line is worked on directly.
"""

import os

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.session import ConnectionFailed, Refused, Session, dial, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Program

#: the program's options that a daemon takes with a command
FORWARDED = (
    "--wait", "--no-wait", "--print-wait-time", "--dry-run", "--oneline", "--format", "--data", "--no-headings",
    "--pretty", "--max-column-width",
)  # fmt: skip


def daemon_socket(program: "Program", options: "Options") -> str | None:
    """The control socket of the daemon that is to do the work, if one is."""
    variable = program.environment[2]
    given = options.get("--unixctl") or (os.environ.get(variable) if variable else None)
    if given and "--db" in options:
        program.warn("ovn_dbctl", f"not using {program.name} daemon because of db option")
        return None
    return given or None


def forward(program: "Program", path: str, options: "Options", command: "Iterable[str]") -> str:
    """What the daemon at `path` answers to the command line; raises `CtlError`."""
    words = [spelt(name, options[name]) for name in options if name in FORWARDED]
    try:
        session = Session(dial(f"unix:{path}"), path)
    except OSError as fault:
        raise CtlError(
            f"{path}: could not connect to {program.name} daemon ({reason(fault)}); "
            f"unset {program.environment[2]} to avoid using daemon"
        ) from None
    try:
        return str(session.call("run", *words, *command))
    except Refused as refusal:
        raise CtlError(str(refusal.error).removesuffix("\n")) from None
    except ConnectionFailed as lost:
        raise CtlError(f"{path}: transaction error ({lost.reason})") from None
    finally:
        session.close()


def spelt(name: str, value: str | None) -> str:
    """An option as a word of a command line."""
    return name if value is None else f"{name}={value}"


def command_words(first: "Iterable[tuple[str, str | None]]", rest: "Iterable[str]") -> "Iterator[str]":
    """The commands of a chain as they were given."""
    for name, value in first:
        yield spelt(name, value)
    yield from rest
