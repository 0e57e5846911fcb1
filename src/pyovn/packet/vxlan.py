"""VXLAN (RFC 7348).

flags 1 (0x08: VNI valid) │ reserved 3 │ VNI 3 │ reserved 1 │ inner frame
"""

from typing import NamedTuple

from pyovn.net.errors import Malformed

PORT = 4789
LENGTH = 8
VNI_VALID = 0x08


class Vxlan(NamedTuple):
    """A tunnel header and what it carries."""

    vni: int
    payload: bytes


def parse(data: bytes) -> Vxlan:
    """Read a datagram's data; raises Malformed."""
    if len(data) < LENGTH or not data[0] & VNI_VALID:
        raise Malformed("VXLAN: short, or without a VNI")
    return Vxlan(int.from_bytes(data[4:7], "big"), data[LENGTH:])


def build(packet: Vxlan) -> bytes:
    """The bytes of a datagram's data."""
    return (VNI_VALID << 56 | packet.vni << 8).to_bytes(LENGTH, "big") + packet.payload
