"""A packet put in at a logical port, as if its guest had sent it: `inject-pkt` of the control socket.

    inport == "p1" && ip4.dst == 10.0.0.2 && tcp.dst == 80
        → the frame that the expression describes, from the port's interface into table 0

What the expression says of registers and of connection tracking is not in a frame, so the pipeline decides it.
"""

from collections.abc import Callable, Mapping, Sequence

from pyovn.controller.binding import BINDING, PORT
from pyovn.controller.layout import PHY_TO_LOG
from pyovn.incr.engine import Engine
from pyovn.lang.errors import SyntaxFault
from pyovn.lang.match import parse
from pyovn.lang.microflow import BadMicroflow, inport_of, packet_of
from pyovn.net.errors import OvnError
from pyovn.openflow.actions import Resubmit
from pyovn.openflow.match import match
from pyovn.openflow.messages import PacketOut
from pyovn.packet.compose import compose

Sets = Mapping[str, Sequence[str]]


class CannotInject(OvnError):
    """A microflow that no packet here can be made of."""


def packet_out(microflow: str, sets: Sets, ofport: Callable[[str], int]) -> PacketOut:
    """The message that injects a microflow; `ofport` is a port's interface here, 0 for none.  Raises CannotInject.

    Port groups are not known: in the southbound database they have names that no expression can say.
    """
    try:
        expr = parse(microflow, address_sets=sets)
        fields = packet_of(expr, lambda _name: None)
    except (SyntaxFault, BadMicroflow) as fault:
        raise CannotInject(str(fault)) from None
    number = ofport(inport_of(expr) or "")
    if not number:
        raise CannotInject("ingress port not found on hypervisor.")
    return PacketOut(compose(fields), (Resubmit(PHY_TO_LOG),), match(in_port=number))


def interface_of(engine: Engine, port: str) -> int:
    """The OpenFlow port of a logical port that has an interface of its own here; 0: it has none."""
    bindings = engine.facts(BINDING)
    for key in engine.facts(PORT).get(port):
        here = bindings.get(key.uuid)
        if here is not None and not here.nested:
            return here.ofport
    return 0
