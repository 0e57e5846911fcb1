"""Static routes as their rules see them, and groups of routes to one destination.

Logical_Router_Static_Route ──► Route ──┬─ one for its destination       → a flow
                                        └─ several, or symmetric replies → a group (ECMP)
"""

from collections.abc import Iterable
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, ip_str
from pyovn.net.uuids import Uuid
from pyovn.northd.model.networks import Network
from pyovn.northd.model.router_port import RouterPort
from pyovn.tables.nb import LogicalRouterStaticRoute

DISCARD = "discard"


class Destination(NamedTuple):
    """What routes are about: packets to (or from) a network, by one table of routes."""

    router: Uuid
    table: str
    by_source: bool
    ip: str  #: "ip4" or "ip6"
    network: str
    length: int
    learned: bool = False  #: told by the world outside: what somebody configured goes first

    @property
    def prefix(self) -> str:
        """The network; without its length where it is a single address."""
        return self.network if self.is_host else f"{self.network}/{self.length}"

    @property
    def is_host(self) -> bool:
        """Is it a single address?"""
        return self.length == (32 if self.ip == "ip4" else 128)


class Hop(NamedTuple):
    """Where a packet goes next."""

    address: str
    source: str  #: the router's address that asks for the neighbour's
    mac: str
    port: str  #: as a string in an action
    label: str  #: the port's name

    @property
    def is_ip4(self) -> bool:
        """Is the next hop an IPv4 address?"""
        return ":" not in self.address


#: the hop of packets that are dropped
NOWHERE = Hop("", "", "", "", "")


class Route(NamedTuple):
    """A route that can be used."""

    hop: Hop
    symmetric: bool  #: replies go where the packet came from: `options:ecmp_symmetric_reply`
    fields: tuple[str, ...]  #: `selection_fields`
    row: Uuid
    key: int = 0  #: the tunnel key of the port of a symmetric one


def destination(row: LogicalRouterStaticRoute, router: Uuid) -> Destination | None:
    """What a route is about; None where its prefix is none."""
    found = destination_of(row.ip_prefix, router)
    return None if found is None else found._replace(table=row.route_table, by_source=row.policy == "src-ip")


def destination_of(prefix: str, router: Uuid) -> Destination | None:
    """What a route to a prefix is about, in the main table."""
    text, _, length = prefix.partition("/")
    try:
        version, value = ip_parse(text)
    except Malformed:
        return None
    bits = 32 if version == 4 else 128
    if length and not (length.isdigit() and int(length) <= bits):
        return None
    size = int(length) if length else bits
    network = value >> (bits - size) << (bits - size)
    return Destination(router, "", False, f"ip{version}", ip_str(version, network), size)


def hop_by(ports: Iterable[RouterPort], address: str, output: str | None) -> Hop | str:
    """The way to a next hop, or what is wrong with it."""
    try:
        version, value = ip_parse(address)
    except Malformed:
        return f"bad next hop '{address}'"
    address = ip_str(version, value)
    if output is None:
        for port in ports:
            if source := within(networks(port, version), value):
                return Hop(address, source, port.mac, port.name, port.label)
        return f"no path to next hop {address}"
    found = next((port for port in ports if port.label == output), None)
    if found is None:
        return f"there is no output port '{output}'"
    choices = networks(found, version)
    source = within(choices, value) or (choices[0].address if choices else None)
    if source is None:
        return f"output port '{output}' has no address to reach next hop {address}"
    return Hop(address, source, found.mac, found.name, found.label)


def networks(port: RouterPort, version: int) -> tuple[Network, ...]:
    """The port's networks of an IP version."""
    return port.ip4 if version == 4 else port.ip6


def within(choices: tuple[Network, ...], value: int) -> str | None:
    """The port's own address in the network of an address."""
    return next((each.address for each in choices if each.holds(value)), None)
