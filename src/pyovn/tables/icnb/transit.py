"""Switches and routers that span availability zones."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyovn.net.uuids import Uuid
    from pyovn.ovsdb.model import Strong


@table("Transit_Switch", indexes=[("name",)])
class TransitSwitch(Row):
    """A switch that exists in every zone."""

    name: str
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Transit_Router", indexes=[("name",)])
class TransitRouter(Row):
    """A router that exists in every zone."""

    name: str
    ports: frozenset[Strong[TransitRouterPort]]
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Transit_Router_Port", root=False, indexes=[("name",)])
class TransitRouterPort(Row):
    """A port of a transit router, hosted in one zone."""

    name: str
    other_config: Mapping[str, str]
    mac: str
    chassis: str
    networks: frozenset[str]
    tr_uuid: Uuid
