"""What `ovn-detrace` says of database rows.

A cookie is the first 32 bits of the UUID of a southbound row; a logical flow's `stage-hint` are those of the northbound
row that it came from.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyovn.trace.network import as_set, plain

Row = Mapping[str, Any]

#: northbound table → what is said of a row, in the specifications of `Cell`
NORTHBOUND = {
    "ACL": "ACL: {direction}, priority={priority}, match=({match}), {action}{log:logged}",
    "DHCP_Options": "DHCP Options: cidr {cidr} options ({options:map})",
    "Forwarding_Group": (
        "Forwarding Group: name {name} vip {vip} vmac {vmac} liveness {liveness} child ports ({child_port:set})"
    ),
    "Logical_Switch_Port": (
        "Logical Switch Port: {name} type {type} (addresses {addresses:set}, "
        "dynamic addresses {dynamic_addresses:set}, security {port_security:set}"
    ),
    "Logical_Router_Port": (
        "Logical Router Port: {name} mac {mac} networks {networks:set} ipv6_ra_configs {ipv6_ra_configs:map}"
    ),
    "Logical_Router_Policy": (
        "Logical Router Policy: priority {priority} match {match} action {action} nexthop {nexthop:set}"
    ),
    "Load_Balancer": (
        "Load Balancer: {name} protocol {protocol:set} vips {vips:map} ip_port_mappings {ip_port_mappings:map}"
    ),
    "NAT": (
        "NAT: external IP {external_ip} external_mac {external_mac:set} logical_ip {logical_ip} "
        "logical_port {logical_port:set} type {type}"
    ),
    "Logical_Router_Static_Route": "Route: {ip_prefix} via {nexthop} (port {output_port:set}), policy={policy:set}",
    "QoS": "QoS: priority {priority} direction {direction} match {match} action {action:map} bandwidth {bandwidth:map}",
}
_CHASSIS = 'chassis-name "{name}", chassis-str "{hostname}"'
#: southbound table → likewise
SOUTHBOUND = {
    "Logical_Flow": "",
    "Port_Binding": 'Port Binding: logical_port "{logical_port}", tunnel_key {tunnel_key}, ',
    "MAC_Binding": 'MAC Binding: ip "{ip}", logical_port "{logical_port}", mac "{mac}"',
    "Multicast_Group": 'Multicast Group: name "{name}", tunnel_key {tunnel_key} ports: ',
    "Chassis": f"Chassis: {_CHASSIS}",
    "Load_Balancer": "Load Balancer: {name} protocol {protocol:set} vips {vips:map}",
}


class Cell:
    """A column as text: bare, as the `set` or the `map` that it is, or `logged` where it is true."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, kind: str) -> str:
        """The text of that kind."""
        match kind:
            case "set":
                return str(list(as_set(self._value)))
            case "logged":
                return " (log)" if self._value else ""
            case _:
                return str(self._value)


def described(template: str, row: Row) -> str:
    """A row in the words of a template."""
    return template.format_map({name: Cell(value) for name, value in row.items()})


class Rows:
    """Rows of one database, fetched when they are needed, each once.

    `transact` carries out operations.  A database can't be asked for UUIDs by their beginnings, so all those of a table
    are fetched, but nothing more of rows that nobody asks for.
    """

    def __init__(self, transact: Callable[..., Any]) -> None:
        self._transact = transact
        self._uuids: dict[str, list[str]] = {}
        self._rows: dict[str, Row] = {}

    def beginning_with(self, table: str, start: str) -> Iterator[Row]:
        """The rows of a table whose UUIDs begin so."""
        if table not in self._uuids:
            (answer,) = self._transact({"op": "select", "table": table, "where": [], "columns": ["_uuid"]})
            self._uuids[table] = sorted(row["_uuid"][1] for row in answer["rows"])
        return (self.row(table, uuid) for uuid in self._uuids[table] if uuid.startswith(start))

    def row(self, table: str, uuid: str) -> Row:
        """One row; raises KeyError where it is gone."""
        if uuid not in self._rows:
            where = [["_uuid", "==", ["uuid", uuid]]]
            (answer,) = self._transact({"op": "select", "table": table, "where": where})
            for row in answer["rows"]:
                self._rows[uuid] = {name: plain(value) for name, value in row.items()}
        return self._rows[uuid]


def told(southbound: Rows, northbound: Rows, cookie: str) -> Iterator[str]:
    """Everything that is said of the rows that a cookie stands for."""
    for table, template in SOUTHBOUND.items():
        for row in southbound.beginning_with(table, cookie):
            if table == "Logical_Flow":
                yield from _logical_flow(southbound, row)
                yield from _origin(northbound, row["external_ids"].get("stage-hint", ""))
                continue
            if "datapath" in row:
                yield f"  * Logical datapath: {_datapath(southbound, row['datapath'])}"
            yield f"  * {described(template, row)}{_more(southbound, table, row)}"


def _logical_flow(southbound: Rows, row: Row) -> Iterator[str]:
    yield "  * Logical datapaths:"
    group = row["logical_dp_group"]
    members = as_set(southbound.row("Logical_DP_Group", group)["datapaths"]) if group else ()
    for uuid in sorted((*as_set(row["logical_datapath"]), *members)):
        yield f"  *     {_datapath(southbound, uuid)} [{row['pipeline']}]"
    stage = row["external_ids"].get("stage-name")
    what = f"priority={row['priority']}, match=({row['match']}), actions=({row['actions']})"
    yield f"  * Logical flow: table={row['table_id']} ({stage}), {what}"


def _origin(northbound: Rows, hint: str) -> Iterator[str]:
    for table, template in NORTHBOUND.items() if hint else ():
        for row in northbound.beginning_with(table, hint):
            yield f"   * {described(template, row)}"


def _datapath(southbound: Rows, uuid: str) -> str:
    return f'"{southbound.row("Datapath_Binding", uuid)["external_ids"].get("name")}" ({uuid})'


def _more(southbound: Rows, table: str, row: Row) -> str:
    """What other rows have to say about this one."""
    if table == "Port_Binding" and row["chassis"]:
        return described(_CHASSIS, southbound.row("Chassis", row["chassis"]))
    if table == "Multicast_Group":
        names = (southbound.row("Port_Binding", uuid)["logical_port"] for uuid in as_set(row["ports"]))
        return f"({', '.join(names)})"
    return ""
