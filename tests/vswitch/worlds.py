"""A switch with recording devices, for tests."""

from collections.abc import Iterable

from pyovn.openflow import actions as act
from pyovn.openflow.flows import Bucket, Flow, GroupDef
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.datapath import Datapath
from pyovn.vswitch.ports import Port, Underlay


class RecordingNic:
    """A device that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.on_receive = None
        self.mac, self.mtu, self.up, self.ifindex = 0x020000000099, 1500, True, 0

    def transmit(self, frame: bytes) -> None:
        self.sent.append(frame)

    def close(self) -> None:
        """Nothing to close."""


class World:
    """One bridge `br0` with recording devices at ports 1, 2, 3."""

    def __init__(self, flows: Iterable[Flow] = (), underlay: Underlay | None = None) -> None:
        self.datapath = Datapath(underlay)
        self.bridge = self.add_bridge("br0", 3)
        self.punted = []
        self.bridge.on_packet_in = self.punted.append
        for flow in flows:
            self.bridge.tables.add(flow, 0.0)

    def add_bridge(self, name: str, ports: int) -> Bridge:
        bridge = Bridge(name)
        bridge.fail_mode = "secure"
        self.datapath.bridges[name] = bridge
        for number in range(1, ports + 1):
            port = Port(f"{name}-p{number}", number, number)
            port.nic = RecordingNic()
            bridge.ports[number] = port
        return bridge

    def add(
        self, *actions: act.Action, table: int = 0, priority: int = 1, match=(), cookie: int = 0, **more: int
    ) -> None:
        self.bridge.tables.add(Flow(table, priority, match, actions, cookie, **more), self.datapath.now)

    def group(self, id_: int, kind: str, *buckets: tuple[act.Action, ...]) -> None:
        defined = tuple(Bucket(actions, 100, index, watch_port=index + 1) for index, actions in enumerate(buckets))
        self.bridge.groups.apply("add", GroupDef(id_, kind, defined), 0.0)

    def send(self, frame: bytes, port: int = 1, meta: int = 0) -> list[tuple[int, bytes]]:
        """Let `frame` in; gives (port, frame) for all that went out."""
        devices = {number: each.nic for number, each in sorted(self.bridge.ports.items()) if each.nic}
        for nic in devices.values():
            nic.sent.clear()
        self.datapath.receive(self.bridge, self.bridge.ports[port], frame, meta)
        return [(number, out) for number, nic in devices.items() for out in nic.sent]
