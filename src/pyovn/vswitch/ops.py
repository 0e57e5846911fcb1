"""What the datapath does to a packet: the outcome of one translation, replayed for every packet like it.

set_field:…, dec_ttl, move …   →  SetBits       one masked write, just before somebody sees the packet
push_vlan, pop_vlan            →  PushVlan PopVlan
output                         →  Out | Encap   (a port of the datapath | a tunnel)
ct                             →  Track         then the packet comes back as `recirc`
controller, dec_ttl at 1       →  Punt
meter, clone, learn, sample    →  Metered, Cloned, Learnt, Sampled
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pyovn.openflow.flows import Flow
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.conntrack.table import CtAction
from pyovn.vswitch.ports import Port


class Out(NamedTuple):
    """Send the frame out of a port."""

    port: Port
    max_len: int = 0


class Encap(NamedTuple):
    """Send the frame through a tunnel."""

    port: Port
    key: int | None
    remote: str
    local: str
    tos: int
    ttl: int
    options: bytes  #: Geneve options, ready for the wire
    oam: bool = False


class SetBits(NamedTuple):
    """Write bits of header fields, in the places they have in a flow key."""

    value: int
    mask: int


class PushVlan(NamedTuple):
    """Add an outer tag."""

    tpid: int
    tci: int


class PopVlan(NamedTuple):
    """Remove the outer tag."""


class Track(NamedTuple):
    """Conntrack; then, if `recirc` is given, the pipeline goes on from that frozen state."""

    action: CtAction
    recirc: int | None = None


class Punt(NamedTuple):
    """Send the packet to the controllers."""

    bridge: Bridge
    reason: int
    table: int
    cookie: int
    key: int  #: pipeline fields at this point
    known: int  #: tunnel and conntrack bits that `key` knows; the others are the packet's
    max_len: int = 0xFFFF
    userdata: bytes = b""
    controller_id: int = 0
    meter: int | None = None
    continuation: bytes = b""
    sampled: bool = False


class Metered(NamedTuple):
    """Run the packet through a meter; it may end here."""

    bridge: Bridge
    id: int


class Cloned(NamedTuple):
    """Do something to a copy."""

    ops: tuple["Op", ...]


class Learnt(NamedTuple):
    """Install or refresh a learned flow."""

    bridge: Bridge
    flow: Flow
    limit: int = 0


class Sampled(NamedTuple):
    """Count a packet that a collector would have been told of."""

    bridge: Bridge


Op = Out | Encap | SetBits | PushVlan | PopVlan | Track | Punt | Metered | Cloned | Learnt | Sampled
Ops = tuple[Op, ...]


def flat(operations: Iterable[Op]) -> Iterator[Op]:
    """All operations, those on copies included."""
    for operation in operations:
        yield operation
        if isinstance(operation, Cloned):
            yield from flat(operation.ops)
