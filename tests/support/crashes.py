"""Database servers that are killed in the middle of their work, and a look at what they left behind.

    with Victims() as victims:
        victims.kill_one(delay_s)        start, load, kill; raises AssertionError where something is amiss

Servers are forked from a process that has everything imported, so that one life takes a few hundredths of a second.
"""

import contextlib
import multiprocessing
import os
import random
import resource
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from pyovn.ovsdb.schema import Schema
from pyovn.runtime.ovsdb_server.logfile import create_log, open_log
from pyovn.runtime.ovsdb_server.uuids import random_uuids
from tests.support.c_programs import find
from tests.support.rich_schema import RICH
from tests.support.servers import PATIENCE_S, Rpc, listens

WRITERS = 2
LIVES = 30  #: of one file


def _serve(path: str, remote: str, control: str, most_bytes: int | None) -> None:
    from pyovn.daemons.ovsdb_server import main

    if most_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    with open(os.path.join(os.path.dirname(path), "log"), "a") as log:
        os.dup2(log.fileno(), 2)
    main([path, f"--remote=punix:{remote}", f"--unixctl={control}", "-vsyslog:off", "-vconsole:warn"])


class Writer(threading.Thread):
    """Inserts pairs of rows, one after the other, and keeps what was acknowledged."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._rpc = Rpc(path)
        self._tag = random.randrange(10**12)
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()

    def run(self) -> None:
        with contextlib.suppress(OSError, AssertionError):
            for count in range(100_000):
                name = f"{self._tag}.{count}"
                row = {"name": name, "color": "red", "kid": ["named-uuid", "k"]}
                results = self._rpc.transact(
                    "Rich",
                    {"op": "insert", "table": "Root", "row": row},
                    {"op": "insert", "table": "Kid", "uuid-name": "k", "row": {"name": name}},
                    {"op": "commit", "durable": count % 2 == 0},
                )
                (self.refused if "error" in results[-1] else self.acknowledged).add(name)
        self._rpc.close()


class Compactor(threading.Thread):
    """Has the server compact its file, again and again."""

    def __init__(self, control: str) -> None:
        super().__init__()
        self._control = control

    def run(self) -> None:
        with contextlib.suppress(OSError, AssertionError), contextlib.closing(Rpc(self._control)) as rpc:
            while True:
                rpc.call("ovsdb-server/compact")
                time.sleep(random.uniform(0, 0.02))


class Victims:
    """A file, and one server after the other that works on it until it is killed."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="ov")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["pyovn.daemons.ovsdb_server"])
        self._lives = 0
        self.kills = 0
        self.acknowledged = 0
        self.refused = 0
        self.unfinished_compactions = 0

    def __enter__(self) -> "Victims":
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()

    @property
    def file(self) -> Path:
        """The database."""
        return Path(self._directory.name) / "db"

    def kill_one(self, delay_s: float, *, disk_bytes: int | None = None) -> None:
        """Kill a server under load: every acknowledged row is there, none that was refused, no half transaction."""
        if self._lives % LIVES == 0:
            self.file.unlink(missing_ok=True)
            create_log(self.file, Schema.parse(RICH))
            self._before: set[str] = set()
        self._lives += 1
        most = None if disk_bytes is None else self.file.stat().st_size + disk_bytes
        remote, control = (os.path.join(self._directory.name, name) for name in "sc")
        server = self._context.Process(target=_serve, args=(str(self.file), remote, control, most))
        server.start()
        self._await(server, remote)
        writers = [Writer(remote) for _ in range(WRITERS)]
        threads: list[threading.Thread] = [*writers, Compactor(control)]
        for thread in threads:
            thread.start()
        time.sleep(delay_s)
        server.kill()
        server.join()
        server.close()
        for thread in threads:
            thread.join()
        for path in (remote, control):
            Path(path).unlink(missing_ok=True)
        self._look(writers)

    def _await(self, server: Any, path: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not listens(path):
            assert server.is_alive(), (Path(self._directory.name) / "log").read_text()
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.002)

    def _look(self, writers: list[Writer]) -> None:
        self.kills += 1
        self.unfinished_compactions += self.file.with_name("db.tmp").exists()
        database, log = open_log(self.file, random_uuids())
        log.abandon()
        roots, kids = (database.tables[name] for name in ("Root", "Kid"))
        names, kid_names = (
            {row[table.by_name["name"].place] for row in table.rows.values()} for table in (roots, kids)
        )
        acknowledged = set().union(*(writer.acknowledged for writer in writers))
        refused = set().union(*(writer.refused for writer in writers))
        assert names == kid_names, "half a transaction"
        assert names >= self._before | acknowledged, "an acknowledged transaction is lost"
        assert not names & refused, "a refused transaction came back"
        assert len(names - self._before - acknowledged) <= WRITERS, "rows that nobody asked for"
        self._before = names
        self.acknowledged += len(acknowledged)
        self.refused += len(refused)
        if self.kills % 50 == 0:
            self._ask_c(len(names))

    def _ask_c(self, count: int) -> None:
        """Have the C tool read the same file."""
        tool = find("ovsdb-tool")
        if tool is not None:
            query = '["Rich", {"op": "select", "table": "Root", "where": [], "columns": ["_uuid"]}]'
            done = subprocess.run([tool, "query", self.file, query], check=True, capture_output=True, text=True)
            assert done.stdout.count("uuid") >= count
