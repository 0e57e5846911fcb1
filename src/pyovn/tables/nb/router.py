"""Logical routers: ports, routes, policies, NAT, BFD."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Strong, Weak
    from pyovn.tables.nb.gateway import GatewayChassis, HAChassisGroup
    from pyovn.tables.nb.load_balancer import LoadBalancer, LoadBalancerGroup
    from pyovn.tables.nb.qos import Copp
    from pyovn.tables.nb.services import DHCPRelay
    from pyovn.tables.nb.switch import AddressSet


@table("Logical_Router")
class LogicalRouter(Row):
    """An L3 node: ports, routes, policies and NAT."""

    name: str
    ports: frozenset[Strong[LogicalRouterPort]]
    static_routes: frozenset[Strong[LogicalRouterStaticRoute]]
    policies: frozenset[Strong[LogicalRouterPolicy]]
    enabled: bool | None
    nat: frozenset[Strong[NAT]]
    load_balancer: frozenset[Weak[LoadBalancer]]
    load_balancer_group: frozenset[Strong[LoadBalancerGroup]]
    copp: Weak[Copp] | None
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Logical_Router_Port", root=False, indexes=[("name",)])
class LogicalRouterPort(Row):
    """A router's interface in one network."""

    name: str
    gateway_chassis: frozenset[Strong[GatewayChassis]]
    ha_chassis_group: Strong[HAChassisGroup] | None
    options: Mapping[str, str]
    networks: frozenset[str]  #: `IP/prefix` of the router in this network
    mac: str
    peer: str | None
    enabled: bool | None
    ipv6_ra_configs: Mapping[str, str]  #: what router advertisements say
    ipv6_prefix: frozenset[str]
    dhcp_relay: Strong[DHCPRelay] | None
    external_ids: Mapping[str, str]
    status: Mapping[str, str]  #: where a gateway port is hosted


@table("Logical_Router_Static_Route", root=False)
class LogicalRouterStaticRoute(Row):
    """A route written by hand, or learned from another availability zone."""

    route_table: str
    ip_prefix: str
    policy: Literal["src-ip", "dst-ip"] | None  #: route on the destination (default) or the source address
    nexthop: str
    output_port: str | None
    bfd: Weak[BFD] | None
    selection_fields: frozenset[
        Literal["eth_src", "eth_dst", "ip_proto", "ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "tp_src", "tp_dst"]
    ]
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Logical_Router_Policy", root=False)
class LogicalRouterPolicy(Row):
    """A rule that overrides the routing table for packets it matches."""

    priority: Annotated[int, Between(0, 32767)]
    chain: str | None
    match: str
    action: Literal["allow", "drop", "reroute", "jump"]
    jump_chain: str | None
    nexthop: str | None
    nexthops: frozenset[str]
    output_port: Weak[LogicalRouterPort] | None
    bfd_sessions: frozenset[Weak[BFD]]
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("NAT", root=False)
class NAT(Row):
    """One translation of addresses."""

    external_ip: str
    external_mac: str | None
    external_port_range: str
    logical_ip: str
    logical_port: str | None  #: with `external_mac`: do it on the chassis of this port
    type: Literal["dnat", "snat", "dnat_and_snat"]
    allowed_ext_ips: Strong[AddressSet] | None
    exempted_ext_ips: Strong[AddressSet] | None
    gateway_port: Weak[LogicalRouterPort] | None
    priority: Annotated[int, Between(0, 32767)]
    match: str
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("BFD", indexes=[("logical_port", "dst_ip")])
class BFD(Row):
    """A session that watches a next hop."""

    logical_port: str
    dst_ip: str
    min_tx: Annotated[int, Between(1, None)] | None  #: milliseconds
    min_rx: int | None  #: milliseconds
    detect_mult: Annotated[int, Between(1, None)] | None
    status: Literal["down", "init", "up", "admin_down"] | None
    external_ids: Mapping[str, str]
    options: Mapping[str, str]


@table("Static_MAC_Binding", indexes=[("logical_port", "ip")])
class StaticMACBinding(Row):
    """The MAC address of a neighbour, known beforehand."""

    logical_port: str
    ip: str
    mac: str
    override_dynamic_mac: bool
