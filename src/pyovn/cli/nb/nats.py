"""`lr-nat-*`: address translation on routers."""

import re

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.acls import parse_priority
from pyovn.cli.nb.lookup import ADDRESS_SET, PORT, PORT_NAMES, ROUTER, ROUTER_PORT, must_find
from pyovn.cli.nb.prefixes import address, prefix
from pyovn.net.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("NAT commands")

TABLE = "NAT"
NATS = (
    "Logical_Router name nat ports",
    "NAT type external_ip logical_ip external_port_range logical_port external_mac gateway_port match priority options",
    "Logical_Router_Port name networks gateway_chassis ha_chassis_group",
    PORT_NAMES,
)
TYPES = ("dnat", "snat", "dnat_and_snat")
HIGHEST_PORT = 65535
WIDTHS = (17, 22, 22, 19, 17, 20, 21)
HEADINGS = (
    "TYPE", "GATEWAY_PORT", "MATCH", "EXTERNAL_IP", "EXTERNAL_PORT", "LOGICAL_IP", "EXTERNAL_MAC", "LOGICAL_PORT",
)  # fmt: skip
LISTED = (
    "type", "gateway_port", "match", "external_ip", "external_port_range", "logical_ip", "external_mac", "logical_port",
)  # fmt: skip

_PORT_RANGE = re.compile(r"(\d+)(?:-(\d+))?").fullmatch


def _check_type(text: str) -> None:
    if text not in TYPES:
        raise CtlError(f'{text}: type must be one of "dnat", "snat" and "dnat_and_snat".')


def _nats(ctl: "Ctl", router: "Row") -> "list[Row]":
    return ctl.view.referred(TABLE, list(router["nat"]))


class Gateways:
    """The distributed gateway ports of a router."""

    __slots__ = ("ports",)

    def __init__(self, ctl: "Ctl", router: "Row") -> None:
        rows = ctl.view.referred("Logical_Router_Port", router["ports"])
        self.ports = [row for row in rows if row["gateway_chassis"] or row["ha_chassis_group"]]

    def of(self, explicit: str | None, external_ip: str) -> str | None:
        """The gateway port of a NAT: as it says, or the only one there is, or the one whose network it is in."""
        if explicit is not None or not self.ports:
            return explicit
        if len(self.ports) == 1:
            return self.ports[0].uuid
        for port in self.ports:
            if any(_covers(network, external_ip) for network in port["networks"]):
                return port.uuid
        return None


def _covers(network: str, ip: str) -> bool:
    length = network.partition("/")[2]
    return bool(length) and prefix(f"{ip}/{length}") == prefix(network)


class Wanted:
    """A NAT that is to be added, checked as far as it can be by itself."""

    __slots__ = ("external_ip", "is_stateless", "logical_ip", "match", "type")

    def __init__(self, ctl: "Ctl", type_: str, external_ip: str, logical_ip: str) -> None:
        _check_type(type_)
        external = address(external_ip)
        if external is None:
            raise CtlError(f"{external_ip}: Not a valid IPv4 or IPv6 address.")
        version = external[0]
        logical = prefix(logical_ip) if type_ == "snat" else address(logical_ip)
        if logical is None or logical[0] != version:
            if type_ == "snat":
                raise CtlError(f"{logical_ip}: should be an IPv{version} address or network.")
            raise CtlError(f"{logical_ip}: Not a valid IPv{version} address.")
        self.type = type_
        self.external_ip = external_ip
        self.logical_ip = logical[1]
        self.is_stateless = ctl.has("--stateless")
        self.match = ctl.option("--match") or ""

    @property
    def sort(self) -> tuple[str, str]:
        """What there should be only one of for each kind of NAT: the column's name and the value."""
        return ("logical_ip", self.logical_ip) if self.type == "snat" else ("external_ip", self.external_ip)


@command(
    "lr-nat-add",
    "ROUTER TYPE EXTERNAL_IP LOGICAL_IP [LOGICAL_PORT EXTERNAL_MAC] [EXTERNAL_PORT_RANGE]",
    options="--may-exist --stateless --portrange --add-route --gateway-port= --priority= --match=",
    reads=NATS,
)
def lr_nat_add(
    ctl: "Ctl",
    router_name: str,
    type_: str,
    external_ip: str,
    logical_ip: str,
    fifth: str | None = None,
    sixth: str | None = None,
    seventh: str | None = None,
) -> None:
    """Add a NAT to ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    wanted = Wanted(ctl, type_, external_ip, logical_ip)
    port, mac, ports = _placement(ctl, type_, (fifth, sixth, seventh))
    _check_options(ctl, type_)
    gateway = _gateway(ctl, router, wanted)
    columns: dict[str, object] = {"logical_port": port, "external_mac": mac}
    if ctl.has("--match"):
        columns["match"] = wanted.match
    if (priority := ctl.option("--priority")) is not None:
        columns["priority"] = parse_priority(priority)
    same = _equal(ctl, router, wanted, gateway)
    if same is not None:
        for column, value in columns.items():
            same[column] = value
        return
    nat = ctl.view.insert(TABLE, type=type_, external_ip=external_ip, logical_ip=wanted.logical_ip, **columns)
    nat["external_port_range"] = ports
    nat["options"] = {"stateless": "true" if wanted.is_stateless else "false"}
    if ctl.has("--add-route"):
        nat.put("options", "add_route", "true")
    if ctl.has("--gateway-port"):
        nat["gateway_port"] = gateway
    router.add("nat", nat.uuid)


def _placement(ctl: "Ctl", type_: str, words: tuple[str | None, ...]) -> tuple[str | None, str | None, str]:
    """Logical port, external MAC and port range from the words that may follow the addresses."""
    from pyovn.net.mac import mac_int

    given = [word for word in words if word is not None]
    ranges = ""
    if len(given) == 3 or (ctl.has("--portrange") and len(given) == 1):
        ranges = _port_range(given.pop())
    if not given:
        return None, None, ranges
    if len(given) == 1 or (ctl.has("--portrange") and not ranges):
        raise CtlError("lr-nat-add with logical_port must also specify external_mac.")
    if type_ != "dnat_and_snat":
        raise CtlError('logical_port and external_mac are only valid when type is "dnat_and_snat".')
    must_find(ctl.view, PORT, given[0])
    try:
        mac_int(given[1])
    except Malformed:
        raise CtlError(f"invalid mac address {given[1]}.") from None
    return given[0], given[1], ranges


def _port_range(text: str) -> str:
    found = _PORT_RANGE(text)
    low, high = (int(found[1]), found[2]) if found else (0, None)
    if not low or (high is not None and not low < int(high) <= HIGHEST_PORT):
        raise CtlError(f"invalid port range {text}.")
    return text


def _check_options(ctl: "Ctl", type_: str) -> None:
    if ctl.has("--stateless") and type_ != "dnat_and_snat":
        raise CtlError("stateless is not applicable to dnat or snat types")
    if ctl.has("--add-route") and type_ == "snat":
        raise CtlError("routes cannot be added for snat types.")
    if ctl.has("--priority") and not ctl.has("--match"):
        raise CtlError("priority can be set only with --match option.")


def _gateway(ctl: "Ctl", router: "Row", wanted: Wanted) -> str | None:
    """The gateway port that the NAT will work on, if the router has several."""
    gateways = Gateways(ctl, router)
    name = ctl.option("--gateway-port")
    if name is not None:
        port = must_find(ctl.view, ROUTER_PORT, name)
        if port.uuid not in router["ports"]:
            raise CtlError(f"{name} is not a router port of logical router: {router['name']}.")
        if port not in gateways.ports:
            raise CtlError(f"{name} is not a distributed gateway router port.")
        return port.uuid
    found = gateways.of(None, wanted.external_ip)
    if found is None and len(gateways.ports) > 1:
        raise CtlError(
            f"logical router: {router['name']} has multiple distributed gateway ports and gateway_port can not be"
            " determined from external IP of NAT rule."
        )
    return found


def _equal(ctl: "Ctl", router: "Row", wanted: Wanted, gateway: str | None) -> "Row | None":
    """The NAT that is to be added, where it is there already and may be; raises `CtlError` for conflicts."""
    gateways = Gateways(ctl, router)
    pair = (wanted.type, wanted.external_ip, wanted.logical_ip)
    nats = _nats(ctl, router)
    beside = [nat for nat in nats if gateways.of(nat["gateway_port"], nat["external_ip"]) == gateway]
    equal = [nat for nat in beside if (nat["type"], nat["external_ip"], nat["logical_ip"]) == pair]
    if equal and ctl.has("--may-exist"):
        return equal[0]
    where = f"{wanted.external_ip}, {wanted.logical_ip}"
    for nat in nats:
        is_stateless = wanted.is_stateless or nat["options"].get("stateless") == "true"
        if is_stateless and nat["external_ip"] == wanted.external_ip:
            raise CtlError(f"{where}: External ip cannot be shared across stateless and stateful NATs")
    if equal:
        raise CtlError(f"{where}: a NAT with this external_ip and logical_ip already exists")
    column, value = wanted.sort
    for nat in beside:
        if nat["type"] == wanted.type and nat[column] == value and wanted.match in ("", nat["match"]):
            match = f' and match "{wanted.match}"' if wanted.match else ""
            raise CtlError(f"a NAT with this type ({wanted.type}), {column} ({value}){match} already exists")
    return None


@command("lr-nat-del", "ROUTER [TYPE [IP] [GATEWAY_PORT]]", options="--if-exists --match=", reads=NATS)
def lr_nat_del(
    ctl: "Ctl", router_name: str, type_: str | None = None, third: str | None = None, fourth: str | None = None
) -> None:
    """Remove NATs from ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    nats = _nats(ctl, router)
    if type_ is not None:
        _check_type(type_)
        nats = [nat for nat in nats if nat["type"] == type_]
    if third is not None and fourth is None and prefix(third) is None:
        gateway = must_find(ctl.view, ROUTER_PORT, third)
        nats = [nat for nat in nats if nat["gateway_port"] == gateway.uuid]
    elif third is not None and type_ is not None:
        nats = _chosen(ctl, nats, type_, third, fourth)
    for nat in nats:
        router.discard("nat", nat.uuid)
        nat.delete()


def _chosen(ctl: "Ctl", nats: "list[Row]", type_: str, ip_text: str, gateway_name: str | None) -> "list[Row]":
    """The NATs with an address, perhaps on a gateway port, perhaps with a match."""
    column = "logical_ip" if type_ == "snat" else "external_ip"
    ip = _ip(ip_text)
    chosen = [nat for nat in nats if prefix(nat[column]) == ip]
    match = ctl.option("--match")
    if match is not None:
        chosen = [nat for nat in chosen if nat["match"] == match]
    if gateway_name is None:
        return chosen
    gateway = must_find(ctl.view, ROUTER_PORT, gateway_name)
    chosen = [nat for nat in chosen if nat["gateway_port"] == gateway.uuid]
    if not chosen and not ctl.has("--if-exists"):
        where = f"{column} ({ip[1]}) and gateway_port ({gateway_name})"
        raise CtlError(f"no matching NAT with the type ({type_}), {where}")
    return chosen


def _ip(text: str) -> tuple[int, str]:
    ip = prefix(text)
    if ip is None:
        raise CtlError(f"{text}: Invalid IP address or CIDR")
    return ip


@command("lr-nat-list", "ROUTER", reads=NATS)
def lr_nat_list(ctl: "Ctl", router_name: str) -> None:
    """Print NATs of ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    found = [_entry(ctl, nat) for nat in _nats(ctl, router)]
    ctl.tell(sorted(found, key=lambda nat: _line(_cells(nat))), _lines)


def _entry(ctl: "Ctl", nat: "Row") -> "dict[str, Any]":
    gateway = ctl.view.get("Logical_Router_Port", nat["gateway_port"])
    return nat.entry(*LISTED, "priority", "options") | {"gateway_port": None if gateway is None else gateway["name"]}


def _lines(nats: "list[dict[str, Any]]") -> "Iterator[str]":
    if nats:
        yield _line(HEADINGS)
    for nat in nats:
        yield _line(_cells(nat))


def _cells(nat: "dict[str, Any]") -> tuple[str, ...]:
    return tuple(nat[column] or "" for column in LISTED)


def _line(cells: "tuple[str, ...]") -> str:
    last = max(at for at, cell in enumerate(cells) if cell)
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells[:last], WIDTHS, strict=False)) + cells[last]


@command(
    "lr-nat-update-ext-ip",
    "ROUTER TYPE IP ADDRESS_SET",
    options="--is-exempted",
    reads=(*NATS, "NAT allowed_ext_ips exempted_ext_ips", "Address_Set name"),
)
def lr_nat_update_ext_ip(ctl: "Ctl", router_name: str, type_: str, ip_text: str, set_name: str) -> None:
    """Let a NAT be for packets to the addresses of ADDRESS_SET only, or for all but them."""
    router = must_find(ctl.view, ROUTER, router_name)
    _check_type(type_)
    ip = _ip(ip_text)
    addresses = must_find(ctl.view, ADDRESS_SET, set_name)
    column = "logical_ip" if type_ == "snat" else "external_ip"
    for nat in _nats(ctl, router):
        if nat["type"] == type_ and prefix(nat[column]) == ip:
            nat["exempted_ext_ips" if ctl.has("--is-exempted") else "allowed_ext_ips"] = addresses.uuid
            return
    raise CtlError(f"{type_}: Could not locate nat rule for: {ip[1]}.")
