"""Chassis: how to reach them, and which of them host gateways."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Size, Strong, Weak


@table("Chassis", indexes=[("name",)])
class Chassis(Row):
    """A hypervisor or gateway, written by its ovn-controller."""

    name: str
    hostname: str
    encaps: Annotated[frozenset[Strong[Encap]], Size(1)]
    vtep_logical_switches: frozenset[str]
    nb_cfg: int  #: superseded by `Chassis_Private.nb_cfg`
    external_ids: Mapping[str, str]
    other_config: Mapping[str, str]
    transport_zones: frozenset[str]  #: tunnels are built only within a common zone


@table("Chassis_Private", indexes=[("name",)])
class ChassisPrivate(Row):
    """How far one chassis has got; apart from `Chassis` so that others need not watch it."""

    name: str
    chassis: Weak[Chassis] | None
    nb_cfg: int
    nb_cfg_timestamp: int  #: milliseconds since the epoch
    external_ids: Mapping[str, str]


@table("Encap", root=False, indexes=[("type", "ip")])
class Encap(Row):
    """An address at which a chassis receives tunnelled packets."""

    type: Literal["geneve", "vxlan"]
    options: Mapping[str, str]
    ip: str
    chassis_name: str


@table("Gateway_Chassis", root=False, indexes=[("name",)])
class GatewayChassis(Row):
    """A chassis that may host one distributed gateway port."""

    name: str
    chassis: Weak[Chassis] | None
    priority: Annotated[int, Between(0, 32767)]
    external_ids: Mapping[str, str]
    options: Mapping[str, str]


@table("HA_Chassis", root=False)
class HAChassis(Row):
    """A chassis of a group, with its rank."""

    chassis: Weak[Chassis] | None
    priority: Annotated[int, Between(0, 32767)]
    external_ids: Mapping[str, str]


@table("HA_Chassis_Group", indexes=[("name",)])
class HAChassisGroup(Row):
    """Chassis of which the one with the highest priority alive is used."""

    name: str
    ha_chassis: frozenset[Strong[HAChassis]]
    ref_chassis: frozenset[Weak[Chassis]]  #: chassis that need to know which one that is
    external_ids: Mapping[str, str]


@table("Chassis_Template_Var", indexes=[("chassis",)])
class ChassisTemplateVar(Row):
    """What `^name` means on one chassis."""

    chassis: str
    variables: Mapping[str, str]
