"""Addresses that the controller announces (gratuitous ARP) on a switch, for a router: `Port_Binding.nat_addresses`.

    "MAC IP… is_chassis_resident("cr-r1-pub")"     by the chassis that the condition names; without it, by the router's

The outside addresses of translations, and the virtual ones of load balancers, where `options:nat-addresses=router`
asks for them; the router's own where it is reached by one chassis only.
"""

from collections.abc import Iterable

from pyovn.incr.engine import Reader
from pyovn.net.errors import Malformed
from pyovn.northd.model.addresses import parse_addresses
from pyovn.northd.model.port import Port, quoted
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.virtual import virtual_of
from pyovn.northd.relations import NAT_FACTS


def announced(db: Reader, port: Port, router: Router, peer: RouterPort) -> frozenset[str]:
    """What is announced on the switch that `port` belongs to."""
    wanted = port.options.get("nat-addresses", "")
    central = bool(router.chassis) or bool(router.gateways)
    found: list[str] = []
    if wanted == "router" and central:
        shared = () if port.options.get("exclude-lb-vips-from-garp") == "true" else virtual_of(db, peer.router)
        found += of_translations(db, router, peer, {each.address: None for each in shared})
    elif wanted and wanted != "router" and central:
        found += verbatim(wanted, router, peer)
    if port.options.get("exclude-router-ips-from-garp") != "true" and (where := confinement(router, peer)) is not None:
        found.append(" ".join((peer.mac, *(each.address for each in peer.ip4))) + where)
    return frozenset(found)


def confinement(router: Router, peer: RouterPort) -> str | None:
    """Where the router's own addresses are announced from; None if nowhere."""
    if router.chassis:
        return "" if peer.physical else None
    if peer.gateway:
        return f" {peer.resident}"
    resides = peer.options.get("reside-on-redirect-chassis") == "true"
    return f" is_chassis_resident({quoted(f'cr-{router.only_gateway}')})" if resides and router.only_gateway else None


def of_translations(db: Reader, router: Router, peer: RouterPort, virtual: Iterable[str]) -> list[str]:
    """The outside addresses that are done at the port, and virtual ones."""
    own = {each.address for each in peer.ip4}
    nats = [nat for nat in db.look(NAT_FACTS, peer.router) if nat.ip == "ip4" and nat.external not in own]
    if not router.chassis and not router.only_gateway:
        nats = [nat for nat in nats if nat.gateway == peer.label]
    if router.chassis:
        nats = [nat._replace(told_mac="") for nat in nats]
    found = [f"{nat.told_mac} {nat.external} is_chassis_resident({nat.told_port})" for nat in nats if nat.told_mac]
    central = [*sorted({nat.external for nat in nats if not nat.told_mac}), *virtual]
    if central:
        where = f" {peer.resident}" if peer.gateway else ""
        found.append(f"{peer.mac} {' '.join(central)}{where}")
    return found


def verbatim(text: str, router: Router, peer: RouterPort) -> list[str]:
    """What the administrator wants announced."""
    try:
        parse_addresses(text)
    except (Malformed, ValueError):
        return []
    if router.chassis:
        return [text]
    gateway = peer.label if peer.gateway else router.first_gateway
    return [f"{text} is_chassis_resident({quoted(f'cr-{gateway}')})"]
