"""`ha-chassis-group-*`: the chassis that stand in for each other."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.acls import parse_priority
from pyovn.cli.nb.lookup import HA_GROUP, must_find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

    Entry = dict[str, Any]

command = CommandTable("HA chassis group commands")

GROUPS = ("HA_Chassis_Group name ha_chassis", "HA_Chassis chassis_name priority")


@command("ha-chassis-group-add", "GROUP", reads=GROUPS)
def add(ctl: "Ctl", name: str) -> None:
    """Create an HA chassis group."""
    ctl.view.insert("HA_Chassis_Group", name=name)


@command("ha-chassis-group-del", "GROUP", reads=GROUPS)
def delete(ctl: "Ctl", name: str) -> None:
    """Delete an HA chassis group."""
    must_find(ctl.view, HA_GROUP, name).delete()


@command("ha-chassis-group-list", "[GROUP]", reads=GROUPS)
def list_(ctl: "Ctl", name: str | None = None) -> None:
    """Print an HA chassis group, or all."""
    groups = ctl.view.rows("HA_Chassis_Group") if name is None else [must_find(ctl.view, HA_GROUP, name)]
    ctl.tell([group.entry("name") | {"ha_chassis": _members(ctl, group)} for group in groups], _lines)


def _members(ctl: "Ctl", group: "Row") -> "list[Entry]":
    members = ctl.view.referred("HA_Chassis", group["ha_chassis"])
    return [member.entry("chassis_name", "priority") for member in members]


def _lines(groups: "list[Entry]") -> "Iterator[str]":
    for group in groups:
        yield f"{group['_uuid']} ({group['name']})"
        for member in group["ha_chassis"]:
            yield f"    {member['_uuid']} ({member['chassis_name']})"
            yield f"    priority {member['priority']}"
            yield ""
        yield ""


def _member(ctl: "Ctl", group: "Row", chassis: str) -> "Row | None":
    members = ctl.view.referred("HA_Chassis", group["ha_chassis"])
    return next((member for member in members if member["chassis_name"] == chassis), None)


def _must_have(ctl: "Ctl", group: "Row", chassis: str) -> "Row":
    member = _member(ctl, group, chassis)
    if member is None:
        raise CtlError(f"{chassis}: ha chassis not found in {group['name']} ha chassis group")
    return member


@command("ha-chassis-group-add-chassis", "GROUP CHASSIS PRIORITY", reads=GROUPS)
def add_chassis(ctl: "Ctl", name: str, chassis: str, priority_text: str) -> None:
    """Add CHASSIS with PRIORITY to an HA chassis group."""
    group = must_find(ctl.view, HA_GROUP, name)
    priority = parse_priority(priority_text)
    member = _member(ctl, group, chassis)
    if member is None:
        member = ctl.view.insert("HA_Chassis", chassis_name=chassis)
        group.add("ha_chassis", member.uuid)
    member["priority"] = priority


@command("ha-chassis-group-remove-chassis", "GROUP CHASSIS", reads=GROUPS)
def remove_chassis(ctl: "Ctl", name: str, chassis: str) -> None:
    """Remove CHASSIS from an HA chassis group."""
    group = must_find(ctl.view, HA_GROUP, name)
    member = _must_have(ctl, group, chassis)
    group.discard("ha_chassis", member.uuid)
    member.delete()


@command("ha-chassis-group-set-chassis-prio", "GROUP CHASSIS PRIORITY", reads=GROUPS)
def set_chassis_prio(ctl: "Ctl", name: str, chassis: str, priority_text: str) -> None:
    """Set the priority of CHASSIS in an HA chassis group."""
    group = must_find(ctl.view, HA_GROUP, name)
    priority = parse_priority(priority_text)
    _must_have(ctl, group, chassis)["priority"] = priority
