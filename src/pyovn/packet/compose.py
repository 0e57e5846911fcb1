"""Frames from header fields, named as in OpenFlow: what a flow or a microflow says becomes a packet that it matches.

    compose({"eth_type": 0x800, "ip_proto": 6, "ip_ttl": 64, "tcp_dst": 80})  →  Ethernet │ IPv4 │ TCP │ 64 bytes

Fields that are not given are 0; lengths and checksums are right.  `flow_key` gives the fields back.
"""

from collections.abc import Callable, Mapping
from typing import Final

from pyovn.packet import arp, ethernet, icmp4, icmp6, ipv4, ipv6, nd, sctp, tcp, udp, vlan

Fields = Mapping[str, int]

#: What TCP, UDP and ICMP carry, as much as Open vSwitch gives them; nothing where a connection begins or ends.
PAYLOAD: Final = bytes(range(64))
#: `ip_frag`: it is a fragment; it is not the first one.
_FRAGMENT, _LATER = 1, 2
#: Where a later fragment says it belongs, in units of 8 bytes.
_OFFSET: Final = 100
_FRAGMENT_HEADER: Final = 44


def compose(fields: Fields) -> bytes:
    """The frame."""
    value = fields.get
    kind = value("eth_type", 0)
    body = _BODIES[kind](fields) if kind in _BODIES else b""
    tci = value("vlan_tci", 0)
    tag = tci & ~vlan.PRESENT if tci & vlan.PRESENT else None
    tpid = value("vlan_tpid", 0) or ethernet.VLAN
    return ethernet.build(ethernet.Ethernet(value("eth_dst", 0), value("eth_src", 0), kind, body, tag, tpid))


def _arp(fields: Fields) -> bytes:
    return arp.build(arp.Arp(*(fields.get(name, 0) for name in ("arp_op", "arp_sha", "arp_spa", "arp_tha", "arp_tpa"))))


def _ip4(fields: Fields) -> bytes:
    value = fields.get
    src, dst, frag = value("ip_src", 0), value("ip_dst", 0), value("ip_frag", 0)
    fragment = _OFFSET if frag & _LATER else ipv4.MORE_FRAGMENTS if frag & _FRAGMENT else 0
    upper = _upper(fields, 4, src, dst)
    proto, ttl = value("ip_proto", 0), value("ip_ttl", 0)
    return ipv4.build(ipv4.Ipv4(src, dst, proto, upper, ttl, _tos(fields), fragment=fragment))


def _ip6(fields: Fields) -> bytes:
    value = fields.get
    src, dst, frag = value("ipv6_src", 0), value("ipv6_dst", 0), value("ip_frag", 0)
    proto, upper = value("ip_proto", 0), _upper(fields, 6, src, dst)
    if frag & _FRAGMENT:
        place = _OFFSET << 3 if frag & _LATER else 1
        proto, upper = _FRAGMENT_HEADER, bytes((proto, 0)) + place.to_bytes(2, "big") + bytes(4) + upper
    label = value("ipv6_label", 0)
    return ipv6.build(ipv6.Ipv6(src, dst, proto, upper, value("ip_ttl", 0), _tos(fields), label))


_BODIES: Final[Mapping[int, Callable[[Fields], bytes]]] = {
    ethernet.IP4: _ip4,
    ethernet.IP6: _ip6,
    ethernet.ARP: _arp,
    ethernet.RARP: _arp,
}


def _tos(fields: Fields) -> int:
    return fields.get("ip_dscp", 0) << 2 | fields.get("ip_ecn", 0)


def _upper(fields: Fields, version: int, src: int, dst: int) -> bytes:
    """The transport header and what follows; a later fragment has only the latter."""
    if fields.get("ip_frag", 0) & _LATER:
        return PAYLOAD
    build = _UPPER.get((version, fields.get("ip_proto", 0))) or _UPPER.get((0, fields.get("ip_proto", 0)))
    return build(fields, version, src, dst) if build is not None else b""


def _tcp(fields: Fields, version: int, src: int, dst: int) -> bytes:
    ports, flags = (fields.get("tcp_src", 0), fields.get("tcp_dst", 0)), fields.get("tcp_flags", 0)
    data = b"" if flags & (tcp.SYN | tcp.FIN | tcp.RST) else PAYLOAD
    return tcp.build(tcp.Tcp(*ports, 0, 0, flags, 0, data), version, src, dst)


def _udp(fields: Fields, version: int, src: int, dst: int) -> bytes:
    return udp.build(udp.Udp(fields.get("udp_src", 0), fields.get("udp_dst", 0), PAYLOAD), version, src, dst)


def _sctp(fields: Fields, version: int, src: int, dst: int) -> bytes:
    return sctp.build(sctp.Sctp(fields.get("sctp_src", 0), fields.get("sctp_dst", 0), 0, ()))


def _icmp4(fields: Fields, version: int, src: int, dst: int) -> bytes:
    return icmp4.build(icmp4.Icmp4(fields.get("icmp_type", 0), fields.get("icmp_code", 0), 0, PAYLOAD))


def _icmp6(fields: Fields, version: int, src: int, dst: int) -> bytes:
    kind, code = fields.get("icmpv6_type", 0), fields.get("icmpv6_code", 0)
    if kind in (icmp6.NS, icmp6.NA):
        return icmp6.build(_neighbour(fields, kind)._replace(code=code), src, dst)
    return icmp6.build(icmp6.Icmp6(kind, code, 0, PAYLOAD), src, dst)


def _neighbour(fields: Fields, kind: int) -> icmp6.Icmp6:
    name, option = ("nd_sll", nd.SOURCE_LLA) if kind == icmp6.NS else ("nd_tll", nd.TARGET_LLA)
    options = ((option, fields[name].to_bytes(6, "big")),) if fields.get(name) else ()
    return nd.build(nd.Neighbor(kind, fields.get("nd_target", 0), fields.get("nd_reserved", 0), options))


_Upper = Callable[[Fields, int, int, int], bytes]
#: (IP version, or 0 for both; protocol) → the builder of its header
_UPPER: Final[Mapping[tuple[int, int], _Upper]] = {
    (0, ipv4.TCP): _tcp,
    (0, ipv4.UDP): _udp,
    (0, ipv4.SCTP): _sctp,
    (4, ipv4.ICMP): _icmp4,
    (6, ipv4.ICMP6): _icmp6,
}
