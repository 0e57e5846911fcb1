"""Who answers for the virtual addresses of load balancers on routers, and where requests for them go.

lr_in_ip_input 90      any port of the router, for those in its networks (or as `neighbor_responder` says)
ls_in_l2_lkup 80       requests for those in a port's network go to the router
lr_in_ip_routing       `add_route`: routers on the same switch know the way
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.balancer import Vip
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import OUTPUT, STAGE, Flow

feature = Feature()

INPUT, LOOKUP = STAGE["lr_in_ip_input"], STAGE["ls_in_l2_lkup"]
ASK = {"ip4": "arp.op == 1 && arp.tpa", "ip6": "nd_ns && nd.target"}
BACK = "outport = inport; flags.loopback = 1; output;"
OUR_MAC = "xreg0[0..47]"
REPLY = {
    "ip4": f"eth.dst = eth.src; eth.src = {OUR_MAC}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; "
    f"arp.sha = {OUR_MAC}; arp.tpa <-> arp.spa; {BACK}",
    "ip6": f"nd_na {{ eth.src = {OUR_MAC}; ip6.src = nd.target; nd.tll = {OUR_MAC}; {BACK} }};",
}


@feature.router_port
def answer(router: Router, port: RouterPort) -> Iterator[Flow]:
    """ARP and neighbour discovery."""
    here = f" && {port.resident}" if port.gateway else ""
    for ip, name in router.virtual:
        yield Flow(INPUT, 90, f"inport == {port.name} && {ASK[ip]} == ${name}{here}", REPLY[ip])


@feature.vip_link
def requests(switch: Switch, peer: RouterPort, vip: Vip, stand_in: str) -> Iterator[Flow]:
    """On a switch that the router is attached to, requests for the address go to the router."""
    for where, way_out in peer.ways(stand_in):
        actions = f"outport = {way_out}; {OUTPUT}"
        if not switch.only_routers:
            actions = f'clone {{{actions} }}; outport = "_MC_flood_l2"; {OUTPUT}'
        yield Flow(LOOKUP, 80, f"flags[1] == 0 && {ASK[vip.ip]} == {vip.address}{where}", actions)
