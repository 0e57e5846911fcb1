"""Switches, ports and tunnels that exist."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Ephemeral, Immutable, Size, Strong
    from pyovn.tables.vtep.logical import ACL, LogicalBindingStats, LogicalSwitch


@table("Physical_Switch", root=False, indexes=[("name",)])
class PhysicalSwitch(Row):
    """A switch with tunnel end points."""

    ports: frozenset[Strong[PhysicalPort]]
    name: str
    description: str
    management_ips: frozenset[str]
    tunnel_ips: frozenset[str]
    tunnels: frozenset[Strong[Tunnel]]
    other_config: Mapping[str, str]
    switch_fault_status: Annotated[frozenset[str], Ephemeral]


@table("Physical_Port", root=False)
class PhysicalPort(Row):
    """A port of a switch, and the logical switches its VLANs belong to."""

    name: str
    description: str
    vlan_bindings: Mapping[Annotated[int, Between(0, 4095)], Strong[LogicalSwitch]]
    acl_bindings: Mapping[Annotated[int, Between(0, 4095)], Strong[ACL]]
    vlan_stats: Annotated[Mapping[Annotated[int, Between(0, 4095)], Strong[LogicalBindingStats]], Ephemeral]
    other_config: Mapping[str, str]
    port_fault_status: Annotated[frozenset[str], Ephemeral]


@table("Tunnel", root=False)
class Tunnel(Row):
    """A tunnel between two end points, watched by BFD."""

    local: Strong[PhysicalLocator]
    remote: Strong[PhysicalLocator]
    bfd_config_local: Mapping[str, str]
    bfd_config_remote: Mapping[str, str]
    bfd_params: Mapping[str, str]
    bfd_status: Annotated[Mapping[str, str], Ephemeral]


@table("Physical_Locator", root=False, indexes=[("encapsulation_type", "dst_ip", "tunnel_key")])
class PhysicalLocator(Row):
    """A tunnel end point."""

    encapsulation_type: Annotated[Literal["vxlan_over_ipv4"], Immutable]
    dst_ip: Annotated[str, Immutable]
    tunnel_key: int | None


@table("Physical_Locator_Set", root=False)
class PhysicalLocatorSet(Row):
    """End points that all get copies of a packet."""

    locators: Annotated[frozenset[Strong[PhysicalLocator]], Size(1), Immutable]
