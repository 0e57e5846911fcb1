"""Load balancers are on what lists them, or a group with them; and the virtual addresses of a router."""

from collections.abc import Iterable

from pyovn.incr.engine import Reader
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Datapaths
from pyovn.northd.model.balancer import NOWHERE, Vip, Virtual
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.routes import networks, within
from pyovn.northd.relations import (
    ANSWERING,
    BALANCER_AT,
    BALANCER_IN,
    BALANCER_ON,
    BALANCES,
    LENGTHS,
    NEAR,
    ROUTED,
    ROUTER_PORT,
    ROUTERS_OF,
    SWITCHES_OF,
    VIRTUAL,
    VIRTUAL_AT,
)
from pyovn.tables.nb import LogicalRouter, LogicalSwitch


def is_balanced(db: Reader, of: type[LogicalSwitch] | type[LogicalRouter], uuid: Uuid) -> bool:
    """Does a switch or router have load balancers with anything to balance?"""
    if db.look(BALANCES, uuid):
        return True
    return any(db.look(BALANCES, group) for group in db.column(of, uuid, "load_balancer_group") or ())


def switches_of(db: Reader, uuid: Uuid) -> Datapaths:
    """The switches that a load balancer is on."""
    return _all_of(db.look(BALANCER_ON, uuid), (db.look(SWITCHES_OF, group) for group in db.look(BALANCER_IN, uuid)))


def routers_of(db: Reader, uuid: Uuid) -> Datapaths:
    """The routers that a load balancer is on."""
    return _all_of(db.look(BALANCER_AT, uuid), (db.look(ROUTERS_OF, group) for group in db.look(BALANCER_IN, uuid)))


def _all_of(listed: tuple[Uuid, ...], grouped: Iterable[Datapaths | None]) -> Datapaths:
    """All the datapaths; where they are those of a group, the group's own set, which may be large."""
    sets = [each for each in grouped if each]
    return sets[0] if len(sets) == 1 and not listed else Datapaths(frozenset(listed).union(*sets))


def is_distributed(db: Reader, router: Uuid) -> bool:
    """Does a router list distributed load balancers?  Those in groups do not count."""
    return True in db.look(BALANCES, router)


def virtual_of(db: Reader, router: Uuid) -> list[Virtual]:
    """The virtual addresses of a router."""
    groups = sorted(db.column(LogicalRouter, router, "load_balancer_group") or ())
    return [each for holder in (router, *groups) for each in db.look(VIRTUAL, holder)]


def routed_of(db: Reader, router: Uuid) -> tuple[str, ...]:
    """The addresses of a router that its neighbours know the way to."""
    groups = sorted(db.column(LogicalRouter, router, "load_balancer_group") or ())
    return tuple(dict.fromkeys(each for holder in (router, *groups) for each in db.look(ROUTED, holder)))


def is_virtual(db: Reader, router: Uuid, address: str) -> bool:
    """Does a router balance what is sent to an address?"""
    holders = db.look(VIRTUAL_AT, address)
    if not holders:
        return False
    groups = db.column(LogicalRouter, router, "load_balancer_group") or ()
    return any(each == router or each in groups for each in holders)


def answered(db: Reader, router: Uuid, ports: tuple[RouterPort, ...]) -> dict[str, frozenset[str]]:
    """The virtual addresses, by version of IP, that a router with these ports answers for."""
    groups = db.column(LogicalRouter, router, "load_balancer_group") or ()
    found = [each for holder in (router, *groups) if (each := db.look(ANSWERING, holder)) is not None]
    answers = {}
    for ip, version in (("ip4", 4), ("ip6", 6)):
        addresses = set().union(*(each.everywhere.get(ip, ()) for each in found))
        for network in (network for port in ports for network in networks(port, version)):
            addresses.update(address for each in found for address in network.among(each.nearby.get(ip, ())))
        if addresses:
            answers[ip] = frozenset(addresses)
    return answers


def ports_near(db: Reader, vips: Iterable[Vip], routers: Datapaths) -> list[RouterPort]:
    """The ports of routers that have one of the virtual addresses in a network of theirs."""
    found: set[Uuid] = set()
    for vip in vips:
        for length in () if vip.varies else db.look(LENGTHS, vip.ip):
            rest = (32 if vip.ip == "ip4" else 128) - length
            near = db.look(NEAR, (vip.ip, length, vip.value >> rest << rest))
            found.update(near)
    ports = (db.look(ROUTER_PORT, each) for each in sorted(found))
    return [port for port in ports if port is not None and port.router in routers]


def reaches(port: RouterPort, virtual: Vip) -> bool:
    """Is an address in a network of a port?"""
    choices = networks(port, 4 if virtual.ip == "ip4" else 6)
    return virtual.value != NOWHERE and within(choices, virtual.value) is not None


def set_of(key: int, ip: str) -> str:
    """The name of the address set with a router's virtual addresses."""
    return f"_rtr_lb_{key}_{ip}"
