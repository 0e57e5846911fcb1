"""What is around this chassis: settings, attached interfaces, tunnels, other chassis — as facts for later families.

Open_vSwitch ─► SETTINGS           Bridge, Port, Interface ─► VIF  TUNNEL  PATCH
Chassis, Encap ─► PEER             HA_Chassis_Group ─► HA
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from pyovn.controller import tunnels
from pyovn.controller.local import HOST, Host
from pyovn.controller.mirrors import MIRROR_ID
from pyovn.controller.patches import L2GATEWAY, LOCALNET
from pyovn.controller.physical.tunnels import Tunnel, option_field
from pyovn.controller.settings import Settings, settings
from pyovn.incr.engine import Reader, family
from pyovn.incr.relation import Bag, Single
from pyovn.net.uuids import Uuid
from pyovn.tables.sb import Chassis, ChassisTemplateVar, Encap, HAChassis, HAChassisGroup, SBGlobal
from pyovn.tables.vswitch import Bridge, Interface, OpenvSwitch, Port


class Vif(NamedTuple):
    """An interface of the integration bridge that names a logical port."""

    ofport: int
    uuid: Uuid
    name: str
    #: `external_ids:encap-ip`, or ""
    encap_ip: str
    #: `external_ids:iface-id-ver`, or ""
    version: str
    mtu: int


class Attached(NamedTuple):
    """An interface's place in the integration bridge."""

    port: Uuid


class Peer(NamedTuple):
    """Another chassis, and how to reach it."""

    name: str
    hostname: str
    #: addresses of the encapsulation to use with it, the preferred one first
    ips: tuple[str, ...]
    tunnels: tuple[tunnels.WantedTunnel, ...]
    #: physical network → MAC it uses there in place of routers'
    macs: tuple[tuple[str, str], ...]
    vtep: bool


class Group(NamedTuple):
    """An HA group: names of its chassis, the one with the highest priority first."""

    members: tuple[str, ...]
    referenced: tuple[str, ...]


SETTINGS: Final = Single[Uuid, Settings]("settings")
OPTIONS: Final = Single[Uuid, Mapping[str, str]]("global options")
VARIABLES: Final = Single[Uuid, Mapping[str, str]]("variables of templates")
OWN_CHASSIS: Final = Single[Uuid, Uuid]("our chassis")
ATTACHED: Final = Bag[Uuid, Attached]("attached interfaces")
#: ports where mirrors end: `external_ids:mirror-id` → Port
MIRROR_END: Final = Bag[str, Uuid]("ends of mirrors")
VIF: Final = Bag[str, Vif]("interfaces by logical port")
PATCH: Final = Bag[str, int]("patch ports by logical port")
TUNNEL: Final = Bag[str, Tunnel]("tunnels by chassis")
#: chassis that answer through their tunnel
ALIVE: Final = Bag[str, str]("chassis alive")
PEER: Final = Single[Uuid, Peer]("other chassis")
PEERS: Final = Bag[str, Uuid]("all other chassis")
HA: Final = Single[Uuid, Group]("HA groups")
HA_GROUPS: Final = Bag[str, Uuid]("all HA groups")
#: The key of relations that list everything there is.
ALL: Final = ""
#: The key of relations that have one fact.
THE_HOST: Final = Uuid(HOST)
_VARIABLE: Final = re.compile(r"\^([A-Za-z_.][\w.]*)")


@family(over=Host, emits=[SETTINGS])
def configuration(db: Reader, uuid: Uuid) -> tuple[Settings | None]:
    """How this chassis is configured."""
    host = db.row(Host, uuid)
    assert host is not None
    for switch in db.uuids(OpenvSwitch):
        return (settings(db.column(OpenvSwitch, switch, "external_ids"), host.chassis, host.hostname),)
    return (None,)


@family(over=Host, emits=[OPTIONS])
def global_settings(db: Reader, uuid: Uuid) -> tuple[Mapping[str, str]]:
    """`SB_Global.options`."""
    for each in db.uuids(SBGlobal):
        return (db.column(SBGlobal, each, "options"),)
    return ({},)


@family(over=Host, emits=[VARIABLES])
def template_variables(db: Reader, uuid: Uuid) -> tuple[Mapping[str, str]]:
    """What `^name` in logical flows and load balancers means here."""
    ours = our_settings(db)
    rows = db.where(ChassisTemplateVar, "chassis", ours.chassis) if ours is not None else []
    return ({name: value for row in rows for name, value in row.variables.items()},)


def expanded(db: Reader, text: str) -> str:
    """A text with variables in place of their names; those that nobody knows stay."""
    if "^" not in text:
        return text
    known = db.look(VARIABLES, THE_HOST) or {}

    def value(found: re.Match[str]) -> str:
        return known.get(found[1], found[0])

    return _VARIABLE.sub(value, text)


@family(over=Host, emits=[OWN_CHASSIS])
def own_row(db: Reader, uuid: Uuid) -> tuple[Uuid | None]:
    """Our Chassis row."""
    ours = our_settings(db)
    found = db.find(Chassis, "name", ours.chassis) if ours is not None else []
    return (found[0] if found else None,)


def our_settings(db: Reader) -> Settings | None:
    """The settings, or None before there are any."""
    return db.look(SETTINGS, THE_HOST)


def global_options(db: Reader) -> Mapping[str, str]:
    """`SB_Global.options`."""
    return db.look(OPTIONS, THE_HOST) or {}


def own_chassis(db: Reader) -> Uuid | None:
    """The UUID of our Chassis row."""
    return db.look(OWN_CHASSIS, THE_HOST)


@family(over=Bridge, emits=[ATTACHED])
def attachment(db: Reader, uuid: Uuid) -> tuple[tuple[tuple[Uuid, Attached], ...]]:
    """Which interfaces the integration bridge has."""
    ours = our_settings(db)
    if ours is None or db.column(Bridge, uuid, "name") != ours.bridge:
        return ((),)
    ports = db.column(Bridge, uuid, "ports")
    pairs = ((interface, port) for port in ports for interface in db.column(Port, port, "interfaces") or ())
    return (tuple((interface, Attached(port)) for interface, port in pairs),)


Uses = tuple[
    tuple[tuple[str, Vif], ...],
    tuple[tuple[str, int], ...],
    tuple[tuple[str, Tunnel], ...],
    tuple[tuple[str, str], ...],
    tuple[tuple[str, Uuid], ...],
]


@family(over=Interface, emits=[VIF, PATCH, TUNNEL, ALIVE, MIRROR_END])
def attached_interface(db: Reader, uuid: Uuid) -> Uses:
    """What an interface of the integration bridge is there for."""
    interface = db.row(Interface, uuid)
    assert interface is not None
    places = db.look(ATTACHED, uuid)
    ofport = interface.ofport or 0
    if not places or ofport <= 0:
        return (), (), (), (), ()
    port_ids = db.column(Port, places[0].port, "external_ids") or {}
    vifs: list[tuple[str, Vif]] = []
    ids = interface.external_ids
    if "iface-id" in ids:
        version, encap_ip = ids.get("iface-id-ver", ""), ids.get("encap-ip", "")
        vif = Vif(ofport, uuid, interface.name, encap_ip, version, interface.mtu or 0)
        vifs.append((ids["iface-id"], vif))
    patches = tuple((port_ids[kind], ofport) for kind in (LOCALNET, L2GATEWAY) if kind in port_ids)
    found = _tunnels(interface, port_ids)
    answers = interface.bfd_status.get("state", "") == "up"
    ends = ((ids[MIRROR_ID], places[0].port),) if MIRROR_ID in ids else ()
    return tuple(vifs), patches, found, tuple((ALL, chassis) for chassis, _ in found if answers), ends


def _tunnels(interface: Interface, port_ids: dict[str, str]) -> tuple[tuple[str, Tunnel], ...]:
    id_ = port_ids.get(tunnels.CHASSIS_ID)
    if id_ is None:
        return ()
    chassis, remote_ip, local_ip = tunnels.parse_id(id_)
    tunnel = Tunnel(
        chassis,
        interface.type,
        interface.ofport or 0,
        local_ip or interface.options.get("local_ip", ""),
        remote_ip or interface.options.get("remote_ip", ""),
        ramp=interface.other_config.get("is-vtep") == "true",
    )
    return ((chassis, tunnel),)


@family(over=Chassis, emits=[PEER, PEERS])
def peer(db: Reader, uuid: Uuid) -> tuple[Peer | None, tuple[tuple[str, Uuid], ...]]:
    """Another chassis."""
    ours = our_settings(db)
    row = db.row(Chassis, uuid)
    assert row is not None
    if ours is None or row.name == ours.chassis:
        return None, ()
    encaps = [encap for each in sorted(row.encaps) if (encap := db.row(Encap, each)) is not None]
    wanted = tuple(tunnels.wanted(ours, row, encaps))
    macs = row.other_config.get("ovn-chassis-mac-mappings", "")
    pairs = (item.partition(":") for item in macs.split(",") if item)
    found = Peer(
        row.name,
        row.hostname,
        tuple(dict.fromkeys(tunnel.remote_ip for tunnel in wanted)),
        wanted,
        tuple((network, mac) for network, _, mac in pairs),
        row.other_config.get("is-vtep") == "true",
    )
    return found, ((ALL, uuid),)


@family(over=HAChassisGroup, emits=[HA, HA_GROUPS])
def ha_group(db: Reader, uuid: Uuid) -> tuple[Group, tuple[tuple[str, Uuid], ...]]:
    """Who can take over from whom."""
    row = db.row(HAChassisGroup, uuid)
    assert row is not None
    ranked: list[tuple[int, str]] = []
    for each in row.ha_chassis:
        member = db.row(HAChassis, each)
        if member is not None and (name := _chassis_name(db, member.chassis)):
            ranked.append((-member.priority, name))
    referenced = sorted(name for each in row.ref_chassis if (name := _chassis_name(db, each)))
    return Group(tuple(name for _, name in sorted(ranked)), tuple(referenced)), ((ALL, uuid),)


def _chassis_name(db: Reader, uuid: Uuid | None) -> str:
    return (db.column(Chassis, uuid, "name") or "") if uuid else ""


def encap_id(ours: Settings, encap_ip: str) -> int:
    """The place of a local encapsulation among ours; 0, the default, for one we do not have."""
    return ours.encap_ips.index(encap_ip) if encap_ip in ours.encap_ips else 0


def paths(db: Reader, ours: Settings, chassis: Uuid, encap: Uuid | None) -> list[Tunnel | None]:
    """The tunnel to a chassis from each local encapsulation, towards the port's encapsulation where it has one."""
    there = db.look(PEER, chassis)
    if there is None or not there.ips:
        return []
    remote_ip = (db.column(Encap, encap, "ip") if encap else None) or there.ips[0]
    found = {(tunnel.local_ip, tunnel.remote_ip): tunnel for tunnel in db.look(TUNNEL, there.name)}
    return [found.get((local_ip, remote_ip)) for local_ip in ours.encap_ips]


def serving(db: Reader, ours: Settings, group: Group) -> str | None:
    """The chassis of a group that is active as far as we see: the first that answers, or we ourselves.

    A chassis that reaches no other at all, of the group or not, has lost the network, so it stays back; so does one
    whose switch has ended, for what that said last of the others stands for ever.
    """
    if len(group.members) == 1:
        return group.members[0]
    alive = db.look(ALIVE, ALL)
    if not alive or db.column(Host, THE_HOST, "is_stranded"):
        return None
    return next((name for name in group.members if name == ours.chassis or name in alive), None)


def option_of(db: Reader) -> str | None:
    """The field that holds the Geneve option, or None before the switch has told."""
    host = db.row(Host, THE_HOST)
    return None if host is None or host.option_field < 0 else option_field(host.option_field)


def always_tunnel(db: Reader) -> bool:
    """Whether even what physical networks reach goes through tunnels."""
    return global_options(db).get("always_tunnel") == "true"
