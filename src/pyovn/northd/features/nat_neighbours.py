"""Who answers for the outside addresses of translations, and where requests for them go.

92 the chassis that translates · 91 no other · 90 wherever else somebody asks
l2_lkup of the switches around: requests to the router; the MAC of a distributed address, to where it is
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import address6
from pyovn.northd.model.nat import Translation
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import DROP, NEXT, OUTPUT, STAGE, Flow

feature = Feature()

INPUT, LOOKUP = STAGE["lr_in_ip_input"], STAGE["ls_in_l2_lkup"]


@feature.nat
def answer(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """ARP and neighbour discovery for an outside address."""
    asks = asked(nat)
    yield Flow(INPUT, 90, asks, reply(nat, "xreg0[0..47]"))
    if port is None:
        return
    if nat.type == "snat":
        yield Flow(INPUT, 120, f"inport == {port.name} && {nat.ip}.src == {nat.external}", NEXT)
    elsewhere = port.peer_gateway or (bool(router.only_gateway) and port.link is not None and not port.physical)
    if elsewhere:
        return
    here = f"is_chassis_resident({nat.port})" if nat.mac else port.resident
    match = f"inport == {port.name} && {asks}"
    yield Flow(INPUT, 92, f"{match} && {here}", reply(nat, nat.mac or "xreg0[0..47]"))
    yield Flow(INPUT, 91, match, DROP)


@feature.nat_anywhere
def answer_anywhere(nat: Translation) -> Iterator[Flow]:
    """A router that is nowhere in particular does not translate, but answers."""
    yield Flow(INPUT, 90, asked(nat), reply(nat, "xreg0[0..47]"))


def asked(nat: Translation) -> str:
    """Does somebody ask for the address?"""
    address = nat.external
    if nat.ip == "ip4":
        return f"arp.op == 1 && arp.tpa == {address}"
    return f"ip6.dst == {{{address}, {address6(address).group}}} && nd_ns && nd.target == {address}"


def reply(nat: Translation, mac: str) -> str:
    """The answer."""
    back = "outport = inport; flags.loopback = 1; output;"
    if nat.ip == "ip4":
        return (
            f"eth.dst = eth.src; eth.src = {mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = {mac}; "
            f"arp.tpa <-> arp.spa; {back}"
        )
    return f"nd_na {{ eth.src = {mac}; ip6.src = nd.target; nd.tll = {mac}; {back} }};"


@feature.nat_link
def requests(switch: Switch, router: Router, peer: RouterPort, nat: Translation, stand_in: str) -> Iterator[Flow]:
    """On a switch that the router is attached to, requests for the address go to the router."""
    if nat.external in router.own or peer.link is None or not peer.enabled:
        return
    what = "arp.op == 1 && arp.tpa" if nat.ip == "ip4" else "nd_ns && nd.target"
    match = f"flags[1] == 0 && {what} == {nat.external}"
    for where, way_out in peer.ways(stand_in):
        actions = f"outport = {way_out}; {OUTPUT}"
        if not switch.only_routers:
            actions = f'clone {{{actions} }}; outport = "_MC_flood_l2"; {OUTPUT}'
        yield Flow(LOOKUP, 80, match + where, actions)


@feature.nat_link
def distributed(switch: Switch, router: Router, peer: RouterPort, nat: Translation, stand_in: str) -> Iterator[Flow]:
    """The MAC of a distributed address is where its port is."""
    if nat.told_mac and peer.gateway and peer.link is not None:
        match = f"eth.dst == {nat.told_mac} && is_chassis_resident({nat.told_port})"
        yield Flow(LOOKUP, 50, match, f"outport = {peer.link_name}; {OUTPUT}" if peer.link.enabled else DROP)
