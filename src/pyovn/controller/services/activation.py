"""Activation of a migrated port: its guest has announced itself at this location.

RARP | gratuitous ARP | NA  →  the location opens, and other chassis learn it
"""

from collections.abc import Iterator

from pyovn.controller import layout
from pyovn.controller.effects import Activate, Effect, fields_of
from pyovn.openflow.messages import PacketIn


def activate(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Open the port that the packet came in from."""
    fields = fields_of(pin)
    yield Activate(fields.get(layout.DATAPATH, 0), fields.get(layout.INPORT, 0))
