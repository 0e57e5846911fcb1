"""Translations of addresses as their rules see them."""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, ip_str
from pyovn.net.mac import mac_int, mac_str
from pyovn.northd.model.networks import parse_network
from pyovn.northd.model.port import quoted
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.routes import networks, within
from pyovn.tables.nb import NAT

SNAT, DNAT, BOTH = "snat", "dnat", "dnat_and_snat"
BITS = {"ip4": 32, "ip6": 128}
WHOLE = {4: "/32", 6: "/128"}  #: prefix lengths of single addresses, by version
ADDRESS = re.compile(r"[0-9A-Fa-f:.]+")


class Translation(NamedTuple):
    """A translation that can be carried out."""

    type: str
    ip: str  #: "ip4" or "ip6"
    external: str
    logical: str  #: an address, or a network of snat
    length: int
    mac: str  #: of a distributed one: the address is where its port is
    port: str  #: that port, as a string
    stateless: bool
    range: str  #: `external_port_range`
    priority: int
    match: str
    allowed: str  #: the name of an address set: only for these on the outside
    exempted: str  #: likewise: not for these
    sender: str  #: likewise the MAC, even without a port
    told_mac: str  #: like `mac` and `port`, even if packets go by the gateway all the same
    told_port: str
    gateway: str  #: the distributed gateway port it belongs to, by name; none on a gateway router
    virtual: bool = False  #: the port of a distributed one is where it was last announced from
    adds_route: bool = False  #: neighbouring routers know the outside address
    first: bool = True  #: of those with the same outside address

    @property
    def nearest(self) -> str:
        """The name of the port whose chassis translates: a guest's, or the gateway; none on a gateway router."""
        return str(json.loads(self.port)) if self.port else self.gateway


class Sets(NamedTuple):
    """The names of address sets that a translation refers to."""

    allowed: str
    exempted: str


def translation(row: NAT, sets: Sets, gateway: RouterPort | None, *, central: bool) -> Translation | str:
    """The translation that a row asks for, or what is wrong with it; `central` where nothing is distributed."""
    try:
        version, value = ip_parse(row.external_ip)
    except Malformed:
        return f"bad external address '{row.external_ip}'"
    inside = parse_network(row.logical_ip)
    if inside is None or (version == 6) != inside[0]:
        return f"bad logical address '{row.logical_ip}'"
    ip, network = f"ip{version}", inside[1]
    if row.type != SNAT and network.length != BITS[ip]:
        return f"logical address '{row.logical_ip}' of {row.type} is a network"
    if row.allowed_ext_ips is not None and row.exempted_ext_ips is not None:
        return "both allowed_ext_ips and exempted_ext_ips are set"
    mac = port = sender = ""
    if row.type == BOTH and row.external_mac:
        try:
            sender = mac_str(mac_int(row.external_mac))
        except (Malformed, ValueError):
            return f"bad external MAC address '{row.external_mac}'"
        if row.logical_port:
            mac, port = sender, quoted(row.logical_port)
    told = (mac, port)
    if gateway is None or central:
        mac = port = ""
    return Translation(
        type=row.type,
        ip=ip,
        external=ip_str(version, value),
        logical=network.network,
        length=network.length,
        mac=mac,
        port=port,
        stateless=row.type == BOTH and row.options.get("stateless") == "true",
        range=row.external_port_range,
        priority=row.priority,
        match=row.match,
        allowed=sets.allowed,
        exempted=sets.exempted,
        sender=sender,
        told_mac=told[0],
        told_port=told[1],
        gateway="" if gateway is None else gateway.label,
        adds_route=row.options.get("add_route") == "true" and row.type != SNAT and ip == "ip4",
    )


def gateway_for(row: NAT, gateways: Sequence[RouterPort]) -> RouterPort | str:
    """The distributed gateway port that a translation is done at, or why there is none."""
    if row.gateway_port is not None:
        found = next((port for port in gateways if port.uuid == row.gateway_port), None)
        return "its gateway_port is no distributed gateway port of the router" if found is None else found
    if len(gateways) == 1:
        return gateways[0]
    try:
        version, value = ip_parse(row.external_ip)
    except Malformed:
        return f"bad external address '{row.external_ip}'"
    found = next((port for port in gateways if within(networks(port, version), value)), None)
    return "several gateway ports, and gateway_port does not say which" if found is None else found


def forced(text: str) -> tuple[str, ...]:
    """Addresses of `dnat_force_snat_ip` and `lb_force_snat_ip`; none where two are of one version, or one is a network.

    Nothing is read beyond the first thing that is no address.
    """
    found: dict[int, str] = {}
    for word in text.split():
        start = ADDRESS.match(word)
        try:
            version, value = ip_parse(start.group() if start else "")
        except Malformed:
            break
        rest = word[start.end() :] if start else ""
        if version in found or (rest.startswith("/") and rest != WHOLE[version]):
            return ()
        found[version] = ip_str(version, value)
        if rest and not rest.startswith("/"):
            break
    return tuple(found[version] for version in sorted(found))
