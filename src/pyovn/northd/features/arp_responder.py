"""ARP and ND responder: the switch answers for the addresses it knows, so that requests need not be flooded.

    100   the owner asks for its own address (duplicate address detection)   → let it
     50   anybody asks for a known address                                   → answer

Only broadcast requests are answered: unicast ones are how neighbours check that somebody is still there.  Where a
router answers for foreign addresses too (`arp_proxy`), unicast ones are kept from it.
Reads Logical_Switch_Port.addresses, .up, .type, options:disable_arp_nd_rsp; NB_Global.options:ignore_lsp_down.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port, Shape
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow, Stage

feature = Feature()

SILENT = frozenset(("external", "virtual"))
ALWAYS_UP = frozenset(("router", "localport"))
BACK = "outport = inport; flags.loopback = 1; output;"


def has_answers(shape: Shape) -> bool:
    """Is everything known about who is behind a port of this shape?"""
    return shape.type not in SILENT and not shape.unknown


@feature.serves(STAGE["ls_in_arp_rsp"], when=has_answers)
def respond(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Answer for each address of a port."""
    if switch.passes_vlans or not answers(switch, port):
        return
    name = port.name
    advertise = "nd_na_router" if port.row.type == "router" else "nd_na"
    owner = f" && inport == {name}"
    here = f" && ((flags.localnet == 1 && is_chassis_resident({name})) || flags.localnet == 0)"
    where = here if switch.localnets else ""
    for mac, ip4, ip6 in port.addresses:
        for ip in ip4:
            match = f"arp.tpa == {ip} && arp.op == 1 && eth.dst == ff:ff:ff:ff:ff:ff"
            yield Flow(stage, 50, match + where, arp_reply(mac, ip))
            yield Flow(stage, 100, match + owner, NEXT, port.row.name)
            if switch.proxies:
                yield Flow(stage, 50, f"arp.tpa == {ip} && arp.op == 1 && eth.dst == {mac}", NEXT)
        for address, group in ip6:
            match = f"nd_ns_mcast && ip6.dst == {group} && nd.target == {address}"
            yield Flow(stage, 50, match + where, nd_reply(mac, address, advertise))
            yield Flow(stage, 100, match + owner, NEXT, port.row.name)
            if switch.proxies:
                yield Flow(stage, 50, f"nd_ns && ip6.dst == {address} && nd.target == {address}", NEXT)


def answers(switch: Switch, port: Port) -> bool:
    """Is the port there to be spoken for, and does it want that?"""
    type_ = port.row.type
    if not port.answers and type_ not in ALWAYS_UP:
        return False
    return type_ != "" or port.options.get("disable_arp_nd_rsp") != "true"


def arp_reply(mac: str, ip: str) -> str:
    """The request turned into its answer."""
    return (
        f"eth.dst = eth.src; eth.src = {mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = {mac}; "
        f"arp.tpa = arp.spa; arp.spa = {ip}; {BACK}"
    )


def nd_reply(mac: str, address: str, action: str) -> str:
    """The advertisement that answers a solicitation."""
    return f"{action} {{ eth.src = {mac}; ip6.src = {address}; nd.target = {address}; nd.tll = {mac}; {BACK} }};"
