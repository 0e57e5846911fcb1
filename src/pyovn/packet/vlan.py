"""VLAN tags on frames that stay bytes (IEEE 802.1Q).

push: dst src │ tpid tci │ type …          the OpenFlow form of a TCI has bit 12 set where a tag is present
"""

from pyovn.packet.ethernet import TPIDS, VLAN

PRESENT = 0x1000  #: in an OpenFlow TCI: there is a tag (the DEI bit's place)


def tci(vid: int, pcp: int = 0) -> int:
    """A tag's control information."""
    return pcp << 13 | vid


def is_tagged(frame: bytes) -> bool:
    """True if the frame has an outer tag."""
    return len(frame) >= 18 and int.from_bytes(frame[12:14], "big") in TPIDS


def push(frame: bytes, control: int, tpid: int = VLAN) -> bytes:
    """The frame with one more outer tag."""
    return frame[:12] + (tpid << 16 | control).to_bytes(4, "big") + frame[12:]


def pop(frame: bytes) -> bytes:
    """The frame without its outer tag, unchanged if it has none."""
    return frame[:12] + frame[16:] if is_tagged(frame) else frame


def set_tci(frame: bytes, openflow_tci: int) -> bytes:
    """The frame with this tag, added, replaced or (0) removed as vlan_tci says."""
    if not openflow_tci & PRESENT:
        return pop(frame)
    control = openflow_tci & ~PRESENT
    if is_tagged(frame):
        return frame[:14] + control.to_bytes(2, "big") + frame[16:]
    return push(frame, control)
