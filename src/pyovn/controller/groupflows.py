"""The flows of whole chassis and of groups: what every bridge has, tunnels, multicast groups, chassis MACs."""

from pyovn.controller.binding import MEMBER
from pyovn.controller.datapaths import DATAPATH, zone_of
from pyovn.controller.flowtable import FLOWS, Flows, cookie_of
from pyovn.controller.layout import CHASSIS_MAC_CONJUNCTION
from pyovn.controller.local import Host
from pyovn.controller.physical import remote, tunnels
from pyovn.controller.physical.fixed import fixed_flows
from pyovn.controller.physical.ports import LogicalPort
from pyovn.controller.physical.remote import Members
from pyovn.controller.physical.steps import NO_ZONES
from pyovn.controller.physical.tunnels import Tunnel
from pyovn.controller.settings import Settings
from pyovn.controller.view import (
    ALL,
    ATTACHED,
    PEER,
    PEERS,
    always_tunnel,
    option_of,
    our_settings,
    paths,
)
from pyovn.incr.engine import Reader, family
from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_int
from pyovn.net.uuids import Uuid
from pyovn.openflow.actions import Conjunction
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from pyovn.tables.sb import MulticastGroup
from pyovn.tables.vswitch import Interface


@family(over=Host, emits=[FLOWS])
def fixed(db: Reader, uuid: Uuid) -> tuple[Flows]:
    """The flows of every bridge."""
    return (tuple(fixed_flows()),)


@family(over=Interface, emits=[FLOWS])
def tunnel_arrival(db: Reader, uuid: Uuid) -> tuple[Flows]:
    """Packets from one tunnel."""
    option = option_of(db)
    tunnel = _tunnel(db, uuid)
    if option is None or tunnel is None:
        return ((),)
    return (tuple(tunnels.arrivals(tunnel, option)),)


def _tunnel(db: Reader, interface: Uuid) -> Tunnel | None:
    """The tunnel that an interface is."""
    if db.column(Interface, interface, "type") not in tunnels.TYPES or not db.look(ATTACHED, interface):
        return None
    ofport = db.column(Interface, interface, "ofport") or 0
    type_ = db.column(Interface, interface, "type")
    other = db.column(Interface, interface, "other_config")
    if ofport <= 0:
        return None
    return Tunnel("", type_, ofport, "", "", ramp=other.get("is-vtep") == "true")


@family(over=MulticastGroup, emits=[FLOWS])
def group(db: Reader, uuid: Uuid) -> tuple[Flows]:
    """One multicast group."""
    row = db.row(MulticastGroup, uuid)
    assert row is not None
    where, ours, option = db.look(DATAPATH, row.datapath), our_settings(db), option_of(db)
    if where is None or ours is None:
        return ((),)
    local: list[tuple[int, int]] = []
    patches: list[int] = []
    localports: list[int] = []
    chassis: set[Uuid] = set()
    for each in sorted(row.ports):
        member = db.look(MEMBER, each)
        if member is None or member.datapath != where.uuid:
            continue
        chassis.update(member.chassis)
        if member.kind == "local":
            local.append((member.key, zone_of(db, member.name)))
        elif member.kind == "patch":
            patches.append(member.key)
        elif member.kind == "localport":
            localports.append(member.key)
    bridged = bool(where.localnets) and not always_tunnel(db)
    far = () if bridged or option is None else _one_each(db, ours, chassis)
    logical = LogicalPort(cookie_of(uuid), where.key, row.tunnel_key, NO_ZONES)
    members = Members(tuple(sorted(local)), tuple(sorted(patches)), tuple(sorted(localports)))
    return (tuple(remote.group_flows(logical, members, far, option or "")),)


def _one_each(db: Reader, ours: Settings, chassis: set[Uuid]) -> list[Tunnel]:
    """One tunnel to each of several chassis."""
    found: list[Tunnel] = []
    for each in sorted(chassis):
        route = paths(db, ours, each, None)
        found += [tunnel for tunnel in route if tunnel is not None][:1]
    return found


@family(over=Host, emits=[FLOWS])
def chassis_mac(db: Reader, uuid: Uuid) -> tuple[Flows]:
    """The MACs that other chassis use in place of routers' on physical networks."""
    ours = our_settings(db)
    if ours is None or not ours.chassis_macs:
        return ((),)
    flows: list[Flow] = []
    for each in db.look(PEERS, ALL):
        there = db.look(PEER, each)
        for _, text in there.macs if there is not None else ():
            try:
                where = match(eth_src=mac_int(text))
            except Malformed:
                continue
            flows.append(Flow(0, 180, where, (Conjunction(CHASSIS_MAC_CONJUNCTION, 1, 2),), cookie_of(each)))
    return (tuple(flows),)
