"""`*-ssl`: the files that the database server uses for TLS."""

from pyovn.cli.ctl.command import CommandTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl

command = CommandTable("SSL/TLS commands")

LIMITS = ("ssl_protocols", "ssl_ciphers", "ssl_ciphersuites")


def _reads(ctl: "Ctl") -> "Iterable[str]":
    yield f"{ctl.program.only} ssl"
    yield "SSL private_key certificate ca_cert bootstrap_ca_cert"


def _forget(ctl: "Ctl") -> None:
    holder = ctl.view.the(ctl.program.only)
    assert holder is not None
    for row in ctl.view.rows("SSL"):
        row.delete()
    holder["ssl"] = None


@command("get-ssl", reads=_reads)
def get_ssl(ctl: "Ctl") -> None:
    """Print the TLS configuration."""
    row = ctl.view.the("SSL")
    ctl.tell(None if row is None else row.entry("private_key", "certificate", "ca_cert", "bootstrap_ca_cert"), _lines)


def _lines(files: "dict[str, Any] | None") -> "Iterator[str]":
    if files is not None:
        yield f"Private key: {files['private_key']}"
        yield f"Certificate: {files['certificate']}"
        yield f"CA Certificate: {files['ca_cert']}"
        yield f"Bootstrap: {'true' if files['bootstrap_ca_cert'] else 'false'}"


@command("del-ssl", reads=_reads)
def del_ssl(ctl: "Ctl") -> None:
    """Delete the TLS configuration."""
    _forget(ctl)


@command(
    "set-ssl",
    "PRIVATE-KEY CERTIFICATE CA-CERT [PROTOCOLS [CIPHERS [CIPHERSUITES]]]",
    options="--bootstrap",
    reads=_reads,
)
def set_ssl(
    ctl: "Ctl",
    key: str,
    certificate: str,
    authority: str,
    protocols: str | None = None,
    ciphers: str | None = None,
    suites: str | None = None,
) -> None:
    """Set the TLS configuration."""
    _forget(ctl)
    row = ctl.view.insert("SSL", private_key=key, certificate=certificate, ca_cert=authority)
    row["bootstrap_ca_cert"] = ctl.has("--bootstrap")
    for column, value in zip(LIMITS, (protocols, ciphers, suites), strict=True):
        if value is not None:
            row[column] = value
    holder = ctl.view.the(ctl.program.only)
    assert holder is not None
    holder["ssl"] = row.uuid
