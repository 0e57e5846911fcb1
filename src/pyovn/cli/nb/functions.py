"""`nf-*` and `nfg-*`: network functions that traffic is led through, and groups of them."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import scan_within
from pyovn.cli.nb.lookup import FUNCTION, FUNCTION_GROUP, PORT, PORT_NAMES, find_or_not, must_find, tell_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("Network function commands")

FUNCTIONS = ("Network_Function name id inport outport", PORT_NAMES)
GROUPS = ("Network_Function_Group name id mode network_function", "Network_Function name")
IDS = range(1, 256)


def _id(text: str, what: str) -> int:
    number = scan_within(text, IDS)
    if number is None:
        raise CtlError(f"{what} id must be between 1 and 255")
    return number


@command("nf-add", "NETWORK-FUNCTION ID PORT-IN PORT-OUT", options="--may-exist", reads=FUNCTIONS)
def nf_add(ctl: "Ctl", name: str, id_text: str, inport: str, outport: str) -> None:
    """Create a network function."""
    ports = [must_find(ctl.view, PORT, port).uuid for port in (inport, outport)]
    number = _id(id_text, "network-function")
    function = ctl.view.first("Network_Function", "name", name)
    if function is not None and not ctl.has("--may-exist"):
        raise CtlError(f"{name}: same name network-function already exists")
    if function is None:
        function = ctl.view.insert("Network_Function", name=name)
    function["id"], function["inport"], function["outport"] = number, *ports


@command("nf-del", "NETWORK-FUNCTION", options="--if-exists", reads=FUNCTIONS)
def nf_del(ctl: "Ctl", name: str) -> None:
    """Delete a network function."""
    function = find_or_not(ctl, FUNCTION, name)
    if function is not None:
        function.delete()


@command("nf-list", reads=FUNCTIONS)
def nf_list(ctl: "Ctl") -> None:
    """Print all network functions."""
    rows = sorted(ctl.view.rows("Network_Function"), key=lambda each: str(each["name"]))
    ctl.tell([row.entry("name", "id") | _ways(ctl, row) for row in rows], _lines)


def _ways(ctl: "Ctl", function: "Row") -> "dict[str, str]":
    """The names of the ports into a function and out of it."""
    return {way: ctl.view.row("Logical_Switch_Port", function[way])["name"] for way in ("inport", "outport")}


def _lines(functions: "list[dict[str, Any]]") -> "Iterator[str]":
    for function in functions:
        ways = f"in:{function['inport']} out:{function['outport']}"
        yield f"{function['_uuid']} ({function['name']}) id:{function['id']} {ways}"


@command("nfg-add", "NETWORK-FUNCTION-GROUP ID MODE [NETWORK-FUNCTION]...", options="--may-exist", reads=GROUPS)
def nfg_add(ctl: "Ctl", name: str, id_text: str, mode: str, *functions: str) -> None:
    """Create a network function group."""
    group = ctl.view.first("Network_Function_Group", "name", name)
    if group is not None and not ctl.has("--may-exist"):
        raise CtlError(f"{name}: a network-function-group with this name already exists")
    number = _id(id_text, "network-function-group")
    if mode != "inline":
        raise CtlError(f"Unsupported mode provided for network-function-group:{name}, supported values: inline")
    members = list({must_find(ctl.view, FUNCTION, function).uuid for function in functions})
    if group is None:
        group = ctl.view.insert("Network_Function_Group", name=name)
    group["id"], group["mode"], group["network_function"] = number, mode, members


@command("nfg-del", "NETWORK-FUNCTION-GROUP", options="--if-exists", reads=GROUPS)
def nfg_del(ctl: "Ctl", name: str) -> None:
    """Delete a network function group."""
    group = find_or_not(ctl, FUNCTION_GROUP, name)
    if group is not None:
        group.delete()


@command("nfg-list", "[NETWORK-FUNCTION-GROUP]", reads=GROUPS)
def nfg_list(ctl: "Ctl", name: str | None = None) -> None:
    """Print all network function groups."""
    tell_names(ctl, ctl.view.rows("Network_Function_Group"), "id", "mode", "network_function")


@command("nfg-add-nf", "NETWORK-FUNCTION-GROUP NETWORK-FUNCTION", options="--may-exist", reads=GROUPS)
def nfg_add_nf(ctl: "Ctl", name: str, function_name: str) -> None:
    """Add a network function to a group."""
    group = must_find(ctl.view, FUNCTION_GROUP, name)
    function = must_find(ctl.view, FUNCTION, function_name)
    if function.uuid in group["network_function"] and not ctl.has("--may-exist"):
        raise CtlError(f"network-function {function_name} is already added to network-function-group {name}")
    group.add("network_function", function.uuid)


@command("nfg-del-nf", "NETWORK-FUNCTION-GROUP NETWORK-FUNCTION", options="--if-exists", reads=GROUPS)
def nfg_del_nf(ctl: "Ctl", name: str, function_name: str) -> None:
    """Delete a network function from a group."""
    group = must_find(ctl.view, FUNCTION_GROUP, name)
    function = must_find(ctl.view, FUNCTION, function_name)
    if function.uuid not in group["network_function"] and not ctl.has("--if-exists"):
        raise CtlError(f"network-function {name} is not part of any group")
    group.discard("network_function", function.uuid)
