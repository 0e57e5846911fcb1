"""UDP (RFC 768).

src port 2 │ dst port 2 │ length 2 │ checksum 2 │ data
"""

import struct
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.checksum import transport

PROTO = 17
LENGTH = 8

_HEAD = struct.Struct("!HHHH")


class Udp(NamedTuple):
    """A datagram."""

    src_port: int
    dst_port: int
    data: bytes


def parse(segment: bytes) -> Udp:
    """Read a datagram; raises Malformed.  The checksum is `verify`'s business."""
    if len(segment) < LENGTH:
        raise Malformed(f"UDP datagram of {len(segment)} bytes")
    src, dst, length, _ = _HEAD.unpack_from(segment)
    if not LENGTH <= length <= len(segment):
        raise Malformed(f"UDP length {length} in {len(segment)} bytes")
    return Udp(src, dst, segment[LENGTH:length])


def build(datagram: Udp, version: int, src: int, dst: int) -> bytes:
    """The bytes of a datagram between two addresses, checksum filled in (never 0, which means none)."""
    head = datagram.src_port, datagram.dst_port, LENGTH + len(datagram.data)
    total = transport(version, src, dst, PROTO, _HEAD.pack(*head, 0) + datagram.data)
    return _HEAD.pack(*head, total or 0xFFFF) + datagram.data


def verify(segment: bytes, version: int, src: int, dst: int) -> bool:
    """True if the checksum is right, or absent over IPv4."""
    if segment[6:8] == b"\0\0":
        return version == 4
    return transport(version, src, dst, PROTO, segment[: int.from_bytes(segment[4:6], "big")]) == 0
