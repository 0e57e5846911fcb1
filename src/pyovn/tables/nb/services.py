"""DHCP and DNS answered by the network itself."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping


@table("DHCP_Options")
class DHCPOptions(Row):
    """What ports of one network are told by DHCP."""

    cidr: str
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("DHCP_Relay")
class DHCPRelay(Row):
    """Servers to which a router forwards DHCP."""

    name: str
    servers: str | None
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("DNS")
class DNS(Row):
    """Names answered without asking a server."""

    records: Mapping[str, str]  #: name → addresses, space-separated
    options: Mapping[str, str]
    external_ids: Mapping[str, str]
