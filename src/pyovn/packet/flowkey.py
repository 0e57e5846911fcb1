"""What a switch sees in a frame: header fields by their OpenFlow names, and how to write them back.

    flow_key(frame)                         → {"eth_src": …, "eth_dst": …, "ip_src": …, "tcp_dst": 80}
    rewrite(frame, "ip_dst", 0x0a000001)    → the frame with the field changed and checksums repaired

`vlan_tci` is 0 without a tag and has bit 12 set with one; `ip_frag` is 0, 1 (first fragment) or 3 (later one);
a header that is cut short or does not make sense ends the list of fields, as in Open vSwitch.
"""

import struct
from collections.abc import Callable

from pyovn.packet import arp, ipv6, vlan
from pyovn.packet.checksum import crc32c, internet, transport, updated
from pyovn.packet.ethernet import ARP, IP4, IP6, MIN_TYPE, MPLS, MPLS_MCAST, RARP, TPIDS

LLC = 0x05FF  #: eth_type of a frame that has an IEEE 802.3 length instead
FRAG_ANY, FRAG_LATER = 1, 2

_IP4 = struct.Struct("!BBHHHBBHII").unpack_from
_TYPE = struct.Struct("!H").unpack_from
_PORTS = struct.Struct("!HH").unpack_from
_IP6 = struct.Struct("!IHBB").unpack_from

_TRANSPORT = {6: ("tcp_src", "tcp_dst", 20), 17: ("udp_src", "udp_dst", 8), 132: ("sctp_src", "sctp_dst", 12)}


def flow_key(frame: bytes) -> dict[str, int]:
    """The header fields of a frame."""
    key, _, _ = dissect(frame)
    return key


def dissect(frame: bytes) -> tuple[dict[str, int], int, int]:
    """(header fields, where the network header begins, where the transport header begins); -1: there is none."""
    if len(frame) < 14:
        return {}, -1, -1
    from_bytes = int.from_bytes
    key = {"eth_dst": from_bytes(frame[:6], "big"), "eth_src": from_bytes(frame[6:12], "big"), "vlan_tci": 0}
    (eth_type,) = _TYPE(frame, 12)
    l3 = 14
    if eth_type in TPIDS and len(frame) >= 18:
        tci, eth_type = _PORTS(frame, 14)
        key["vlan_tci"] = tci | vlan.PRESENT
        l3 = 18
    if eth_type < MIN_TYPE:
        eth_type = _llc_type(frame, l3)
        l3 += 8
    key["eth_type"] = eth_type
    network = _NETWORK.get(eth_type)
    if network is None:
        return key, l3 if l3 <= len(frame) else -1, -1
    return key, l3, network(frame, l3, key)


def _llc_type(frame: bytes, at: int) -> int:
    """The type in a SNAP header, or LLC."""
    if frame[at : at + 6] == b"\xaa\xaa\x03\x00\x00\x00" and len(frame) >= at + 8:
        eth_type = int.from_bytes(frame[at + 6 : at + 8], "big")
        return eth_type if eth_type >= MIN_TYPE else LLC
    return LLC


def _ip4(frame: bytes, at: int, key: dict[str, int]) -> int:
    if len(frame) < at + 20:
        return -1
    version, tos, length, _, fragment, ttl, proto, _, src, dst = _IP4(frame, at)
    header = (version & 15) * 4
    if version >> 4 != 4 or not 20 <= header <= length <= len(frame) - at:
        return -1
    key["ip_src"], key["ip_dst"], key["ip_proto"], key["ip_ttl"] = src, dst, proto, ttl
    key["ip_dscp"], key["ip_ecn"] = tos >> 2, tos & 3
    key["ip_frag"] = 0 if not fragment & 0x3FFF else FRAG_ANY | FRAG_LATER if fragment & 0x1FFF else FRAG_ANY
    l4: int = at + header
    if fragment & 0x1FFF:
        return -1
    if proto in _TRANSPORT:
        return _ports(frame, l4, at + length, proto, key)
    if proto == 1 and length >= header + 8:
        key["icmp_type"], key["icmp_code"] = frame[l4], frame[l4 + 1]
    return l4


def _ports(frame: bytes, l4: int, end: int, proto: int, key: dict[str, int]) -> int:
    src, dst, least = _TRANSPORT[proto]
    if end < l4 + least:
        return -1
    key[src], key[dst] = _PORTS(frame, l4)
    if proto == 6:
        key["tcp_flags"] = _TYPE(frame, l4 + 12)[0] & 0xFFF
    return l4


def _ip6(frame: bytes, at: int, key: dict[str, int]) -> int:
    if len(frame) < at + 40:
        return -1
    word, length, proto, hop_limit = _IP6(frame, at)
    end = at + 40 + length
    if word >> 28 != 6 or end > len(frame):
        return -1
    key["ipv6_src"] = int.from_bytes(frame[at + 8 : at + 24], "big")
    key["ipv6_dst"] = int.from_bytes(frame[at + 24 : at + 40], "big")
    key["ipv6_label"], key["ip_ttl"] = word & 0xFFFFF, hop_limit
    key["ip_dscp"], key["ip_ecn"] = word >> 22 & 63, word >> 20 & 3
    proto, l4, fragment = _extensions(frame, proto, at + 40, end)
    key["ip_proto"], key["ip_frag"] = proto, fragment
    if l4 < 0 or fragment & FRAG_LATER:
        return -1
    if proto in _TRANSPORT:
        return _ports(frame, l4, end, proto, key)
    if proto == 58 and end >= l4 + 8:
        key["icmpv6_type"], key["icmpv6_code"] = frame[l4], frame[l4 + 1]
        if frame[l4] in (135, 136) and not frame[l4 + 1]:
            _nd(frame, l4, end, key)
    return l4


def _extensions(frame: bytes, proto: int, at: int, end: int) -> tuple[int, int, int]:
    """(protocol, where its header begins or -1, ip_frag) behind the extension headers."""
    fragment = 0
    while proto in ipv6.EXTENSIONS:
        if at + 8 > end:
            return proto, -1, fragment
        following, size = frame[at], frame[at + 1]
        if proto == ipv6.FRAGMENT:
            (offset,) = _TYPE(frame, at + 2)
            at += 8
            if offset & 0xFFF9:
                fragment = FRAG_ANY | FRAG_LATER if offset & 0xFFF8 else FRAG_ANY
            if fragment & FRAG_LATER:
                return following, -1, fragment
        else:
            at += size * 4 + 8 if proto == ipv6.AUTHENTICATION else size * 8 + 8
        proto = following
    return proto, at if at <= end else -1, fragment


def _nd(frame: bytes, l4: int, end: int, key: dict[str, int]) -> None:
    if end < l4 + 24:
        return
    key["nd_reserved"] = int.from_bytes(frame[l4 + 4 : l4 + 8], "big")
    key["nd_target"] = int.from_bytes(frame[l4 + 8 : l4 + 24], "big")
    for place, kind in nd_options(frame, l4 + 24, end):
        key["nd_options_type"] = kind
        if place_name := _ND_LLA.get((frame[l4], kind)):
            key[place_name] = int.from_bytes(frame[place + 2 : place + 8], "big")


_ND_LLA = {(135, 1): "nd_sll", (136, 2): "nd_tll"}


def nd_options(frame: bytes, at: int, end: int) -> list[tuple[int, int]]:
    """(place, type) of each neighbour discovery option between `at` and `end`."""
    found = []
    while at + 8 <= end and frame[at + 1] and at + frame[at + 1] * 8 <= end:
        found.append((at, frame[at]))
        at += frame[at + 1] * 8
    return found


def _arp(frame: bytes, at: int, key: dict[str, int]) -> int:
    if len(frame) < at + arp.LENGTH or frame[at : at + 6] != b"\x00\x01\x08\x00\x06\x04":
        return -1
    key["arp_op"] = _TYPE(frame, at + 6)[0]
    body = int.from_bytes(frame[at + 8 : at + 28], "big")
    key["arp_sha"], key["arp_spa"] = body >> 112, body >> 80 & 0xFFFFFFFF
    key["arp_tha"], key["arp_tpa"] = body >> 32 & 0xFFFFFFFFFFFF, body & 0xFFFFFFFF
    return -1


def _mpls(frame: bytes, at: int, key: dict[str, int]) -> int:
    if len(frame) < at + 4:
        return -1
    word = int.from_bytes(frame[at : at + 4], "big")
    key["mpls_label"], key["mpls_tc"] = word >> 12, word >> 9 & 7
    key["mpls_bos"], key["mpls_ttl"] = word >> 8 & 1, word & 0xFF
    return -1


_NETWORK: dict[int, Callable[[bytes, int, dict[str, int]], int]] = {
    IP4: _ip4,
    IP6: _ip6,
    ARP: _arp,
    RARP: _arp,
    MPLS: _mpls,
    MPLS_MCAST: _mpls,
}

# field → (bytes from the start of its header, size); the header: "eth", "l3" or "l4"
_PLACES: dict[str, tuple[str, int, int]] = {
    "eth_dst": ("eth", 0, 6),
    "eth_src": ("eth", 6, 6),
    "ip_src": ("ip4", 12, 4),
    "ip_dst": ("ip4", 16, 4),
    "ipv6_src": ("ip6", 8, 16),
    "ipv6_dst": ("ip6", 24, 16),
    "arp_op": ("arp", 6, 2),
    "arp_sha": ("arp", 8, 6),
    "arp_spa": ("arp", 14, 4),
    "arp_tha": ("arp", 18, 6),
    "arp_tpa": ("arp", 24, 4),
    "tcp_src": ("l4", 0, 2),
    "tcp_dst": ("l4", 2, 2),
    "udp_src": ("l4", 0, 2),
    "udp_dst": ("l4", 2, 2),
    "sctp_src": ("l4", 0, 2),
    "sctp_dst": ("l4", 2, 2),
    "icmp_type": ("l4", 0, 1),
    "icmp_code": ("l4", 1, 1),
    "icmpv6_type": ("l4", 0, 1),
    "icmpv6_code": ("l4", 1, 1),
    "nd_reserved": ("l4", 4, 4),
    "nd_target": ("l4", 8, 16),
}


def rewrite(frame: bytes, field: str, value: int) -> bytes:
    """The frame with `field` set to `value` and its checksums right; unchanged if it has no such field."""
    if field == "vlan_tci":
        return vlan.set_tci(frame, value)
    key, l3, l4 = dissect(frame)
    if field not in key:
        return frame
    data = bytearray(frame)
    if field in _PLACES:
        header, offset, size = _PLACES[field]
        at = offset + (0 if header == "eth" else l4 if header == "l4" else l3)
        data[at : at + size] = value.to_bytes(size, "big")
    else:
        _REWRITERS[field](data, key, l3, l4, value)
    return repaired(data, key, l3, l4) if l3 >= 0 else bytes(data)


def rewrite_all(frame: bytes, fields: dict[str, int]) -> bytes:
    """The frame with several fields set."""
    for field, value in fields.items():
        frame = rewrite(frame, field, value)
    return frame


def _set_tos(mask: int, shift: int) -> Callable[[bytearray, dict[str, int], int, int, int], None]:
    def rewriter(data: bytearray, key: dict[str, int], l3: int, _l4: int, value: int) -> None:
        if key["eth_type"] == IP4:
            data[l3 + 1] = data[l3 + 1] & ~mask | value << shift
        else:
            word = int.from_bytes(data[l3 : l3 + 2], "big") & ~(mask << 4) | value << shift + 4
            data[l3 : l3 + 2] = word.to_bytes(2, "big")

    return rewriter


def _set_ttl(data: bytearray, key: dict[str, int], l3: int, _l4: int, value: int) -> None:
    data[l3 + (8 if key["eth_type"] == IP4 else 7)] = value


def _set_label(data: bytearray, _key: dict[str, int], l3: int, _l4: int, value: int) -> None:
    word = int.from_bytes(data[l3 : l3 + 4], "big") & ~0xFFFFF | value
    data[l3 : l3 + 4] = word.to_bytes(4, "big")


def _set_nd_lla(data: bytearray, _key: dict[str, int], _l3: int, l4: int, value: int) -> None:
    wanted = 1 if data[l4] == 135 else 2
    for place, kind in nd_options(bytes(data), l4 + 24, len(data)):
        if kind == wanted:
            data[place + 2 : place + 8] = value.to_bytes(6, "big")


def _set_nd_option_type(data: bytearray, _key: dict[str, int], _l3: int, l4: int, value: int) -> None:
    for place, _ in nd_options(bytes(data), l4 + 24, len(data))[-1:]:
        data[place] = value


def _set_mpls(mask: int, shift: int) -> Callable[[bytearray, dict[str, int], int, int, int], None]:
    def rewriter(data: bytearray, _key: dict[str, int], l3: int, _l4: int, value: int) -> None:
        word = int.from_bytes(data[l3 : l3 + 4], "big") & ~(mask << shift) | value << shift
        data[l3 : l3 + 4] = word.to_bytes(4, "big")

    return rewriter


def _keep(_data: bytearray, _key: dict[str, int], _l3: int, _l4: int, _value: int) -> None:
    """Fields that say what a frame is are not written."""


_REWRITERS: dict[str, Callable[[bytearray, dict[str, int], int, int, int], None]] = {
    "ip_dscp": _set_tos(0xFC, 2),
    "ip_ecn": _set_tos(0x03, 0),
    "ip_ttl": _set_ttl,
    "ipv6_label": _set_label,
    "nd_sll": _set_nd_lla,
    "nd_tll": _set_nd_lla,
    "nd_options_type": _set_nd_option_type,
    "mpls_label": _set_mpls(0xFFFFF, 12),
    "mpls_tc": _set_mpls(7, 9),
    "mpls_bos": _set_mpls(1, 8),
    "mpls_ttl": _set_mpls(0xFF, 0),
    "eth_type": _keep,
    "ip_proto": _keep,
    "ip_frag": _keep,
    "tcp_flags": _keep,
}

_CHECKSUM_AT = {6: 16, 17: 6, 58: 2, 1: 2}


def repaired(data: bytearray, key: dict[str, int], l3: int, l4: int) -> bytes:
    """The frame with network and transport checksums computed anew."""
    eth_type = key["eth_type"]
    if "ip_proto" not in key:
        return bytes(data)
    if eth_type == IP4:
        end = l3 + int.from_bytes(data[l3 + 2 : l3 + 4], "big")
        header = (data[l3] & 15) * 4
        data[l3 + 10 : l3 + 12] = b"\0\0"
        data[l3 + 10 : l3 + 12] = internet(bytes(data[l3 : l3 + header])).to_bytes(2, "big")
    else:
        end = l3 + 40 + int.from_bytes(data[l3 + 4 : l3 + 6], "big")
    if l4 < 0:
        return bytes(data)
    if key["ip_frag"]:
        return _repaired_fragment(data, key, l3, l4)
    proto = key["ip_proto"]
    if proto == 132:
        data[l4 + 8 : l4 + 12] = bytes(4)
        data[l4 + 8 : l4 + 12] = crc32c(bytes(data[l4:end])).to_bytes(4, "big")
    elif proto in _CHECKSUM_AT and end >= l4 + 8:
        _repair_transport(data, proto, l3, l4, end)
    return bytes(data)


def _repair_transport(data: bytearray, proto: int, l3: int, l4: int, end: int) -> None:
    at = l4 + _CHECKSUM_AT[proto]
    version = data[l3] >> 4
    if proto == 17 and version == 4 and data[at : at + 2] == b"\0\0":
        return
    data[at : at + 2] = b"\0\0"
    segment = bytes(data[l4:end])
    if proto == 1:
        total = internet(segment)
    else:
        src, dst = addresses(data, l3)
        total = transport(version, src, dst, proto, segment)
    data[at : at + 2] = (total or (0xFFFF if proto == 17 else 0)).to_bytes(2, "big")


def addresses(data: bytes | bytearray, l3: int) -> tuple[int, int]:
    """(source, destination) of the IP header at `l3`."""
    at, size = (l3 + 12, 4) if data[l3] >> 4 == 4 else (l3 + 8, 16)
    return int.from_bytes(data[at : at + size], "big"), int.from_bytes(data[at + size : at + 2 * size], "big")


def _repaired_fragment(data: bytearray, key: dict[str, int], l3: int, l4: int) -> bytes:
    """A first fragment lacks the rest of the segment: its checksum follows the fields that changed."""
    proto = key["ip_proto"]
    if proto not in (6, 17):
        return bytes(data)
    at = l4 + _CHECKSUM_AT[proto]
    checksum = int.from_bytes(data[at : at + 2], "big")
    if proto == 17 and not checksum:
        return bytes(data)
    names = ("ip_src", "ip_dst") if key["eth_type"] == IP4 else ("ipv6_src", "ipv6_dst")
    for name, now in zip(names, addresses(data, l3), strict=True):
        checksum = updated(checksum, key[name], now)
    for name, now in zip(_TRANSPORT[proto][:2], _PORTS(data, l4), strict=True):
        checksum = updated(checksum, key[name], now)
    data[at : at + 2] = checksum.to_bytes(2, "big")
    return bytes(data)
