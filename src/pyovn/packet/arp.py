"""ARP for IPv4 over Ethernet (RFC 826), and RARP, which has the same layout.

htype 2 │ ptype 2 │ hlen 1 │ plen 1 │ op 2 │ sha 6 │ spa 4 │ tha 6 │ tpa 4
"""

import struct
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.mac import BROADCAST
from pyovn.packet import ethernet

REQUEST, REPLY, RARP_REQUEST, RARP_REPLY = 1, 2, 3, 4
LENGTH = 28

_HEAD = struct.Struct("!HHBBH")
_FOR_IP4 = (1, ethernet.IP4, 6, 4)


class Arp(NamedTuple):
    """One message."""

    op: int
    sha: int
    spa: int
    tha: int
    tpa: int


def parse(data: bytes) -> Arp:
    """Read a message; raises Malformed if it is short or not for IPv4 over Ethernet."""
    if len(data) < LENGTH:
        raise Malformed(f"ARP of {len(data)} bytes")
    *kind, op = _HEAD.unpack_from(data)
    if tuple(kind) != _FOR_IP4:
        raise Malformed("ARP not for IPv4 over Ethernet")
    body = int.from_bytes(data[8:LENGTH], "big")
    return Arp(op, body >> 112, body >> 80 & 0xFFFFFFFF, body >> 32 & BROADCAST, body & 0xFFFFFFFF)


def build(arp: Arp) -> bytes:
    """The bytes of a message."""
    body = arp.sha << 112 | arp.spa << 80 | arp.tha << 32 | arp.tpa
    return _HEAD.pack(*_FOR_IP4, arp.op) + body.to_bytes(20, "big")


def request(sha: int, spa: int, tpa: int) -> bytes:
    """The broadcast frame that asks who has `tpa`."""
    return ethernet.build(ethernet.Ethernet(BROADCAST, sha, ethernet.ARP, build(Arp(REQUEST, sha, spa, 0, tpa))))


def reply(asked: Arp, mac: int) -> bytes:
    """The frame that answers `asked` with `mac`."""
    answer = Arp(REPLY, mac, asked.tpa, asked.sha, asked.spa)
    return ethernet.build(ethernet.Ethernet(asked.sha, mac, ethernet.ARP, build(answer)))


def gratuitous(mac: int, address: int) -> bytes:
    """The broadcast frame that announces `address` at `mac`."""
    return ethernet.build(
        ethernet.Ethernet(BROADCAST, mac, ethernet.ARP, build(Arp(REQUEST, mac, address, 0, address)))
    )
