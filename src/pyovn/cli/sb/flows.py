"""`lflow-list` and `count-flows`: logical flows, by datapath and pipeline."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.sb.datapaths import DATAPATHS, facts, find_datapath, known_datapaths, title

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

    Entry = dict[str, Any]

command = CommandTable("Logical flow commands")

FLOWS = (
    "Logical_Flow pipeline table_id priority match actions external_ids logical_datapath logical_dp_group",
    "Logical_DP_Group datapaths",
    DATAPATHS,
)
VFLOWS = (
    "Port_Binding datapath logical_port tunnel_key",
    "MAC_Binding datapath logical_port ip mac",
    "Multicast_Group datapath name tunnel_key ports",
    "Chassis name",
    "Load_Balancer name protocol vips datapaths datapath_group ls_datapath_group lr_datapath_group",
)
UUID_DIGITS = frozenset("0123456789abcdef-")


class Placed:
    """A logical flow on one of its datapaths."""

    __slots__ = ("datapath", "flow", "order")

    def __init__(self, datapath: "Row", flow: "Row") -> None:
        self.datapath = datapath
        self.flow = flow
        ids = datapath["external_ids"]
        self.order = (
            ids.get("name", ""),
            datapath.uuid,
            flow["pipeline"] != "ingress",
            flow["table_id"],
            -flow["priority"],
            flow["match"],
            flow["actions"],
        )

    @property
    def place(self) -> str:
        """Datapath and pipeline, as headers name them."""
        return f"Datapath: {title(self.datapath)}  Pipeline: {self.flow['pipeline']}"

    @property
    def table(self) -> str:
        """Table number and stage, as rows begin."""
        return f"table={self.flow['table_id']:<2}({self.stage:<19})"

    @property
    def stage(self) -> str:
        """The name of the table."""
        name: str = self.flow["external_ids"].get("stage-name", "")
        return name

    def entry(self) -> "dict[str, Any]":
        """The flow as JSON has it."""
        flow = self.flow.entry("pipeline", "table_id", "priority", "match", "actions")
        return flow | {"stage": self.stage, **facts(self.datapath)}


def placed_flows(view: "View", only: "Row | None") -> "list[Placed]":
    """All flows on all their datapaths, or on `only` that one, in the order of the packet's way."""
    groups = {row.uuid: row["datapaths"] for row in view.table("Logical_DP_Group").rows.values()}
    found = [
        Placed(view.row("Datapath_Binding", uuid), flow)
        for flow in view.table("Logical_Flow").rows.values()
        for uuid in (flow["logical_datapath"], *groups.get(flow["logical_dp_group"] or "", ()))
        if uuid and (only is None or uuid == only.uuid)
    ]
    found.sort(key=lambda each: each.order)
    return found


def uuid_start(view: "View", text: str) -> str:
    """The beginning of a UUID, which may be written as a hexadecimal number; raises `CtlError`."""
    digits = text.lower().removeprefix("0x")
    if not digits or not UUID_DIGITS.issuperset(digits):
        raise CtlError(f"{text} is not a UUID or the beginning of a UUID", text, known_datapaths(view))
    return digits


def _list_reads(ctl: "Ctl") -> "Iterable[str]":
    return (*FLOWS, *(VFLOWS if ctl.has("--vflows") else ()))


def _lflow_list(ctl: "Ctl", *arguments: str) -> None:
    """List logical flows, all or those of a datapath or with these UUIDs."""
    words = list(arguments)
    datapath = find_datapath(ctl.view, words[0]) if words else None
    if datapath is not None:
        words.pop(0)
    starts = tuple(uuid_start(ctl.view, word) for word in words)
    flows = placed_flows(ctl.view, datapath)
    if starts:
        flows = [each for each in flows if each.flow.uuid.startswith(starts)]
    openflow = _openflow(ctl)
    if ctl.as_json:
        ctl.documents.append(_document(ctl, flows, openflow, datapath))
        return
    ctl.lines += _lines(ctl, flows, openflow)
    if ctl.has("--vflows"):
        from pyovn.cli.sb.vflows import sections

        ctl.lines += sections(ctl, datapath)


def _document(
    ctl: "Ctl", flows: "list[Placed]", openflow: "dict[int, list[str]]", datapath: "Row | None"
) -> "list[Entry] | dict[str, list[Entry]]":
    """The flows as JSON; with `--vflows` beside the other rows that become OpenFlow flows."""
    found = [each.entry() for each in flows]
    if ctl.has("--ovs"):
        for entry in found:
            entry["openflow"] = [line.strip() for line in openflow.get(int(entry["_uuid"][:8], 16), ())]
    if not ctl.has("--vflows"):
        return found
    from pyovn.cli.sb.vflows import documents

    return {"logical_flows": found, **documents(ctl, datapath)}


def _lines(ctl: "Ctl", flows: "list[Placed]", openflow: "dict[int, list[str]]") -> "Iterator[str]":
    place = ""
    for each in flows:
        if each.place != place:
            place = each.place
            yield place
        flow = each.flow
        uuid = f"uuid=0x{flow.uuid[:8]}, " if ctl.has("--uuid") else ""
        match, action = f"match=({flow['match']})", f"action=({flow['actions']})"
        yield f"  {uuid}{each.table}, priority={flow['priority']:<5}, {match}, {action}"
        yield from openflow.get(int(flow.uuid[:8], 16), ())


def _openflow(ctl: "Ctl") -> "dict[int, list[str]]":
    """The switch's flows by cookie, where `--ovs` asks for them."""
    if not ctl.has("--ovs"):
        return {}
    from pyovn.cli.sb.openflow import flows_by_cookie

    return flows_by_cookie(ctl, ctl.option("--ovs"), stats=ctl.has("--stats"))


OPTIONS = "--uuid --ovs? --stats --vflows?"


@command("lflow-list", "[DATAPATH] [LFLOW]...", options=OPTIONS, reads=_list_reads)
def lflow_list(ctl: "Ctl", *arguments: str) -> None:
    """List logical flows for DATAPATH."""
    _lflow_list(ctl, *arguments)


@command("dump-flows", "[DATAPATH] [LFLOW]...", options=OPTIONS, reads=_list_reads)
def dump_flows(ctl: "Ctl", *arguments: str) -> None:
    """Like lflow-list."""
    _lflow_list(ctl, *arguments)


@command("count-flows", "[DATAPATH]", reads=FLOWS)
def count_flows(ctl: "Ctl", name: str | None = None) -> None:
    """Count logical flows for DATAPATH."""
    datapath = None if name is None else find_datapath(ctl.view, name)
    flows = [] if name is not None and datapath is None else placed_flows(ctl.view, datapath)
    places: dict[str, dict[str, list[Placed]]] = {}
    for each in flows:
        places.setdefault(each.place, {}).setdefault(each.table, []).append(each)
    if ctl.as_json:
        pipelines = [_counted(*tables.values()) for tables in places.values()]
        ctl.documents.append({"pipelines": pipelines, "lflows": len(flows)})
        return
    for place, tables in places.items():
        ctl.print(place)
        ctl.lines += [f"  {table} lflows={len(placed)}" for table, placed in tables.items()]
        first = next(iter(tables.values()))[0]
        where = f"{title(first.datapath)} Pipeline: {first.flow['pipeline']}"
        ctl.print(f"Total number of logical flows in the datapath {where} = {sum(map(len, tables.values()))}")
        ctl.print("")
    ctl.print(f"Total number of logical flows = {len(flows)}")


def _counted(*tables: "list[Placed]") -> "Entry":
    """How many flows there are in one pipeline of a datapath."""
    first = tables[0][0]
    counts = [
        {"table_id": placed[0].flow["table_id"], "stage": placed[0].stage, "lflows": len(placed)} for placed in tables
    ]
    total = sum(map(len, tables))
    return facts(first.datapath) | {"pipeline": first.flow["pipeline"], "tables": counts, "lflows": total}
