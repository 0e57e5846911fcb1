"""What spans zones: datapaths, ports, routes, probes."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.net.uuids import Uuid
    from pyovn.ovsdb.model import Between, Strong, Weak
    from pyovn.tables.icsb.zone import AvailabilityZone, Encap


@table("Datapath_Binding", indexes=[("nb_ic_uuid", "tunnel_key")])
class DatapathBinding(Row):
    """A transit switch or router, with its key on the wire."""

    transit_switch: str
    type: Literal["transit-switch", "transit-router"] | None
    nb_ic_uuid: Uuid | None
    tunnel_key: Annotated[int, Between(1, 2**24 - 1)]
    external_ids: Mapping[str, str]


@table("Port_Binding", indexes=[("transit_switch", "tunnel_key"), ("logical_port",)])
class PortBinding(Row):
    """A port of a transit switch or router, and the gateway that has it."""

    logical_port: str
    transit_switch: str
    availability_zone: Strong[AvailabilityZone]
    tunnel_key: Annotated[int, Between(1, 32767)]
    gateway: str
    encap: Weak[Encap] | None
    address: str
    type: Literal["transit-switch-port", "transit-router-port"] | None
    nb_ic_uuid: Uuid | None
    external_ids: Mapping[str, str]


@table("Route", indexes=[("transit_switch", "availability_zone", "route_table", "ip_prefix", "nexthop")])
class Route(Row):
    """A route that one zone offers to the others."""

    transit_switch: str
    availability_zone: Strong[AvailabilityZone]
    route_table: str
    ip_prefix: str
    nexthop: str
    origin: Literal["connected", "static", "loadbalancer"]
    external_ids: Mapping[str, str]


@table("Service_Monitor")
class ServiceMonitor(Row):
    """A probe that one zone does for another."""

    type: Literal["load-balancer"] | None
    ip: str
    protocol: Literal["tcp", "udp"] | None
    port: Annotated[int, Between(0, 65535)]
    logical_port: str
    src_ip: str
    src_mac: str
    status: Literal["online", "offline", "error"] | None
    target_availability_zone: str
    source_availability_zone: str
    options: Mapping[str, str]
    external_ids: Mapping[str, str]
