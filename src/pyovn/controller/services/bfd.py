"""BFD sessions of router ports with their next hops (RFC 5880, single hop: RFC 5881).

    Heard(packet) ─┐                ┌─► Send      a control packet into the router's pipeline
    time ──────────┴─► Session ─────┴─► Judge     SB BFD.status: down, init, up

The session itself is `packet.bfd_session`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.effects import Effect, Judge, Send, fields_of, injected
from pyovn.net.uuids import Uuid
from pyovn.openflow.messages import PacketIn
from pyovn.packet import bfd, datagram, ethernet, ipv4, ipv6
from pyovn.packet.bfd import Control, State
from pyovn.packet.bfd_session import Session, Timers
from pyovn.packet.udp import PROTO, Udp

MS: Final = 1000
#: Class selector 6, for what keeps networks going (RFC 4594 §3.1).
TOS: Final = 0xC0
STATUS: Final = {State.ADMIN_DOWN: "admin_down", State.DOWN: "down", State.INIT: "init", State.UP: "up"}


class Path(NamedTuple):
    """What a session watches, and how."""

    datapath: int
    port: int
    mac: int
    version: int
    src: int
    dst: int
    src_port: int
    discriminator: int
    min_tx_us: int
    min_rx_us: int
    multiplier: int

    @property
    def timers(self) -> Timers:
        """What we offer the other side."""
        return Timers(self.discriminator, self.min_tx_us, self.min_rx_us, self.multiplier)


class Watch(NamedTuple):
    """A path and its session."""

    path: Path
    session: Session


class Sessions:
    """All sessions of a chassis, by SB BFD row."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._uniform = uniform
        self._sessions: dict[Uuid, Watch] = {}

    def follow(self, wanted: Mapping[Uuid, Path], now: float) -> None:
        """Watch exactly these paths from now on; a session whose path stays the same goes on."""
        for gone in self._sessions.keys() - wanted.keys():
            del self._sessions[gone]
        for uuid, path in wanted.items():
            known = self._sessions.get(uuid)
            if known is None or known.path != path:
                self._sessions[uuid] = Watch(path, Session(path.timers, now, self._uniform))

    def status(self, uuid: Uuid) -> str | None:
        """How a session stands."""
        watch = self._sessions.get(uuid)
        return None if watch is None else STATUS[watch.session.state]

    def packet(self, pin: PacketIn, now: float) -> Iterator[Effect]:
        """A control packet that came to a router port (`handle_bfd_msg`)."""
        came = datagram.parse(pin.packet)
        control = bfd.parse(came.data)
        if (came.packet.ttl if isinstance(came.packet, ipv4.Ipv4) else came.packet.hop_limit) != bfd.HOP_LIMIT:
            return
        place = fields_of(pin).get(layout.DATAPATH, 0), came.packet.src
        for uuid, watch in self._sessions.items():
            path, session = watch
            if control.your_discriminator in (0, path.discriminator) and (path.datapath, path.dst) == place:
                yield from self._after(uuid, watch, session.heard(control, now))
                return

    def handle(self, now: float) -> Iterator[Effect]:
        """What is due."""
        for uuid, watch in self._sessions.items():
            if watch.session.deadline <= now:
                yield from self._after(uuid, watch, watch.session.handle(now))

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((watch.session.deadline for watch in self._sessions.values()), default=None)

    @staticmethod
    def _after(uuid: Uuid, watch: Watch, packets: Iterator[Control]) -> Iterator[Effect]:
        session = watch.session
        before = session.state
        for control in packets:
            yield message(watch.path, control)
        if session.state is not before:
            yield Judge(uuid, STATUS[session.state])


def message(path: Path, control: Control) -> Send:
    """A control packet as the router port receives it from itself, so that the router sends it on its way."""
    inner = Udp(path.src_port, bfd.PORT, bfd.build(control))
    packet: ipv4.Ipv4 | ipv6.Ipv6
    if path.version == 4:
        packet = ipv4.Ipv4(path.src, path.dst, PROTO, b"", bfd.HOP_LIMIT, TOS)
    else:
        packet = ipv6.Ipv6(path.src, path.dst, PROTO, b"", bfd.HOP_LIMIT, TOS)
    kind = ethernet.IP4 if path.version == 4 else ethernet.IP6
    frame = ethernet.Ethernet(path.mac, path.mac, kind, b"")
    return injected(datagram.build(datagram.Datagram(frame, packet, inner)), path.datapath, path.port)
