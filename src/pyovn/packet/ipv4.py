"""IPv4 (RFC 791).

ver/ihl 1 │ tos 1 │ length 2 │ id 2 │ flags 3 bits, offset 13 bits │ ttl 1 │ proto 1 │ checksum 2 │ src 4 │ dst 4
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.checksum import internet

ICMP, IGMP, TCP, UDP, SCTP, ICMP6 = 1, 2, 6, 17, 132, 58
DONT_FRAGMENT, MORE_FRAGMENTS = 0x4000, 0x2000
MIN_HEADER = 20

_HEAD = struct.Struct("!BBHHHBBHII")


class Ipv4(NamedTuple):
    """A packet, or a fragment of one."""

    src: int
    dst: int
    proto: int
    payload: bytes
    ttl: int = 64
    #: DSCP (6 bits) and ECN (2 bits)
    tos: int = 0
    id: int = 0
    #: flags and offset as they stand in the header
    fragment: int = 0
    options: bytes = b""

    @property
    def offset(self) -> int:
        """Where the payload begins in the unfragmented packet, in bytes."""
        return (self.fragment & 0x1FFF) * 8

    @property
    def more(self) -> bool:
        """True if later fragments follow."""
        return bool(self.fragment & MORE_FRAGMENTS)


def parse(data: bytes, *, verify: bool = True) -> Ipv4:
    """Read a packet, trailing padding left out; raises Malformed, also for a wrong header checksum if `verify`."""
    if len(data) < MIN_HEADER:
        raise Malformed(f"IPv4 packet of {len(data)} bytes")
    version, tos, length, id_, fragment, ttl, proto, _, src, dst = _HEAD.unpack_from(data)
    header = (version & 15) * 4
    if version >> 4 != 4 or header < MIN_HEADER or not header <= length <= len(data):
        raise Malformed("IPv4 header: bad version or length")
    if verify and internet(data[:header]):
        raise Malformed("IPv4 header: bad checksum")
    return Ipv4(src, dst, proto, data[header:length], ttl, tos, id_, fragment, data[MIN_HEADER:header])


def build(packet: Ipv4) -> bytes:
    """The bytes of a packet, checksum filled in; options are padded to 32 bits."""
    options = packet.options + bytes(-len(packet.options) % 4)
    header = MIN_HEADER + len(options)
    fields = [
        0x40 | header // 4,
        packet.tos,
        header + len(packet.payload),
        packet.id,
        packet.fragment,
        packet.ttl,
        packet.proto,
        0,
        packet.src,
        packet.dst,
    ]
    fields[7] = internet(_HEAD.pack(*fields) + options)
    return _HEAD.pack(*fields) + options + packet.payload


def fragments(packet: Ipv4, mtu: int) -> Iterator[Ipv4]:
    """The packet in pieces that fit `mtu`."""
    step = (mtu - MIN_HEADER - len(packet.options)) // 8 * 8
    whole = packet.payload
    for start in range(0, len(whole), step):
        more = MORE_FRAGMENTS if start + step < len(whole) else packet.fragment & MORE_FRAGMENTS
        yield packet._replace(
            payload=whole[start : start + step], fragment=more | (packet.fragment & 0x1FFF) + start // 8
        )
