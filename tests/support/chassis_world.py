"""A small southbound database and a switch, as rows, for a controller under test.

    world = World()                             our chassis "ch1" at 10.0.0.1, nothing else
    world.chassis("ch2", "10.0.0.2")            another one, and a tunnel port to it
    sw = world.switch("sw0")                    a logical switch with a few logical flows
    world.port(sw, "p1", 1)                     a logical port
    world.interface("v1", 5, "p1")              an interface that names it
    core = world.core()                         a controller that has seen all that

Edits after `core()` are shown to it by `world.tell(core)`.
"""

import uuid
from typing import Any

from pyovn.controller.core import Core
from pyovn.controller.zones import record
from pyovn.incr.snapshot import Snapshot
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row, changed, new
from pyovn.tables.sb import (
    Chassis,
    ChassisPrivate,
    DatapathBinding,
    Encap,
    LogicalFlow,
    MulticastGroup,
    PortBinding,
    SBGlobal,
)
from pyovn.tables.vswitch import Bridge, Interface, OpenvSwitch, Port

SPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def id_of(kind: str, name: object) -> Uuid:
    """A UUID that is the same in every run."""
    return Uuid(str(uuid.uuid5(SPACE, f"{kind} {name}")))


#: Logical flows of every switch: pipeline, table, priority, match, actions.
FLOWS = (
    ("ingress", 0, 100, "eth.src[40]", "drop;"),
    ("ingress", 0, 50, "1", "next;"),
    ("ingress", 32, 70, "eth.mcast", 'outport = "_MC_flood"; output;'),
    ("egress", 15, 0, "1", "output;"),
)


class World:
    """The rows."""

    def __init__(self) -> None:
        self.southbound, self.local = Snapshot(), Snapshot()
        self._told: dict[type[Row], dict[Uuid, tuple[Row | None, Row | None]]] = {}
        self.keys: dict[Uuid, int] = {}
        options = {"arp_ns_explicit_output": "true", "register_consolidation": "true"}
        self.put(new(SBGlobal, id_of("global", ""), nb_cfg=1, options=options))
        ids = {"system-id": "ch1", "ovn-remote": "unix:x", "ovn-encap-type": "geneve", "ovn-encap-ip": "10.0.0.1"}
        bridge = id_of("bridge", "br-int")
        self.put(new(Bridge, bridge, name="br-int", fail_mode="secure"), local=True)
        self.put(new(OpenvSwitch, id_of("ovs", ""), external_ids=ids, bridges=frozenset({bridge})), local=True)
        self._chassis_row("ch1", "10.0.0.1")
        self.put(new(ChassisPrivate, id_of("private", "ch1"), name="ch1", chassis=id_of("chassis", "ch1")))

    def put(self, row: Row, *, local: bool = False) -> Uuid:
        """A row, new or in another state."""
        self._note((self.local if local else self.southbound).put(row))
        return row.uuid

    def drop(self, cls: type[Row], key: Uuid, *, local: bool = False) -> None:
        """A row gone."""
        rows = self.local if local else self.southbound
        self._note(rows.drop(rows.rows(cls)[key]))

    def edit(self, cls: type[Row], key: Uuid, *, local: bool = False, **values: Any) -> None:
        """Columns of a row."""
        rows = (self.local if local else self.southbound).rows(cls)
        self.put(changed(rows[key], **values), local=local)

    def chassis(self, name: str, ip: str) -> Uuid:
        """Another chassis, with a tunnel port to it."""
        self.plug(
            f"ovn-{name}-0",
            100 + int(ip.rpartition(".")[2]),
            {"ovn-chassis-id": f"{name}@{ip}%10.0.0.1"},
            type="geneve",
        )
        return self._chassis_row(name, ip)

    def switch(self, name: str) -> Uuid:
        """A logical switch with its flows and a flooding group."""
        datapath = id_of("datapath", name)
        self.keys[datapath] = len(self.keys) + 1
        ids = {"name": name, "logical-switch": str(datapath)}
        self.put(
            new(DatapathBinding, datapath, tunnel_key=self.keys[datapath], external_ids=ids, type="logical-switch")
        )
        self.put(new(MulticastGroup, id_of("group", name), datapath=datapath, name="_MC_flood", tunnel_key=0x8000))
        for flow in FLOWS:
            self.flow(datapath, *flow)
        return datapath

    def flow(
        self, datapath: Uuid, pipeline: str, table: int, priority: int, match: str, actions: str, **more: Any
    ) -> Uuid:
        """A logical flow."""
        key = id_of("flow", (datapath, pipeline, table, priority, match, actions))
        columns = {"pipeline": pipeline, "table_id": table, "priority": priority, "match": match, "actions": actions}
        return self.put(new(LogicalFlow, key, logical_datapath=datapath, **columns, **more))

    def port(self, datapath: Uuid, name: str, key: int, **columns: Any) -> Uuid:
        """A logical port, in the flooding group, with the flow that leads to it."""
        port = self.put(
            new(PortBinding, id_of("port", name), logical_port=name, datapath=datapath, tunnel_key=key, **columns)
        )
        for group in self.southbound.where(MulticastGroup, datapath=datapath):
            self.edit(MulticastGroup, group.uuid, ports=group.ports | {port})
        mac = f"0a:00:00:00:00:{key:02x}"
        self.flow(datapath, "ingress", 32, 50, f"eth.dst == {mac}", f'outport = "{name}"; output;')
        return port

    def interface(self, name: str, ofport: int, port: str | None = None, **columns: Any) -> Uuid:
        """An interface of the integration bridge that names a logical port."""
        return self.plug(name, ofport, {}, external_ids={"iface-id": port} if port else {}, **columns)

    def plug(self, name: str, ofport: int, ids: dict[str, str], **columns: Any) -> Uuid:
        """A port of the integration bridge with its interface."""
        interface = self.put(new(Interface, id_of("interface", name), name=name, ofport=ofport, **columns), local=True)
        port = new(Port, id_of("switch port", name), name=name, interfaces=frozenset({interface}), external_ids=ids)
        self.put(port, local=True)
        bridge = self.local.rows(Bridge)[id_of("bridge", "br-int")]
        self.edit(Bridge, bridge.uuid, local=True, ports=bridge.ports | {port.uuid})
        return interface

    def unplug(self, name: str) -> None:
        """A port of the integration bridge gone."""
        bridge = self.local.rows(Bridge)[id_of("bridge", "br-int")]
        port = id_of("switch port", name)
        self.edit(Bridge, bridge.uuid, local=True, ports=bridge.ports - {port})
        self.drop(Port, port, local=True)
        self.drop(Interface, id_of("interface", name), local=True)

    def core(self) -> Core:
        """A controller that has seen everything and is past its start."""
        core = Core(self.southbound, self.local, chassis="ch1", hostname="h", bridge_mac="02:00:00:00:00:01", now_ms=1)
        core.switch_is(option_field=0, features=frozenset())
        self._told = {}
        core.update({**self.southbound.changes(), **self.local.changes()})
        core.settle()
        core.is_ready(1)
        core.update({})
        return core

    def tell(self, core: Core) -> None:
        """Show a controller what has changed."""
        changes, self._told = self._told, {}
        core.update(changes)

    def remember_zones(self, core: Core) -> None:
        """What a controller writes down about its zones."""
        bridge = self.local.rows(Bridge)[id_of("bridge", "br-int")]
        ids = {key: value for key, value in record(core.zones, bridge.external_ids).items() if value is not None}
        self.edit(Bridge, bridge.uuid, local=True, external_ids=ids)

    def _chassis_row(self, name: str, ip: str) -> Uuid:
        encap = self.put(
            new(Encap, id_of("encap", ip), type="geneve", ip=ip, chassis_name=name, options={"csum": "true"})
        )
        return self.put(new(Chassis, id_of("chassis", name), name=name, hostname=name, encaps=frozenset({encap})))

    def _note(self, changes: dict[type[Row], dict[Uuid, tuple[Row | None, Row | None]]]) -> None:
        for cls, rows in changes.items():
            known = self._told.setdefault(cls, {})
            for key, (old, row) in rows.items():
                known[key] = (known[key][0] if key in known else old, row)


def flows(core: Core) -> dict[Any, Any]:
    """The wanted flows by key."""
    facts = core.flows
    return {key: facts.get(key) for key in facts}
