"""Frames made from what a flow says: for `netdev-dummy/receive` and for tracing with a packet.

tcp,dl_src=…,nw_src=10.0.0.1,…,tp_dst=80   or   the frame in hexadecimal
"""

from pyovn.openflow.match_text import parse_match
from pyovn.packet.compose import compose

TTL = 64  #: of packets whose flow says nothing of it


def frame_of(text: str) -> bytes:
    """The frame that hexadecimal digits or a flow describe; raises Malformed or ValueError."""
    if all(character in "0123456789abcdefABCDEF" for character in text):
        return bytes.fromhex(text)
    return compose({"ip_ttl": TTL, **_fields(text)})


def _fields(text: str) -> dict[str, int]:
    return {name: value for name, value, _ in parse_match(text)}
