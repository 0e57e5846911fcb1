"""One hypervisor without sockets: what northd wrote, our controller, its services and the embedded switch.

    chassis = OneChassis(world.dump(sb.SOUTHBOUND), guests=["vm1"], localnets=["ln"])
    chassis.send("vm1", frame)        → [("vm2", frame), …]: what comes out, and where

Every guest is plugged in here; a localnet port is a patch port to the bridge of a physical network.  Nothing is learned
from a packet: each fares as the database has it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyovn.controller.core import Core
from pyovn.controller.desk import Desk
from pyovn.controller.edits import Update
from pyovn.controller.effects import Continue, Send
from pyovn.controller.interests import SOUTHBOUND_TABLES
from pyovn.controller.patches import LOCALNET, patch_name
from pyovn.incr.snapshot import Snapshot
from pyovn.lang.actions.userdata import Opcode, split
from pyovn.openflow import messages as m
from pyovn.ovsdb.model import changed
from pyovn.ovsdb.replica import Replica
from pyovn.ovsdb.replica import Update as RowUpdate
from pyovn.tables.sb import PortBinding
from pyovn.vswitch.agent import Session
from pyovn.vswitch.bridge import PacketIn
from pyovn.vswitch.ports import Port
from tests.support.chassis_world import World as Rows
from tests.vswitch.worlds import RecordingNic
from tests.vswitch.worlds import World as Switch

#: What would teach the services who has an address.
LESSONS = frozenset({Opcode.PUT_ARP, Opcode.PUT_ND})
#: Packets that one packet may lead to before something is going round in circles.
MOST_PACKETS = 200


class OneChassis:
    """All of it."""

    def __init__(self, southbound: Mapping[str, Any], guests: Sequence[str], localnets: Sequence[str] = ()) -> None:
        replica = Replica(dict(SOUTHBOUND_TABLES))
        changes = replica.apply(RowUpdate(dict(southbound), fresh=True))
        self.rows = Rows()
        self.rows.southbound = Snapshot(new for rows in changes.values() for _, new in rows.values() if new is not None)
        self.switch = Switch()
        self.switch.bridge.ports.clear()
        for number, name in enumerate((*guests, *localnets), 1):
            self._plug(number, name, localnet=name in localnets)
        self.core = self._controller()
        self.desk = self._desk()
        self._session = Session(self.switch.datapath, self.switch.bridge, primary=True)
        self._install()
        self._punted: list[PacketIn] = []
        self.switch.bridge.on_packet_in = self._punted.append

    def _plug(self, number: int, name: str, *, localnet: bool) -> None:
        if localnet:
            self.rows.plug(patch_name("br-int", name), number, {LOCALNET: name}, type="patch")
        else:
            self.rows.interface(name, number, name)
        port = Port(name, number, number)
        port.nic = RecordingNic()
        self.switch.bridge.ports[number] = port

    def _controller(self) -> Core:
        """A controller whose claims have come true."""
        core = self.rows.core()
        while claims := [edit for edit in core.southbound_edits(0.0) if _is_claim(edit)]:
            for edit in claims:
                self.rows.put(changed(edit.row, **edit.columns))
            self.rows.tell(core)
        return core

    def _install(self) -> None:
        for definition in self.core.meters.values():
            self._tell(m.MeterMod(m.ADD, definition))
        for group in self.core.groups.values():
            self._tell(m.GroupMod(m.ADD, group))
        for key in self.core.flows:
            flow = self.core.flows.get(key)
            assert flow is not None
            self._tell(m.FlowMod(m.ADD, flow))

    def _tell(self, message: m.Message) -> None:
        assert self._session.receive(message, 0) == [], message

    def _desk(self) -> Desk:
        return Desk(self.rows.southbound, "ch1", lambda low, high: low)

    def forget(self) -> None:
        """Forget connections and what the services learned."""
        self.desk = self._desk()
        for zone in {0, *self.core.zones.values()}:
            self.switch.datapath.conntrack.flush(zone)

    def send(self, port: str, frame: bytes) -> list[tuple[str, bytes]]:
        """What comes out where when a frame comes in at a port; the services answer what they are asked."""
        ports = self.switch.bridge.ports
        number = next(number for number, each in ports.items() if each.name == port)
        self._punted.clear()
        found = [(ports[where].name, out) for where, out in self.switch.send(frame, number)]
        for each in ports.values():
            each.nic.sent.clear()
        for message in self._consequences():
            self._tell(message)
            for each in ports.values():
                found += [(each.name, out) for out in each.nic.sent]
                each.nic.sent.clear()
        return found

    def _consequences(self) -> Iterator[m.Message]:
        """What the services tell the switch about the packets that it hands over, one after another."""
        for _ in range(MOST_PACKETS):
            if not self._punted:
                return
            pin = self._session.packet_in(self._punted.pop(0))
            if pin is None or split(pin.userdata)[0] in LESSONS:
                continue
            for effect in self.desk.packet(pin, 0.0):
                if isinstance(effect, Send | Continue):
                    yield effect.message
        raise AssertionError("the services and the switch go round in circles")


def _is_claim(edit: Any) -> bool:
    return isinstance(edit, Update) and isinstance(edit.row, PortBinding) and "chassis" in edit.columns
