"""Load balancers as the rules see them.

vips     "30.0.0.1:80" → "10.0.0.1:8080,10.0.0.2:8080"       ports on both sides, or on neither
         "[fd30::1]:80" → "[fd00::1]:8080"
         "^vip:^port"   → "^backends"                         a template: chassis know what it means
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, ip_str
from pyovn.northd.model.options import number
from pyovn.northd.model.port import quoted
from pyovn.tables.nb import LoadBalancer

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
MOST_AFFINITY_S = 65535
VARIABLE = "^"  #: with which the name of a variable starts
NOWHERE = -1  #: the value of an address that only chassis know
FAMILIES = {"ipv4": "ip4", "ipv6": "ip6"}  #: `options:address-family` of templates
REACHABLE, ALL, NONE = "reachable", "all", "none"  #: `neighbor_responder`: those in a network of the router, …


class Backend(NamedTuple):
    """Where connections go."""

    ip: str  #: "ip4" or "ip6"
    address: str
    port: int | str  #: 0 for that of the packet; of a template perhaps a variable
    local: str = ""  #: the logical port it is at, as a string; known for distributed load balancers

    def __str__(self) -> str:
        return spelled(self.address, self.port)


class Vip(NamedTuple):
    """A virtual address with its backends."""

    ip: str
    address: str
    port: int | str  #: 0 for all of the address; of a template perhaps a variable
    text: str  #: as it is configured
    backends: tuple[Backend, ...]
    choice: str  #: the backends that can be chosen, as an action has them

    @property
    def varies(self) -> bool:
        """Is the address a variable of chassis?"""
        return VARIABLE in self.address

    @property
    def value(self) -> int:
        """The address as a number; NOWHERE for a variable."""
        return NOWHERE if self.varies else ip_parse(self.address)[1]


class Balancer(NamedTuple):
    """What decides about the flows of a load balancer."""

    uuid: str
    protocol: str
    vips: tuple[Vip, ...]
    refuses: bool  #: `options:reject`: without backends connections are refused, not dropped
    tells: bool  #: `options:event`: without backends the controller is told
    hash_fields: str  #: `selection_fields`
    affinity_s: int  #: `options:affinity_timeout`; 0: none
    distributed: bool  #: `options:distributed`: only to backends on the same chassis
    keeps_source: bool  #: `options:skip_snat`: on a router, no SNAT whatever else is configured
    stateless: bool  #: `options:use_stateless_nat`: where there are several gateways, without conntrack
    answers: str  #: `options:neighbor_responder`: for which addresses routers answer ARP and ND
    routed: bool  #: `options:add_route`: routers next to one that has it know the way to its addresses


class Virtual(NamedTuple):
    """What a router has to know about an address of one of its load balancers."""

    address: str
    value: int  #: as a number
    ip: str
    answers: str  #: REACHABLE, ALL or NONE


class Answering(NamedTuple):
    """The virtual addresses of a router, or of a group of load balancers, by version of IP."""

    everywhere: Mapping[str, frozenset[str]]  #: those that routers answer for anyhow
    nearby: Mapping[str, tuple[tuple[int, str], ...]]  #: those for which they do so in their network, by number


class Mapped(NamedTuple):
    """Where a backend is, and where its probes come from: a value of `ip_port_mappings`."""

    logical_port: str
    src_ip: str  #: none where it does not say


def spelled(address: str, port: int | str) -> str:
    """An address with a port, if there is one."""
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def parse_endpoint(text: str) -> tuple[str, str, int]:
    """(ip4 or ip6, address, port or 0); raises Malformed."""
    address, port = text, ""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        if rest[:1] not in ("", ":"):
            raise Malformed(f"{text}: invalid address and port")
        port = rest[1:]
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise Malformed(f"{text}: invalid port")
    version, value = ip_parse(address)
    return f"ip{version}", ip_str(version, value), int(port or 0)


def balancer(row: LoadBalancer) -> tuple[Balancer, tuple[str, ...]]:
    """The view of a load balancer, and what is wrong with it."""
    wrong: list[str] = []
    options = row.options
    distributed = options.get("distributed") == "true"
    places = {address: quoted(each.logical_port) for address, each in mappings(row).items()} if distributed else {}
    family = template_family(row)
    vips = []
    for text, backends in sorted(row.vips.items()):
        try:
            if family:
                found = template_vip(text, backends, family)
            else:
                found = parsed_vip(text, backends, places if distributed else None, wrong)
        except Malformed as fault:
            wrong.append(f"vip {text}: {fault}")
            continue
        vips.append(found)
    protocol = row.protocol or "tcp"
    kind = f"{row.protocol}_" if row.protocol else "tp_"
    fields = ",".join(field.replace("tp_", kind) for field in sorted(row.selection_fields))
    affinity = number(options.get("affinity_timeout")) or 0
    view = Balancer(
        uuid=row.uuid,
        protocol=protocol,
        vips=tuple(vips),
        refuses=options.get("reject") == "true",
        tells=options.get("event") == "true",
        hash_fields=fields,
        affinity_s=min(affinity, MOST_AFFINITY_S),
        distributed=distributed,
        keeps_source=options.get("skip_snat") == "true",
        stateless=options.get("use_stateless_nat") == "true",
        answers=options.get("neighbor_responder", REACHABLE),
        routed=options.get("add_route") == "true",
    )
    name = f"load balancer {row.name or row.uuid}"
    return view, tuple(f"{name}: {each}" for each in wrong)


def parsed_vip(text: str, backends: str, places: Mapping[str, str] | None, wrong: list[str]) -> Vip:
    """A virtual address; bad backends are left out and noted in `wrong`.  Raises Malformed."""
    ip, address, port = parse_endpoint(text)
    found: list[Backend] = []
    for each in backends.split(","):
        try:
            backend = Backend(*parse_endpoint(each.strip())) if each.strip() else None
        except Malformed as fault:
            wrong.append(f"vip {text}: backend {each}: {fault}")
            continue
        if backend is None:
            continue
        if backend.ip != ip or bool(backend.port) != bool(port):
            wrong.append(f"vip {text}: backend {each} does not fit it")
            continue
        if places is not None:
            if backend.address not in places:
                wrong.append(f"vip {text}: backend {each} has no ip_port_mappings and is not used")
            backend = backend._replace(local=places.get(backend.address, ""))
        found.append(backend)
    if places is None:
        choice = ",".join(map(str, found))
    else:
        choice = ",".join(f"{each.local}:{each}" for each in found if each.local)
    return Vip(ip, address, port, text, tuple(found), choice)


def template_family(row: LoadBalancer) -> str:
    """The version of IP of a template; none for what is no template."""
    if row.options.get("template") != "true":
        return ""
    return FAMILIES.get(row.options.get("address-family", "ipv4"), "ip4")


def template_vip(text: str, backends: str, ip: str) -> Vip:
    """A virtual address of a template; its backends may be spelled by variables.  Raises Malformed."""
    address, port = template_endpoint(text, ip)
    each = tuple(Backend(ip, *template_endpoint(one.strip(), ip)) for one in backends.split(",") if one.strip())
    choice = ",".join(one.strip() for one in backends.split(",") if one.strip())
    return Vip(ip, address, port, template_text(text, ip), each, choice)


def template_endpoint(text: str, ip: str) -> tuple[str, int | str]:
    """Address and port, each perhaps a variable.  Raises Malformed."""
    if VARIABLE not in text:
        found = parse_endpoint(text)
        if found[0] != ip:
            raise Malformed(f"{text}: not of the template's address family")
        return found[1:]
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, port.removeprefix(":") or 0
    address, _, port = text.partition(":")
    return address, port or 0


def template_text(text: str, ip: str) -> str:
    """How an endpoint of a template is told to chassis: as it is, IPv6 addresses before ports in brackets."""
    address, port = template_endpoint(text, ip) if text else ("", 0)
    return f"[{address}]:{port}" if ip == "ip6" and port else text


def told(row: LoadBalancer) -> Mapping[str, str]:
    """The virtual addresses as the southbound database has them."""
    family = template_family(row)
    if family != "ip6":
        return row.vips
    found: dict[str, str] = {}
    for text, backends in row.vips.items():
        try:
            found[template_text(text, family)] = backends
        except Malformed:
            found[text] = backends
    return found


def answering(found: Iterable[Virtual]) -> Answering:
    """Which of the virtual addresses routers answer for, and where."""
    everywhere: dict[str, set[str]] = {}
    nearby: dict[str, set[tuple[int, str]]] = {}
    for each in found:
        if each.value != NOWHERE and each.answers == ALL:
            everywhere.setdefault(each.ip, set()).add(each.address)
        elif each.value != NOWHERE and each.answers == REACHABLE:
            nearby.setdefault(each.ip, set()).add((each.value, each.address))
    return Answering(
        {ip: frozenset(addresses) for ip, addresses in everywhere.items()},
        {ip: tuple(sorted(numbered)) for ip, numbered in nearby.items()},
    )


def mappings(row: LoadBalancer) -> dict[str, Mapped]:
    """Backend addresses → where they are; those that make no sense are left out."""
    found: dict[str, Mapped] = {}
    for backend, place in row.ip_port_mappings.items():
        port, _, source = place.partition(":")
        source = source[1:].partition("]")[0] if source.startswith("[") else source.partition(":")[0]
        try:
            address = parse_endpoint(backend if backend.startswith("[") or ":" not in backend else f"[{backend}]")[1]
            found[address] = Mapped(port, ip_str(*ip_parse(source)) if source else "")
        except Malformed:
            continue
    return found
