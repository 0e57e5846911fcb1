"""`init`, `sync` and `show`."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.nb.lookup import ROUTER, SWITCH, lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

command = CommandTable("General commands")

SHOWN = (
    "Logical_Switch name external_ids ports",
    "Logical_Switch_Port name external_ids type options parent_name tag addresses peer",
    "Logical_Router name external_ids ports nat",
    "Logical_Router_Port name mac networks peer options gateway_chassis",
    "Gateway_Chassis chassis_name priority",
    "NAT external_ip external_port_range logical_ip type",
)


@command("init")
def init(ctl: "Ctl") -> None:
    """Initialize the database."""


@command("sync")
def sync(ctl: "Ctl") -> None:
    """Wait even for earlier changes to take effect."""


@command("show", "[SWITCH | ROUTER]", reads=SHOWN)
def show(ctl: "Ctl", name: str | None = None) -> None:
    """Print overview of database contents, or of one switch or router."""
    view = ctl.view
    if name is None:
        switches, routers = view.rows("Logical_Switch"), view.rows("Logical_Router")
    else:
        switches = [row for row in [lookup(view, SWITCH, name)] if row]
        routers = [row for row in [lookup(view, ROUTER, name)] if row]
    for switch in switches:
        ctl.lines += switch_lines(view, switch)
    for router in routers:
        ctl.lines += router_lines(view, router)


def _alias(row: "Row", key: str) -> str:
    """The name that a cloud manager shows its users, where it differs."""
    other = row["external_ids"].get(key)
    return f" (aka {other})" if other and other != row["name"] else ""


def _strings(values: "list[str]") -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def switch_lines(view: "View", switch: "Row") -> "Iterator[str]":
    """A switch and its ports."""
    yield f"switch {switch.uuid} ({switch['name']}){_alias(switch, 'neutron:network_name')}"
    for port in view.referred("Logical_Switch_Port", switch["ports"]):
        yield f"    port {port['name']}{_alias(port, 'neutron:port_name')}"
        yield from (f"        {fact}" for fact in _port_facts(port))


def _port_facts(port: "Row") -> "Iterator[str]":
    if port["type"]:
        yield f"type: {port['type']}"
    if port["parent_name"]:
        yield f"parent: {port['parent_name']}"
    if port["tag"] is not None:
        yield f"tag: {port['tag']}"
    if port["addresses"] and port["addresses"] != ["router"]:
        yield f"addresses: {_strings(port['addresses'])}"
    if router_port := port["options"].get("router-port"):
        yield f"router-port: {router_port}"
    if port["peer"]:
        yield f"peer: {port['peer']}"


def router_lines(view: "View", router: "Row") -> "Iterator[str]":
    """A router, its ports and its NATs."""
    yield f"router {router.uuid} ({router['name']}){_alias(router, 'neutron:router_name')}"
    for port in view.referred("Logical_Router_Port", router["ports"]):
        yield f"    port {port['name']}"
        yield from (f"        {fact}" for fact in _router_port_facts(view, port))
    for nat in view.referred("NAT", router["nat"]):
        yield f"    nat {nat.uuid}"
        yield f'        external ip: "{nat["external_ip"]}"'
        if nat["external_port_range"]:
            yield f'        external port(s): "{nat["external_port_range"]}"'
        yield f'        logical ip: "{nat["logical_ip"]}"'
        yield f'        type: "{nat["type"]}"'


def _router_port_facts(view: "View", port: "Row") -> "Iterator[str]":
    yield f'mac: "{port["mac"]}"'
    if link_local := lla(port["mac"]):
        yield f'ipv6-lla: "{link_local}"'
    if port["networks"]:
        yield f"networks: {_strings(port['networks'])}"
    if table := port["options"].get("route_table"):
        yield f"route-table: {table}"
    gateways = view.referred("Gateway_Chassis", port["gateway_chassis"])
    if gateways:
        gateways.sort(key=lambda row: -row["priority"])
        yield f"gateway chassis: [{' '.join(row['chassis_name'] for row in gateways)}]"
    if port["peer"]:
        yield f"peer: {port['peer']}"


def lla(mac: str) -> str:
    """The IPv6 link-local address of a MAC address (RFC 4291 appendix A); empty for what is none."""
    from pyovn.cli.nb.addresses import link_local_address

    return link_local_address(mac)
