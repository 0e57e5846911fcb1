"""Hardware gateways: packets that come from a VTEP switch have no ingress port key and skip most of ingress.

check_port_sec   mark (reg0[14]) and skip to hairpin
hairpin          skip to the destination look-up, but for ARP and ND
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow, Stage

feature = Feature()

FROM_VTEP = "reg0[14]"


@feature.serves(STAGE["ls_in_check_port_sec"], when=lambda shape: shape.enabled and shape.type == "vtep")
def admit(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Mark the packet, and go where it may be answered."""
    queue = "" if port.queue is None else f"set_queue({port.queue}); "
    actions = f"{queue}{FROM_VTEP} = 1; next(pipeline=ingress, table={STAGE['ls_in_hairpin'].table});"
    yield Flow(stage, 70, f"inport == {port.name}", actions, port.row.name)


@feature.fills(STAGE["ls_in_hairpin"])
def skip(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Go on with the destination."""
    if switch.has_vtep:
        yield Flow(stage, 1000, f"{FROM_VTEP} == 1", f"next(pipeline=ingress, table={STAGE['ls_in_l2_lkup'].table});")


@feature.fills(STAGE["ls_in_arp_rsp"])
def answer(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Requests go on to their owner, and the answer may go back where it came from."""
    if switch.has_vtep:
        yield Flow(stage, 65535, f"{FROM_VTEP} == 1 && (arp || nd_ns)", f"flags.loopback = 1; {NEXT}")


@feature.link
def to_gateway(switch: Switch, port: Port, router: Router, peer: RouterPort) -> Iterator[Flow]:
    """The gateway's chassis answers for the router."""
    if switch.has_vtep and peer.gateway:
        yield Flow(STAGE["ls_in_hairpin"], 2000, f"{FROM_VTEP} == 1 && {peer.resident}", NEXT)
