"""Dynamic addresses: what a switch has to give, what a port asks for, and what it has.

    Logical_Switch.other_config             subnet, exclude_ips, ipv6_prefix, mac_only    Pool
    Logical_Switch_Port.addresses           dynamic · dynamic IP… · MAC dynamic            Request
    Logical_Switch_Port.dynamic_addresses   MAC [IPv4] [IPv6]                              the lease

Everybody else who has an address, or a MAC with our prefix, says so in a `Claim`.  `sync.leases` gives what is left.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ALL4, ip4_int, ip6_int, mask4, mask6, parse_network
from pyovn.net.mac import LOCAL_BIT, mac_int
from pyovn.net.uuids import Uuid
from pyovn.northd.model.addresses import Addresses

RESERVED = 2  #: the network's own address, and the first one, which is for a router
PREFIX6_LENGTH = 64
WRITTEN, LEASED = 0, 1  #: ranks of claims: what somebody wrote down is stronger than what we gave

Ranges = tuple[tuple[int, int], ...]


class Pool(NamedTuple):
    """What ports of a switch can be given; a MAC always."""

    subnet: str = ""  #: as written; none: no IPv4 addresses
    low: int = 1  #: the first IPv4 address for ports
    high: int = 0  #: the last one
    excluded: Ranges = ()  #: in order, apart from each other
    prefix6: int | None = None  #: None: no IPv6 addresses

    def next(self, address: int) -> int | None:
        """The first address of the pool that is not smaller than `address`."""
        address = max(address, self.low)
        place = bisect_right(self.excluded, (address, ALL4)) - 1
        if place >= 0 and address <= self.excluded[place][1]:
            address = self.excluded[place][1] + 1
        return address if address <= self.high else None

    def has(self, address: int) -> bool:
        """May the address be given away?"""
        return self.next(address) == address

    def covers(self, address: int) -> bool:
        """Is it between the first address and the last one?"""
        return self.low <= address <= self.high


class Request(NamedTuple):
    """What a port asks for; None: anything."""

    mac: int | None = None
    ip4: int | None = None
    ip6: int | None = None


class Claim(NamedTuple):
    """Somebody has an address.  Of several claims, the smallest is right."""

    rank: int
    name: str  #: of a port
    port: Uuid


NOTHING = Addresses("")


class Wish(NamedTuple):
    """A port that asks for addresses, or has been given some."""

    switch: Uuid
    name: str
    pool: Pool | None
    request: Request | None
    lease: str  #: `dynamic_addresses`, as it is
    had: Addresses  #: the same, if it makes sense
    mac_prefix: str  #: the first half of the MACs that we give; none: not yet known


Hosts = tuple[tuple[tuple[Uuid, int], Claim], ...]  #: who has an IPv4 address on a switch
Macs = tuple[tuple[int, Claim], ...]  #: who has a MAC


def pool(config: Mapping[str, str]) -> tuple[Pool | None, list[str]]:
    """What the ports of a switch with this `other_config` can be given, and what is wrong with it."""
    problems: list[str] = []
    found = Pool()
    if subnet := config.get("subnet"):
        ends = _ends(subnet)
        if ends is None:
            problems.append(f"bad 'subnet' {subnet}")
        else:
            low, high = ends
            excluded, wrong = _excluded(config.get("exclude_ips", ""), low, high)
            problems += [f"{subnet}: {text}" for text in wrong]
            found = found._replace(subnet=subnet, low=low + RESERVED, high=high - 1, excluded=excluded)
    if prefix := config.get("ipv6_prefix"):
        found = found._replace(prefix6=_prefix6(prefix))
        if found.prefix6 is None:
            problems.append(f"bad 'ipv6_prefix' {prefix}: it must be a /64")
    if found == Pool() and config.get("mac_only") != "true":
        return None, problems
    return found, problems


def _ends(subnet: str) -> tuple[int, int] | None:
    try:
        version, address, length = parse_network(subnet)
    except Malformed:
        return None
    if version != 4 or length == 32:
        return None
    low = address & mask4(length)
    return low, low | (ALL4 ^ mask4(length))


def _prefix6(text: str) -> int | None:
    address, _, length = text.partition("/")
    try:
        return ip6_int(address) & mask6(PREFIX6_LENGTH) if length in ("", str(PREFIX6_LENGTH)) else None
    except Malformed:
        return None


def _excluded(text: str, low: int, high: int) -> tuple[Ranges, list[str]]:
    """Ranges of addresses within a network, and what is wrong with some."""
    ranges: list[tuple[int, int]] = []
    problems = []
    for entry in re.sub(r"\s*\.\.\s*", "..", text).replace(",", " ").split():
        first, _, last = entry.partition("..")
        try:
            start, end = ip4_int(first), ip4_int(last or first)
        except Malformed:
            problems.append(f"bad 'exclude_ips' {entry}")
            continue
        start, end = max(start, low), min(end, high)
        if start > end:
            problems.append(f"'exclude_ips' {entry} is not in the subnet")
        else:
            ranges.append((start, end))
    return tuple(_merged(sorted(ranges))), problems


def _merged(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ordered ranges, those that touch made one."""
    start = end = -2
    for first, last in ranges:
        if first > end + 1:
            if end >= 0:
                yield start, end
            start, end = first, last
        else:
            end = max(end, last)
    if end >= 0:
        yield start, end


_FIXED = re.compile(r"dynamic\s+(?:(\d{1,3}(?:\.\d{1,3}){3})(?:\s+([0-9a-fA-F:.]+))?|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*))")


def request(text: str) -> Request | None:
    """What an entry of `addresses` asks for; None where it asks for nothing, or in a way that nobody understands."""
    if text == "dynamic":
        return Request()
    if found := _FIXED.fullmatch(text):
        ip4, second, alone = found.groups()
        try:
            return Request(ip4=_loose_ip4(ip4) if ip4 else None, ip6=_ip6(second) if ip4 else ip6_int(alone))
        except Malformed:
            return None
    mac, _, word = text.partition(" ")
    try:
        return Request(mac=mac_int(mac)) if word.strip() == "dynamic" and not word[-1].isspace() else None
    except Malformed:
        return None


def _loose_ip4(text: str) -> int:
    """An IPv4 address whose numbers may have leading zeros."""
    return ip4_int(".".join(str(int(each)) for each in text.split(".")))


def _ip6(text: str | None) -> int | None:
    """A second address; one that is not of IPv6 counts for nothing."""
    return ip6_int(text) if text and ":" in text else None


def requests(texts: Iterable[str]) -> dict[str, Request]:
    """The entries that ask for something, in order: only the first counts."""
    found = {text: request(text) for text in sorted(texts) if "dynamic" in text}
    return {text: each for text, each in found.items() if each is not None}


def eui64(prefix: int, mac: int) -> int:
    """The address that the owner of a MAC gives itself in a network (RFC 4291, appendix A)."""
    flipped = mac ^ LOCAL_BIT
    return prefix | (flipped >> 24) << 40 | 0xFFFE << 24 | flipped & 0xFFFFFF


def host_claims(switch: Uuid, within: Pool | None, addresses: Iterable[Addresses], claim: Claim) -> Hosts:
    """The IPv4 addresses among these that the pool of a switch could give to others."""
    if within is None or not within.subnet:
        return ()
    found = (ip4_int(ip4) for each in addresses for ip4 in each.ip4)
    return tuple(((switch, ip4), claim) for ip4 in found if within.covers(ip4))


def has_prefix(addresses: tuple[Addresses, ...], prefix: str) -> bool:
    """Is a MAC among these one that we could give to others?"""
    return any(each.mac.startswith(prefix) for each in addresses)


def mac_claims(prefix: str, addresses: Iterable[Addresses], claim: Claim) -> Macs:
    """The MACs among these that we could give to others."""
    return tuple((mac_int(each.mac), claim) for each in addresses if prefix and each.mac.startswith(prefix))
