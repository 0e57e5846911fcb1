"""One bridge: its flow tables, groups, meters, ports and forwarding database."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from pyovn.openflow.actions import OFPP_LOCAL
from pyovn.vswitch.fdb import Fdb
from pyovn.vswitch.groups import Groups
from pyovn.vswitch.meters import Meters
from pyovn.vswitch.ports import Port
from pyovn.vswitch.tables import METER_DELETE, FlowTables


class PacketIn(NamedTuple):
    """A packet on its way to the controllers."""

    bridge: str
    frame: bytes
    reason: int
    table: int
    cookie: int
    key: int  #: the flow key as it was; its pipeline, tunnel and conntrack fields are the packet's metadata
    max_len: int = 0xFFFF
    userdata: bytes = b""
    controller_id: int = 0
    continuation: bytes = b""


class TlvMapping(NamedTuple):
    """A Geneve option and the field that shows it."""

    class_: int
    type: int
    length: int  #: bytes
    field: int  #: n of tun_metadataN


class Bridge:
    """One bridge."""

    def __init__(self, name: str, datapath_id: int = 0) -> None:
        self.name = name
        self.datapath_id = datapath_id
        self.fail_mode: Literal["standalone", "secure"] = "standalone"
        self.tables = FlowTables()
        self.groups = Groups()
        self.meters = Meters()
        self.fdb = Fdb()
        self.ports: dict[int, Port] = {}
        self.tlv_map: tuple[TlvMapping, ...] = ()
        self.samples = 0  #: packets that met a `sample` action
        self.on_packet_in: Callable[[PacketIn], None] = lambda packet: None
        #: told of ports that come (0), go (1) or change (2)
        self.on_port_status: Callable[[int, Port], None] = lambda reason, port: None
        self.groups.on_deleted = self._group_gone
        self.meters.on_deleted = self._meter_gone

    def port_named(self, name: str) -> Port | None:
        """The port called `name`."""
        return next((port for port in self.ports.values() if port.name == name), None)

    def _group_gone(self, group: int) -> None:
        for rule in [rule for rule in self.tables if rule.uses_group(group)]:
            self.tables.remove(rule, 3)

    def _meter_gone(self, meter: int) -> None:
        for rule in [rule for rule in self.tables if rule.uses_meter(meter)]:
            self.tables.remove(rule, METER_DELETE)

    @property
    def local(self) -> Port | None:
        """The port that is the bridge itself."""
        return self.ports.get(OFPP_LOCAL)
