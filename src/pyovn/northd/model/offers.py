"""What DHCP tells the machines behind a port.

    Logical_Switch_Port.dhcpv4_options, dhcpv6_options → DHCP_Options     cidr, options     → Offer, for each MAC

A machine is offered the first of the port's addresses that is within `cidr`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip4_str, ip6_int, mask4, mask6, parse_network
from pyovn.net.mac import mac_int, mac_str
from pyovn.northd.model.addresses import Addresses, link_local
from pyovn.northd.model.port import Port
from pyovn.tables.nb import DHCPOptions

NEEDED = {4: ("server_id", "server_mac", "lease_time"), 6: ("server_id",)}
#: options that are not for the machine
INTERNAL = {4: frozenset(("server_mac",)), 6: frozenset(("dhcpv6_stateless",))}


class Offer(NamedTuple):
    """What the machine behind a MAC is told."""

    version: int
    mac: str
    address: str  #: what it is offered
    stateless: bool  #: it is told other things only
    server: str  #: the address that answers
    server_mac: str
    options: tuple[tuple[str, str], ...]
    resident: bool  #: only the chassis that serves the port answers

    @property
    def terms(self) -> str:
        """Address and options, as arguments of the action that makes the answer."""
        first = () if self.stateless else (("offerip" if self.version == 4 else "ia_addr", self.address),)
        return ", ".join(f"{name} = {value}" for name, value in (*first, *self.options))


def offers(row: DHCPOptions, version: int, port: Port) -> tuple[list[Offer], str]:
    """The offers for a port, one for each MAC, and what is wrong with the options."""
    missing = [name for name in NEEDED[version] if not row.options.get(name)]
    if missing:
        return [], f"DHCPv{version} options without {', '.join(missing)}"
    try:
        found, value, length = parse_network(row.cidr)
        server_mac = mac_str(mac_int(row.options["server_id" if version == 6 else "server_mac"]))
        if version == 4:
            ip4_int(row.options["server_id"])
    except Malformed as wrong:
        return [], f"DHCPv{version} options: {wrong}"
    if found != version:
        return [], f"DHCPv{version} options: {row.cidr} is not of IPv{version}"
    mask = mask4(length) if version == 4 else mask6(length)
    told = _told4(row, port, mask) if version == 4 else tuple(sorted(row.options.items()))
    told = tuple(pair for pair in told if pair[0] not in INTERNAL[version])
    server = row.options["server_id"] if version == 4 else link_local(server_mac).address
    stateless = version == 6 and row.options.get("dhcpv6_stateless") == "true"
    return [
        Offer(version, each.mac, address, stateless, server, server_mac, told, port.row.type == "external")
        for each in port.addresses
        if (address := next(_within(each, version, value & mask, mask), None))
    ], ""


def _told4(row: DHCPOptions, port: Port, mask: int) -> tuple[tuple[str, str], ...]:
    """The options of IPv4, with the netmask, and with the port's own host name if it has one."""
    own: Mapping[str, str] = {key: port.options[key] for key in ("hostname",) if key in port.options}
    return tuple(sorted([("netmask", ip4_str(mask)), *{**row.options, **own}.items()], key=lambda pair: pair[0]))


def _within(addresses: Addresses, version: int, network: int, mask: int) -> Iterator[str]:
    """The addresses that are in a network."""
    if version == 4:
        yield from (each for each in addresses.ip4 if ip4_int(each) & mask == network)
    else:
        yield from (each.address for each in addresses.ip6 if ip6_int(each.address) & mask == network)
