"""What a switch does because a router is attached to it.

    l2_lkup   80 requests for the router's addresses → the router, not everybody     50 its MAC → its port
              75 its own requests → everybody but routers
    arp_rsp   answers for its addresses, as a router (nd_na_router)

Reads Logical_Switch_Port.addresses (`router` stands for the router port's), Logical_Router_Port.networks.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import DROP, NEXT, OUTPUT, STAGE, Flow

feature = Feature()

CHECK, LOOKUP = STAGE["ls_in_check_port_sec"], STAGE["ls_in_l2_lkup"]
TOO_BIG = "((ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && icmp6.code == 0))"
FROM_TUNNEL = "flags.tunnel_rx == 1"


@feature.link
def too_big(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """ICMP errors about tunnelled packets go to the router, or to whoever it got the packet from."""
    if router.chassis:
        match = f"{TOO_BIG} && eth.src == {peer.mac} && outport == {port.name} && {FROM_TUNNEL}"
        yield Flow(CHECK, 120, match, f"outport <-> inport; {NEXT}")
        return
    there = f"outport <-> inport; {LOOKUP.jump()}"
    yield Flow(CHECK, 120, f"{TOO_BIG} && eth.dst == {peer.mac} && {FROM_TUNNEL}", there)


@feature.link
def own_requests(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """The router's own requests are of no interest to other routers' responders."""
    if switch.only_routers or not peer.enabled:
        return
    macs = ", ".join((peer.mac, *port.senders))
    asks = "eth.dst == ff:ff:ff:ff:ff:ff && (arp.op == 1 || rarp.op == 3 || nd_ns)"
    yield Flow(LOOKUP, 75, f"eth.src == {{{macs}}} && {asks}", f'outport = "_MC_flood_l2"; {OUTPUT}')


@feature.link
def requests(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """Requests for the router's addresses."""
    for where, way_out in peer.ways(port.stand_in) if peer.enabled else ():
        actions = f"outport = {way_out}; {OUTPUT}"
        if not switch.only_routers:
            actions = f'clone {{{actions} }}; outport = "_MC_flood_l2"; {OUTPUT}'
        for each in peer.ip4:
            yield Flow(LOOKUP, 80, f"flags[1] == 0 && arp.op == 1 && arp.tpa == {each.address}{where}", actions)
        for each in peer.ip6:
            yield Flow(LOOKUP, 80, f"flags[1] == 0 && nd_ns && nd.target == {each.address}{where}", actions)


@feature.link
def deliver(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """The router's MAC leads to its port; on a physical network, only where its gateway is."""
    confined = peer.confined(router.only_gateway)
    for where, way_out in peer.ways(port.stand_in):
        actions = f"outport = {way_out}; {OUTPUT}" if port.shape.enabled else DROP
        macs = peer.mac if way_out == port.stand_in else peer.received
        yield Flow(LOOKUP, 50, f"eth.dst == {macs}{confined}{where}", actions)


@feature.link
def stand_in(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """The port that stands for this one on the gateway's chassis needs no port security either."""
    label = f"cr-{port.row.name}"
    if port.stand_in and port.shape.enabled:
        yield Flow(CHECK, 70, f"inport == {port.stand_in}", f"reg0[18] = 1; {NEXT}", label)
    elif port.stand_in:
        yield Flow(CHECK, 100, f"inport == {port.stand_in}", f"reg0[15] = 1; {NEXT}", label)
        yield Flow(STAGE["ls_in_l2_unknown"], 50, f"outport == {port.stand_in}", DROP, label)
