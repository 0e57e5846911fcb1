"""Local datapaths: those of ports that are here, and all that packets can reach from them through patches.

    SEEDS ─► closure over EDGES ─► LOCAL ─► DATAPATH (key, kind, name), its zones, its localnet ports

Flows are made, and southbound rows asked for, only for local datapaths.
"""

from typing import Final, NamedTuple

from pyovn.controller.binding import EDGES, LOCALNETS, SEEDS, USERS, Localnet, Pairs, User
from pyovn.controller.local import Zone
from pyovn.controller.physical.steps import Zones
from pyovn.controller.view import ALL, global_options
from pyovn.incr.engine import Reader, family
from pyovn.incr.relation import Bag, Single
from pyovn.net.uuids import Uuid
from pyovn.tables.sb import DatapathBinding, LogicalDPGroup
from pyovn.tables.vswitch import OpenvSwitch


class Datapath(NamedTuple):
    """A local logical switch or router."""

    uuid: Uuid
    key: int
    is_switch: bool
    #: empty where it has no name
    name: str
    #: forced zone for SNAT; 0: none
    snat_zone: int
    localnets: tuple[Localnet, ...]
    #: `SB_Global.options:arp_ns_explicit_output`: ARP and ND that a router makes is output explicitly
    explicit_output: bool = False

    @property
    def dnat_user(self) -> str:
        """Whose zone DNAT uses."""
        return f"{self.name}_dnat"

    @property
    def snat_user(self) -> str:
        """Whose zone SNAT uses."""
        return f"{self.name}_snat"


LOCAL: Final = Bag[Uuid, bool]("local datapaths")
DATAPATH: Final = Single[Uuid, Datapath]("local datapaths, described")
DATAPATHS: Final = Single[Uuid, tuple[Datapath, ...]]("local datapaths by datapath group")
#: datapath → its zones for DNAT and SNAT
NAT_ZONES: Final = Single[Uuid, tuple[int, int]]("zones of local datapaths")


@family(over=OpenvSwitch, emits=[LOCAL])
def locality(db: Reader, uuid: Uuid) -> tuple[tuple[tuple[Uuid, bool], ...]]:
    """All local datapaths."""
    seeds = db.look(SEEDS, ALL)
    frontier, found = list(seeds), set(seeds)
    while frontier:
        for way in db.look(EDGES, frontier.pop()):
            if way.datapath not in found:
                found.add(way.datapath)
                frontier.append(way.datapath)
    return (tuple((datapath, True) for datapath in sorted(found)),)


@family(over=LOCAL, emits=[DATAPATH, USERS])
def datapath(db: Reader, uuid: Uuid) -> tuple[Datapath | None, Pairs]:
    """One local datapath, and the zones it needs."""
    row = db.row(DatapathBinding, uuid)
    if row is None:
        return None, ()
    ids = row.external_ids
    zone = ids.get("snat-ct-zone", "")
    found = Datapath(
        uuid,
        row.tunnel_key,
        "logical-switch" in ids if row.type is None else row.type == "logical-switch",
        ids.get("name", ""),
        int(zone) if zone.isdecimal() else 0,
        db.look(LOCALNETS, uuid),
        global_options(db).get("arp_ns_explicit_output") == "true",
    )
    users = [User(found.dnat_user), User(found.snat_user, found.snat_zone)] if found.name else []
    users += (User(localnet.name) for localnet in found.localnets)
    return found, tuple((ALL, user) for user in users)


@family(over=LogicalDPGroup, emits=[DATAPATHS])
def datapath_group(db: Reader, uuid: Uuid) -> tuple[tuple[Datapath, ...]]:
    """The local ones among the datapaths of a group."""
    members = db.column(LogicalDPGroup, uuid, "datapaths") or ()
    return (tuple(found for each in sorted(members) if (found := db.look(DATAPATH, each)) is not None),)


@family(over=LOCAL, emits=[NAT_ZONES])
def datapath_zones(db: Reader, uuid: Uuid) -> tuple[tuple[int, int] | None]:
    """The zones that a local datapath was given."""
    where = db.look(DATAPATH, uuid)
    if where is None or not where.name:
        return (None,)
    return ((zone_of(db, where.dnat_user), zone_of(db, where.snat_user)),)


def zones(db: Reader, where: Datapath, port: str = "") -> Zones:
    """The zones of a port of a local datapath; without a port, those of the datapath alone."""
    return Zones(zone_of(db, port) if port else 0, *(db.look(NAT_ZONES, where.uuid) or (0, 0)))


def zone_of(db: Reader, user: str) -> int:
    """The zone of a user; 0 before it has one."""
    row = db.row(Zone, Uuid(user))
    return row.number if row is not None else 0
