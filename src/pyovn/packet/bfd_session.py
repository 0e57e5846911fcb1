"""One BFD session in asynchronous mode, without echo or authentication (RFC 5880 §6.8).

    heard(packet) ─┐
    handle(now) ───┴─► Session ──► packets to send; `state`, `deadline`

            DOWN ◄──────────────┐
        hears DOWN │ ▲ silence  │ silence, hears DOWN or ADMIN_DOWN
                   ▼ │          │
            INIT ───────────► UP        hears INIT or UP; from DOWN, INIT leads to UP at once

While a session is not up it sends once a second at most.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pyovn.packet.bfd import FINAL, POLL, Control, Diagnostic, State

SLOW_US: Final = 1_000_000  #: how often at most a session sends that is not up (RFC 5880 §6.8.3)
S: Final = 1_000_000

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


class Timers(NamedTuple):
    """What one side offers; intervals in microseconds."""

    discriminator: int
    min_tx_us: int
    min_rx_us: int
    multiplier: int


class Session:
    """One session; see the module."""

    def __init__(self, timers: Timers, now: float, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self.timers = timers
        self.state = State.DOWN
        self.diagnostic = Diagnostic.NONE
        self.remote: Control | None = None  #: the last packet of the other side
        self.remote_discriminator = 0
        self.send_at = now
        self.sent_at = now
        self.silent_at: float | None = None
        self._uniform = uniform
        self._polling = False

    def heard(self, control: Control, now: float) -> Iterator[Control]:
        """Take a packet; a question is answered at once."""
        self.remote, self.remote_discriminator = control, control.my_discriminator
        if control.flags & FINAL:
            self._polling = False
        self.silent_at = now + self._detection_us(control) / S
        self._plan()
        self._become(TRANSITIONS.get((self.state, control.state), self.state), Diagnostic.NEIGHBOUR_DOWN, now)
        if control.flags & POLL:
            yield self._control(FINAL)

    def handle(self, now: float) -> Iterator[Control]:
        """Notice silence; send what is due."""
        if self.silent_at is not None and self.silent_at <= now:
            self.silent_at, self.remote, self.remote_discriminator = None, None, 0
            self._become(State.DOWN, Diagnostic.TIME_EXPIRED, now)
        if self.send_at <= now:
            self.sent_at = now
            self._plan()
            if self.remote is None or self.remote.required_min_rx_us:
                yield self._control(POLL if self._polling else 0)

    def excuse(self, seconds: float) -> None:
        """Give the other side more time: it was us who could not listen for so long."""
        if self.silent_at is not None:
            self.silent_at += seconds

    def retime(self, timers: Timers, now: float) -> None:
        """Offer other intervals from now on; a session that is up asks whether that was noticed (RFC 5880 §6.5)."""
        if timers == self.timers:
            return
        self.timers, self.send_at = timers, now
        self._polling = self.state is State.UP

    @property
    def deadline(self) -> float:
        """When there is something to do."""
        return self.send_at if self.silent_at is None else min(self.send_at, self.silent_at)

    @property
    def desired_us(self) -> int:
        """The shortest interval between packets that we want, as the state allows."""
        return self.timers.min_tx_us if self.state is State.UP else max(self.timers.min_tx_us, SLOW_US)

    @property
    def interval_us(self) -> int:
        """The interval between our packets before jitter: as fast as both sides can."""
        return max(self.desired_us, self.remote.required_min_rx_us if self.remote is not None else 0)

    def _become(self, state: State, why: Diagnostic, now: float) -> None:
        """Change state, which the other side hears of at once."""
        if state is self.state:
            return
        if state is State.DOWN:
            self.diagnostic, self._polling = why, False
        elif state is State.UP:
            self._polling = True
        self.state, self.send_at = state, now

    def _plan(self) -> None:
        """The next packet: jittered so that sessions do not march in step (RFC 5880 §6.8.7)."""
        most = 0.9 if self.timers.multiplier == 1 else 1.0
        self.send_at = self.sent_at + self.interval_us / S * self._uniform(0.75, most)

    def _detection_us(self, control: Control) -> int:
        return control.multiplier * max(self.timers.min_rx_us, control.desired_min_tx_us)

    def _control(self, flags: int) -> Control:
        timers = self.timers
        return Control(
            self.state, timers.discriminator, self.remote_discriminator, self.desired_us, timers.min_rx_us,
            multiplier=timers.multiplier, flags=flags, diagnostic=self.diagnostic,
        )  # fmt: skip
