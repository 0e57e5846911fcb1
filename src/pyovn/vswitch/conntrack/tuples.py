"""Which connection a packet belongs to: the tuple of addresses, protocol and ports.

    10.0.0.1:1024 → 10.0.0.2:80 tcp       Tuple(net=0x800, proto=6, src, dst, sport=1024, dport=80)
    10.0.0.1 → 10.0.0.2 echo request      sport = the echo identifier, dport = type << 8 | code
    a later fragment                      the ports of its first fragment, if that came by before

For an ICMP error the tuple is that of the packet it quotes, turned around: the error travels like a reply to it.
Reads frames; spec RFC 792, RFC 4443, RFC 8200 §4.5.
"""

from typing import NamedTuple

from pyovn.vswitch.frame import (
    ETH_IP,
    ETH_IPV6,
    FRAG_LATER,
    FRAGMENT_HEADER,
    ICMP,
    ICMPV6,
    SCTP,
    TCP,
    UDP,
    Shape,
    ip4,
    ip6,
    ones_complement,
)
from pyovn.vswitch.key import get

_PORTED = frozenset((TCP, UDP, SCTP))
#: ICMP queries and their replies, both ways
ICMP_PAIRS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
ICMP6_PAIRS = {128: 129, 129: 128}
#: types that open a connection
ICMP_QUERIES, ICMP6_QUERIES = frozenset((8, 13, 15, 17)), frozenset((128,))
#: types that quote the packet they are about
ICMP_ERRORS, ICMP6_ERRORS = frozenset((3, 4, 5, 11, 12)), frozenset((1, 2, 3, 4))


class Tuple(NamedTuple):
    """One direction of a connection."""

    net: int  #: ethertype
    proto: int
    src: int
    dst: int
    sport: int
    dport: int

    def reversed(self) -> "Tuple":
        """What a reply to this looks like."""
        net, proto, src, dst, sport, dport = self
        if proto == ICMP and net == ETH_IP:
            return Tuple(net, proto, dst, src, sport, ICMP_PAIRS.get(dport >> 8, dport >> 8) << 8 | dport & 0xFF)
        if proto == ICMPV6 and net == ETH_IPV6:
            return Tuple(net, proto, dst, src, sport, ICMP6_PAIRS.get(dport >> 8, dport >> 8) << 8 | dport & 0xFF)
        return Tuple(net, proto, dst, src, dport, sport)

    @property
    def is_icmp(self) -> bool:
        """True if the ports hold an ICMP identifier, type and code."""
        return (self.proto == ICMP and self.net == ETH_IP) or (self.proto == ICMPV6 and self.net == ETH_IPV6)


class Tracked(NamedTuple):
    """A packet as conntrack sees it."""

    of: Tuple  #: of an ICMP error: of the quoted packet, reversed
    shape: Shape
    quoted: Shape | None = None  #: the headers inside an ICMP error
    fragment: tuple[int, ...] | None = None  #: identity of the datagram this is a fragment of
    later: bool = False  #: a fragment without a transport header


def addresses(frame: bytes, shape: Shape) -> tuple[int, int]:
    """Source and destination address."""
    at = shape.l3
    if shape.net == ETH_IP:
        return int.from_bytes(frame[at + 12 : at + 16], "big"), int.from_bytes(frame[at + 16 : at + 20], "big")
    return int.from_bytes(frame[at + 8 : at + 24], "big"), int.from_bytes(frame[at + 24 : at + 40], "big")


def tracked(frame: bytes, shape: Shape, frag: int) -> Tracked | None:
    """The tuple of `frame`; None where it is not a well-formed IP packet of a kind that can be tracked."""
    if shape.net not in (ETH_IP, ETH_IPV6) or not _whole(frame, shape):
        return None
    fragment = _fragment(frame, shape) if frag else None
    src, dst = addresses(frame, shape)
    if frag & FRAG_LATER:
        return Tracked(Tuple(shape.net, shape.proto, src, dst, 0, 0), shape, None, fragment, True)
    at = shape.l4
    if shape.proto in _PORTED:
        if not at:
            return None
        ports = frame[at] << 8 | frame[at + 1], frame[at + 2] << 8 | frame[at + 3]
        if shape.proto == TCP and frame[at + 12] >> 4 < 5:
            return None
        return Tracked(Tuple(shape.net, shape.proto, src, dst, *ports), shape, None, fragment)
    if shape.proto == (ICMP if shape.net == ETH_IP else ICMPV6):
        return _icmp(frame, shape, Tuple(shape.net, shape.proto, src, dst, 0, 0)) if at else None
    return Tracked(Tuple(shape.net, shape.proto, src, dst, 0, 0), shape, None, fragment)


def _icmp(frame: bytes, shape: Shape, outer: Tuple) -> Tracked | None:
    at = shape.l4
    kind = frame[at]
    errors, pairs = (ICMP_ERRORS, ICMP_PAIRS) if shape.net == ETH_IP else (ICMP6_ERRORS, ICMP6_PAIRS)
    if kind in pairs:
        identifier = frame[at + 4] << 8 | frame[at + 5]
        return Tracked(outer._replace(sport=identifier, dport=kind << 8 | frame[at + 1]), shape)
    if kind not in errors:
        return None
    key, quoted = (ip4 if shape.net == ETH_IP else ip6)(frame, at + 8)
    # A quoted TCP header may be cut after eight bytes; the ports are in these.
    if not quoted.net or get(key, "ip_frag") & FRAG_LATER:
        return None
    src, dst = addresses(frame, quoted)
    about = Tuple(shape.net, quoted.proto, src, dst, 0, 0)
    if quoted.proto in _PORTED:
        l4 = quoted.l4 or quoted.end
        if len(frame) < l4 + 8:
            return None
        about = about._replace(sport=frame[l4] << 8 | frame[l4 + 1], dport=frame[l4 + 2] << 8 | frame[l4 + 3])
        quoted = quoted._replace(l4=l4)
    elif quoted.proto == shape.proto and quoted.l4:
        if frame[quoted.l4] not in pairs:
            return None
        identifier = frame[quoted.l4 + 4] << 8 | frame[quoted.l4 + 5]
        about = about._replace(sport=identifier, dport=frame[quoted.l4] << 8 | frame[quoted.l4 + 1])
    return Tracked(about.reversed(), shape, quoted)


def _whole(frame: bytes, shape: Shape) -> bool:
    """True if the frame holds all of the packet that its network header promises."""
    at = shape.l3
    if shape.net == ETH_IP:
        total = frame[at + 2] << 8 | frame[at + 3]
        return shape.end - at <= total <= len(frame) - at or (not shape.l4 and 20 <= total <= len(frame) - at)
    return 40 + (frame[at + 4] << 8 | frame[at + 5]) <= len(frame) - at


def _fragment(frame: bytes, shape: Shape) -> tuple[int, ...]:
    """What the fragments of one datagram have in common."""
    at = shape.l3
    src, dst = addresses(frame, shape)
    if shape.net == ETH_IP:
        return shape.net, shape.proto, src, dst, frame[at + 4] << 8 | frame[at + 5]
    header, kind = at + 40, frame[at + 6]
    while kind != FRAGMENT_HEADER:
        kind, header = frame[header], header + (frame[header + 1] + 1) * 8
    return shape.net, shape.proto, src, dst, int.from_bytes(frame[header + 4 : header + 8], "big")


def sums_right(frame: bytes, shape: Shape) -> bool:
    """True if the checksums of the network and transport header are right (fragments: the former only)."""
    at, l4 = shape.l3, shape.l4
    if shape.net == ETH_IP:
        header = (frame[at] & 15) * 4
        if int.from_bytes(frame[at : at + header], "big") % 0xFFFF:
            return False
        end = at + (frame[at + 2] << 8 | frame[at + 3])
        if frame[at + 6] & 0x3F or frame[at + 7]:
            return True
    else:
        end = at + 40 + (frame[at + 4] << 8 | frame[at + 5])
    if not l4 or shape.proto == SCTP:
        return True
    content = frame[l4:end]
    total = int.from_bytes(content + b"\0" if len(content) & 1 else content, "big")
    if shape.proto == ICMP:
        return total % 0xFFFF == 0
    if shape.proto == UDP and not frame[l4 + 6] and not frame[l4 + 7]:
        return True
    src, dst = addresses(frame, shape)
    return (total + src + dst + shape.proto + len(content)) % 0xFFFF == 0


def renewed_icmp_sum(frame: bytearray, shape: Shape) -> None:
    """Compute the checksum of the ICMP message anew."""
    at, l4 = shape.l3, shape.l4
    if shape.net == ETH_IP:
        content = bytes(frame[l4 : at + (frame[at + 2] << 8 | frame[at + 3])])
        pseudo = b""
    else:
        content = bytes(frame[l4 : at + 40 + (frame[at + 4] << 8 | frame[at + 5])])
        pseudo = bytes(frame[at + 8 : at + 40]) + len(content).to_bytes(4, "big") + ICMPV6.to_bytes(4, "big")
    total = ones_complement(pseudo + content[:2] + b"\0\0" + content[4:])
    frame[l4 + 2 : l4 + 4] = total.to_bytes(2, "big")
