"""The families of switch ports: what others need to know of a port, and all that there is because of it."""

from pyovn.incr.engine import Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.families.mirrors import mirrored
from pyovn.northd.families.services import served
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.addresses import is_link_local, nonsense
from pyovn.northd.model.announcements import announced
from pyovn.northd.model.arp_proxy import parse_proxy
from pyovn.northd.model.binding import binding, groups, receives_multicast
from pyovn.northd.model.claims import addressing
from pyovn.northd.model.dynamic import AS_HOST
from pyovn.northd.model.ipam import WRITTEN, Claim, host_claims, mac_claims
from pyovn.northd.model.options import number
from pyovn.northd.model.port import Port, takes_unknown
from pyovn.northd.model.router_binding import group_name
from pyovn.northd.model.router_port import Link, own_addresses, seen_by, stand_in
from pyovn.northd.model.settings import Settings
from pyovn.northd.model.spelling import PLAIN
from pyovn.northd.model.switch import LOCALNET, PROXY, STATIC, TAGGED, UNKNOWN, VTEP, Switch
from pyovn.northd.relations import (
    ATTACHED,
    BINDINGS,
    FLOWS,
    HA_GROUPS,
    HEALTH_CHECK_OF,
    HOSTED,
    IP_CLAIMS,
    LINKS,
    LIVENESS,
    MAC_CLAIMS,
    MEMBERS,
    NESTED,
    OWNER,
    POOLS,
    PRESENT,
    PROBLEMS,
    QUEUES,
    ROUTER,
    ROUTER_FLOOD,
    ROUTER_PORT,
    SENDERS,
    SETTINGS,
    SHAPED,
    SPECIAL,
    SWITCH,
    TAGS,
    TOLD,
    WISHES,
    Binding,
    Group,
)
from pyovn.northd.relations import UNKNOWN as STRANGERS
from pyovn.northd.rules import RULES
from pyovn.tables.nb import (
    HAChassis,
    HAChassisGroup,
    LogicalRouterPort,
    LogicalSwitchPort,
)
from pyovn.tables.sb import Chassis, PortBinding

QOS = ("qos_min_rate", "qos_max_rate", "qos_burst")

Outputs = tuple[object, ...]
#: flows, the bindings, multicast groups, problems
Linked = tuple[
    Provenance,
    tuple[tuple[str, Binding], ...],
    tuple[tuple[tuple[Uuid, Group], str], ...],
    tuple[tuple[Uuid, str], ...],
]


@family(over=LogicalSwitchPort, emits=[SPECIAL, SHAPED, NESTED, LINKS, HEALTH_CHECK_OF])
def special_ports(db: Reader, uuid: Uuid) -> Outputs:
    """What other ports of the switch need to know; of most ports, nothing."""
    row = db.row(LogicalSwitchPort, uuid)
    assert row is not None
    kinds: list[tuple[str, str, str]] = []
    if takes_unknown(row):
        kinds.append((UNKNOWN, "", ""))
    if row.type in (LOCALNET, VTEP):
        kinds.append((row.type, row.name, row.options.get("network_name", "")))
    if row.type == LOCALNET and (row.tag_request or (row.parent_name and row.tag_request == 0)):  # its own, or any
        kinds.append((TAGGED, "", ""))
    if row.options and row.options.get("mcast_flood") == "true" and receives_multicast(row):
        kinds.append((STATIC, "", ""))
    shaped = (("", row.name),) if is_shaped(row) else ()
    nested: tuple[tuple[str, tuple[str, int, int]], ...] = ()
    if row.parent_name:
        in_use = db.column(LogicalSwitchPort, uuid, "tag")
        request = in_use if row.tag_request is None else row.tag_request
        if request is not None:
            nested = ((row.parent_name, (row.name, request, in_use or 0)),)
    links: tuple[tuple[str, Link], ...] = ()
    if row.type == "router":
        proxy = parse_proxy(row.options.get("arp_proxy", ""))
        if proxy is not None:
            kinds.append((PROXY, "", ""))
        leads_to = row.options.get("router-port", "")
        links = tuple(
            (leads_to, Link(uuid, row.name, switch, row.enabled is not False, proxy))
            for switch in db.look(OWNER, uuid)[:1]
        )
    checks = tuple((each, uuid) for each in sorted(row.health_checks)) if row.health_checks else ()
    if not kinds:
        return (), shaped, nested, links, checks
    facts = tuple((switch, kind) for switch in db.look(OWNER, uuid)[:1] for kind in kinds)
    return facts, shaped, nested, links, checks


@family(over=NESTED, emits=[TAGS])
def tags(db: Reader, parent: str) -> Outputs:
    """A VLAN for each nested port of a parent that leaves the choice to us: the one it has, or the smallest free."""
    nested = db.look(NESTED, parent)
    taken = {request for _, request, _ in nested if request}
    chosen: dict[str, int] = {}
    for name, request, tag in nested:
        if not request and tag and tag not in taken:
            taken.add(tag)
            chosen[name] = tag
    free = (each for each in range(1, 4096) if each not in taken)
    for name, request, _ in nested:
        if not request and name not in chosen and (vlan := next(free, None)):
            chosen[name] = vlan
    return (tuple(chosen.items()),)


def is_shaped(row: LogicalSwitchPort) -> bool:
    """Is the port's traffic to the physical network to be limited?"""
    return bool(row.options) and any(key in row.options for key in QOS)


@family(over=SHAPED, emits=[QUEUES])
def queues(db: Reader, key: str) -> Outputs:
    """A number for each shaped port: the one it has had, or the smallest that is free."""
    wanted = db.look(SHAPED, key)
    taken: dict[int, str] = {}
    for name in wanted:
        for uuid in db.find(PortBinding, "logical_port", name):
            known = db.column(PortBinding, uuid, "options").get("qdisc_queue_id", "")
            if known.isdigit():
                taken.setdefault(int(known), name)
    held = {name: known for known, name in taken.items()}
    free = (each for each in range(1, len(wanted) + 1) if each not in taken)
    return (tuple((name, held[name] if name in held else next(free)) for name in wanted),)


@family(
    over=LogicalSwitchPort,
    emits=[FLOWS, BINDINGS, MEMBERS, HA_GROUPS, WISHES, IP_CLAIMS, MAC_CLAIMS, TOLD, PROBLEMS],
)
def ports(db: Reader, uuid: Uuid) -> Outputs:
    """All that there is because of a port."""
    owners = db.look(OWNER, uuid)
    row = db.row(LogicalSwitchPort, uuid)
    if not owners or row is None:
        return (), (), (), (), None, (), (), (), ()
    datapath = owners[0]
    switch = db.look(SWITCH, datapath)
    assert switch is not None
    queue = None
    if row.options:
        queue = db.look(QUEUES, row.name)
        if queue is None and not is_shaped(row):
            queue = number(row.options.get("qdisc_queue_id"))
    up = switch.settings.answers_for_down_ports or bool(db.column(LogicalSwitchPort, uuid, "up"))
    port = Port(row, queue, answers=up)
    if row.type == "virtual":
        port.parents = parents(db, row, datapath)
    wish, hosts, macs = addressing(db, switch, port, datapath)
    bound, problems = binding(db, switch, port, datapath)
    member_of = groups(port, datapath)
    beyond: Provenance = ()
    bindings: tuple[tuple[str, Binding], ...] = ((row.name, bound),)
    if row.type == "router":
        beyond, bindings, more, wrong = link(db, switch, port, datapath, bound)
        problems += wrong
        if port.stand_in:
            member_of = tuple((group, bindings[1][0]) for group, _ in member_of)
        member_of += more
    else:
        beyond = neighbours(db, port, datapath)
    answers, unanswered = served(db, switch, port, datapath)
    beyond += answers
    problems += unanswered
    flows = RULES.for_port(switch, port, datapath) + beyond
    if port.shape.unusual:
        copies, stand_ins, endless = mirrored(db, switch, port, datapath)
        flows += copies
        bindings += stand_ins
        problems += endless
        flooded = [group for group, _ in member_of if group[1] != STRANGERS]  # as C has it
        member_of += tuple((group, name) for name, _ in stand_ins for group in flooded)
    for entry in nonsense(port.texts, port.written):
        problems = (*problems, (uuid, f"logical switch port {row.name}: invalid syntax '{entry}' in addresses"))
    group = ha_group(db, row.ha_chassis_group) if row.ha_chassis_group and row.type == "external" else ()
    if len(port.requests) > 1:
        problems = (*problems, (uuid, f"logical switch port {row.name}: several dynamic addresses, the first counts"))
    told = told_hosts(db, port, datapath) if switch.announced else ()
    return flows, bindings, member_of, group, wish, hosts, macs, told, problems


def link(db: Reader, switch: Switch, port: Port, datapath: Uuid, bound: Binding) -> Linked:
    """What there is because a port leads to a router; notes the router's addresses as the port's."""
    row = port.row
    label = row.options.get("router-port", "")
    found = [view for each in db.find(LogicalRouterPort, "name", label) if (view := db.look(ROUTER_PORT, each))]
    peer = found[0] if found else None
    router = None if peer is None else db.look(ROUTER, peer.router)
    if peer is None or router is None or peer.link is None:
        text = f"logical switch port {row.name}: there is no router port '{label}' for it"
        return (), ((row.name, bound),), (), ((row.uuid, text),)
    own = next(each for each in db.look(LINKS, label) if each.port == row.uuid)
    peer = seen_by(peer, own)
    if "router" in row.addresses:
        port.addresses += (own_addresses(peer),)
    stands_in = stand_in(peer, len(router.gateways))
    port.stand_in, port.linked = stands_in, True
    port.proxy = own.proxy
    senders = db.look(SENDERS, peer.router)
    port.senders = () if senders is None else senders
    if daemon := peer.options.get("routing-protocol-redirect"):
        found_there = db.find(LogicalSwitchPort, "name", daemon)
        port.daemon = daemon if any(datapath in db.look(OWNER, each) for each in found_there) else ""
    flows = RULES.link.apply(Place(datapath, row.uuid[:8], switch.spelling), switch, port, router, peer)
    bound = bound._replace(nat_addresses=announced(db, port, router, peer))
    if router.chassis:
        bound = bound._replace(type="l3gateway", options={**bound.options, "l3gateway-chassis": router.chassis})
    bindings = [(row.name, bound)]
    if stands_in:
        leads_to = db.row(LogicalRouterPort, peer.uuid)
        assert leads_to is not None
        options = {"distributed-port": row.name}
        other = bound._replace(
            type="chassisredirect",
            options=options,
            requested_key=None,
            nat_addresses=frozenset(),
            ha_chassis_group=group_name(db, leads_to),
        )
        bindings.append((f"cr-{row.name}", other))
    more = (((datapath, ROUTER_FLOOD), bindings[-1][0]),) if router.relays and port.shape.enabled else ()
    return flows, tuple(bindings), more, ()


@family(over=LogicalRouterPort, emits=[IP_CLAIMS, MAC_CLAIMS])
def router_claims(db: Reader, uuid: Uuid) -> Outputs:
    """The addresses of a router port, which nobody else is to be given."""
    port = db.look(ROUTER_PORT, uuid)
    if port is None:
        return (), ()
    (chosen,) = db.look(SETTINGS, "")[:1] or (Settings(),)
    claim = Claim(WRITTEN, port.label, uuid)
    own = (own_addresses(port),)
    switch = None if port.link is None else port.link.switch
    hosts = () if switch is None else host_claims(switch, db.look(POOLS, switch), own, claim)
    return hosts, mac_claims(chosen.mac_prefix, own, claim)


def told_hosts(db: Reader, port: Port, datapath: Uuid) -> tuple[tuple[tuple[Uuid, str, str], tuple[str, bool]], ...]:
    """The addresses of a port that routers on its switch tell the world outside."""
    if port.row.type == "router" or not port.shape.enabled:
        return ()
    views = (db.look(ROUTER_PORT, each) for each, _ in db.look(ATTACHED, datapath))
    telling = [view for view in views if view is not None and AS_HOST in view.redistributes]
    addresses = [ip for each in port.addresses for ip in (*each.ip4, *(ip6.address for ip6 in each.ip6))]
    return tuple(
        ((at.router, at.label, ip), (port.row.name, True))
        for at in telling
        for ip in addresses
        if not is_link_local(ip)
    )


def neighbours(db: Reader, port: Port, datapath: Uuid) -> Provenance:
    """What routers on the switch know about a port."""
    flows: Provenance = ()
    attached = db.look(ATTACHED, datapath)
    if not attached or not port.shape.enabled or port.row.type == "virtual":
        return flows
    for uuid, _ in attached:
        peer = db.look(ROUTER_PORT, uuid)
        if peer is not None:
            flows += RULES.neighbour.apply(Place(peer.router, port.row.uuid[:8], PLAIN), peer, port)
    return flows


def parents(db: Reader, row: LogicalSwitchPort, datapath: Uuid) -> tuple[str, ...]:
    """The virtual parents of a port that are on the same switch."""
    names = row.options.get("virtual-parents", "").split(",")
    found = ((name, uuid) for name in names if name for uuid in db.find(LogicalSwitchPort, "name", name))
    return tuple(name for name, uuid in found if datapath in db.look(OWNER, uuid))


def ha_group(db: Reader, uuid: Uuid) -> tuple[tuple[str, frozenset[tuple[str, int]]], ...]:
    """The chassis that may serve a port, by the name of their group."""
    group = db.row(HAChassisGroup, uuid)
    if group is None:
        return ()
    members = [row for each in group.ha_chassis if (row := db.row(HAChassis, each))]
    return ((group.name, frozenset((row.chassis_name, row.priority) for row in members)),)


@family(over=PortBinding, emits=[LIVENESS, PRESENT, HOSTED])
def liveness(db: Reader, uuid: Uuid) -> Outputs:
    """Is the port up?  Links between datapaths always are; others when their chassis says so.  And where are guests?"""
    row = db.row(PortBinding, uuid)
    assert row is not None
    up = row.type in ("patch", "l3gateway")
    present = () if row.chassis is None else (((row.datapath, row.chassis), True),)
    if row.chassis is not None:
        reports = (db.column(Chassis, row.chassis, "other_config") or {}).get("port-up-notif") == "true"
        up = up or not reports or row.up is True
    hosted: tuple[tuple[str, str], ...] = ()
    if row.type == "chassisredirect" and row.chassis is not None:
        hosted = ((row.options.get("distributed-port", ""), db.column(Chassis, row.chassis, "name")),)
    return ((row.logical_port, up),), present, hosted
