"""Address translation: choosing the tuple replies will have, and rewriting packets from one tuple to another.

    original   A:a → B:b                 SNAT to N   replies are  B:b → N:a     (another port if that tuple is taken)
                                         DNAT to D   replies are  D:d → A:a

A packet of the connection is rewritten to the reverse of what the other direction looks like; so one function does
SNAT, DNAT, and undoing either.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple
from zlib import crc32

from pyovn.vswitch.conntrack.tuples import Tracked, Tuple, renewed_icmp_sum
from pyovn.vswitch.frame import ETH_IP, ICMP, ICMPV6, SCTP, TCP, UDP, Shape, patch
from pyovn.vswitch.key import PLACES, bits, place

#: ports for connections whose own port is taken
EPHEMERAL = (1024, 65535)
#: tuples tried before giving up
ATTEMPTS = 4096

_FIELDS = {True: ("ip_src", "ip_dst"), False: ("ipv6_src", "ipv6_dst")}
_PORT_FIELDS = ("tp_src", "tp_dst")


class Nat(NamedTuple):
    """What `ct(nat(…))` asks for.  Without direction: translate packets of connections that are translated."""

    direction: Literal["src", "dst"] | None = None
    lo: int | None = None
    hi: int | None = None
    port_lo: int | None = None
    port_hi: int | None = None
    flags: int = 0


def reply_tuple(original: Tuple, nat: Nat, taken: Callable[[Tuple], bool], salt: int) -> Tuple | None:
    """The tuple that replies of a connection new under `nat` will have; None where every candidate is taken."""
    plain = original.reversed()
    for candidate in _candidates(plain, original, nat, salt):
        if not taken(candidate):
            return candidate
    return None


def _candidates(plain: Tuple, original: Tuple, nat: Nat, salt: int) -> Iterator[Tuple]:
    """Reply tuples to try, the best first."""
    source = nat.direction == "src"
    mixed = crc32(repr((original.src, original.dst, original.proto)).encode(), salt & 0xFFFFFFFF)
    for address in _addresses(plain.dst if source else plain.src, nat, mixed):
        if source:
            moved = plain._replace(dst=address)
            ports = _ports(original.sport, nat, mixed)
            for port in ports:
                yield moved._replace(sport=port) if plain.is_icmp else moved._replace(dport=port)
        else:
            moved = plain._replace(src=address)
            if plain.is_icmp or nat.port_lo is None:
                yield moved
            else:
                yield from (moved._replace(sport=port) for port in _ports(original.dport, nat, mixed))


def _addresses(own: int, nat: Nat, mixed: int) -> Iterator[int]:
    """Addresses of the range, starting where the hash says; no address or 0 means the packet's own."""
    if not nat.lo:
        yield own
        return
    size = (nat.hi or nat.lo) - nat.lo + 1
    for step in range(min(size, 64)):
        yield nat.lo + (mixed + step) % size


def _ports(own: int, nat: Nat, mixed: int) -> Iterator[int]:
    """Ports to try: of the range if there is one; else the packet's own, then any."""
    if nat.port_lo is not None:
        lo, hi = nat.port_lo, nat.port_hi or nat.port_lo
        if nat.direction == "src" and lo <= own <= hi:
            yield own
    else:
        yield own
        lo, hi = EPHEMERAL
    size = hi - lo + 1
    for step in range(min(size, ATTEMPTS)):
        yield lo + (mixed + step) % size


def rewritten(frame: bytes, packet: Tracked, target: Tuple) -> bytes:
    """`frame` with the tuple of `packet` changed to `target`; of an ICMP error also the packet it quotes."""
    if packet.quoted is None:
        return _retuple(frame, packet.shape, packet.of, target, packet.later)
    # The quoted packet went the other way; its tuple is the reverse of the error's.
    inner = _retuple(frame, packet.quoted, packet.of.reversed(), target.reversed(), False)
    outer = packet.of._replace(sport=0, dport=0), target._replace(sport=0, dport=0)
    edited = bytearray(_outer(inner, packet, *outer))
    renewed_icmp_sum(edited, packet.shape)
    return bytes(edited)


def _outer(frame: bytes, packet: Tracked, old: Tuple, new: Tuple) -> bytes:
    """The addresses of the error itself: only the end that is translated is the error's own address or its target."""
    fields = _FIELDS[packet.shape.net == ETH_IP]
    value = mask = 0
    shape = packet.shape
    at = shape.l3
    own = int.from_bytes(frame[at + 12 : at + 16] if shape.net == ETH_IP else frame[at + 8 : at + 24], "big")
    if own == old.src and new.src != old.src:
        value, mask = place(fields[0], new.src), bits(fields[0])
    if new.dst != old.dst:
        value, mask = value | place(fields[1], new.dst), mask | bits(fields[1])
    return patch(frame, shape, value, mask) if mask else frame


def _retuple(frame: bytes, shape: Shape, old: Tuple, new: Tuple, later: bool) -> bytes:
    """`frame` with the headers of `shape` changed from tuple `old` to `new`."""
    source, target = _FIELDS[shape.net == ETH_IP]
    value = mask = 0
    if new.src != old.src:
        value, mask = value | new.src << PLACES[source][0], mask | bits(source)
    if new.dst != old.dst:
        value, mask = value | new.dst << PLACES[target][0], mask | bits(target)
    if shape.proto in (TCP, UDP, SCTP) and not later:
        if new.sport != old.sport:
            value, mask = value | new.sport << PLACES["tp_src"][0], mask | bits("tp_src")
        if new.dport != old.dport:
            value, mask = value | new.dport << PLACES["tp_dst"][0], mask | bits("tp_dst")
    if mask:
        frame = patch(frame, shape, value, mask)
    if shape.proto in (ICMP, ICMPV6) and new.sport != old.sport and shape.l4:
        frame = _identified(frame, shape, new.sport)
    return frame


def _identified(frame: bytes, shape: Shape, identifier: int) -> bytes:
    """`frame`, an ICMP query or reply, with another identifier."""
    at = shape.l4
    total = (frame[at + 2] << 8 | frame[at + 3]) + (frame[at + 4] << 8 | frame[at + 5]) - identifier
    return frame[: at + 2] + (total % 0xFFFF).to_bytes(2, "big") + identifier.to_bytes(2, "big") + frame[at + 6 :]
