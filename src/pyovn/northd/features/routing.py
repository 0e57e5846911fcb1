"""Routing: the longest prefix wins; of equal ones, what is connected, then what somebody configured, then
what was learned.

    ip_routing_pre    which table of routes a packet is for: reg7
    ip_routing        priority 8 × length + 6 connected, + 4 static, + 2 learned, + 0 by source; one more for BFD
    ip_routing_ecmp   of several routes, the one that `select` chose: reg8[0..15] group, reg8[16..31] member

A route says: next hop to reg0 (xxreg0), the router's own address to reg5 (xxreg1), MAC and port.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.balancer import Vip
from pyovn.northd.model.nat import Translation
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.routes import Destination, Hop, Route
from pyovn.northd.pipeline import ANY, DROP, NEXT, STAGE, Flow

feature = Feature()

PRE, ROUTING, ECMP = STAGE["lr_in_ip_routing_pre"], STAGE["lr_in_ip_routing"], STAGE["lr_in_ip_routing_ecmp"]
NETWORK_ID = STAGE["lr_in_network_id"]
CONNECTED, STATIC, LEARNED, BY_SOURCE = 6, 4, 2, 0
FOR_BFD = "udp.dst == 3784"
HOP_LIMIT = "ip.ttl--; "
#: registers of next hop and source, by IP version
REGISTERS = {True: ("reg0", "reg5", 1), False: ("xxreg0", "xxreg1", 0)}
PORTS = frozenset(("tp_src", "tp_dst"))  #: selection fields that are called otherwise in each protocol
MOST_IDS = 15  #: networks of a port that have a number of their own


@feature.router
def other_packets(router: Router) -> Iterator[Flow]:
    """Router solicitations stay on their link."""
    yield Flow(ROUTING, 10550, "nd_rs || nd_ra", DROP)
    yield Flow(ECMP, 150, "reg8[0..15] == 0", NEXT)


def towards(hop: Hop, address: str | None = None) -> str:
    """Note the next hop."""
    _, source, is_ip4 = REGISTERS[hop.is_ip4]
    to, _, _ = REGISTERS[address == "ip4.dst" if address else hop.is_ip4]
    return (
        f"{to} = {address or hop.address}; {source} = {hop.source}; eth.src = {hop.mac}; outport = {hop.port}; "
        f"flags.loopback = 1; reg9[9] = {is_ip4}; {NEXT}"
    )


def routed(priority: int, match: str, actions: str, *, monitors: bool) -> Iterator[Flow]:
    """A route; BFD packets keep their hop limit, which their receiver checks."""
    yield Flow(ROUTING, priority, match, f"{HOP_LIMIT}reg8[0..15] = 0; {actions}")
    if monitors:
        yield Flow(ROUTING, priority + 1, f"{match} && {FOR_BFD}", f"reg8[0..15] = 0; {actions}")


@feature.router_port
def connected(router: Router, port: RouterPort) -> Iterator[Flow]:
    """The networks of a port."""
    monitors = port.label in router.monitored
    for ip, network in port.networks():
        where = f"inport == {port.name} && " if ip == "ip6" and network.is_link_local else ""
        hop = Hop("::" if ip == "ip6" else "0", network.address, port.mac, port.name, port.label)
        match = f"{where}{ip}.dst == {network.prefix}"
        priority = network.length * 8 + CONNECTED
        yield from routed(priority, match, towards(hop, f"{ip}.dst"), monitors=monitors)


@feature.nat_route
def translated(router: Router, nat: Translation, port: RouterPort) -> Iterator[Flow]:
    """An outside address of a router next to this one: it answers for it, whatever the networks here are."""
    yield from next_door(router, nat.external, port)


@feature.vip_route
def balanced(router: Router, vip: Vip, port: RouterPort) -> Iterator[Flow]:
    """A virtual address of a router next to this one, likewise."""
    if vip.ip == "ip4":
        yield from next_door(router, vip.address, port)


def next_door(router: Router, address: str, port: RouterPort) -> Iterator[Flow]:
    """The way to an IPv4 address of a router beyond a port; one without IPv4 has its link-local address, as in C."""
    own = port.ip4[0] if port.ip4 else port.link_local
    hop = Hop("0" if port.ip4 else "::", own.address, port.mac, port.name, port.label)
    monitors = port.label in router.monitored
    yield from routed(32 * 8 + CONNECTED, f"ip4.dst == {address}/32", towards(hop, "ip4.dst"), monitors=monitors)


@feature.router_port
def table(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Packets from a port may have a table of routes of their own."""
    name = port.options.get("route_table")
    if name and name in router.tables:
        yield Flow(PRE, 100, f"inport == {port.name}", f"reg7 = {number(router, name)}; {NEXT}")


def number(router: Router, name: str) -> int:
    """The number of a table of routes; 0 is the main one."""
    return router.tables.index(name) + 1 if name else 0


@feature.router_port
def network_ids(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Which of the port's networks the next hop is in, for translation to the port's own address."""
    for ip, networks in (("ip4", port.ip4), ("ip6", port.ip6)):
        register = REGISTERS[ip == "ip4"][0]
        for index, each in enumerate(networks[: MOST_IDS + 1]):
            if each != port.link_local:
                match = f"outport == {port.name} && {ip} && {register} == {each.address}/{each.length}"
                yield Flow(NETWORK_ID, 110, match, f"flags.network_id = {index}; {NEXT}")


@feature.router
def no_network(router: Router) -> Iterator[Flow]:
    """Any other next hop."""
    yield Flow(NETWORK_ID, 105, ANY, f"flags.network_id = 0; {NEXT}")


@feature.route
def static(router: Router, to: Destination, routes: tuple[Route, ...], group: int) -> Iterator[Flow]:
    """The routes to one destination: a flow, or a group."""
    where = "src" if to.by_source else "dst"
    match = f"reg7 == {number(router, to.table)} && {to.ip}.{where} == {to.network}/{to.length}"
    priority = to.length * 8 + (BY_SOURCE if to.by_source else LEARNED if to.learned else STATIC)
    if group:
        yield from equal(priority, match, routes, group)
        return
    (route,) = routes
    if not route.hop.address:
        yield Flow(ROUTING, priority, match, DROP)
        return
    yield from routed(priority, match, towards(route.hop), monitors=route.hop.label in router.monitored)


def equal(priority: int, match: str, routes: tuple[Route, ...], group: int) -> Iterator[Flow]:
    """Several routes, of which a hash of the packet chooses."""
    start = f"{HOP_LIMIT}flags.loopback = 1; reg8[0..15] = {group}; reg8[16..31] = "
    fields = set.intersection(*(set(route.fields) for route in routes))
    if not fields & PORTS:
        yield Flow(ROUTING, priority, match, start + chosen(len(routes), fields))
    else:
        yield Flow(ROUTING, priority, match, start + chosen(len(routes), fields - PORTS | {"ip_proto"}))
        for protocol in ("tcp", "udp", "sctp"):
            own = {f"{protocol}_{field[3:]}" if field in PORTS else field for field in fields} | {"ip_proto"}
            only = f" && {protocol}" if len(routes) > 1 else ""
            yield Flow(ROUTING, priority + 1, match + only, start + chosen(len(routes), own))
    for member, route in enumerate(routes, 1):
        chosen_here = f"reg8[0..15] == {group} && reg8[16..31] == {member}"
        if not route.hop.address:
            yield Flow(ECMP, 100, chosen_here, DROP)
        else:
            to, source, is_ip4 = REGISTERS[route.hop.is_ip4]
            hop = route.hop
            symmetric = "reg9[10] = 1; " if route.symmetric else ""
            actions = (
                f"{to} = {hop.address}; {source} = {hop.source}; eth.src = {hop.mac}; outport = {hop.port}; "
                f"reg9[9] = {is_ip4}; {symmetric}{NEXT}"
            )
            yield Flow(ECMP, 100, chosen_here, actions)


def chosen(count: int, fields: set[str]) -> str:
    """The choice among members, by a hash of these fields, or of what the switch likes."""
    if count == 1:
        return f"1; {NEXT}"
    members = ", ".join(str(number) for number in range(1, count + 1))
    if fields:
        return f'select(values=({members}); hash_fields="{",".join(sorted(fields))}");'
    return f"select({members});"
