"""`bind_vport`: a port has announced the address of a virtual port, and has it from now on.

metadata, reg14, userdata  →  Port_Binding of the virtual port: chassis, virtual_parent
"""

from collections.abc import Iterator

from pyovn.controller import layout
from pyovn.controller.effects import Adopt, Effect, fields_of
from pyovn.lang.actions.punts import read_bind_vport
from pyovn.net.errors import Malformed
from pyovn.openflow.messages import PacketIn


def bind_vport(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """The virtual port moves behind the port that the packet came in from."""
    if len(arguments) < 4:
        raise Malformed("bind_vport without a port")
    fields = fields_of(pin)
    yield Adopt(fields.get(layout.DATAPATH, 0), read_bind_vport(arguments), fields.get(layout.INPORT, 0))
