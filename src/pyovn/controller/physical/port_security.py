"""Port security: which addresses a port may send from and receive at.

    73  check_in_port_sec    from MAC and IP (ARP and ND go on to 74)     → violated or not
    74  … the addresses inside ARP and ND
    75  check_out_port_sec   to MAC and IP

    "MAC"   "MAC IP[/LEN] …"   "VRRPv3 MAC [VMAC[/MASK] …] [IP …]"     one entry of Port_Binding.port_security

Entries with IP addresses allow what a host needs to get along: DHCP, duplicate address detection, its
link-local address, broadcast and multicast.  Under VRRPv3 the virtual MACs (RFC 5798 §7.3) take the port
MAC's place inside ARP, ND and IP.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from pyovn.controller import layout
from pyovn.controller.physical.ports import LogicalPort
from pyovn.controller.physical.steps import flag, resubmit
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.mac import eui64_lla, mac_int
from pyovn.openflow.actions import Actions
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import Match, match

Masked = tuple[int, int]

FULL_MAC: Final = 0xFFFFFFFFFFFF
FULL: Final = {4: 0xFFFFFFFF, 6: (1 << 128) - 1}
#: RFC 5798 §7.3: any virtual router's MAC, for IPv4 and for IPv6.
VRRP_IPV4: Final[Masked] = (0x00005E000100, 0xFFFFFFFFFF00)
VRRP_IPV6: Final[Masked] = (0x00005E000200, 0xFFFFFFFFFF00)

ALLOW: Final[Actions] = (flag(layout.PORT_SEC_VIOLATED, on=False),)
DENY: Final[Actions] = (flag(layout.PORT_SEC_VIOLATED),)
CHECK_ND: Final[Actions] = (resubmit(layout.CHECK_IN_PORT_SEC_ND),)

IP4_BROADCAST: Final = 0xFFFFFFFF
IP4_MULTICAST: Final[Masked] = (0xE0000000, 0xF0000000)
IP6_MULTICAST: Final[Masked] = (0xFF << 120, 0xFF << 120)
LINK_SCOPE: Final[Masked] = (0xFF02 << 112, 0xFFFF << 112)
MLD_REPORT, SOLICITATION, ADVERTISEMENT, MLD2_REPORT = 131, 135, 136, 143


@dataclass(frozen=True, slots=True)
class Entry:
    """One allowed identity: a MAC, what stands for it in IPv4 and in IPv6, and its addresses."""

    mac: int
    macs4: tuple[Masked, ...]
    macs6: tuple[Masked, ...]
    #: (address as configured, prefix mask)
    ip4: tuple[Masked, ...]
    ip6: tuple[Masked, ...]

    @property
    def any_address(self) -> bool:
        """True if only the MAC is restricted."""
        return not (self.ip4 or self.ip6)


def parse_entry(text: str) -> Entry:
    """The identity that one port security string allows; raises Malformed naming the trouble."""
    words = text.split()
    vrrp = words[:1] == ["VRRPv3"]
    if vrrp:
        words = words[1:]
    try:
        mac = mac_int(words[0])
    except (IndexError, Malformed):
        raise Malformed(f"invalid syntax '{text}' in port security: no MAC address found") from None
    macs4: list[Masked] = []
    macs6: list[Masked] = []
    addresses: dict[int, list[Masked]] = {4: [], 6: []}
    for word in words[1:]:
        if vrrp and word.count(":") >= 5 and "." not in word and _looks_like_mac(word):
            virtual = _masked_mac(word)
            (macs6 if virtual[0] >> 8 == VRRP_IPV6[0] >> 8 else macs4).append(virtual)
        else:
            version, *address = _network(word, text)
            addresses[version].append((address[0], address[1]))
    if not vrrp:
        macs4 = macs6 = [(mac, FULL_MAC)]
    elif not macs4 and not macs6:
        macs4, macs6 = [VRRP_IPV4], [VRRP_IPV6]
    return Entry(mac, tuple(macs4), tuple(macs6), tuple(addresses[4]), tuple(addresses[6]))


def security_flows(port: LogicalPort, entries: Iterable[Entry]) -> Iterator[Flow]:
    """Tables 73-75 for one port; the same match is never given twice."""
    known: set[tuple[int, int, Match]] = set()
    for table, priority, where, actions in chain(_fallbacks(port), *(_entry(port, entry) for entry in entries)):
        if (table, priority, where) not in known:
            known.add((table, priority, where))
            yield port.flow(table, priority, where, actions)


Rule = tuple[int, int, Match, Actions]


def _fallbacks(port: LogicalPort) -> Iterator[Rule]:
    yield layout.CHECK_IN_PORT_SEC, 95, _in(port, eth_type=layout.ARP), CHECK_ND
    yield layout.CHECK_IN_PORT_SEC, 80, _in(port), DENY
    yield layout.CHECK_IN_PORT_SEC_ND, 80, _in(port, eth_type=layout.ARP), DENY
    for icmp_type in (SOLICITATION, ADVERTISEMENT):
        nd = _in(port, eth_type=layout.IPV6, ip_proto=58, ip_ttl=255, icmpv6_type=icmp_type)
        yield layout.CHECK_IN_PORT_SEC_ND, 80, nd, DENY
    yield layout.CHECK_OUT_PORT_SEC, 80, _out(port), DENY


def _entry(port: LogicalPort, entry: Entry) -> Iterator[Rule]:
    yield from _senders(port, entry)
    yield from _arp(port, entry)
    yield from _neighbours(port, entry)
    yield from _receivers(port, entry)


def _senders(port: LogicalPort, entry: Entry) -> Iterator[Rule]:
    table = layout.CHECK_IN_PORT_SEC
    if entry.any_address:
        for mac in dict.fromkeys((*entry.macs4, *entry.macs6)):
            yield table, 90, _in(port, eth_src=mac), CHECK_ND
    if entry.ip4:
        for mac in entry.macs4:
            for address in entry.ip4:
                yield table, 90, _in(port, eth_src=mac, eth_type=layout.IPV4, ip_src=_host_or_net(address, 4)), ALLOW
            dhcp: dict[str, int | Masked] = {
                "eth_type": layout.IPV4,
                "ip_proto": 17,
                "ip_src": 0,
                "ip_dst": IP4_BROADCAST,
            }
            yield table, 90, _in(port, eth_src=mac, udp_src=68, udp_dst=67, **dhcp), ALLOW
    if entry.ip6:
        for mac in entry.macs6:
            for wanted in (*(_host_or_net(address, 6) for address in entry.ip6), link_local(mac)):
                yield table, 90, _in(port, eth_src=mac, eth_type=layout.IPV6, ipv6_src=wanted), CHECK_ND
            nameless: dict[str, int | Masked] = {
                "eth_type": layout.IPV6,
                "ip_proto": 58,
                "ipv6_src": 0,
                "ipv6_dst": LINK_SCOPE,
            }
            for icmp_type, verdict in ((MLD_REPORT, ALLOW), (SOLICITATION, CHECK_ND), (MLD2_REPORT, ALLOW)):
                where = _in(port, eth_src=mac, icmpv6_type=icmp_type, icmpv6_code=0, **nameless)
                yield table, 90, where, verdict


def _arp(port: LogicalPort, entry: Entry) -> Iterator[Rule]:
    senders = [_host_or_net(address, 4) for address in entry.ip4]
    if entry.any_address:
        senders = [(0, 0)]
    for mac in entry.macs4:
        for sender in senders:
            where = _in(port, eth_src=entry.mac, eth_type=layout.ARP, arp_spa=sender, arp_sha=mac)
            yield layout.CHECK_IN_PORT_SEC_ND, 90, where, ALLOW


def _neighbours(port: LogicalPort, entry: Entry) -> Iterator[Rule]:
    targets = [_host_or_net(address, 6) for address in entry.ip6]
    targets += [(eui64_lla(entry.mac), FULL[6])] if targets else [(0, 0)]
    nd = {"eth_src": entry.mac, "eth_type": layout.IPV6, "ip_proto": 58, "ip_ttl": 255, "icmpv6_code": 0}
    for mac in ((0, FULL_MAC), *entry.macs6):
        where = _in(port, icmpv6_type=SOLICITATION, nd_sll=mac, **nd)
        yield layout.CHECK_IN_PORT_SEC_ND, 90, where, ALLOW
        for target in targets:
            where = _in(port, icmpv6_type=ADVERTISEMENT, nd_tll=mac, nd_target=target, **nd)
            yield layout.CHECK_IN_PORT_SEC_ND, 90, where, ALLOW


def _receivers(port: LogicalPort, entry: Entry) -> Iterator[Rule]:
    table = layout.CHECK_OUT_PORT_SEC
    for mac in dict.fromkeys((*entry.macs4, *entry.macs6)):
        yield table, 85, _out(port, eth_dst=mac), ALLOW
    if entry.any_address:
        return
    for mac in entry.macs4:
        yield table, 90, _out(port, eth_dst=mac, eth_type=layout.IPV4), DENY
        for wanted in _destinations4(entry):
            yield table, 95, _out(port, eth_dst=mac, eth_type=layout.IPV4, ip_dst=wanted), ALLOW
    for mac in entry.macs6:
        yield table, 90, _out(port, eth_dst=mac, eth_type=layout.IPV6), DENY
        if entry.ip6:
            hosts = (_host_or_net(address, 6) for address in entry.ip6)
            for wanted in (*hosts, link_local(mac), IP6_MULTICAST):
                yield table, 95, _out(port, eth_dst=mac, eth_type=layout.IPV6, ipv6_dst=wanted), ALLOW


def _destinations4(entry: Entry) -> Iterator[Masked]:
    for address, mask in entry.ip4:
        yield _host_or_net((address, mask), 4)
        if address & ~mask and mask != FULL[4]:
            yield address | ~mask & FULL[4], FULL[4]
    if entry.ip4:
        yield IP4_BROADCAST, FULL[4]
        yield IP4_MULTICAST


def link_local(mac: Masked) -> Masked:
    """The link-local addresses (RFC 4291 appendix A) of a masked MAC."""
    value, mask = mac
    high = 0xFFFFFFFFFFFFFFFF << 64
    return eui64_lla(value), high | (mask >> 24) << 40 | 0xFFFF << 24 | mask & 0xFFFFFF


def _host_or_net(address: Masked, version: int) -> Masked:
    """An address with host bits is that host; without, the whole prefix."""
    value, mask = address
    return (value, mask) if not value & ~mask else (value, FULL[version])


def _network(word: str, text: str) -> tuple[int, int, int]:
    plain, _, length = word.partition("/")
    try:
        version, value = ip_parse(plain)
        bits = 32 if version == 4 else 128
        plen = int(length) if length else bits
        if not 0 <= plen <= bits:
            raise Malformed(word)
    except (Malformed, ValueError):
        raise Malformed(f"invalid syntax '{text}' in port security: {word} is not an address") from None
    return version, value, FULL[version] & ~((1 << bits - plen) - 1)


def _looks_like_mac(word: str) -> bool:
    return all(len(octet) <= 2 for octet in word.partition("/")[0].split(":")) and "::" not in word


def _masked_mac(word: str) -> Masked:
    value, _, mask = word.partition("/")
    return mac_int(value), mac_int(mask) if mask else FULL_MAC


def _in(port: LogicalPort, **more: int | Masked) -> Match:
    return match(metadata=port.datapath, reg14=port.key, **more)


def _out(port: LogicalPort, **more: int | Masked) -> Match:
    return match(metadata=port.datapath, reg15=port.key, **more)
