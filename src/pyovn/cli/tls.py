"""TLS for a blocking session: mutual authentication, and trust on first use where asked for.

A remote `ssl:HOST:PORT` needs a private key, a certificate and the peer's CA certificate.  With a bootstrap file that
does not exist yet, the CA certificate that the server sends is stored there, and the server verified with it.
"""

import os
import socket
import ssl

from pyovn.runtime import certificates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as BareSocket
    from collections.abc import Mapping


TlsFault = certificates.TlsFault


def secured(stream: "BareSocket", host: str, options: "Mapping[str, str] | None") -> ssl.SSLSocket:
    """`stream` with TLS spoken over it; raises `TlsFault` or OSError."""
    options = options or {}
    bootstrap = options.get("--bootstrap-ca-cert")
    if bootstrap and not options.get("--ca-cert") and not os.path.exists(bootstrap):
        with _wrapped(stream, host, options) as secure:
            peer = secure.getpeername()
            authority = certificates.fetched(secure)
        certificates.store(bootstrap, authority)
        # The connection that brought the CA certificate cannot be trusted itself.
        return _wrapped(socket.create_connection(peer[:2]), host, options)
    return _wrapped(stream, host, options)


def _wrapped(stream: "BareSocket", host: str, options: "Mapping[str, str]") -> ssl.SSLSocket:
    context = client_context(options)
    plain = socket.socket(fileno=stream.detach())
    try:
        return context.wrap_socket(plain, server_hostname=options.get("--ssl-server-name", host))
    except OSError:
        plain.close()
        raise


def client_context(options: "Mapping[str, str]") -> ssl.SSLContext:
    """How to speak TLS, from the command line's options."""
    certificate, key = options.get("--certificate"), options.get("--private-key")
    if not certificate or not key:
        raise TlsFault("Private key and certificate must be configured to use SSL/TLS")
    authority = options.get("--ca-cert") or options.get("--bootstrap-ca-cert")
    if not authority:
        raise TlsFault("CA certificate must be configured to use SSL/TLS")
    if not options.get("--ca-cert") and not os.path.exists(authority):
        authority = certificates.ANYBODY
    limits = (options.get(name, "") for name in ("--ssl-protocols", "--ssl-ciphers", "--ssl-ciphersuites"))
    return certificates.context(certificates.Files(key, certificate, authority, *limits), server=False)
