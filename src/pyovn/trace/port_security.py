"""Port security as a trace has it: may this packet enter, or leave, by a port with these addresses?

    "0a:00:00:00:00:01"              any packet from or to this MAC
    "0a:00:00:00:00:01 10.0.0.1"     … and among IP packets only those of the addresses listed

A port with no addresses is not secured.  Addresses are compared exactly, whatever their prefix length: that
is what C's tracer does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import parse_network
from pyovn.net.mac import eui64_lla, mac_int

Packet = Mapping[str, int]

IP4, IP6, ARP, RARP = 0x800, 0x86DD, 0x806, 0x8035
_UDP, _ICMP6 = 17, 58
_SOLICITATION, _ADVERTISEMENT = 135, 136
_BROADCAST4 = 0xFFFFFFFF


class Allowed(NamedTuple):
    """One entry: a MAC and the IP addresses that go with it."""

    mac: int
    ip4: frozenset[int]
    ip6: frozenset[int]

    @property
    def any_ip(self) -> bool:
        """No IP address is listed."""
        return not self.ip4 and not self.ip6


def violates_in(port_security: Iterable[str], packet: Packet) -> bool:
    """Whether the packet may not come from a port."""
    return _violates(port_security, packet, "eth_src", _may_enter)


def violates_out(port_security: Iterable[str], packet: Packet) -> bool:
    """Whether the packet may not go to a port."""
    return _violates(port_security, packet, "eth_dst", _may_leave)


def _violates(
    port_security: Iterable[str], packet: Packet, field: str, allows: Callable[[Allowed, Packet], bool]
) -> bool:
    listed = list(entries(port_security))
    mac = packet.get(field, 0)
    return bool(listed) and not any(entry.mac == mac and allows(entry, packet) for entry in listed)


def entries(texts: Iterable[str]) -> Iterator[Allowed]:
    """The entries that make sense."""
    for text in texts:
        words = text.split()
        try:
            networks = [parse_network(word) for word in words[1:]]
            mac = mac_int(words[0])
        except (Malformed, IndexError):
            continue
        ip4 = frozenset(address for version, address, _ in networks if version == 4)
        ip6 = frozenset(address for version, address, _ in networks if version == 6)
        yield Allowed(mac, ip4, ip6)


def _may_enter(entry: Allowed, packet: Packet) -> bool:
    ethertype = packet.get("eth_type", 0)
    if ethertype in (ARP, RARP):
        ours = packet.get("arp_sha", 0) == entry.mac
        return ours and (not entry.ip4 or packet.get("arp_spa", 0) in entry.ip4)
    if entry.any_ip:
        return True
    if ethertype == IP4:
        return packet.get("ip_src", 0) in entry.ip4 or _asks_for_an_address(packet)
    if ethertype == IP6:
        known = packet.get("ipv6_src", 0) in entry.ip6 or packet.get("ipv6_src", 0) == eui64_lla(entry.mac)
        return known and _neighbour_fits(entry, packet)
    return True


def _asks_for_an_address(packet: Packet) -> bool:
    """DHCP discovery."""
    return (
        not packet.get("ip_src", 0)
        and packet.get("ip_dst", 0) == _BROADCAST4
        and packet.get("ip_proto", 0) == _UDP
        and (packet.get("udp_src", 0), packet.get("udp_dst", 0)) == (68, 67)
    )


def _neighbour_fits(entry: Allowed, packet: Packet) -> bool:
    """What neighbour discovery says about its sender is true."""
    if not entry.ip6 or packet.get("ip_proto", 0) != _ICMP6:
        return True
    kind = packet.get("icmpv6_type", 0)
    if kind == _SOLICITATION:
        return packet.get("nd_sll", 0) in (0, entry.mac)
    if kind == _ADVERTISEMENT:
        target = packet.get("nd_target", 0)
        return packet.get("nd_tll", 0) in (0, entry.mac) and (target in entry.ip6 or target == eui64_lla(entry.mac))
    return True


def _may_leave(entry: Allowed, packet: Packet) -> bool:
    ethertype = packet.get("eth_type", 0)
    if entry.any_ip:
        return True
    if ethertype == IP4:
        address = packet.get("ip_dst", 0)
        return bool(entry.ip4) and (address in entry.ip4 or address == _BROADCAST4 or address >> 28 == 0xE)
    if ethertype == IP6:
        address = packet.get("ipv6_dst", 0)
        return bool(entry.ip6) and (address in entry.ip6 or address == eui64_lla(entry.mac) or address >> 120 == 0xFF)
    return True
