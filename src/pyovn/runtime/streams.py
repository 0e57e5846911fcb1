"""Byte streams by OVS's names for them, on asyncio.

    tcp:HOST:PORT   ssl:HOST:PORT   unix:PATH        where to connect to
    ptcp:[PORT][:HOST]  pssl:[PORT][:HOST]  punix:PATH   where to listen

IPv6 addresses stand in brackets.  `Remote.parse` reads a name, `connect` and `listen` give asyncio's stream readers
and writers.  TLS verifies the peer's certificate against the CA, as OVS does; names in certificates are not looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from pyovn.net.errors import Malformed, OvnError
from pyovn.runtime import certificates

OVSDB_PORT = 6640
READ_LIMIT = 2**20  #: bytes that a reader holds before it stops reading from the socket
LONGEST_PATH = 107  #: bytes of a UNIX socket's path

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class StreamFault(OvnError):
    """A stream that could not be opened; the text says why, in the system's words."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files with our key and certificate and the CA of our peers, and what is allowed on the wire."""

    private_key: str = ""
    certificate: str = ""
    ca_cert: str = ""
    protocols: str = ""
    ciphers: str = ""
    ciphersuites: str = ""
    bootstrap_ca_cert: str = ""  #: in the place of `ca_cert`: a file that is made of what the first server sends
    server_name: str = ""  #: what to ask a server for, in place of its host name

    def context(self, *, server: bool) -> ssl.SSLContext:
        """The TLS settings for one side; raises `StreamFault` where a file is missing or wrong."""
        if not (self.private_key and self.certificate and (self.ca_cert or self.bootstrap_ca_cert)):
            raise StreamFault("SSL needs a private key, a certificate and a CA certificate (-p, -c, -C)")
        if server and self.lacks_authority:
            raise StreamFault(f"cannot verify clients before there is a CA certificate in {self.bootstrap_ca_cert}")
        authority = certificates.ANYBODY if self.lacks_authority else self.ca_cert or self.bootstrap_ca_cert
        files = (self.private_key, self.certificate, authority, self.protocols, self.ciphers, self.ciphersuites)
        try:
            return certificates.context(certificates.Files(*files), server=server)
        except certificates.TlsFault as fault:
            raise StreamFault(str(fault)) from fault

    @property
    def lacks_authority(self) -> bool:
        """True where the CA certificate is yet to be had from the first server."""
        return bool(self.bootstrap_ca_cert) and not self.ca_cert and not os.path.exists(self.bootstrap_ca_cert)


@dataclass(frozen=True, slots=True)
class Remote:
    """The name of a stream, taken apart: a path, or a host and a port."""

    kind: str
    path: str = ""
    host: str = ""
    port: int = 0
    text: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str, default_port: int = OVSDB_PORT) -> Remote:
        """The remote that `text` names; raises `Malformed`."""
        kind, colon, rest = text.partition(":")
        if not colon or kind not in _KINDS:
            raise Malformed(f'"{text}" is not a valid stream name: it should start with one of {", ".join(_KINDS)}')
        if kind in ("unix", "punix"):
            if not rest:
                raise Malformed(f'"{text}" names no path')
            return cls(kind, path=rest, text=text)
        passive = kind.startswith("p")
        host, port = _port_first(rest) if passive else _host_first(rest)
        if not host and not passive:
            raise Malformed(f'"{text}" names no host')
        if not port:
            return cls(kind, host=host, port=default_port, text=text)
        if not port.isdecimal() or int(port) > 65535:
            raise Malformed(f'"{text}": bad port number "{port}"')
        return cls(kind, host=host, port=int(port), text=text)

    @property
    def is_passive(self) -> bool:
        """True for names of places to listen at."""
        return self.kind.startswith("p")

    @property
    def uses_tls(self) -> bool:
        """True for encrypted streams."""
        return self.kind.endswith("ssl")

    def __str__(self) -> str:
        return self.text


_KINDS = ("tcp", "ssl", "unix", "ptcp", "pssl", "punix")


def _host_first(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    return host, port


def _port_first(text: str) -> tuple[str, str]:
    port, _, host = text.partition(":")
    return host.removeprefix("[").removesuffix("]"), port


def remotes(text: str) -> tuple[Remote, ...]:
    """The active remotes in a comma-separated list."""
    found = tuple(Remote.parse(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise Malformed("no remote given")
    for remote in found:
        if remote.is_passive:
            raise Malformed(f'"{remote}" is a place to listen at, not one to connect to')
    return found


async def connect(remote: Remote, tls: Tls | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream to `remote`; raises `StreamFault`."""
    try:
        if remote.kind == "unix":
            with _short(remote.path) as path:
                return await asyncio.open_unix_connection(path, limit=READ_LIMIT)
        if not remote.uses_tls:
            return await asyncio.open_connection(remote.host, remote.port, limit=READ_LIMIT)
        return await _connect_tls(remote, tls or Tls())
    except (OSError, ssl.SSLError, UnicodeError) as fault:
        raise StreamFault(reason(fault)) from fault


async def _connect_tls(remote: Remote, tls: Tls) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = tls.server_name or remote.host
    if tls.lacks_authority:
        await learn_authority(remote, tls)
    return await asyncio.open_connection(
        remote.host, remote.port, ssl=tls.context(server=False), server_hostname=name, limit=READ_LIMIT
    )


async def learn_authority(remote: Remote, tls: Tls) -> None:
    """Store the CA certificate that a server sends, on a connection that is not used for anything else."""
    name = tls.server_name or remote.host
    _, writer = await asyncio.open_connection(
        remote.host, remote.port, ssl=tls.context(server=False), server_hostname=name
    )
    try:
        certificates.store(tls.bootstrap_ca_cert, certificates.fetched(writer.get_extra_info("ssl_object")))
    except certificates.TlsFault as fault:
        raise StreamFault(str(fault)) from fault
    finally:
        await close(writer)


async def listen(remote: Remote, handler: Handler, tls: Tls | None = None) -> asyncio.Server:
    """A server at `remote` that calls `handler` for each connection; raises `StreamFault`.

    A UNIX socket left over from a process that died is replaced.
    """
    context = (tls or Tls()).context(server=True) if remote.uses_tls else None
    try:
        if remote.kind == "punix":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(remote.path)
            with _short(remote.path) as path:
                return await asyncio.start_unix_server(handler, path, limit=READ_LIMIT)
        return await asyncio.start_server(handler, remote.host or None, remote.port, ssl=context, limit=READ_LIMIT)
    except (OSError, ssl.SSLError) as fault:
        raise StreamFault(f"{remote}: listen failed ({reason(fault)})") from fault


@contextlib.contextmanager
def _short(path: str) -> Iterator[str]:
    """A name for `path` that fits into a socket's address: long ones go by way of their directory's descriptor."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield path
        return
    parent, name = os.path.split(path)
    directory = os.open(parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{name}"
    finally:
        os.close(directory)


def reason(fault: Exception) -> str:
    """What went wrong, in the system's words where it has any: `Connection refused`."""
    if (
        isinstance(fault, OSError)
        and not isinstance(fault, ssl.SSLError)
        and fault.errno is not None
        and fault.errno > 0
    ):
        return os.strerror(fault.errno)
    return str(fault) or type(fault).__name__


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a stream and wait until it is closed, whatever the other side does."""
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
