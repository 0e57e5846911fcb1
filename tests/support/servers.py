"""OVSDB servers for tests: ours and C's, behind one interface.

    async with embedded_server(tmp, schema) as server:     in this test's loop
    with server_process(schema) as server:                 ours, a process of its own
    with c_server_process(schema, "26.03") as server:      C's

    server.remote                 "unix:…", for any client
    server.rpc()                  a bare connection, blocking
    server.transact(db, *ops)     the results of one transaction (from another thread or process than the server's)

Schemas are JSON; one or several of them.  `upstream_schema("ovn-nb")` has OVN's own.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from pyovn.daemons.ovsdb_server import OvsdbServer
from pyovn.ovsdb.schema import Schema
from pyovn.runtime.ovsdb_server.shell import create_log
from pyovn.tables.nb import NORTHBOUND
from pyovn.tables.sb import SOUTHBOUND
from pyovn.tables.vswitch import OPEN_VSWITCH
from tests.support.c_programs import need

Json = Any
UPSTREAM = {"ovn-nb": NORTHBOUND, "ovn-sb": SOUTHBOUND, "vswitch": OPEN_VSWITCH}
PATIENCE_S = 10.0


def upstream_schema(name: str) -> dict[str, Json]:
    """The schema "ovn-nb", "ovn-sb" or "vswitch" as JSON."""
    return UPSTREAM[name].schema()


class Rpc:
    """A bare JSON-RPC connection that blocks."""

    def __init__(self, path: str, timeout_s: float = PATIENCE_S) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.notes: list[Json] = []
        self._buffer = b""
        self._id = 0

    def __enter__(self) -> "Rpc":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, *messages: Json) -> None:
        """Send messages, or bytes as they are."""
        for message in messages:
            self.socket.sendall(message if isinstance(message, bytes) else json.dumps(message).encode())

    def receive(self) -> Json:
        """The next message; None where the server hung up."""
        while True:
            text = self._buffer.decode(errors="ignore").lstrip()
            if text:
                try:
                    message, end = json.JSONDecoder().raw_decode(text)
                except ValueError:
                    pass
                else:
                    self._buffer = text[end:].encode()
                    return message
            piece = self.socket.recv(1 << 20)
            if not piece:
                return None
            self._buffer += piece

    def call(self, method: str, *params: Json) -> Json:
        """The answer to a request; notifications that come first are kept in `notes`."""
        self._id += 1
        self.send({"id": self._id, "method": method, "params": params})
        while True:
            message = self.receive()
            assert message is not None, "the server hung up"
            if message.get("id") == self._id and "method" not in message:
                return message
            self.notes.append(message)

    def transact(self, database: str, *operations: Json) -> Json:
        """The results of a transaction."""
        answer = self.call("transact", database, *operations)
        return answer["result"] if answer.get("error") is None else answer["error"]


class RunningServer:
    """A server in a process of its own."""

    def __init__(self, directory: Path, files: Sequence[Path], command: Sequence[str | Path]) -> None:
        self.directory = directory
        self.files = tuple(files)
        self.path = str(directory / "s")
        self.remote = f"unix:{self.path}"
        self.control = str(directory / "c")
        self.process: subprocess.Popen[str] | None = None
        self._command = [*map(str, command), f"--remote=punix:{self.path}", f"--unixctl={self.control}"]

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, *more: str) -> None:
        """Start the server and wait until it listens."""
        Path(self.path).unlink(missing_ok=True)
        with open(self.directory / "stderr", "a") as log:
            self.process = subprocess.Popen(
                [*self._command, *more, *map(str, self.files)], cwd=self.directory, stderr=log, text=True
            )
        deadline = time.monotonic() + PATIENCE_S
        while not (listens(self.path) and listens(self.control)):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, f"the server does not listen: {self.log()}"
            time.sleep(0.01)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the server with a signal and wait for its end."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def log(self) -> str:
        """What the server said."""
        return (self.directory / "stderr").read_text()

    def rpc(self) -> Rpc:
        return Rpc(self.path)

    def transact(self, database: str, *operations: Json) -> Json:
        with self.rpc() as rpc:
            return rpc.transact(database, *operations)


@contextmanager
def server_process(*schemas: Mapping[str, Json], arguments: Sequence[str] = ()) -> Iterator[RunningServer]:
    """Our server as a process, with a file for each schema."""
    with tempfile.TemporaryDirectory(prefix="ov") as name:
        directory = Path(name)
        files = [directory / f"{schema['name']}.db" for schema in schemas]
        for file, schema in zip(files, schemas, strict=True):
            create_log(file, Schema.parse(schema))
        command: list[str | Path] = [sys.executable, "-m", "pyovn.daemons.ovsdb_server", "-vsyslog:off", *arguments]
        yield from _running(RunningServer(directory, files, command))


@contextmanager
def c_server_process(*schemas: Mapping[str, Json], version: str = "any") -> Iterator[RunningServer]:
    """The C server, likewise; the test is skipped where it is missing."""
    program, tool = need("ovsdb-server", version), need("ovsdb-tool", version)
    with tempfile.TemporaryDirectory(prefix="ov") as name:
        directory = Path(name)
        files = [directory / f"{schema['name']}.db" for schema in schemas]
        for file, schema in zip(files, schemas, strict=True):
            (directory / "schema").write_text(json.dumps(schema))
            subprocess.run([tool, "create", file, directory / "schema"], check=True, capture_output=True)
        command = [program, "-vconsole:warn", "-vsyslog:off", "--no-chdir"]
        yield from _running(RunningServer(directory, files, command))


def _running(server: RunningServer) -> Iterator[RunningServer]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


class EmbeddedServer:
    """Our server in this process."""

    def __init__(self, server: OvsdbServer, directory: Path, files: Sequence[Path]) -> None:
        self.server = server
        self.shell = server.shell
        self.files = tuple(files)
        self.path = str(directory / "s")
        self.remote = f"unix:{self.path}"
        self.control = str(directory / "c")

    def rpc(self) -> Rpc:
        return Rpc(self.path)

    async def transact(self, database: str, *operations: Json) -> Json:
        """The results of a transaction."""
        return await asyncio.to_thread(self._transact, database, operations)

    def _transact(self, database: str, operations: Sequence[Json]) -> Json:
        with self.rpc() as rpc:
            return rpc.transact(database, *operations)


@asynccontextmanager
async def embedded_server(
    directory: Path | str | None, *schemas: Mapping[str, Json], in_memory: bool = False
) -> AsyncIterator[EmbeddedServer]:
    """Our server in the running loop, with files in `directory` (default: one of its own) or without any."""
    with tempfile.TemporaryDirectory(prefix="ov") as name:
        place = Path(directory or name)
        files = [] if in_memory else [place / f"{schema['name']}.db" for schema in schemas]
        for file, schema in zip(files, schemas, strict=False):
            if not file.exists():
                create_log(file, Schema.parse(schema))
        own = Path(name)  # socket paths must be short, pytest's directories are not
        remote, control = f"punix:{own / 's'}", str(own / "c")
        server = OvsdbServer(schemas if in_memory else files, [remote], control=control)
        await server.start()
        try:
            yield EmbeddedServer(server, own, files)
        finally:
            await server.stop()


def listens(path: str) -> bool:
    """True where a server listens at a UNIX socket."""
    if not os.path.exists(path):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0
