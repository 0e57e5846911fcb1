"""Availability zones and their gateways."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Size, Strong


@table("Availability_Zone", indexes=[("name",)])
class AvailabilityZone(Row):
    """One OVN deployment of several that are connected."""

    name: str
    nb_ic_cfg: int


@table("Gateway", indexes=[("name",)])
class Gateway(Row):
    """A chassis of some zone that takes traffic from the others."""

    name: str
    availability_zone: Strong[AvailabilityZone]
    hostname: str
    encaps: Annotated[frozenset[Strong[Encap]], Size(1)]
    external_ids: Mapping[str, str]


@table("Encap", root=False, indexes=[("type", "ip")])
class Encap(Row):
    """An address at which a gateway receives tunnelled packets."""

    type: Literal["geneve", "vxlan"]
    options: Mapping[str, str]
    ip: str
    gateway_name: str
