"""Daemons as processes: started detached, found by their pidfiles, asked and then made to end.

stop: `exit` on the control socket ─▶ SIGTERM ─▶ SIGKILL, each after some time without success
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple, NoReturn

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.session import ConnectionFailed, Refused, Session, dial
from pyovn.net.errors import OvnError
from pyovn.runtime.pidfile import DaemonFault, holder

RUN = "from {} import main; raise SystemExit(main())"
POLITE_S = 5.0  #: how long a daemon may take to exit when asked
FIRM_S = 3.0  #: and how long after SIGTERM


class Process(NamedTuple):
    """A daemon's name, its module, its pidfile and its control socket (without one: beside the pidfile)."""

    name: str
    module: str
    pidfile: Path
    socket: Path | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, where it runs."""
        try:
            pid = holder(str(self.pidfile))
        except DaemonFault:
            return None
        return pid if pid else None

    def control(self, pid: int) -> Path:
        """The path of its control socket."""
        return self.socket or self.pidfile.with_name(f"{self.name}.{pid}.ctl")


def command(
    process: Process, words: Sequence[str], *, wrapper: str = "", priority: str = "", program: str = ""
) -> list[str]:
    """The command line of a daemon: ours, or another program."""
    niceness = ["nice", "-n", priority] if priority and os.geteuid() == 0 else []
    ours = [sys.executable, "-c", RUN.format(process.module)]
    return [*niceness, *shlex.split(wrapper), *([program] if program else ours), *words]


def become(line: Sequence[str]) -> NoReturn:
    """Go on as another program."""
    sys.stdout.flush()
    os.execvp(line[0], list(line))


def start(process: Process, title: str, line: Sequence[str]) -> None:
    """Start a daemon; raises `CtlError`."""
    say(f"Starting {title}.")
    done = subprocess.run(line, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise CtlError(f"{title} could not be started (exit status {done.returncode})")


def stop(process: Process, *, restart: bool = False) -> None:
    """End a daemon, if it runs."""
    pid = process.pid
    if pid is None:
        say(f"{process.name} is not running.")
        return
    if _exited(process, pid, restart=restart):
        say(f"Exiting {process.name} ({pid}).")
        return
    say(f"Exiting {process.name} ({pid}) ... failed!")
    for number, verb, patience in ((signal.SIGTERM, "Terminating", FIRM_S), (signal.SIGKILL, "Killing", FIRM_S)):
        say(f"{verb} {process.name} ({pid}).")
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if _gone(pid, patience):
            return


def ask(process: Process, command: str, *words: str) -> str:
    """What a running daemon answers to a command; raises `CtlError`."""
    pid = process.pid
    if pid is None:
        raise CtlError(f"{process.name} is not running")
    try:
        session = Session(dial(f"unix:{process.control(pid)}"), process.name)
        try:
            return str(session.call(command, *words))
        finally:
            session.close()
    except (OSError, OvnError) as fault:
        raise CtlError(f"{process.name}: {command}: {str(fault).strip()}") from None


def _exited(process: Process, pid: int, *, restart: bool) -> bool:
    """Ask a daemon to exit; True once it has."""
    try:
        session = Session(dial(f"unix:{process.control(pid)}"), process.name)
    except OSError:
        return False
    with suppress(Refused, ConnectionFailed):
        session.call("exit", *(["--restart"] if restart else []))
    session.close()
    return _gone(pid, POLITE_S)


def _gone(pid: int, patience_s: float) -> bool:
    deadline = monotonic() + patience_s
    while lives(pid):
        if monotonic() > deadline:
            return False
        sleep(0.02)
    return True


def lives(pid: int) -> bool:
    """True while a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(") ")[2][:1]
    except OSError:
        return False
    return state != "Z"


def say(text: str) -> None:
    """Print a line now: the daemons print, too."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
