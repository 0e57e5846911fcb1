"""`put_fdb`: a station was seen behind a port that may hide several.

metadata, reg14, eth.src  →  FDB row (dp_key, port_key, mac)
"""

from collections.abc import Iterator

from pyovn.controller import layout
from pyovn.controller.effects import Effect, Learn, Learned, fields_of
from pyovn.openflow.messages import PacketIn
from pyovn.packet import ethernet


def put_fdb(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Learn the sender."""
    fields = fields_of(pin)
    frame = ethernet.parse(pin.packet)
    yield Learn(Learned(fields.get(layout.DATAPATH, 0), fields.get(layout.INPORT, 0), frame.src))
