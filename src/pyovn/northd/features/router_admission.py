"""Admission to a router: packets for its MAC addresses, and for everybody.

The port's MAC goes to xreg0[0..47], for replies.  A distributed gateway port takes packets for itself only on the
chassis of its gateway.  Packets too big for `gateway_mtu` are marked (reg9[1]); `ip_input` answers them.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import ANY, DROP, NEXT, STAGE, Flow

feature = Feature()

ADMISSION = STAGE["lr_in_admission"]
TOO_BIG = "((ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && icmp6.code == 0))"


@feature.router
def sanity(router: Router) -> Iterator[Flow]:
    """Nothing else is for the router."""
    yield Flow(ADMISSION, 110, f"{TOO_BIG} && flags.tunnel_rx == 1", DROP)
    yield Flow(ADMISSION, 100, "vlan.present || eth.src[40]", DROP)
    yield Flow(ADMISSION, 0, ANY, DROP)


@feature.router_port
def admit(router: Router, port: RouterPort) -> Iterator[Flow]:
    """What is for a port, or for everybody."""
    if not port.enabled:
        return
    name = port.name
    keep = f"xreg0[0..47] = {port.mac}; {NEXT}"
    yield Flow(ADMISSION, 50, f"eth.mcast && inport == {name}", keep)
    mine = f"eth.dst == {port.received} && inport == {name}"
    if port.gateway:
        mine += "" if port.vtep or port.spread else f" && {port.resident}"
    for priority, match, actions in port.measured(mine, keep):
        yield Flow(ADMISSION, priority, match, actions)


@feature.router_port
def back(router: Router, port: RouterPort) -> Iterator[Flow]:
    """ICMP errors about tunnelled packets, where the gateway is not."""
    if port.gateway:
        match = f"{TOO_BIG} && eth.dst == {port.mac} && !{port.resident} && flags.tunnel_rx == 1"
        yield Flow(ADMISSION, 120, match, f"outport <-> inport; inport = {port.name}; {NEXT}")
