"""Global settings, and who may connect."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Ephemeral, Strong


@table("NB_Global", max_rows=1)
class NBGlobal(Row):
    """The deployment as a whole: options, and how far configuration has travelled."""

    name: str
    nb_cfg: int  #: incremented by a client that wants to know when its changes are in force
    nb_cfg_timestamp: int  #: milliseconds since the epoch, as are the other timestamps
    sb_cfg: int  #: the `nb_cfg` that the southbound database reflects
    sb_cfg_timestamp: int
    hv_cfg: int  #: the smallest `nb_cfg` that every chassis has put in force
    hv_cfg_timestamp: int
    external_ids: Mapping[str, str]
    connections: frozenset[Strong[Connection]]
    ssl: Strong[SSL] | None
    options: Mapping[str, str]
    ipsec: bool  #: encrypt tunnels between chassis


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
