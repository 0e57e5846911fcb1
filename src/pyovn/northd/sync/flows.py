"""Logical_Flow and Logical_DP_Group: the flow table of the southbound database.

    wanted     FlowTable        flow → where it is: one datapath, or several
    installed  this file        flow → the row that says so, and what the row refers to: a datapath or a group

The rows are not kept: 100,000 of them are large, and all that is asked of one is whether it is still what it was.  They
are read once, when northd starts, as JSON; what it inserts later it knows already.  A row that changes behind its back
is read again, alone, and put right.

Flows that are on the same several datapaths share a group row.  Where all flows of a group move to the same other set
of datapaths, as when a switch is added, the group moves and they stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Origin
from pyovn.northd.flowtable import FlowTable, Place, Shared, datapaths, signature_of
from pyovn.northd.pipeline import AT, Flow, Tags
from pyovn.northd.sync.references import References, reference_json
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import LogicalDPGroup, LogicalFlow

Json = Any

IN_OUT = "in_out_port"
NOTHING = ("set", None)
_NEW = tuple.__new__  # the constructor of a NamedTuple costs twice as much, and a restart makes 100,000

COLUMNS = (
    "logical_datapath",
    "logical_dp_group",
    "pipeline",
    "table_id",
    "priority",
    "match",
    "actions",
    "tags",
    "controller_meter",
    "flow_desc",
    "external_ids",
)


class Group:
    """A row of Logical_DP_Group; while it is being inserted, `uuid` is its name in the transaction."""

    __slots__ = ("members", "others", "signature", "users", "uuid")

    def __init__(self, uuid: Uuid, members: frozenset[str]) -> None:
        self.uuid = uuid
        self.users = 0  #: how many flows refer to it
        self.others = 0  #: how many rows of other tables
        self.become(members)

    def become(self, members: frozenset[str]) -> None:
        """Change the datapaths in it."""
        self.members = members
        self.signature = 0
        for datapath in members:
            self.signature ^= signature_of(datapath)


class Installed(NamedTuple):
    """A row of Logical_Flow: its UUID, and the datapath (by northbound UUID) or the group that it refers to."""

    uuid: Uuid
    datapath: str | None
    group: Group | None


class Referred(NamedTuple):
    """What a row refers to: a datapath by its northbound UUID or a group; "switch" or "router", where that is known."""

    datapath: str | None
    group: Group | None
    kind: str


class FlowSync:
    """The flow table, wanted and installed."""

    def __init__(self, wanted: FlowTable, references: References) -> None:
        self.wanted = wanted
        self.references = references
        self.installed: dict[Flow, Installed] = {}
        self.flows: dict[Uuid, Flow] = {}  #: what each row says
        self.foreign: dict[Uuid, None] = {}  #: rows that say nothing we could have written, or what another says
        self.groups: dict[str, Group] = {}  #: rows of Logical_DP_Group
        self.dirty: dict[Flow, None] = {}
        self.columns: frozenset[str] = frozenset(COLUMNS)  #: those that the server has
        self._by_signature: dict[int, Group] = {}
        self._inserted: list[tuple[int, Flow, str | None, Group | None]] = []
        self._written: list[Uuid] = []  # rows that the transaction under construction changes or deletes
        self._named: list[Group] = []

    # -- what the database says -------------------------------------------------------------------------------------

    def load(self, parts: Iterable[Mapping[Uuid, Mapping[str, Json]]]) -> None:
        """Forget everything, and take in the whole table; datapaths and groups must be known.

        Each part is what a monitor tells at first: UUID → {"initial": columns that do not have their default}.
        """
        self.installed.clear()
        self.flows.clear()
        self.foreign.clear()
        self.dirty.clear()
        self.wanted.take()
        for group in self.groups.values():
            group.users = 0
        self.learn((uuid, row["initial"]) for rows in parts for uuid, row in rows.items())
        installed = self.installed
        if len(installed) != len(self.wanted.places) or self.dirty:
            self.dirty.update(dict.fromkeys(flow for flow in self.wanted.places if flow not in installed))

    def learn(self, rows: Iterable[tuple[Uuid, Mapping[str, Json]]]) -> None:
        """Take in rows; columns that are not in the JSON have their default.  A restart does this for 100,000."""
        referred, places = self._referred(), self.wanted.places
        installed, flows, foreign, dirty = self.installed, self.flows, self.foreign, self.dirty
        for uuid, row in rows:
            get = row.get
            reference = get("logical_datapath", NOTHING)
            if reference[0] != "uuid":
                reference = get("logical_dp_group", NOTHING)
            datapath, group, kind = referred.get(reference[1], _UNKNOWN) if reference[0] == "uuid" else _UNKNOWN
            stage = AT.get((kind, row["pipeline"], get("table_id", 0)))
            if stage is None or ("external_ids" in row and ["stage-name", stage.name] not in row["external_ids"][1]):
                foreign[uuid] = None
                continue
            tags, meter, description = get("tags"), get("controller_meter"), get("flow_desc")
            flow = _NEW(
                Flow,
                (
                    stage,
                    get("priority", 0),
                    get("match", ""),
                    get("actions", ""),
                    None if tags is None else tag_value(tags[1]),
                    meter if meter.__class__ is str else None,
                    description if description.__class__ is str else None,
                ),
            )
            there = _NEW(Installed, (uuid, datapath, group))
            if installed.setdefault(flow, there) is not there:
                foreign[uuid] = None
                continue
            flows[uuid] = flow
            if group is not None:
                group.users += 1
            if not _is_right(places.get(flow), there):
                dirty[flow] = None

    def _referred(self) -> dict[str, Referred]:
        """What rows may refer to, by UUID."""
        kind, northbound = self.references.kind, self.references.northbound
        found = {uuid: Referred(datapath, None, kind(datapath)) for uuid, datapath in northbound.items()}
        for uuid, group in self.groups.items():
            found[uuid] = Referred(None, group, next(map(kind, group.members), ""))
        return found

    def forget(self, uuid: Uuid) -> None:
        """A row is gone, or no longer what it was."""
        self.foreign.pop(uuid, None)
        flow = self.flows.pop(uuid, None)
        if flow is not None:
            row = self.installed.pop(flow)
            if row.group is not None:
                row.group.users -= 1
            self.dirty[flow] = None

    def groups_seen(self, changes: Mapping[Uuid, tuple[Any, Any]]) -> None:
        """Rows of Logical_DP_Group have changed."""
        for uuid, (_, new) in changes.items():
            known = self.groups.get(uuid)
            if new is None:
                if known is not None:
                    del self.groups[uuid]
                    self._unsign(known)
                continue
            members = frozenset(self.references.northbound.get(each, each) for each in new.datapaths)
            if known is None:
                known = self.groups[uuid] = Group(uuid, members)
            elif members != known.members:
                self._unsign(known)
                known.become(members)
                self.dirty.update(dict.fromkeys(flow for flow, row in self.installed.items() if row.group is known))
            self._by_signature.setdefault(known.signature, known)

    def _unsign(self, group: Group) -> None:
        if self._by_signature.get(group.signature) is group:
            del self._by_signature[group.signature]

    # -- what is to be done -----------------------------------------------------------------------------------------

    def plan(self, txn: Txn) -> None:
        """Write down what is to be done about flows that are not what they should be."""
        self._inserted, self._written, self._named = [], [], []
        for uuid in self.foreign:
            txn.delete_by_uuid(LogicalFlow, uuid)
        self._written += self.foreign
        self.foreign.clear()
        dirty, self.dirty = self.dirty, {}
        dirty.update(self.wanted.take())
        shared: dict[Flow, Shared] = {}
        places, installed = self.wanted.places, self.installed
        for flow in dirty:
            place, row = places.get(flow), installed.get(flow)
            if place is None:
                if row is not None:
                    self._remove(txn, flow, row)
            elif isinstance(place, Shared) and len(place.members) > 1:
                shared[flow] = place
            elif row is None:
                (datapath,) = datapaths(place)
                self._insert(txn, flow, place, datapath, None)
            elif not _is_right(place, row):
                (datapath,) = datapaths(place)
                self._refer(txn, flow, row, datapath, None)
        self._move_groups(txn, shared)
        for flow, place in shared.items():
            row = installed.get(flow)
            if row is None:
                self._insert(txn, flow, place, None, self._group(txn, place))
            elif not _is_right(place, row):
                self._refer(txn, flow, row, None, self._group(txn, place))

    def settle(self, txn: Txn, results: Sequence[Json]) -> list[Uuid]:
        """The transaction is done: note the UUIDs of what it inserted; gives all the rows of flows it wrote."""
        for named in self._named:
            named.uuid = txn.uuids[named.uuid]
            self.groups[named.uuid] = named
        installed, flows, written = self.installed, self.flows, self._written
        for index, flow, datapath, group in self._inserted:
            uuid = results[index]["uuid"][1]
            installed[flow] = _NEW(Installed, (uuid, datapath, group))
            flows[uuid] = flow
            written.append(uuid)
        self._inserted, self._written, self._named = [], [], []
        return written

    def _remove(self, txn: Txn, flow: Flow, row: Installed) -> None:
        txn.delete_by_uuid(LogicalFlow, row.uuid)
        self._written.append(row.uuid)
        del self.installed[flow], self.flows[row.uuid]
        if row.group is not None:
            row.group.users -= 1

    def _refer(self, txn: Txn, flow: Flow, row: Installed, datapath: str | None, group: Group | None) -> None:
        """Make a row refer to another datapath or group."""
        if row.group is not None:
            row.group.users -= 1
        self.installed[flow] = Installed(row.uuid, datapath, group)
        if group is not None:
            group.users += 1
        sb = None if datapath is None else self.references.datapath(datapath)
        txn.set(LogicalFlow, row.uuid, logical_datapath=sb, logical_dp_group=None if group is None else group.uuid)
        self._written.append(row.uuid)

    def _insert(self, txn: Txn, flow: Flow, place: Place, datapath: str | None, group: Group | None) -> None:
        """Add a row, as JSON: a first fill adds 100,000."""
        stage, priority, match, actions, port, meter, description = flow
        origin = place.origin if isinstance(place, Shared) else place
        ids = [["source", origin.source], ["stage-name", stage.name]]
        if origin.hint:
            ids.append(["stage-hint", origin.hint])
        json: dict[str, Json] = {
            "pipeline": stage.pipeline,
            "table_id": stage.table,
            "priority": priority,
            "match": match,
            "actions": actions,
            "external_ids": ["map", ids],
        }
        if datapath is not None:
            json["logical_datapath"] = self.references.datapath_json(datapath)
        elif group is not None:
            json["logical_dp_group"] = reference_json(group.uuid)
            group.users += 1
        if port is not None:
            json["tags"] = ["map", [[IN_OUT, port]] if port.__class__ is str else port]
        if meter is not None:
            json["controller_meter"] = meter
        if description is not None and "flow_desc" in self.columns:
            json["flow_desc"] = description
        self._inserted.append((len(txn), flow, datapath, group))
        txn.raw_insert("Logical_Flow", json)

    # -- groups -----------------------------------------------------------------------------------------------------

    def _move_groups(self, txn: Txn, shared: Mapping[Flow, Shared]) -> None:
        """Where all flows of a group are wanted on one other set of datapaths, change the group."""
        leaving: dict[Group, dict[int, int]] = {}
        targets: dict[int, Shared] = {}
        for flow, place in shared.items():
            row = self.installed.get(flow)
            if row is not None and row.group is not None and row.group.signature != place.signature:
                counts = leaving.setdefault(row.group, {})
                counts[place.signature] = counts.get(place.signature, 0) + 1
                targets[place.signature] = place
        for group, counts in leaving.items():
            signature, count = max(counts.items(), key=lambda item: item[1])
            if count == group.users and not group.others and signature not in self._by_signature:
                self._set_members(txn, group, targets[signature].members)

    def _set_members(self, txn: Txn, group: Group, wanted: frozenset[str]) -> None:
        references = self.references
        if gone := frozenset(sb for each in group.members - wanted if (sb := references.known(each))):
            txn.mutate_by_uuid(LogicalDPGroup, group.uuid, "datapaths", "delete", gone)
        if come := frozenset(references.datapath(each) for each in wanted - group.members):
            txn.mutate_by_uuid(LogicalDPGroup, group.uuid, "datapaths", "insert", come)
        self._unsign(group)
        group.become(wanted)
        self._by_signature[group.signature] = group

    def _group(self, txn: Txn, place: Shared) -> Group:
        """The row of the group with the datapaths of `place`."""
        found = self._by_signature.get(place.signature)
        return self._new_group(txn, place.members) if found is None else found

    def group_of(self, txn: Txn, members: frozenset[str]) -> Group:
        """The row of the group with these datapaths, for rows of other tables; to be asked after `plan`."""
        signature = 0
        for each in members:
            signature ^= signature_of(each)
        found = self._by_signature.get(signature)
        return self._new_group(txn, members) if found is None else found

    def _new_group(self, txn: Txn, members: frozenset[str]) -> Group:
        name = txn.insert(LogicalDPGroup, datapaths=frozenset(map(self.references.datapath, members)))
        made = Group(name, members)
        self._by_signature[made.signature] = made
        self._named.append(made)
        return made


def tag_value(tags: Sequence[Sequence[str]]) -> str | Tags | None:
    """Tags as a flow has them: the name of its port, most often."""
    if len(tags) == 1 and tags[0][0] == IN_OUT:
        return tags[0][1]
    return tuple(sorted((name, value) for name, value in tags)) or None


_UNKNOWN = Referred(None, None, "")


def _is_right(place: Place | None, row: Installed) -> bool:
    """Does the row refer to where the flow is wanted?"""
    if isinstance(place, Origin):
        return row.datapath == place.datapath
    if place is None:
        return False
    if len(place.members) == 1:
        return row.datapath in place.members
    return row.group is not None and row.group.signature == place.signature
