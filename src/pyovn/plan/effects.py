"""What changes in the databases mean: rows of the network, logical flows by datapath and stage, chassis at work.

changes ─ rows ─▶ "+ ACL …", "~ Logical_Switch sw0: acls + …"
        ─ flow_changes ─▶ which flows each datapath gains and loses, whether they are shared or not
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pyovn.plan.changes import Change, Recorder

Json = Any
#: columns that say what a row is, where it has no name
TELLING = (
    "name", "type", "direction", "priority", "match", "action", "ip_prefix", "nexthop", "external_ip", "logical_ip",
    "chassis_name", "cidr", "logical_port", "ip", "target",
)  # fmt: skip
#: columns that northd and others keep, and nobody edits
KEPT = frozenset((
    "nb_cfg", "sb_cfg", "hv_cfg", "nb_cfg_timestamp", "sb_cfg_timestamp", "hv_cfg_timestamp", "up",
))  # fmt: skip


class FlowLine(NamedTuple):
    """A logical flow of one datapath."""

    pipeline: str
    table: int
    stage: str
    priority: int
    match: str
    actions: str

    def __str__(self) -> str:
        where = f"table={self.table:<2} ({self.stage or self.pipeline:<20})"
        return f"{where} priority={self.priority:<5} match=({self.match}), action=({self.actions})"


class FlowChanges(NamedTuple):
    """The flows that a datapath gains and loses."""

    gained: frozenset[FlowLine]
    lost: frozenset[FlowLine]


def rows(changes: Iterable[Change]) -> Iterator[str]:
    """The northbound rows that come, go and become others; parts before the rows that own them."""
    for change in sorted(changes, key=lambda each: (each.table, label(each), each.uuid)):
        named = f"{change.table} {label(change)}".strip()
        if change.before is None:
            yield f"+ {named}{_also(change)}"
        elif change.after is None:
            yield f"- {named}"
        else:
            columns = [_column(name, change) for name in change.columns if name not in KEPT]
            if columns:
                yield f"~ {named}: {'; '.join(columns)}"


def label(change: Change) -> str:
    """How people know a row."""
    row = change.after or change.before or {}
    if row.get("name") and isinstance(row["name"], str):
        return str(row["name"])
    told = [_shown(row[name]) for name in TELLING if row.get(name) not in (None, "", ["set", []])]
    return " ".join(told) or change.uuid[:8]


def _also(change: Change) -> str:
    """What a new row has besides what it is known by; references are told by what they lead to."""
    row = change.after or {}
    known = {"name"} if isinstance(row.get("name"), str) and row["name"] else set(TELLING)
    rest = {name: value for name, value in row.items() if name not in known | KEPT and not _refers(value)}
    return "".join(f" {name}={_shown(value)}" for name, value in sorted(rest.items()))


def _refers(value: Json) -> bool:
    members = _members(value)
    return bool(members) and all(isinstance(each, list) and each[0] == "uuid" for each in members)


def _members(value: Json) -> list[Json]:
    """The members of a set, or the pairs of a map; of anything else, itself."""
    if isinstance(value, list) and value and value[0] in ("set", "map"):
        return list(value[1])
    return [] if value is None else [value]


def _column(name: str, change: Change) -> str:
    before, after = (row or {} for row in (change.before, change.after))
    old, new = before.get(name), after.get(name)
    is_set = any(isinstance(value, list) and value and value[0] in ("set", "map", "uuid") for value in (old, new))
    if not is_set:
        return f"{name} {_shown(old)} → {_shown(new)}"
    gone = [each for each in _members(old) if each not in _members(new)]
    come = [each for each in _members(new) if each not in _members(old)]
    return " ".join([name, *(f"-{_shown(each)}" for each in gone), *(f"+{_shown(each)}" for each in come)])


def _shown(value: Json) -> str:
    """A value as people write it."""
    match value:
        case None:
            return "nothing"
        case ["uuid", str(uuid)] | ["named-uuid", str(uuid)]:
            return uuid[:8]
        case ["set", members]:
            return "[" + ", ".join(_shown(each) for each in members) + "]"
        case ["map", pairs]:
            return "{" + ", ".join(f"{key}={_shown(one)}" for key, one in pairs) + "}"
        case [key, one]:
            return f"{key}={_shown(one)}"
    return f'"{value}"' if isinstance(value, str) and " " in value else str(value)


def flow_changes(recorder: Recorder, changes: Iterable[Change]) -> dict[str, FlowChanges]:
    """UUID of a datapath → what it gains and loses."""
    changes = list(changes)
    groups = _Groups(recorder, changes)
    gained: dict[str, set[FlowLine]] = defaultdict(set)
    lost: dict[str, set[FlowLine]] = defaultdict(set)
    touched = set()
    for change in changes:
        if change.table == "Logical_Flow":
            touched.add(change.uuid)
            for row, found, members in (
                (change.before, lost, groups.before), (change.after, gained, groups.after),
            ):  # fmt: skip
                for datapath in _datapaths(row, members):
                    found[datapath].add(_line(row or {}))
    if groups.changed:
        for uuid, stored in recorder.database.tables["Logical_Flow"].rows.items():
            row = None if uuid in touched else recorder.row("Logical_Flow", stored)
            if row is None or _reference(row.get("logical_dp_group")) not in groups.changed:
                continue
            for datapath in _datapaths(row, groups.before):
                lost[datapath].add(_line(row))
            for datapath in _datapaths(row, groups.after):
                gained[datapath].add(_line(row))
    found_all = {}
    for datapath in gained.keys() | lost.keys():
        both = gained[datapath] & lost[datapath]
        each = FlowChanges(frozenset(gained[datapath] - both), frozenset(lost[datapath] - both))
        if each.gained or each.lost:
            found_all[datapath] = each
    return found_all


class _Groups:
    """The members of datapath groups, before and after."""

    def __init__(self, recorder: Recorder, changes: Iterable[Change]) -> None:
        mine = [change for change in changes if change.table == "Logical_DP_Group"]
        stored = recorder.database.tables["Logical_DP_Group"].rows
        self.after = {uuid: _referred(recorder.row("Logical_DP_Group", row)) for uuid, row in stored.items()}
        self.before = {**self.after}
        for change in mine:
            self.before[change.uuid] = _referred(change.before)
        self.changed = {change.uuid for change in mine if change.before is not None and change.after is not None}


def _referred(row: Mapping[str, Json] | None) -> tuple[str, ...]:
    return tuple(each[1] for each in _members((row or {}).get("datapaths")))


def _reference(value: Json) -> str:
    members = _members(value)
    return members[0][1] if members else ""


def _datapaths(row: Mapping[str, Json] | None, groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if row is None:
        return ()
    own = _reference(row.get("logical_datapath"))
    return (own,) if own else groups.get(_reference(row.get("logical_dp_group")), ())


def _line(row: Mapping[str, Json]) -> FlowLine:
    labels = dict(_members(row.get("external_ids")))
    return FlowLine(
        row.get("pipeline", ""), row.get("table_id", 0), labels.get("stage-name", ""), row.get("priority", 0),
        row.get("match", ""), row.get("actions", ""),
    )  # fmt: skip
