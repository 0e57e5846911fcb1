"""The families of load balancers: which switches each is on → flows and southbound rows.

A load balancer is on the switches that list it, and on those that list a group with it; the two ways are kept apart,
so that a group with thousands of load balancers on hundreds of switches is not multiplied out.
"""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.families.monitors import alive
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.balancer import balancer
from pyovn.northd.model.switch import Switch
from pyovn.northd.relations import (
    BALANCER_IN,
    BALANCER_ON,
    BALANCERS,
    BALANCES,
    FLOWS,
    GROUP_ON,
    PROBLEMS,
    SWITCH,
    WantedBalancer,
)
from pyovn.northd.rules import RULES
from pyovn.tables.nb import LoadBalancer, LoadBalancerGroup, LogicalSwitch

Outputs = tuple[object, ...]


@family(over=LogicalSwitch, emits=[BALANCER_ON, GROUP_ON])
def balanced_switches(db: Reader, uuid: Uuid) -> Outputs:
    """The load balancers and their groups that a switch lists."""
    listed, grouped = (db.column(LogicalSwitch, uuid, name) or () for name in ("load_balancer", "load_balancer_group"))
    return tuple((each, uuid) for each in sorted(listed)), tuple((each, uuid) for each in sorted(grouped))


@family(over=LoadBalancerGroup, emits=[BALANCER_IN])
def balancer_groups(db: Reader, uuid: Uuid) -> Outputs:
    """The load balancers in a group."""
    members = db.column(LoadBalancerGroup, uuid, "load_balancer") or ()
    return (tuple((each, uuid) for each in sorted(members)),)


@family(over=LoadBalancer, emits=[BALANCES])
def balancing(db: Reader, uuid: Uuid) -> Outputs:
    """What is balanced because of a load balancer: switches that list it, and groups that it is in."""
    if not db.column(LoadBalancer, uuid, "vips"):
        return ((),)
    return (tuple((each, True) for each in (*db.look(BALANCER_ON, uuid), *db.look(BALANCER_IN, uuid))),)


def is_balanced(db: Reader, uuid: Uuid) -> bool:
    """Does a switch have load balancers with anything to balance?"""
    if db.look(BALANCES, uuid):
        return True
    return any(db.look(BALANCES, group) for group in db.column(LogicalSwitch, uuid, "load_balancer_group") or ())


def sites(db: Reader, uuid: Uuid) -> list[Uuid]:
    """The switches that a load balancer is on."""
    grouped = (switch for group in db.look(BALANCER_IN, uuid) for switch in db.look(GROUP_ON, group))
    return sorted({*db.look(BALANCER_ON, uuid), *grouped})


@family(over=LoadBalancer, emits=[FLOWS, BALANCERS, PROBLEMS])
def balancers(db: Reader, uuid: Uuid) -> Outputs:
    """A load balancer on each of its switches; on those that look alike its flows are the same."""
    row = db.row(LoadBalancer, uuid)
    on = sites(db, uuid)
    if row is None or not on:
        return (), None, ()
    view, wrong = balancer(row)
    if row.health_check:
        view = view._replace(vips=tuple(alive(db, row, vip, view.protocol) for vip in view.vips))
    listed = db.look(BALANCER_ON, uuid)
    made: dict[Switch, Provenance] = {}
    flows: Provenance = ()
    for datapath in on:
        switch = db.look(SWITCH, datapath)
        if switch is None:
            continue
        if datapath not in listed:  # only what a switch lists itself is balanced without tracking
            switch = switch._replace(balances_untracked=False)
        if switch not in made:
            place = Place(datapath, uuid[:8], switch.settings.drop)
            made[switch] = tuple(each for vip in view.vips for each in RULES.balancer.apply(place, switch, view, vip))
        flows += tuple((origin._replace(datapath=datapath), given) for origin, given in made[switch])
    wanted = WantedBalancer(row.name, row.vips, row.protocol, row.options, frozenset(on), frozenset())
    return flows, wanted, tuple((uuid, text) for text in wrong)


BALANCER_SITES: tuple[Family, ...] = (balanced_switches, balancer_groups, balancing)
BALANCER_FAMILIES: tuple[Family, ...] = (balancers,)
