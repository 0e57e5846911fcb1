"""Shaping, metering, mirroring, and protection of the control plane."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Size, Strong


@table("QoS", root=False)
class QoS(Row):
    """Marking and limiting of a switch's traffic."""

    priority: Annotated[int, Between(0, 32767)]
    direction: Literal["from-lport", "to-lport"]
    match: str
    action: Mapping[Literal["dscp", "mark"], Annotated[int, Between(0, 2**32 - 1)]]  #: `dscp`, `mark`
    #: `rate` in kbps, `burst` in kb
    bandwidth: Mapping[Literal["rate", "burst"], Annotated[int, Between(1, 2**32 - 1)]]
    external_ids: Mapping[str, str]


@table("Meter", indexes=[("name",)])
class Meter(Row):
    """A named rate limit."""

    name: str
    unit: Literal["kbps", "pktps"]
    bands: Annotated[frozenset[Strong[MeterBand]], Size(1)]
    fair: bool | None  #: each ACL that shares the meter gets its own rate
    external_ids: Mapping[str, str]


@table("Meter_Band", root=False)
class MeterBand(Row):
    """What a meter does to traffic above a rate."""

    action: Literal["drop"]
    rate: Annotated[int, Between(1, 2**32 - 1)]
    burst_size: Annotated[int, Between(0, 2**32 - 1)]
    external_ids: Mapping[str, str]


@table("Mirror", indexes=[("name",)])
class Mirror(Row):
    """Where copies of a port's traffic are sent."""

    name: str
    filter: Literal["from-lport", "to-lport", "both"]
    sink: str  #: the tunnel's remote address, or the name of a port
    type: Literal["gre", "erspan", "local", "lport"]
    index: int  #: the GRE key or ERSPAN index of the tunnel
    mirror_rules: frozenset[Strong[MirrorRule]]
    external_ids: Mapping[str, str]


@table("Mirror_Rule", root=False)
class MirrorRule(Row):
    """Which packets a mirror takes or leaves out."""

    match: str
    action: Literal["mirror", "skip"]
    priority: Annotated[int, Between(0, 32767)]


@table("Copp", indexes=[("name",)])
class Copp(Row):
    """Meters that protect the control plane, by protocol."""

    name: str
    meters: Mapping[str, str]
    external_ids: Mapping[str, str]
