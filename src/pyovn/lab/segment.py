"""Physical networks of a lab: learning Ethernet switches, with hypervisors' NICs and external hosts plugged in.

    hv1 eth1 ──┐                          a NIC carries tagged frames as they are
    hv2 eth1 ──┤ Segment ├── outside      a host may sit in one VLAN, which it does not see
               └─────────┴── dmz (VLAN 20)

The switch learns where addresses are from what it hears, so that a router that moves must announce itself, as on a
real network.  NICs ethN of all hypervisors are on the same segment; `eth0` is where the tunnels run.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from pyovn.net.mac import is_multicast
from pyovn.packet import vlan

Receive = Callable[[bytes], None]
#: names of NICs: eth0 carries tunnels, the others are on the physical networks of the same name
NIC: Final = re.compile(r"eth\d+")
FIRST_MAC: Final = 0x0A5E00000001  #: locally administered
_MAC, _HEAD = 6, 12


class Plug:
    """One place on a segment."""

    def __init__(self, segment: "Segment", receive: Receive, vid: int | None) -> None:
        self.segment, self.receive = segment, receive
        self.vid = vid  #: the VLAN it sits in; None: it sees tags
        self._up = True

    @property
    def up(self) -> bool:
        """Whether the cable is good."""
        return self._up

    @up.setter
    def up(self, up: bool) -> None:
        self._up = up
        if not up:
            self.segment.forget(self)

    def send(self, frame: bytes) -> None:
        """Put a frame on the segment."""
        if self.up and len(frame) > _HEAD:
            self.segment.carry(self, frame)

    def deliver(self, vid: int, frame: bytes) -> None:
        """Take a frame of a VLAN (0: none) from the segment."""
        if self.up and self.vid in (None, vid):
            tagged = vlan.push(frame, vlan.tci(vid)) if vid and self.vid is None else frame
            asyncio.get_running_loop().call_soon(self.receive, tagged)


class Segment:
    """One physical network."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.taps: list[Receive] = []
        self._plugs: list[Plug] = []
        self._known: dict[tuple[int, bytes], Plug] = {}

    def attach(self, receive: Receive, vid: int | None = None) -> Plug:
        """A new place; `receive` is called with what comes to it."""
        plug = Plug(self, receive, vid)
        self._plugs.append(plug)
        return plug

    def carry(self, source: Plug, frame: bytes) -> None:
        """Switch a frame."""
        vid, plain = source.vid or 0, frame
        if source.vid is None and vlan.is_tagged(frame):
            vid, plain = int.from_bytes(frame[14:16], "big") & 0xFFF, vlan.pop(frame)
        for tap in self.taps:
            tap(vlan.push(plain, vlan.tci(vid)) if vid else plain)
        self._known[vid, plain[_MAC:_HEAD]] = source
        target = self._known.get((vid, plain[:_MAC]))
        if target is None or is_multicast(int.from_bytes(plain[:_MAC], "big")):
            for plug in self._plugs:
                if plug is not source:
                    plug.deliver(vid, plain)
        elif target is not source:
            target.deliver(vid, plain)

    def forget(self, plug: Plug) -> None:
        """Unlearn what was behind a plug."""
        self._known = {place: known for place, known in self._known.items() if known is not plug}


class Uplink:
    """A hypervisor's NIC on a segment: the switch's end is the protocol `vswitch.ports.Nic`."""

    mtu = 1500

    def __init__(self, segment: Segment, mac: int, index: int) -> None:
        self.name, self.mac, self.ifindex = segment.name, mac, index
        self.on_receive: Receive | None = None
        self._plug = segment.attach(self._arrived)

    @property
    def up(self) -> bool:
        """Whether its link is up."""
        return self._plug.up

    @up.setter
    def up(self, up: bool) -> None:
        self._plug.up = up

    def transmit(self, frame: bytes) -> None:
        """Put a frame on the segment."""
        self._plug.send(frame)

    def close(self) -> None:
        """Take it out of its bridge; the cable stays."""
        self.on_receive = None

    def _arrived(self, frame: bytes) -> None:
        if self.on_receive is not None:
            self.on_receive(frame)


class Segments(dict[str, Segment]):
    """The physical networks of a lab, made when first asked for."""

    def __missing__(self, name: str) -> Segment:
        """A new network."""
        segment = self[name] = Segment(name)
        return segment
