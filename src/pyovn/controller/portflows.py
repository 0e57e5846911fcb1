"""The flows of ports: from facts about a Port_Binding row to `physical`, with what else a port here asks for.

here        ports, port_security, a patch to its physical network, announcements
elsewhere   remote, or through a physical network
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.announce import Announced
from pyovn.controller.binding import BINDING, MULTICHASSIS, RESIDENT, SEEDS, Binding
from pyovn.controller.datapaths import DATAPATH, Datapath, zones
from pyovn.controller.flowtable import FLOWS, Flows, cookie_of
from pyovn.controller.layout import CHASSIS_MAC_CONJUNCTION
from pyovn.controller.patches import L2GATEWAY, LOCALNET, WantedPatch
from pyovn.controller.physical import port_security, ports, remote, tunnels
from pyovn.controller.physical.multichassis import LINK_HEADER, awaiting_activation, size_checks
from pyovn.controller.physical.ports import LogicalPort, Wire
from pyovn.controller.physical.steps import NO_ZONES
from pyovn.controller.physical.tunnels import Tunnel
from pyovn.controller.settings import Settings
from pyovn.controller.view import (
    ALL,
    HA,
    PEER,
    TUNNEL,
    always_tunnel,
    option_of,
    our_settings,
    own_chassis,
    paths,
)
from pyovn.incr.engine import Reader, family
from pyovn.incr.relation import Bag, Single
from pyovn.lang.actions.env import Env, encode
from pyovn.lang.actions.parse import parse
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.mac import eui64_lla, mac_int
from pyovn.net.uuids import Uuid
from pyovn.openflow.action_codec import encode_actions
from pyovn.openflow.actions import Actions, Conjunction, Controller
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from pyovn.tables.sb import (
    Chassis,
    DatapathBinding,
    Encap,
    PortBinding,
)
from pyovn.tables.vswitch import Bridge

#: What answers a packet that is too large, by Ethernet type.
TOO_BIG: Final = {
    layout.IPV4: "icmp4_error {{ reg9[1] = 0; flags.loopback = 1; eth.dst <-> eth.src; ip4.dst <-> ip4.src; "
    "ip.ttl = 255; icmp4.type = 3; icmp4.code = 4; icmp4.frag_mtu = {mtu}; next(pipeline=ingress, table=0); }};",
    layout.IPV6: "icmp6_error {{ reg9[1] = 0; flags.loopback = 1; eth.dst <-> eth.src; ip6.dst <-> ip6.src; "
    "ip.ttl = 255; icmp6.type = 2; icmp6.code = 0; icmp6.frag_mtu = {mtu}; next(pipeline=ingress, table=0); }};",
}

Problems = tuple[str, ...]
#: What is wrong with a row, by row.
PATCHES: Final = Bag[str, WantedPatch]("wanted patch ports")
PROBLEMS: Final = Single[Uuid, Problems]("problems of ports")

BALANCER_PROBLEMS: Final = Single[Uuid, Problems]("problems of load balancers")

#: What ports here announce.
ANNOUNCED: Final = Bag[str, Announced]("announcements")
#: Types whose ports on other chassis a physical network reaches directly.
BRIDGEABLE: Final = frozenset({"", "localport", "external", "virtual"})
#: What follows in `nat_addresses` where a port has to be here, before its name.
CONDITION: Final = ' is_chassis_resident("'
ACTIVATION_OPCODE: Final = (26).to_bytes(4, "big") + bytes(4)


Wanted = tuple[Flows, Problems, tuple[tuple[str, WantedPatch], ...], tuple[tuple[str, Announced], ...]]
NOTHING: Final[Wanted] = (), (), (), ()


@family(over=PortBinding, emits=[FLOWS, PROBLEMS, PATCHES, ANNOUNCED])
def port(db: Reader, uuid: Uuid) -> Wanted:
    """A port of a local datapath, here or elsewhere."""
    row = db.row(PortBinding, uuid)
    assert row is not None
    where, ours = db.look(DATAPATH, row.datapath), our_settings(db)
    if where is None or ours is None:
        return NOTHING
    here = db.look(BINDING, uuid)
    if here is None:
        return tuple(_elsewhere(db, ours, where, row)), (), (), ()
    flows = list(HERE[here.type](db, ours, where, row, here))
    problems = [*_unbridged(db, ours, row), *_unexchanged(row)]
    if here.type == "" and row.port_security:
        flows += _secured(where, row, problems)
    announced = tuple((ALL, found) for found in _announced(db, where, row, here))
    return tuple(flows), tuple(problems), _patches(ours, row), announced


def _patches(ours: Settings, row: PortBinding) -> tuple[tuple[str, WantedPatch], ...]:
    """The patch to a physical network that a port needs."""
    kind = {"localnet": LOCALNET, "l2gateway": L2GATEWAY}.get(row.type)
    bridge = ours.bridge_mappings.get(row.options.get("network_name", ""))
    return ((ALL, WantedPatch(row.logical_port, kind, bridge)),) if kind and bridge else ()


def _unbridged(db: Reader, ours: Settings, row: PortBinding) -> Iterator[str]:
    """What is wrong if a port into a physical network leads nowhere, and somebody here needs it."""
    if row.type not in ("localnet", "l2gateway"):
        return
    network = row.options.get("network_name", "")
    bridge = ours.bridge_mappings.get(network)
    if bridge is not None and not db.find(Bridge, "name", bridge):
        yield f"port {row.logical_port}: bridge {bridge} of physical network '{network}' does not exist"
    elif bridge is None and (row.type == "l2gateway" or _is_needed(db, row)):
        yield f"port {row.logical_port}: ovn-bridge-mappings has no bridge for physical network '{network}'"


def _unexchanged(row: PortBinding) -> Iterator[str]:
    """What is not done for a router port here whose router takes part in dynamic routing."""
    if row.options.get("dynamic-routing") == "true":
        yield f"port {row.logical_port}: dynamic routing has no effect here: no routes are exchanged with the kernel"


def _is_needed(db: Reader, row: PortBinding) -> bool:
    """True where a guest or a gateway here uses the network; hypervisors that only route past it need not have it."""
    return row.datapath in db.look(SEEDS, ALL) or any(router.served_here for router in _routers(db, row.datapath))


def _logical(db: Reader, where: Datapath, row: PortBinding, *, own_zone: bool = True) -> LogicalPort:
    own = zones(db, where, row.logical_port if own_zone else "")
    return LogicalPort(cookie_of(row.uuid), where.key, row.tunnel_key, own)


def _interface(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    """A VIF, container or localport."""
    logical = _logical(db, where, row)
    vlan = row.tag if here.nested else None
    if here.nested and vlan is None:
        return
    wire = Wire(here.ofport, vlan, encap=here.encap)
    localport = here.type == "localport"
    parent = not here.nested and not localport and bool(db.find(PortBinding, "parent_port", row.logical_port))
    yield from ports.common_flows(logical, nested=here.nested, parent=parent)
    yield from ports.interface_flows(logical, wire, localport=localport, nested=here.nested)
    if localport:
        yield remote.stays_local(logical)
        return
    if not here.nested:
        yield ports.zone_lookup(logical)
    yield from _activation(db, logical, wire, row, here)
    yield from _tunnelled(db, ours, where, row, logical)


def _mirror(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    """What stands for a sink that is here: copies go to the sink's interface."""
    for sink in db.where(PortBinding, "logical_port", row.mirror_port or ""):
        if not here.nested or sink.tag is not None:
            wire = Wire(here.ofport, sink.tag if here.nested else None)
            yield from ports.copy_flows(_logical(db, where, row, own_zone=False), wire)


def _activation(db: Reader, logical: LogicalPort, wire: Wire, row: PortBinding, here: Binding) -> Iterator[Flow]:
    ours = our_settings(db)
    strategy = row.options.get("activation-strategy")
    activated = row.options.get("additional-chassis-activated", "").split(",")
    if here.role == "additional" and strategy and ours is not None and ours.chassis not in activated:
        announce = Controller(userdata=ACTIVATION_OPCODE)
        addresses = list(_addresses(row))
        yield from awaiting_activation(logical, wire, strategy.split(","), addresses, announce)


def _addresses(row: PortBinding) -> Iterator[tuple[int, int, int]]:
    """(MAC, version, IP) of everything a port's addresses say, link-local ones included."""
    for text in sorted(row.mac):
        words = text.split()
        try:
            mac = mac_int(words[0]) if words else 0
            found = [ip_parse(word.partition("/")[0]) for word in words[1:]]
        except Malformed:
            continue
        if any(version == 6 for version, _ in found):
            yield mac, 6, eui64_lla(mac)
        yield from ((mac, version, ip) for version, ip in found)


def _localnet(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    if not here.ofport:
        return
    logical, wire = _logical(db, where, row), _bridged_wire(row, here)
    yield from ports.common_flows(logical)
    yield from ports.bridged_flows(logical, wire)
    yield from ports.localnet_guards(logical, _external_macs(db, row))
    own_mac = ours.chassis_macs.get(row.options.get("network_name", ""))
    if own_mac is not None:
        for router in _routers(db, row.datapath):
            if not router.served_here:
                yield ports.chassis_mac(logical, wire, router.mac, own_mac)
            if not router.served_elsewhere:
                yield from _own_mac_back(logical, wire, router.cookie, router.mac)


def _bridged_wire(row: PortBinding, here: Binding) -> Wire:
    ad = row.options.get("ethtype") == "802.1ad"
    return Wire(here.ofport, row.tag, ports.DOT1AD if ad else ports.DOT1Q)


def _own_mac_back(logical: LogicalPort, wire: Wire, cookie: int, mac: int) -> Iterator[Flow]:
    """The router's MAC put back on what another chassis sent under its own."""
    for flow in ports.bridged_flows(logical, wire):
        if flow.table or not any(name == "in_port" for name, *_ in flow.match) or _is_priority_tag(flow):
            continue
        clause = (Conjunction(CHASSIS_MAC_CONJUNCTION, 2, 2),)
        yield Flow(0, 180, flow.match, clause, cookie)
        where = (*flow.match, ("conj_id", CHASSIS_MAC_CONJUNCTION, 0xFFFFFFFF))
        restored = (*flow.actions[:-1], ports.restore_source(mac), flow.actions[-1])
        yield Flow(0, 180, match(**{name: (value, mask) for name, value, mask in where}), restored, cookie)


def _is_priority_tag(flow: Flow) -> bool:
    """The variant for VLAN 0, which the untagged one covers here."""
    return any(name == "vlan_tci" and value == 0x1000 and mask == 0x1FFF for name, value, mask in flow.match)


class _Router(NamedTuple):
    """A router port that a switch is attached to; a gateway port has one chassis which uses its MAC openly."""

    cookie: int
    mac: int
    served_here: bool
    served_elsewhere: bool


def _routers(db: Reader, datapath: Uuid) -> Iterator[_Router]:
    for row in db.where(PortBinding, "datapath", datapath):
        peer = row.options.get("peer")
        if row.type != "patch" or not peer:
            continue
        for there in db.where(PortBinding, "logical_port", peer):
            mac = _first_mac(there)
            if there.type != "patch" or mac is None:
                continue
            redirect = there.options.get("chassis-redirect-port", "")
            gateways = db.where(PortBinding, "logical_port", redirect) if redirect else []
            here = any(db.look(BINDING, each.uuid) is not None for each in gateways)
            elsewhere = any(each.chassis not in (None, own_chassis(db)) for each in gateways)
            yield _Router(cookie_of(there.uuid), mac, here, elsewhere)


def _first_mac(row: PortBinding) -> int | None:
    for text in sorted(row.mac):
        try:
            return mac_int(text.split()[0])
        except (Malformed, IndexError):
            continue
    return None


def _external_macs(db: Reader, localnet: PortBinding) -> Iterator[int]:
    for row in db.where(PortBinding, "datapath", localnet.datapath):
        mac = _first_mac(row)
        if row.type == "external" and mac is not None and db.look(BINDING, row.uuid) is not None:
            yield mac


def _l2gateway(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    if here.ofport:
        logical = _logical(db, where, row)
        yield from ports.common_flows(logical)
        yield from ports.bridged_flows(logical, _bridged_wire(row, here))


def _patch(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    for there in db.where(PortBinding, "logical_port", row.options.get("peer", "")):
        if there.options.get("peer") != row.logical_port:
            continue
        logical = _logical(db, where, row, own_zone=here.type != "patch")
        yield from ports.common_flows(logical)
        yield from ports.patch_flows(logical, _peer(db, there))


def _peer(db: Reader, there: PortBinding) -> LogicalPort:
    """The other side of a patch, which need not be in a local datapath."""
    beyond = db.look(DATAPATH, there.datapath)
    if beyond is not None:
        return _logical(db, beyond, there, own_zone=there.type != "patch")
    key = db.column(DatapathBinding, there.datapath, "tunnel_key") or 0
    return LogicalPort(cookie_of(there.uuid), key, there.tunnel_key, NO_ZONES)


def _redirect(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    for distributed in db.where(PortBinding, "logical_port", row.options.get("distributed-port", "")):
        logical = _logical(db, where, row, own_zone=False)
        yield ports.redirected(logical, _logical(db, where, distributed, own_zone=False))


def _external(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    return _elsewhere(db, ours, where, row)


def _nothing(db: Reader, ours: Settings, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Flow]:
    return iter(())


HERE: Final = {
    "": _interface,
    "localport": _interface,
    "mirror": _mirror,
    "localnet": _localnet,
    "l2gateway": _l2gateway,
    "patch": _patch,
    "l3gateway": _patch,
    "chassisredirect": _redirect,
    "external": _external,
    "virtual": _nothing,
}


def _elsewhere(db: Reader, ours: Settings, where: Datapath, row: PortBinding) -> Iterator[Flow]:
    """A port that is not on this chassis."""
    logical = _logical(db, where, row, own_zone=False)
    if row.type == "" and not row.parent_port:
        yield ports.zone_lookup(logical)
    if row.type == "vtep":
        yield from _ramp(db, logical, row)
    if row.type == "chassisredirect" and (bridged := _bridged(db, logical, row)) is not None:
        yield bridged
        return
    if row.type == "chassisredirect" and _has_rivals(db, row):
        yield from _failover(db, ours, logical, row)
        return
    localnets = where.localnets if row.type in BRIDGEABLE and not always_tunnel(db) else ()
    if localnets:
        yield from _from_multichassis(db, ours, where, row, logical)
    if localnets and not row.additional_chassis:
        yield ports.via_localnet(logical, localnets[0].key)
        return
    yield from _tunnelled(db, ours, where, row, logical)


def _bridged(db: Reader, logical: LogicalPort, row: PortBinding) -> Flow | None:
    """The way to a gateway elsewhere by the physical network of the switch behind it, where that is asked for."""
    if row.options.get("redirect-type") != "bridged":
        return None
    mac = _first_mac(row)
    for distributed in db.where(PortBinding, "logical_port", row.options.get("distributed-port", "")):
        for peer in db.where(PortBinding, "logical_port", distributed.options.get("peer", "")):
            beyond = db.look(DATAPATH, peer.datapath)
            if mac is not None and beyond is not None and beyond.localnets:
                return ports.via_physical_network(logical, mac, beyond.key, beyond.localnets[0].key)
    return None


def _has_rivals(db: Reader, row: PortBinding) -> bool:
    group = db.look(HA, row.ha_chassis_group) if row.ha_chassis_group else None
    return group is not None and len(group.members) > 1


def _locations(db: Reader, row: PortBinding) -> list[tuple[Uuid, Uuid | None]]:
    """(chassis, encapsulation) of every other place a port is at, the main one first."""
    own = own_chassis(db)
    places = [(row.chassis, row.encap)] if row.chassis else []
    encaps = {db.column(Encap, each, "chassis_name"): each for each in sorted(row.additional_encap)}
    places += [(each, encaps.get(db.column(Chassis, each, "name"))) for each in sorted(row.additional_chassis)]
    return [(chassis, encap) for chassis, encap in places if chassis != own]


def _tunnelled(db: Reader, ours: Settings, where: Datapath, row: PortBinding, logical: LogicalPort) -> Iterator[Flow]:
    if row.chassis is None and not row.additional_chassis:
        return
    option = option_of(db)
    routes = [found for chassis, encap in _locations(db, row) if (found := paths(db, ours, chassis, encap))]
    if option is None or not routes:
        return
    per_encap = [[tunnel for tunnel in each if tunnel is not None] for each in zip(*routes, strict=True)]
    yield from remote.remote_flows(logical, per_encap, option)


def _from_multichassis(
    db: Reader, ours: Settings, where: Datapath, row: PortBinding, logical: LogicalPort
) -> Iterator[Flow]:
    option = option_of(db)
    routes = [found for chassis, encap in _locations(db, row) if (found := paths(db, ours, chassis, encap))]
    first = [route[0] for route in routes if route[0] is not None]
    if option is None or not first:
        return
    for sender in db.look(MULTICHASSIS, where.uuid):
        if sender.uuid != row.uuid:
            yield remote.from_multichassis(logical, sender.key, first, option)
            for port in db.where(PortBinding, "logical_port", sender.name):
                yield from _size_checks(db, ours, port, logical, first[0])


def _size_checks(
    db: Reader, ours: Settings, sender: PortBinding, logical: LogicalPort, tunnel: Tunnel
) -> Iterator[Flow]:
    """Packets to and from a multichassis port here, which must fit through a tunnel though a wire would do."""
    here = db.look(BINDING, sender.uuid)
    if here is None or not here.mtu:
        return
    outer = tunnels.OUTER_IPV6 if ":" in tunnel.remote_ip else tunnels.OUTER_IPV4
    mtu = here.mtu - tunnels.OVERHEAD[tunnel.type] - outer
    errors = {eth_type: _too_big(eth_type, mtu - LINK_HEADER) for eth_type in TOO_BIG}
    yield from size_checks(logical, sender.tunnel_key, mtu, errors)


@lru_cache(maxsize=64)
def _too_big(eth_type: int, mtu: int) -> Actions:
    """The answer to a packet that is too large."""
    return encode(parse(TOO_BIG[eth_type].format(mtu=mtu)), Env(wire=encode_actions))


def _failover(db: Reader, ours: Settings, logical: LogicalPort, row: PortBinding) -> Iterator[Flow]:
    group = db.look(HA, row.ha_chassis_group) if row.ha_chassis_group else None
    option = option_of(db)
    if group is None or option is None:
        return
    found = [found[0] for name in group.members if name != ours.chassis and (found := db.look(TUNNEL, name))]
    if found:
        yield remote.failover(logical, found, option)


def _ramp(db: Reader, logical: LogicalPort, row: PortBinding) -> Iterator[Flow]:
    there = db.look(PEER, row.chassis) if row.chassis else None
    for tunnel in db.look(TUNNEL, there.name) if there is not None else ():
        yield tunnels.ramp_arrivals(tunnel, logical.datapath, logical.key, logical.cookie)


def _announced(db: Reader, where: Datapath, row: PortBinding, here: Binding) -> Iterator[Announced]:
    """What a port here has to announce on its physical network: its own addresses, or those of a router behind it."""
    if not where.localnets or row.options.get("disable_garp_rarp") == "true":
        return
    if here.type in ("patch", "l3gateway"):
        for text in sorted(row.nat_addresses):
            if _is_announced_here(db, row, text, here):
                yield from _announcements(where, row, text.partition(CONDITION)[0], silent=())
    elif here.type == "" and row.chassis is not None and row.chassis == own_chassis(db):
        for text in sorted(row.mac):
            yield from _announcements(where, row, text, silent=(0,))


def _is_announced_here(db: Reader, row: PortBinding, text: str, here: Binding) -> bool:
    """True for a router's address that is served here: where its condition holds, or on the router's own chassis."""
    for peer in db.where(PortBinding, "logical_port", row.options.get("peer", "")):
        if (db.column(DatapathBinding, peer.datapath, "external_ids") or {}).get("disable_garp_rarp") == "true":
            return False
    _, condition, rest = text.partition(CONDITION)
    return bool(db.look(RESIDENT, rest.partition('"')[0])) if condition else here.type == "l3gateway"


def _announcements(where: Datapath, row: PortBinding, text: str, silent: tuple[int, ...]) -> Iterator[Announced]:
    """Each IPv4 address of "MAC IP…"; `silent` where there is none."""
    words = text.split()
    try:
        mac = mac_int(words[0]) if words else 0
        versions = [ip_parse(word.partition("/")[0]) for word in words[1:]]
    except Malformed:
        return
    ips = [ip for version, ip in versions if version == 4]
    yield from (Announced(where.key, row.tunnel_key, mac, ip) for ip in ips or silent)


def _secured(where: Datapath, row: PortBinding, problems: list[str]) -> Iterator[Flow]:
    """Port security of a port that is here."""
    entries = []
    for text in sorted(row.port_security):
        try:
            entries.append(port_security.parse_entry(text))
        except Malformed as fault:
            problems.append(f"port {row.logical_port}: {fault}")
    if entries:
        logical = LogicalPort(cookie_of(row.uuid), where.key, row.tunnel_key, NO_ZONES)
        yield from port_security.security_flows(logical, entries)
