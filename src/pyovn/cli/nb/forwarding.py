"""`fwd-group-*`: ports of a switch that share an address."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.lookup import PORT_NAMES, SWITCH, must_find
from pyovn.cli.nb.ports import switch_of
from pyovn.net.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("Forwarding group commands")

GROUPS = ("Logical_Switch name forwarding_groups ports", "Forwarding_Group name vip vmac child_port", PORT_NAMES)
HEADING = "FWD_GROUP       LS            VIP             VMAC                  CHILD_PORTS"


@command("fwd-group-add", "GROUP SWITCH VIP VMAC PORT...", options="--liveness", reads=GROUPS)
def fwd_group_add(ctl: "Ctl", name: str, switch_name: str, vip: str, vmac: str, *ports: str) -> None:
    """Add a forwarding group on SWITCH."""
    from pyovn.net.ip import ip4_int
    from pyovn.net.mac import mac_int

    if not ports:
        raise CtlError("Usage : ovn-nbctl fwd-group-add group switch vip vmac child_ports...")
    switch = must_find(ctl.view, SWITCH, switch_name)
    if ctl.view.find("Forwarding_Group", "name", name):
        raise CtlError(f"{name}: a forwarding group by this name already exists")
    for check, text, what in ((ip4_int, vip, "ip"), (mac_int, vmac, "mac")):
        try:
            check(text)
        except Malformed:
            raise CtlError(f"invalid {what} address {text}") from None
    for port in ports:
        _check_port(ctl, switch, port)
    group = ctl.view.insert("Forwarding_Group", name=name, vip=vip, vmac=vmac, child_port=list(set(ports)))
    if ctl.has("--liveness"):
        group["liveness"] = True
    switch.add("forwarding_groups", group.uuid)


def _check_port(ctl: "Ctl", switch: "Row", name: str) -> None:
    port = ctl.view.first("Logical_Switch_Port", "name", name)
    if port is None:
        raise CtlError(f"{name}: logical switch port does not exist")
    home = switch_of(ctl.view, port)
    if home is not switch:
        raise CtlError(f"{name}: port already exists but in logical switch {home['name']}")


@command("fwd-group-del", "GROUP", options="--if-exists", reads=GROUPS)
def fwd_group_del(ctl: "Ctl", name: str) -> None:
    """Delete a forwarding group."""
    for group in list(ctl.view.find("Forwarding_Group", "name", name)):
        for switch in list(ctl.view.find("Logical_Switch", "forwarding_groups", group.uuid)):
            switch.discard("forwarding_groups", group.uuid)
        group.delete()


@command("fwd-group-list", "[SWITCH]", reads=GROUPS)
def fwd_group_list(ctl: "Ctl", name: str | None = None) -> None:
    """Print forwarding groups of SWITCH, or all."""
    switches = ctl.view.rows("Logical_Switch") if name is None else [must_find(ctl.view, SWITCH, name)]
    found = [
        group.entry("name", "vip", "vmac", "child_port") | {"switch": switch["name"]}
        for switch in switches
        for group in ctl.view.referred("Forwarding_Group", switch["forwarding_groups"])
    ]
    ctl.tell(found, _lines)


def _lines(groups: "list[dict[str, Any]]") -> "Iterator[str]":
    yield HEADING
    for group in groups:
        ports = " ".join(group["child_port"])
        yield f"{group['name']:<16}{group['switch']:<14}{group['vip']:<15}{group['vmac']:<23}{ports}"
