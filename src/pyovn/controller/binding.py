"""Which logical ports are on this chassis, and by what right.

type              is here if                                              claimed in Port_Binding.chassis
(VIF)             an interface names it, and requested-chassis allows     yes
(container)       its parent is here                                      yes
virtual           its address was last seen behind a parent here          yes
l2gateway         options:l2gateway-chassis                               yes
l3gateway         options:l3gateway-chassis                               yes
chassisredirect   first chassis alive of its HA group                     yes
external          likewise                                                yes
mirror            the port that gets the copies is                        yes
localport         an interface names it                                   no
localnet, patch   always                                                  no
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from pyovn.controller.settings import Settings
from pyovn.controller.view import (
    ALL,
    HA,
    PATCH,
    VIF,
    Vif,
    encap_id,
    our_settings,
    own_chassis,
    serving,
)
from pyovn.incr.engine import Reader, family
from pyovn.incr.relation import Bag, Single
from pyovn.net.uuids import Uuid
from pyovn.tables.sb import PortBinding

MAIN: Final = "main"
ADDITIONAL: Final = "additional"

#: Types that tell traffic apart by conntrack zone.
ZONELESS: Final = frozenset({"patch", "mirror"})


class Binding(NamedTuple):
    """How a logical port is here."""

    type: str
    #: MAIN or ADDITIONAL where the port is claimed, "" where that is not asked for
    role: str
    #: OpenFlow port it is behind; 0: none
    ofport: int = 0
    #: behind a VLAN of its parent
    nested: bool = False
    #: its interface, or its parent's; "" for none
    interface: Uuid = Uuid("")
    #: id of the local encapsulation it asked for
    encap: int = 0
    mtu: int = 0


class PortKey(NamedTuple):
    """Where a port is in the logical network."""

    datapath: Uuid
    key: int
    uuid: Uuid


class User(NamedTuple):
    """Who needs a conntrack zone, and which one it demands (0: any)."""

    name: str
    zone: int = 0


class Edge(NamedTuple):
    """A way from one datapath into another."""

    datapath: Uuid


class Localnet(NamedTuple):
    """A port into a physical network."""

    key: int
    uuid: Uuid
    name: str
    network: str


class Member(NamedTuple):
    """What a multicast group needs to know about a port."""

    datapath: Uuid
    key: int
    #: "local" (here, behind an interface or a wire), "patch", "localport", or "" for none of these
    kind: str
    name: str
    #: the other chassis that it is on
    chassis: tuple[Uuid, ...]


class Multichassis(NamedTuple):
    """A port that is on several chassis."""

    key: int
    uuid: Uuid
    name: str


BINDING: Final = Single[Uuid, Binding]("bindings")
#: Datapaths that are local because of a port.
SEEDS: Final = Bag[str, Uuid]("datapaths of local ports")
EDGES: Final = Bag[Uuid, Edge]("patches by datapath")
USERS: Final = Bag[str, User]("users of zones")
PORT: Final = Bag[str, PortKey]("ports by name")
LOCAL_PORT: Final = Bag[str, Uuid]("local ports by name")
LOCALNETS: Final = Bag[Uuid, Localnet]("localnet ports by datapath")
MULTICHASSIS: Final = Bag[Uuid, Multichassis]("multichassis ports by datapath")
MEMBER: Final = Single[Uuid, Member]("ports as members of multicast groups")
RESIDENT: Final = Bag[str, bool]("resident ports by name")
#: Claimed ports whose interface wants to hear when they work: name → interface.
WAITING: Final = Bag[str, tuple[str, Uuid]]("claimed ports")
MIRRORED: Final = Bag[str, tuple[Uuid, Uuid]]("mirrors of claimed ports, with their interfaces")
Pairs = tuple[tuple[str, User], ...]


def may_bind(db: Reader, row: PortBinding, chassis: Uuid | None) -> str | None:
    """The role in which requested-chassis lets us bind a port, or None."""
    if chassis is not None:
        if row.requested_chassis == chassis:
            return MAIN
        if chassis in row.requested_additional_chassis:
            return ADDITIONAL
    return None if row.options.get("requested-chassis") else MAIN


def _plugged(db: Reader, name: str) -> Vif | None:
    """The interface that names a port; of several, the one with the lowest number."""
    vifs = db.look(VIF, name)
    return vifs[0] if vifs else None


def _vif(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    if row.parent_port:
        return _container(db, ours, row, row.parent_port)
    vif = _plugged(db, row.logical_port)
    if vif is None or row.options.get("iface-id-ver", vif.version) != vif.version:
        return None
    role = may_bind(db, row, own_chassis(db))
    return None if role is None else _behind(ours, "", role, vif)


def _container(db: Reader, ours: Settings, row: PortBinding, parent: str) -> Binding | None:
    vif = _plugged(db, parent)
    parents = db.where(PortBinding, "logical_port", parent) if vif is not None else []
    if vif is None or not parents or parents[0].options.get("iface-id-ver", vif.version) != vif.version:
        return None
    role = may_bind(db, parents[0], own_chassis(db))
    return None if role is None else _behind(ours, "", role, vif)._replace(nested=True)


def _behind(ours: Settings, type_: str, role: str, vif: Vif) -> Binding:
    return Binding(type_, role, vif.ofport, interface=vif.uuid, encap=encap_id(ours, vif.encap_ip), mtu=vif.mtu)


def _mirror(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    """What stands for the sink of mirrors is where the sink is; nobody waits for it."""
    for sink in db.where(PortBinding, "logical_port", row.mirror_port or ""):
        found = _vif(db, ours, sink) if sink.type == "" else None
        if found is not None and found.role == MAIN:
            return Binding("mirror", MAIN, found.ofport, nested=found.nested)
    return None


def _localport(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    vif = _plugged(db, row.logical_port)
    return None if vif is None else _behind(ours, "localport", "", vif)


def _virtual(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    if not row.virtual_parent or row.chassis is None or row.chassis != own_chassis(db):
        return None
    return None if _plugged(db, row.virtual_parent) is None else Binding("virtual", MAIN)


def _localnet(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    ofports = db.look(PATCH, row.logical_port)
    return Binding("localnet", "", ofports[0] if ofports else 0)


def _l2gateway(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    if row.options.get("l2gateway-chassis") != ours.chassis:
        return None
    ofports = db.look(PATCH, row.logical_port)
    return Binding("l2gateway", MAIN, ofports[0] if ofports else 0)


def _l3gateway(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    return Binding("l3gateway", MAIN) if row.options.get("l3gateway-chassis") == ours.chassis else None


def _patch(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    return Binding("patch", "")


def _elected(db: Reader, ours: Settings, row: PortBinding) -> Binding | None:
    group = db.look(HA, row.ha_chassis_group) if row.ha_chassis_group else None
    if group is None or serving(db, ours, group) != ours.chassis:
        return None
    return Binding(row.type, MAIN)


RULES: Final[dict[str, Callable[[Reader, Settings, PortBinding], Binding | None]]] = {
    "": _vif,
    "mirror": _mirror,
    "localport": _localport,
    "virtual": _virtual,
    "localnet": _localnet,
    "l2gateway": _l2gateway,
    "l3gateway": _l3gateway,
    "patch": _patch,
    "chassisredirect": _elected,
    "external": _elected,
}

#: Types that make their datapath local when they are bound.
ANCHORS: Final = frozenset({"", "mirror", "virtual", "l2gateway", "l3gateway"})
#: Types whose possible servers all hold the datapath, not only the active one.
STANDBY: Final = frozenset({"chassisredirect", "external"})


@family(over=PortBinding, emits=[BINDING, SEEDS, USERS, LOCAL_PORT, WAITING, MIRRORED])
def binding(
    db: Reader, uuid: Uuid
) -> tuple[
    Binding | None,
    tuple[tuple[str, Uuid], ...],
    Pairs,
    tuple[tuple[str, Uuid], ...],
    tuple[tuple[str, tuple[str, Uuid]], ...],
    tuple[tuple[str, tuple[Uuid, Uuid]], ...],
]:
    """Whether and how a port is here."""
    row = db.row(PortBinding, uuid)
    assert row is not None
    ours = our_settings(db)
    rule = RULES.get(row.type)
    if ours is None or rule is None:
        return None, (), (), (), (), ()
    found = rule(db, ours, row)
    standby = row.type in STANDBY and _is_member(db, ours, row)
    seeds = ((ALL, row.datapath),) if standby or (found is not None and row.type in ANCHORS) else ()
    if found is None:
        return None, seeds, (), ((row.logical_port, uuid),) if standby else (), (), ()
    with_zone = row.type not in ZONELESS and row.type != "localnet"
    users = ((ALL, User(row.logical_port)),) if with_zone else ()
    its_own = found.interface and found.role and not found.nested
    waiting = ((ALL, (row.logical_port, found.interface)),) if its_own else ()
    mirrored = tuple((ALL, (each, found.interface)) for each in sorted(row.mirror_rules)) if its_own else ()
    return found, seeds, users, ((row.logical_port, uuid),), waiting, mirrored


def _is_member(db: Reader, ours: Settings, row: PortBinding) -> bool:
    group = db.look(HA, row.ha_chassis_group) if row.ha_chassis_group else None
    return group is not None and ours.chassis in group.members


Known = tuple[
    tuple[tuple[str, PortKey], ...],
    tuple[tuple[str, bool], ...],
    tuple[tuple[Uuid, Edge], ...],
    tuple[tuple[Uuid, Localnet], ...],
    tuple[tuple[Uuid, Multichassis], ...],
    Member,
]


@family(over=PortBinding, emits=[PORT, RESIDENT, EDGES, LOCALNETS, MULTICHASSIS, MEMBER])
def known_port(db: Reader, uuid: Uuid) -> Known:
    """What others need to know about a port.  One unit for all of it: there are as many as there are ports."""
    row = db.row(PortBinding, uuid)
    assert row is not None
    names = ((row.logical_port, PortKey(row.datapath, row.tunnel_key, uuid)),)
    here = ((row.logical_port, True),) if _is_resident(db, row) else ()
    localnets: tuple[tuple[Uuid, Localnet], ...] = ()
    if row.type == "localnet":
        network = row.options.get("network_name", "")
        localnets = ((row.datapath, Localnet(row.tunnel_key, uuid, row.logical_port, network)),)
    several = ((row.datapath, Multichassis(row.tunnel_key, uuid, row.logical_port)),) if row.additional_chassis else ()
    return names, here, _edges(db, row), localnets, several, _member(db, row)


#: Types of which no copy goes to another chassis.
_EVERYWHERE: Final = frozenset({"patch", "localport", "localnet", "mirror"})
#: Types that get no copies themselves.
_ELSEWHERE: Final = frozenset({"chassisredirect", "external", "virtual", "mirror"})


def _member(db: Reader, row: PortBinding) -> Member:
    places: list[Uuid] = []
    if row.type not in _EVERYWHERE and (row.chassis is not None or row.additional_chassis):
        own = own_chassis(db)
        everywhere = (row.chassis, *sorted(row.additional_chassis))
        places = [each for each in everywhere if each is not None and each != own]
    return Member(row.datapath, row.tunnel_key, _member_kind(db, row), row.logical_port, tuple(places))


def _member_kind(db: Reader, row: PortBinding) -> str:
    if row.type in ("patch", "localport"):
        return row.type
    here = db.look(BINDING, row.uuid) if row.type not in _ELSEWHERE else None
    return "local" if here is not None and (row.type != "localnet" or here.ofport) else ""


def _is_resident(db: Reader, row: PortBinding) -> bool:
    """Whether `is_chassis_resident` says yes."""
    if row.type == "chassisredirect":
        return db.look(BINDING, row.uuid) is not None
    return row.chassis is not None and row.chassis == own_chassis(db)


def _edges(db: Reader, row: PortBinding) -> tuple[tuple[Uuid, Edge], ...]:
    """Where packets can go through a patch."""
    peer = row.options.get("peer")
    if not peer or row.type not in ("patch", "l3gateway") or db.look(BINDING, row.uuid) is None:
        return ()
    if not _leads_on(db, row):
        return ()
    there = db.find(PortBinding, "logical_port", peer)
    datapath = db.column(PortBinding, there[0], "datapath") if there else None
    return ((row.datapath, Edge(datapath)),) if datapath else ()


def _leads_on(db: Reader, row: PortBinding) -> bool:
    """False for a distributed gateway port that sends everything to a chassis which is not us."""
    redirect = row.options.get("chassis-redirect-port")
    gateways = db.where(PortBinding, "logical_port", redirect) if redirect else []
    if not gateways or gateways[0].options.get("always-redirect") != "true":
        return True
    ours = our_settings(db)
    return ours is not None and _is_member(db, ours, gateways[0])
