"""Matches of OpenFlow 1.0: the fixed form of 40 bytes, and NXM, which can say everything.

    wildcards 4 │ in_port 2 │ dl_src 6 │ dl_dst 6 │ vlan 2 │ pcp 1 │ pad 1 │ dl_type 2 │ tos 1 │ proto 1 │ pad 2 │
    nw_src 4 │ nw_dst 4 │ tp_src 2 │ tp_dst 2

NXM is a list of TLVs as in `oxm`, without a header, with the code points that Nicira gave fields first.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.openflow import oxm
from pyovn.openflow.fields import FIELDS, FULL, NXM_NX, NXM_OF
from pyovn.openflow.match import UNTAGGED_MASK, VLAN_PRESENT, Match, canonical
from pyovn.packet.cursor import Cursor

FIXED = struct.Struct("!IH6s6sHBxHBBxxIIHH")
NO_VLAN = 0xFFFF
COOKIE = b"\x00\x01\x3c\x08"  #: header of a cookie in NXM
MASKED_COOKIE = b"\x00\x01\x3d\x10"

_IN_PORT, _VLAN, _SRC, _DST, _TYPE, _PROTO, _TP_SRC, _TP_DST = (1 << bit for bit in range(8))
_NW_SRC_AT, _NW_DST_AT = 8, 14
_PCP, _TOS = 1 << 20, 1 << 21
_ARP, _IP = (0x0806,), (0x0800, 0x86DD)
#: IP protocol → what the two "ports" are
_PORTS = {
    1: ("icmp_type", "icmp_code"),
    6: ("tcp_src", "tcp_dst"),
    17: ("udp_src", "udp_dst"),
    58: ("icmpv6_type", "icmpv6_code"),
    132: ("sctp_src", "sctp_dst"),
}
Term = tuple[str, int, int]


def decode_fixed(cursor: Cursor) -> Match:
    """A match of the fixed form; raises Malformed."""
    data = cursor.take(FIXED.size)
    wild, in_port, src, dst, vlan, pcp, eth_type, tos, proto, nw_src, nw_dst, tp_src, tp_dst = FIXED.unpack(data)
    found: list[Term] = []

    def exact(bit: int, name: str, value: int) -> None:
        if not wild & bit:
            found.append((name, value, FULL[name]))

    exact(_IN_PORT, "in_port", oxm.port32(in_port))
    exact(_SRC, "eth_src", int.from_bytes(src, "big"))
    exact(_DST, "eth_dst", int.from_bytes(dst, "big"))
    exact(_TYPE, "eth_type", eth_type)
    found += _vlan(wild, vlan, pcp)
    known = 0 if wild & _TYPE else eth_type
    if known in _ARP:
        exact(_PROTO, "arp_op", proto)
    elif known in _IP:
        exact(_PROTO, "ip_proto", proto)
        exact(_TOS, "ip_dscp", tos >> 2)
        for bit, name, value in zip((_TP_SRC, _TP_DST), _PORTS.get(proto, ()), (tp_src, tp_dst), strict=False):
            if not wild & _PROTO:
                exact(bit, name, value)
    for name, value, at in (("src", nw_src, _NW_SRC_AT), ("dst", nw_dst, _NW_DST_AT)):
        mask = 0xFFFFFFFF << min(32, wild >> at & 0x3F) & 0xFFFFFFFF
        if mask and known in (0x0800, 0x0806):
            found.append((_address(known, name), value, mask))
    return canonical(found)


def _address(eth_type: int, which: str) -> str:
    return {"src": "arp_spa", "dst": "arp_tpa"}[which] if eth_type in _ARP else f"ip_{which}"


def _vlan(wild: int, vlan: int, pcp: int) -> Iterator[Term]:
    if not wild & _VLAN and vlan == NO_VLAN:
        yield "vlan_tci", 0, UNTAGGED_MASK
        return
    vid, priority = not wild & _VLAN, not wild & _PCP
    value = (VLAN_PRESENT | vlan & 0xFFF if vid else 0) | (VLAN_PRESENT | pcp << 13 if priority else 0)
    if vid or priority:
        yield "vlan_tci", value, (0x1FFF if vid else VLAN_PRESENT) | (0xE000 if priority else 0)


def encode_fixed(match: Match) -> bytes:
    """As much of a match as the fixed form can say."""
    terms = {name: (value, mask) for name, value, mask in match}
    wild = 0x3FFFFF

    def take(bit: int, *names: str) -> int:
        nonlocal wild
        for name in names:
            if name in terms and terms[name][1] == FULL[name]:
                wild &= ~bit
                return terms[name][0]
        return 0

    def prefix(at: int, *names: str) -> int:
        nonlocal wild
        for name in names:
            value, mask = terms.get(name, (0, 0))
            length = mask.bit_count()
            if length and mask == 0xFFFFFFFF << 32 - length & 0xFFFFFFFF:
                wild = wild & ~(0x3F << at) | 32 - length << at
                return value
        return 0

    tci, tci_mask = terms.get("vlan_tci", (0, 0))
    vlan = pcp = 0
    if tci_mask & 0xFFF == 0xFFF:
        wild &= ~_VLAN
        vlan = tci & 0xFFF if tci & VLAN_PRESENT else NO_VLAN
    if tci_mask & 0xE000 == 0xE000 and tci & VLAN_PRESENT:
        wild &= ~_PCP
        pcp = tci >> 13
    sources, targets = ([names[place] for names in _PORTS.values()] for place in (0, 1))
    fields = (
        oxm.port16(take(_IN_PORT, "in_port")),
        take(_SRC, "eth_src").to_bytes(6, "big"),
        take(_DST, "eth_dst").to_bytes(6, "big"),
        vlan,
        pcp,
        take(_TYPE, "eth_type"),
        take(_TOS, "ip_dscp") << 2,
        take(_PROTO, "ip_proto", "arp_op") & 0xFF,
        prefix(_NW_SRC_AT, "ip_src", "arp_spa"),
        prefix(_NW_DST_AT, "ip_dst", "arp_tpa"),
        take(_TP_SRC, *sources),
        take(_TP_DST, *targets),
    )
    return FIXED.pack(wild, *fields)


class Wanted(NamedTuple):
    """What an NXM match asks for: packets, and flows with a cookie."""

    match: Match
    cookie: int = 0
    cookie_mask: int = 0


def decode_nxm(data: bytes) -> Wanted:
    """A match of TLVs; raises Malformed."""
    cursor, rest, cookie, mask = Cursor(data), b"", 0, 0
    while cursor:
        start = cursor.at
        header = cursor.take(4)
        body = cursor.take(header[3])
        if header == COOKIE:
            cookie, mask = int.from_bytes(body, "big"), FULL["metadata"]
        elif header == MASKED_COOKIE:
            cookie, mask = int.from_bytes(body[:8], "big"), int.from_bytes(body[8:], "big")
        else:
            rest += data[start : cursor.at]
    if cookie & ~mask:
        raise Malformed("cookie: value has bits outside its mask")
    return Wanted(oxm.decode_terms(rest), cookie, mask)


def encode_nxm(match: Match) -> bytes:
    """The TLVs of a match, no padding."""
    return b"".join(map(_ENCODED.__getitem__, match))


def _encode_term(name: str, value: int, mask: int) -> bytes:
    field = FIELDS[name]
    if name == "in_port":
        return oxm.tlv(oxm.IN_PORT_16, 2, oxm.port16(value), 0xFFFF, 0xFFFF)
    if name == "ip_dscp":
        return oxm.tlv(oxm.IP_TOS, 1, value << 2, 0xFF, 0xFF)
    if name.startswith("tun_metadata"):
        return oxm.encode_term(name, value, mask)
    code = next((each for each in (field.oxm, *field.also) if each[0] in (NXM_OF, NXM_NX)), field.oxm)
    return oxm.tlv(code, field.size, value, mask, field.full)


class _Memory(dict[Term, bytes]):
    """Term → bytes, filled as terms come up."""

    def __missing__(self, term: Term) -> bytes:
        if len(self) > oxm.MEMORY:
            self.clear()
        encoded = self[term] = _encode_term(*term)
        return encoded


_ENCODED = _Memory()
