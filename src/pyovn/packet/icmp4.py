"""ICMP for IPv4 (RFC 792).

type 1 │ code 1 │ checksum 2 │ rest 4 (echo: id, sequence; too big: next-hop MTU) │ data
"""

import struct
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.checksum import internet

ECHO_REPLY, UNREACHABLE, REDIRECT, ECHO_REQUEST, TIME_EXCEEDED = 0, 3, 5, 8, 11
NET, HOST, PROTOCOL, PORT, TOO_BIG = range(5)  #: codes of UNREACHABLE
LENGTH = 8

_HEAD = struct.Struct("!BBHI")


class Icmp4(NamedTuple):
    """One message."""

    type: int
    code: int
    #: the second word of the header
    rest: int
    data: bytes


def parse(data: bytes, *, verify: bool = True) -> Icmp4:
    """Read a message; raises Malformed, also for a wrong checksum if `verify`."""
    if len(data) < LENGTH or (verify and internet(data)):
        raise Malformed("ICMP: short, or bad checksum")
    type_, code, _, rest = _HEAD.unpack_from(data)
    return Icmp4(type_, code, rest, data[LENGTH:])


def build(message: Icmp4) -> bytes:
    """The bytes of a message, checksum filled in."""
    type_, code, rest, data = message
    return _HEAD.pack(type_, code, internet(_HEAD.pack(type_, code, 0, rest) + data), rest) + data


def echo(type_: int, id_: int, sequence: int, data: bytes) -> Icmp4:
    """An echo request or reply."""
    return Icmp4(type_, 0, id_ << 16 | sequence, data)
