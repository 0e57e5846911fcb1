"""`lflow-list --vflows`: the other rows that become OpenFlow flows."""

from pyovn.cli.sb.datapaths import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

GROUPS = ("datapath_group", "ls_datapath_group", "lr_datapath_group")


def sections(ctl: "Ctl", datapath: "Row | None") -> "Iterator[str]":
    """The rows that belong to `datapath`, or all, under a heading for each kind."""
    ports = [_port(ctl, row, datapath) for row in _rows(ctl, "Port_Binding", datapath)]
    macs = [_mac(ctl, row, datapath) for row in _rows(ctl, "MAC_Binding", datapath)]
    groups = [_group(ctl, row, datapath) for row in _rows(ctl, "Multicast_Group", datapath)]
    chassis = [_start(ctl, row, row, datapath) + f"name={row['name']}" for row in ctl.view.rows("Chassis")]
    balancers = [line for row in ctl.view.rows("Load_Balancer") for line in _balancer(ctl, row, datapath)]
    for heading, lines in (
        ("Port Bindings", ports),
        ("MAC Bindings", macs),
        ("MC Groups", groups),
        ("Chassis", chassis),
        ("Load Balancers", balancers),
    ):
        if lines:
            yield ""
            yield f"{heading}:"
            yield from lines


def documents(ctl: "Ctl", datapath: "Row | None") -> "dict[str, list[dict[str, Any]]]":
    """The same as JSON."""

    def owned(table: str, *columns: str) -> "list[dict[str, Any]]":
        return [row.entry("datapath", *columns) for row in _rows(ctl, table, datapath)]

    groups = [
        {**entry, "ports": [port["logical_port"] for port in ctl.view.referred("Port_Binding", entry["ports"])]}
        for entry in owned("Multicast_Group", "name", "tunnel_key", "ports")
    ]
    balancers = [
        row.entry("name", "protocol", "vips") | {"datapaths": sorted(uuids)}
        for row in ctl.view.rows("Load_Balancer")
        for uuids in [_datapaths_of(ctl, row)]
        if datapath is None or datapath.uuid in uuids
    ]
    return {
        "port_bindings": owned("Port_Binding", "logical_port", "tunnel_key"),
        "mac_bindings": owned("MAC_Binding", "logical_port", "ip", "mac"),
        "multicast_groups": groups,
        "chassis": [row.entry("name") for row in ctl.view.rows("Chassis")],
        "load_balancers": balancers,
    }


def _rows(ctl: "Ctl", table: str, datapath: "Row | None") -> "list[Row]":
    return [row for row in ctl.view.rows(table) if datapath is None or row["datapath"] == datapath.uuid]


def _start(ctl: "Ctl", row: "Row", owner: "Row | None", datapath: "Row | None") -> str:
    """How lines begin: the row's UUID if asked for, and its datapath unless that was given."""
    uuid = f"uuid=0x{row.uuid[:8]}, " if ctl.has("--uuid") else ""
    if datapath is not None or owner is row or owner is None:
        return "  " + uuid
    return f"  {uuid}datapath={names(owner)}, "


def _owned(ctl: "Ctl", row: "Row", datapath: "Row | None") -> str:
    return _start(ctl, row, ctl.view.get("Datapath_Binding", row["datapath"]), datapath)


def _port(ctl: "Ctl", row: "Row", datapath: "Row | None") -> str:
    return f"{_owned(ctl, row, datapath)}logical_port={row['logical_port']}, tunnel_key={row['tunnel_key']:<5}"


def _mac(ctl: "Ctl", row: "Row", datapath: "Row | None") -> str:
    return f"{_owned(ctl, row, datapath)}logical_port={row['logical_port']}, ip={row['ip']}, mac={row['mac']}"


def _group(ctl: "Ctl", row: "Row", datapath: "Row | None") -> str:
    ports = ", ".join(port["logical_port"] for port in ctl.view.referred("Port_Binding", row["ports"]))
    return f"{_owned(ctl, row, datapath)}name={row['name']}, tunnel_key={row['tunnel_key']}, ports=({ports})"


def _datapaths_of(ctl: "Ctl", balancer: "Row") -> set[str]:
    """The datapaths that a load balancer works on."""
    groups = ctl.view.referred("Logical_DP_Group", {balancer[column] for column in GROUPS if balancer[column]})
    return {*balancer["datapaths"], *(uuid for group in groups for uuid in group["datapaths"])}


def _balancer(ctl: "Ctl", row: "Row", datapath: "Row | None") -> "Iterator[str]":
    uuids = _datapaths_of(ctl, row)
    if datapath is not None and datapath.uuid not in uuids:
        return
    start = _start(ctl, row, None, datapath) + f'name="{row["name"]}", protocol="{row["protocol"] or ""}", '
    if datapath is None:
        start += "".join(f"datapath={names(each)}, " for each in ctl.view.referred("Datapath_Binding", sorted(uuids)))
    yield start
    yield "  vips:"
    for vip, backends in row["vips"].items():
        yield f"    {vip} = {backends}"
    yield ""
