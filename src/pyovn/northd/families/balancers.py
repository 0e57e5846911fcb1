"""The families of load balancers: which switches and routers each is on → flows and southbound rows.

A load balancer is on the switches and routers that list it, and on those that list a group with it; the two ways are
kept apart, so that a group with thousands of load balancers on hundreds of switches is not multiplied out.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.families.monitors import alive
from pyovn.northd.families.routers import next_door, ports_of, seen_from_switches
from pyovn.northd.feature import Datapaths, Place, Provenance
from pyovn.northd.model.balancer import ALL, NOWHERE, REACHABLE, Balancer, Vip, Virtual, answering, balancer, told
from pyovn.northd.model.router import Site
from pyovn.northd.model.router_port import RouterPort, stand_in
from pyovn.northd.model.settings import Settings
from pyovn.northd.model.switch import Switch
from pyovn.northd.model.virtual import answered, ports_near, reaches, routers_of, set_of, switches_of
from pyovn.northd.relations import (
    ADDRESS_SETS,
    ALIKE,
    ANSWERING,
    BALANCER,
    BALANCER_AT,
    BALANCER_IN,
    BALANCER_ON,
    BALANCERS,
    BALANCES,
    FLOWS,
    GROUP_AT,
    GROUP_ON,
    OUTSIDE_AT,
    PROBLEMS,
    ROUTED,
    ROUTER,
    ROUTER_KEY,
    ROUTERS_OF,
    SETTINGS,
    SITES,
    SWITCH,
    SWITCHES_OF,
    VARIABLES,
    VIRTUAL,
    VIRTUAL_AT,
    WantedBalancer,
)
from pyovn.northd.rules import RULES
from pyovn.tables.nb import ChassisTemplateVar, LoadBalancer, LoadBalancerGroup, LogicalRouter, LogicalSwitch
from pyovn.tables.sb import DatapathBinding

Outputs = tuple[object, ...]


@family(over=LogicalSwitch, emits=[BALANCER_ON, GROUP_ON])
def balanced_switches(db: Reader, uuid: Uuid) -> Outputs:
    """The load balancers and their groups that a switch lists."""
    listed, grouped = (db.column(LogicalSwitch, uuid, name) or () for name in ("load_balancer", "load_balancer_group"))
    return tuple((each, uuid) for each in sorted(listed)), tuple((each, uuid) for each in sorted(grouped))


@family(over=LogicalRouter, emits=[BALANCER_AT, GROUP_AT])
def balanced_routers(db: Reader, uuid: Uuid) -> Outputs:
    """Likewise a router."""
    if db.column(LogicalRouter, uuid, "enabled") is False:
        return (), ()
    listed, grouped = (db.column(LogicalRouter, uuid, name) or () for name in ("load_balancer", "load_balancer_group"))
    return tuple((each, uuid) for each in sorted(listed)), tuple((each, uuid) for each in sorted(grouped))


@family(over=DatapathBinding, emits=[ROUTER_KEY])
def router_keys(db: Reader, uuid: Uuid) -> Outputs:
    """The key of a router on the wire."""
    router = (db.column(DatapathBinding, uuid, "external_ids") or {}).get("logical-router")
    return (((Uuid(router), db.column(DatapathBinding, uuid, "tunnel_key")),) if router else (),)


@family(over=ChassisTemplateVar, emits=[VARIABLES])
def variables(db: Reader, uuid: Uuid) -> Outputs:
    """What templates mean on a chassis."""
    row = db.row(ChassisTemplateVar, uuid)
    return (None if row is None else {"chassis": row.chassis, "variables": row.variables},)


@family(over=LoadBalancerGroup, emits=[BALANCER_IN])
def balancer_groups(db: Reader, uuid: Uuid) -> Outputs:
    """The load balancers in a group."""
    members = db.column(LoadBalancerGroup, uuid, "load_balancer") or ()
    return (tuple((each, uuid) for each in sorted(members)),)


@family(over=LoadBalancerGroup, emits=[SWITCHES_OF, ROUTERS_OF])
def datapaths_of_groups(db: Reader, uuid: Uuid) -> Outputs:
    """The switches and the routers that list a group."""
    on, at = db.look(GROUP_ON, uuid), db.look(GROUP_AT, uuid)
    return Datapaths(on), Datapaths(at)


@family(over=LoadBalancer, emits=[BALANCES])
def balancing(db: Reader, uuid: Uuid) -> Outputs:
    """What is balanced because of a load balancer: switches and routers that list it, and groups that it is in."""
    if not db.column(LoadBalancer, uuid, "vips"):
        return ((),)
    distributed = (db.column(LoadBalancer, uuid, "options") or {}).get("distributed") == "true"
    return (tuple((each, distributed) for at in (BALANCER_ON, BALANCER_AT, BALANCER_IN) for each in db.look(at, uuid)),)


@family(over=LoadBalancer, emits=[BALANCER])
def balancer_views(db: Reader, uuid: Uuid) -> Outputs:
    """What a load balancer looks like to the rules."""
    row = db.row(LoadBalancer, uuid)
    return (None if row is None else balancer(row),)


@family(over=LoadBalancer, emits=[VIRTUAL, VIRTUAL_AT, ROUTED])
def virtual_addresses(db: Reader, uuid: Uuid) -> Outputs:
    """The virtual addresses of a load balancer, for the routers that list it and the groups that it is in."""
    holders = (*db.look(BALANCER_AT, uuid), *db.look(BALANCER_IN, uuid))
    seen = db.look(BALANCER, uuid)
    if seen is None or not holders:
        return (), (), ()
    view, _ = seen
    found = {Virtual(vip.address, vip.value, vip.ip, view.answers) for vip in view.vips}
    each = sorted(found)
    known = [it.address for it in each if view.routed and it.ip == "ip4" and it.value != NOWHERE]
    return (
        tuple((holder, virtual) for holder in holders for virtual in each),
        tuple((virtual.address, holder) for holder in holders for virtual in each),
        tuple((holder, address) for holder in holders for address in known),
    )


@family(over=VIRTUAL, emits=[ANSWERING])
def answers(db: Reader, holder: Uuid) -> Outputs:
    """The virtual addresses of a router or a group, in the order of their numbers."""
    found = db.look(VIRTUAL, holder)
    return (answering(found),)


@family(over=LogicalRouter, emits=[ADDRESS_SETS])
def sets_of_virtual_addresses(db: Reader, uuid: Uuid) -> Outputs:
    """The virtual addresses that a router answers for."""
    keys = db.look(ROUTER_KEY, uuid)[:1]
    if not keys or db.column(LogicalRouter, uuid, "enabled") is False:
        return ((),)
    found = answered(db, uuid, ports_of(db, uuid))
    return (tuple((set_of(keys[0], ip), addresses) for ip, addresses in found.items()),)


@family(over=LoadBalancer, emits=[FLOWS, BALANCERS, PROBLEMS])
def balancers(db: Reader, uuid: Uuid) -> Outputs:
    """A load balancer on each of its switches and routers; on those that look alike its flows are the same."""
    row = db.row(LoadBalancer, uuid)
    on, at = switches_of(db, uuid), routers_of(db, uuid)
    seen = db.look(BALANCER, uuid)
    if row is None or seen is None or not (on or at):
        return (), None, ()
    view, wrong = seen
    (chosen,) = db.look(SETTINGS, "")[:1] or (Settings(),)
    if chosen.tells:
        view = view._replace(tells=True)
    if row.health_check:
        view = view._replace(vips=tuple(alive(db, row, vip, view.protocol) for vip in view.vips))
    flows = (*on_switches(db, uuid, view), *on_routers(db, uuid, at, view))
    wanted = WantedBalancer(row.name, told(row), row.protocol, row.options, on, at)
    return flows, wanted, tuple((uuid, text) for text in wrong)


def on_switches(db: Reader, uuid: Uuid, view: Balancer) -> Provenance:
    """The flows of a load balancer on switches."""
    listed = db.look(BALANCER_ON, uuid)
    own = alike(listed, lambda switch: db.look(SWITCH, switch))
    grouped = (each for group in db.look(BALANCER_IN, uuid) for each in db.look(ALIKE, group) or ())
    untracked = frozenset(listed)  # only what a switch lists itself is balanced without tracking
    rest = ((switch, Datapaths(found - untracked) if untracked else found) for switch, found in grouped)
    flows: list[Provenance] = []
    for switch, found in (*own, *rest):
        if found:
            place = Place(found, uuid[:8], switch.spelling)
            flows += [RULES.balancer.apply(place, switch, view, vip) for vip in view.vips]
    return tuple(each for several in flows for each in several)


Look = TypeVar("Look")


def alike(datapaths: Iterable[Uuid], look: Callable[[Uuid], Look | None]) -> tuple[tuple[Look, Datapaths], ...]:
    """What datapaths look like, and those that look like that."""
    found: dict[Look, list[Uuid]] = {}
    for datapath in datapaths:
        seen = look(datapath)
        if seen is not None:
            found.setdefault(seen, []).append(datapath)
    return tuple((seen, Datapaths(several)) for seen, several in found.items())


@family(over=LoadBalancerGroup, emits=[ALIKE, SITES])
def members_alike(db: Reader, uuid: Uuid) -> Outputs:
    """The switches and routers that list a group, by what they look like to its load balancers."""

    def tracked(switch: Uuid) -> Switch | None:
        seen = db.look(SWITCH, switch)
        return None if seen is None else seen._replace(balances_untracked=False)

    on, at = db.look(GROUP_ON, uuid), db.look(GROUP_AT, uuid)
    return alike(on, tracked), alike(at, partial(site_of, db))


def site_of(db: Reader, uuid: Uuid) -> Site | None:
    """What a router looks like to load balancers."""
    router = db.look(ROUTER, uuid)
    return None if router is None else router.site


def on_routers(db: Reader, uuid: Uuid, at: Datapaths, view: Balancer) -> Provenance:
    """The flows of a load balancer on routers."""
    listed = db.look(BALANCER_AT, uuid)
    own = alike(listed, partial(site_of, db))
    grouped = (each for group in db.look(BALANCER_IN, uuid) for each in db.look(SITES, group) or ())
    flows: list[Provenance] = []
    for site, found in (*own, *grouped):
        place = Place(found, uuid[:8], site.spelling)
        flows += [RULES.router_balancer.apply(place, site, view, vip) for vip in view.vips]
        flows.append(RULES.whole_balancer.apply(place, view))
    for vip in view.vips:
        for datapath in db.look(OUTSIDE_AT, vip.address):
            if datapath in at and (router := db.look(ROUTER, datapath)) is not None:
                flows.append(RULES.vip_translated.apply(Place(datapath, uuid[:8], router.spelling), view, vip))
    return tuple(each for several in flows for each in several)


@family(over=LoadBalancer, emits=[FLOWS])
def virtual_links(db: Reader, uuid: Uuid) -> Outputs:
    """The virtual addresses of a load balancer on the switches around its routers."""
    at, seen = routers_of(db, uuid), db.look(BALANCER, uuid)
    if seen is None or not at:
        return ((),)
    view, _ = seen
    if view.answers == ALL or view.routed:
        ports = [port for datapath in sorted(at) for port in ports_of(db, datapath)]
    else:
        ports = ports_near(db, view.vips, at)
    flows = [around(db, uuid, port, view) for port in ports if port.link is not None]
    return (tuple(each for several in flows for each in several),)


def around(db: Reader, uuid: Uuid, port: RouterPort, view: Balancer) -> Provenance:
    """The virtual addresses on the switch that a port leads to."""
    router = db.look(ROUTER, port.router)
    if router is None:
        return ()
    flows: Provenance = ()
    for vip in view.vips:
        told = view.answers in (ALL, REACHABLE) and port.enabled and reaches(port, vip)
        for seen, link, switch in seen_from_switches(db, port) if told else ():
            place = Place(link.switch, uuid[:8], switch.spelling)
            flows += RULES.vip_link.apply(place, switch, seen, vip, stand_in(seen, len(router.gateways)))
        if view.routed and not vip.varies and (router.chassis or port.gateway):
            flows += known_next_door(db, uuid, port, vip)
    return flows


def known_next_door(db: Reader, uuid: Uuid, port: RouterPort, vip: Vip) -> Provenance:
    """What routers on the same switch as a port know about a virtual address."""
    flows: Provenance = ()
    for router, other in next_door(db, port):
        place = Place(other.router, uuid[:8], router.spelling)
        flows += RULES.vip_route.apply(place, router, vip, other)
    return flows


BALANCER_SITES: tuple[Family, ...] = (
    balanced_switches,
    balanced_routers,
    balancer_groups,
    datapaths_of_groups,
    balancing,
    balancer_views,
    virtual_addresses,
    answers,
    router_keys,
    variables,
)
BALANCER_FAMILIES: tuple[Family, ...] = (
    sets_of_virtual_addresses,
    members_alike,
    balancers,
    virtual_links,
)
