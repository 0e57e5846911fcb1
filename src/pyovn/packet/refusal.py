"""Packets that refuse other packets: ICMP errors, TCP resets, SCTP aborts.

    icmp_error(frame, type, code)   the packet quoted in an error (RFC 792, RFC 1122 §3.2.2; RFC 4443 §2.4)
    tcp_reset(frame)                RFC 9293 §3.5.2
    sctp_abort(frame)               RFC 9260 §8.4

All three keep the addresses where they are, Ethernet and IP; `turned` exchanges them.  Each is None where the
protocol wants silence: an error about an error or a broadcast, a reset of a reset.
"""

from typing import Final

from pyovn.net.errors import Malformed
from pyovn.net.mac import is_multicast
from pyovn.packet import ethernet, icmp4, icmp6, ipv4, ipv6, sctp, tcp

TTL: Final = 255
#: How large errors may be: what every host must take (RFC 1122 §3.3.2, RFC 4443 §2.4 c).
LARGEST: Final = {4: 576, 6: 1280}
#: ICMP messages that are errors, over IPv4; over IPv6 all below 128 are.
ERRORS4: Final = frozenset({3, 4, 5, 11, 12})
ALL_ONES: Final = 0xFFFFFFFF
SCTP_REFLECTED: Final = 1  #: flag of an abort: the tag is the one that came

Ip = ipv4.Ipv4 | ipv6.Ipv6


def dissect(frame: bytes) -> tuple[ethernet.Ethernet, Ip, int, bytes]:
    """(frame, packet, protocol, what the protocol says); raises Malformed."""
    ether = ethernet.parse(frame)
    if ether.type == ethernet.IP4:
        four = ipv4.parse(ether.payload)
        return ether, four, four.proto, b"" if four.offset else four.payload
    if ether.type != ethernet.IP6:
        raise Malformed("not an IP packet")
    six = ipv6.parse(ether.payload)
    upper = ipv6.upper(six)
    return ether, six, upper.proto, b"" if upper.fragment and upper.fragment[0] else upper.payload


def icmp_error(frame: bytes, type_: int, code: int, rest: int = 0) -> bytes | None:
    """The packet quoted in an ICMP error of its IP version."""
    ether, packet, proto, payload = dissect(frame)
    if not _deserves_error(ether, packet, proto, payload):
        return None
    if isinstance(packet, ipv4.Ipv4):
        length = int.from_bytes(ether.payload[2:4], "big")
        quoted = ether.payload[: min(length, LARGEST[4] - ipv4.MIN_HEADER - icmp4.LENGTH)]
        return _framed(ether, packet, ipv4.ICMP, icmp4.build(icmp4.Icmp4(type_, code, rest, quoted)))
    length = ipv6.HEADER + len(packet.payload)
    quoted = ether.payload[: min(length, LARGEST[6] - ipv6.HEADER - icmp6.LENGTH)]
    message = icmp6.build(icmp6.Icmp6(type_, code, rest, quoted), packet.src, packet.dst)
    return _framed(ether, packet, icmp6.PROTO, message)


def tcp_reset(frame: bytes) -> bytes | None:
    """The segment that ends the connection a segment belongs to."""
    ether, packet, proto, payload = dissect(frame)
    if proto != tcp.PROTO:
        raise Malformed("not a TCP segment")
    segment = tcp.parse(payload)
    if segment.flags & tcp.RST:
        return None
    if segment.flags & tcp.ACK:
        reset = tcp.Tcp(segment.dst_port, segment.src_port, segment.ack, 0, tcp.RST, 0)
    else:
        after = segment.seq + segment.length & ALL_ONES
        reset = tcp.Tcp(segment.dst_port, segment.src_port, 0, after, tcp.RST | tcp.ACK, 0)
    version = 4 if isinstance(packet, ipv4.Ipv4) else 6
    return _framed(ether, packet, proto, tcp.build(reset, version, packet.src, packet.dst))


def sctp_abort(frame: bytes) -> bytes | None:
    """The packet that ends the association a packet belongs to."""
    ether, packet, proto, payload = dissect(frame)
    if proto != sctp.PROTO:
        raise Malformed("not an SCTP packet")
    came = sctp.parse(payload)
    if any(chunk.type == sctp.ABORT for chunk in came.chunks):
        return None
    tag, flags = came.tag, SCTP_REFLECTED
    for chunk in came.chunks[:1]:
        if chunk.type == sctp.INIT and len(chunk.value) >= 4:
            tag, flags = int.from_bytes(chunk.value[:4], "big"), 0
    abort = sctp.Sctp(came.dst_port, came.src_port, tag, (sctp.Chunk(sctp.ABORT, flags, b""),))
    return _framed(ether, packet, proto, sctp.build(abort))


def turned(frame: bytes) -> bytes:
    """The frame with sender and receiver exchanged, Ethernet and IP; checksums do not mind."""
    ether = ethernet.parse(frame)
    start, size = (12, 4) if ether.type == ethernet.IP4 else (8, 16)
    body = ether.payload
    middle, end = start + size, start + 2 * size
    if len(body) < end:
        raise Malformed("truncated IP header")
    swapped = body[:start] + body[middle:end] + body[start:middle] + body[end:]
    return ethernet.build(ether._replace(dst=ether.src, src=ether.dst, payload=swapped))


def _deserves_error(ether: ethernet.Ethernet, packet: Ip, proto: int, payload: bytes) -> bool:
    """False for what would make storms: errors, later fragments, many receivers, no single sender."""
    if is_multicast(ether.dst) or _is_later_fragment(packet):
        return False
    message = payload[0] if payload else None
    if isinstance(packet, ipv4.Ipv4):
        groups = packet.dst >> 28 == 0xE or packet.dst == ALL_ONES
        nobody = not packet.src or packet.src >> 28 >= 0xE
        return not groups and not nobody and not (proto == ipv4.ICMP and message in ERRORS4)
    nobody = not packet.src or packet.src >> 120 == 0xFF
    is_error = proto == icmp6.PROTO and message is not None and message < 128
    return packet.dst >> 120 != 0xFF and not nobody and not is_error


def _is_later_fragment(packet: Ip) -> bool:
    if isinstance(packet, ipv4.Ipv4):
        return bool(packet.offset)
    fragment = ipv6.upper(packet).fragment
    return fragment is not None and bool(fragment[0])


def _framed(ether: ethernet.Ethernet, packet: Ip, proto: int, body: bytes) -> bytes:
    if isinstance(packet, ipv4.Ipv4):
        reply = ipv4.Ipv4(packet.src, packet.dst, proto, body, TTL, fragment=ipv4.DONT_FRAGMENT)
        return ethernet.build(ether._replace(payload=ipv4.build(reply)))
    return ethernet.build(ether._replace(payload=ipv6.build(ipv6.Ipv6(packet.src, packet.dst, proto, body, TTL))))
