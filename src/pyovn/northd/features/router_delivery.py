"""The last stages of a router: packets leave by the port that was chosen.

ecmp_stateful_egr   remember by which way a connection came in (reg9[10]), so that replies go back there
delivery            to the port; copies for multicast groups get its MAC
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import NEXT, OUTPUT, STAGE, Flow

feature = Feature()

DELIVERY = STAGE["lr_out_delivery"]
SNAT = STAGE["lr_out_snat"]


@feature.router
def solicitations(router: Router) -> Iterator[Flow]:
    """Neighbour solicitations keep their source."""
    yield Flow(SNAT, 120, "nd_ns", NEXT)


@feature.router_port
def deliver(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Out of the port, unless it is disabled."""
    if not port.enabled:
        return
    if router.relays:
        match = f"(ip4.mcast || ip6.mcast) && outport == {port.name}"
        yield Flow(DELIVERY, 110, match, f"eth.src = {port.mac}; {OUTPUT}")
    yield Flow(DELIVERY, 100, f"outport == {port.name}", OUTPUT)


@feature.router_port
def remember(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Where a connection of a symmetric route leaves."""
    for name, key in port.keys:
        commit = f"ct_commit {{ ct_label.ecmp_reply_eth = eth.dst; ct_mark.ecmp_reply_port = {key};}}; {OUTPUT}"
        yield Flow(STAGE["lr_in_ecmp_stateful_egr"], 100, f"reg9[10] == 1 && ip && outport == {name}", commit)
