"""Multicast relay: packets for IP groups from one network of a router to others (`mcast_relay`).

10550 our own reports · 10500 groups that somebody behind a port has joined · 10460 reports are flooded where that is
wanted · 10450 groups that nobody has joined
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import ip_of
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import DROP, STAGE, Flow

feature = Feature()

ROUTING = STAGE["lr_in_ip_routing"]
REPORTS = ("igmp", "(mldv1 || mldv2)")


@feature.router
def relay(router: Router) -> Iterator[Flow]:
    """To the networks that take all multicast."""
    if not router.relays:
        return
    everything = "ip4.mcast || ip6.mcast"
    if not router.floods:
        yield Flow(ROUTING, 10450, everything, DROP)
        return
    for reports in ("igmp", "mldv1 || mldv2"):
        yield Flow(ROUTING, 10460, reports, 'clone { outport = "_MC_static"; next; };')
    yield Flow(ROUTING, 10450, everything, 'clone { outport = "_MC_static"; ip.ttl--; next; };')


@feature.relayed_group
def joined(router: Router, address: str) -> Iterator[Flow]:
    """To the networks where somebody listens, and to those that take all multicast."""
    version = ip_of(address)
    everywhere = 'clone { outport = "_MC_static"; ip.ttl--; next; };' if router.floods else ""
    actions = f'{everywhere}outport = "{address}"; ip.ttl--; next;'
    yield Flow(ROUTING, 10500, f"{version} && {version}.dst == {address} ", actions)


@feature.router_port
def own_reports(router: Router, port: RouterPort) -> Iterator[Flow]:
    """What the router sends itself is not for itself."""
    if router.relays and router.floods:
        for reports in REPORTS:
            yield Flow(ROUTING, 10550, f"eth.src == {port.mac} && {reports}", DROP)
