"""Load balancers."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from pyovn.ovsdb.model import Strong, Weak


@table("Load_Balancer")
class LoadBalancer(Row):
    """Virtual addresses and the backends behind each."""

    name: str
    vips: Mapping[str, str]  #: `IP[:port]` → comma-separated backends
    protocol: Literal["tcp", "udp", "sctp"] | None
    health_check: frozenset[Strong[LoadBalancerHealthCheck]]
    ip_port_mappings: Mapping[str, str]  #: backend IP → `port:source IP` for health checks
    selection_fields: frozenset[
        Literal["eth_src", "eth_dst", "ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "tp_src", "tp_dst"]
    ]
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Load_Balancer_Group", indexes=[("name",)])
class LoadBalancerGroup(Row):
    """Load balancers that are attached to switches and routers together."""

    name: str
    load_balancer: frozenset[Weak[LoadBalancer]]


@table("Load_Balancer_Health_Check", root=False)
class LoadBalancerHealthCheck(Row):
    """How the backends of one virtual address are probed."""

    vip: str
    options: Mapping[str, str]
    external_ids: Mapping[str, str]
