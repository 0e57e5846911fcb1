"""The families of those who listen to multicast, as controllers heard them: IGMP_Group → groups and flows."""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.router_binding import stands_for
from pyovn.northd.relations import (
    ANY_KEY,
    ATTACHED,
    CROWDED_OUT,
    FLOWS,
    HEARD,
    HEARD_ON,
    MEMBERS,
    OWNER,
    RELAYED,
    ROUTER,
    ROUTER_FLOOD,
    ROUTER_PORT,
    SNOOPING,
    SWITCH,
    Group,
)
from pyovn.northd.rules import RULES
from pyovn.tables.nb import LogicalSwitchPort
from pyovn.tables.sb import IGMPGroup, PortBinding

Outputs = tuple[object, ...]
Members = tuple[tuple[tuple[Uuid, Group], str], ...]
MROUTERS = "mrouters"  #: the address under which controllers tell where other multicast routers are
FLOODED = ("mcast_flood", "mcast_flood_reports")  #: options of ports that get it without a group
UNROUTABLE = (0, 1, 2, 3, 15)  #: scopes of IPv6 groups that stay in their network (RFC 4291, section 2.7)


@family(over=IGMPGroup, emits=[HEARD, HEARD_ON, MEMBERS])
def heard(db: Reader, uuid: Uuid) -> Outputs:
    """Where somebody listens; ports that get all multicast need no group."""
    row = db.row(IGMPGroup, uuid)
    assert row is not None
    found: list[tuple[Uuid, str]] = []
    for binding in sorted(row.ports):
        name = db.column(PortBinding, binding, "logical_port") or ""
        for port in db.find(LogicalSwitchPort, "name", name)[:1]:
            options = db.column(LogicalSwitchPort, port, "options") or {}
            if not any(options.get(each) == "true" for each in FLOODED):
                found += [(switch, name) for switch in db.look(OWNER, port)[:1]]
    if row.address == MROUTERS:
        return (), (), tuple(((switch, ROUTER_FLOOD), name) for switch, name in found)
    if not is_multicast(row.address):
        return (), (), ()
    listed = tuple((switch, row.address) for switch, _ in found if has_flow(row.address))
    return tuple(((switch, row.address), name) for switch, name in found), listed, ()


@family(over=HEARD_ON, emits=[CROWDED_OUT])
def crowded_out(db: Reader, uuid: Uuid) -> Outputs:
    """The groups of a switch that its table (`mcast_table_size`) has no room for, by version of IP."""
    listed, snooping = db.look(HEARD_ON, uuid), db.look(SNOOPING, uuid)
    if snooping is None or len(listed) <= snooping.table_size:
        return (None,)
    by_version: dict[int, list[tuple[int, str]]] = {4: [], 6: []}
    for address in listed:
        version, value = ip_parse(address)
        by_version[version].append((value, address))
    beyond = [address for each in by_version.values() for _, address in sorted(each)[snooping.table_size :]]
    return (frozenset(beyond) or None,)


@family(over=HEARD, emits=[FLOWS, MEMBERS, RELAYED])
def groups(db: Reader, key: tuple[Uuid, str]) -> Outputs:
    """A group of a switch, with the way out of it; routers that relay multicast have one with their ports to it."""
    uuid, address = key
    switch, names = db.look(SWITCH, uuid), db.look(HEARD, key)
    if switch is None or not names:
        return (), (), ()
    flows: Provenance = ()
    if has_flow(address) and address not in (db.look(CROWDED_OUT, uuid) or ()):
        flows = RULES.heard.apply(Place(uuid, "", switch.spelling), switch, address)
    members: Members = tuple(((uuid, Group(address, ANY_KEY)), name) for name in (*names, *switch.localnets))
    relaying = []
    for attached, relays in db.look(ATTACHED, uuid) if is_routable(address) else ():
        port = db.look(ROUTER_PORT, attached)
        if relays and port is not None and port.options.get("mcast_flood") != "true":
            relaying.append(((port.router, address), stands_for(port)))
    return flows, members, tuple(relaying)


@family(over=RELAYED, emits=[FLOWS, MEMBERS])
def relayed_groups(db: Reader, key: tuple[Uuid, str]) -> Outputs:
    """A group of a router."""
    uuid, address = key
    router, names = db.look(ROUTER, uuid), db.look(RELAYED, key)
    if router is None or not names:
        return (), ()
    flows: Provenance = RULES.relayed_group.apply(Place(uuid, "", router.spelling), router, address)
    return flows, tuple(((uuid, Group(address, ANY_KEY)), name) for name in names)


def is_multicast(address: str) -> bool:
    """Is it the address of a group?  Controllers also tell other things by names."""
    try:
        version, value = ip_parse(address)
    except Malformed:
        return False
    return value >> 28 == 0xE if version == 4 else value >> 120 == 0xFF


def has_flow(address: str) -> bool:
    """Do only those who listen get it?  Groups of the link's protocols go to everybody (RFC 4541, section 2.1.2)."""
    return not address.startswith("224.0.0.") and address != "ff02::1"


def is_routable(address: str) -> bool:
    """Does a router pass the group on?"""
    version, value = ip_parse(address)
    return version == 4 or (value >> 112 & 0xF) not in UNROUTABLE


LISTENER_FAMILIES: tuple[Family, ...] = (heard, crowded_out, groups, relayed_groups)
