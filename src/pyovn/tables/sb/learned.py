"""What chassis have learned from traffic."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Strong, Weak
    from pyovn.tables.sb.binding import DatapathBinding, PortBinding
    from pyovn.tables.sb.chassis import Chassis


@table("MAC_Binding", indexes=[("logical_port", "ip")])
class MACBinding(Row):
    """The MAC address of a router's neighbour, learned from ARP or ND."""

    logical_port: str
    ip: str
    mac: str
    timestamp: int  #: milliseconds since the epoch
    datapath: Strong[DatapathBinding]


@table("FDB", indexes=[("mac", "dp_key")])
class FDB(Row):
    """A MAC address learned behind a port with unknown addresses."""

    mac: str
    dp_key: Annotated[int, Between(1, 2**24 - 1)]  #: tunnel key of the datapath
    port_key: Annotated[int, Between(1, 2**24 - 1)]  #: tunnel key of the port
    timestamp: int  #: milliseconds since the epoch


@table("IP_Multicast", indexes=[("datapath",)])
class IPMulticast(Row):
    """How multicast is snooped and queried on one switch."""

    datapath: Weak[DatapathBinding]
    enabled: bool | None
    querier: bool | None
    eth_src: str
    ip4_src: str
    ip6_src: str
    table_size: int | None
    idle_timeout: int | None  #: seconds, as are the other times
    query_interval: int | None
    query_max_resp: int | None
    seq_no: int


@table("IGMP_Group", indexes=[("address", "datapath", "chassis")])
class IGMPGroup(Row):
    """The ports of one chassis that listen to a multicast address."""

    address: str
    protocol: str
    datapath: Weak[DatapathBinding] | None
    chassis: Weak[Chassis] | None
    ports: frozenset[Weak[PortBinding]]
    chassis_name: str


@table("ECMP_Nexthop", indexes=[("nexthop", "port")])
class ECMPNexthop(Row):
    """A next hop of an ECMP route with symmetric reply, and its number."""

    nexthop: str
    port: Strong[PortBinding]
    datapath: Strong[DatapathBinding]
    mac: str
    external_ids: Mapping[str, str]


@table("Learned_Route", indexes=[("datapath", "logical_port", "ip_prefix", "nexthop")])
class LearnedRoute(Row):
    """A route that a chassis took from its host's routing table."""

    datapath: Strong[DatapathBinding]
    logical_port: Strong[PortBinding]
    ip_prefix: str
    nexthop: str
    external_ids: Mapping[str, str]


@table("Advertised_Route", indexes=[("datapath", "logical_port", "ip_prefix", "tracked_port")])
class AdvertisedRoute(Row):
    """A route that the hosting chassis puts into its host's routing table."""

    datapath: Strong[DatapathBinding]
    logical_port: Strong[PortBinding]
    ip_prefix: str
    tracked_port: Strong[PortBinding] | None
    external_ids: Mapping[str, str]


@table("Advertised_MAC_Binding", indexes=[("datapath", "logical_port", "ip", "mac")])
class AdvertisedMACBinding(Row):
    """An address that the hosting chassis announces through EVPN."""

    datapath: Strong[DatapathBinding]
    logical_port: Strong[PortBinding]
    ip: str
    mac: str
    external_ids: Mapping[str, str]


@table("Static_MAC_Binding", indexes=[("logical_port", "ip")])
class StaticMACBinding(Row):
    """The MAC address of a neighbour, known beforehand."""

    logical_port: str
    ip: str
    mac: str
    override_dynamic_mac: bool
    datapath: Strong[DatapathBinding]
