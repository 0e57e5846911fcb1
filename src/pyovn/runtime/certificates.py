"""TLS settings from files: contexts for both sides, and trust on first use.

    context(Files(key, certificate, authority, …), server=…)    what Python's ssl module wants to have
    fetched(peer)  ─→ PEM text ─→ store(path, text)             the CA certificate that a server sends along

No asyncio here: command-line tools, which start often, use this too.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from pyovn.net.errors import OvnError

_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
ANYBODY = "none"  #: in the place of a CA certificate: peers are not verified
_DER = 2  #: how certificates of Python before 3.13 are asked for their bytes


class TlsFault(OvnError):
    """Settings that cannot be used, or a peer that cannot be trusted."""


class Files(NamedTuple):
    """Names of files, and what is allowed on the wire."""

    private_key: str
    certificate: str
    ca_cert: str
    protocols: str = ""
    ciphers: str = ""
    ciphersuites: str = ""


def context(files: Files, *, server: bool) -> ssl.SSLContext:
    """The TLS settings for one side; raises `TlsFault` where a file is missing or wrong.

    A server sends the CA certificate after its own, so that clients may come to know it.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE if files.ca_cert == ANYBODY else ssl.CERT_REQUIRED
    made.minimum_version, highest = protocol_range(files.protocols)
    made.maximum_version = highest
    try:
        made.load_cert_chain(files.certificate, files.private_key)
        if files.ca_cert != ANYBODY:
            made.load_verify_locations(files.ca_cert)
        if files.ciphers:
            made.set_ciphers(files.ciphers)
        if files.ciphersuites:
            # Python 3.15 has it; before, the system's selection of TLS 1.3 suites applies.
            choose: Callable[[str], None] | None = getattr(made, "set_ciphersuites", None)
            if choose is not None:
                choose(files.ciphersuites)
    except OSError as fault:
        names = f"{files.private_key}, {files.certificate}, {files.ca_cert}"
        raise TlsFault(f"cannot use SSL files {names}: {fault}") from fault
    return made


def protocol_range(text: str) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
    """The lowest and the highest version in "TLSv1.2,TLSv1.3"; "TLSv1.2+" is that and later, nothing TLSv1.2+."""
    words = text.replace(",", " ").split()
    named = [_VERSIONS[word.removesuffix("+")] for word in words if word.removesuffix("+") in _VERSIONS]
    if not named:
        return ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED
    open_end = any(word.endswith("+") for word in words)
    return min(named), ssl.TLSVersion.MAXIMUM_SUPPORTED if open_end else max(named)


def fetched(peer: ssl.SSLSocket | ssl.SSLObject) -> str:
    """The CA certificate at the end of what a server sent, as PEM text; raises `TlsFault` if there is none."""
    chain = _chain(peer)
    if not chain:
        raise TlsFault("no certificate in peer's chain")
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLError):
        probe.load_verify_locations(cadata=chain[-1])
    if not any(found["subject"] == found["issuer"] for found in probe.get_ca_certs()):
        raise TlsFault("could not bootstrap CA cert: the peer did not send a self-signed one")
    return ssl.DER_cert_to_PEM_cert(chain[-1])


def store(path: str, text: str) -> None:
    """Keep a CA certificate, to be trusted from now on; raises `TlsFault`.

    The file appears with its whole content, or not at all; one that is there already stays.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "x", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o444)
            file.write(text)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            os.unlink(temporary)
    except OSError as fault:
        raise TlsFault(f"could not bootstrap CA cert: creating {path} failed: {fault.strerror}") from fault


def common_name(certificate: dict[str, Any] | None) -> str | None:
    """The common name in a verified certificate, by which role-based access control knows its owner."""
    names = [value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if names else None


def _chain(peer: Any) -> list[bytes]:
    """What the peer sent, its own certificate first."""
    public = getattr(peer, "get_unverified_chain", None)
    found = public() if public is not None else peer._sslobj.get_unverified_chain()
    return [each if isinstance(each, bytes) else each.public_bytes(_DER) for each in found or ()]
