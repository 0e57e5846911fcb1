"""A blocking OVSDB client for tools that live for milliseconds.

    connect("tcp:10.0.0.1:6641,unix:/run/nb.sock", "OVN_Northbound")
       │ first remote that answers, and leads if it must
    Session ── get_schema ── monitor ──▶ initial rows ── transact ──▶ results ── wait ──▶ updates

One request is under way at a time.  Updates and echoes that arrive meanwhile are kept and answered.  A member of a
cluster that says that it cannot serve the database any more counts as a lost connection.  Only the bare socket and JSON
modules are imported: start-up is most of what a user waits for.
"""

import json
from _socket import AF_INET, AF_INET6, AF_UNIX, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, getaddrinfo
from _socket import socket as Socket
from os import urandom

from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    Json = Any

    class ByteStream(Protocol):
        """What plain and TLS sockets have in common here."""

        def recv(self, size: int, /) -> bytes:
            """Some bytes, or none at the end."""

        def sendall(self, data: bytes, /) -> None:
            """Send all bytes."""

        def close(self) -> None:
            """Close the connection."""

        def fileno(self) -> int:
            """The descriptor to poll."""

        def settimeout(self, seconds: float | None, /) -> None:
            """How long to wait for bytes."""


CHUNK = 1 << 18
PROBE_S = 5.0  #: after which a silent member of a cluster is asked for a sign of life, and then given up
SERVER = "_Server"  #: the database in which a server tells about itself, and the id of our monitor of it
_decode = json.JSONDecoder().raw_decode


class ConnectionFailed(OvnError):
    """No remote could be reached, or the one in use went away."""

    def __init__(self, remotes: str, reason: str) -> None:
        super().__init__(f"{remotes}: database connection failed ({reason})")
        self.remotes = remotes
        self.reason = reason


class OutcomeUnknown(OvnError):
    """The connection went away between a transaction and its answer."""

    def __init__(self, lost: ConnectionFailed) -> None:
        super().__init__(f"{lost}; whether the transaction was committed is not known")


class Refused(OvnError):
    """The server answered a request with an error."""

    def __init__(self, error: "Json") -> None:
        super().__init__(json.dumps(error, separators=(",", ":"), sort_keys=True, ensure_ascii=False))
        self.error = error


class Session:
    """One connection to one server."""

    def __init__(self, stream: "ByteStream", remote: str) -> None:
        self.stream = stream
        self.remote = remote
        self.updates: list[Json] = []  #: table updates that nobody has taken yet, oldest first
        self._buffer = ""
        self._serial = 0
        self.is_probed = False  #: the server was asked something and must say anything soon
        self._database = ""  # that a member of a cluster must be able to serve, if we follow it
        self._leader_only = False

    def start(self, method: str, *params: "Json") -> int:
        """Send a request; its answer is to be collected with `finish`."""
        self._serial += 1
        self._send({"method": method, "params": params, "id": self._serial})
        return self._serial

    def finish(self, serial: int) -> "Json":
        """The result of a request that was started; raises `Refused`."""
        while True:
            message = self._receive()
            if message.get("id") == serial and "method" not in message:
                if message.get("error") is not None:
                    raise Refused(message["error"])
                return message["result"]
            self._attend(message)

    def call(self, method: str, *params: "Json") -> "Json":
        """Send a request and wait for its result; raises `Refused`."""
        return self.finish(self.start(method, *params))

    def wait(self) -> None:
        """Return once there are updates to take."""
        while not self.updates:
            self._attend(self._receive())

    def absorb(self) -> None:
        """Attend to what has come in, without waiting for more."""
        while self._buffer or self.readable(0):
            self._attend(self._receive())

    def take_updates(self) -> "list[Json]":
        """The updates that came since the last time."""
        taken, self.updates = self.updates, []
        return taken

    def close(self) -> None:
        """Drop the connection."""
        self.stream.close()

    def _attend(self, message: "Json") -> None:
        method = message.get("method")
        if method == "echo":
            self._send({"id": message["id"], "error": None, "result": message["params"]})
        elif method == "update" and message["params"][0] == SERVER:
            self._check(message["params"][1])
        elif method in ("update", "update2"):
            self.updates.append(message["params"][1])

    def follow(self, database: str, *, leader_only: bool) -> bool:
        """True if the server can serve `database`; once it cannot any more, the connection counts as lost."""
        self._database, self._leader_only = database, leader_only
        columns = ["name", "connected", "leader", "model"]
        try:
            contents = self.call("monitor", SERVER, SERVER, {"Database": {"columns": columns}})
        except Refused:
            return True  # a server too old to tell is not clustered
        return self._fault(contents) is None

    def _check(self, update: "Json") -> None:
        fault = self._fault(update)
        if fault is not None:
            raise ConnectionFailed(self.remote, fault)

    def _fault(self, update: "Json") -> str | None:
        for change in update.get("Database", {}).values():
            row = change.get("new")
            if row and row["name"] == self._database and not serves(row, leader_only=self._leader_only):
                return "server is not the leader" if row["connected"] else "server is disconnected from its cluster"
        return None

    def _send(self, message: "Json") -> None:
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        try:
            self.stream.sendall(text.encode("utf-8", "surrogateescape"))
        except OSError as fault:
            raise ConnectionFailed(self.remote, reason(fault)) from None

    def _receive(self) -> "Json":
        while True:
            if self._buffer:
                try:
                    message, end = _decode(self._buffer)
                except ValueError:
                    pass  # the rest is still under way
                else:
                    self._buffer = self._buffer[end:].lstrip()
                    return message
            self._fill()

    def _fill(self) -> None:
        """Read until the text may be whole: trying to decode at every chunk would be quadratic in a large answer."""
        data = []
        depth = self._buffer.count("{") - self._buffer.count("}")
        while True:
            chunk = self._chunk()
            data.append(chunk)
            depth += chunk.count(b"{") - chunk.count(b"}")
            if chunk.endswith(b"}") and (depth == 0 or not self.readable()):
                break
        self._buffer += b"".join(data).decode("utf-8", "surrogateescape")

    def _chunk(self) -> bytes:
        while True:
            try:
                chunk = self.stream.recv(CHUNK)
            except TimeoutError:
                self._probe()
                continue
            except OSError as fault:
                raise ConnectionFailed(self.remote, reason(fault)) from None
            if not chunk:
                raise ConnectionFailed(self.remote, "End of file")
            self.is_probed = False
            return chunk

    def _probe(self) -> None:
        """Ask a silent server for a sign of life; raises where it was asked already."""
        if self.is_probed:
            raise ConnectionFailed(self.remote, "no response to inactivity probe")
        self.is_probed = True
        self._send({"method": "echo", "params": [], "id": "echo"})

    def readable(self, patience_ms: int = 20) -> bool:
        """True where more has come in already (braces inside strings can make a whole message look unfinished)."""
        from select import POLLIN, poll

        watch = poll()
        watch.register(self.stream.fileno(), POLLIN)
        return bool(watch.poll(patience_ms))


def connect(
    remotes: str, database: str, *, leader_only: bool = True, shuffle: bool = False, tls: "Json" = None
) -> Session:
    """A session with the first of the comma-separated `remotes` that serves `database`.

    A member of a cluster that does not lead (or, unless `leader_only`, has lost its cluster) is passed over; when only
    such members answer, they are asked again until one leads.  So is, where there are others, one that says nothing.
    """
    choices = remotes.split(",")
    if shuffle and len(choices) > 1:
        choices.sort(key=lambda _: urandom(4))
    while True:
        passed_over = False
        fault = ""
        for remote in choices:
            try:
                stream = dial(remote.strip(), tls)
            except OSError as error:
                fault = reason(error)
                continue
            if len(choices) > 1:
                stream.settimeout(PROBE_S)
            session = Session(stream, remotes)
            session.is_probed = True
            try:
                if len(choices) > 1:
                    usable = session.follow(database, leader_only=leader_only)
                else:
                    usable = is_usable(session, database, leader_only=leader_only)
                if usable:
                    return session
                passed_over = True
            except ConnectionFailed as lost:
                fault = lost.reason
            session.close()
        if not passed_over:
            raise ConnectionFailed(remotes, fault)
        from time import sleep

        sleep(1)


def is_usable(session: Session, database: str, *, leader_only: bool) -> bool:
    """True unless the server says that it is a cluster member which cannot serve `database` now."""
    columns = ["connected", "leader", "model"]
    select = {"op": "select", "table": "Database", "where": [["name", "==", database]], "columns": columns}
    try:
        (answer,) = session.call("transact", "_Server", select)
    except (Refused, ValueError):
        return True  # a server too old to tell is not clustered
    return all(serves(row, leader_only=leader_only) for row in answer.get("rows", ()))


def serves(row: "Json", *, leader_only: bool) -> bool:
    """True where a row of `_Server` says that its database can be used."""
    if row["model"] == "standalone":
        return True
    return bool(row["connected"] and (row["leader"] or not leader_only or row["model"] == "relay"))


def dial(remote: str, tls: "Json" = None) -> "ByteStream":
    """A stream to `remote`; raises OSError."""
    kind, _, address = remote.partition(":")
    if kind == "unix":
        return _unix(address)
    if kind in ("tcp", "ssl") and address:
        return _tcp(kind, address, tls)
    if kind in ("ptcp", "punix"):
        return _accept(kind, address)
    from errno import EAFNOSUPPORT

    raise OSError(EAFNOSUPPORT, "Address family not supported by protocol")


def _unix(path: str) -> Socket:
    stream = Socket(AF_UNIX, SOCK_STREAM)
    try:
        stream.connect(path)
    except OSError:
        stream.close()
        raise
    return stream


def _tcp(kind: str, address: str, tls: "Json") -> "ByteStream":
    host, port = split_address(address)
    family, _, _, _, target = getaddrinfo(host, int(port or 6640), 0, SOCK_STREAM)[0]
    stream = Socket(family, SOCK_STREAM)
    try:
        stream.connect(target)
    except OSError:
        stream.close()
        raise
    if kind == "tcp":
        return stream
    from pyovn.cli.tls import secured

    return secured(stream, host, tls)


def _accept(kind: str, address: str) -> Socket:
    """The first connection that comes in at a passive remote (`ptcp:PORT[:HOST]`, `punix:FILE`)."""
    if kind == "punix":
        listener = Socket(AF_UNIX, SOCK_STREAM)
        listener.bind(address)
    else:
        port, _, host = address.partition(":")
        listener = Socket(AF_INET6 if ":" in host else AF_INET, SOCK_STREAM)
        listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        listener.bind((host.strip("[]") or "0.0.0.0", int(port)))
    listener.listen(1)
    handle, _ = listener._accept()  # type: ignore[attr-defined]  # typeshed does not know it
    listener.close()
    return Socket(fileno=handle)


def split_address(address: str) -> tuple[str, str]:
    """`host:port` taken apart; IPv6 hosts stand in brackets."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, rest.lstrip(":")
    host, _, port = address.partition(":")
    return host, port


def reason(fault: OSError) -> str:
    """Why an operation failed, in the system's words."""
    return fault.strerror or str(fault)
