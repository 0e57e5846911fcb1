"""Two equal databases: the C tool works on one, ours on the other; all they say and leave is compared.

    argv ─┬─ C program ──────────▶ server, database A ─┐
          └─ ours, in process ───▶ server, database B ─┴─▶ stdout, stderr, exit status, contents

UUIDs differ between the twins, and so does whatever is printed in their order: text is compared with UUIDs blanked
and lines sorted, contents by what rows say and refer to.

A conversation is a file with a command on each line, as a shell would read it:

    lsp-add sw0 p1
    set ACL ${ACL,priority=5} log=true      the UUID of the only such row, in each database its own
    26.03| lsp-add-router-port sw0 p2 rp    where 23.03 behaves differently, or knows no such command
    WIPE                                    start anew with empty databases
"""

import contextlib
import io
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pyovn.cli.ctl.frame import main
from pyovn.cli.ctl.program import Program
from pyovn.cli.session import Session, dial

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SHORT_UUID = re.compile(r'(<a (?:name|href)="#?UUID">|uuid=0x)[0-9a-f]{8}|^[0-9a-f]{4,5}(?= )', re.MULTILINE)
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d+\|.*\n", re.MULTILINE)
HINT = re.compile(r"^Did you mean .*\n", re.MULTILINE)  #: what ours says after C's message
LOOK_UP = re.compile(r"\$\{(\w+),([^}]*)\}")
DEPTH = 4  #: of references followed when contents are compared

Contents = dict[str, dict[str, dict[str, Any]]]


class Outcome(NamedTuple):
    """What a run of a program came to."""

    status: int
    stdout: str
    stderr: str

    def blurred(self) -> "Outcome":
        """Without what may differ."""
        lines = sorted(SHORT_UUID.sub(r"\1", UUID.sub("UUID", self.stdout)).splitlines())
        stderr = UUID.sub("UUID", HINT.sub("", LOG_LINE.sub("", self.stderr)))
        return Outcome(self.status, "\n".join(lines), stderr)


@contextlib.contextmanager
def session(remote: str) -> Iterator[Session]:
    """A bare session with a server."""
    found = Session(dial(remote), remote)
    yield found
    found.close()


def contents(remote: str, database: str) -> Contents:
    """Every row of a database."""
    with session(remote) as opened:
        tables = opened.call("get_schema", database)["tables"]
        rows: Contents = opened.call("monitor", database, None, {table: {} for table in tables})
        return {table: {uuid: row["new"] for uuid, row in of.items()} for table, of in rows.items()}


def wipe(remote: str, database: str) -> None:
    """Delete every row of a database."""
    with session(remote) as opened:
        tables = opened.call("get_schema", database)["tables"]
        opened.call("transact", database, *({"op": "delete", "table": table, "where": []} for table in tables))


def description(rows: Contents) -> Counter[str]:
    """What a database says, in words that do not depend on its UUIDs."""
    said = {uuid: table for table, of in rows.items() for uuid in of}
    for _ in range(DEPTH):
        said = {uuid: f"{table} {_plain(row, said)}" for table, of in rows.items() for uuid, row in of.items()}
        said = {uuid: text if len(text) < 500 else f"{text[:400]}…{hash(text)}" for uuid, text in said.items()}
    return Counter(said.values())


def _plain(value: Any, said: dict[str, str]) -> Any:
    match value:
        case dict():
            return {key: _plain(item, said) for key, item in sorted(value.items()) if key != "_version"}
        case ["uuid", uuid]:
            return f"<{said.get(uuid, '?')}>"
        case ["set" | "map" as kind, items]:
            return [kind, sorted((_plain(item, said) for item in items), key=repr)]
        case list():
            return [_plain(item, said) for item in value]
    return value


class Twins:
    """A C tool and ours, each with a server."""

    def __init__(
        self, c_program: Path, program: Program, remotes: tuple[str, str], *, always: Sequence[str] = ()
    ) -> None:
        self.c_program = c_program
        self.program = program
        self.theirs, self.ours = remotes
        self.always = list(always)  #: options that go before every command

    def run_c(self, remote: str, words: Sequence[str]) -> Outcome:
        """Run the C tool."""
        command = [str(self.c_program), f"--db={remote}", *self.always, *words]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def run_ours(self, remote: str, words: Sequence[str]) -> Outcome:
        """Run our tool."""
        return run(self.program, [f"--db={remote}", *self.always, *words])

    def say(self, line: str) -> str | None:
        """Say one line of a conversation to both; what comes out differently, if anything."""
        if line == "WIPE":
            for remote in (self.theirs, self.ours):
                wipe(remote, self.program.database)
            return None
        theirs = self.run_c(self.theirs, self._words(line, self.theirs)).blurred()
        ours = self.run_ours(self.ours, self._words(line, self.ours)).blurred()
        return None if theirs == ours else f"{line}\n  C:    {theirs}\n  ours: {ours}"

    def contents_differ(self) -> str | None:
        """What the databases hold differently, if anything."""
        one, two = (description(contents(remote, self.program.database)) for remote in (self.theirs, self.ours))
        if one == two:
            return None
        return f"only C: {[*(one - two)]}\n  only ours: {[*(two - one)]}"

    def _words(self, line: str, remote: str) -> list[str]:
        def uuid(found: re.Match[str]) -> str:
            condition = [found[2]] if found[2] else []
            words = ["--bare", "--columns=_uuid", "find", found[1], *condition]
            return self.run_ours(remote, words).stdout.strip()

        return [LOOK_UP.sub(uuid, word) for word in shlex.split(line)]


def run(program: Program, words: Sequence[str]) -> Outcome:
    """Run one of our tools in this process."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        status = main(program, list(words))
    stdout.flush()
    assert isinstance(stdout.buffer, io.BytesIO)
    return Outcome(status, stdout.buffer.getvalue().decode(), stderr.getvalue())


def conversation(path: Path, version: str) -> list[str]:
    """The lines of a conversation that make sense with C tools of `version`."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    return [
        line.removeprefix("26.03| ")
        for line in lines
        if line and not line.startswith("#") and (version == "26.03" or not line.startswith("26.03| "))
    ]
