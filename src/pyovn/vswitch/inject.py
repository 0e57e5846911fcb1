"""Frames made from what a flow says: for `netdev-dummy/receive` and for tracing with a packet.

tcp,dl_src=…,nw_src=10.0.0.1,…,tp_dst=80   or   the frame in hexadecimal
"""

from pyovn.openflow.match_text import parse_match
from pyovn.vswitch.frame import (
    ETH_ARP,
    ETH_IP,
    ETH_IPV6,
    ETH_RARP,
    ETH_VLAN,
    ICMP,
    ICMPV6,
    SCTP,
    TCP,
    UDP,
    extract,
    ones_complement,
    patch,
)
from pyovn.vswitch.key import FRAME, VLAN, compiled, get, place

_ROOM = 64


def frame_of(text: str) -> bytes:
    """The frame that hexadecimal digits or a flow describe; raises Malformed or ValueError."""
    if all(character in "0123456789abcdefABCDEF" for character in text):
        return bytes.fromhex(text)
    return composed(compiled(parse_match(text))[1])


def composed(key: int) -> bytes:
    """A small frame with the header fields of `key`, checksums right."""
    kind, proto = get(key, "eth_type"), get(key, "ip_proto")
    body = b""
    if kind == ETH_IP:
        body = _ip4(proto, _transport(proto))
    elif kind == ETH_IPV6:
        upper = _transport(proto, icmp=ICMPV6)
        if get(key, "icmpv6_type") in (135, 136):
            upper = place_type(get(key, "icmpv6_type"))
        body = (6 << 28).to_bytes(4, "big") + len(upper).to_bytes(2, "big") + bytes((proto, 64)) + bytes(32) + upper
    elif kind in (ETH_ARP, ETH_RARP):
        body = b"\0\1\x08\0\6\4" + bytes(22)
    else:
        body = bytes(_ROOM - 14)
    tag = b""
    if get(key, "vlan_tci") & 0x1000:
        tag = (get(key, "vlan_tpid") or ETH_VLAN).to_bytes(2, "big") + (get(key, "vlan_tci") & 0xEFFF).to_bytes(
            2, "big"
        )
    frame = bytes(12) + tag + kind.to_bytes(2, "big") + body
    if kind in (ETH_IP, ETH_IPV6) and proto in (TCP, UDP, ICMPV6):
        frame = _summed(frame)
    _, shape = extract(frame)
    if not get(key, "ip_ttl"):
        key |= place("ip_ttl", 64)
    return patch(frame, shape, key, FRAME & ~VLAN & ~place("ip_proto", 0xFF if kind in (ETH_IP, ETH_IPV6) else 0))


def place_type(kind: int) -> bytes:
    """The body of a neighbour discovery message with its link-layer option."""
    return bytes((kind, 0, 0, 0)) + bytes(20) + bytes((1 if kind == 135 else 2, 1)) + bytes(6)


def _transport(proto: int, icmp: int = ICMP) -> bytes:
    """An empty transport header."""
    if proto == TCP:
        return bytes(12) + b"\x50" + bytes(7)
    if proto == UDP:
        return b"\0\0\0\0\0\x08\0\0"
    if proto == SCTP:
        return bytes(12)
    if proto == icmp:
        return (b"\0\0" + ones_complement(bytes(8)).to_bytes(2, "big") + bytes(4)) if icmp == ICMP else bytes(8)
    return bytes(26)


def _ip4(proto: int, upper: bytes) -> bytes:
    """An IPv4 packet from and to nowhere."""
    head = b"\x45\0" + (20 + len(upper)).to_bytes(2, "big") + bytes(4) + bytes((64, proto, 0, 0)) + bytes(8)
    return head[:10] + ones_complement(head).to_bytes(2, "big") + head[12:] + upper


def _summed(frame: bytes) -> bytes:
    """`frame` with the checksum its transport header has while all addresses are zero."""
    _, shape = extract(frame)
    at = shape.l4 + {TCP: 16, UDP: 6, ICMPV6: 2}[shape.proto]
    upper = frame[shape.l4 :]
    total = (int.from_bytes(upper + b"\0" * (len(upper) & 1), "big") + shape.proto + len(upper)) % 0xFFFF
    return frame[:at] + (0xFFFF - total).to_bytes(2, "big") + frame[at + 2 :]
