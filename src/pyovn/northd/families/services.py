"""What the network answers itself: DHCP for ports, names for switches; and who answers external ports."""

from pyovn.incr.engine import Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.addresses import is_address, parsed
from pyovn.northd.model.offers import offers
from pyovn.northd.model.port import Port
from pyovn.northd.model.router_port import own_addresses
from pyovn.northd.model.switch import Switch
from pyovn.northd.relations import ATTACHED, FLOWS, NAMES, PROBLEMS, RELAYS, RESOLVERS, ROUTER, ROUTER_PORT, Names
from pyovn.northd.rules import RULES
from pyovn.tables.nb import DNS, DHCPOptions, DHCPRelay, LogicalRouterPort, LogicalSwitch, LogicalSwitchPort

Outputs = tuple[object, ...]


@family(over=DNS, emits=[NAMES])
def names(db: Reader, uuid: Uuid) -> Outputs:
    """The names of a row, if any switch answers for them."""
    switches = db.look(RESOLVERS, uuid)
    row = db.row(DNS, uuid)
    if row is None or not switches:
        return (None,)
    return (Names(row.records, row.options.get("ovn-owned", "").lower() == "true", switches),)


Served = tuple[Provenance, tuple[tuple[Uuid, str], ...]]


def served(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> Served:
    """The flows that answer a port, or have it answered elsewhere, and what is wrong with how."""
    row = port.row
    flows: Provenance = ()
    problems: tuple[tuple[Uuid, str], ...] = ()
    if row.type == "external":
        flows = served_elsewhere(db, switch, port, datapath)
    elif switch.relays_dhcp and row.type == "":
        flows = relayed(db, switch, port, datapath)
    if row.dhcpv4_options or row.dhcpv6_options:
        answers, problems = offered(db, switch, port, datapath)
        flows += answers
    return flows, problems


def offered(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> Served:
    """The flows that answer a port by DHCP, and what is wrong with its options."""
    row = port.row
    flows: Provenance = ()
    problems: list[tuple[Uuid, str]] = []
    if row.type == "router" or not port.shape.enabled:
        return (), ()
    if switch.relays_dhcp:
        text = f"logical switch port {row.name}: DHCP options have no effect: its switch relays DHCP"
        return (), ((row.uuid, text),)
    if row.type == "external" and (row.ha_chassis_group is None or not switch.localnets):
        return (), ()
    for version, uuid in ((4, row.dhcpv4_options), (6, row.dhcpv6_options)):
        options = None if uuid is None else db.row(DHCPOptions, uuid)
        if uuid is None or options is None:
            continue
        found, wrong = offers(options, version, port)
        if wrong:
            problems.append((row.uuid, f"logical switch port {row.name}: {wrong}"))
        place = Place(datapath, uuid[:8], switch.spelling)
        for offer in found:
            flows += RULES.offer.apply(place, port, offer)
    return flows, tuple(problems)


@family(over=LogicalRouterPort, emits=[FLOWS, RELAYS, PROBLEMS])
def relays(db: Reader, uuid: Uuid) -> Outputs:
    """A router port that passes on what guests of its switch ask, if the switch wants that."""
    relay = db.column(LogicalRouterPort, uuid, "dhcp_relay")
    port = db.look(ROUTER_PORT, uuid)
    row = None if relay is None else db.row(DHCPRelay, relay)
    if port is None or port.link is None or row is None:
        return (), (), ()
    config = db.column(LogicalSwitch, port.link.switch, "other_config") or {}
    if "dhcp_relay_port" not in config:
        return (), (), ()
    server = row.servers or ""
    asked = ((port.link.switch, (port.link.name, port.mac)),) if config["dhcp_relay_port"] == port.link.name else ()
    if not port.ip4 or not is_address(server) or ":" in server:
        wrong = f"'{server}' is no IPv4 address of a server" if port.ip4 else "it has no IPv4 address to relay from"
        taken = asked if not port.ip4 and is_address(server) else ()  # nobody else is to get the requests
        return (), taken, ((uuid, f"logical router port {port.label}: DHCP relay {row.name}: {wrong}"),)
    router = db.look(ROUTER, port.router)
    if router is None:
        return (), asked, ()
    flows = RULES.relay.apply(Place(port.router, uuid[:8], router.spelling), port, server)
    return flows, asked, ()


def relayed(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> Provenance:
    """The flows that take a guest's requests to the relay."""
    place = Place(datapath, port.row.uuid[:8], switch.spelling)
    flows: Provenance = ()
    for way, mac in db.look(RELAYS, datapath):
        flows += RULES.relayed.apply(place, port, way, mac)
    return flows


def served_elsewhere(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> Provenance:
    """The flows that keep routers on other chassis from answering an external port."""
    place = Place(datapath, port.row.uuid[:8], switch.spelling)
    flows: Provenance = ()
    for uuid, _ in db.look(ATTACHED, datapath):
        peer = db.look(ROUTER_PORT, uuid)
        way = None if peer is None or peer.link is None else db.row(LogicalSwitchPort, peer.link.port)
        if peer is None or way is None:
            continue
        own = (own_addresses(peer),) if "router" in way.addresses else ()
        for addresses in parsed(way.addresses) + own:
            flows += RULES.outside.apply(place, switch, port, addresses)
    return flows
