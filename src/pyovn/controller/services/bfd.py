"""BFD sessions of router ports with their next hops (RFC 5880, single hop: RFC 5881).

    Heard(packet) ─┐                ┌─► Send      a control packet into the router's pipeline
    time ──────────┴─► Session ─────┴─► Judge     SB BFD.status: down, init, up

Asynchronous mode without echo or authentication.  While a session is not up it sends once a second at most.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.effects import Effect, Judge, Send, fields_of, injected
from pyovn.net.uuids import Uuid
from pyovn.openflow.messages import PacketIn
from pyovn.packet import bfd, datagram, ethernet, ipv4, ipv6
from pyovn.packet.bfd import Control, Diagnostic, State
from pyovn.packet.udp import PROTO, Udp

SLOW_US: Final = 1_000_000  #: how often at most a session sends that is not up (RFC 5880 §6.8.3)
MS: Final = 1000
S: Final = 1_000_000
#: Class selector 6, for what keeps networks going (RFC 4594 §3.1).
TOS: Final = 0xC0
STATUS: Final = {State.ADMIN_DOWN: "admin_down", State.DOWN: "down", State.INIT: "init", State.UP: "up"}

#: (our state, what the other side says of itself) → our next state; otherwise it stays (RFC 5880 §6.8.6)
TRANSITIONS: Final = {
    (State.DOWN, State.DOWN): State.INIT,
    (State.DOWN, State.INIT): State.UP,
    (State.INIT, State.INIT): State.UP,
    (State.INIT, State.UP): State.UP,
    (State.INIT, State.ADMIN_DOWN): State.DOWN,
    (State.UP, State.DOWN): State.DOWN,
    (State.UP, State.ADMIN_DOWN): State.DOWN,
}


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


class Session:
    """One session."""

    def __init__(self, path: Path, now: float, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self.path = path
        self.state = State.DOWN
        self._uniform = uniform
        self._diagnostic = Diagnostic.NONE
        self._remote: Control | None = None  #: the last packet of the other side
        self._remote_discriminator = 0
        self._polling = False
        self._send_at = now
        self._sent_at = now
        self._silent_at: float | None = None

    def heard(self, control: Control, now: float) -> Iterator[Control]:
        """Take a packet; a question is answered at once."""
        self._remote, self._remote_discriminator = control, control.my_discriminator
        if control.flags & bfd.FINAL:
            self._polling = False
        self._silent_at = now + self._detection_us(control) / S
        self._plan()
        self._become(TRANSITIONS.get((self.state, control.state), self.state), Diagnostic.NEIGHBOUR_DOWN, now)
        if control.flags & bfd.POLL:
            yield self._control(bfd.FINAL)

    def handle(self, now: float) -> Iterator[Control]:
        """Notice silence; send what is due."""
        if self._silent_at is not None and self._silent_at <= now:
            self._silent_at, self._remote, self._remote_discriminator = None, None, 0
            self._become(State.DOWN, Diagnostic.TIME_EXPIRED, now)
        if self._send_at <= now:
            self._sent_at = now
            self._plan()
            if self._remote is None or self._remote.required_min_rx_us:
                yield self._control(bfd.POLL if self._polling else 0)

    @property
    def deadline(self) -> float:
        """When there is something to do."""
        return self._send_at if self._silent_at is None else min(self._send_at, self._silent_at)

    def _become(self, state: State, why: Diagnostic, now: float) -> None:
        """Change state, which the other side hears of at once."""
        if state is self.state:
            return
        if state is State.DOWN:
            self._diagnostic, self._polling = why, False
        elif state is State.UP:
            self._diagnostic, self._polling = Diagnostic.NONE, True
        self.state, self._send_at = state, now

    def _plan(self) -> None:
        """The next packet: jittered so that sessions do not march in step (RFC 5880 §6.8.7)."""
        most = 0.9 if self.path.multiplier == 1 else 1.0
        self._send_at = self._sent_at + self._interval_us() / S * self._uniform(0.75, most)

    def _desired_us(self) -> int:
        return self.path.min_tx_us if self.state is State.UP else max(self.path.min_tx_us, SLOW_US)

    def _interval_us(self) -> int:
        return max(self._desired_us(), self._remote.required_min_rx_us if self._remote is not None else 0)

    def _detection_us(self, control: Control) -> int:
        return control.multiplier * max(self.path.min_rx_us, control.desired_min_tx_us)

    def _control(self, flags: int) -> Control:
        path = self.path
        return Control(
            self.state, path.discriminator, self._remote_discriminator, self._desired_us(), path.min_rx_us,
            multiplier=path.multiplier, flags=flags, diagnostic=self._diagnostic,
        )  # fmt: skip


class Sessions:
    """All sessions of a chassis, by SB BFD row."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._uniform = uniform
        self._sessions: dict[Uuid, Session] = {}

    def follow(self, wanted: Mapping[Uuid, Path], now: float) -> None:
        """Watch exactly these paths from now on; a session whose path stays the same goes on."""
        for gone in self._sessions.keys() - wanted.keys():
            del self._sessions[gone]
        for uuid, path in wanted.items():
            known = self._sessions.get(uuid)
            if known is None or known.path != path:
                self._sessions[uuid] = Session(path, now, self._uniform)

    def status(self, uuid: Uuid) -> str | None:
        """How a session stands."""
        session = self._sessions.get(uuid)
        return None if session is None else STATUS[session.state]

    def packet(self, pin: PacketIn, now: float) -> Iterator[Effect]:
        """A control packet that came to a router port (`handle_bfd_msg`)."""
        came = datagram.parse(pin.packet)
        control = bfd.parse(came.data)
        if (came.packet.ttl if isinstance(came.packet, ipv4.Ipv4) else came.packet.hop_limit) != bfd.HOP_LIMIT:
            return
        place = fields_of(pin).get(layout.DATAPATH, 0), came.packet.src
        for uuid, session in self._sessions.items():
            path = session.path
            if control.your_discriminator in (0, path.discriminator) and (path.datapath, path.dst) == place:
                yield from self._after(uuid, session, session.heard(control, now))
                return

    def handle(self, now: float) -> Iterator[Effect]:
        """What is due."""
        for uuid, session in self._sessions.items():
            if session.deadline <= now:
                yield from self._after(uuid, session, session.handle(now))

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((session.deadline for session in self._sessions.values()), default=None)

    @staticmethod
    def _after(uuid: Uuid, session: Session, packets: Iterator[Control]) -> Iterator[Effect]:
        before = session.state
        for control in packets:
            yield message(session.path, control)
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
