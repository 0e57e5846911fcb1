"""What a packet-in service may want: answers as values, carried out by whoever has the sockets.

Send     a packet, through the switch's pipeline
Resume   a paused packet goes on
Hold     a paused packet waits until its next hop's MAC is known
Learn    something the southbound database should know
Activate a migrated port has shown up here
Adopt    a virtual port's address has shown up behind a port here
Record   something the cloud management system should know
Judge    whether a watched path works
Delegated  what prefix a router port has
Renew    rows that are still right
Logged   a line of the ACL log
Problem  something to be logged
"""

from dataclasses import dataclass
from typing import NamedTuple

from pyovn.controller import layout
from pyovn.lang.actions.userdata import read_result_bit
from pyovn.net.uuids import Uuid
from pyovn.openflow.actions import Actions, Resubmit, SetField
from pyovn.openflow.fields import FULL
from pyovn.openflow.match import WIDE as WIDE_REGISTERS
from pyovn.openflow.match import Match, canonical
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
class Hold:
    """A paused packet that waits for a neighbour, whom somebody has just asked for."""

    pin: PacketIn
    datapath: int
    port: int
    #: (version, value)
    address: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Adopt:
    """A port here that has announced the address of a virtual port; both by their keys."""

    datapath: int
    virtual: int
    parent: int


@dataclass(frozen=True, slots=True)
class Record:
    """An event for the cloud management system."""

    event: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """A BFD session, or a service that is probed, that has come to another state; by its row."""

    session: Uuid
    status: str


@dataclass(frozen=True, slots=True)
class Delegated:
    """The prefix that a router port (a row) has from now on, as the database says it; empty for none."""

    port: Uuid
    lease: str


@dataclass(frozen=True, slots=True)
class Renew:
    """Rows whose neighbours and stations have been seen just now."""

    rows: tuple[Uuid, ...]


@dataclass(frozen=True, slots=True)
class Logged:
    """What an ACL has to say about a packet."""

    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A packet we can do nothing with."""

    text: str


Effect = Send | Continue | Hold | Learn | Activate | Adopt | Record | Judge | Delegated | Renew | Logged | Problem


def flooded(packet: bytes, datapath: int, group: int) -> Send:
    """A packet of our own for the ports of a multicast group that are on this chassis."""
    steps: Actions = (
        SetField(layout.DATAPATH, datapath, FULL[layout.DATAPATH]),
        SetField(layout.OUTPORT, group, FULL[layout.OUTPORT]),
        Resubmit(layout.LOCAL_OUTPUT),
    )
    return Send(PacketOut(packet, steps))


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
    """`packet` in the place of one that came in, with the same metadata, to run `actions`.

    It comes from the controller's port: a switch never sends a packet back where it came from, but answers go there.
    """
    fields = fields_of(pin)
    steps: Actions = tuple(
        SetField(name, value, FULL[name]) for name, value in sorted(fields.items()) if name in KEPT and value
    )
    return Send(PacketOut(packet, (*steps, *actions)))


def injected(packet: bytes, datapath: int, port: int, flags: int = 0) -> Send:
    """A packet of our own that enters the logical pipeline at a port."""
    return _placed(packet, datapath, port, layout.FLAGS, flags, layout.INGRESS)


def delivered(packet: bytes, datapath: int, port: int, outport: int) -> Send:
    """A packet that has entered at a port and now leaves by another, or by those of a multicast group."""
    return _placed(packet, datapath, port, layout.OUTPORT, outport, layout.REMOTE_OUTPUT)


def _placed(packet: bytes, datapath: int, port: int, register: str, value: int, table: int) -> Send:
    """A packet of a port in a table, with one more register set."""
    fields = {layout.DATAPATH: datapath, layout.INPORT: port, register: value}
    steps = (SetField(name, value, FULL[name]) for name, value in fields.items())
    return Send(PacketOut(packet, (*steps, Resubmit(table))))


def resumed(pin: PacketIn, packet: bytes | None = None, match: Match | None = None) -> Continue:
    """A paused packet going on, perhaps as another, with other metadata."""
    changed = Resume(*pin)
    if packet is not None:
        changed = changed._replace(packet=packet, total_len=None)  # the length was that of the packet that came
    return Continue(changed if match is None else changed._replace(match=match))


def answered(pin: PacketIn, arguments: bytes, packet: bytes | None) -> Continue:
    """A paused packet going on as the answer to itself or, for None, as it was; one bit says which.

    `arguments` begin with the place of the bit (`lang.actions.userdata.result_bit`).
    """
    name, low, _ = read_result_bit(arguments)
    part, bit = next(
        ((part, low - at) for part, at in WIDE_REGISTERS.get(name, ()) if at <= low < at + 32), (name, low)
    )
    value = next((value for field, value, _ in pin.match if field == part), 0) & ~(1 << bit)
    kept = [term for term in pin.match if term[0] != part]
    return resumed(pin, packet, canonical([*kept, (part, value | (packet is not None) << bit, FULL[part])]))
