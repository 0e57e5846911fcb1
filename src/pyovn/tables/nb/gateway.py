"""Which chassis may host a gateway, and what differs between chassis."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Strong


@table("Gateway_Chassis", root=False, indexes=[("name",)])
class GatewayChassis(Row):
    """A chassis that may host one distributed gateway port."""

    name: str
    chassis_name: str
    priority: Annotated[int, Between(0, 32767)]
    external_ids: Mapping[str, str]
    options: Mapping[str, str]


@table("HA_Chassis", root=False)
class HAChassis(Row):
    """A chassis of a group, with its rank."""

    chassis_name: str
    priority: Annotated[int, Between(0, 32767)]
    external_ids: Mapping[str, str]


@table("HA_Chassis_Group", indexes=[("name",)])
class HAChassisGroup(Row):
    """Chassis of which the one with the highest priority alive is used."""

    name: str
    ha_chassis: frozenset[Strong[HAChassis]]
    external_ids: Mapping[str, str]


@table("Chassis_Template_Var", indexes=[("chassis",)])
class ChassisTemplateVar(Row):
    """What `^name` in load balancers and matches means on one chassis."""

    chassis: str
    variables: Mapping[str, str]
    external_ids: Mapping[str, str]
