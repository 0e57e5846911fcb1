"""Distributed gateway ports: packets that leave by one go to the chassis of its gateway first.

gw_redirect   outport = "cr-…": the port that stands for it there
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

REDIRECT = STAGE["lr_in_gw_redirect"]


@feature.router_port
def redirect(router: Router, port: RouterPort) -> Iterator[Flow]:
    """To the gateway's chassis."""
    if port.gateway and not port.vtep:
        yield Flow(REDIRECT, 50, f"outport == {port.name}", f"outport = {port.redirect}; {NEXT}")


@feature.router_port
def bridged(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Packets that are bridged to the gateway's chassis, not tunnelled, are for its own MAC there."""
    if port.bridges:
        match = f"outport == {port.name} && !{port.resident}"
        yield Flow(STAGE["lr_in_arp_resolve"], 50, match, f"eth.dst = {port.mac}; {NEXT}")
