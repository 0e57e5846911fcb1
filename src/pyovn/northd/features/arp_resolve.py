"""The next hop's MAC address: known from configuration, or learned.

    500 multicast has none · 100 known · 1 what was learned (`get_arp`, `get_nd`)
    arp_request   eth.dst == 0: ask, and keep the packet until the answer comes

Known are the addresses of ports of the switch that a router port is on, and those of other routers there.
"""

from collections.abc import Iterator

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, ip_str
from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import address6
from pyovn.northd.model.networks import Network, braced
from pyovn.northd.model.port import Port
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

RESOLVE, REQUEST = STAGE["lr_in_arp_resolve"], STAGE["lr_in_arp_request"]
UNRESOLVED = "eth.dst == 00:00:00:00:00:00 && reg9[9] =="


@feature.router
def learned(router: Router) -> Iterator[Flow]:
    """Neighbours that nobody configured."""
    yield Flow(RESOLVE, 500, "ip4.mcast || ip6.mcast", NEXT)
    yield Flow(RESOLVE, 1, "reg9[9] == 1", f"get_arp(outport, reg0); {NEXT}")
    yield Flow(RESOLVE, 1, "reg9[9] == 0", f"get_nd(outport, xxreg0); {NEXT}")


@feature.router
def ask(router: Router) -> Iterator[Flow]:
    """Ask for those that are not known."""
    arp = "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg5; arp.tpa = reg0; arp.op = 1; output; }; "
    yield Flow(REQUEST, 100, f"{UNRESOLVED} 1", arp + NEXT)
    yield Flow(REQUEST, 100, f"{UNRESOLVED} 0", f"nd_ns {{ nd.target = xxreg0; output; }}; {NEXT}")


@feature.next_hop
def ask_next_hop(address: str) -> Iterator[Flow]:
    """Next hops with IPv6 addresses are asked for on their own groups."""
    version, value = ip_parse(address)
    if version == 6:
        address = ip_str(version, value)
        mac = f"33:33:ff:{value >> 16 & 255:02x}:{value >> 8 & 255:02x}:{value & 255:02x}"
        inner = f"eth.dst = {mac}; ip6.dst = {address6(address).group}; nd.target = {address}; output; "
        yield Flow(REQUEST, 200, f"{UNRESOLVED} 0 && xxreg0 == {address}", f"nd_ns {{ {inner}}}; {NEXT}")


@feature.neighbour
def known(port: RouterPort, neighbour: Port) -> Iterator[Flow]:
    """The addresses of a switch port that are in a network of a router port; IPv4 ones not if that bridges packets."""
    for mac, ip4, ip6 in neighbour.addresses:
        actions = f"eth.dst = {mac}; {NEXT}"
        for address in () if port.bridges else ip4:
            if reaches(port.ip4, address):
                yield Flow(RESOLVE, 100, f"outport == {port.name} && reg0 == {address}", actions)
        for each in ip6:
            if reaches(port.ip6, each.address):
                yield Flow(RESOLVE, 100, f"outport == {port.name} && xxreg0 == {each.address}", actions)


def reaches(networks: tuple[Network, ...], address: str) -> bool:
    """Is the address in one of the networks?"""
    try:
        _, value = ip_parse(address)
    except Malformed:
        return False
    return any(each.holds(value) for each in networks)


@feature.peer
def routers(port: RouterPort, other: RouterPort) -> Iterator[Flow]:
    """The addresses of another router's port on the same switch."""
    yield from addresses(port, other, " ")


@feature.direct
def router(port: RouterPort, other: RouterPort) -> Iterator[Flow]:
    """The addresses of the port at the other end of a direct connection."""
    yield from addresses(port, other, "")


@feature.beyond
def beyond(port: RouterPort, other: RouterPort, addresses: tuple[str, ...]) -> Iterator[Flow]:
    """Outside and virtual addresses that the other router made known."""
    match = f"outport == {port.name} && reg0 == {{{', '.join(addresses)}}}"
    yield Flow(RESOLVE, 100, match, f"eth.dst = {other.mac}; {NEXT}")


def addresses(port: RouterPort, other: RouterPort, space: str) -> Iterator[Flow]:
    """Another router's addresses."""
    actions = f"eth.dst = {other.mac}; {NEXT}"
    for networks, register in ((other.ip4, f"reg0{space}"), (other.ip6, "xxreg0 ")):
        if networks:
            constants = braced([each.address for each in networks])
            yield Flow(RESOLVE, 100, f"outport == {port.name} && {register}== {constants}", actions)
