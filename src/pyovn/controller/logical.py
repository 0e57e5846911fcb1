"""Logical flows as OpenFlow: each row of Logical_Flow, on every local datapath it belongs to.

    match, actions ─► template or compiler ─► patterns + actions ─► × datapaths ─► flows

A flow about a port that is not here is left out where the port is the one that the pipeline works for (the input
port in ingress, the output port in egress of a switch): no packet can meet it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.binding import LOCAL_PORT, PORT, RESIDENT
from pyovn.controller.datapaths import DATAPATH, DATAPATHS, Datapath
from pyovn.controller.flowtable import FLOWS, Flows, cookie_of
from pyovn.controller.ids import Ids
from pyovn.controller.template import Compiled, Template, learn, pattern, rivals, shape, value_of
from pyovn.controller.view import expanded
from pyovn.incr.engine import Family, Reader, family
from pyovn.incr.relation import Bag, Single
from pyovn.lang.actions.env import Env, MeterRequest, encode
from pyovn.lang.actions.parse import parse as parse_actions
from pyovn.lang.actions.prerequisites import prerequisites
from pyovn.lang.match.ast import Compare, IsPort, conjunction, leaves
from pyovn.lang.match.compile import Clause
from pyovn.lang.match.compile import template as match_template
from pyovn.lang.match.parse import parse as parse_match
from pyovn.lang.symbols import SYMBOLS, TRACKED_SYMBOLS
from pyovn.net.errors import OvnError
from pyovn.net.uuids import Uuid
from pyovn.openflow.action_codec import encode_actions
from pyovn.openflow.actions import Conjunction
from pyovn.openflow.flows import Flow, GroupDef, MeterBand, MeterDef
from pyovn.openflow.match import Match
from pyovn.tables.sb import AddressSet, LogicalFlow, Meter, MulticastGroup, PortGroup
from pyovn.tables.sb import MeterBand as MeterBandRow

GROUPS: Final = Bag[int, GroupDef]("groups")
METERS: Final = Bag[int, MeterDef]("meters")
#: What is wrong with a logical flow.
FAULTS: Final = Single[Uuid, str]("faults of logical flows")
#: (datapath, name) → key of a multicast group
MULTICAST: Final = Bag[tuple[Uuid, str], int]("multicast groups by name")

#: Names that stand for no port at all.
NO_PORT: Final = ("none", "")
FULL_METADATA: Final = 0xFFFFFFFFFFFFFFFF
_RESIDENT: Final = re.compile(r'is_chassis_resident\("([^"]*)"\)')
_SET: Final = re.compile(r"\$([A-Za-z_.][\w.]*)")
_GROUP: Final = re.compile(r"@([A-Za-z_.][\w.]*)")
#: Actions that allocate something, or say which flow they belong to: compiled for each row.
_SINGULAR: Final = re.compile(r"ct_lb|select\(|fwd_group|set_meter|log\(|sample\(|commit_lb_aff|learn|\^")
_SEPARATOR: Final = "\1"
_NOWHERE: Final = ((), (), (), None)

Result = tuple[Flows, tuple[tuple[int, GroupDef], ...], tuple[tuple[int, MeterDef], ...], str | None]


class Place(NamedTuple):
    """Everything besides its text that a logical flow's compilation depends on."""

    pipeline: Any
    table: int
    is_switch: bool
    common_zone: str
    explicit_output: bool
    meter: int | None


@family(over=MulticastGroup, emits=[MULTICAST])
def multicast_name(db: Reader, uuid: Uuid) -> tuple[tuple[tuple[tuple[Uuid, str], int], ...]]:
    """What logical flows mean by the name of a multicast group."""
    row = db.row(MulticastGroup, uuid)
    assert row is not None
    return ((((row.datapath, row.name), row.tunnel_key),),)


class LogicalFlows:
    """The family that compiles logical flows, with the templates and numbers of one controller."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.templates: dict[tuple[str, Place], Template | None] = {}
        self.hits = self.misses = 0

    def family(self) -> Family:
        """The family, for an engine."""

        @family(over=LogicalFlow, emits=[FLOWS, GROUPS, METERS, FAULTS])
        def logical_flow(db: Reader, uuid: Uuid) -> Result:
            """One logical flow on all its local datapaths."""
            return self._flow(db, uuid)

        return logical_flow

    def _flow(self, db: Reader, uuid: Uuid) -> Result:
        row = db.row(LogicalFlow, uuid)
        assert row is not None
        datapaths = _datapaths(db, row)
        if not datapaths:
            return _NOWHERE
        if row.tags and datapaths[0].is_switch:
            port = row.tags.get("in_out_port")
            if port is not None and not db.look(LOCAL_PORT, port):
                return _NOWHERE
        unit = _Compilation(self, db, row)
        try:
            flows = unit.flows(datapaths)
        except OvnError as fault:
            return (), (), (), f'logical flow {uuid} (match "{row.match}", actions "{row.actions}"): {fault}'
        return flows, tuple(unit.groups), tuple(unit.meters), None


def _datapaths(db: Reader, row: LogicalFlow) -> tuple[Datapath, ...]:
    if row.logical_datapath is not None:
        found = db.look(DATAPATH, row.logical_datapath)
        return (found,) if found is not None else ()
    members = db.look(DATAPATHS, row.logical_dp_group) if row.logical_dp_group is not None else None
    return members or ()


class _Compilation:
    """One logical flow on its way."""

    __slots__ = ("context", "db", "groups", "keys", "meters", "row", "text", "translated", "uuid")

    def __init__(self, context: LogicalFlows, db: Reader, row: LogicalFlow) -> None:
        self.context = context
        self.db = db
        self.row = row
        self.uuid = row.uuid
        self.groups: list[tuple[int, GroupDef]] = []
        self.meters: list[tuple[int, MeterDef]] = []
        #: keys of ports that the match names, so that those not here can be told
        self.keys: dict[int, str] = {}
        self.text = f"{self._with_residence(expanded(db, row.match))}{_SEPARATOR}{expanded(db, row.actions)}"

    def flows(self, datapaths: tuple[Datapath, ...]) -> Flows:
        """The flows on all the datapaths."""
        found = shape(self.text)
        named = found is None or any(kind == "p" for kind, _ in found.constants)
        named = named or "@" in self.row.match
        out: list[Flow] = []
        known: dict[tuple[bool, bool], Compiled] = {}
        for datapath in datapaths:
            kind = datapath.is_switch, datapath.snat_zone != 0
            compiled = None if named else known.get(kind)
            if compiled is None:
                self.keys.clear()
                compiled = known[kind] = self._compiled(found, self._place(datapath), datapath)
            self._instantiate(compiled, datapath, out)
        return tuple(out)

    def _place(self, datapath: Datapath) -> Place:
        row = self.row
        meter = self._named_meter(row.controller_meter) if row.controller_meter else None
        common = "reg12" if datapath.snat_zone else "reg11"
        return Place(row.pipeline, row.table_id, datapath.is_switch, common, datapath.explicit_output, meter)

    def _compiled(self, found: Any, place: Place, datapath: Datapath) -> Compiled:
        """By template where there is one, else from scratch."""
        context, row = self.context, self.row
        if (
            found is None
            or _SINGULAR.search(row.actions)
            or "$" in row.match
            or "@" in row.match
            or "acl_ct_translation" in row.tags
        ):
            context.misses += 1
            return self._compile(self.text, place, datapath, self._lookup(datapath))[0]
        key = (found.text, place)
        if key not in context.templates:
            context.templates[key] = learn(
                found, lambda text, ports: self._compile(text, place, datapath, self._either(datapath, ports))
            )
        template = context.templates[key]
        lookup = self._lookup(datapath)
        if template is not None:
            values = [lookup(text) if kind == "p" else value_of((kind, text)) for kind, text in found.constants]
            if None not in values:
                context.hits += 1
                return template.instance(values)  # type: ignore[arg-type]
        context.misses += 1
        return self._compile(self.text, place, datapath, lookup)[0]

    def _compile(
        self, text: str, place: Place, datapath: Datapath, ports: Callable[[str], int | None]
    ) -> tuple[Compiled, frozenset[str]]:
        """The result, and the fields that the match compares with more than one thing."""
        symbols = TRACKED_SYMBOLS if self.row.tags.get("acl_ct_translation") == "true" else SYMBOLS
        match_text, _, actions_text = text.partition(_SEPARATOR)
        actions = parse_actions(actions_text, symbols, pipeline=place.pipeline, table=place.table)
        sets, groups = self._address_sets(match_text), self._port_groups(match_text, datapath)
        expr = parse_match(match_text, symbols, sets, groups)
        contested = frozenset(rivals(_fields(leaf) for leaf in leaves(expr) if isinstance(leaf, Compare | IsPort)))
        needed = prerequisites(actions, symbols)
        full = expr if needed is None else conjunction((expr, needed))
        compiled = match_template(full, self._resident, symbols).instantiate(ports)
        patterns = tuple(pattern(match, clauses) for match, clauses in compiled)
        return Compiled(patterns, encode(actions, self._env(place, datapath, ports))), contested

    def _env(self, place: Place, datapath: Datapath, ports: Callable[[str], int | None]) -> Env:
        return Env(
            pipeline=place.pipeline,
            table=place.table,
            is_switch=place.is_switch,
            lookup_port=ports,
            resident=self._resident,
            group=self._group,
            meter=self._meter,
            named_meter=self._named_meter,
            wire=encode_actions,
            controller_meter=place.meter,
            common_zone=place.common_zone,
            all_zero_snat=True,
            explicit_output=place.explicit_output,
            cookie=cookie_of(self.uuid),
            datapath=datapath.key,
        )

    # -- names ------------------------------------------------------------------------------------------------------

    def _with_residence(self, text: str) -> str:
        """The match with residence decided, so that ports which differ only in it share a shape."""
        if "is_chassis_resident" not in text:
            return text
        return _RESIDENT.sub(lambda found: "1" if self._resident(found[1]) else "0", text)

    def _resident(self, name: str) -> bool:
        return bool(self.db.look(RESIDENT, name))

    def _lookup(self, datapath: Datapath) -> Callable[[str], int | None]:
        """Name → key on this datapath; keys of ports are noted."""

        def lookup(name: str) -> int | None:
            if name in NO_PORT:
                return 0
            for found in self.db.look(PORT, name):
                if found.datapath == datapath.uuid:
                    self.keys[found.key] = name
                    return found.key
            groups = self.db.look(MULTICAST, (datapath.uuid, name))
            return groups[0] if groups else None

        return lookup

    def _either(self, datapath: Datapath, first: Callable[[str], int | None]) -> Callable[[str], int | None]:
        rest = self._lookup(datapath)

        def lookup(name: str) -> int | None:
            key = first(name)
            return rest(name) if key is None else key

        return lookup

    def _address_sets(self, text: str) -> Mapping[str, list[str]]:
        if "$" not in text:
            return {}
        sets: dict[str, list[str]] = {}
        for name in _SET.findall(text):
            for row in self.db.where(AddressSet, "name", name):
                sets[name] = sorted(row.addresses)
        return sets

    def _port_groups(self, text: str, datapath: Datapath) -> Mapping[str, list[str]]:
        if "@" not in text:
            return {}
        groups: dict[str, list[str]] = {}
        for name in _GROUP.findall(text):
            for row in self.db.where(PortGroup, "name", f"{datapath.key}_{name}"):
                groups[name] = [port for port in sorted(row.ports) if self.db.look(LOCAL_PORT, port)]
        return groups

    # -- numbers ----------------------------------------------------------------------------------------------------

    def _group(self, definition: GroupDef) -> int:
        number = self.context.ids.group(definition)
        self.groups.append((number, definition._replace(id=number)))
        return number

    def _meter(self, request: MeterRequest) -> int:
        number = self.context.ids.meter((self.uuid, request))
        band = MeterBand(request.rate, request.burst)
        self.meters.append((number, MeterDef(number, (band,), burst=bool(request.burst))))
        return number

    def _named_meter(self, name: str) -> int | None:
        rows = self.db.where(Meter, "name", name)
        if not rows:
            return None
        number = self.context.ids.meter(name)
        bands = [band for each in sorted(rows[0].bands) if (band := self.db.row(MeterBandRow, each)) is not None]
        definition = MeterDef(
            number,
            tuple(MeterBand(band.rate, band.burst_size) for band in bands),
            pktps=rows[0].unit == "pktps",
            burst=any(band.burst_size for band in bands),
        )
        if (number, definition) not in self.meters:
            self.meters.append((number, definition))
        return number

    # -- flows ------------------------------------------------------------------------------------------------------

    def _instantiate(self, compiled: Compiled, datapath: Datapath, out: list[Flow]) -> None:
        """The compiled flow on one datapath.  Runs for every flow: no calls that can be avoided."""
        row = self.row
        ingress = row.pipeline == "ingress"
        table = (layout.INGRESS if ingress else layout.EGRESS) + row.table_id
        cookie = int(self.uuid[:8], 16)
        key = ("metadata", datapath.key, FULL_METADATA)
        priority, actions = row.priority, compiled.actions
        side = (layout.INPORT if ingress else layout.OUTPORT) if datapath.is_switch and self.keys else None
        first = 0
        for match, at, clauses in compiled.patterns:
            if side is not None and self._is_elsewhere(match, side):
                continue
            if clauses or (match and match[0][0] == "conj_id"):
                first = first or self._conjunctions(compiled)
                out.append(_conjunctive(table, priority, match, at, key, clauses, actions, cookie, first))
            else:
                out.append(Flow(table, priority, (*match[:at], key, *match[at:]), actions, cookie))

    def _is_elsewhere(self, match: Match, side: str) -> bool:
        """True if the match is on a port of the pipeline's side that is not here."""
        for name, value, _ in match:
            if name == side:
                port = self.keys.get(value)
                return port is not None and not self.db.look(LOCAL_PORT, port)
        return False

    def _conjunctions(self, compiled: Compiled) -> int:
        number = max(clause.conj for each in compiled.patterns for clause in each.clauses)
        return self.context.ids.conjunctions(self.uuid, number)


def _conjunctive(
    table: int,
    priority: int,
    match: Match,
    at: int,
    key: tuple[str, int, int],
    clauses: tuple[Clause, ...],
    actions: Any,
    cookie: int,
    first: int,
) -> Flow:
    """A clause of a conjunction, or the flow that all its clauses together lead to."""
    if clauses:
        steps = tuple(sorted(Conjunction(first + clause.conj - 1, clause.k, clause.n) for clause in clauses))
        return Flow(table, priority, (*match[:at], key, *match[at:]), steps, 0)
    name, number, mask = match[0]
    match = ((name, first + number - 1, mask), *match[1:])
    return Flow(table, priority, (*match[:at], key, *match[at:]), actions, cookie)


def _fields(leaf: Compare | IsPort) -> tuple[str, ...]:
    """The OpenFlow fields that a comparison is about; a predicate counts as none."""
    symbol = leaf.symbol
    if symbol.kind == "predicate":
        return ()
    base = symbol.base or symbol
    return tuple(name for name, _ in base.pieces) or (base.openflow,)
