"""Proxy ARP and ND: a router answers for foreign addresses on its switch, so that hosts send packets for them to it.

arp_rsp   30, after all that the switch itself knows; not for other routers (reg0[18])

Reads Logical_Switch_Port.options:arp_proxy of ports that lead to routers: "[MAC] NETWORK…".
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import STAGE, Flow

feature = Feature()

BACK = "outport = inport; flags.loopback = 1; output;"


@feature.link
def answer(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """Answer for the networks."""
    proxy = port.proxy
    if proxy is None or switch.passes_vlans:
        return
    mac, stage = proxy.mac or peer.mac, STAGE["ls_in_arp_rsp"]
    if proxy.ip4:
        match = f"reg0[18] == 0 && arp.op == 1 && arp.tpa == {{{','.join(proxy.ip4)}}}"
        actions = (
            f"eth.dst = eth.src; eth.src = {mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = {mac}; "
            f"arp.tpa <-> arp.spa; {BACK}"
        )
        yield Flow(stage, 30, match, actions)
    if proxy.ip6:
        asked = ", ".join(f"{each.network}, {each.group}" for each in proxy.ip6)
        targets = ", ".join(each.network for each in proxy.ip6)
        match = f"reg0[18] == 0 && nd_ns && ip6.dst == {{ {asked} }} && nd.target == {{ {targets} }}"
        actions = (
            f"nd_na_router {{ eth.src = {mac}; ip6.src = nd.target; nd.target = nd.target; nd.tll = {mac}; {BACK} }};"
        )
        yield Flow(stage, 30, match, actions)
