"""Clusters of C ovsdb-servers for tests, and relays in front of them.

    with cluster("ovn-nb", "ovn-sb") as three:
        three.remotes("OVN_Northbound")     "unix:…,unix:…,unix:…", for any client
        three.leader("OVN_Northbound")      a Member: kill(), freeze(), thaw(), start(), remote, says(database)
    with cluster("ovn-nb", wires=Wires()) as three:
        three.cut(member)                   nothing goes between it and the other members; clients reach all of them
    with relay(three, "OVN_Southbound") as remote:

Each member serves one file per schema, so it may lead for one database and follow for the other.
"""

import contextlib
import functools
import itertools
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.c_programs import need
from tests.support.servers import Rpc, upstream_schema

PATIENCE_S = 20.0
QUIET = ("-vconsole:off", "-vsyslog:off")


def eventually(holds: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What `holds` gives, once it is true."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            if found := holds():
                return found
        except (OSError, AssertionError, LookupError, ValueError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(holds)
        time.sleep(0.05)


class Wires:
    """A network of their own for the members of a cluster, in which any of them can be cut off (root).

    Clients reach members by UNIX sockets, which namespaces do not part.
    """

    def __init__(self) -> None:
        self._spaces = [f"cl{os.getpid()}m{number}" for number in range(3)]

    def __enter__(self) -> "Wires":
        for number, space in enumerate(self._spaces):
            _ip("netns", "add", space)
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "addr", "add", self.host(number), "dev", "lo")
        for one, other in itertools.combinations(range(3), 2):
            peer = ("peer", "name", f"to{one}", "netns", self._spaces[other])
            _ip("-n", self._spaces[one], "link", "add", f"to{other}", "type", "veth", *peer)
        for number in range(3):
            self.connect(number, on=True)
        return self

    def __exit__(self, *_: object) -> None:
        for space in self._spaces:
            _ip("netns", "del", space)

    def host(self, number: int) -> str:
        """A member's address."""
        return f"10.98.0.{number + 1}"

    def within(self, number: int) -> list[str]:
        """What runs a command in a member's namespace."""
        return ["ip", "netns", "exec", self._spaces[number]]

    def connect(self, number: int, *, on: bool) -> None:
        """Let frames through between a member and all others, or none at all."""
        for one, other in itertools.permutations(range(3), 2):
            if number in (one, other):
                space, device = self._spaces[one], f"to{other}"
                _ip("-n", space, "link", "set", device, "up" if on else "down")
                if on:
                    _ip("-n", space, "route", "replace", self.host(other), "dev", device, "src", self.host(one))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Member:
    """One server of a cluster."""

    def __init__(
        self, program: Path, directory: Path, number: int, databases: Sequence[str], wires: Wires | None = None
    ) -> None:
        self.number = number
        self.directory = directory
        self.socket = directory / f"s{number}"
        self.control = directory / f"c{number}"
        self.remote = f"unix:{self.socket}"
        self.files = {name: directory / f"{name}{number}.db" for name in databases}
        self.process: subprocess.Popen[bytes] | None = None
        self._program = [*(wires.within(number) if wires else ()), str(program)]
        self._wires = wires

    def address(self, database: str) -> str:
        """Where the other members reach this one."""
        if self._wires is not None:
            return f"tcp:{self._wires.host(self.number)}:{6640 + ord(database[4])}"
        return f"unix:{self.directory}/r{self.number}{database[4]}"

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        places = {"OVS_RUNDIR": str(self.directory), "OVN_RUNDIR": str(self.directory)}
        self.process = subprocess.Popen(
            [*self._program, *QUIET, f"--log-file={self.directory}/log{self.number}", f"--remote=punix:{self.socket}",
             f"--unixctl={self.control}", *self.files.values()],
            cwd=self.directory, env={**os.environ, **places}, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self) -> None:
        """End the server at once; a frozen one, too."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Cut the server off: it neither answers nor notices that time goes by."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def rpc(self) -> Rpc:
        return Rpc(str(self.socket), 5.0)

    def says(self, database: str) -> dict[str, Any]:
        """What the member says about itself."""
        select = {"op": "select", "table": "Database", "where": [["name", "==", database]]}
        with self.rpc() as rpc:
            (row,) = rpc.transact("_Server", select)[0]["rows"]
            assert isinstance(row, dict)
            return row

    def follows(self, database: str) -> bool:
        """True where the member has a leader, or leads."""
        return bool(self.says(database)["connected"])

    def transact(self, database: str, *operations: Any) -> Any:
        with self.rpc() as rpc:
            return rpc.transact(database, *operations)


class Cluster:
    """Three servers."""

    def __init__(self, members: Sequence[Member], databases: Sequence[str], wires: Wires | None = None) -> None:
        self._wires = wires
        self.apart: set[Member] = set()
        self.members = tuple(members)
        self.databases = tuple(databases)
        self.frozen: set[Member] = set()

    def remotes(self) -> str:
        """All members, as clients are told them."""
        return ",".join(member.remote for member in self.members)

    def running(self) -> list[Member]:
        away = self.frozen | self.apart
        return [member for member in self.members if member.process is not None and member not in away]

    def find_leader(self, database: str) -> Member | None:
        """The member that leads and is followed by a majority."""
        said = [(member, member.says(database)) for member in self.running()]
        leaders = [member for member, row in said if row["leader"] and row["connected"]]
        connected = [member for member, row in said if row["connected"]]
        return leaders[0] if len(leaders) == 1 and len(connected) * 2 > len(self.members) else None

    def leader(self, database: str) -> Member:
        found = eventually(lambda: self.find_leader(database))
        assert isinstance(found, Member)
        return found

    def followers(self, database: str) -> list[Member]:
        leader = self.leader(database)
        return [member for member in self.running() if member is not leader]

    def settled(self) -> None:
        """Wait until every member that runs has a leader and follows it."""
        for database in self.databases:
            self.leader(database)
            for member in self.running():
                eventually(functools.partial(member.follows, database))

    def freeze(self, member: Member) -> None:
        member.freeze()
        self.frozen.add(member)

    def thaw(self, member: Member) -> None:
        member.thaw()
        self.frozen.discard(member)

    def cut(self, member: Member) -> None:
        """Part a member from the others, though not from clients."""
        assert self._wires is not None
        self._wires.connect(member.number, on=False)
        self.apart.add(member)

    def mend(self, member: Member) -> None:
        assert self._wires is not None
        self._wires.connect(member.number, on=True)
        self.apart.discard(member)

    def heal(self) -> None:
        """Bring every member back."""
        for member in self.members:
            if member in self.apart:
                self.mend(member)
            if member in self.frozen:
                self.thaw(member)
            if member.process is None:
                member.start()
        self.settled()

    def stop(self) -> None:
        for member in self.members:
            member.kill()


@contextlib.contextmanager
def cluster(*schemas: str, version: str = "any", wires: Wires | None = None) -> Iterator[Cluster]:
    """A cluster of three that serves the schemas; the test is skipped where the C programs are missing."""
    program, tool = need("ovsdb-server", version), need("ovsdb-tool", version)
    with tempfile.TemporaryDirectory(prefix="cl") as name:
        directory = Path(name)
        databases = {schema: upstream_schema(schema) for schema in schemas}
        names = [schema["name"] for schema in databases.values()]
        members = [Member(program, directory, number, names, wires) for number in range(3)]
        for schema in databases.values():
            text = directory / "schema"
            text.write_text(json.dumps(schema))
            _create(tool, members, schema["name"], text)
        found = Cluster(members, names, wires)
        try:
            for member in members:
                member.start()
            found.settled()
            yield found
        finally:
            found.stop()


def _create(tool: Path, members: Sequence[Member], database: str, schema: Path) -> None:
    first, *others = members
    commands = [[tool, "create-cluster", first.files[database], schema, first.address(database)]]
    commands += [
        [tool, "join-cluster", other.files[database], database, other.address(database), first.address(database)]
        for other in others
    ]
    for command in commands:
        subprocess.run([*map(str, command)], check=True, capture_output=True)


@contextlib.contextmanager
def relay(source: str, database: str, version: str = "any") -> Iterator[str]:
    """A C relay for `database` of the servers at `source`; gives its remote."""
    program = need("ovsdb-server", version)
    with tempfile.TemporaryDirectory(prefix="rl") as name:
        socket = f"{name}/s"
        process = subprocess.Popen(
            [program, *QUIET, f"--remote=punix:{socket}", f"--unixctl={name}/c", f"relay:{database}:{source}"],
            cwd=name, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:

            def serves() -> bool:
                with Rpc(socket, 5.0) as rpc:
                    return rpc.call("get_schema", database).get("error") is None

            eventually(serves)
            yield f"unix:{socket}"
        finally:
            process.kill()
            process.wait()
