"""ICMPv6 (RFC 4443); its checksum covers the addresses.

type 1 │ code 1 │ checksum 2 │ rest 4 (echo: id, sequence; too big: MTU) │ data
"""

import struct
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.checksum import transport

UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PARAMETER, ECHO_REQUEST, ECHO_REPLY = 1, 2, 3, 4, 128, 129
MLD_QUERY, MLD_REPORT, MLD_DONE, RS, RA, NS, NA, REDIRECT, MLD2_REPORT = 130, 131, 132, 133, 134, 135, 136, 137, 143
PROHIBITED, PORT = 1, 4  #: codes of UNREACHABLE
PROTO = 58
LENGTH = 8

_HEAD = struct.Struct("!BBHI")


class Icmp6(NamedTuple):
    """One message."""

    type: int
    code: int
    #: the second word of the header
    rest: int
    data: bytes


def parse(data: bytes, src: int, dst: int, *, verify: bool = True) -> Icmp6:
    """Read a message; raises Malformed, also for a wrong checksum if `verify`."""
    if len(data) < LENGTH or (verify and transport(6, src, dst, PROTO, data)):
        raise Malformed("ICMPv6: short, or bad checksum")
    type_, code, _, rest = _HEAD.unpack_from(data)
    return Icmp6(type_, code, rest, data[LENGTH:])


def build(message: Icmp6, src: int, dst: int) -> bytes:
    """The bytes of a message, checksum filled in."""
    type_, code, rest, data = message
    total = transport(6, src, dst, PROTO, _HEAD.pack(type_, code, 0, rest) + data)
    return _HEAD.pack(type_, code, total, rest) + data


def echo(type_: int, id_: int, sequence: int, data: bytes) -> Icmp6:
    """An echo request or reply."""
    return Icmp6(type_, 0, id_ << 16 | sequence, data)
