"""SCTP packets (RFC 9260).

src port 2 │ dst port 2 │ verification tag 4 │ CRC-32c 4 │ chunks: type 1 │ flags 1 │ length 2 │ value, padded to 4
"""

import struct
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.checksum import crc32c
from pyovn.packet.cursor import Cursor

PROTO = 132
LENGTH = 12
DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN = range(8)

_HEAD = struct.Struct("!HHII")


class Chunk(NamedTuple):
    """One chunk."""

    type: int
    flags: int
    value: bytes


class Sctp(NamedTuple):
    """A packet."""

    src_port: int
    dst_port: int
    tag: int
    chunks: tuple[Chunk, ...]


def parse(data: bytes, *, verify: bool = True) -> Sctp:
    """Read a packet; raises Malformed, also for a wrong checksum if `verify`."""
    if len(data) < LENGTH:
        raise Malformed(f"SCTP packet of {len(data)} bytes")
    src, dst, tag, crc = _HEAD.unpack_from(data)
    if verify and crc32c(data[:8] + bytes(4) + data[LENGTH:]) != crc:
        raise Malformed("SCTP: bad checksum")
    cursor, chunks = Cursor(data, LENGTH), []
    while cursor:
        type_, flags, size = cursor.u8(), cursor.u8(), cursor.u16()
        chunks.append(Chunk(type_, flags, cursor.take(size - 4)))
        cursor.align(4)
    return Sctp(src, dst, tag, tuple(chunks))


def build(packet: Sctp) -> bytes:
    """The bytes of a packet, checksum filled in."""
    body = b"".join(
        struct.pack("!BBH", type_, flags, len(value) + 4) + value + bytes(-len(value) % 4)
        for type_, flags, value in packet.chunks
    )
    head = packet.src_port, packet.dst_port, packet.tag
    return _HEAD.pack(*head, crc32c(_HEAD.pack(*head, 0) + body)) + body
