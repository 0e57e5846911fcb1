"""`put_arp` and `put_nd`: somebody's address became known to a router.

metadata, reg14, reg0 | xxreg0, eth.src  →  MAC_Binding row
"""

from collections.abc import Iterator

from pyovn.controller import layout
from pyovn.controller.effects import Effect, Learn, Neighbour, fields_of
from pyovn.openflow.messages import PacketIn
from pyovn.packet import ethernet


def put_arp(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Learn an IPv4 neighbour."""
    fields = fields_of(pin)
    yield _learn(pin, fields, (4, fields.get("reg0", 0)))


def put_nd(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Learn an IPv6 neighbour."""
    fields = fields_of(pin)
    yield _learn(pin, fields, (6, fields.get("xxreg0", 0)))


def _learn(pin: PacketIn, fields: dict[str, int], address: tuple[int, int]) -> Learn:
    mac = ethernet.parse(pin.packet).src
    return Learn(Neighbour(fields.get(layout.DATAPATH, 0), fields.get(layout.INPORT, 0), address, mac))
