"""Logical networks that the device takes part in."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Ephemeral, Size, Strong
    from pyovn.tables.vtep.physical import PhysicalLocator


@table("Logical_Switch", indexes=[("name",)])
class LogicalSwitch(Row):
    """A logical L2 network."""

    name: str
    description: str
    tunnel_key: int | None  #: the VNI
    replication_mode: Literal["service_node", "source_node"] | None
    other_config: Mapping[str, str]


@table("Logical_Router", indexes=[("name",)])
class LogicalRouter(Row):
    """A logical L3 node that the device implements."""

    name: str
    description: str
    switch_binding: Mapping[str, Strong[LogicalSwitch]]
    static_routes: Mapping[str, str]
    acl_binding: Mapping[str, Strong[ACL]]
    other_config: Mapping[str, str]
    LR_fault_status: Annotated[frozenset[str], Ephemeral]


@table("Logical_Binding_Stats", root=False)
class LogicalBindingStats(Row):
    """Counters of one VLAN of a port."""

    bytes_from_local: Annotated[int, Ephemeral]
    packets_from_local: Annotated[int, Ephemeral]
    bytes_to_local: Annotated[int, Ephemeral]
    packets_to_local: Annotated[int, Ephemeral]


@table("Arp_Sources_Local")
class ArpSourcesLocal(Row):
    """A source address for ARP that this device uses."""

    src_mac: str
    locator: Strong[PhysicalLocator]


@table("Arp_Sources_Remote")
class ArpSourcesRemote(Row):
    """A source address for ARP that another device uses."""

    src_mac: str
    locator: Strong[PhysicalLocator]


@table("ACL", indexes=[("acl_name",)])
class ACL(Row):
    """A list of rules for packets."""

    acl_entries: Annotated[frozenset[Strong[ACLEntry]], Size(1)]
    acl_name: str
    acl_fault_status: Annotated[frozenset[str], Ephemeral]


@table("ACL_entry")
class ACLEntry(Row):
    """One rule of a list."""

    sequence: int
    source_mac: str | None
    dest_mac: str | None
    ethertype: str | None
    source_ip: str | None
    source_mask: str | None
    dest_ip: str | None
    dest_mask: str | None
    protocol: int | None
    source_port_min: int | None
    source_port_max: int | None
    dest_port_min: int | None
    dest_port_max: int | None
    tcp_flags: int | None
    tcp_flags_mask: int | None
    icmp_code: int | None
    icmp_type: int | None
    direction: Literal["ingress", "egress"]
    action: Literal["permit", "deny"]
    acle_fault_status: Annotated[frozenset[str], Ephemeral]
