"""The integration bridge: made where it is missing, kept as it must be.

Bridge br-int: fail_mode secure, no in-band control, flow tables that look addresses up by prefix
Open_vSwitch: any number of VLAN tags (vlan-limit 0), a Datapath row for zone limits
"""

from collections.abc import Iterator
from typing import Final

from pyovn.controller.edits import Edit, Insert, Put, column_edits, map_edits
from pyovn.controller.local import Host
from pyovn.controller.settings import Settings
from pyovn.controller.tunnels import INDEX_PREFIX, chassis_index
from pyovn.net.uuids import Uuid
from pyovn.tables.vswitch import Bridge, Datapath, FlowTable, Interface, OpenvSwitch, Port

#: Tables in which the switch may look addresses up by prefix, and by which fields.
TABLES: Final = range(255)
PREFIXES: Final = frozenset({"ip_src", "ip_dst", "ipv6_src", "ipv6_dst"})
DEFAULT_DATAPATH: Final = "system"
STARTED: Final = "ovn-startup-ts"


def bridge_edits(ours: Settings, switch: OpenvSwitch, bridge: Bridge | None, host: Host) -> Iterator[Edit]:
    """What makes the bridge, or puts it right."""
    if bridge is None:
        yield from _new(ours, switch, host)
    else:
        if ours.datapath_type is not None:
            yield from column_edits(bridge, {"datapath_type": ours.datapath_type})
        if bridge.fail_mode != "secure":
            yield from column_edits(bridge, {"fail_mode": "secure"})
        yield from map_edits(bridge, "other_config", {"disable-in-band": "true"})
        if len(bridge.flow_tables) < len(TABLES):
            yield from _flow_tables(bridge)
    index = INDEX_PREFIX + ours.chassis
    wanted = {"vlan-limit": "0", index: chassis_index(switch.other_config, ours.chassis)}
    yield from map_edits(switch, "other_config", {**wanted})
    kind = datapath_type(ours, bridge)
    if kind not in switch.datapaths:
        yield Insert(Datapath, {}, Uuid("new:datapath"))
        yield Put(switch, "datapaths", {kind: Uuid("new:datapath")})


def datapath_type(ours: Settings, bridge: Bridge | None) -> str:
    """The kind of datapath the bridge is on."""
    return ours.datapath_type or (bridge.datapath_type if bridge is not None else "") or DEFAULT_DATAPATH


def _new(ours: Settings, switch: OpenvSwitch, host: Host) -> Iterator[Edit]:
    interface, port, bridge = Uuid("new:interface"), Uuid("new:port"), Uuid("new:bridge")
    yield Insert(Interface, {"name": ours.bridge, "type": "internal"}, interface)
    yield Insert(Port, {"name": ours.bridge, "interfaces": frozenset({interface})}, port)
    yield Insert(FlowTable, {"prefixes": PREFIXES}, Uuid("new:table"))
    columns = {
        "name": ours.bridge,
        "fail_mode": "secure",
        "datapath_type": ours.datapath_type or "",
        "other_config": {"disable-in-band": "true", "hwaddr": host.bridge_mac},
        "external_ids": {STARTED: str(host.started_ms)},
        "ports": frozenset({port}),
        "flow_tables": dict.fromkeys(TABLES, Uuid("new:table")),
    }
    yield Insert(Bridge, columns, bridge)
    yield Put(switch, "bridges", frozenset({bridge}))


def _flow_tables(bridge: Bridge) -> Iterator[Edit]:
    yield Insert(FlowTable, {"prefixes": PREFIXES}, Uuid("new:table"))
    missing = {number: Uuid("new:table") for number in TABLES if number not in bridge.flow_tables}
    yield Put(bridge, "flow_tables", missing)
