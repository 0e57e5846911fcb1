"""The C `ovsdb-server` on a database of ours, for interop tests."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.c_programs import need


class CServer:
    """One database on one C server, which can be killed and started again."""

    def __init__(self, directory: Path, schema: dict[str, Any], version: str, *, clustered: bool = False) -> None:
        self.directory = directory
        self.remote = f"unix:{directory}/s"
        self.program = need("ovsdb-server", version)
        self.file = directory / "db"
        (directory / "schema").write_text(json.dumps(schema))
        arguments = (
            ["create-cluster", "db", "schema", f"unix:{directory}/r"] if clustered else ["create", "db", "schema"]
        )
        subprocess.run([need("ovsdb-tool", version), *arguments], cwd=directory, check=True, capture_output=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start the server and wait until it listens."""
        socket = self.directory / "s"
        socket.unlink(missing_ok=True)
        control = self.directory / "c"
        arguments = [f"--remote=punix:{socket}", f"--unixctl={control}", "-vconsole:off", "-vsyslog:off", *more]
        self.process = subprocess.Popen([self.program, *arguments, self.file], cwd=self.directory)
        deadline = time.monotonic() + 10
        while not socket.exists():
            assert self.process.poll() is None, "ovsdb-server ended at once"
            assert time.monotonic() < deadline, "ovsdb-server does not listen"
            time.sleep(0.01)

    def kill(self) -> None:
        """End the server without ceremony."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self, *arguments: str) -> str:
        """What `ovsdb-client` prints."""
        return subprocess.run(
            [need("ovsdb-client"), "--timeout=10", *arguments], check=True, capture_output=True, text=True
        ).stdout

    def transact(self, database: str, *operations: dict[str, Any]) -> Any:
        """Results of a transaction made by `ovsdb-client`."""
        return json.loads(self.client("transact", self.remote, json.dumps([database, *operations])))


@contextmanager
def c_server(schema: dict[str, Any], version: str, *, clustered: bool = False, start: bool = True) -> Iterator[CServer]:
    """A C server with an empty database, running if it is to be started."""
    with tempfile.TemporaryDirectory(prefix="ov") as directory:
        server = CServer(Path(directory), schema, version, clustered=clustered)
        try:
            if start:
                server.start()
            yield server
        finally:
            server.kill()
