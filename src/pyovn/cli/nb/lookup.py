"""Northbound rows by what users call them: a name, or a full UUID."""

from pyovn.cli.ctl.errors import CtlError
from pyovn.net.uuids import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

    Kind = tuple[str, str, str]

#: what users call a kind of row: table, word for one, words for several of the same name
SWITCH = ("Logical_Switch", "switch", "logical switches")
ROUTER = ("Logical_Router", "router", "logical routers")
PORT = ("Logical_Switch_Port", "port", "")
ROUTER_PORT = ("Logical_Router_Port", "port", "")
BALANCER = ("Load_Balancer", "load balancer", "load balancers")
GROUP = ("Port_Group", "port group", "")
MIRROR = ("Mirror", "mirror", "")
HA_GROUP = ("HA_Chassis_Group", "ha_chassis_group", "")
ADDRESS_SET = ("Address_Set", "Address Set", "Address Sets")
FUNCTION = ("Network_Function", "network function", "")
FUNCTION_GROUP = ("Network_Function_Group", "network function group", "")
GATEWAY = ("Gateway_Chassis", "gateway chassis", "")

SWITCH_NAMES = "Logical_Switch name"
ROUTER_NAMES = "Logical_Router name"
PORT_NAMES = "Logical_Switch_Port name"
ROUTER_PORT_NAMES = "Logical_Router_Port name"


def lookup(view: "View", kind: "Kind", name: str) -> "Row | None":
    """The row that `name` means, if there is one; raises `CtlError` where a name is not unique."""
    table, _, plural = kind
    if is_uuid(name.lower()) and (row := view.get(table, name.lower())):
        return row
    found = view.find(table, "name", name)
    if len(found) > 1 and plural:
        raise CtlError(f"Multiple {plural} named '{name}'.  Use a UUID.")
    return found[0] if found else None


def must_find(view: "View", kind: "Kind", name: str) -> "Row":
    """The row that `name` means; raises `CtlError` if there is none."""
    row = lookup(view, kind, name)
    if row is None:
        what = "UUID" if is_uuid(name.lower()) else "name"
        raise CtlError(f"{name}: {kind[1]} {what} not found", name, names(view, kind))
    return row


def names(view: "View", kind: "Kind") -> "Iterator[str]":
    """What there is of a kind."""
    return (row["name"] for row in view.table(kind[0]).rows.values())


def find_or_not(ctl: "Ctl", kind: "Kind", name: str) -> "Row | None":
    """The row that `name` means; None only where `--if-exists` allows it."""
    return lookup(ctl.view, kind, name) if ctl.has("--if-exists") else must_find(ctl.view, kind, name)


def tell_names(ctl: "Ctl", rows: "list[Row]", *columns: str) -> None:
    """Say what rows there are, sorted by name, in JSON with more columns."""
    rows.sort(key=lambda row: (row["name"], row.uuid))
    ctl.tell([row.entry("name", *columns) for row in rows], labelled)


def labelled(entries: "list[dict[str, Any]]") -> "Iterator[str]":
    """`UUID (name)` lines."""
    return (f"{entry['_uuid']} ({entry['name']})" for entry in entries)
