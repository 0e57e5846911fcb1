"""Datapaths and ports, and where ports are."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.net.uuids import Uuid
    from pyovn.ovsdb.model import Between, Strong, Weak
    from pyovn.tables.sb.chassis import Chassis, Encap, GatewayChassis, HAChassisGroup


@table("Datapath_Binding", indexes=[("tunnel_key",)])
class DatapathBinding(Row):
    """A logical switch or router, with its key on the wire."""

    tunnel_key: Annotated[int, Between(1, 2**24 - 1)]  #: the VNI in Geneve and VXLAN
    load_balancers: frozenset[Uuid]
    type: Literal["logical-switch", "logical-router"] | None
    nb_uuid: Uuid | None  #: the Logical_Switch or Logical_Router it stands for
    external_ids: Mapping[str, str]


@table("Port_Binding", indexes=[("datapath", "tunnel_key"), ("logical_port",)])
class PortBinding(Row):
    """A logical port: its key on the wire and the chassis that has it."""

    logical_port: str
    type: str  #: as `Logical_Switch_Port.type`, and patch, chassisredirect, l3gateway …
    gateway_chassis: frozenset[Strong[GatewayChassis]]  #: superseded by `ha_chassis_group`
    ha_chassis_group: Strong[HAChassisGroup] | None
    options: Mapping[str, str]
    datapath: Strong[DatapathBinding]
    tunnel_key: Annotated[int, Between(1, 32767)]
    parent_port: str | None
    mirror_port: str | None
    tag: Annotated[int, Between(1, 4095)] | None
    virtual_parent: str | None  #: the port that a virtual port's address was last seen on
    chassis: Weak[Chassis] | None
    additional_chassis: frozenset[Weak[Chassis]]
    encap: Weak[Encap] | None
    additional_encap: frozenset[Weak[Encap]]
    mirror_rules: frozenset[Weak[Mirror]]
    mac: frozenset[str]  #: `MAC [IP…]` or `unknown`
    port_security: frozenset[str]
    nat_addresses: frozenset[str]  #: addresses that the hosting chassis announces
    up: bool | None  #: the flows for this port are installed
    external_ids: Mapping[str, str]
    requested_chassis: Weak[Chassis] | None  #: the chassis named by `options:requested-chassis`
    requested_additional_chassis: frozenset[Weak[Chassis]]


@table("Mirror", indexes=[("name",)])
class Mirror(Row):
    """Where copies of a port's traffic are sent."""

    name: str
    filter: Literal["from-lport", "to-lport", "both"]
    sink: str
    type: Literal["gre", "erspan", "local", "lport"]
    index: int  #: the GRE key or ERSPAN index of the tunnel
    external_ids: Mapping[str, str]
