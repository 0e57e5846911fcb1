"""Who depends on gateways that several chassis can serve: `HA_Chassis_Group.ref_chassis`.

    Port_Binding ─► PRESENT ─► HOSTS          which chassis have guests of a switch
    gateway ports ─► REDUNDANT ─┐
    routers, switches ──────────┴► COMPONENT  everything that packets can get to from a gateway port
    COMPONENT, HOSTS ─► REFERRING             the chassis with guests in it

Controllers run BFD between the members of a group and these chassis, which have to know which member is alive.
"""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.model.router_binding import ha_members
from pyovn.northd.relations import (
    ATTACHED,
    COMPONENT,
    CONNECTED,
    HOSTS,
    PRESENT,
    PROBLEMS,
    REDUNDANT,
    REFERRING,
    ROUTER_OF,
    ROUTER_PORT,
    ROUTER_PORTS,
)
from pyovn.tables.nb import LogicalRouter, LogicalRouterPort, NBGlobal
from pyovn.tables.sb import Chassis, DatapathBinding

Outputs = tuple[object, ...]


@family(over=PRESENT, emits=[HOSTS])
def hosts(db: Reader, place: tuple[Uuid, Uuid]) -> Outputs:
    """The chassis with guests of a switch, each once."""
    datapath, chassis = place
    switch = (db.column(DatapathBinding, datapath, "external_ids") or {}).get("logical-switch")
    return (((Uuid(switch), chassis),) if switch else (),)


@family(over=LogicalRouterPort, emits=[REDUNDANT, PROBLEMS])
def redundant_gateways(db: Reader, uuid: Uuid) -> Outputs:
    """A gateway port that several chassis can serve, and those of them that nobody has heard of."""
    row = db.row(LogicalRouterPort, uuid)
    if row is None or not (row.gateway_chassis or row.ha_chassis_group):
        return (), ()
    groups = ha_members(db, row)
    unknown = sorted(name for _, members in groups for name, _ in members if not db.find(Chassis, "name", name))
    problems = [
        (uuid, f"logical router port {row.name}: gateway chassis '{name}' is not registered") for name in unknown
    ]
    routers = db.look(ROUTER_OF, uuid)[:1]
    several = [name for name, members in groups if len(members) > 1]
    return tuple(("", (router, name)) for router in routers for name in several), tuple(problems)


@family(over=LogicalRouter, emits=[PROBLEMS])
def gateway_routers(db: Reader, uuid: Uuid) -> Outputs:
    """A router that is to be on a chassis that nobody has heard of."""
    name = (db.column(LogicalRouter, uuid, "options") or {}).get("chassis")
    if not name or db.find(Chassis, "name", name):
        return ((),)
    router = db.column(LogicalRouter, uuid, "name")
    return (((uuid, f"logical router {router}: chassis '{name}' is not registered"),),)


@family(over=NBGlobal, emits=[COMPONENT, CONNECTED])
def components(db: Reader, uuid: Uuid) -> Outputs:
    """The connected parts of the network that have such ports: their groups and their switches."""
    groups: list[tuple[Uuid, str]] = []
    switches: list[tuple[Uuid, Uuid]] = []
    part: dict[Uuid, Uuid] = {}
    for router, name in db.look(REDUNDANT, ""):
        if router not in part:
            reached, found = reach(db, router)
            part.update(dict.fromkeys(reached, router))
            switches += ((router, switch) for switch in found)
        groups.append((part[router], name))
    return tuple(groups), tuple(switches)


def reach(db: Reader, start: Uuid) -> tuple[set[Uuid], list[Uuid]]:
    """The routers and the switches that packets can get to from a router."""
    routers, switches, frontier = {start}, dict[Uuid, None](), [start]
    while frontier:
        for port in db.look(ROUTER_PORTS, frontier.pop()) or ():
            beyond = [port.peer] if port.peer is not None else []
            if port.link is not None and port.link.switch not in switches:
                switches[port.link.switch] = None
                beyond += (uuid for uuid, _ in db.look(ATTACHED, port.link.switch))
            for each in beyond:
                there = db.look(ROUTER_PORT, each)
                if there is not None and there.router not in routers:
                    routers.add(there.router)
                    frontier.append(there.router)
    return routers, list(switches)


@family(over=COMPONENT, emits=[REFERRING])
def referring(db: Reader, part: Uuid) -> Outputs:
    """The chassis with guests in a connected part, for each of its groups."""
    groups = db.look(COMPONENT, part)
    chassis = frozenset(each for switch in db.look(CONNECTED, part) for each in db.look(HOSTS, switch))
    return (tuple((name, chassis) for name in sorted(set(groups))),)


REDUNDANCY_FAMILIES: tuple[Family, ...] = (hosts, redundant_gateways, gateway_routers, components, referring)
