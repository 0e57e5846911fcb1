"""Networks of router ports: `IP/length` as the router's own address in a network.

"10.0.1.1/24"  →  Network("10.0.1.1", 24, "10.0.1.0", "10.0.1.255", …)
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import NamedTuple

from pyovn.northd.model.addresses import address6


class Network(NamedTuple):
    """A router's address in a network."""

    address: str
    length: int
    network: str
    broadcast: str  #: of IPv4; the solicited-node group of the address for IPv6
    low: int  #: the network's first address
    mask: int

    @property
    def prefix(self) -> str:
        """The network, `IP/length`."""
        return f"{self.network}/{self.length}"

    @property
    def bits(self) -> int:
        """How many bits an address has."""
        return 128 if ":" in self.address else 32

    @property
    def is_host(self) -> bool:
        """Is it a single address?"""
        return self.length == self.bits

    @property
    def group(self) -> str:
        """The group on which neighbours ask for an IPv6 address."""
        return self.broadcast

    @property
    def is_link_local(self) -> bool:
        """Is the IPv6 network fe80::/10 or a part of it?"""
        return self.low >> 118 == 0x3FA

    def among(self, numbered: Sequence[tuple[int, str]]) -> Iterator[str]:
        """Those of the addresses, ordered by number, that are in the network."""
        first = bisect_left(numbered, (self.low,))
        last = bisect_left(numbered, (self.low + (1 << (self.bits - self.length)),))
        return (address for _, address in numbered[first:last])

    def holds(self, address: int) -> bool:
        """Is the address in the network?"""
        return address & self.mask == self.low


def parse_network(text: str) -> tuple[bool, Network] | None:
    """Whether it is IPv6, and the network; None for what is none."""
    try:
        found = ip_interface(text)
    except ValueError:
        return None
    return isinstance(found, IPv6Interface), network_of(found)


def network_of(found: IPv4Interface | IPv6Interface) -> Network:
    """A network from an interface of the standard library."""
    within = found.network
    last = str(within.broadcast_address) if isinstance(found, IPv4Interface) else address6(str(found.ip)).group
    low, mask = int(within.network_address), int(within.netmask)
    return Network(str(found.ip), within.prefixlen, str(within.network_address), last, low, mask)


def braced(items: "list[str] | tuple[str, ...]") -> str:
    """A constant set: one constant by itself, several in braces."""
    return items[0] if len(items) == 1 else f"{{{', '.join(items)}}}"
