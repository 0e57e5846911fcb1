"""`init`, `sync` and `show`."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.nb.lookup import ROUTER, SWITCH, lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

    Entry = dict[str, Any]

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
    found = {
        "switches": [_switch(view, switch) for switch in switches],
        "routers": [_router(view, router) for router in routers],
    }
    ctl.tell(found, _lines)


def _named(row: "Row", key: str) -> "Entry":
    """A row's name, and the name that a cloud manager shows its users, where it differs."""
    other = row["external_ids"].get(key)
    return row.entry("name") | {"aka": other if other and other != row["name"] else None}


def _switch(view: "View", switch: "Row") -> "Entry":
    ports = view.referred("Logical_Switch_Port", switch["ports"])
    return _named(switch, "neutron:network_name") | {"ports": [_port(port) for port in ports]}


def _port(port: "Row") -> "Entry":
    return (
        _named(port, "neutron:port_name")
        | port.entry("type", "parent_name", "tag", "addresses", "peer")
        | {"router_port": port["options"].get("router-port")}
    )


def _router(view: "View", router: "Row") -> "Entry":
    ports = view.referred("Logical_Router_Port", router["ports"])
    nats = view.referred("NAT", router["nat"])
    return _named(router, "neutron:router_name") | {
        "ports": [_router_port(view, port) for port in ports],
        "nats": [nat.entry("external_ip", "external_port_range", "logical_ip", "type") for nat in nats],
    }


def _router_port(view: "View", port: "Row") -> "Entry":
    gateways = view.referred("Gateway_Chassis", port["gateway_chassis"])
    gateways.sort(key=lambda row: -row["priority"])
    return port.entry("name", "mac", "networks", "peer") | {
        "ipv6_lla": lla(port["mac"]) or None,
        "route_table": port["options"].get("route_table"),
        "gateway_chassis": [row["chassis_name"] for row in gateways],
    }


def _lines(found: "dict[str, list[Entry]]") -> "Iterator[str]":
    for switch in found["switches"]:
        yield f"switch {switch['_uuid']} {_title(switch, '({})')}"
        for port in switch["ports"]:
            yield f"    port {_title(port)}"
            yield from (f"        {fact}" for fact in _port_facts(port))
    for router in found["routers"]:
        yield f"router {router['_uuid']} {_title(router, '({})')}"
        for port in router["ports"]:
            yield f"    port {port['name']}"
            yield from (f"        {fact}" for fact in _router_port_facts(port))
        for nat in router["nats"]:
            yield from _nat_lines(nat)


def _title(entry: "Entry", form: str = "{}") -> str:
    return form.format(entry["name"]) + (f" (aka {entry['aka']})" if entry["aka"] else "")


def _strings(values: "list[str]") -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _port_facts(port: "Entry") -> "Iterator[str]":
    if port["type"]:
        yield f"type: {port['type']}"
    if port["parent_name"]:
        yield f"parent: {port['parent_name']}"
    if port["tag"] is not None:
        yield f"tag: {port['tag']}"
    if port["addresses"] and port["addresses"] != ["router"]:
        yield f"addresses: {_strings(port['addresses'])}"
    if port["router_port"]:
        yield f"router-port: {port['router_port']}"
    if port["peer"]:
        yield f"peer: {port['peer']}"


def _router_port_facts(port: "Entry") -> "Iterator[str]":
    yield f'mac: "{port["mac"]}"'
    if port["ipv6_lla"]:
        yield f'ipv6-lla: "{port["ipv6_lla"]}"'
    if port["networks"]:
        yield f"networks: {_strings(port['networks'])}"
    if port["route_table"]:
        yield f"route-table: {port['route_table']}"
    if port["gateway_chassis"]:
        yield f"gateway chassis: [{' '.join(port['gateway_chassis'])}]"
    if port["peer"]:
        yield f"peer: {port['peer']}"


def _nat_lines(nat: "Entry") -> "Iterator[str]":
    yield f"    nat {nat['_uuid']}"
    yield f'        external ip: "{nat["external_ip"]}"'
    if nat["external_port_range"]:
        yield f'        external port(s): "{nat["external_port_range"]}"'
    yield f'        logical ip: "{nat["logical_ip"]}"'
    yield f'        type: "{nat["type"]}"'


def lla(mac: str) -> str:
    """The IPv6 link-local address of a MAC address (RFC 4291 appendix A); empty for what is none."""
    from pyovn.cli.nb.addresses import link_local_address

    return link_local_address(mac)
