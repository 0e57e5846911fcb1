"""Logical switches, their ports, and groups of ports and addresses."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Size, Strong, Weak
    from pyovn.tables.nb.acl import ACL
    from pyovn.tables.nb.gateway import HAChassisGroup
    from pyovn.tables.nb.load_balancer import LoadBalancer, LoadBalancerGroup
    from pyovn.tables.nb.qos import Copp, Mirror, QoS
    from pyovn.tables.nb.services import DNS, DHCPOptions


@table("Logical_Switch")
class LogicalSwitch(Row):
    """An L2 network: the ports on it and everything applied to their traffic."""

    name: str
    ports: frozenset[Strong[LogicalSwitchPort]]
    acls: frozenset[Strong[ACL]]
    qos_rules: frozenset[Strong[QoS]]
    load_balancer: frozenset[Weak[LoadBalancer]]
    load_balancer_group: frozenset[Strong[LoadBalancerGroup]]
    dns_records: frozenset[Weak[DNS]]
    copp: Weak[Copp] | None
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]
    forwarding_groups: frozenset[Strong[ForwardingGroup]]


@table("Logical_Switch_Port", root=False, indexes=[("name",)])
class LogicalSwitchPort(Row):
    """A guest's interface, or what else is plugged into a switch (router, localnet, …)."""

    name: str
    type: str  #: empty for a guest; router, localnet, localport, l2gateway, vtep, external, virtual, remote, switch
    options: Mapping[str, str]
    parent_name: str | None  #: the port a container's traffic is nested in
    tag_request: Annotated[int, Between(0, 4095)] | None  #: the VLAN wanted for nested traffic; 0 lets northd choose
    tag: Annotated[int, Between(1, 4095)] | None  #: the VLAN in use
    addresses: frozenset[str]  #: `MAC [IP…]`, `unknown`, `router`, `dynamic` …
    dynamic_addresses: str | None  #: what northd assigned
    port_security: frozenset[str]
    peer: str | None
    up: bool | None  #: bound to a chassis and ready there
    enabled: bool | None
    dhcpv4_options: Weak[DHCPOptions] | None
    dhcpv6_options: Weak[DHCPOptions] | None
    mirror_rules: frozenset[Weak[Mirror]]
    ha_chassis_group: Strong[HAChassisGroup] | None
    health_checks: frozenset[Strong[LogicalSwitchPortHealthCheck]]
    external_ids: Mapping[str, str]


@table("Logical_Switch_Port_Health_Check", root=False)
class LogicalSwitchPortHealthCheck(Row):
    """A probe of one service on a port."""

    protocol: Literal["tcp", "udp", "icmp"]
    src_ip: str
    port: Annotated[int, Between(0, 65535)]
    address: str
    status: Literal["online", "offline", "error"] | None
    options: Mapping[str, str]


@table("Forwarding_Group", root=False)
class ForwardingGroup(Row):
    """A virtual IP whose traffic is spread over several ports of a switch."""

    name: str
    vip: str
    vmac: str
    liveness: bool
    external_ids: Mapping[str, str]
    child_port: Annotated[frozenset[str], Size(1)]


@table("Address_Set", indexes=[("name",)])
class AddressSet(Row):
    """Addresses that matches name as `$name`."""

    name: str
    addresses: frozenset[str]
    external_ids: Mapping[str, str]


@table("Port_Group", indexes=[("name",)])
class PortGroup(Row):
    """Ports that matches name as `@name`, with the ACLs that apply to all of them."""

    name: str
    ports: frozenset[Weak[LogicalSwitchPort]]
    acls: frozenset[Strong[ACL]]
    external_ids: Mapping[str, str]
