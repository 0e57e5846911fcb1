"""What the network answers itself: DHCP for ports, names for switches; and who answers external ports."""

from pyovn.incr.engine import Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.addresses import parsed
from pyovn.northd.model.offers import offers
from pyovn.northd.model.port import Port
from pyovn.northd.model.router_port import own_addresses
from pyovn.northd.model.switch import Switch
from pyovn.northd.relations import ATTACHED, NAMES, RESOLVERS, ROUTER_PORT, Names
from pyovn.northd.rules import RULES
from pyovn.tables.nb import DNS, DHCPOptions, LogicalSwitchPort

Outputs = tuple[object, ...]


@family(over=DNS, emits=[NAMES])
def names(db: Reader, uuid: Uuid) -> Outputs:
    """The names of a row, if any switch answers for them."""
    switches = db.look(RESOLVERS, uuid)
    row = db.row(DNS, uuid)
    if row is None or not switches:
        return (None,)
    return (Names(row.records, row.options.get("ovn-owned", "").lower() == "true", switches),)


def offered(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> tuple[Provenance, tuple[tuple[Uuid, str], ...]]:
    """The flows that answer a port by DHCP, and what is wrong with its options."""
    row = port.row
    flows: Provenance = ()
    problems: list[tuple[Uuid, str]] = []
    if row.type == "router" or not port.shape.enabled:
        return (), ()
    if row.type == "external" and (row.ha_chassis_group is None or not switch.localnets):
        return (), ()
    for version, uuid in ((4, row.dhcpv4_options), (6, row.dhcpv6_options)):
        options = None if uuid is None else db.row(DHCPOptions, uuid)
        if uuid is None or options is None:
            continue
        found, wrong = offers(options, version, port)
        if wrong:
            problems.append((row.uuid, f"logical switch port {row.name}: {wrong}"))
        place = Place(datapath, uuid[:8], switch.settings.drop)
        for offer in found:
            flows += RULES.offer.apply(place, port, offer)
    return flows, tuple(problems)


def served_elsewhere(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> Provenance:
    """The flows that keep routers on other chassis from answering an external port."""
    place = Place(datapath, port.row.uuid[:8], switch.settings.drop)
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
