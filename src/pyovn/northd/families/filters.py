"""The families of ACLs and of what they refer to: port groups, address sets, meters.

An ACL is on the switches that list it, and on those that have a port in a group that lists it.
"""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model import acl as acls
from pyovn.northd.model.meter import WantedMeter, wanted_meter
from pyovn.northd.model.port import Port
from pyovn.northd.model.switch import Switch
from pyovn.northd.relations import (
    ACL_KINDS,
    ACL_NUMBERS,
    ACL_ON,
    ADDRESS_SETS,
    FLOWS,
    GROUP_ADDRESSES,
    GROUP_REACHES,
    MEMBER_OF,
    METERS,
    OWN_METER,
    OWNER,
    PERSISTING,
    PORT_GROUPS,
    PROBLEMS,
    SWITCH,
)
from pyovn.northd.rules import RULES
from pyovn.tables.nb import ACL, AddressSet, LogicalSwitch, LogicalSwitchPort, Meter, MeterBand, PortGroup
from pyovn.tables.sb import ACLID

Outputs = tuple[object, ...]


@family(over=PortGroup, emits=[MEMBER_OF])
def group_members(db: Reader, uuid: Uuid) -> Outputs:
    """Who is in a port group; clouds have groups with every port there is."""
    return (db.column(PortGroup, uuid, "ports") or frozenset(),)


@family(over=MEMBER_OF, emits=[PORT_GROUPS, GROUP_REACHES, GROUP_ADDRESSES])
def grouped_ports(db: Reader, uuid: Uuid) -> Outputs:
    """What a port contributes to the groups that it is in: its switch, its name, its addresses."""
    row = db.row(LogicalSwitchPort, uuid)
    groups = db.look(MEMBER_OF, uuid)
    if row is None:
        return (), (), ()
    db.column(LogicalSwitchPort, uuid, "dynamic_addresses")  # of the addresses below, and quiet
    names = [db.column(PortGroup, group, "name") for group in groups]
    switches = db.look(OWNER, uuid)[:1]
    addresses = Port(row).addresses
    found = {("ip4", ip) for each in addresses for ip in each.ip4}
    found.update(("ip6", ip.address) for each in addresses for ip in each.ip6)
    return (
        tuple(((name, switch), row.name) for name in names for switch in switches),
        tuple((group, switch) for group in groups for switch in switches),
        tuple((f"{name}_{ip}", address) for name in names for ip, address in sorted(found)),
    )


@family(over=LogicalSwitch, emits=[ACL_ON])
def filtered_switches(db: Reader, uuid: Uuid) -> Outputs:
    """The ACLs that a switch lists."""
    return (tuple((acl, uuid) for acl in sorted(db.column(LogicalSwitch, uuid, "acls") or ())),)


@family(over=PortGroup, emits=[ACL_ON])
def filtered_groups(db: Reader, uuid: Uuid) -> Outputs:
    """The ACLs of a port group are on every switch that it reaches."""
    filters = db.column(PortGroup, uuid, "acls")
    if not filters:
        return ((),)
    reached = db.look(GROUP_REACHES, uuid)
    return (tuple((acl, switch) for acl in sorted(filters) for switch in reached),)


@family(over=ACL_ON, emits=[ACL_KINDS])
def kinds_of_acls(db: Reader, uuid: Uuid) -> Outputs:
    """What a switch needs to know about an ACL."""
    row = db.row(ACL, uuid)
    if row is None:
        return ((),)
    kind = acls.kind(row)
    return (tuple((switch, kind) for switch in db.look(ACL_ON, uuid)),)


@family(over=ACL, emits=[PERSISTING])
def persisting(db: Reader, uuid: Uuid) -> Outputs:
    """The ACLs whose connections outlive changes, wherever they are."""
    row = db.row(ACL, uuid)
    return ((("", uuid),) if row is not None and acls.persists(row) else (),)


@family(over=PERSISTING, emits=[ACL_NUMBERS])
def acl_numbers(db: Reader, key: str) -> Outputs:
    """A number for each ACL whose connections carry one: the one it has, or the smallest that is free."""
    wanted = db.look(PERSISTING, key)
    known = {uuid: row.id for uuid in wanted if (row := db.row(ACLID, uuid))}
    taken = frozenset(known.values())
    free = (each for each in range(1, acls.MOST_NUMBERS + 1) if each not in taken)
    chosen = ((uuid, known[uuid] if uuid in known else next(free, 0)) for uuid in wanted)
    return (tuple((uuid, number) for uuid, number in chosen if number),)


@family(over=Meter, emits=[METERS])
def meters(db: Reader, uuid: Uuid) -> Outputs:
    """Meters go through as they are."""
    row = db.row(Meter, uuid)
    assert row is not None
    return (((row.name, limit(db, row)),),)


@family(over=ACL, emits=[OWN_METER, METERS])
def copied_meters(db: Reader, uuid: Uuid) -> Outputs:
    """An ACL that logs has a copy of a meter that is fair to all who share it."""
    row = db.row(ACL, uuid)
    shared = db.where(Meter, "name", row.meter)[:1] if row is not None and row.log and row.meter else []
    if row is None or not shared or not shared[0].fair:
        return None, ()
    name = f"{shared[0].name}__{uuid}"
    return name, ((name, limit(db, shared[0])),)


def limit(db: Reader, meter: Meter) -> WantedMeter:
    """What a meter says."""
    return wanted_meter(meter, [db.row(MeterBand, each) for each in sorted(meter.bands)])


@family(over=ACL_ON, emits=[FLOWS, PROBLEMS])
def acl_flows(db: Reader, uuid: Uuid) -> Outputs:
    """An ACL on each of its switches; on those that look alike its flows are the same."""
    row = db.row(ACL, uuid)
    if row is None:
        return (), ()
    own = db.look(OWN_METER, uuid)
    number = db.look(ACL_NUMBERS, uuid) or 0 if acls.persists(row) else 0
    view = acls.acl(row, own or row.meter, number)
    made: dict[Switch, Provenance] = {}
    flows: Provenance = ()
    for datapath in db.look(ACL_ON, uuid):
        switch = db.look(SWITCH, datapath)
        if switch is None:
            continue
        if switch not in made:
            made[switch] = RULES.acl.apply(Place(datapath, uuid[:8], switch.spelling), switch, view)
        flows += tuple((origin._replace(datapath=datapath), given) for origin, given in made[switch])
    return flows, tuple((uuid, text) for text in acls.problems(row))


@family(over=AddressSet, emits=[ADDRESS_SETS])
def address_sets(db: Reader, uuid: Uuid) -> Outputs:
    """Address sets go through as they are."""
    row = db.row(AddressSet, uuid)
    assert row is not None
    return (((row.name, row.addresses),),)


@family(over=PortGroup, emits=[ADDRESS_SETS])
def group_sets(db: Reader, uuid: Uuid) -> Outputs:
    """A port group has an address set for each version of IP, even if nobody is in it."""
    name = db.column(PortGroup, uuid, "name")
    return (tuple((f"{name}_{ip}", frozenset()) for ip in ("ip4", "ip6")),)


FILTERING: tuple[Family, ...] = (
    address_sets,
    group_sets,
    group_members,
    grouped_ports,
    filtered_switches,
    filtered_groups,
    kinds_of_acls,
    persisting,
    acl_numbers,
    meters,
    copied_meters,
)
FILTER_FAMILIES: tuple[Family, ...] = (acl_flows,)
