"""Two equal databases: the C tool works on one, ours on the other; all they say and leave is compared.

    argv ─┬─ C program ──────────▶ server, database A ─┐
          └─ ours, in process ───▶ server, database B ─┴─▶ stdout, stderr, exit status, contents

UUIDs differ between the twins, and so does whatever is printed in their order: text is compared with UUIDs blanked
and lines sorted, contents by what rows say and refer to.
"""

import contextlib
import io
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pyovn.cli.ctl.frame import main
from pyovn.cli.ctl.program import Program
from pyovn.cli.session import Session, dial

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NAMED = re.compile(r"row[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}")
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d+\|.*\n", re.MULTILINE)
SCHEMAS = Path(os.environ.get("PYOVN_SCHEMAS", Path(__file__).parents[3] / "shared/reference/schemas"))


class Outcome(NamedTuple):
    status: int
    stdout: str
    stderr: str

    def blurred(self, *, ordered: bool = False) -> "Outcome":
        """Without what may differ."""
        stdout = UUID.sub("UUID", self.stdout)
        if not ordered:
            stdout = "\n".join(sorted(stdout.splitlines()))
        return Outcome(self.status, stdout, NAMED.sub("UUID", UUID.sub("UUID", LOG_LINE.sub("", self.stderr))))


class Server:
    """A C ovsdb-server with one database of each schema."""

    def __init__(self, programs: Path, directory: Path, schemas: Sequence[Path]) -> None:
        directory.mkdir()
        self.socket = directory / "s"
        files = []
        for schema in schemas:
            files.append(str(directory / schema.stem))
            subprocess.run([programs / "ovsdb-tool", "create", files[-1], schema], check=True)
        command = [programs / "ovsdb-server", f"--remote=punix:{self.socket}", "--unixctl", directory / "ctl", *files]
        self.process = subprocess.Popen([*map(str, command)], cwd=directory, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.remote = f"unix:{self.socket}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        session = Session(dial(self.remote), self.remote)
        yield session
        session.close()

    def contents(self, database: str) -> "dict[str, dict[str, Any]]":
        with self.session() as session:
            tables = session.call("get_schema", database)["tables"]
            rows: dict[str, dict[str, Any]] = session.call("monitor", database, None, {table: {} for table in tables})
            return {table: {uuid: row["new"] for uuid, row in of.items()} for table, of in rows.items()}

    def wipe(self, database: str) -> None:
        with self.session() as session:
            tables = session.call("get_schema", database)["tables"]
            deletions = [{"op": "delete", "table": table, "where": []} for table in tables]
            results = session.call("transact", database, *deletions)
            assert all("count" in result for result in results), results

    def copy_to(self, other: "Server", database: str) -> None:
        """Give `other` the same rows, with the same UUIDs."""
        rows = self.contents(database)
        names = {uuid for of in rows.values() for uuid in of}

        def named(value: Any) -> Any:
            return value

        with other.session() as session:
            inserts = [
                {"op": "insert", "table": table, "uuid": uuid, "row": named(row)}
                for table, of in rows.items()
                for uuid, row in of.items()
                if uuid in names
            ]
            results = session.call("transact", database, *inserts)
            assert not any(result.get("error") for result in results if result), results


def description(contents: "dict[str, dict[str, Any]]", ignored: "frozenset[str]" = frozenset()) -> "Counter[str]":
    """What a database says, in words that do not depend on its UUIDs."""
    said = {uuid: table for table, rows in contents.items() for uuid in rows}
    for _ in range(4):
        said = {
            uuid: f"{table} " + str(_plain({k: v for k, v in row.items() if k not in ignored}, said))
            for table, rows in contents.items()
            for uuid, row in rows.items()
        }
        said = {uuid: text if len(text) < 500 else f"{text[:400]}…{hash(text)}" for uuid, text in said.items()}
    return Counter(said.values())


def _plain(value: Any, said: "dict[str, str]") -> Any:
    if isinstance(value, dict):
        return {key: _plain(item, said) for key, item in sorted(value.items())}
    if isinstance(value, list):
        if len(value) == 2 and value[0] == "uuid":
            return f"<{said.get(value[1], '?')}>"
        if len(value) == 2 and value[0] in ("set", "map"):
            return [value[0], sorted((_plain(item, said) for item in value[1]), key=repr)]
        return [_plain(item, said) for item in value]
    return value


class Twins:
    """A C tool and ours, side by side."""

    def __init__(self, c_program: Path, program: Program, theirs: Server, ours: Server) -> None:
        self.c_program = c_program
        self.program = program
        self.theirs = theirs
        self.ours = ours

    def run_c(self, server: Server, words: Sequence[str]) -> Outcome:
        command = [str(self.c_program), f"--db={server.remote}", *words]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def run_ours(self, server: Server, words: Sequence[str]) -> Outcome:
        return run_ours(self.program, [f"--db={server.remote}", *words])

    def differ(self, *words: str) -> "str | None":
        """What comes out differently, if anything does."""
        theirs, ours = self.run_c(self.theirs, words), self.run_ours(self.ours, words)
        if theirs.blurred() != ours.blurred():
            return f"{words}\n--- C\n{theirs}\n--- ours\n{ours}"
        return None

    def contents_differ(self) -> "str | None":
        """What the databases hold differently, if anything."""
        one, two = (description(server.contents(self.program.database)) for server in (self.theirs, self.ours))
        if one == two:
            return None
        return f"only C: {[*(one - two)]}\nonly ours: {[*(two - one)]}"

    def differ_looking(self, *words: str) -> "str | None":
        """What a command that changes nothing says differently about the very same database."""
        theirs, ours = self.run_c(self.theirs, words), self.run_ours(self.theirs, words)
        if theirs.blurred(ordered=False) != ours.blurred(ordered=False):
            return f"{words}\n--- C\n{theirs}\n--- ours\n{ours}"
        return None

    def wipe(self) -> None:
        for server in (self.theirs, self.ours):
            server.wipe(self.program.database)


def run_ours(program: Program, words: Sequence[str]) -> Outcome:
    """Run one of our tools in this process."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        status = main(program, list(words))
    stdout.flush()
    return Outcome(status, stdout.buffer.getvalue().decode(), stderr.getvalue())  # type: ignore[attr-defined]
