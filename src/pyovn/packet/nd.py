"""IPv6 neighbour discovery (RFC 4861): solicitations, advertisements and their options.

NS, NA   ICMPv6 135/136 │ flags 4 │ target 16 │ options          carried by `icmp6.Icmp6` (rest = flags)
RS, RA   ICMPv6 133/134 │ …                                      options: type 1 │ length in 8 bytes 1 │ data
"""

from collections.abc import Iterable
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import multicast_mac6, solicited_node
from pyovn.packet import ethernet, icmp6, ipv6
from pyovn.packet.cursor import Cursor

SOURCE_LLA, TARGET_LLA, PREFIX, REDIRECTED, MTU, ROUTE_INFO, RDNSS, DNSSL = 1, 2, 3, 4, 5, 24, 25, 31
ROUTER, SOLICITED, OVERRIDE = 1 << 31, 1 << 30, 1 << 29  #: flags of an advertisement
ALL_NODES = 0xFF02 << 112 | 1
ALL_ROUTERS = 0xFF02 << 112 | 2
HOP_LIMIT = 255  #: neighbour discovery never crosses a router

Option = tuple[int, bytes]


class Neighbor(NamedTuple):
    """A solicitation (NS) or advertisement (NA)."""

    #: icmp6.NS or icmp6.NA
    type: int
    target: int
    #: ROUTER | SOLICITED | OVERRIDE, of an advertisement
    flags: int = 0
    options: tuple[Option, ...] = ()

    @property
    def lla(self) -> int | None:
        """The link-layer address option that belongs to this type."""
        wanted = SOURCE_LLA if self.type == icmp6.NS else TARGET_LLA
        return next((int.from_bytes(data[:6], "big") for kind, data in self.options if kind == wanted), None)


class RouterAdvertisement(NamedTuple):
    """What a router tells."""

    hop_limit: int
    #: 0x80 managed addresses, 0x40 other configuration, preference in 0x18
    flags: int
    lifetime: int
    reachable_ms: int
    retransmit_ms: int
    options: tuple[Option, ...] = ()


def parse_options(data: bytes) -> tuple[Option, ...]:
    """The options in order; raises Malformed."""
    cursor, found = Cursor(data), []
    while cursor:
        kind, size = cursor.u8(), cursor.u8()
        if not size:
            raise Malformed("neighbour discovery option of length 0")
        found.append((kind, cursor.take(size * 8 - 2)))
    return tuple(found)


def build_options(options: Iterable[Option]) -> bytes:
    """The bytes of options, each padded to 8 bytes."""
    return b"".join(bytes((kind, (len(data) + 9) // 8)) + data + bytes(-(len(data) + 2) % 8) for kind, data in options)


def parse(message: icmp6.Icmp6) -> Neighbor:
    """Read an NS or NA; raises Malformed."""
    if message.type not in (icmp6.NS, icmp6.NA) or message.code or len(message.data) < 16:
        raise Malformed("not a neighbour solicitation or advertisement")
    target = int.from_bytes(message.data[:16], "big")
    return Neighbor(message.type, target, message.rest, parse_options(message.data[16:]))


def build(neighbor: Neighbor) -> icmp6.Icmp6:
    """The ICMPv6 message of an NS or NA."""
    body = neighbor.target.to_bytes(16, "big") + build_options(neighbor.options)
    return icmp6.Icmp6(neighbor.type, 0, neighbor.flags, body)


def parse_ra(message: icmp6.Icmp6) -> RouterAdvertisement:
    """Read a router advertisement; raises Malformed."""
    cursor = Cursor(message.data)
    reachable, retransmit = cursor.u32(), cursor.u32()
    word = message.rest
    return RouterAdvertisement(
        word >> 24, word >> 16 & 0xFF, word & 0xFFFF, reachable, retransmit, parse_options(cursor.rest())
    )


def build_ra(ra: RouterAdvertisement) -> icmp6.Icmp6:
    """The ICMPv6 message of a router advertisement."""
    word = ra.hop_limit << 24 | ra.flags << 16 | ra.lifetime
    body = (ra.reachable_ms << 32 | ra.retransmit_ms).to_bytes(8, "big") + build_options(ra.options)
    return icmp6.Icmp6(icmp6.RA, 0, word, body)


def frame(eth_src: int, eth_dst: int, src: int, dst: int, message: icmp6.Icmp6) -> bytes:
    """An Ethernet frame with an ICMPv6 message at hop limit 255."""
    packet = ipv6.Ipv6(src, dst, icmp6.PROTO, icmp6.build(message, src, dst), HOP_LIMIT)
    return ethernet.build(ethernet.Ethernet(eth_dst, eth_src, ethernet.IP6, ipv6.build(packet)))


def solicitation(mac: int, src: int, target: int) -> bytes:
    """The multicast frame that asks who has `target`; from the unspecified address it probes for duplicates."""
    group = solicited_node(target)
    options = ((SOURCE_LLA, mac.to_bytes(6, "big")),) if src else ()
    return frame(mac, multicast_mac6(group), src, group, build(Neighbor(icmp6.NS, target, 0, options)))


def advertisement(mac: int, target: int, eth_dst: int, dst: int, flags: int = SOLICITED | OVERRIDE) -> bytes:
    """The frame that says `target` is at `mac`."""
    message = build(Neighbor(icmp6.NA, target, flags, ((TARGET_LLA, mac.to_bytes(6, "big")),)))
    return frame(mac, eth_dst, target, dst, message)
