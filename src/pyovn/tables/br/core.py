"""Global settings, and who may connect."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Ephemeral, Strong


@table("BR_Global", max_rows=1)
class BRGlobal(Row):
    """Settings of the controller as a whole."""

    br_cfg: int
    external_ids: Mapping[str, str]
    connections: frozenset[Strong[Connection]]
    ssl: Strong[SSL] | None
    options: Mapping[str, str]


@table("Connection", root=False, indexes=[("target",)])
class Connection(Row):
    """An address that the database server listens on or connects to."""

    target: str
    max_backoff: Annotated[int, Between(1000, None)] | None  #: milliseconds
    inactivity_probe: int | None  #: milliseconds, 0 for none
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]
    is_connected: Annotated[bool, Ephemeral]
    status: Annotated[Mapping[str, str], Ephemeral]


@table("SSL", root=False, max_rows=1)
class SSL(Row):
    """Keys and certificates of the database server."""

    private_key: str
    certificate: str
    ca_cert: str
    bootstrap_ca_cert: bool  #: trust the first peer's CA certificate and keep it
    ssl_protocols: str
    ssl_ciphers: str
    ssl_ciphersuites: str
    external_ids: Mapping[str, str]
