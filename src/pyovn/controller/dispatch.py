"""Packet-ins to services: opcode → handler, in one table.

The one place where a malformed packet becomes a `Problem`, and where a paused packet that nobody answers goes on.
"""

from collections.abc import Callable, Iterator
from typing import Final

from pyovn.controller.effects import Effect, Problem, resumed
from pyovn.controller.services import activation, neighbours, solicitations, stations
from pyovn.lang.actions.userdata import Opcode, split
from pyovn.net.errors import Malformed
from pyovn.openflow.messages import PacketIn

Service = Callable[[PacketIn, bytes], Iterator[Effect]]

SERVICES: Final[dict[Opcode, Service]] = {
    Opcode.ARP: solicitations.ask4,
    Opcode.ND_NS: solicitations.ask6,
    Opcode.ND_NA: solicitations.advertise,
    Opcode.ND_NA_ROUTER: solicitations.advertise_router,
    Opcode.PUT_ARP: neighbours.put_arp,
    Opcode.PUT_ND: neighbours.put_nd,
    Opcode.PUT_FDB: stations.put_fdb,
    Opcode.ACTIVATION_STRATEGY: activation.activate,
}


def answer(pin: PacketIn) -> Iterator[Effect]:
    """What follows from a packet that the switch hands over."""
    try:
        opcode, arguments = split(pin.userdata)
        service = SERVICES.get(opcode)
        if service is not None:
            yield from service(pin, arguments)
            return
        yield Problem(f"no service for {opcode.name.lower()} (opcode {opcode}, flow cookie {pin.cookie or 0:#x})")
    except Malformed as fault:
        yield Problem(f"packet-in of table {pin.table}: {fault}")
    if pin.continuation is not None:
        yield resumed(pin)
