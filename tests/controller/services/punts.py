"""Packet-ins as a switch sends them: a packet, the userdata of a compiled logical action, metadata."""

from pyovn.controller.dispatch import SERVICES, answer
from pyovn.controller.effects import Continue, Send
from pyovn.lang.actions import Env, encode, parse
from pyovn.openflow.actions import Controller
from pyovn.openflow.match import match
from pyovn.openflow.messages import PacketIn

PORTS = {"virtual": 9}


def punt(action, packet, **fields):
    """The packet-in that `action` makes of a packet at port 3 of datapath 2."""
    actions = encode(parse(action), Env(lookup_port=PORTS.get))
    userdata, pause = next((each.userdata, each.pause) for each in actions if isinstance(each, Controller))
    metadata = match(**{"metadata": 2, "reg14": 3, **fields})
    return PacketIn(bytes(packet), metadata, table=20, userdata=userdata, continuation=b"opaque" if pause else None)


def effects(action, packet, services=SERVICES, **fields):
    """What follows from that packet-in."""
    return list(answer(punt(action, packet, **fields), services))


def told(found):
    """(answered?, packet) of the one effect that is a paused packet going on; the bit is reg0[3]."""
    (going_on,) = found
    assert isinstance(going_on, Continue)
    bits = {name: value for name, value, _ in going_on.message.match}
    return bool(bits["reg0"] & 8), going_on.message.packet


def sent(found):
    """(packet, nested actions) of the one effect that is a packet."""
    (out,) = (each for each in found if isinstance(each, Send))
    return out.message.packet, out.message.actions
