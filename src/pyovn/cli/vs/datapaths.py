"""Connection tracking zones of a datapath: their timeouts and limits; and what the datapath can do."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import scan_integer, whole_integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

command = CommandTable("Connection tracking commands")

ZONES = (
    "Open_vSwitch datapaths",
    "Datapath ct_zones ct_zone_default_limit",
    "CT_Zone timeout_policy limit",
    "CT_Timeout_Policy timeouts",
)
ZONE_IDS = range(65536)


def find_datapath(view: "View", name: str) -> "Row | None":
    """The datapath of this type."""
    switch = view.the("Open_vSwitch")
    return None if switch is None else view.get("Datapath", switch["datapaths"].get(name))


def _datapath(ctl: "Ctl", name: str, complaint: str = "datapath {} does not exist") -> "Row":
    row = find_datapath(ctl.view, name)
    if row is None:
        raise CtlError(complaint.format(name))
    return row


def _zone(ctl: "Ctl", datapath: "Row", number: int) -> "Row":
    """A zone of a datapath, made if it is new."""
    zone = ctl.view.get("CT_Zone", datapath["ct_zones"].get(number))
    if zone is None:
        zone = ctl.view.insert("CT_Zone")
        datapath.put("ct_zones", number, zone.uuid)
    return zone


def _drop_if_bare(datapath: "Row", zone: "Row", number: int) -> None:
    """Forget a zone about which nothing is left to say."""
    if zone["timeout_policy"] is None and zone["limit"] is None:
        datapath.drop("ct_zones", number)
        zone.delete()


def _policy_zone(text: str) -> int:
    number = whole_integer(text.removeprefix("zone=")) if text.startswith("zone=") else None
    if number is None:
        raise CtlError(f"invalid zone argument, {text}")
    return number


@command("add-zone-tp", "DATAPATH zone=ZONE_ID POLICY=TIMEOUT...", options="--may-exist", reads=ZONES)
def add_zone_tp(ctl: "Ctl", name: str, zone_text: str, first: str, *rest: str) -> None:
    """Add timeouts for the connections in a zone."""
    datapath = _datapath(ctl, name)
    number = _policy_zone(zone_text)
    zone = _zone(ctl, datapath, number)
    policy = ctl.view.get("CT_Timeout_Policy", zone["timeout_policy"])
    if policy is not None and not ctl.has("--may-exist"):
        raise CtlError(f"zone id {number} already has a policy")
    pairs = (word.partition("=") for word in (first, *rest))
    timeouts = {key: scan_integer(value) or 0 for key, _, value in pairs}
    equal = (row for row in ctl.view.rows("CT_Timeout_Policy") if row["timeouts"] == timeouts)
    shared = next(equal, None) or ctl.view.insert("CT_Timeout_Policy", timeouts=timeouts)
    zone["timeout_policy"] = shared.uuid


@command("del-zone-tp", "DATAPATH zone=ZONE_ID", options="--if-exists", reads=ZONES)
def del_zone_tp(ctl: "Ctl", name: str, zone_text: str) -> None:
    """Delete the timeouts of a zone."""
    datapath = _datapath(ctl, name)
    number = _policy_zone(zone_text)
    zone = ctl.view.get("CT_Zone", datapath["ct_zones"].get(number))
    if zone is None or zone["timeout_policy"] is None:
        if ctl.has("--if-exists"):
            return
        raise CtlError(f"zone id {number} does not have a policy")
    zone["timeout_policy"] = None
    _drop_if_bare(datapath, zone, number)


@command("list-zone-tp", "DATAPATH", reads=ZONES)
def list_zone_tp(ctl: "Ctl", name: str) -> None:
    """List the timeouts of all zones of DATAPATH."""
    policies = (
        (number, ctl.view.get("CT_Timeout_Policy", zone["timeout_policy"])) for number, zone in _zones(ctl, name)
    )
    found = [{"zone": number, "timeouts": None if row is None else row["timeouts"]} for number, row in policies]
    ctl.tell(found, _timeout_lines)


def _timeout_lines(zones: "list[dict[str, Any]]") -> "Iterator[str]":
    for zone in zones:
        timeouts = zone["timeouts"]
        shown = "system default" if timeouts is None else " ".join(f"{key}={timeouts[key]}" for key in timeouts)
        yield f"Zone:{zone['zone']}, Timeout Policies: {shown}"


def _zones(ctl: "Ctl", name: str) -> "Iterator[tuple[int, Row]]":
    datapath = _datapath(ctl, name, "datapath: {} record not found")
    for number, uuid in datapath["ct_zones"].items():
        yield number, ctl.view.row("CT_Zone", uuid)


def _limit_zone(text: str) -> int | None:
    """The zone that a limit is for; None for the default of all zones."""
    if text == "default":
        return None
    number = whole_integer(text)
    if number is None:
        raise CtlError(f"invalid zone id, {text}")
    if number not in ZONE_IDS:
        raise CtlError(f"zone_id ({number}) out of range")
    return number


@command("set-zone-limit", "DATAPATH ZONE|default LIMIT", reads=ZONES)
def set_zone_limit(ctl: "Ctl", name: str, zone_text: str, limit_text: str) -> None:
    """Set the number of connections that ZONE, or any zone, of DATAPATH may have."""
    datapath = _datapath(ctl, name)
    number = _limit_zone(zone_text)
    limit = whole_integer(limit_text)
    if limit is None:
        raise CtlError(f"invalid limit, {limit_text}")
    if number is None:
        datapath["ct_zone_default_limit"] = limit
    else:
        _zone(ctl, datapath, number)["limit"] = limit


@command("del-zone-limit", "DATAPATH ZONE|default", options="--if-exists", reads=ZONES)
def del_zone_limit(ctl: "Ctl", name: str, zone_text: str) -> None:
    """Delete the limit of ZONE, or the default, of DATAPATH."""
    datapath = _datapath(ctl, name)
    number = _limit_zone(zone_text)
    if number is None:
        if datapath["ct_zone_default_limit"] is None and not ctl.has("--if-exists"):
            raise CtlError("default limit is not set")
        datapath["ct_zone_default_limit"] = None
        return
    zone = ctl.view.get("CT_Zone", datapath["ct_zones"].get(number))
    if zone is None or zone["limit"] is None:
        if ctl.has("--if-exists"):
            return
        raise CtlError(f"zone_id {number} does not have a limit")
    zone["limit"] = None
    _drop_if_bare(datapath, zone, number)


@command("list-zone-limits", "DATAPATH", reads=ZONES)
def list_zone_limits(ctl: "Ctl", name: str) -> None:
    """List all limits configured on DATAPATH."""
    zones = [(number, zone["limit"]) for number, zone in _zones(ctl, name) if zone["limit"] is not None]
    default = _datapath(ctl, name)["ct_zone_default_limit"]
    found = [{"zone": number, "limit": limit} for number, limit in zones]
    ctl.tell(([{"zone": None, "limit": default}] if default is not None else []) + found, _limit_lines)


def _limit_lines(limits: "list[dict[str, Any]]") -> "Iterator[str]":
    for limit in limits:
        zone = "Default" if limit["zone"] is None else f"Zone: {limit['zone']}"
        yield f"{zone}, Limit: {limit['limit']}"


@command("list-dp-cap", "DATAPATH", reads=("Open_vSwitch datapaths", "Datapath capabilities"))
def list_dp_cap(ctl: "Ctl", name: str) -> None:
    """List what DATAPATH is capable of."""
    datapath = _datapath(ctl, name, 'datapath "{}" record not found')
    ctl.tell(datapath["capabilities"], lambda found: [" ".join(f"{key}={value}" for key, value in found.items())])
