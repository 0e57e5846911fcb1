"""The rows this chassis keeps: every wish as edits, by the row that gives rise to them.

    Open_vSwitch ─► SWITCH_EDITS    bridge, tunnels, patch ports          (local switch)
    Interface    ─► IFACE_EDITS     ovn-installed, BFD
    Host         ─► CHASSIS_EDITS   Chassis, Chassis_Private, Encap       (southbound)
    Port_Binding ─► PORT_EDITS      chassis, encap, up

A wish stays until the database shows it fulfilled; `core` decides when to act on it.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from pyovn.controller import bridge as bridges
from pyovn.controller import chassis as registration
from pyovn.controller.binding import ADDITIONAL, BINDING, MAIN, MIRRORED, PORT, Binding
from pyovn.controller.edits import Edit, Put, Take, Update, map_edits
from pyovn.controller.local import HOST, Host, Installed, Ready, installed_id
from pyovn.controller.mirrors import TUNNELS, WantedMirror, mirror_edits, ours
from pyovn.controller.patches import patch_edits
from pyovn.controller.physical.tunnels import TYPES
from pyovn.controller.portflows import PATCHES
from pyovn.controller.settings import Settings
from pyovn.controller.tunnels import CHASSIS_ID, WantedTunnel, chassis_index, parse_id, tunnel_edits
from pyovn.controller.view import (
    ALL,
    ATTACHED,
    HA,
    HA_GROUPS,
    MIRROR_END,
    PEER,
    PEERS,
    VIF,
    global_options,
    our_settings,
    own_chassis,
)
from pyovn.incr.engine import Reader, family
from pyovn.incr.relation import Single
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row
from pyovn.tables import vswitch
from pyovn.tables.sb import Chassis, ChassisPrivate, Encap, Mirror, PortBinding
from pyovn.tables.vswitch import Bridge, Interface, OpenvSwitch, Port

Edits = tuple[Edit, ...] | None
R = TypeVar("R", bound=Row)

SWITCH_EDITS: Final = Single[Uuid, tuple[Edit, ...]]("wishes for the switch")
IFACE_EDITS: Final = Single[Uuid, tuple[Edit, ...]]("wishes for interfaces")
CHASSIS_EDITS: Final = Single[Uuid, tuple[Edit, ...]]("wishes for the chassis")
PORT_EDITS: Final = Single[Uuid, tuple[Edit, ...]]("wishes for ports")

INSTALLED: Final = "ovn-installed"
INSTALLED_AT: Final = "ovn-installed-ts"
#: SB_Global.options that set BFD's timers, and what the switch calls them.
BFD_OPTIONS: Final = {
    "bfd-min-rx": "min_rx",
    "bfd-min-tx": "min_tx",
    "bfd-decay-min-rx": "decay_min_rx",
    "bfd-mult": "mult",
}


def some(edits: Iterable[Edit]) -> Edits:
    """The edits, or None for none, so that relations list only rows that want something."""
    return tuple(edits) or None


@family(over=OpenvSwitch, emits=[SWITCH_EDITS])
def switch_upkeep(db: Reader, uuid: Uuid) -> tuple[Edits]:
    """The bridge and the ports on it that are ours."""
    switch, host, ours = db.row(OpenvSwitch, uuid), db.row(Host, Uuid(HOST)), our_settings(db)
    if switch is None or host is None or ours is None:
        return (None,)
    integration = _integration(db, ours)
    edits = list(bridges.bridge_edits(ours, switch, integration, host))
    if integration is not None:
        edits += _tunnel_edits(db, ours, switch, integration)
        edits += _patch_edits(db, switch, integration)
        edits += _mirror_edits(db, integration)
    return (some(edits),)


def _integration(db: Reader, ours: Settings) -> Bridge | None:
    found = db.where(Bridge, "name", ours.bridge)
    return found[0] if found else None


def _tunnel_edits(db: Reader, ours: Settings, switch: OpenvSwitch, integration: Bridge) -> Iterator[Edit]:
    wanted: list[WantedTunnel] = []
    for each in db.look(PEERS, ALL):
        there = db.look(PEER, each)
        wanted += there.tunnels if there is not None else ()
    ports = list(rows_of(db, Port, sorted(integration.ports)).values())
    pairs: list[tuple[Port, Interface | None]] = []
    for port in ports:
        own = CHASSIS_ID in port.external_ids
        interfaces = [db.row(Interface, each) for each in port.interfaces] if own else []
        pairs.append((port, interfaces[0] if interfaces else None))
    names = {port.name for port in ports}
    index = chassis_index(switch.other_config, ours.chassis)
    yield from tunnel_edits(integration, pairs, wanted, names, index)


def _patch_edits(db: Reader, switch: OpenvSwitch, integration: Bridge) -> Iterator[Edit]:
    around = {row.name: row for row in rows_of(db, Bridge, switch.bridges).values()}
    ports = rows_of(db, Port, (each for bridge in around.values() for each in bridge.ports))
    patches = db.look(PATCHES, ALL)
    yield from patch_edits(integration, around, ports, patches)


def _mirror_edits(db: Reader, integration: Bridge) -> Iterator[Edit]:
    sources: dict[Uuid, set[Uuid]] = {}
    for mirror, interface in db.look(MIRRORED, ALL):
        sources.setdefault(mirror, set()).update(place.port for place in db.look(ATTACHED, interface)[:1])
    wanted: list[WantedMirror] = []
    for uuid, ports in sources.items():
        row = db.row(Mirror, uuid)
        if row is None:
            continue
        end = (*db.look(MIRROR_END, row.sink), None)[0] if row.type == "local" else None
        if row.type in TUNNELS or end is not None:
            named = WantedMirror(row.name, row.type, row.filter, row.sink, row.index, frozenset(ports), end)
            wanted.append(named)
    mirrors = rows_of(db, vswitch.Mirror, integration.mirrors)
    ports_of = rows_of(db, Port, integration.ports)
    interfaces = rows_of(db, Interface, (each for port in ours(ports_of, ports_of) for each in port.interfaces))
    yield from mirror_edits(integration, mirrors, ports_of, interfaces, wanted)


def rows_of(db: Reader, cls: type[R], uuids: Iterable[Uuid]) -> dict[Uuid, R]:
    """The rows among these that there are."""
    return {each: row for each in uuids if (row := db.row(cls, each)) is not None}


@family(over=Interface, emits=[IFACE_EDITS])
def interface_upkeep(db: Reader, uuid: Uuid) -> tuple[Edits]:
    """What an interface says about its logical port, or about BFD through its tunnel."""
    if not db.look(ATTACHED, uuid):
        return (None,)
    row = db.row(Interface, uuid)
    assert row is not None
    name = row.external_ids.get("iface-id")
    if name is not None:
        return (some(_installed(db, row, name)),)
    return (some(_bfd(db, row)) if row.type in TYPES else None,)


def _installed(db: Reader, row: Interface, name: str) -> Iterator[Edit]:
    done = db.row(Installed, installed_id(name))
    if done is None:
        if not _is_claimed(db, name):
            yield from map_edits(row, "external_ids", {INSTALLED: None, INSTALLED_AT: None})
    elif any(vif.uuid == row.uuid for vif in db.look(VIF, name)) and row.external_ids.get(INSTALLED) != "true":
        yield from map_edits(row, "external_ids", {INSTALLED: "true", INSTALLED_AT: str(done.since_ms)})


def _is_claimed(db: Reader, name: str) -> bool:
    return any((here := db.look(BINDING, key.uuid)) is not None and here.role for key in db.look(PORT, name))


def _bfd(db: Reader, row: Interface) -> Iterator[Edit]:
    """BFD runs on tunnels between chassis that may have to take over from each other, and those who depend on it.

    It begins when our flows are in force: before that nothing should be sent to us.
    """
    ours = our_settings(db)
    places = db.look(ATTACHED, row.uuid)
    ids = db.column(Port, places[0].port, "external_ids") or {}
    if ours is None or CHASSIS_ID not in ids:
        return
    there = parse_id(ids[CHASSIS_ID])[0]
    wanted: dict[str, str] = {}
    if there in _watched(db, ours):
        if row.bfd.get("enable") != "true" and not db.uuids(Ready):
            return
        options = global_options(db)
        timers = {name: options[key] for key, name in BFD_OPTIONS.items() if key in options}
        wanted = {"enable": "true", "check_tnl_key": "true", **timers}
    elif row.bfd.get("enable") == "true":
        wanted = {"enable": "false"}
    else:
        return
    if row.bfd != wanted:
        yield Update(row, {"bfd": wanted})


def _watched(db: Reader, ours: Settings) -> set[str]:
    """The chassis we must know alive."""
    watched: set[str] = set()
    for each in db.look(HA_GROUPS, ALL):
        group = db.look(HA, each)
        if group is None or len(group.members) < 2:
            continue
        if ours.chassis in group.members:
            watched.update(group.members, group.referenced)
        elif ours.chassis in group.referenced:
            watched.update(group.members)
    return watched - {ours.chassis}


@family(over=Host, emits=[CHASSIS_EDITS])
def chassis_upkeep(db: Reader, uuid: Uuid) -> tuple[Edits]:
    """Our registration."""
    ours, host = our_settings(db), db.row(Host, uuid)
    switches = db.table(OpenvSwitch)
    if ours is None or host is None or not switches or not ours.complete:
        return (None,)
    rows = db.where(Chassis, "name", ours.chassis)
    private = db.where(ChassisPrivate, "name", ours.chassis)
    encaps = {encap.uuid: encap for encap in db.where(Encap, "chassis_name", ours.chassis)}
    kind = bridges.datapath_type(ours, _integration(db, ours))
    config = registration.other_config(ours, kind, switches[0].iface_types, sorted(host.features))
    wishes = registration.registration(ours, rows[0] if rows else None, private[0] if private else None, encaps, config)
    return (some(wishes),)


@family(over=PortBinding, emits=[PORT_EDITS])
def port_upkeep(db: Reader, uuid: Uuid) -> tuple[Edits]:
    """Our claim to a port, or its end."""
    row = db.row(PortBinding, uuid)
    own, ours = own_chassis(db), our_settings(db)
    if row is None or own is None or ours is None:
        return (None,)
    here = db.look(BINDING, uuid)
    role = here.role if here is not None else ""
    encap = _own_encap(db, ours, here) if here is not None and here.encap else None
    edits = [*_as_main(db, row, own, role, encap), *_as_additional(row, own, role, encap)]
    return (some(edits),)


def _own_encap(db: Reader, ours: Settings, here: Binding) -> Uuid | None:
    ip = ours.encap_ips[here.encap]
    rows = [encap for encap in db.where(Encap, "chassis_name", ours.chassis) if encap.ip == ip]
    best = max(rows, key=lambda encap: TYPES[encap.type], default=None)
    return best.uuid if best is not None else None


def _as_main(db: Reader, row: PortBinding, own: Uuid, role: str, encap: Uuid | None) -> Iterator[Edit]:
    if role == MAIN:
        wanted: dict[str, object] = {}
        if row.chassis != own:
            wanted["chassis"] = own
        if row.encap != encap:
            wanted["encap"] = encap
        if db.column(PortBinding, row.uuid, "up") is False and _is_up(db, row):
            wanted["up"] = True
        if wanted:
            yield Update(row, wanted)
    elif row.chassis == own:
        released: dict[str, object] = {"chassis": None, "encap": None}
        if row.virtual_parent:
            released["virtual_parent"] = None
        if db.column(PortBinding, row.uuid, "up"):
            released["up"] = False
        yield Update(row, released)


def _as_additional(row: PortBinding, own: Uuid, role: str, encap: Uuid | None) -> Iterator[Edit]:
    if role == ADDITIONAL and own not in row.additional_chassis:
        yield Put(row, "additional_chassis", frozenset({own}))
        if encap is not None:
            yield Put(row, "additional_encap", frozenset({encap}))
    elif role != ADDITIONAL and own in row.additional_chassis:
        yield Take(row, "additional_chassis", frozenset({own}))


def _is_up(db: Reader, row: PortBinding) -> bool:
    """Ports with an interface are up once their flows are in force, others at once."""
    here = db.look(BINDING, row.uuid)
    return here is None or not here.interface or db.row(Installed, installed_id(row.logical_port)) is not None
