"""Logical flows and the names they use."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Size, Strong, Weak
    from pyovn.tables.sb.binding import DatapathBinding, PortBinding


@table("Logical_Flow")
class LogicalFlow(Row):
    """One flow of a logical pipeline, on one datapath or on a group of them."""

    logical_datapath: Strong[DatapathBinding] | None
    logical_dp_group: Strong[LogicalDPGroup] | None
    pipeline: Literal["ingress", "egress"]
    table_id: Annotated[int, Between(0, 33)]
    priority: Annotated[int, Between(0, 65535)]
    match: str
    actions: str
    tags: Mapping[str, str]
    controller_meter: str | None  #: limits packets the flow sends to the controller
    external_ids: Mapping[str, str]
    flow_desc: str | None  #: for people


@table("Logical_DP_Group", root=False)
class LogicalDPGroup(Row):
    """Datapaths that share logical flows."""

    datapaths: frozenset[Weak[DatapathBinding]]


@table("Address_Set", indexes=[("name",)])
class AddressSet(Row):
    """Addresses that matches name as `$name`."""

    name: str
    addresses: frozenset[str]


@table("Port_Group", indexes=[("name",)])
class PortGroup(Row):
    """Ports that matches name as `@name`."""

    name: str
    ports: frozenset[str]


@table("Multicast_Group", indexes=[("datapath", "tunnel_key"), ("datapath", "name")])
class MulticastGroup(Row):
    """A tunnel key that stands for several ports of one datapath."""

    datapath: Strong[DatapathBinding]
    name: str
    tunnel_key: Annotated[int, Between(32768, 65535)]
    ports: frozenset[Weak[PortBinding]]


@table("Meter", indexes=[("name",)])
class Meter(Row):
    """A named rate limit."""

    name: str
    unit: Literal["kbps", "pktps"]
    bands: Annotated[frozenset[Strong[MeterBand]], Size(1)]


@table("Meter_Band", root=False)
class MeterBand(Row):
    """What a meter does to traffic above a rate."""

    action: Literal["drop"]
    rate: Annotated[int, Between(1, 2**32 - 1)]
    burst_size: Annotated[int, Between(0, 2**32 - 1)]


@table("ACL_ID")
class ACLID(Row):
    """A number for an ACL, for use in conntrack labels."""

    id: Annotated[int, Between(0, 32767)]
