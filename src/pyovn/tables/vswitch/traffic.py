"""Queueing, mirroring and reporting of traffic."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Ephemeral, Size, Strong, Weak
    from pyovn.tables.vswitch.bridge import Bridge, Port


@table("QoS")
class QoS(Row):
    """How one port shares its bandwidth."""

    type: str  #: linux-htb, linux-hfsc, linux-noop, …
    queues: Mapping[Annotated[int, Between(0, 2**32 - 1)], Strong[Queue]]
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Queue")
class Queue(Row):
    """One queue of a port's shaping."""

    dscp: Annotated[int, Between(0, 63)] | None
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Mirror", root=False)
class Mirror(Row):
    """Which packets of a bridge are copied where."""

    name: str
    select_all: bool
    select_src_port: frozenset[Weak[Port]]
    select_dst_port: frozenset[Weak[Port]]
    select_vlan: Annotated[frozenset[Annotated[int, Between(0, 4095)]], Size(0, 4096)]
    output_port: Weak[Port] | None
    output_vlan: Annotated[int, Between(1, 4095)] | None
    snaplen: Annotated[int, Between(14, 65535)] | None
    statistics: Annotated[Mapping[str, int], Ephemeral]
    filter: str | None
    external_ids: Mapping[str, str]


@table("NetFlow", root=False)
class NetFlow(Row):
    """Reporting of a bridge's flows by NetFlow."""

    targets: Annotated[frozenset[str], Size(1)]
    engine_type: Annotated[int, Between(0, 255)] | None
    engine_id: Annotated[int, Between(0, 255)] | None
    add_id_to_interface: bool
    active_timeout: Annotated[int, Between(-1, None)]
    external_ids: Mapping[str, str]


@table("sFlow", root=False)
class SFlow(Row):
    """Reporting of a bridge's packets by sFlow."""

    targets: Annotated[frozenset[str], Size(1)]
    sampling: int | None
    polling: int | None
    header: int | None
    agent: str | None
    external_ids: Mapping[str, str]


@table("IPFIX", root=False)
class IPFIX(Row):
    """Reporting of a bridge's packets by IPFIX."""

    targets: frozenset[str]
    sampling: Annotated[int, Between(1, 2**32 - 1)] | None
    obs_domain_id: Annotated[int, Between(0, 2**32 - 1)] | None
    obs_point_id: Annotated[int, Between(0, 2**32 - 1)] | None
    cache_active_timeout: Annotated[int, Between(0, 4200)] | None
    cache_max_flows: Annotated[int, Between(0, 2**32 - 1)] | None
    stats_interval: Annotated[int, Between(1, 3600)] | None
    template_interval: Annotated[int, Between(1, 3600)] | None
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Flow_Sample_Collector_Set", indexes=[("id", "bridge")])
class FlowSampleCollectorSet(Row):
    """A group of collectors that `sample` actions name by number."""

    id: Annotated[int, Between(0, 2**32 - 1)]
    bridge: Strong[Bridge]
    ipfix: Strong[IPFIX] | None
    local_group_id: Annotated[int, Between(0, 2**32 - 1)] | None
    external_ids: Mapping[str, str]
