"""IPv6 (RFC 8200) and its extension headers.

version, class, label 4 │ length 2 │ next header 1 │ hop limit 1 │ src 16 │ dst 16 │ [extension headers] │ payload
"""

from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.cursor import Cursor

HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, NO_NEXT, DESTINATION = 0, 43, 44, 51, 59, 60
EXTENSIONS = frozenset((HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION))
HEADER = 40


class Ipv6(NamedTuple):
    """A packet."""

    src: int
    dst: int
    #: protocol of the first header in `payload`, which may be an extension
    proto: int
    payload: bytes
    hop_limit: int = 64
    #: traffic class: DSCP (6 bits) and ECN (2 bits)
    tclass: int = 0
    label: int = 0


class Upper(NamedTuple):
    """What follows the extension headers."""

    proto: int
    payload: bytes
    #: (offset in bytes, more fragments, identification) of a fragment; None: not a fragment
    fragment: tuple[int, bool, int] | None


def parse(data: bytes) -> Ipv6:
    """Read a packet, trailing padding left out; raises Malformed."""
    cursor = Cursor(data)
    word = cursor.u32()
    length, proto, hop_limit = cursor.u16(), cursor.u8(), cursor.u8()
    src, dst = cursor.u128(), cursor.u128()
    if word >> 28 != 6:
        raise Malformed("IPv6 header: bad version")
    return Ipv6(src, dst, proto, cursor.take(length), hop_limit, word >> 20 & 0xFF, word & 0xFFFFF)


def build(packet: Ipv6) -> bytes:
    """The bytes of a packet."""
    word = 6 << 28 | packet.tclass << 20 | packet.label
    head = word << 32 | len(packet.payload) << 16 | packet.proto << 8 | packet.hop_limit
    return (head << 256 | packet.src << 128 | packet.dst).to_bytes(HEADER, "big") + packet.payload


def upper(packet: Ipv6) -> Upper:
    """What the extension headers carry; raises Malformed."""
    proto, cursor, fragment = packet.proto, Cursor(packet.payload), None
    while proto in EXTENSIONS:
        if fragment and fragment[0]:
            break
        following, size = cursor.u8(), cursor.u8()
        if proto == FRAGMENT:
            offset, id_ = cursor.u16(), cursor.u32()
            fragment = offset & 0xFFF8, bool(offset & 1), id_
        else:
            cursor.skip(size * 4 + 6 if proto == AUTHENTICATION else size * 8 + 6)
        proto = following
    return Upper(proto, cursor.rest(), fragment)
