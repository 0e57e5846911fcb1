"""TCP segments (RFC 9293).

src port 2 │ dst port 2 │ seq 4 │ ack 4 │ data offset 4 bits, flags 12 bits │ window 2 │ checksum 2 │ urgent 2 │ …
"""

import struct
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.checksum import transport

PROTO = 6
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, NS = (1 << bit for bit in range(9))
MIN_HEADER = 20
OPTION_MSS = 2

_HEAD = struct.Struct("!HHIIHHHH")


class Tcp(NamedTuple):
    """A segment."""

    src_port: int
    dst_port: int
    seq: int
    ack: int
    flags: int
    window: int = 0xFFFF
    data: bytes = b""
    options: bytes = b""
    urgent: int = 0

    @property
    def length(self) -> int:
        """How much sequence space the segment takes."""
        return len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)


def parse(segment: bytes) -> Tcp:
    """Read a segment; raises Malformed.  The checksum is `verify`'s business."""
    if len(segment) < MIN_HEADER:
        raise Malformed(f"TCP segment of {len(segment)} bytes")
    src, dst, seq, ack, word, window, _, urgent = _HEAD.unpack_from(segment)
    header = (word >> 12) * 4
    if not MIN_HEADER <= header <= len(segment):
        raise Malformed("TCP header length")
    return Tcp(src, dst, seq, ack, word & 0xFFF, window, segment[header:], segment[MIN_HEADER:header], urgent)


def build(segment: Tcp, version: int, src: int, dst: int) -> bytes:
    """The bytes of a segment between two addresses, checksum filled in; options are padded to 32 bits."""
    options = segment.options + bytes(-len(segment.options) % 4)
    word = (MIN_HEADER + len(options)) // 4 << 12 | segment.flags
    head = [segment.src_port, segment.dst_port, segment.seq, segment.ack, word, segment.window, 0, segment.urgent]
    tail = options + segment.data
    head[6] = transport(version, src, dst, PROTO, _HEAD.pack(*head) + tail)
    return _HEAD.pack(*head) + tail


def verify(segment: bytes, version: int, src: int, dst: int) -> bool:
    """True if the checksum is right."""
    return transport(version, src, dst, PROTO, segment) == 0


def mss_option(mss: int) -> bytes:
    """The maximum segment size option."""
    return bytes((OPTION_MSS, 4)) + mss.to_bytes(2, "big")


def mss(options: bytes) -> int | None:
    """The maximum segment size the peer asks for, if it does."""
    at = 0
    while at < len(options) and options[at]:
        if options[at] == 1:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2:
            return None
        if options[at] == OPTION_MSS and size == 4:
            return int.from_bytes(options[at + 2 : at + 4], "big")
        at += size
    return None
