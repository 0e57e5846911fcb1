"""A logical router port as its rules see it: its addresses taken apart, and what it is connected to."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.mac import mac_int, mac_str
from pyovn.net.uuids import Uuid
from pyovn.northd.model.addresses import Address6, Addresses, link_local
from pyovn.northd.model.arp_proxy import Proxy
from pyovn.northd.model.networks import Network, parse_network
from pyovn.northd.model.port import quoted
from pyovn.tables.nb import LogicalRouterPort

LINK_LOCAL_LENGTH = 64
ETHERNET, ETHERNET_VLAN = 14, 18  #: what `gateway_mtu` does not count


class Link(NamedTuple):
    """The switch port at the other end of a router port."""

    port: Uuid
    name: str
    switch: Uuid
    enabled: bool
    proxy: Proxy | None = None  #: foreign addresses that the router answers for


class RouterPort(NamedTuple):
    """A router port."""

    uuid: Uuid
    router: Uuid
    label: str  #: its name
    mac: str
    ip4: tuple[Network, ...]
    ip6: tuple[Network, ...]  #: its link-local one last
    enabled: bool
    gateway: bool  #: distributed: packets to the outside go by the chassis of its `cr-` port
    options: Mapping[str, str]
    advertises: Mapping[str, str]  #: `ipv6_ra_configs`
    link: Link | None = None
    doubled: bool = False  #: seen from a switch port that leads to it beside the one that it leads to
    peer: Uuid | None = None  #: the port of another router
    peer_gateway: bool = False  #: that is a gateway port too
    physical: bool = False  #: its switch has a localnet port
    tagged: bool = False  #: its localnet port has a VLAN
    spread: bool = False  #: a gateway port that all chassis use: for distributed load balancers
    vtep: bool = False  #: its switch has a hardware gateway
    redistributes: frozenset[str] = frozenset()  #: which routes through it are told to the world outside
    learns: bool = False  #: routes that the world outside tells are followed
    keys: tuple[tuple[str, int], ...] = ()  #: its name and that of its `cr-` port, as strings, with their tunnel keys

    @property
    def name(self) -> str:
        """As a string in a match or action."""
        return quoted(self.label)

    @property
    def bridges(self) -> bool:
        """Do packets get to its gateway's chassis by way of the physical network, not through a tunnel?"""
        return self.gateway and self.options.get("redirect-type") == "bridged"

    @property
    def received(self) -> str:
        """The destination MACs of packets for the router: an expression."""
        proxy = None if self.link is None else self.link.proxy
        return f"{{ {proxy.mac}, {self.mac} }}" if proxy is not None and proxy.mac else self.mac

    @property
    def redirect(self) -> str:
        """The name of the port that stands for this one on the chassis of a gateway, as a string."""
        return quoted(f"cr-{self.label}")

    @property
    def resident(self) -> str:
        """True on that chassis."""
        return f"is_chassis_resident({self.redirect})"

    @property
    def link_name(self) -> str:
        """The name of the switch port at the other end, as a string."""
        return quoted(self.link.name) if self.link is not None else ""

    def ways(self, stand_in: str) -> tuple[tuple[str, str], ...]:
        """Where packets on the switch go to reach the router: a condition and a port."""
        if not stand_in:
            return (("", self.link_name),)
        here = f"is_chassis_resident({stand_in})"
        return ((f" && {here}", self.link_name), (f" && !{here}", stand_in))

    def confined(self, gateway: str) -> str:
        """Where a port on a physical network answers for itself, if not everywhere."""
        if not self.physical or self.spread:
            return ""
        if self.gateway:
            return f" && {self.resident}"
        if gateway and self.options.get("reside-on-redirect-chassis") == "true":
            return f" && is_chassis_resident({quoted(f'cr-{gateway}')})"
        return ""

    @property
    def longest(self) -> int:
        """The longest frame that fits."""
        return self.mtu + (ETHERNET_VLAN if self.tagged else ETHERNET)

    def measured(self, match: str, actions: str) -> tuple[tuple[int, str, str], ...]:
        """Admission (priority, match, actions), with a look at the packet's length where that is limited."""
        if not self.mtu:
            return ((50, match, actions),)
        bypass = self.options.get("gateway_mtu_bypass")
        exempt = f"arp || {bypass}" if bypass else "arp"
        return (
            (55, f"{match} && ({exempt})", actions),
            (50, match, f"reg9[1] = check_pkt_larger({self.longest}); {actions}"),
        )

    @property
    def link_local(self) -> Network:
        """Its address on every IPv6 link."""
        return self.ip6[-1]

    @property
    def mtu(self) -> int:
        """`gateway_mtu`; 0 where packets may be of any size."""
        text = self.options.get("gateway_mtu", "")
        return int(text) if text.isdigit() else 0

    def networks(self) -> Iterator[tuple[str, Network]]:
        """Everything it is connected to, with the prefix of the protocol's fields."""
        yield from (("ip4", each) for each in self.ip4)
        yield from (("ip6", each) for each in self.ip6)

    def source_for(self, address: str) -> str | None:
        """Its own address in the network of an address."""
        version, value = ip_parse(address)
        networks = self.ip4 if version == 4 else self.ip6
        return next((each.address for each in networks if each.holds(value)), None)


def parsed_port(row: LogicalRouterPort, router: Uuid) -> tuple[RouterPort | None, tuple[str, ...]]:
    """The port that a row describes, if it does, and what is wrong with it."""
    try:
        mac = mac_str(mac_int(row.mac.split()[0]))
    except (Malformed, ValueError, IndexError):
        return None, (f"logical router port {row.name}: invalid MAC address '{row.mac}'",)
    problems: list[str] = []
    found: tuple[list[Network], list[Network]] = ([], [])
    for text in sorted(row.networks):
        network = parse_network(text)
        if network is None:
            problems.append(f"logical router port {row.name}: invalid network '{text}'")
            continue
        found[network[0]].append(network[1])
    own = parse_network(f"{link_local(mac).address}/{LINK_LOCAL_LENGTH}")
    assert own is not None
    found[1][:] = [*(each for each in found[1] if each.address != own[1].address), own[1]]
    gateway = bool(row.gateway_chassis) or row.ha_chassis_group is not None
    enabled = row.enabled is not False
    port = RouterPort(
        row.uuid, router, row.name, mac, tuple(found[0]), tuple(found[1]), enabled, gateway,
        row.options, row.ipv6_ra_configs,
    )  # fmt: skip
    return port, tuple(problems)


def stand_in(port: RouterPort, gateways: int) -> str:
    """The port that stands, on the gateway's chassis, for the switch port that leads there; as a string, if any.

    A switch without a way to the physical network sends what is for the only gateway through a tunnel.
    """
    if port.link is None or port.doubled or not port.gateway or port.physical or gateways != 1:
        return ""
    return quoted(f"cr-{port.link.name}")


def own_addresses(port: RouterPort) -> Addresses:
    """The addresses of a router port, as those of the switch port that leads to it."""
    return Addresses(
        port.mac,
        tuple(each.address for each in port.ip4),
        tuple(Address6(each.address, each.group) for each in port.ip6),
    )


def overlaps(ports: Iterable[RouterPort]) -> Iterator[str]:
    """The networks that several ports of a router have, of which packets take but one way."""
    found: dict[str, list[str]] = {}
    for port in ports:
        for prefix in dict.fromkeys(each.prefix for _, each in port.networks() if not each.is_link_local):
            found.setdefault(prefix, []).append(port.label)
    for prefix, labels in found.items():
        if len(labels) > 1:
            yield f"several ports are in {prefix}: {', '.join(labels)}"


def seen_by(port: RouterPort, link: Link) -> RouterPort:
    """The port as its switch sees it that has this link: of several, the port itself leads to one only."""
    return port._replace(link=link, doubled=port.link is not None and port.link.port != link.port)
