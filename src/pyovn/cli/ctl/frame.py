"""The start and the end of every run: words in, exit status out."""

import gc
import os
import sys

from pyovn.cli.ctl.call import Call
from pyovn.cli.ctl.errors import CtlError, Leave
from pyovn.cli.ctl.options import FREQUENT, chain, leading_options
from pyovn.cli.ctl.output import Style
from pyovn.cli.ctl.program import Run
from pyovn.cli.session import ConnectionFailed, connect
from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Program
    from pyovn.cli.session import Session


def main(program: "Program", words: "Sequence[str] | None" = None) -> int:
    """Run one tool with the words of its command line; returns the exit status."""
    name = os.path.basename(sys.argv[0]) if words is None else program.name
    if words is None:
        gc.disable()  # the end of the process collects all garbage at once
    try:
        return run(program, [*configured(program), *(sys.argv[1:] if words is None else words)])
    except OvnError as fault:
        sys.stdout.flush()
        sys.stderr.write(f"{name}: {fault}\n")
        return 1
    except Leave as answer:
        return answer.status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def configured(program: "Program") -> list[str]:
    """The words that the environment puts before those of the command line."""
    words = os.environ.get(program.environment[1]) if program.environment[1] else None
    if not words:
        return []
    from shlex import split

    return split(words)


def run(program: "Program", words: "list[str]") -> int:
    """Read the command line and carry it out; raises `OvnError`."""
    options, first, words = parse(program, words)
    if inform(program, options):
        return 0
    if "--detach" in options:
        from pyovn.cli.ctl.resident import detach

        return detach(program, options, words)
    daemon = served(program, options)
    if daemon:
        return forwarded(program, daemon, options, (first, words))
    calls = [Call(*each) for each in chain(first, words, program.find)]
    Style(options)
    limit(options)
    job = Run(program, reach(program, options), options, calls)
    write(persevere(job, job.load, job.go))
    write(persevere(job, job.finish))
    job.session.close()
    return 0


def served(program: "Program", options: "Options") -> str | None:
    """The control socket of the daemon of the tool's own that is to do the work, if one is."""
    if "--unixctl" not in options and program.environment[2] not in os.environ:
        return None
    from pyovn.cli.ctl.forward import daemon_socket

    return daemon_socket(program, options)


def forwarded(
    program: "Program", daemon: str, options: "Options", command: "tuple[list[tuple[str, str | None]], list[str]]"
) -> int:
    """Let a daemon of the tool's own carry the command line out."""
    from pyovn.cli.ctl.forward import command_words, forward

    limit(options)
    write(forward(program, daemon, options, command_words(*command)))
    return 0


def reach(program: "Program", options: "Options") -> "Session":
    """A session with the program's database, however long it takes where `--retry` asks for that."""
    while True:
        try:
            return connect(
                address(program, options),
                program.database,
                leader_only="--no-leader-only" not in options,
                shuffle="--no-shuffle-remotes" not in options,
                tls=options,
            )
        except ConnectionFailed:
            if "--retry" not in options:
                raise
        from time import sleep

        sleep(1)


def persevere(job: Run, *steps: "Callable[[], str | None]") -> str:
    """Take the steps; returns what the last one says.

    Where the member of a cluster that we talk to goes away, they are taken again with another one.  A transaction whose
    answer got lost is not made again: it fails with `OutcomeUnknown`.
    """
    while True:
        try:
            text = [step() for step in steps][-1]
        except ConnectionFailed as lost:
            if "," not in lost.remotes:
                raise
            job.move(reach(job.program, job.options))
            steps = (job.load, *(step for step in steps if step != job.load))
        else:
            return text or ""


def parse(
    program: "Program", words: "list[str]", allowed: "dict[str, str] | None" = None
) -> "tuple[Options, list[tuple[str, str | None]], list[str]]":
    """The program's options (or those of them that are allowed), the first command's, and the words after them."""
    own = program.options if allowed is None else allowed
    try:
        given, rest = leading_options(words, FREQUENT | own, abbreviated=False)
    except CtlError:  # something rarer, whose command has to be looked into
        given, rest = leading_options(words, program.command_options() | own)
    options: Options = {}
    first = []
    for name, value in given:
        if name in program.refused:
            raise CtlError(f"{name} not supported")
        if name in own:
            if name == "--verbose" and name in options:  # the only one that may come again: a line for each
                value = f"{options[name] or ''}\n{value or ''}"
            options.update(MEANINGS.get(name, {name: value}))
            for other in OPPOSITES.get(name, ()):
                options.pop(other, None)
        else:
            first.append((name, value))
    return options, first, rest


#: options that stand for others
MEANINGS: "dict[str, Options]" = {"--bare": {"--format": "list", "--data": "bare", "--no-headings": None}}

OPPOSITES = {
    "--leader-only": ("--no-leader-only",),
    "--shuffle-remotes": ("--no-shuffle-remotes",),
    "--no-wait": ("--wait",),
    "--wait": ("--no-wait",),
}


def inform(program: "Program", options: "Options") -> bool:
    """Answer the options that only ask about the program; True if one was given."""
    if "--version" in options:
        write(program.version + "\n")
    elif "--help" in options:
        from pyovn.cli.ctl.help import help_text

        write(help_text(program))
    elif "--commands" in options:
        from pyovn.cli.ctl.help import command_lines

        write(command_lines(program))
    elif "--options" in options:
        from pyovn.cli.ctl.help import option_lines

        write(option_lines(program))
    else:
        return False
    return True


def address(program: "Program", options: "Options") -> str:
    """Where the database is: as said, or as the environment says, or where it is by default."""
    if given := options.get("--db"):
        return given
    return os.environ.get(program.environment[0]) or default_address(program)


def default_address(program: "Program") -> str:
    """The socket of a local database server."""
    variable, directory, file = program.socket
    return f"unix:{os.environ.get(variable) or directory}/{file}"


def limit(options: "Options") -> None:
    """Let the kernel end this process after the time that the user allows."""
    text = options.get("--timeout") or os.environ.get("OVS_CTL_TIMEOUT")
    if not text:
        return
    if not text.isdecimal() or int(text) == 0:
        raise CtlError(f"value {text} on -t or --timeout is invalid")
    from pyovn.cli.ctl.messages import alarm

    alarm(int(text))


def write(text: str) -> None:
    """Print text now."""
    if text:
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
