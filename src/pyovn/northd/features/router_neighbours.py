"""Learning who has which address next to a router.

    lookup_neighbor   is the sender's address known?   → reg9[2] (and it need not be learned: reg9[3])
    learn_neighbor    if not, remember it: MAC_Binding

Where `always_learn_from_arp_request` is off, requests refresh what is known and teach nothing new.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import ANY, DROP, NEXT, STAGE, Flow

feature = Feature()

LOOKUP, LEARN = STAGE["lr_in_lookup_neighbor"], STAGE["lr_in_learn_neighbor"]
KNOWN, UNASKED = "reg9[2]", "reg9[3]"
ARP = f"{KNOWN} = lookup_arp(inport, arp.spa, arp.sha); "
ADVERTISED = f"{KNOWN} = lookup_nd(inport, nd.target, nd.tll); "
SOLICITED = f"{KNOWN} = lookup_nd(inport, ip6.src, nd.sll); "


@feature.router
def look_up(router: Router) -> Iterator[Flow]:
    """Answers tell us what we asked; of questions it depends."""
    asked = "" if router.learns_from_requests else f"{UNASKED} = 1; "
    unasked = "" if router.learns_from_requests else f"{UNASKED} = lookup_nd_ip(inport, ip6.src); "
    yield Flow(LOOKUP, 0, ANY, f"{KNOWN} = 1; {NEXT}")
    yield Flow(LOOKUP, 100, "arp.op == 2", f"{ARP}{asked}{NEXT}")
    yield Flow(LOOKUP, 100, "nd_na", f"{ADVERTISED}{asked}{NEXT}")
    yield Flow(LOOKUP, 100, "nd_ns", f"{SOLICITED}{unasked}{NEXT}")
    if not router.learns_from_requests:
        gratuitous = f"{ADVERTISED}{UNASKED} = lookup_nd_ip(inport, nd.target); {NEXT}"
        yield Flow(LOOKUP, 110, "nd_na && ip6.src == fe80::/10 && ip6.dst == ff00::/8", gratuitous)


@feature.router
def learn(router: Router) -> Iterator[Flow]:
    """Only neighbour discovery gets here with something to learn."""
    known = f"{KNOWN} == 1" if router.learns_from_requests else f"{KNOWN} == 1 || {UNASKED} == 0"
    yield Flow(LEARN, 100, known, f"mac_cache_use; {NEXT}")
    yield Flow(LEARN, 95, "nd_na && nd.tll == 0", f"put_nd(inport, nd.target, eth.src); {NEXT}")
    yield Flow(LEARN, 95, "nd_ns && (ip6.src == 0 || nd.sll == 0)", NEXT)
    yield Flow(LEARN, 90, "arp", f"put_arp(inport, arp.spa, arp.sha); {NEXT}")
    yield Flow(LEARN, 90, "nd_na", f"put_nd(inport, nd.target, nd.tll); {NEXT}")
    yield Flow(LEARN, 90, "nd_ns", f"put_nd(inport, ip6.src, nd.sll); {NEXT}")
    yield Flow(LEARN, 0, ANY, DROP)


@feature.router_port
def requests(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Requests from the networks of a port."""
    where = f" && {port.resident}" if port.gateway else ""
    for network in port.ip4:
        near = f"inport == {port.name} && arp.spa == {network.prefix}"
        if router.learns_from_requests:
            yield Flow(LOOKUP, 100, f"{near} && arp.op == 1{where}", f"{ARP}{NEXT}")
            continue
        mine = f"{near} && arp.tpa == {network.address} && arp.op == 1{where}"
        yield Flow(LOOKUP, 110, mine, f"{ARP}{UNASKED} = 1; {NEXT}")
        refresh = f"{ARP}{UNASKED} = lookup_arp_ip(inport, arp.spa); {NEXT}"
        yield Flow(LOOKUP, 100, f"{near} && arp.op == 1{where}", refresh)


@feature.router_port
def elsewhere(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Of a gateway port, only the chassis of the gateway learns."""
    if port.gateway:
        match = f"inport == {port.name} && (nd_na || nd_ns) && eth.mcast && !{port.resident}"
        yield Flow(LOOKUP, 120, match, f"{KNOWN} = 1; {NEXT}")
