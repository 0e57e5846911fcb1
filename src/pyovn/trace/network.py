"""The logical network as the tracer wants it, made from rows of the Southbound database.

A row is a mapping of columns: sets are tuples, maps are dicts, references are UUID texts, an empty optional
is an empty tuple.  Flows are grouped by datapath first and sorted and parsed only when a packet gets to them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyovn.lang.actions import Actions, Pipeline, prerequisites
from pyovn.lang.actions import parse as parse_actions
from pyovn.lang.errors import SyntaxFault
from pyovn.lang.match import And, Expr
from pyovn.lang.match import parse as parse_match
from pyovn.lang.options import DEFAULT_OPTIONS, Option, OptionTables, by_name
from pyovn.lang.symbols import SYMBOLS, TRACKED_SYMBOLS, SymbolTable
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.mac import mac_int
from pyovn.trace.index import WORTH_AN_INDEX, Index

Row = Mapping[str, Any]

#: The tables a trace reads, and their columns.
COLUMNS: dict[str, tuple[str, ...]] = {
    "Datapath_Binding": ("_uuid", "tunnel_key", "external_ids", "nb_uuid", "type"),
    "Port_Binding": (
        "_uuid", "datapath", "logical_port", "tunnel_key", "type", "options", "port_security", "external_ids",
    ),
    "Multicast_Group": ("datapath", "name", "tunnel_key", "ports"),
    "Address_Set": ("name", "addresses"),
    "Port_Group": ("name", "ports"),
    "Logical_DP_Group": ("_uuid", "datapaths"),
    "DHCP_Options": ("name", "code", "type"),
    "DHCPv6_Options": ("name", "code", "type"),
    "MAC_Binding": ("logical_port", "ip", "mac"),
    "Static_MAC_Binding": ("logical_port", "ip", "mac", "override_dynamic_mac"),
    "FDB": ("mac", "dp_key", "port_key"),
    "Logical_Flow": (
        "_uuid", "logical_datapath", "logical_dp_group", "pipeline", "table_id", "priority", "match", "actions",
        "tags", "external_ids",
    ),
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Port:
    """A logical port."""

    name: str
    #: how people know it
    friendly: str
    type: str
    key: int
    datapath: "Datapath"
    #: the port at the other end of a patch
    peer: str
    port_security: tuple[str, ...]
    #: of a `chassisredirect` port: the distributed port it stands for
    distributed: str


@dataclass(slots=True, eq=False)
class Group:
    """A multicast group."""

    name: str
    key: int
    #: in order of name
    ports: list[Port]


@dataclass(slots=True, eq=False)
class Flow:
    """A logical flow, ready to run."""

    table: int
    priority: int
    #: as written
    match: str
    actions_text: str
    uuid: str
    stage: str
    source: str
    #: the northbound row that it came from: how its UUID begins
    hint: str
    expr: Expr
    symbols: SymbolTable
    actions: Actions


@dataclass(slots=True, eq=False)
class Datapath:
    """A logical switch or router."""

    uuid: str
    key: int
    name: str
    #: how people know it
    friendly: str
    names: frozenset[str]
    is_switch: bool
    #: bound to one chassis: it has an `l3gateway` port
    is_gateway: bool = False
    ports: dict[int, Port] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    #: (IP version, address) → MAC, by port key
    neighbours: dict[int, dict[tuple[int, int], int]] = field(default_factory=dict)
    #: MAC → port key
    fdb: dict[int, int] = field(default_factory=dict)
    #: its flows are in their tables
    is_sorted: bool = False

    def port_of(self, key: int) -> Port | None:
        """The port of a key."""
        return self.ports.get(key)

    def name_of(self, key: int) -> str:
        """The friendly name of a port or group; empty for key 0, which is none."""
        port = self.ports.get(key)
        if port is not None:
            return port.friendly
        return self.groups[key].name if key in self.groups else "" if not key else str(key)


Warn = Callable[[str], None]


def silent(_text: str) -> None:
    """Nobody is interested."""


class Network:
    """All datapaths and what their flows refer to."""

    def __init__(
        self, tables: Mapping[str, Sequence[Row]], *, friendly_names: bool = True, warn: Warn = silent
    ) -> None:
        self.warn = warn
        self._friendly = friendly_names
        self.datapaths = {row["_uuid"]: _datapath(row, friendly=friendly_names) for row in tables["Datapath_Binding"]}
        self.ports: dict[str, Port] = {}
        by_uuid = self._add_ports(tables["Port_Binding"])
        self._nicknames = {port.name: port.friendly for port in self.ports.values() if port.friendly != port.name}
        self._add_groups(tables["Multicast_Group"], by_uuid)
        self.address_sets = {row["name"]: as_set(row["addresses"]) for row in tables["Address_Set"]}
        self.port_groups = {row["name"]: as_set(row["ports"]) for row in tables["Port_Group"]}
        self.options = _option_tables(tables)
        self._add_neighbours(tables)
        self._add_fdb(tables["FDB"])
        self._rows = _by_datapath(tables)
        # C OVN meets flows in the order of a hash table keyed by the first 32 bits of the UUID; of several that
        # match at one priority that decides, and users compare.
        self._mask = (1 << max(len(tables["Logical_Flow"]), 1).bit_length() - 1) - 1
        self._tables: dict[tuple[str, Pipeline, int], list[Row]] = {}
        self._flows: dict[str, Flow | None] = {}
        self._indexes: dict[tuple[str, Pipeline, int], Index] = {}

    def find_datapath(self, name: str) -> Datapath | None:
        """The datapath of this name or UUID; the beginning of a UUID will do if it is the beginning of one only."""
        for datapath in self.datapaths.values():
            if name in datapath.names or name == datapath.uuid:
                return datapath
        if len(name) < 4:
            return None
        found = [datapath for datapath in self.datapaths.values() if datapath.uuid.startswith(name)]
        return found[0] if len(found) == 1 else None

    def find_port(self, name: str) -> Port | None:
        """The port of this name, or of this friendly name."""
        if name in self.ports:
            return self.ports[name]
        return next((port for port in self.ports.values() if port.friendly == name), None)

    def shown(self, text: str) -> str:
        """A match or an action with the names of ports as people know them."""
        if not self._nicknames:
            return text
        return _QUOTED.sub(lambda found: f'"{self._nicknames.get(found[1], found[1])}"', text)

    def keys_in(self, datapath: Datapath) -> "Keys":
        """Names → keys, as expressions in this datapath see them."""
        return Keys(self, datapath)

    def flows_of(
        self, datapath: Datapath, pipeline: Pipeline, table: int, packet: Mapping[str, Any] | None = None
    ) -> Iterator[Flow]:
        """The flows of a table, highest priority first; only those that may be for a packet, if one is given."""
        key = datapath.uuid, pipeline, table
        if not datapath.is_sorted:
            self._sort(datapath)
        rows: Iterable[Row] = self._tables.get(key, ())
        if packet is not None and len(self._tables.get(key, ())) >= WORTH_AN_INDEX:
            if key not in self._indexes:
                self._indexes[key] = Index(self._tables[key], self.keys_in(datapath))
            rows = self._indexes[key].rows_for(packet)
        for row in rows:
            flow = self._flow(row, datapath)
            if flow is not None:
                yield flow

    def stage_of(self, datapath: Datapath, pipeline: Pipeline, table: int) -> str:
        """The name of a table, as its flows have it."""
        return next((flow.stage for flow in self.flows_of(datapath, pipeline, table)), "")

    def _sort(self, datapath: Datapath) -> None:
        """Sort the flows of one datapath into its tables."""
        datapath.is_sorted = True
        for row in self._rows.get(datapath.uuid, ()):
            self._tables.setdefault((datapath.uuid, row["pipeline"], row["table_id"]), []).append(row)
        for (uuid, _, _), rows in self._tables.items():
            if uuid == datapath.uuid:
                rows.sort(key=lambda row: (-row["priority"], int(row["_uuid"][:8], 16) & self._mask))

    def _flow(self, row: Row, datapath: Datapath) -> Flow | None:
        uuid = row["_uuid"]
        if uuid not in self._flows:
            self._flows[uuid] = self._parse(row, datapath)
        return self._flows[uuid]

    def _parse(self, row: Row, datapath: Datapath) -> Flow | None:
        symbols = TRACKED_SYMBOLS if row["tags"].get("acl_ct_translation") == "true" else SYMBOLS
        try:
            expr = parse_match(row["match"], symbols, self.address_sets, _Groups(self.port_groups, datapath.key))
        except SyntaxFault as fault:
            self.warn(f"{row['match']}: parsing expression failed ({fault})")
            return None
        try:
            where: tuple[Pipeline, int] = row["pipeline"], row["table_id"]
            actions = parse_actions(row["actions"], symbols, pipeline=where[0], table=where[1], options=self.options)
        except SyntaxFault as fault:
            self.warn(f"{row['actions']}: parsing actions failed ({fault})")
            return None
        needed = prerequisites(actions, symbols)
        if needed is not None:
            expr = And((expr, needed))
        labels = row["external_ids"]
        return Flow(
            row["table_id"], row["priority"], row["match"], row["actions"], row["_uuid"],
            labels.get("stage-name", ""), labels.get("source", ""),
            labels.get("stage-hint", ""), expr, symbols, actions,
        )  # fmt: skip

    def _add_ports(self, rows: Iterable[Row]) -> dict[str, Port]:
        by_uuid = {}
        for row in rows:
            datapath = self.datapaths.get(row["datapath"])
            if datapath is None:
                continue
            port = _port(row, datapath, friendly=self._friendly)
            self.ports[port.name] = datapath.ports[port.key] = by_uuid[row["_uuid"]] = port
            datapath.is_gateway |= port.type == "l3gateway"
        return by_uuid

    def _add_groups(self, rows: Iterable[Row], by_uuid: Mapping[str, Port]) -> None:
        for row in rows:
            datapath = self.datapaths.get(row["datapath"])
            if datapath is not None:
                ports = [by_uuid[uuid] for uuid in as_set(row["ports"]) if uuid in by_uuid]
                ports.sort(key=lambda port: port.name)
                datapath.groups[row["tunnel_key"]] = Group(row["name"], row["tunnel_key"], ports)

    def _add_neighbours(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Learned bindings; configured ones where none was learned or where they are to prevail."""
        for row in tables["MAC_Binding"]:
            self._add_neighbour(row, prevails=True)
        for row in tables["Static_MAC_Binding"]:
            self._add_neighbour(row, prevails=bool(row["override_dynamic_mac"]))

    def _add_neighbour(self, row: Row, *, prevails: bool) -> None:
        port = self.ports.get(row["logical_port"])
        if port is None:
            return
        known = port.datapath.neighbours.setdefault(port.key, {})
        try:
            address, mac = ip_parse(row["ip"]), mac_int(row["mac"])
        except Malformed:
            return
        if prevails or address not in known:
            known[address] = mac

    def _add_fdb(self, rows: Iterable[Row]) -> None:
        by_key = {datapath.key: datapath for datapath in self.datapaths.values()}
        for row in rows:
            if row["dp_key"] in by_key:
                by_key[row["dp_key"]].fdb[mac_int(row["mac"])] = row["port_key"]


_QUOTED = re.compile(r'"([^"]*)"')

#: Names that mean no port at all.
_NO_PORT = {"": 0, "none": 0}


class Keys:
    """Names of ports and multicast groups → keys, in one datapath; unknown names are told once."""

    def __init__(self, network: Network, datapath: Datapath) -> None:
        self._network = network
        self._known = {**_NO_PORT, **{group.name: group.key for group in datapath.groups.values()}}
        self._datapath = datapath

    def __call__(self, name: str) -> int | None:
        """The key, or None."""
        port = self._network.ports.get(name) or self._network.find_port(name)
        if port is not None and port.datapath is self._datapath:
            return port.key
        if name in self._known:
            return self._known[name]
        return None


class _Groups(dict[str, Sequence[str]]):
    """Port groups as a datapath knows them: `@pg` is `K_pg` where K is its key."""

    def __init__(self, groups: Mapping[str, Sequence[str]], key: int) -> None:
        super().__init__(groups)
        self._key = key

    def get(self, name: str, default: Any = None) -> Any:
        found = super().get(f"{self._key}_{name}")
        return super().get(name, default) if found is None else found


def as_set(value: Any) -> tuple[Any, ...]:
    """The members of a set column, which holds a single member bare."""
    if isinstance(value, tuple | list | set | frozenset):
        return tuple(value)
    return (value,)


_TRAILING_UUID = re.compile(r"([0-9a-fA-F]{6})[0-9a-fA-F]{2}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")


def shortened(name: str) -> str:
    """A name, of whose UUID at the end six digits are left: `neutron-1a2b3c`."""
    return _TRAILING_UUID.sub(r"\1", name)


def _datapath(row: Row, *, friendly: bool) -> Datapath:
    labels = row["external_ids"]
    nb_uuid = labels.get("logical-switch") or labels.get("logical-router") or _optional(row["nb_uuid"])
    name = nb_uuid or row["_uuid"]
    friendly_names = [labels[key] for key in ("name2", "name") if labels.get(key)]
    shown = shortened(friendly_names[0] if friendly_names else name) if friendly else name
    is_switch = "logical-switch" in labels or _optional(row["type"]) == "logical-switch"
    names = frozenset((*friendly_names, name, row["_uuid"]))
    return Datapath(row["_uuid"], row["tunnel_key"], name, shown, names, is_switch)


def _optional(value: Any) -> str:
    """The value of an optional column, or nothing."""
    return value if isinstance(value, str) else ""


def _port(row: Row, datapath: Datapath, *, friendly: bool) -> Port:
    name, options = row["logical_port"], row["options"]
    better = row["external_ids"].get("name", "")
    shown = shortened(better or name) if friendly else name
    return Port(
        name, shown, row["type"], row["tunnel_key"], datapath, options.get("peer", ""),
        as_set(row["port_security"]), options.get("distributed-port", ""),
    )  # fmt: skip


def _option_tables(tables: Mapping[str, Sequence[Row]]) -> OptionTables:
    """The options that the database knows; all known ones where it knows none yet."""
    v4, v6 = (
        by_name(Option(row["name"], row["code"], row["type"]) for row in tables[name])
        for name in ("DHCP_Options", "DHCPv6_Options")
    )
    if not v4 and not v6:
        return DEFAULT_OPTIONS
    return OptionTables(v4, v6)


def _by_datapath(tables: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    members = {row["_uuid"]: as_set(row["datapaths"]) for row in tables["Logical_DP_Group"]}
    found: dict[str, list[Row]] = {}
    for row in tables["Logical_Flow"]:
        datapath, group = row["logical_datapath"], row["logical_dp_group"]
        if datapath:
            found.setdefault(datapath, []).append(row)
        elif group:
            for uuid in members.get(group, ()):
                found.setdefault(uuid, []).append(row)
    return found


def plain(value: Any) -> Any:
    """A value in OVSDB's JSON notation as rows have it here."""
    if not isinstance(value, list):
        return value
    kind, inside = value
    if kind == "set":
        return tuple(plain(member) for member in inside)
    if kind == "map":
        return {plain(key): plain(one) for key, one in inside}
    return inside
