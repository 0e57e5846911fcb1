"""`lrp-*`: the ports of logical routers."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.conditions import column_and_key
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.generic import assign
from pyovn.cli.nb.acls import parse_priority
from pyovn.cli.nb.lookup import ROUTER, ROUTER_PORT, ROUTER_PORT_NAMES, find_or_not, must_find, tell_names
from pyovn.cli.nb.ports import parse_settings, parse_state
from pyovn.net.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

command = CommandTable("Logical router port commands")

PORTS = ("Logical_Router name ports", ROUTER_PORT_NAMES)
GATEWAYS = ("Logical_Router_Port name gateway_chassis", "Gateway_Chassis name chassis_name priority")
REDIRECT_TYPES = ("overlay", "bridged")


def router_of(view: "View", port: "Row") -> "Row":
    """The router that a port belongs to."""
    found = view.first("Logical_Router", "ports", port.uuid)
    if found is None:
        raise CtlError(f"logical port {port['name']} is not part of any logical router")
    return found


def _adding_reads(ctl: "Ctl") -> "Iterator[str]":
    yield from ("Logical_Router name ports", "Logical_Router_Port name mac networks peer")
    for setting in _settings(ctl.arguments[3:]):
        yield f"Logical_Router_Port {column_and_key(ctl.view.schema, 'Logical_Router_Port', setting)[0].column}"


def _settings(words: list[str]) -> list[str]:
    """The words from the first setting on."""
    start = next((at for at, word in enumerate(words) if "=" in word), len(words))
    return words[start:]


@command("lrp-add", "ROUTER PORT MAC [NETWORK]... [COLUMN[:KEY]=VALUE]...", options="--may-exist", reads=_adding_reads)
def lrp_add(ctl: "Ctl", router_name: str, name: str, mac_text: str, *words: str) -> None:
    """Add logical port PORT to ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    settings = _settings(list(words))
    networks = list(words[: len(words) - len(settings)])
    mac = _mac(name, mac_text)
    port = ctl.view.first("Logical_Router_Port", "name", name)
    if port is not None:
        if not ctl.has("--may-exist"):
            raise CtlError(f"{name}: a port with this name already exists")
        _check_same(ctl.view, port, router, mac, networks, _peer(settings))
        return
    _check_networks(name, networks)
    port = ctl.view.insert("Logical_Router_Port", name=name, mac=mac_text, networks=list(set(networks)))
    for setting in settings:
        assign(ctl, port, setting)
    router.add("ports", port.uuid)


def _peer(settings: list[str]) -> str | None:
    peers = [word.removeprefix("peer=") for word in settings if word.startswith("peer=")]
    return peers[-1] if peers else None


def _mac(name: str, text: str) -> int:
    from pyovn.net.mac import mac_int

    try:
        return mac_int(text)
    except Malformed:
        raise CtlError(f"{name}: invalid mac address {text}") from None


def _check_networks(name: str, networks: list[str]) -> None:
    from pyovn.cli.nb.prefixes import prefix

    for network in networks:
        if prefix(network) is None:
            raise CtlError(f"{name}: invalid network address: {network}")


def _check_same(view: "View", port: "Row", router: "Row", mac: int, networks: list[str], peer: str | None) -> None:
    """Raise unless an existing port is what is to be added."""
    from pyovn.cli.nb.prefixes import same_prefixes

    home = router_of(view, port)
    problem = ""
    if home is not router:
        problem = f"but in router {home['name']}"
    elif _mac(port["name"], port["mac"]) != mac:
        problem = f"with mac {port['mac']}"
    elif not same_prefixes(port["networks"], networks):
        problem = "with different network"
    elif port["peer"] != peer:
        problem = "with mismatching peer"
    if problem:
        raise CtlError(f"{port['name']}: port already exists {problem}")


@command("lrp-del", "PORT", options="--if-exists", reads=PORTS)
def lrp_del(ctl: "Ctl", name: str) -> None:
    """Delete PORT from its attached router."""
    port = find_or_not(ctl, ROUTER_PORT, name)
    if port is not None:
        router_of(ctl.view, port).discard("ports", port.uuid)
        port.delete()


@command("lrp-list", "ROUTER", reads=PORTS)
def lrp_list(ctl: "Ctl", name: str) -> None:
    """Print the names of all ports on ROUTER."""
    router = must_find(ctl.view, ROUTER, name)
    tell_names(ctl, ctl.view.referred("Logical_Router_Port", router["ports"]))


@command("lrp-set-enabled", "PORT {enabled | disabled}", reads=("Logical_Router_Port name enabled",))
def lrp_set_enabled(ctl: "Ctl", name: str, state: str) -> None:
    """Set the administrative state of PORT."""
    port = must_find(ctl.view, ROUTER_PORT, name)
    port["enabled"] = parse_state(state)


@command("lrp-get-enabled", "PORT", reads=("Logical_Router_Port name enabled",))
def lrp_get_enabled(ctl: "Ctl", name: str) -> None:
    """Print the administrative state of PORT."""
    ctl.print("disabled" if must_find(ctl.view, ROUTER_PORT, name)["enabled"] is False else "enabled")


@command("lrp-set-options", "PORT [KEY=VALUE]...", reads=("Logical_Router_Port name options",))
def lrp_set_options(ctl: "Ctl", name: str, *settings: str) -> None:
    """Set the options of PORT, instead of those it had."""
    must_find(ctl.view, ROUTER_PORT, name)["options"] = parse_settings(settings)


@command("lrp-set-gateway-chassis", "PORT CHASSIS [PRIORITY]", options="--may-exist", reads=GATEWAYS)
def lrp_set_gateway_chassis(ctl: "Ctl", name: str, chassis: str, priority_text: str = "0") -> None:
    """Let CHASSIS be a gateway for PORT."""
    port = must_find(ctl.view, ROUTER_PORT, name)
    priority = parse_priority(priority_text)
    gateway = ctl.view.first("Gateway_Chassis", "name", f"{name}-{chassis}")
    if gateway is None:
        gateway = ctl.view.insert("Gateway_Chassis", name=f"{name}-{chassis}", chassis_name=chassis)
    gateway["priority"] = priority
    port.add("gateway_chassis", gateway.uuid)


@command("lrp-del-gateway-chassis", "PORT CHASSIS", reads=GATEWAYS)
def lrp_del_gateway_chassis(ctl: "Ctl", name: str, chassis: str) -> None:
    """Let CHASSIS be no gateway for PORT any more."""
    port = must_find(ctl.view, ROUTER_PORT, name)
    for gateway in ctl.view.referred("Gateway_Chassis", port["gateway_chassis"]):
        if gateway["chassis_name"] == chassis:
            port.discard("gateway_chassis", gateway.uuid)
            gateway.delete()
            return
    raise CtlError(f"chassis {chassis} is not added to logical port {name}")


@command("lrp-get-gateway-chassis", "PORT", reads=GATEWAYS)
def lrp_get_gateway_chassis(ctl: "Ctl", name: str) -> None:
    """Print the gateway chassis of PORT with their priorities."""
    port = must_find(ctl.view, ROUTER_PORT, name)
    gateways = ctl.view.referred("Gateway_Chassis", port["gateway_chassis"])
    gateways.sort(key=lambda row: (-row["priority"], row["name"]))
    ctl.tell([row.entry("name", "chassis_name", "priority") for row in gateways], _gateway_lines)


def _gateway_lines(gateways: "list[dict[str, Any]]") -> "Iterator[str]":
    return (f"{gateway['name']} {gateway['priority']:>5}" for gateway in gateways)


@command("lrp-set-redirect-type", "PORT {overlay | bridged}", reads=("Logical_Router_Port name options",))
def lrp_set_redirect_type(ctl: "Ctl", name: str, kind: str) -> None:
    """Set whether packets redirected to the gateway chassis of PORT are encapsulated."""
    port = must_find(ctl.view, ROUTER_PORT, name)
    if kind not in REDIRECT_TYPES:
        raise CtlError(f"Invalid redirect type: {kind}")
    port.put("options", "redirect-type", kind)


@command("lrp-get-redirect-type", "PORT", reads=("Logical_Router_Port name options",))
def lrp_get_redirect_type(ctl: "Ctl", name: str) -> None:
    """Print whether packets redirected to the gateway chassis of PORT are encapsulated."""
    ctl.print(must_find(ctl.view, ROUTER_PORT, name)["options"].get("redirect-type", "overlay"))
