"""A routing daemon behind a switch port that speaks for a router: `routing-protocol-redirect`, `routing-protocols`.

l2_lkup          100 the protocols' packets for the router's addresses → the daemon's port; answers to neighbour
                     discovery → both
check_port_sec   80 the daemon must not itself answer for addresses that are the router's
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port, quoted
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, OUTPUT, STAGE, Flow

feature = Feature()

CHECK, LOOKUP = STAGE["ls_in_check_port_sec"], STAGE["ls_in_l2_lkup"]
PORTS = {"BGP": ("tcp", 179), "BFD": ("udp", 3784)}


@feature.link
def to_daemon(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """What is for the daemon, and what both need to hear."""
    daemon = port.daemon
    if not daemon:
        return
    wanted = [each for each in PORTS if each in peer.options.get("routing-protocols", "").split(",")]
    alone = f"outport = {quoted(daemon)}; {OUTPUT}"
    both = f"clone {{ {alone} }}; outport = {port.name}; {OUTPUT}"
    for ip, each in peer.networks():
        for protocol in wanted:
            l4, number = PORTS[protocol]
            shared = protocol == "BFD" and peer.label in router.monitored
            for side in ("dst", "src"):
                match = f"{ip}.dst == {each.address} && {l4}.{side} == {number}"
                yield Flow(LOOKUP, 100, match, both if shared else alone)
        if wanted:
            answer = (
                f"arp.op == 2 && arp.tpa == {each.address}" if ip == "ip4" else f"ip6.dst == {each.address} && nd_na"
            )
            yield Flow(LOOKUP, 100, answer, both)
    for kind in ("arp.op == 2", "nd_na", "nd_ra") if wanted else ():
        yield Flow(CHECK, 80, f"inport == {quoted(daemon)} && {kind}", f"reg0[15] = 1; {NEXT}")
