"""The command-line tools: how long a user waits, start of the interpreter included, modules compiled beforehand."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.c_programs import find
from tests.support.servers import c_server_process, server_process, upstream_schema

from bench import Figure, environment
from pyovn.cli.session import Session, dial

ROUNDS = 15
PORTS = 1_000  #: ports added by one chain
SWITCHES, EACH = 100, 50  #: the database of "a look at a large database"


def ours(tool: str) -> list[str]:
    """Our tool, as its console script starts it."""
    code = f"import re, sys; sys.argv[0] = 'ovn-{tool}'; from pyovn.cli.{tool} import main; sys.exit(main())"
    return [sys.executable, "-c", code]


def seconds(command: Sequence[str], env: dict[str, str]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


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


def daemon_figure(pair: Pair, directory: Path) -> Figure:
    """`ls-list` through a daemon of the tool's own."""

    def best(tool: Sequence[str], path: Path) -> float:
        start = [*tool, f"--db={pair.remote}", "--detach", f"--unixctl={path}"]
        subprocess.run(start, env=pair.environment, check=True, stdout=subprocess.DEVNULL)
        try:
            return min(seconds([*tool, "-u", str(path), "ls-list"], pair.environment) for _ in range(ROUNDS)) * 1000
        finally:
            control = Session(dial(f"unix:{path}"), str(path))
            control.call("exit")
            control.close()

    theirs = best([pair.theirs], directory / "c") if pair.theirs else None
    return Figure("ovn-nbctl ls-list through its daemon", best(ours("nbctl"), directory / "o"), theirs, "ms")


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
            return [*figures, daemon_figure(pair, Path(directory))]
