"""Frames: from bytes to a flow key, and where in the bytes every field of the key lies.

    extract(frame)        → key, shape
    spots(shape)          → for each slot of the key the bytes it came from, and which checksums cover them
    project(mask, shape)  → the same mask over the frame's bytes (the key of the datapath's cache)
    patch(frame, …)       → the frame with fields rewritten and every checksum right again

A shape is what a parser has to know before it can find anything: tagged or not, network and transport protocol, header
offsets.  The bytes that decide the shape are in every cache key, so two frames with equal cache keys have equal shapes.

Like Open vSwitch with `vlan-limit=1`, one VLAN tag is parsed; a second one is payload with that `eth_type`.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from pyovn.vswitch.key import LINK, NETWORK, PLACES, TRANSPORT, place

ETH_VLAN, ETH_QINQ, ETH_IP, ETH_ARP, ETH_RARP, ETH_IPV6 = 0x8100, 0x88A8, 0x0800, 0x0806, 0x8035, 0x86DD
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
FRAGMENT_HEADER = 44
#: IPv6 extension headers whose length counts 8-byte units: hop-by-hop, routing, destination options
EXTENSIONS = frozenset((0, 43, 60))
AUTHENTICATION = 51
#: bytes a transport header must have before its ports are believed
TRANSPORT_SIZE = {TCP: 20, UDP: 8, ICMP: 8, ICMPV6: 8, SCTP: 12}
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT = 135, 136
#: `ip_frag` bits: any fragment; not the first one
FRAG_ANY, FRAG_LATER = 1, 2
#: no header we parse lies beyond this many bytes of a frame; frames with longer headers are not cached
HEAD = 192

_from = int.from_bytes
_ETH = PLACES["eth_src"][0]
_TYPE = PLACES["eth_type"][0]
_TCI = PLACES["vlan_tci"][0]
_IP = PLACES["ip_dst"][0]
_PROTO = PLACES["ip_proto"][0]
_TOS = PLACES["ip_tos"][0]
_TTL = PLACES["ip_ttl"][0]
_FRAG = PLACES["ip_frag"][0]
_PORTS = PLACES["tp_dst"][0]
_TPSRC = PLACES["tp_src"][0]
_FLAGS = PLACES["tcp_flags"][0]
_IP6 = PLACES["ipv6_dst"][0]
_LABEL = PLACES["ipv6_label"][0]
_TARGET = PLACES["nd_target"][0]
_SLL = PLACES["arp_sha"][0]
_TLL = PLACES["arp_tha"][0]
_RESERVED = PLACES["nd_reserved"][0]


class Shape(NamedTuple):
    """The structure of one frame: offsets of its headers, 0 where there is none."""

    tagged: bool = False
    net: int = 0  #: ethertype of the parsed network header
    l3: int = 0
    proto: int = 0
    l4: int = 0
    end: int = 14  #: end of the last parsed header
    whole: bool = True  #: no header was cut short, so the structure does not depend on the frame's length
    deciding: tuple[tuple[int, int], ...] = ()  #: (offset, byte mask) of what decides the structure above Ethernet
    sll: int = 0  #: offset of the address in the ND source link-layer option
    tll: int = 0

    def moved(self, distance: int) -> "Shape":
        """The shape after `distance` bytes were inserted behind the MAC addresses."""

        def shifted(offset: int) -> int:
            return offset + distance if offset else 0

        return self._replace(
            l3=shifted(self.l3),
            l4=shifted(self.l4),
            end=self.end + distance,
            deciding=tuple((offset + distance, mask) for offset, mask in self.deciding),
            sll=shifted(self.sll),
            tll=shifted(self.tll),
        )


CUT: Final = Shape(end=0, whole=False)


def extract(frame: bytes) -> tuple[int, Shape]:
    """The flow key of `frame` (packet fields only) and its shape."""
    size = len(frame)
    if size < 14:
        return 0, CUT
    key = _from(frame[0:12], "big") << _ETH
    kind = frame[12] << 8 | frame[13]
    tagged, l3 = False, 14
    if kind in (ETH_VLAN, ETH_QINQ) and size >= 18:
        key |= (frame[14] << 8 | frame[15] | 0x1000 | kind << 16) << _TCI
        tagged, l3 = True, 18
        kind = frame[16] << 8 | frame[17]
    key |= kind << _TYPE
    if kind == ETH_IP:
        upper, shape = ip4(frame, l3)
    elif kind == ETH_IPV6:
        upper, shape = ip6(frame, l3)
    elif kind in (ETH_ARP, ETH_RARP):
        upper, shape = arp(frame, l3)
    else:
        return key, Shape(tagged=tagged, end=l3)
    if tagged:
        shape = shape._replace(tagged=True)
    return key | upper, shape


def ip4(frame: bytes, l3: int) -> tuple[int, Shape]:
    """The part of the key above Ethernet for an IPv4 packet at `l3`."""
    size = len(frame)
    if size < l3 + 20 or frame[l3] >> 4 != 4:
        return 0, Shape(end=l3, whole=False)
    header = (frame[l3] & 15) * 4
    if header < 20 or size < l3 + header:
        return 0, Shape(end=l3, whole=False)
    proto, offset = frame[l3 + 9], frame[l3 + 6] << 8 | frame[l3 + 7]
    frag = 0
    if offset & 0x3FFF:
        frag = FRAG_ANY | FRAG_LATER if offset & 0x1FFF else FRAG_ANY
    key = (
        _from(frame[l3 + 12 : l3 + 20], "big") << _IP
        | (proto | frame[l3 + 1] << 16 | frame[l3 + 8] << 24 | frag << 32) << _PROTO
    )
    deciding = ((l3, 0xFF), (l3 + 6, 0x3F), (l3 + 7, 0xFF), (l3 + 9, 0xFF))
    l4 = l3 + header
    if frag & FRAG_LATER:
        return key, Shape(net=ETH_IP, l3=l3, proto=proto, end=l4, deciding=deciding)
    return transport(frame, key, Shape(net=ETH_IP, l3=l3, proto=proto, end=l4, deciding=deciding))


def ip6(frame: bytes, l3: int) -> tuple[int, Shape]:
    """The part of the key above Ethernet for an IPv6 packet at `l3`."""
    size = len(frame)
    if size < l3 + 40 or frame[l3] >> 4 != 6:
        return 0, Shape(end=l3, whole=False)
    first = _from(frame[l3 : l3 + 4], "big")
    key = _from(frame[l3 + 8 : l3 + 40], "big") << _IP6 | (first & 0xFFFFF) << _LABEL
    key |= (first >> 20 & 0xFF) << _TOS | frame[l3 + 7] << _TTL
    proto, at, frag = frame[l3 + 6], l3 + 40, 0
    deciding = [(l3, 0xF0), (l3 + 6, 0xFF)]
    while proto in EXTENSIONS or proto in (FRAGMENT_HEADER, AUTHENTICATION):
        if size < at + 8:
            return key | proto << _PROTO, Shape(
                net=ETH_IPV6, l3=l3, proto=proto, end=at, whole=False, deciding=tuple(deciding)
            )
        deciding.append((at, 0xFF))
        if proto == FRAGMENT_HEADER:
            deciding += ((at + 2, 0xFF), (at + 3, 0xF9))
            offset = frame[at + 2] << 8 | frame[at + 3]
            frag = FRAG_ANY | FRAG_LATER if offset & 0xFFF8 else FRAG_ANY if offset & 1 else 0
            proto, at = frame[at], at + 8
            if frag & FRAG_LATER:
                break
        else:
            deciding.append((at + 1, 0xFF))
            units = (frame[at + 1] + 2) * 4 if proto == AUTHENTICATION else (frame[at + 1] + 1) * 8
            proto, at = frame[at], at + units
    key |= (proto | frag << 32) << _PROTO
    shape = Shape(net=ETH_IPV6, l3=l3, proto=proto, end=at, whole=size >= at, deciding=tuple(deciding))
    if frag & FRAG_LATER or not shape.whole:
        return key, shape
    return transport(frame, key, shape)


def transport(frame: bytes, key: int, shape: Shape) -> tuple[int, Shape]:
    """`key` and `shape` completed with the transport header that begins where `shape` ends."""
    proto, l4 = shape.proto, shape.end
    need = TRANSPORT_SIZE.get(proto)
    if need is None or (proto == ICMP and shape.net != ETH_IP) or (proto == ICMPV6 and shape.net != ETH_IPV6):
        return key, shape
    if len(frame) < l4 + need:
        return key, shape._replace(whole=False)
    if proto in (ICMP, ICMPV6):
        key |= frame[l4] << _TPSRC | frame[l4 + 1] << _PORTS
        if proto == ICMPV6 and frame[l4] in (NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT) and not frame[l4 + 1]:
            return neighbor(frame, key, shape)
    else:
        key |= _from(frame[l4 : l4 + 4], "big") << _PORTS
        if proto == TCP:
            key |= (frame[l4 + 12] << 8 & 0xF00 | frame[l4 + 13]) << _FLAGS
    return key, shape._replace(l4=l4, end=l4 + need)


def neighbor(frame: bytes, key: int, shape: Shape) -> tuple[int, Shape]:
    """`key` and `shape` completed with a neighbour discovery message: target and link-layer options."""
    l4, size = shape.end, len(frame)
    if size < l4 + 24:
        return key, shape._replace(l4=l4, end=l4 + 8, whole=False)
    key |= _from(frame[l4 + 8 : l4 + 24], "big") << _TARGET | _from(frame[l4 + 4 : l4 + 8], "big") << _RESERVED
    deciding, at, sll, tll = list(shape.deciding), l4 + 24, 0, 0
    deciding += ((l4, 0xFF), (l4 + 1, 0xFF))
    while at + 8 <= size and frame[at + 1]:
        deciding += ((at, 0xFF), (at + 1, 0xFF))
        length = frame[at + 1] * 8
        if at + length > size:
            break
        if frame[at] == 1 and length == 8 and not sll:
            sll, key = at + 2, key | _from(frame[at + 2 : at + 8], "big") << _SLL
        elif frame[at] == 2 and length == 8 and not tll:
            tll, key = at + 2, key | _from(frame[at + 2 : at + 8], "big") << _TLL
        at += length
    return key, shape._replace(l4=l4, end=at, whole=at == size, deciding=tuple(deciding), sll=sll, tll=tll)


def arp(frame: bytes, l3: int) -> tuple[int, Shape]:
    """The part of the key above Ethernet for an ARP or RARP packet at `l3`."""
    if len(frame) < l3 + 28:
        return 0, Shape(end=l3, whole=False)
    deciding = tuple((l3 + offset, 0xFF) for offset in range(6))
    if frame[l3 : l3 + 6] != b"\0\1\x08\0\6\4":
        return 0, Shape(end=l3 + 6, deciding=deciding)
    operation = frame[l3 + 6] << 8 | frame[l3 + 7]
    key = (operation if operation < 256 else 0) << _PROTO
    key |= (_from(frame[l3 + 14 : l3 + 18], "big") << 32 | _from(frame[l3 + 24 : l3 + 28], "big")) << _IP
    key |= _from(frame[l3 + 8 : l3 + 14], "big") << _SLL | _from(frame[l3 + 18 : l3 + 24], "big") << _TLL
    return key, Shape(net=ETH_ARP, l3=l3, end=l3 + 28, deciding=deciding)


class Spot(NamedTuple):
    """Where one slot of the key lies in a frame, as an even number of bytes at an even distance from its header."""

    slot: int  #: bit offset in the key
    width: int
    at: int
    size: int
    shift: int  #: the slot's lowest bit within those bytes
    header: bool = False  #: covered by the IPv4 header checksum
    pseudo: bool = False  #: covered by the transport checksum


@lru_cache(maxsize=4096)
def spots(shape: Shape) -> tuple[Spot, ...]:
    """Every slot that a frame of `shape` carries."""
    found = [Spot(_ETH + 48, 48, 0, 6, 0), Spot(_ETH, 48, 6, 6, 0)]
    l3 = shape.l3
    if shape.tagged:
        found += (Spot(_TCI, 16, 14, 2, 0), Spot(_TCI + 16, 16, 12, 2, 0))
    if shape.net == ETH_IP:
        found += (
            Spot(_IP + 32, 32, l3 + 12, 4, 0, True, True),
            Spot(_IP, 32, l3 + 16, 4, 0, True, True),
            Spot(_TOS, 8, l3, 2, 0, True),
            Spot(_TTL, 8, l3 + 8, 2, 8, True),
            Spot(_PROTO, 8, l3 + 8, 2, 0, True),
        )
    elif shape.net == ETH_IPV6:
        found += (
            Spot(_IP6 + 128, 128, l3 + 8, 16, 0, False, True),
            Spot(_IP6, 128, l3 + 24, 16, 0, False, True),
            Spot(_TOS, 8, l3, 4, 20),
            Spot(_LABEL, 20, l3, 4, 0),
            Spot(_TTL, 8, l3 + 6, 2, 0),
        )
    elif shape.net == ETH_ARP:
        found += (
            Spot(_PROTO, 16, l3 + 6, 2, 0),
            Spot(_SLL, 48, l3 + 8, 6, 0),
            Spot(_IP + 32, 32, l3 + 14, 4, 0),
            Spot(_TLL, 48, l3 + 18, 6, 0),
            Spot(_IP, 32, l3 + 24, 4, 0),
        )
    if shape.l4:
        found += _transport_spots(shape)
    return tuple(found)


def _transport_spots(shape: Shape) -> list[Spot]:
    """The slots of the transport header."""
    l4 = shape.l4
    if shape.proto not in (ICMP, ICMPV6):
        ports = [Spot(_TPSRC, 16, l4, 2, 0, False, True), Spot(_PORTS, 16, l4 + 2, 2, 0, False, True)]
        return [*ports, Spot(_FLAGS, 12, l4 + 12, 2, 0, False, True)] if shape.proto == TCP else ports
    found = [Spot(_TPSRC, 8, l4, 2, 8, False, True), Spot(_PORTS, 8, l4, 2, 0, False, True)]
    if shape.end >= l4 + 24 and (l4, 0xFF) in shape.deciding:
        found += (Spot(_TARGET, 128, l4 + 8, 16, 0, False, True), Spot(_RESERVED, 32, l4 + 4, 4, 0, False, True))
    if shape.sll:
        found.append(Spot(_SLL, 48, shape.sll, 6, 0, False, True))
    if shape.tll:
        found.append(Spot(_TLL, 48, shape.tll, 6, 0, False, True))
    return found


_ABOVE_LINK = (NETWORK | TRANSPORT) & ~LINK


def project(mask: int, shape: Shape) -> int:
    """`mask`, a mask over keys, as a mask over the frame's bytes read as a little-endian integer."""
    cover = bytearray(max(shape.end, 18))
    cover[12] = cover[13] = 0xFF
    if shape.tagged:
        cover[16] = cover[17] = 0xFF
    if mask & _ABOVE_LINK:
        for offset, byte in shape.deciding:
            cover[offset] = byte
    for spot in spots(shape):
        wanted = mask >> spot.slot & (1 << spot.width) - 1
        if not wanted:
            continue
        if spot.slot == _TCI:
            wanted &= 0xEFFF
        field = wanted << spot.shift | _from(cover[spot.at : spot.at + spot.size], "big")
        cover[spot.at : spot.at + spot.size] = field.to_bytes(spot.size, "big")
    return _from(cover, "little")


#: offset of the checksum in the transport header
CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}


class Patch(NamedTuple):
    """A rewrite made ready for frames of one shape."""

    edits: tuple[tuple[int, int, int, int, bool, bool], ...]  #: (at, end, keep mask, bits, header, pseudo)
    header: int  #: offset of the IPv4 header checksum, 0 where it stays
    transport: int  #: offset of the transport checksum, 0 where it stays
    udp4: bool  #: a zero transport checksum means there is none
    udp: bool  #: a checksum that comes out zero is sent as all ones
    sctp: int  #: offset of an SCTP header whose CRC must be made anew


def plan(value: int, mask: int, shape: Shape) -> Patch:
    """What has to be done to frames of `shape` to give the fields under `mask` the bits of `value`."""
    edits, header, pseudo, ports = [], False, False, False
    for spot in spots(shape):
        cover = mask >> spot.slot & (1 << spot.width) - 1
        if not cover:
            continue
        wanted = value >> spot.slot & cover
        if spot.slot == _TCI:
            cover &= 0xEFFF
            wanted &= 0xEFFF
        keep = (1 << spot.size * 8) - 1 & ~(cover << spot.shift)
        address = spot.pseudo and spot.at < shape.l4
        covered = spot.pseudo and not (address and shape.proto in (ICMP, SCTP))
        edits.append((spot.at, spot.at + spot.size, keep, wanted << spot.shift, spot.header, covered))
        header |= spot.header
        pseudo |= covered
        ports |= covered and not address
    at = CHECKSUM_AT.get(shape.proto) if shape.l4 else None
    return Patch(
        tuple(edits),
        shape.l3 + 10 if header else 0,
        shape.l4 + at if pseudo and at is not None else 0,
        shape.proto == UDP and shape.net == ETH_IP,
        shape.proto == UDP,
        shape.l4 if ports and shape.proto == SCTP else 0,
    )


def patched(frame: bytes, how: Patch) -> bytes:
    """`frame` rewritten; sums are adjusted by the difference (RFC 1624), which works modulo 65535."""
    edited = bytearray(frame)
    header_change = transport_change = 0
    for at, end, keep, wanted, in_header, covered in how.edits:
        old = _from(edited[at:end], "big")
        new = old & keep | wanted
        if new != old:
            edited[at:end] = new.to_bytes(end - at, "big")
            if in_header:
                header_change += old - new
            if covered:
                transport_change += old - new
    if how.header:
        _adjust(edited, how.header, header_change)
    if how.transport and transport_change:
        at = how.transport
        if not (how.udp4 and not edited[at] and not edited[at + 1]):
            _adjust(edited, at, transport_change)
            if how.udp and not edited[at] and not edited[at + 1]:
                edited[at] = edited[at + 1] = 0xFF
    if how.sctp:
        _sctp_checksum(edited, how.sctp)
    return bytes(edited)


def patch(frame: bytes, shape: Shape, value: int, mask: int) -> bytes:
    """`frame` with the fields under `mask` set to the bits of `value`, checksums kept right."""
    return patched(frame, plan(value, mask, shape))


def _adjust(frame: bytearray, at: int, change: int) -> None:
    """Move the one's complement checksum at `at` by `change`."""
    total = ((frame[at] << 8 | frame[at + 1]) + change) % 0xFFFF
    frame[at], frame[at + 1] = total >> 8, total & 0xFF


def ones_complement(content: bytes) -> int:
    """The Internet checksum of `content` (RFC 1071)."""
    if len(content) & 1:
        content += b"\0"
    return 0xFFFF - (total if (total := _from(content, "big") % 0xFFFF) or not any(content) else 0xFFFF)


def _castagnoli() -> tuple[int, ...]:
    """The byte table of CRC-32C."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC32C = _castagnoli()


def _sctp_checksum(frame: bytearray, l4: int) -> None:
    """Compute the CRC-32C of the SCTP packet at `l4` anew (RFC 9260 §6.8)."""
    frame[l4 + 8 : l4 + 12] = bytes(4)
    end = len(frame)
    if frame[12:14] == b"\x08\0":
        end = min(end, 14 + (frame[16] << 8 | frame[17]))
    crc = 0xFFFFFFFF
    for byte in frame[l4:end]:
        crc = crc >> 8 ^ _CRC32C[(crc ^ byte) & 0xFF]
    frame[l4 + 8 : l4 + 12] = (crc ^ 0xFFFFFFFF).to_bytes(4, "little")


def pushed_vlan(frame: bytes, tpid: int, tci: int) -> bytes:
    """`frame` with one more VLAN tag in front."""
    return frame[:12] + (tpid << 16 | tci & 0xEFFF).to_bytes(4, "big") + frame[12:]


def popped_vlan(frame: bytes) -> bytes:
    """`frame` without its outer VLAN tag."""
    return frame[:12] + frame[16:]


def field_value(name: str, value: int) -> int:
    """`value` in the place of field `name`, for `patch`."""
    return place(name, value)
