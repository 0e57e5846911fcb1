"""Ethernet II frames, with or without one VLAN tag.

dst 6 │ src 6 │ [0x8100 │ TCI 2] │ type 2 │ payload
"""

import struct
from typing import NamedTuple

from pyovn.net.errors import Malformed

IP4, ARP, VLAN, RARP, IP6, QINQ = 0x0800, 0x0806, 0x8100, 0x8035, 0x86DD, 0x88A8
MPLS, MPLS_MCAST, TEB = 0x8847, 0x8848, 0x6558
MIN_TYPE = 0x0600  #: smaller type fields are IEEE 802.3 lengths
MIN_FRAME = 60  #: bytes of the shortest frame on a cable, frame check sequence not counted
TPIDS = (VLAN, QINQ)

_HEAD = struct.Struct("!6s6sH")
_TAG = struct.Struct("!HH")


class Ethernet(NamedTuple):
    """A frame."""

    dst: int
    src: int
    type: int
    payload: bytes
    #: the outer tag's control information (PCP 3, DEI 1, VID 12); None: untagged
    tci: int | None = None
    #: the outer tag's protocol id
    tpid: int = VLAN

    @property
    def vid(self) -> int:
        """VLAN id, 0 if untagged."""
        return (self.tci or 0) & 0xFFF


def parse(frame: bytes) -> Ethernet:
    """Take a frame apart, outer tag included; raises Malformed."""
    if len(frame) < 14:
        raise Malformed(f"Ethernet frame of {len(frame)} bytes")
    dst, src, type_ = _HEAD.unpack_from(frame)
    head = int.from_bytes(dst, "big"), int.from_bytes(src, "big")
    if type_ in TPIDS and len(frame) >= 18:
        tci, inner = _TAG.unpack_from(frame, 14)
        return Ethernet(*head, inner, frame[18:], tci, type_)
    return Ethernet(*head, type_, frame[14:])


def build(frame: Ethernet) -> bytes:
    """The bytes of a frame, without padding."""
    head = (frame.dst << 48 | frame.src).to_bytes(12, "big")
    if frame.tci is None:
        return head + frame.type.to_bytes(2, "big") + frame.payload
    return head + struct.pack("!HHH", frame.tpid, frame.tci, frame.type) + frame.payload
