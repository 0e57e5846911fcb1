"""TLS for a blocking session: mutual authentication, and trust on first use where asked for.

A remote `ssl:HOST:PORT` needs a private key, a certificate and the peer's CA certificate.  With a bootstrap file that
does not exist yet, the CA certificate that the server sends is stored there and trusted from then on.
"""

import os
import socket
import ssl

from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as BareSocket
    from collections.abc import Mapping

VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


class TlsFault(OvnError):
    """TLS was asked for but cannot be set up as configured."""


def secured(stream: "BareSocket", host: str, options: "Mapping[str, str] | None") -> ssl.SSLSocket:
    """`stream` with TLS spoken over it; raises `TlsFault` or OSError."""
    options = options or {}
    context = client_context(options)
    plain = socket.socket(fileno=stream.detach())
    try:
        secure = context.wrap_socket(plain, server_hostname=options.get("--ssl-server-name", host))
    except OSError:
        plain.close()
        raise
    bootstrap = options.get("--bootstrap-ca-cert")
    if bootstrap and not os.path.exists(bootstrap):
        keep_authority(secure, bootstrap)
    return secure


def client_context(options: "Mapping[str, str]") -> ssl.SSLContext:
    """How to speak TLS, from the command line's options."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    certificate, key = options.get("--certificate"), options.get("--private-key")
    if not certificate or not key:
        raise TlsFault("Private key and certificate must be configured to use SSL/TLS")
    context.load_cert_chain(certificate, key)
    authority = options.get("--ca-cert") or options.get("--bootstrap-ca-cert")
    if authority == "none" or (authority and not os.path.exists(authority) and "--bootstrap-ca-cert" in options):
        context.verify_mode = ssl.CERT_NONE
    elif authority:
        context.load_verify_locations(authority)
    else:
        raise TlsFault("CA certificate must be configured to use SSL/TLS")
    _limit(context, options)
    return context


def _limit(context: ssl.SSLContext, options: "Mapping[str, str]") -> None:
    """Keep to the protocols and ciphers that were named."""
    named = [
        VERSIONS[word] for word in options.get("--ssl-protocols", "").replace(",", " ").split() if word in VERSIONS
    ]
    if named:
        context.minimum_version, context.maximum_version = min(named), max(named)
    if ciphers := options.get("--ssl-ciphers"):
        context.set_ciphers(ciphers)


def keep_authority(secure: ssl.SSLSocket, path: str) -> None:
    """Store the certificate that the peer showed, to be trusted from now on."""
    certificate = secure.getpeercert(binary_form=True)
    if certificate:
        with open(path, "x", encoding="ascii") as file:
            file.write(ssl.DER_cert_to_PEM_cert(certificate))
