"""Global settings, who may connect and what they may change."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Ephemeral, Strong, Weak


@table("SB_Global", max_rows=1)
class SBGlobal(Row):
    """The deployment as a whole, as northd passes it on."""

    nb_cfg: int  #: the northbound configuration that this database reflects
    external_ids: Mapping[str, str]
    connections: frozenset[Strong[Connection]]
    ssl: Strong[SSL] | None
    options: Mapping[str, str]
    ipsec: bool


@table("Connection", root=False, indexes=[("target",)])
class Connection(Row):
    """An address that the database server listens on or connects to."""

    target: str
    max_backoff: Annotated[int, Between(1000, None)] | None  #: milliseconds
    inactivity_probe: int | None  #: milliseconds, 0 for none
    read_only: bool
    role: str  #: the role of those who connect here, empty for unrestricted
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


@table("RBAC_Role")
class RBACRole(Row):
    """What clients of one role may change, by table."""

    name: str
    permissions: Mapping[str, Weak[RBACPermission]]


@table("RBAC_Permission")
class RBACPermission(Row):
    """What may be done to one table."""

    table: str
    authorization: frozenset[str]  #: columns (or `column:key`) that must hold the client's identity
    insert_delete: bool
    update: frozenset[str]
