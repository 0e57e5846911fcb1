"""Services that chassis run: DHCP, DNS, load balancing, health checks, BFD."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Size, Strong, Weak
    from pyovn.tables.sb.binding import DatapathBinding
    from pyovn.tables.sb.chassis import Chassis
    from pyovn.tables.sb.flows import LogicalDPGroup


@table("DHCP_Options")
class DHCPOptions(Row):
    """A DHCPv4 option that logical flows may name."""

    name: str
    code: Annotated[int, Between(0, 254)]
    type: Literal["bool", "uint8", "uint16", "uint32", "ipv4", "static_routes", "str", "host_id", "domains"]


@table("DHCPv6_Options")
class DHCPv6Options(Row):
    """A DHCPv6 option that logical flows may name."""

    name: str
    code: Annotated[int, Between(0, 254)]
    type: Literal["ipv6", "str", "mac", "domain"]


@table("DNS")
class DNS(Row):
    """Names answered without asking a server."""

    records: Mapping[str, str]  #: name → addresses, space-separated
    datapaths: Annotated[frozenset[Strong[DatapathBinding]], Size(1)]
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Load_Balancer")
class LoadBalancer(Row):
    """A load balancer, for what chassis do beyond its flows (hairpin, affinity)."""

    name: str
    vips: Mapping[str, str]
    protocol: Literal["tcp", "udp", "sctp"] | None
    datapaths: frozenset[Strong[DatapathBinding]]
    datapath_group: Strong[LogicalDPGroup] | None  #: superseded by the two groups below
    ls_datapath_group: Strong[LogicalDPGroup] | None
    lr_datapath_group: Strong[LogicalDPGroup] | None
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Service_Monitor", indexes=[("logical_port", "ip", "port", "protocol")])
class ServiceMonitor(Row):
    """A probe of one service, done by the chassis of its port."""

    type: Literal["load-balancer", "network-function", "logical-switch-port"] | None
    ip: str
    mac: str
    protocol: Literal["tcp", "udp", "icmp"] | None
    port: Annotated[int, Between(0, 65535)]
    logical_input_port: str
    logical_port: str
    src_mac: str
    src_ip: str
    chassis_name: str
    status: Literal["online", "offline", "error"] | None
    ic_learned: bool
    remote: bool
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("BFD", indexes=[("logical_port", "dst_ip", "src_port", "disc")])
class BFD(Row):
    """A session that watches a next hop from a gateway."""

    src_port: Annotated[int, Between(49152, 65535)]
    disc: int  #: our discriminator
    logical_port: str
    dst_ip: str
    min_tx: int  #: milliseconds
    min_rx: int  #: milliseconds
    detect_mult: int
    status: Literal["down", "init", "up", "admin_down"]
    external_ids: Mapping[str, str]
    options: Mapping[str, str]
    chassis_name: str


@table("Controller_Event")
class ControllerEvent(Row):
    """Something a chassis tells the cloud management system."""

    event_type: Literal["empty_lb_backends"]
    event_info: Mapping[str, str]
    chassis: Weak[Chassis] | None
    seq_num: int  #: one source's repeats of an event have equal numbers
