"""Bridges, ports and interfaces."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Ephemeral, Immutable, Size, Strong
    from pyovn.tables.vswitch.traffic import IPFIX, Mirror, NetFlow, QoS, SFlow


@table("Bridge", root=False, indexes=[("name",)])
class Bridge(Row):
    """A switch with its own flow tables."""

    name: Annotated[str, Immutable]
    datapath_type: str  #: empty or `system` for the kernel, `netdev` for user space
    datapath_version: str
    datapath_id: Annotated[str | None, Ephemeral]
    stp_enable: bool
    rstp_enable: bool
    mcast_snooping_enable: bool
    ports: frozenset[Strong[Port]]
    mirrors: frozenset[Strong[Mirror]]
    netflow: Strong[NetFlow] | None
    sflow: Strong[SFlow] | None
    ipfix: Strong[IPFIX] | None
    controller: frozenset[Strong[Controller]]
    protocols: frozenset[Literal["OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15"]]
    #: what happens to traffic without a controller: `standalone` (the default) learns addresses
    fail_mode: Literal["standalone", "secure"] | None
    status: Annotated[Mapping[str, str], Ephemeral]
    rstp_status: Annotated[Mapping[str, str], Ephemeral]
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]
    flood_vlans: Annotated[frozenset[Annotated[int, Between(0, 4095)]], Size(0, 4096)]
    flow_tables: Mapping[Annotated[int, Between(0, 254)], Strong[FlowTable]]
    auto_attach: Strong[AutoAttach] | None


@table("Port", root=False, indexes=[("name",)])
class Port(Row):
    """One interface, or several bonded ones, plugged into a bridge."""

    name: Annotated[str, Immutable]
    interfaces: Annotated[frozenset[Strong[Interface]], Size(1)]
    trunks: Annotated[frozenset[Annotated[int, Between(0, 4095)]], Size(0, 4096)]
    cvlans: Annotated[frozenset[Annotated[int, Between(0, 4095)]], Size(0, 4096)]
    tag: Annotated[int, Between(0, 4095)] | None  #: the VLAN of an access port
    vlan_mode: Literal["trunk", "access", "native-tagged", "native-untagged", "dot1q-tunnel"] | None
    qos: Strong[QoS] | None
    mac: str | None
    bond_mode: Literal["balance-tcp", "balance-slb", "active-backup"] | None
    lacp: Literal["active", "passive", "off"] | None
    bond_updelay: int
    bond_downdelay: int
    bond_active_slave: str | None
    bond_fake_iface: bool
    fake_bridge: bool
    status: Annotated[Mapping[str, str], Ephemeral]
    rstp_status: Annotated[Mapping[str, str], Ephemeral]
    rstp_statistics: Annotated[Mapping[str, int], Ephemeral]
    statistics: Annotated[Mapping[str, int], Ephemeral]
    protected: bool
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Interface", root=False, indexes=[("name",)])
class Interface(Row):
    """A network device."""

    name: Annotated[str, Immutable]
    type: str  #: empty for an existing device; internal, patch, geneve, vxlan, …
    options: Mapping[str, str]
    ingress_policing_rate: Annotated[int, Between(0, None)]  #: kbps; 0 for no limit
    ingress_policing_burst: Annotated[int, Between(0, None)]  #: kb
    ingress_policing_kpkts_rate: Annotated[int, Between(0, None)]
    ingress_policing_kpkts_burst: Annotated[int, Between(0, None)]
    mac_in_use: Annotated[str | None, Ephemeral]
    mac: str | None
    ifindex: Annotated[Annotated[int, Between(0, 2**32 - 1)] | None, Ephemeral]
    external_ids: Mapping[str, str]  #: `iface-id` names the logical port that is plugged in
    ofport: int | None  #: the OpenFlow number in use, -1 where the interface cannot be added
    ofport_request: Annotated[int, Between(1, 65279)] | None
    bfd: Mapping[str, str]
    bfd_status: Annotated[Mapping[str, str], Ephemeral]
    cfm_mpid: int | None
    cfm_remote_mpids: Annotated[frozenset[int], Ephemeral]
    cfm_flap_count: int | None
    cfm_fault: Annotated[bool | None, Ephemeral]
    cfm_fault_status: Annotated[frozenset[str], Ephemeral]
    cfm_remote_opstate: Annotated[Literal["up", "down"] | None, Ephemeral]
    cfm_health: Annotated[Annotated[int, Between(0, 100)] | None, Ephemeral]
    lacp_current: Annotated[bool | None, Ephemeral]
    lldp: Mapping[str, str]
    other_config: Mapping[str, str]
    statistics: Annotated[Mapping[str, int], Ephemeral]
    status: Annotated[Mapping[str, str], Ephemeral]
    admin_state: Annotated[Literal["up", "down"] | None, Ephemeral]
    link_state: Annotated[Literal["up", "down"] | None, Ephemeral]
    link_resets: Annotated[int | None, Ephemeral]
    link_speed: Annotated[int | None, Ephemeral]  #: bits per second
    duplex: Annotated[Literal["half", "full"] | None, Ephemeral]
    mtu: Annotated[int | None, Ephemeral]
    mtu_request: Annotated[int, Between(1, None)] | None
    error: str | None  #: why the interface cannot be used


@table("Controller", root=False)
class Controller(Row):
    """An OpenFlow controller of one bridge."""

    type: Literal["primary", "service"] | None
    target: str
    max_backoff: Annotated[int, Between(1000, None)] | None  #: milliseconds
    inactivity_probe: int | None  #: milliseconds, 0 for none
    connection_mode: Literal["in-band", "out-of-band"] | None
    local_ip: str | None
    local_netmask: str | None
    local_gateway: str | None
    enable_async_messages: bool | None
    controller_queue_size: Annotated[int, Between(1, 512)] | None
    controller_rate_limit: Annotated[int, Between(100, None)] | None
    controller_burst_limit: Annotated[int, Between(25, None)] | None
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]
    is_connected: Annotated[bool, Ephemeral]
    role: Annotated[Literal["other", "master", "slave"] | None, Ephemeral]
    status: Annotated[Mapping[str, str], Ephemeral]


@table("Flow_Table", root=False)
class FlowTable(Row):
    """Settings of one OpenFlow table."""

    name: str | None
    flow_limit: Annotated[int, Between(0, None)] | None
    overflow_policy: Literal["refuse", "evict"] | None
    groups: frozenset[str]
    prefixes: Annotated[frozenset[str], Size(0, 4)]
    external_ids: Mapping[str, str]


@table("AutoAttach", root=False)
class AutoAttach(Row):
    """Automatic attachment of a bridge to a shortest-path-bridging network."""

    system_name: str
    system_description: str
    mappings: Mapping[Annotated[int, Between(0, 2**24 - 1)], Annotated[int, Between(0, 4095)]]
