"""Geneve (RFC 8926), and the option with which OVN carries logical ports.

ver 2 bits, option length 6 bits │ O, C flags │ protocol 2 │ VNI 3 │ reserved 1 │ options │ inner frame
option: class 2 │ type 1 (bit 7: critical) │ length in words 1 │ data
OVN:    class 0x0102, type 0x80, 4 bytes: reserved 1 bit │ ingress port key 15 │ egress port key 16
"""

from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.cursor import Cursor
from pyovn.packet.ethernet import TEB

PORT = 6081
OVN_CLASS, OVN_TYPE = 0x0102, 0x80
CRITICAL = 0x80  #: bit of an option's type: a receiver that does not know it drops the packet


class Option(NamedTuple):
    """One option."""

    cls: int
    type: int
    data: bytes


class Geneve(NamedTuple):
    """A tunnel header and what it carries."""

    vni: int
    payload: bytes
    options: tuple[Option, ...] = ()
    protocol: int = TEB
    #: control packet
    oam: bool = False


def parse(data: bytes) -> Geneve:
    """Read a datagram's data; raises Malformed."""
    cursor = Cursor(data)
    first, second, protocol, word = cursor.u8(), cursor.u8(), cursor.u16(), cursor.u32()
    if first >> 6:
        raise Malformed(f"Geneve version {first >> 6}")
    area, options = cursor.part((first & 0x3F) * 4), []
    while area:
        cls, type_ = area.u16(), area.u8()
        options.append(Option(cls, type_, area.take((area.u8() & 0x1F) * 4)))
    return Geneve(word >> 8, cursor.rest(), tuple(options), protocol, bool(second & 0x80))


def build(packet: Geneve) -> bytes:
    """The bytes of a datagram's data."""
    area = b"".join(
        cls.to_bytes(2, "big") + bytes((type_, len(data) // 4)) + data for cls, type_, data in packet.options
    )
    critical = 0x40 if any(option.type & CRITICAL for option in packet.options) else 0
    flags = (0x80 if packet.oam else 0) | critical
    head = len(area) // 4 << 56 | flags << 48 | packet.protocol << 32 | packet.vni << 8
    return head.to_bytes(8, "big") + area + packet.payload


def ovn_option(ingress: int, egress: int) -> Option:
    """The option that carries logical port keys."""
    return Option(OVN_CLASS, OVN_TYPE, (ingress << 16 | egress).to_bytes(4, "big"))


def ovn_keys(packet: Geneve) -> tuple[int, int] | None:
    """(ingress, egress) port keys, if the packet has OVN's option."""
    for cls, type_, data in packet.options:
        if (cls, type_) == (OVN_CLASS, OVN_TYPE) and len(data) == 4:
            word = int.from_bytes(data, "big")
            return word >> 16 & 0x7FFF, word & 0xFFFF
    return None
