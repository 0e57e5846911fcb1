"""The families of dynamic routing that say what routers tell the world outside.

router ports, translations, virtual addresses ─┐
static routes, switch ports ───────────────────┴► TOLD ─► ADVERTISED     → Advertised_Route
"""

from collections.abc import Iterable, Iterator

from pyovn.incr.engine import Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.families.routers import next_door
from pyovn.northd.model.balancer import NOWHERE
from pyovn.northd.model.dynamic import AS_HOST, CONNECTED, LB, NAT
from pyovn.northd.model.networks import Network
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.virtual import virtual_of
from pyovn.northd.relations import (
    ADVERTISED,
    ATTACHED,
    NAT_FACTS,
    ROUTER,
    ROUTER_PORT,
    TOLD,
)
from pyovn.tables.nb import LogicalRouterPort

Outputs = tuple[object, ...]
#: a prefix, the port to track for it, and whether that is a neighbour's
Told = tuple[str, str, bool]


@family(over=LogicalRouterPort, emits=[TOLD])
def told_routes(db: Reader, uuid: Uuid) -> Outputs:
    """What a port tells of itself, of its router and of those next to it."""
    port = db.look(ROUTER_PORT, uuid)
    if port is None or not port.redistributes:
        return ((),)
    around = list(next_to(db, port))
    found: list[Told] = []
    if AS_HOST in port.redistributes:
        found += [(address, at.label, at.uuid != port.uuid) for at in visible(db, port) for address in addresses_of(at)]
    elif CONNECTED in port.redistributes:
        found += [(network.network if network.is_host else network.prefix, "", False) for network in subnets_of(port)]
    if NAT in port.redistributes:
        found += translated(db, [port.router, *(other.router for other in around)])
    if LB in port.redistributes:
        found += balanced(db, port.router, tracked_of(db, port.router), theirs=False)
        found += [each for other in around for each in balanced(db, other.router, [other.label], theirs=True)]
    return (tuple(((port.router, port.label, prefix), (tracked, theirs)) for prefix, tracked, theirs in found),)


def next_to(db: Reader, port: RouterPort) -> Iterator[RouterPort]:
    """The ports of other routers on the same switch, and the one that a port is connected to."""
    peer = None if port.peer is None else db.look(ROUTER_PORT, port.peer)
    if peer is not None:
        yield peer
    yield from (other for _, other in next_door(db, port))


def visible(db: Reader, port: RouterPort) -> Iterator[RouterPort]:
    """The router ports that can be seen on the switch of a port, itself among them, or the one at its other end."""
    if port.link is None:
        yield from next_to(db, port)
        return
    views = (db.look(ROUTER_PORT, each) for each, _ in db.look(ATTACHED, port.link.switch))
    yield from (each for each in views if each is not None)


def subnets_of(port: RouterPort) -> list[Network]:
    """The networks of a port, but for those that are on every link."""
    return [each for _, each in port.networks() if not each.is_link_local]


def addresses_of(port: RouterPort) -> list[str]:
    """The addresses of a port, likewise."""
    return [each.address for each in subnets_of(port)]


def translated(db: Reader, routers: Iterable[Uuid]) -> list[Told]:
    """The outside addresses of routers, each with the port that brings packets to where it is translated."""
    return [
        (nat.external, nat.nearest, False) for router in dict.fromkeys(routers) for nat in db.look(NAT_FACTS, router)
    ]


def balanced(db: Reader, router: Uuid, tracked: list[str], *, theirs: bool) -> list[Told]:
    """The virtual addresses of a router."""
    found = (each.address for each in virtual_of(db, router) if each.value != NOWHERE)
    return [(address, port, theirs) for address in found for port in tracked]


def tracked_of(db: Reader, uuid: Uuid) -> list[str]:
    """The ports to track for a router's own virtual addresses: its gateways; a gateway router is in one place."""
    router = db.look(ROUTER, uuid)
    if router is None:
        return []
    return [""] if router.chassis else list(router.gateways)


@family(over=TOLD, emits=[ADVERTISED])
def advertised(db: Reader, key: tuple[Uuid, str, str]) -> Outputs:
    """The rows about a prefix: an address that a neighbour is known to have needs none without it."""
    router, label, prefix = key
    known = db.look(TOLD, key)
    theirs = any(each for _, each in known)
    ports = dict.fromkeys(tracked for tracked, _ in known if tracked or not theirs)
    return (tuple(((label, prefix, tracked), router) for tracked in ports),)
