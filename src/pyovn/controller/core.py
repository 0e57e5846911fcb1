"""The controller as one machine: changes of rows in; flows, row edits, monitor conditions and flushes out.

    Open_vSwitch rows ┐                 ┌► wanted flows, groups, meters
    southbound rows   ├► engine, zones ─┼► edits of both databases
    the switch's news ┘                 └► conditions, zones to flush, ports that wait for their flows

`settled` tells the start from the rest: until every row that was asked for is here once, flows that a previous
controller installed stay, zones that it gave keep their numbers, and ports that it made are not removed.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pyovn.controller import zones
from pyovn.controller.announce import Announced
from pyovn.controller.binding import PORT, USERS, WAITING
from pyovn.controller.bridge import STARTED
from pyovn.controller.datapaths import DATAPATH, Datapath, datapath
from pyovn.controller.edits import Delete, Edit, Take, Update, map_edits
from pyovn.controller.effects import Activate, Adopt, Delegated, Judge, Learned, Neighbour, Record, Renew
from pyovn.controller.families import families
from pyovn.controller.flowtable import FLOWS, FlowFacts, as_flow_facts
from pyovn.controller.ids import Ids
from pyovn.controller.inject import interface_of, packet_out
from pyovn.controller.interests import SOUTHBOUND_TABLES, SWITCH_TABLES
from pyovn.controller.learning import (
    activation_edits,
    adoption_edits,
    delegation_edits,
    event_edits,
    learned_edits,
    member_edits,
    renewal_edits,
    status_edits,
)
from pyovn.controller.local import HOST, LOCAL, Host, Installed, LocalRows, Ready, Zone, installed_id
from pyovn.controller.logical import FAULTS, GROUPS, METERS, LogicalFlows
from pyovn.controller.mirrors import OWNED as OF_MIRRORS
from pyovn.controller.mirrors import ours
from pyovn.controller.monitor import Conditions, conditions
from pyovn.controller.nexthops import stale_connections
from pyovn.controller.patches import OWNED
from pyovn.controller.portflows import ANNOUNCED, PROBLEMS
from pyovn.controller.services.multicast import Group
from pyovn.controller.settings import Settings
from pyovn.controller.tableflows import BALANCER_PROBLEMS
from pyovn.controller.tunnels import CHASSIS_ID, INDEX_PREFIX
from pyovn.controller.upkeep import CHASSIS_EDITS, IFACE_EDITS, PORT_EDITS, SWITCH_EDITS
from pyovn.controller.view import ALL, SETTINGS, THE_HOST, VIF
from pyovn.incr.engine import Changes, Engine, Source
from pyovn.net.uuids import Uuid
from pyovn.openflow.flows import GroupDef, MeterDef
from pyovn.openflow.messages import CtFlush, CtFlushZone, PacketOut
from pyovn.ovsdb.model import Row
from pyovn.tables.sb import (
    AddressSet,
    Chassis,
    ChassisPrivate,
    ChassisTemplateVar,
    ECMPNexthop,
    MACBinding,
    PortBinding,
    SBGlobal,
)
from pyovn.tables.vswitch import Bridge, Interface, Mirror, OpenvSwitch, Port

#: Columns that we write ourselves, and that only those hear of who ask for them.
QUIET: Final[Mapping[type[Row], Sequence[str]]] = {
    Bridge: ("external_ids",),
    ChassisPrivate: ("nb_cfg", "nb_cfg_timestamp"),
    PortBinding: ("up",),
}
#: How long a port that others claim too is left to them before it is claimed again.
CLAIM_PAUSE_S: Final = 2.0
#: What marks a switch port as made by a controller.
MADE: Final = frozenset((CHASSIS_ID, *OWNED, OF_MIRRORS))
#: in Open_vSwitch.other_config: a switch that starts keeps still
RESTORING: Final = "flow-restore-wait"
NB_CFG: Final = "ovn-nb-cfg"
NB_CFG_AT: Final = "ovn-nb-cfg-ts"


class Core:
    """One chassis."""

    def __init__(
        self, southbound: Source, switch: Source, *, chassis: str, hostname: str, bridge_mac: str, now_ms: int
    ):
        self.local = LocalRows()
        self._sources: dict[type[Row], Source] = {
            **dict.fromkeys(SOUTHBOUND_TABLES, southbound),
            **dict.fromkeys(SWITCH_TABLES, switch),
            **dict.fromkeys(LOCAL.tables, self.local),
        }
        self._southbound, self._switch = southbound, switch
        self.ids = Ids()
        self.logical = LogicalFlows(self.ids)
        self.engine = Engine(families(self.logical), self._sources, QUIET)
        self._host: dict[str, Any] = {
            "chassis": chassis,
            "hostname": hostname,
            "option_field": -1,
            "bridge_mac": bridge_mac,
            "started_ms": now_ms,
            "is_stranded": False,
        }
        self.local.put(Host, HOST, **self._host)
        self.settled = self._was_settled = False
        self._zones: dict[str, int] = {}
        self._zones_known = False
        #: what the zones were given for, and where they are written down, as last seen
        self._zones_for: tuple[Any, ...] = ()
        self._zones_in: tuple[Any, ...] = ()
        self._flush: set[int] = set()
        self._forgotten: list[CtFlush] = []
        self._waiting: tuple[Any, Mapping[str, Uuid]] = (), {}
        #: local datapaths, and names of interfaces' ports that are in none of them
        self._local: dict[Uuid, Datapath] = {}
        self._unseen: list[str] = []
        self._conditions_for: tuple[Any, ...] = ()
        self._conditions: Conditions = {}
        self._claimed_at: dict[Uuid, float] = {}
        self._quarrels: list[str] = []
        self._said: tuple[str, ...] = ()

    # -- in ---------------------------------------------------------------------------------------------------------

    def update(self, changes: Changes) -> None:
        """Bring everything up to date with changed rows."""
        everything = {**changes, **self.local.take()}
        if everything or self.settled != self._was_settled:
            self._was_settled = self.settled
            self.engine.run(everything, {datapath: self._zones_given})
        if hops := changes.get(ECMPNexthop):
            local = {each.uuid: each for each in self.datapaths()}
            self._forgotten += stale_connections(hops, local, self._zones)

    def switch_is(self, *, option_field: int, features: frozenset[str]) -> None:
        """What the switch said about itself."""
        self._host_is(option_field=option_field, features=features, is_stranded=False)

    def switch_is_gone(self) -> None:
        """The switch, if it was there before, has ended: what others can do instead of us is theirs."""
        self._host_is(is_stranded=self._host["option_field"] >= 0)

    def _host_is(self, **news: Any) -> None:
        if news.items() - self._host.items():
            self._host.update(news)
            self.local.put(Host, HOST, **self._host)

    def settle(self) -> None:
        """All that was asked for is here: from now on what is not wanted goes."""
        self.settled = True

    def is_ready(self, now_ms: int) -> None:
        """The switch has all flows for the first time."""
        self.local.put(Ready, HOST, since_ms=now_ms)

    def installed(self, ports: Iterable[str], now_ms: int) -> None:
        """The switch has confirmed the flows of these ports."""
        waiting = self.waiting()
        for name in ports:
            if name in waiting:
                self.local.put(Installed, installed_id(name), since_ms=now_ms)

    # -- out --------------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings | None:
        """How the chassis is configured."""
        return self.engine.facts(SETTINGS).get(THE_HOST)

    @property
    def flows(self) -> FlowFacts:
        """The wanted flows."""
        return as_flow_facts(self.engine.facts(FLOWS))

    @property
    def groups(self) -> Mapping[int, GroupDef]:
        """The wanted groups."""
        facts = self.engine.facts(GROUPS)
        return {id_: facts.get(id_)[0] for id_ in facts}

    @property
    def meters(self) -> Mapping[int, MeterDef]:
        """The wanted meters."""
        facts = self.engine.facts(METERS)
        return {id_: facts.get(id_)[0] for id_ in facts}

    @property
    def zones(self) -> Mapping[str, int]:
        """The conntrack zones in use, by user."""
        return self._zones

    @property
    def chassis_row(self) -> Chassis | None:
        """Our row, once it is there."""
        row: Chassis | None = self._own(Chassis)
        return row

    @property
    def private_row(self) -> ChassisPrivate | None:
        """Our Chassis_Private row, once it is there."""
        row: ChassisPrivate | None = self._own(ChassisPrivate)
        return row

    @property
    def nb_cfg(self) -> int:
        """The configuration number that the rows we have belong to."""
        return next((row.nb_cfg for row in self._southbound.rows(SBGlobal).values()), 0)

    def bridge(self) -> Bridge | None:
        """The integration bridge."""
        ours = self.settings
        found = self._switch.where(Bridge, name=ours.bridge) if ours is not None else ()
        return found[0] if found else None

    def take_problems(self) -> list[str]:
        """What has come to be wrong with rows since the last call."""
        found, self._quarrels = self._quarrels, []
        said = self.settings.problems if self.settings is not None else ()
        found += (text for text in said if text not in self._said)
        self._said = said
        faults = self.engine.facts(FAULTS)
        found += (text for uuid in faults.take() if (text := faults.get(uuid)) is not None)
        for relation in (PROBLEMS, BALANCER_PROBLEMS):
            problems = self.engine.facts(relation)
            for uuid in problems.take():
                found += problems.get(uuid) or ()
        return found

    def take_flush(self) -> tuple[CtFlushZone | CtFlush, ...]:
        """Zones to be emptied before flows that use them go in, and connections to be forgotten."""
        flush, self._flush = self._flush, set()
        forgotten, self._forgotten = self._forgotten, []
        return (*map(CtFlushZone, sorted(flush)), *forgotten)

    def waiting(self) -> Mapping[str, Uuid]:
        """The claimed ports whose flows somebody waits for, with their interfaces."""
        claimed = self.engine.facts(WAITING).get(ALL)
        if claimed is not self._waiting[0]:
            self._waiting = claimed, dict(claimed)
        return self._waiting[1]

    def datapaths(self) -> list[Datapath]:
        """The local datapaths."""
        facts = self.engine.facts(DATAPATH)
        return [found for uuid in facts if (found := facts.get(uuid)) is not None]

    def conditions(self) -> Conditions | None:
        """What to monitor in the southbound database, one object while it stays the same; None before that is known."""
        ours = self.settings
        if ours is None:
            return None
        row = self.chassis_row
        own = row.uuid if row is not None else None
        facts = self.engine.facts(DATAPATH), self.engine.facts(VIF), self.engine.facts(PORT)
        news = [each.take() for each in facts]
        if any(news):
            self._local = {each.uuid: each for each in self.datapaths()}
            self._unseen = sorted(name for name in facts[1] if not self._is_within(name, self._local))
        basis = list(self._local.values()), self._unseen, ours.chassis, own, ours.monitor_all
        if basis != self._conditions_for:
            self._conditions_for = basis
            self._conditions = conditions(*basis[:4], everything=ours.monitor_all)
        return self._conditions

    def _is_within(self, port: str, datapaths: Container[Uuid]) -> bool:
        """True for a port that is seen because its datapath is."""
        return any(key.datapath in datapaths for key in self.engine.facts(PORT).get(port))

    def switch_edits(self) -> Iterator[Edit]:
        """What the local database should be told."""
        for relation in (SWITCH_EDITS, IFACE_EDITS):
            facts = self.engine.facts(relation)
            for uuid in facts:
                yield from (edit for edit in facts.get(uuid) or () if self.settled or not _removes(edit))
        bridge = self.bridge()
        if bridge is not None and self._zones_known:
            yield from self._records(bridge)

    def _records(self, bridge: Bridge) -> Iterator[Edit]:
        """What the bridge keeps for the next start: zones, and when this one was."""
        seen = bridge, self._zones
        if all(one is other for one, other in zip(seen, self._zones_in, strict=False)) and self._zones_in:
            return
        keys = {STARTED: str(self._host["started_ms"]), **zones.record(self._zones, bridge.external_ids)}
        edits = list(map_edits(bridge, "external_ids", keys))
        self._zones_in = () if edits else seen
        yield from edits

    def southbound_edits(self, now: float) -> Iterator[Edit]:
        """What the southbound database should be told."""
        for relation in (CHASSIS_EDITS, PORT_EDITS):
            facts = self.engine.facts(relation)
            for uuid in facts:
                for edit in facts.get(uuid) or ():
                    if self._may(edit, now):
                        yield edit

    def announced(self) -> tuple[Announced, ...]:
        """What ports here have to announce."""
        return self.engine.facts(ANNOUNCED).get(ALL)

    def learned(self, facts: Iterable[Learned | Neighbour], now_ms: int) -> list[Edit]:
        """Southbound edits that say what services learned."""
        return [edit for fact in facts for edit in learned_edits(self._southbound, fact, now_ms)]

    def renewed(self, renewed: Renew, now_ms: int) -> list[Edit]:
        """Southbound edits that say which rows are still right."""
        return list(renewal_edits(self._southbound, renewed, now_ms))

    def members(self, members: Mapping[Group, tuple[str, frozenset[int]]]) -> list[Edit]:
        """Southbound edits that say who listens to which multicast group."""
        own = self.chassis_row
        return list(member_edits(self._southbound, members, own)) if own is not None else []

    def consequences(self, effect: Activate | Adopt | Record | Judge | Delegated) -> list[Edit]:
        """Southbound edits that follow from what a packet told."""
        ours, own = self.settings, self.chassis_row
        if ours is None or own is None:
            return []
        match effect:
            case Activate():
                return list(activation_edits(self._southbound, effect, ours.chassis))
            case Adopt():
                return list(adoption_edits(self._southbound, effect, own.uuid))
            case Record():
                return list(event_edits(self._southbound, effect, own.uuid))
            case Judge():
                return list(status_edits(self._southbound, effect))
            case Delegated():
                return list(delegation_edits(self._southbound, effect))

    def reported(self, nb_cfg: int, now_ms: int) -> tuple[list[Edit], list[Edit]]:
        """(southbound, switch) edits that say how far this chassis has got."""
        private, bridge = self.private_row, self.bridge()
        columns = {"nb_cfg": nb_cfg, "nb_cfg_timestamp": now_ms}
        there: list[Edit] = [Update(private, columns)] if private is not None and private.nb_cfg != nb_cfg else []
        if bridge is None or bridge.external_ids.get(NB_CFG) == str(nb_cfg):
            return there, []
        here = map_edits(bridge, "external_ids", {NB_CFG: str(nb_cfg), NB_CFG_AT: str(now_ms)})
        return there, list(here)

    def restored(self) -> Iterator[Edit]:
        """Edits that let a switch go which waited for the flows that it now has."""
        if self.settings is not None and self.settings.ends_restore:
            for switch in self._switch.rows(OpenvSwitch).values():
                if RESTORING in switch.other_config:
                    yield Take(switch, "other_config", frozenset({RESTORING}))

    def deadline(self, now: float) -> float | None:
        """When a postponed claim may go ahead."""
        times = [at + CLAIM_PAUSE_S for at in self._claimed_at.values() if at + CLAIM_PAUSE_S > now]
        return min(times, default=None)

    def recompute(self) -> Engine:
        """Everything from scratch, in a new engine; what comes out is the same, unless the engine has a fault."""
        fresh = Engine(families(self.logical), self._sources, QUIET)
        rows = {cls: {uuid: (None, row) for uuid, row in src.rows(cls).items()} for cls, src in self._sources.items()}
        before = self.flows
        fresh.run(rows)
        self.engine = fresh
        self.flows.touched = {**self.flows.take(), **dict.fromkeys(before)}
        return fresh

    def port(self, uuid: Uuid) -> PortBinding | None:
        """A port."""
        return self._southbound.rows(PortBinding).get(uuid)

    def ports_of(self, datapath: Uuid) -> tuple[PortBinding, ...]:
        """The ports of a datapath."""
        return self._southbound.where(PortBinding, datapath=datapath)

    def template_variables(self) -> dict[str, str]:
        """What `^name` means on this chassis."""
        rows = self._southbound.where(ChassisTemplateVar, chassis=self._host["chassis"])
        return {name: value for row in rows for name, value in row.variables.items()}

    def mac_bindings(self, datapath: Uuid) -> tuple[MACBinding, ...]:
        """The neighbours that routers on a datapath have learned."""
        return self._southbound.where(MACBinding, datapath=datapath)

    def key_of(self, port: str, datapath: Uuid) -> int:
        """The key of a port of a datapath; 0: it has none of that name."""
        keys = self.engine.facts(PORT).get(port)
        return next((each.key for each in keys if each.datapath == datapath), 0)

    def interface(self, uuid: Uuid) -> str:
        """The name of an interface."""
        row = self._switch.rows(Interface).get(uuid)
        return row.name if row is not None else ""

    def injection(self, microflow: str) -> PacketOut:
        """What puts a packet in at a port here; raises CannotInject."""
        sets = {row.name: sorted(row.addresses) for row in self._southbound.rows(AddressSet).values()}
        return packet_out(microflow, sets, lambda port: interface_of(self.engine, port))

    def farewell(self) -> tuple[list[Edit], list[Edit]]:
        """(southbound, switch) edits of a controller that leaves for good."""
        return list(self._leave_southbound()), list(self._leave_switch())

    # -- inside -----------------------------------------------------------------------------------------------------

    def _own(self, cls: type[Any]) -> Any:
        ours = self.settings
        found = self._southbound.where(cls, name=ours.chassis) if ours is not None else ()
        return found[0] if found else None

    def _zones_given(self) -> Changes:
        """Zones for whoever needs one now, before anybody uses them."""
        self._allocate_zones()
        return self.local.take()

    def _allocate_zones(self) -> None:
        bridge, ours = self.bridge(), self.settings
        if bridge is None or ours is None:
            return
        if not self._zones_known:
            self._zones = zones.remembered(bridge.external_ids)
            self._zones_known = True
            for user, zone in self._zones.items():
                self.local.put(Zone, user, number=zone)
        users = self.engine.facts(USERS).get(ALL)
        basis = users, self.settled, ours.zones
        if self._zones_for and self._zones_for[0] is users and self._zones_for[1:] == basis[1:]:
            return
        self._zones_for = basis
        wanted = {user.name for user in users}
        if not self.settled:
            wanted |= self._zones.keys()
        demanded = {user.name: user.zone for user in users if user.zone}
        if wanted == self._zones.keys() and all(self._zones[name] == zone for name, zone in demanded.items()):
            return
        given = zones.allocate(wanted, self._zones, ours.zones, demanded)
        self._flush.update(given.flush)
        for user in self._zones.keys() - given.zones.keys():
            self.local.drop(Zone, user)
        for user, zone in given.zones.items():
            if self._zones.get(user) != zone:
                self.local.put(Zone, user, number=zone)
        self._zones = dict(given.zones)

    def _may(self, edit: Edit, now: float) -> bool:
        """False for a claim of a port that another chassis took from us a moment ago."""
        if not isinstance(edit, Update) or not isinstance(edit.row, PortBinding) or not edit.columns.get("chassis"):
            return True
        last = self._claimed_at.get(edit.row.uuid)
        if edit.row.chassis is not None and last is not None and now < last + CLAIM_PAUSE_S:
            return False
        if edit.row.chassis is not None and last is not None and now < last + 2 * CLAIM_PAUSE_S:
            other = self._southbound.rows(Chassis).get(edit.row.chassis)
            name = other.name if other is not None else "another"
            self._quarrels.append(f"port {edit.row.logical_port}: chassis {name} claims it too")
        self._claimed_at[edit.row.uuid] = now
        return True

    def _leave_southbound(self) -> Iterator[Edit]:
        own = self.chassis_row
        if own is None:
            return
        for row in self._southbound.where(PortBinding, chassis=own.uuid):
            up = {"up": False} if row.up else {}
            yield Update(row, {"chassis": None, "encap": None, **up})
        for row in self._southbound.rows(PortBinding).values():
            if own.uuid in row.additional_chassis:
                yield Take(row, "additional_chassis", frozenset({own.uuid}))
        yield Delete(own)
        if self.private_row is not None:
            yield Delete(self.private_row)

    def _leave_switch(self) -> Iterator[Edit]:
        bridge, settings = self.bridge(), self.settings
        if bridge is None or settings is None:
            return
        yield from _own_ports(self._switch)
        mirrors = frozenset(row.uuid for row in ours(bridge.mirrors, self._switch.rows(Mirror)))
        if mirrors:
            yield Take(bridge, "mirrors", mirrors)
        yield from map_edits(bridge, "external_ids", dict.fromkeys((NB_CFG, NB_CFG_AT), None))
        yield from map_edits(bridge, "external_ids", zones.record({}, bridge.external_ids))
        for switch in self._switch.rows(OpenvSwitch).values():
            yield from map_edits(switch, "other_config", {INDEX_PREFIX + settings.chassis: None})


def _removes(edit: Edit) -> bool:
    return isinstance(edit, Take | Delete)


def _own_ports(switch: Source) -> Iterator[Edit]:
    """The ports that a controller made, gone."""
    ports = switch.rows(Port)
    for bridge in switch.rows(Bridge).values():
        known = (port for uuid in bridge.ports if (port := ports.get(uuid)) is not None)
        if surplus := frozenset(port.uuid for port in known if not port.external_ids.keys().isdisjoint(MADE)):
            yield Take(bridge, "ports", surplus)
