"""What a packet-in service may want: answers as values, carried out by whoever has the sockets.

Send     a packet, through the switch's pipeline
Resume   a paused packet goes on
Learn    something the southbound database should know
Activate a migrated port has shown up here
Problem  something to be logged
"""

from dataclasses import dataclass
from typing import NamedTuple

from pyovn.openflow.actions import Actions, SetField
from pyovn.openflow.fields import FULL
from pyovn.openflow.match import Match
from pyovn.openflow.messages import PacketIn, PacketOut, Resume


class Learned(NamedTuple):
    """Where a station was seen: behind which port (key) of which datapath (key)."""

    datapath: int
    port: int
    mac: int


class Neighbour(NamedTuple):
    """Whose address was heard of on which router port (key) of which datapath (key)."""

    datapath: int
    port: int
    #: (version, value)
    address: tuple[int, int]
    mac: int


@dataclass(frozen=True, slots=True)
class Send:
    """A packet for the switch."""

    message: PacketOut


@dataclass(frozen=True, slots=True)
class Continue:
    """A paused packet going on."""

    message: Resume


@dataclass(frozen=True, slots=True)
class Learn:
    """A fact for the southbound database."""

    fact: Learned | Neighbour


@dataclass(frozen=True, slots=True)
class Activate:
    """A migrating guest has shown up at this location of its port."""

    datapath: int
    port: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A packet we can do nothing with."""

    text: str


Effect = Send | Continue | Learn | Activate | Problem


def fields_of(pin: PacketIn) -> dict[str, int]:
    """The packet's metadata by field; 128-bit registers also as their parts."""
    found = {name: value for name, value, _ in pin.match}
    for wide, parts in WIDE.items():
        if wide in found:
            for place, part in enumerate(reversed(parts)):
                found[part] = found[wide] >> 32 * place & 0xFFFFFFFF
        elif any(part in found for part in parts):
            found[wide] = sum(found.get(part, 0) << 32 * place for place, part in enumerate(reversed(parts)))
    return found


WIDE = {
    "xxreg0": ("reg0", "reg1", "reg2", "reg3"),
    "xxreg1": ("reg4", "reg5", "reg6", "reg7"),
}
#: Metadata that a packet keeps on its way through the controller.
KEPT = frozenset({"metadata", "tun_id", "pkt_mark", *(f"reg{number}" for number in range(16))})


def sent(pin: PacketIn, packet: bytes, actions: Actions) -> Send:
    """`packet` in the place of one that came in, with the same metadata, to run `actions`."""
    fields = fields_of(pin)
    kept: Match = tuple(term for term in pin.match if term[0] == "in_port")
    steps: Actions = tuple(
        SetField(name, value, FULL[name]) for name, value in sorted(fields.items()) if name in KEPT and value
    )
    return Send(PacketOut(packet, (*steps, *actions), kept or (("in_port", 0xFFFFFFFD, 0xFFFFFFFF),)))


def resumed(pin: PacketIn, packet: bytes | None = None, match: Match | None = None) -> Continue:
    """A paused packet going on, perhaps as another, with other metadata."""
    whole = Resume(*pin)
    changed = whole._replace(packet=pin.packet if packet is None else packet)
    return Continue(changed if match is None else changed._replace(match=match))
