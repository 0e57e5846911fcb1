"""The command-line tools: CPU time, start of the interpreter included, modules compiled beforehand.

On an idle machine a user waits as long; on a busy one only CPU time can be compared.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.support.c_programs import find
from tests.support.servers import c_server_process, server_process, upstream_schema

from bench import Figure, environment
from pyovn.cli.session import Session, dial

ROUNDS = 15
PORTS = 1_000  #: ports added by one chain
CALLS = 100  #: processes that talk to a daemon
MANY = 10_000  #: ports on one switch when one more is added
SWITCHES, EACH = 100, 50  #: the database of "a look at a large database"


def ours(tool: str, module: str = "", function: str = "main") -> list[str]:
    """Our tool, as its console script starts it."""
    start = f"from pyovn.cli.{module or tool} import {function}; sys.exit({function}())"
    return [sys.executable, "-c", f"import re, sys; sys.argv[0] = 'ovn-{tool}'; {start}"]


def seconds(command: Sequence[str], env: dict[str, str]) -> float:
    """The CPU time that one run takes."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_utime + usage.ru_stime


def chain(commands: Sequence[Sequence[str]]) -> list[str]:
    """The words of a chain of commands."""
    return [word for command in commands for word in ("--", *command)][1:]


class Pair(NamedTuple):
    """Our tool and C's, on one server."""

    remote: str
    environment: dict[str, str]
    theirs: str | None

    def figure(self, what: str, words: Sequence[str], *, before: Sequence[str] = (), rounds: int = ROUNDS) -> Figure:
        """The best of several runs of each; `before` is run ahead of every one, without being timed."""

        def best(tool: Sequence[str]) -> float:
            taken = []
            for _ in range(rounds + 1):
                if before:
                    seconds([*tool, f"--db={self.remote}", *before], self.environment)
                taken.append(seconds([*tool, f"--db={self.remote}", *words], self.environment))
            return min(taken) * 1000

        return Figure(what, best(ours("nbctl")), best([self.theirs]) if self.theirs else None, "ms")

    def run(self, words: Sequence[str]) -> None:
        """Run our tool once."""
        seconds([*ours("nbctl"), f"--db={self.remote}", *words], self.environment)


class Daemon:
    """A tool that stays in the background, ours or C's."""

    def __init__(self, tool: Sequence[str], client: Sequence[str], pair: Pair, path: Path) -> None:
        self.path = path
        self._client = [*client, "-u", str(path)]
        self._environment = pair.environment
        pidfile = path.with_suffix(".pid")
        start = [*tool, f"--db={pair.remote}", "--detach", f"--unixctl={path}", f"--pidfile={pidfile}"]
        subprocess.run(start, env=pair.environment, check=True, stdout=subprocess.DEVNULL)
        self._pid = int(pidfile.read_text())

    def cpu_s(self) -> float:
        """The CPU time that the daemon has taken."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def processes_ms(self, commands: Sequence[Sequence[str]]) -> float:
        """What each of some processes costs, daemon and all, that have it carry a command out."""
        before = self.cpu_s()
        clients = sum(seconds([*self._client, *words], self._environment) for words in commands)
        return (clients + self.cpu_s() - before) / len(commands) * 1000

    def requests_ms(self, commands: Sequence[Sequence[str]]) -> float:
        """What each of some commands costs the daemon that come over one connection."""
        before = self.cpu_s()
        with closing(Session(dial(f"unix:{self.path}"), str(self.path))) as session:
            for words in commands:
                session.call("run", *words)
        return (self.cpu_s() - before) / len(commands) * 1000

    def stop(self) -> None:
        with closing(Session(dial(f"unix:{self.path}"), str(self.path))) as session:
            session.call("exit")


def daemon_figures(pair: Pair, directory: Path) -> Iterator[Figure]:
    """Commands through a daemon of the tool's own."""
    tools = [(ours("nbctl"), ours("nbctl", "start", "nbctl"))]
    tools += [([pair.theirs], [pair.theirs])] if pair.theirs else []
    daemons = [Daemon(tool, client, pair, directory / f"d{at}") for at, (tool, client) in enumerate(tools)]

    def figure(what: str, measured: Callable[[Daemon], float]) -> Figure:
        mine, *theirs = [measured(daemon) for daemon in daemons]
        return Figure(what, mine, theirs[0] if theirs else None, "ms")

    def ports(daemon: Daemon, switch: str, count: int, start: int = 0) -> list[list[str]]:
        names = (f"{daemon.path.name}-{switch}-{number}" for number in range(start, start + count))
        return [["lsp-add", switch, name] for name in names]

    yield figure("ls-list through its daemon", lambda each: each.processes_ms([["ls-list"]] * CALLS))
    daemons[0].requests_ms([["ls-add", "one"], ["ls-add", "two"]])
    yield figure(
        "lsp-add through its daemon, a process each", lambda each: each.processes_ms(ports(each, "one", CALLS))
    )
    what = f"each of {PORTS:,} lsp-add on one connection to it"
    yield figure(what, lambda each: each.requests_ms(ports(each, "two", PORTS)))
    daemons[0].requests_ms([chain([("lsp-add", "two", f"more{number}") for number in range(MANY)])])
    what = f"… beside {MANY:,} ports on the switch"
    yield figure(what, lambda each: each.requests_ms(ports(each, "two", CALLS, PORTS)))
    for daemon in daemons:
        daemon.stop()


def measure(pair: Pair) -> Iterator[Figure]:
    """Each of our figures beside C's."""
    pair.run(["init"])
    yield pair.figure("ovn-nbctl show, empty database", ["show"])
    yield pair.figure("ovn-nbctl ls-list, empty database", ["ls-list"])
    yield pair.figure("ovn-nbctl list NB_Global", ["list", "NB_Global"])
    anew = chain([("--if-exists", "ls-del", "big"), ("ls-add", "big")])
    ports = chain([("lsp-add", "big", f"port{number}") for number in range(PORTS)])
    yield pair.figure(f"{PORTS:,} lsp-add in one chain", ports, before=anew, rounds=3)
    pair.run(["ls-del", "big"])
    pair.run(chain([("ls-add", f"s{number}") for number in range(SWITCHES)]))
    pair.run(chain([("lsp-add", f"s{number % SWITCHES}", f"p{number}") for number in range(SWITCHES * EACH)]))
    yield pair.figure(f"ovn-nbctl show, {SWITCHES}×{EACH} ports", ["show"], rounds=3)
    yield pair.figure("… lsp-add on that database", ["--may-exist", "lsp-add", "s1", "p1"], rounds=3)


def main() -> list[Figure]:
    """Measure on the C server where it is installed, otherwise on ours."""
    program = find("ovn-nbctl")
    serve = c_server_process if find("ovsdb-server") else server_process
    with environment() as env, serve(upstream_schema("ovn-nb")) as server:
        pair = Pair(server.remote, env, str(program) if program else None)
        figures = list(measure(pair))
        with tempfile.TemporaryDirectory() as directory:
            return [*figures, *daemon_figures(pair, Path(directory))]
