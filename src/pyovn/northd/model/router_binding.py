"""What the southbound database says about a router port: its Port_Bindings, and the groups it floods with.

r1-s1       patch, or l3gateway on a gateway router       options: peer, l3gateway-chassis, ipv6_*
cr-r1-s1    chassisredirect: a distributed gateway port on the chassis of its gateway
"""

from collections.abc import Iterable

from pyovn.incr.engine import Reader
from pyovn.net.uuids import Uuid
from pyovn.northd.model.binding import chassis_named
from pyovn.northd.model.dynamic import told_to_controllers
from pyovn.northd.model.networks import parse_network
from pyovn.northd.model.options import number
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.relations import STATIC, Binding, Group
from pyovn.tables.nb import GatewayChassis, HAChassis, HAChassisGroup, LogicalRouter, LogicalRouterPort
from pyovn.tables.sb import Chassis

RA_INTERVAL = (4, 600, 1800)  #: least, usual, most; seconds
LEAST_RA = 3
#: a port's part in prefix delegation: asking for prefixes, and getting one → what the controller is told
DELEGATION = {"prefix_delegation": "ipv6_prefix_delegation", "prefix": "ipv6_prefix"}
MODES = frozenset(("slaac", "dhcpv6_stateful", "dhcpv6_stateless"))


def router_bindings(
    db: Reader, router: Router, port: RouterPort, row: LogicalRouterPort, peer: RouterPort | None, *, always: bool
) -> tuple[tuple[str, Binding], ...]:
    """The bindings of a port; `always` where even packets of distributed translations go by the gateway."""
    options: dict[str, str] = {}
    if port.link is not None:
        options["peer"] = port.link.name
        if port.enabled:
            options.update((name, "true") for key, name in DELEGATION.items() if row.options.get(key) == "true")
    elif peer is not None:
        options["peer"] = peer.label
    kind = "patch"
    requested = None
    if router.chassis:
        kind, options["l3gateway-chassis"] = "l3gateway", router.chassis
    elif name := row.options.get("requested-chassis"):
        there = chassis_named(db, name)
        if there is not None and (db.column(Chassis, there, "other_config") or {}).get("is-remote") == "true":
            kind, requested = "remote", there
            options["requested-chassis"] = name
    router_options = db.column(LogicalRouter, port.router, "options") or {}
    told = told_to_controllers(router_options, row.options, here=bool(router.chassis))
    options.update(periodic(port, row))
    options.update(told)
    if port.gateway and "peer" in options:
        options["chassis-redirect-port"] = f"cr-{row.name}"
    bound = Binding(
        datapath=port.router,
        type=kind,
        options=options,
        mac=frozenset((written(port, row.networks),)),
        port_security=frozenset(),
        external_ids=row.external_ids,
        requested_key=number(row.options.get("requested-tnl-key")),
        requested_chassis=requested,
    )
    if not port.gateway:
        return ((row.name, bound),)
    redirect = {"distributed-port": row.name}
    if always and row.options.get("redirect-type") != "bridged":
        redirect["always-redirect"] = "true"
    if how := row.options.get("redirect-type"):
        redirect["redirect-type"] = how
    redirect.update(told_to_controllers(router_options, row.options, here=True))
    stand_in = bound._replace(
        type="chassisredirect",
        options=redirect,
        requested_key=None,
        requested_chassis=None,
        ha_chassis_group=group_name(db, row),
    )
    return (row.name, bound), (f"cr-{row.name}", stand_in)


def written(port: RouterPort, networks: Iterable[str]) -> str:
    """The MAC and the networks of a port; its own link-local address only where somebody says that it is there."""
    own = (parsed for text in networks if text[:2] in ("fe", "FE") and (parsed := parse_network(text)) is not None)
    is_told = any(each.address == port.link_local.address for _, each in own)
    known = (*port.ip4, *(port.ip6 if is_told else port.ip6[:-1]))
    return " ".join((port.mac, *(f"{each.address}/{each.length}" for each in known)))


def periodic(port: RouterPort, row: LogicalRouterPort) -> dict[str, str]:
    """What the controller needs to send router advertisements unasked."""
    configured = row.ipv6_ra_configs
    mode = configured.get("address_mode")
    if configured.get("send_periodic") != "true" or mode not in MODES or port.link is None:
        return {}
    prefixes = [each.prefix for each in port.ip6[:-1] if not each.is_link_local]
    least, usual, most = RA_INTERVAL
    longest = min(max(number(configured.get("max_interval")) or usual, least), most)
    shortest = number(configured.get("min_interval")) or (longest // 3 if longest >= 9 else longest * 3 // 4)
    found = {
        "ipv6_ra_send_periodic": "true",
        "ipv6_ra_address_mode": mode,
        "ipv6_ra_max_interval": str(longest),
        "ipv6_ra_min_interval": str(min(max(shortest, LEAST_RA), longest * 3 // 4)),
        "ipv6_ra_src_eth": port.mac,
        "ipv6_ra_src_addr": port.link_local.address,
        "ipv6_ra_prefixes": " ".join((*prefixes, *sorted(row.ipv6_prefix))),
        "ipv6_ra_prf": configured.get("router_preference", "MEDIUM"),
    }
    if (number(configured.get("mtu")) or 0) >= 1280:
        found["ipv6_ra_mtu"] = configured["mtu"]
    for key in ("rdnss", "dnssl", "route_info"):
        if value := configured.get(key):
            found[f"ipv6_ra_{key}"] = value
    return found


def group_name(db: Reader, row: LogicalRouterPort) -> str:
    """The HA_Chassis_Group of a gateway port."""
    group = None if row.ha_chassis_group is None else db.row(HAChassisGroup, row.ha_chassis_group)
    return row.name if group is None else group.name


def ha_members(db: Reader, row: LogicalRouterPort) -> tuple[tuple[str, frozenset[tuple[str, int]]], ...]:
    """The chassis that may be a port's gateway, by the name of their group."""
    group = None if row.ha_chassis_group is None else db.row(HAChassisGroup, row.ha_chassis_group)
    if group is not None:
        members = [member for each in group.ha_chassis if (member := db.row(HAChassis, each))]
        return ((group.name, frozenset((each.chassis_name, each.priority) for each in members)),)
    gateways = [gateway for each in row.gateway_chassis if (gateway := db.row(GatewayChassis, each))]
    if not gateways:
        return ()
    return ((row.name, frozenset((each.chassis_name, each.priority) for each in gateways)),)


def stands_for(port: RouterPort) -> str:
    """The port by which multicast leaves: of a gateway, the one on its chassis."""
    return f"cr-{port.label}" if port.gateway else port.label


def flooded(port: RouterPort) -> tuple[tuple[tuple[Uuid, Group], str], ...]:
    """The multicast group of a router for a network that takes all multicast."""
    wants = port.enabled and port.options.get("mcast_flood") == "true"
    return (((port.router, STATIC), stands_for(port)),) if wants else ()
