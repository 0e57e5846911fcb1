"""The families of logical routers: ports, routes, policies and translations → views → flows and southbound rows."""

from collections.abc import Iterator

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.families.learned import learned_routes
from pyovn.northd.families.protection import spelling
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.addresses import is_address
from pyovn.northd.model.datapath import wanted_router
from pyovn.northd.model.dynamic import DYNAMIC, REDISTRIBUTE, STATIC, redistributed
from pyovn.northd.model.nat import Sets, Translation, forced, gateway_for, translation
from pyovn.northd.model.policies import Policy
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_binding import flooded, ha_members, router_bindings
from pyovn.northd.model.router_port import Link, RouterPort, overlaps, parsed_port, seen_by, stand_in
from pyovn.northd.model.routes import DISCARD, NOWHERE, Destination, Hop, Route, destination, hop_by, networks
from pyovn.northd.model.settings import Settings
from pyovn.northd.model.switch import LOCALNET, TAGGED, VTEP, Switch
from pyovn.northd.model.virtual import answered, is_balanced, is_distributed, is_virtual, routed_of, set_of
from pyovn.northd.relations import (
    ATTACHED,
    BINDINGS,
    CHAINS,
    DATAPATHS,
    FLOWS,
    GROUPED,
    HA_GROUPS,
    LENGTHS,
    LINKS,
    MEMBERS,
    NAT_FACTS,
    NAT_OF,
    NEAR,
    NEXT_HOPS,
    OUTSIDE,
    OUTSIDE_AT,
    POLICY_GROUPS,
    POLICY_OF,
    PROBLEMS,
    ROUTE_OF,
    ROUTE_TABLES,
    ROUTED,
    ROUTER,
    ROUTER_KEY,
    ROUTER_OF,
    ROUTER_PORT,
    ROUTER_PORTS,
    ROUTES,
    SENDERS,
    SESSIONS,
    SETTINGS,
    SPECIAL,
    STATIC_NEIGHBOURS,
    SWITCH,
    TOLD,
    TRANSLATION,
    WATCHED,
    WATCHED_BY_POLICY,
    WATCHED_HOPS,
    NextHop,
    Session,
    StaticNeighbour,
)
from pyovn.northd.rules import RULES
from pyovn.tables.nb import (
    BFD,
    NAT,
    AddressSet,
    LogicalRouter,
    LogicalRouterPolicy,
    LogicalRouterPort,
    LogicalRouterStaticRoute,
    LogicalSwitchPort,
    StaticMACBinding,
)
from pyovn.tables.sb import MACBinding, PortBinding

Outputs = tuple[object, ...]
SESSION = ("logical_port", "dst_ip", "min_tx", "min_rx", "detect_mult")
USUAL_TX, USUAL_RX, USUAL_MULT = 1000, 1000, 5  #: of BFD; milliseconds, milliseconds, packets
FORCED, ROUTER_IP = ("dnat_force_snat_ip", "lb_force_snat_ip"), "router_ip"


@family(over=LogicalRouter, emits=[ROUTER_OF, ROUTE_OF, POLICY_OF, NAT_OF, DATAPATHS, PROBLEMS])
def routers(db: Reader, uuid: Uuid) -> Outputs:
    """What a router consists of, and what the southbound database says about it as a whole."""
    row = db.row(LogicalRouter, uuid)
    assert row is not None
    if row.enabled is False:
        return (), (), (), (), None, ()
    parts = (row.ports, row.static_routes, row.policies, row.nat)
    of = [tuple((each, uuid) for each in sorted(part)) for part in parts]
    doubts = (
        (uuid, f"logical router {row.name}: {key} '{text}' is not one address of each version of IP")
        for key, text in ((key, row.options.get(key, "")) for key in FORCED)
        if text != ROUTER_IP and len(forced(text)) != len(text.split())
    )
    return *of, wanted_router(row), tuple(doubts)


@family(over=LogicalRouterPort, emits=[ROUTER_PORT, ATTACHED, PROBLEMS])
def router_ports(db: Reader, uuid: Uuid) -> Outputs:
    """What a port looks like to the rules, and which switch it is attached to."""
    owners = db.look(ROUTER_OF, uuid)
    row = db.row(LogicalRouterPort, uuid)
    if not owners or row is None:
        return None, (), ()
    port, problems = parsed_port(row, owners[0])
    found = [(uuid, text) for text in problems]
    if port is None:
        return None, (), tuple(found)
    options = db.column(LogicalRouter, owners[0], "options") or {}
    if options.get("chassis"):
        port = port._replace(gateway=False)
    if options.get(DYNAMIC) == "true":
        kinds_told, unknown = redistributed(options, row.options)
        port = port._replace(redistributes=kinds_told, learns=True)
        found += [(uuid, f"logical router port {row.name}: unknown {REDISTRIBUTE} '{each}'") for each in unknown]
    leading: tuple[Link, ...] = db.look(LINKS, row.name)
    links = sorted(leading, key=lambda link: link.name)
    if row.peer:
        peers = [each for each in db.find(LogicalRouterPort, "name", row.peer) if db.look(ROUTER_OF, each)]
        mutual = [each for each in peers if db.column(LogicalRouterPort, each, "peer") == row.name]
        if not mutual:
            found.append((uuid, f"logical router port {row.name}: there is no peer '{row.peer}' that leads back"))
        if mutual:
            port = port._replace(peer=mutual[0], peer_gateway=is_distributed_gateway(db, mutual[0]))
        return port, (), tuple(found)
    if len(links) > 1:
        names = ", ".join(link.name for link in links)
        found.append((uuid, f"logical router port {row.name}: several switch ports lead to it: {names}"))
    if not links:
        return port, (), tuple(found)
    relays = options.get("mcast_relay") == "true"
    kinds = {kind for kind, _, _ in db.look(SPECIAL, links[0].switch)}
    port = port._replace(link=links[0], physical=LOCALNET in kinds, vtep=VTEP in kinds, tagged=TAGGED in kinds)
    port = port._replace(spread=port.gateway and is_distributed(db, owners[0]))
    attached = tuple((switch, (uuid, relays)) for switch in dict.fromkeys(link.switch for link in links))
    return port, attached, tuple(found)


def is_distributed_gateway(db: Reader, uuid: Uuid) -> bool:
    """Is a port a distributed gateway port?  Those of gateway routers are not, whatever chassis they name."""
    row = db.row(LogicalRouterPort, uuid)
    if row is None or not (row.gateway_chassis or row.ha_chassis_group is not None):
        return False
    return not any(
        (db.column(LogicalRouter, each, "options") or {}).get("chassis") for each in db.look(ROUTER_OF, uuid)
    )


@family(over=LogicalRouterPort, emits=[NEAR, LENGTHS])
def linked_networks(db: Reader, uuid: Uuid) -> Outputs:
    """The networks that a port has on a switch."""
    port = db.look(ROUTER_PORT, uuid)
    if port is None or port.link is None:
        return (), ()
    found = [(f"ip{version}", each) for version in (4, 6) for each in networks(port, version)]
    return (
        tuple(((ip, each.length, each.low), uuid) for ip, each in found),
        tuple((ip, each.length) for ip, each in found),
    )


@family(over=LogicalRouter, emits=[ROUTER_PORTS, PROBLEMS])
def tables_of_ports(db: Reader, uuid: Uuid) -> Outputs:
    """All the ports of a router, by name."""
    row = db.row(LogicalRouter, uuid)
    assert row is not None
    found = sorted((port for each in row.ports if (port := db.look(ROUTER_PORT, each))), key=lambda port: port.label)
    return tuple(found), tuple((uuid, f"logical router {row.name}: {text}") for text in overlaps(found))


def ports_of(db: Reader, router: Uuid) -> tuple[RouterPort, ...]:
    """The ports of a router, by name."""
    found = db.look(ROUTER_PORTS, router)
    return () if found is None else found


@family(over=LogicalRouterStaticRoute, emits=[ROUTES, ROUTE_TABLES, WATCHED, NEXT_HOPS, TOLD, PROBLEMS])
def static_routes(db: Reader, uuid: Uuid) -> Outputs:
    """A route, if its next hop can be reached."""
    owners = db.look(ROUTE_OF, uuid)
    row = db.row(LogicalRouterStaticRoute, uuid)
    if not owners or row is None:
        return (), (), (), (), (), ()
    router = owners[0]
    name = db.column(LogicalRouter, router, "name")
    to = destination(row, router)
    if to is None:
        return (), (), (), (), (), ((uuid, f"logical router {name}: bad prefix '{row.ip_prefix}' of a static route"),)
    tables = ((router, row.route_table),) if row.route_table else ()
    watched: tuple[tuple[Uuid, Uuid], ...] = () if row.bfd is None else ((row.bfd, uuid),)
    wrong: tuple[tuple[Uuid, str], ...] = ()
    hop: Hop | str = NOWHERE
    if row.nexthop != DISCARD:
        hop = hop_by(ports_of(db, router), row.nexthop, row.output_port)
    if isinstance(hop, str):
        return (), tables, (), (), (), ((uuid, f"logical router {name}: route to {row.ip_prefix}: {hop}"),)
    if watched and not monitors(db, watched[0][0], hop):
        watched, wrong = (
            (),
            ((uuid, f"logical router {name}: route to {row.ip_prefix}: its BFD session is for another"),),
        )
    if watched and db.column(BFD, watched[0][0], "status") != "up":
        return (), tables, watched, (), (), ()
    symmetric = row.options.get("ecmp_symmetric_reply") == "true"
    key = 0
    hops: tuple[tuple[tuple[str, str], Uuid], ...] = ()
    if symmetric and hop.label:
        hops = (((hop.address, hop.label), router),) if watches_hops(db) else ()
        bound = db.find(PortBinding, "logical_port", hop.label)[:1]
        key = db.column(PortBinding, bound[0], "tunnel_key") if bound else 0
    route = Route(hop, symmetric, tuple(sorted(row.selection_fields)), uuid, key)
    told = tuple(
        ((router, hop.label, to.prefix), ("", False))
        for port in ports_of(db, router)
        if port.label == hop.label and STATIC in port.redistributes
    )
    return ((to, route),), tables, watched, hops, told, wrong


def watches_hops(db: Reader) -> bool:
    """Are the MACs of next hops with symmetric replies watched?"""
    return any(chosen.watches_hops for chosen in db.look(SETTINGS, ""))


def monitors(db: Reader, session: Uuid, hop: Hop) -> bool:
    """Does a BFD session watch a next hop?"""
    return bool(db.column(BFD, session, "dst_ip") == hop.address)


@family(over=ROUTES, emits=[GROUPED])
def route_groups(db: Reader, to: Destination) -> Outputs:
    """Destinations with a choice of routes."""
    routes = db.look(ROUTES, to)
    several = len(routes) > 1 or any(route.symmetric for route in routes)
    return (((to.router, to),) if several else (),)


@family(over=NAT, emits=[TRANSLATION, NAT_FACTS, OUTSIDE, OUTSIDE_AT, ROUTED, PROBLEMS])
def translations(db: Reader, uuid: Uuid) -> Outputs:
    """A translation, and what its router needs to know about it."""
    owners = db.look(NAT_OF, uuid)
    row = db.row(NAT, uuid)
    if not owners or row is None:
        return None, (), (), (), (), ()
    router = owners[0]
    gateway: RouterPort | str | None = None
    wrong = ""
    options = db.column(LogicalRouter, router, "options") or {}
    gateways = [port for port in ports_of(db, router) if port.gateway]
    if row.gateway_port is not None or (not options.get("chassis") and gateways):
        gateway = gateway_for(row, () if options.get("chassis") else gateways)
    found: Translation | str = gateway if isinstance(gateway, str) else ""
    if not isinstance(gateway, str):
        sets = Sets(*(set_name(db, each) for each in (row.allowed_ext_ips, row.exempted_ext_ips)))
        central = gateway is not None and (bool(stand_in(gateway, len(gateways))) or gateway.peer_gateway)
        found = translation(row, sets, gateway, central=central)
    if isinstance(found, Translation) and found.mac and row.logical_port:
        behind = db.find(LogicalSwitchPort, "name", row.logical_port)
        found = found._replace(virtual=any(db.column(LogicalSwitchPort, each, "type") == "virtual" for each in behind))
        if not behind:
            wrong = f"there is no logical switch port '{row.logical_port}'"
    about = f"logical router {db.column(LogicalRouter, router, 'name')}: {row.type} of {row.logical_ip}"
    if isinstance(found, str):
        return None, (), (), (), (), ((uuid, f"{about}: {found}"),)
    problems = ((uuid, f"{about}: {wrong}"),) if wrong else ()
    outside = ((router, found.external), uuid)
    routed = ((router, found.external),) if found.adds_route else ()
    return found, ((router, found),), (outside,), ((found.external, router),), routed, problems


def set_name(db: Reader, uuid: Uuid | None) -> str:
    """The name of an address set; none where there is no set."""
    return "" if uuid is None else db.column(AddressSet, uuid, "name") or ""


@family(over=LogicalRouter, emits=[ROUTER, SENDERS])
def router_views(db: Reader, uuid: Uuid) -> Outputs:
    """What a router looks like to the rules; it is to stay equal when a translation comes or goes, if it can."""
    row = db.row(LogicalRouter, uuid)
    assert row is not None
    (chosen,) = db.look(SETTINGS, "")[:1] or (Settings(),)
    ports = ports_of(db, uuid)
    options = row.options
    nats = db.look(NAT_FACTS, uuid)
    own_force: list[str] = []
    by_own = options.get("lb_force_snat_ip") == ROUTER_IP and bool(options.get("chassis"))
    if by_own:
        own_force = [each.address for port in ports for _, each in port.networks()]
    forced_to = tuple(word for key in FORCED for word in forced(options.get(key, "")))
    own = frozenset(each.address for port in ports for _, each in port.networks())
    senders = tuple(sorted({nat.sender for nat in nats if nat.sender}))
    tracked = any(not nat.stateless for nat in nats)
    balances = is_balanced(db, LogicalRouter, uuid)
    sets = tuple((ip, set_of(key, ip)) for key in db.look(ROUTER_KEY, uuid)[:1] for ip in answered(db, uuid, ports))
    used = {port.options.get("route_table", "") for port in ports}
    tables = sorted({*db.look(ROUTE_TABLES, uuid), *used} - {""})
    return (
        Router(
            settings=chosen,
            spelling=spelling(db, chosen, row.copp),
            chassis=options.get("chassis", ""),
            gateways=tuple(port.label for port in ports if port.gateway),
            first_gateway=min(((port.uuid, port.label) for port in ports if port.gateway), default=("", ""))[1],
            learns_from_requests=options.get("always_learn_from_arp_request") != "false",
            asks_for_neighbours=options.get("dynamic_neigh_routers") == "true",
            relays=options.get("mcast_relay") == "true",
            floods=any(port.enabled and port.options.get("mcast_flood") == "true" for port in ports),
            own=own,
            translates=bool(row.nat),
            distributes=any(nat.told_mac for nat in nats) or is_distributed(db, uuid),
            translated=own
            & {
                *forced_to,
                *(nat.external for nat in nats if nat.type != "dnat"),
                *(address for address in own if is_virtual(db, uuid, address)),
            },
            balances=balances,
            virtual=sets,
            forced=frozenset(own_force),
            force_for_dnat=forced(options.get("dnat_force_snat_ip", "")),
            force_for_lb=() if own_force else forced(options.get("lb_force_snat_ip", "")),
            force_own=bool(own_force),
            bridges=any(port.options.get("redirect-type") == "bridged" for port in ports),
            measures=any(port.mtu for port in ports),
            commits_all=options.get("ct-commit-all") == "true" and bool(tracked or forced_to or by_own or balances),
            tables=tuple(tables),
            monitored=frozenset(port.label for port in ports if db.find(BFD, "logical_port", port.label)),
        ),
        senders,
    )


@family(over=LogicalRouter, emits=[FLOWS])
def router_flows(db: Reader, uuid: Uuid) -> Outputs:
    """The flows that a router has whatever its ports."""
    router = db.look(ROUTER, uuid)
    if router is None or db.column(LogicalRouter, uuid, "enabled") is False:
        return ((),)
    return (RULES.router.apply(Place(uuid, "", router.spelling), router),)


@family(over=LogicalRouterPort, emits=[FLOWS, BINDINGS, MEMBERS, HA_GROUPS])
def router_port_flows(db: Reader, uuid: Uuid) -> Outputs:
    """All that there is because of a port."""
    port = db.look(ROUTER_PORT, uuid)
    row = db.row(LogicalRouterPort, uuid)
    router = None if port is None else db.look(ROUTER, port.router)
    if port is None or router is None or row is None:
        return (), (), (), ()
    peer = None if port.peer is None else db.look(ROUTER_PORT, port.peer)
    place = Place(port.router, uuid[:8], router.spelling)
    port = port._replace(keys=tuple(keys(db, port)))
    flows = RULES.router_port.apply(place, router, port)
    if peer is not None:
        flows += RULES.direct.apply(place, port, peer)
    flows += nearby(db, place, router, port)
    if port.mtu:
        for other in ports_of(db, port.router):
            if other.uuid != uuid:
                flows += RULES.passage.apply(place, router, other, port)
    always = not router.distributes and not port.vtep
    return (
        flows,
        router_bindings(db, router, port, row, peer, always=always),
        flooded(port),
        ha_members(db, row) if port.gateway else (),
    )


def keys(db: Reader, port: RouterPort) -> list[tuple[str, int]]:
    """The names of a port and of the one that stands for it on its gateway, with their tunnel keys once they have."""
    return [
        (name, db.column(PortBinding, uuid, "tunnel_key"))
        for label, name in ((port.label, port.name), (f"cr-{port.label}", port.redirect))[: 1 + port.gateway]
        for uuid in db.find(PortBinding, "logical_port", label)[:1]
    ]


def nearby(db: Reader, place: Place, router: Router, port: RouterPort) -> Provenance:
    """Flows about the other routers on the same switch."""
    flows: Provenance = ()
    if router.asks_for_neighbours:
        return flows
    around = (uuid for link in links_of(db, port) if link.enabled for uuid, _ in db.look(ATTACHED, link.switch))
    for uuid in dict.fromkeys(around):
        other = db.look(ROUTER_PORT, uuid)
        if other is not None and other.uuid != port.uuid:
            flows += RULES.peer.apply(place, port, other)
            if (port.gateway or router.chassis) and (beyond := routed_of(db, other.router)):
                flows += RULES.beyond.apply(place, port, other, beyond)
    return flows


def links_of(db: Reader, port: RouterPort) -> tuple[Link, ...]:
    """The switch ports that lead to a port, usually one."""
    return () if port.link is None else db.look(LINKS, port.label)


def seen_from_switches(db: Reader, port: RouterPort) -> Iterator[tuple[RouterPort, Link, Switch]]:
    """A port as each switch sees it that leads to it: with the link from there."""
    for link in links_of(db, port):
        switch = db.look(SWITCH, link.switch)
        if switch is not None:
            yield seen_by(port, link), link, switch


@family(over=ROUTES, emits=[FLOWS])
def route_flows(db: Reader, to: Destination) -> Outputs:
    """The routes to a destination."""
    routes, router = db.look(ROUTES, to), db.look(ROUTER, to.router)
    if router is None or not routes:
        return ((),)
    several = len(routes) > 1 or routes[0].symmetric
    group = db.look(GROUPED, to.router).index(to) + 1 if several else 0
    place = Place(to.router, routes[0].row[:8], router.spelling)
    return (RULES.route.apply(place, router, to, routes, group),)


@family(over=LogicalRouterStaticRoute, emits=[FLOWS])
def next_hops(db: Reader, uuid: Uuid) -> Outputs:
    """A next hop, even if it cannot be reached now."""
    owners = db.look(ROUTE_OF, uuid)
    address = db.column(LogicalRouterStaticRoute, uuid, "nexthop")
    router = db.look(ROUTER, owners[0]) if owners else None
    if router is None or not address or not is_address(address):
        return ((),)
    return (RULES.next_hop.apply(Place(owners[0], uuid[:8], router.spelling), address),)


@family(over=LogicalRouterPolicy, emits=[CHAINS, POLICY_GROUPS])
def policy_chains(db: Reader, uuid: Uuid) -> Outputs:
    """The chain that a policy is in, and whether it has several next hops."""
    row = db.row(LogicalRouterPolicy, uuid)
    owners = db.look(POLICY_OF, uuid)
    if row is None or not owners:
        return (), ()
    several = row.action == "reroute" and len(row.nexthops) > 1
    names = (row.chain,) if row.chain else ()
    return tuple((owners[0], name) for name in names), ((owners[0], uuid),) if several else ()


@family(over=LogicalRouterPolicy, emits=[WATCHED_BY_POLICY])
def watched_hops(db: Reader, uuid: Uuid) -> Outputs:
    """The sessions that watch next hops of a policy which there is a way to."""
    row, owners = db.row(LogicalRouterPolicy, uuid), db.look(POLICY_OF, uuid)
    if row is None or not owners or row.action != "reroute" or not row.bfd_sessions:
        return ((),)
    output = None if row.output_port is None else db.column(LogicalRouterPort, row.output_port, "name")
    if output is not None and len(row.nexthops) > 1:
        return ((),)
    watched: list[tuple[Uuid, Uuid]] = []
    for session in sorted(row.bfd_sessions):
        address = db.column(BFD, session, "dst_ip")
        hop = hop_by(ports_of(db, owners[0]), address, output) if address in row.nexthops else ""
        if isinstance(hop, Hop) and hop.label == db.column(BFD, session, "logical_port"):
            watched.append((session, uuid))
    return (tuple(watched),)


@family(over=BFD, emits=[SESSIONS, PROBLEMS])
def sessions(db: Reader, uuid: Uuid) -> Outputs:
    """A BFD session, if its port is there."""
    port, to, min_tx, min_rx, detect_mult = (db.column(BFD, uuid, each) for each in SESSION)
    if not any(db.look(ROUTER_OF, each) for each in db.find(LogicalRouterPort, "name", port)):
        return (), ((uuid, f"BFD session to {to}: there is no router port '{port}'"),)
    needed = bool(db.look(WATCHED, uuid) or db.look(WATCHED_BY_POLICY, uuid))
    timing = (or_default(min_tx, USUAL_TX), or_default(min_rx, USUAL_RX), or_default(detect_mult, USUAL_MULT))
    return (((port, to), Session(*timing, needed)),), ()


def or_default(value: int | None, usual: int) -> int:
    """A number, or what is usual where there is none."""
    return usual if value is None else value


@family(over=NEXT_HOPS, emits=[WATCHED_HOPS])
def watched_next_hops(db: Reader, key: tuple[str, str]) -> Outputs:
    """A next hop with the MAC that a chassis has learned."""
    router = db.look(NEXT_HOPS, key)
    if router is None:
        return (None,)
    address, port = key
    macs = [row.mac for row in db.where(MACBinding, "ip", address) if row.logical_port == port]
    return (NextHop(router, macs[0] if macs else ""),)


@family(over=StaticMACBinding, emits=[STATIC_NEIGHBOURS, PROBLEMS])
def static_neighbours(db: Reader, uuid: Uuid) -> Outputs:
    """A neighbour whose MAC is known beforehand, if its port is there."""
    row = db.row(StaticMACBinding, uuid)
    assert row is not None
    for each in db.find(LogicalRouterPort, "name", row.logical_port):
        for router in db.look(ROUTER_OF, each)[:1]:
            return StaticNeighbour(router, row.logical_port, row.ip, row.mac, row.override_dynamic_mac), ()
    return None, ((uuid, f"static MAC binding of {row.ip}: there is no router port '{row.logical_port}'"),)


@family(over=LogicalRouterPolicy, emits=[FLOWS, PROBLEMS])
def policies(db: Reader, uuid: Uuid) -> Outputs:
    """A policy."""
    owners = db.look(POLICY_OF, uuid)
    row = db.row(LogicalRouterPolicy, uuid)
    router = db.look(ROUTER, owners[0]) if owners else None
    if not owners or row is None or router is None:
        return (), ()
    name = db.column(LogicalRouter, owners[0], "name")
    hops: list[Hop] = []
    wrong: list[tuple[Uuid, str]] = []
    if row.action == "reroute":
        output = None if row.output_port is None else db.column(LogicalRouterPort, row.output_port, "name")
        if output is not None and len(row.nexthops) > 1:
            text = f"policy of priority {row.priority}: one output_port for several next hops"
            return (), ((uuid, f"logical router {name}: {text}"),)
        for address in sorted(row.nexthops):
            hop = hop_by(ports_of(db, owners[0]), address, output)
            if isinstance(hop, str):
                wrong.append((uuid, f"logical router {name}: policy of priority {row.priority}: {hop}"))
            elif monitored_up(db, row, hop):
                hops.append(hop)
        if not hops or (wrong and len(row.nexthops) < 2):
            return (), tuple(wrong)
    chains = db.look(CHAINS, owners[0])
    if row.action == "jump" and row.jump_chain not in chains:
        text = f"policy of priority {row.priority} jumps to chain '{row.jump_chain or ''}', which no policy is in"
        return (), ((uuid, f"logical router {name}: {text}"),)
    several = row.action == "reroute" and len(row.nexthops) > 1
    policy = Policy(
        priority=row.priority,
        match=row.match,
        action=row.action,
        mark=row.options.get("pkt_mark", ""),
        chained=bool(chains),
        chain=chains.index(row.chain) + 1 if row.chain else 0,
        jump=chains.index(row.jump_chain) + 1 if row.action == "jump" and row.jump_chain else 0,
        hops=tuple(hops),
        group=db.look(POLICY_GROUPS, owners[0]).index(uuid) + 1 if several else 0,
    )
    return RULES.policy.apply(Place(owners[0], uuid[:8], router.spelling), router, policy), tuple(wrong)


@family(over=NAT, emits=[FLOWS])
def nat_flows(db: Reader, uuid: Uuid) -> Outputs:
    """A translation on its router, and on the switches around that."""
    owners, nat = db.look(NAT_OF, uuid), db.look(TRANSLATION, uuid)
    router = db.look(ROUTER, owners[0]) if owners else None
    if nat is None or router is None:
        return ((),)
    ports = ports_of(db, owners[0])
    gateway = next((port for port in ports if port.label == nat.gateway), None)
    same_outside = db.look(OUTSIDE, (owners[0], nat.external))
    nat = nat._replace(first=uuid == min(same_outside))
    balanced = is_virtual(db, owners[0], nat.external)  # what is balanced is asked for in its own way
    flows: Provenance = ()
    if gateway is not None or router.chassis:
        flows = RULES.nat.apply(Place(owners[0], uuid[:8], router.spelling), router, nat, gateway)
    else:
        flows = RULES.nat_anywhere.apply(Place(owners[0], uuid[:8], router.spelling), nat)
    for port in ports:
        if nat.adds_route and (bool(router.chassis) if gateway is None else gateway.uuid == port.uuid):
            flows += known_next_door(db, nat, port, uuid)
        for seen, link, switch in () if balanced else seen_from_switches(db, port):
            place = Place(link.switch, uuid[:8], switch.spelling)
            flows += RULES.nat_link.apply(place, switch, router, seen, nat, stand_in(seen, len(router.gateways)))
    return (flows,)


def next_door(db: Reader, port: RouterPort) -> Iterator[tuple[Router, RouterPort]]:
    """Other routers on the same switch as a port, with their ports there."""
    around = (uuid for link in links_of(db, port) for uuid, _ in db.look(ATTACHED, link.switch))
    for each in dict.fromkeys(around):
        other = db.look(ROUTER_PORT, each)
        router = None if other is None or other.router == port.router else db.look(ROUTER, other.router)
        if other is not None and router is not None:
            yield router, other


def known_next_door(db: Reader, nat: Translation, port: RouterPort, uuid: Uuid) -> Provenance:
    """What routers on the same switch as a port know about a translation."""
    flows: Provenance = ()
    for router, other in next_door(db, port):
        place = Place(other.router, uuid[:8], router.spelling)
        flows += RULES.nat_route.apply(place, router, nat, other)
    return flows


def monitored_up(db: Reader, row: LogicalRouterPolicy, hop: Hop) -> bool:
    """Is there no BFD session for a next hop by its port, or is it up?"""
    watching = (hop.address, hop.label)
    sessions = [
        each
        for each in row.bfd_sessions
        if (db.column(BFD, each, "dst_ip"), db.column(BFD, each, "logical_port")) == watching
    ]
    return all(db.column(BFD, each, "status") == "up" for each in sessions)


#: those that come before the flows of switch ports
ROUTER_FAMILIES: tuple[Family, ...] = (
    routers,
    router_ports,
    linked_networks,
    tables_of_ports,
    static_routes,
    learned_routes,
    route_groups,
    translations,
    router_views,
    router_flows,
    router_port_flows,
    route_flows,
    next_hops,
    policy_chains,
    policies,
    watched_hops,
    sessions,
    watched_next_hops,
    static_neighbours,
)
#: those that need to know the switches
NAT_FAMILIES: tuple[Family, ...] = (nat_flows,)
