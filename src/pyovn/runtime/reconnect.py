"""When to connect, to which remote, when to ask a silent peer for a sign of life, and when to give it up.

    BACKOFF ──► CONNECTING ──► ACTIVE ──silence──► IDLE
       ▲            │failed      │ ▲                 │ no sign of life
       └────────────┴────────────┘ └────received─────┘ (back to BACKOFF)

A pure machine: events and the time come in, `due(now)` says what to do, `deadline` when to ask again.  The first try
of each remote is immediate; then the pause doubles from `min_backoff_s` to `max_backoff_s`.  A connection that held
for a while makes the next pause short again.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence


class State(enum.Enum):
    """What the connection is doing."""

    BACKOFF = "backoff"
    CONNECTING = "connection in progress"
    ACTIVE = "active"
    IDLE = "idle"


class Do(enum.Enum):
    """What the shell has to do now."""

    NOTHING = "nothing"
    CONNECT = "connect"
    PROBE = "probe"
    DISCONNECT = "disconnect"


#: (state, event) → state
TRANSITIONS = {
    (State.BACKOFF, "connecting"): State.CONNECTING,
    (State.CONNECTING, "connected"): State.ACTIVE,
    (State.CONNECTING, "lost"): State.BACKOFF,
    (State.ACTIVE, "probed"): State.IDLE,
    (State.ACTIVE, "received"): State.ACTIVE,
    (State.ACTIVE, "lost"): State.BACKOFF,
    (State.IDLE, "received"): State.ACTIVE,
    (State.IDLE, "lost"): State.BACKOFF,
}


class Reconnect:
    """The state of one connection that is to be kept up."""

    def __init__(
        self,
        remotes: Sequence[str],
        now: float,
        *,
        probe_s: float = 5.0,
        min_backoff_s: float = 1.0,
        max_backoff_s: float = 8.0,
        connect_timeout_s: float = 10.0,
    ) -> None:
        self.remotes = tuple(remotes)
        self.state = State.BACKOFF
        self.attempts = 0
        self.connections = 0
        self.probe_s = probe_s  #: 0 for never
        self._place = 0
        self._failures = 0
        self._min_backoff_s = min_backoff_s
        self.max_backoff_s = max_backoff_s
        self._connect_timeout_s = connect_timeout_s
        self._backoff_s = 0.0
        self._entered = now
        self._last_activity = now
        self._connected_at = now

    @property
    def remote(self) -> str:
        """The remote in use, or to be tried next."""
        return self.remotes[self._place]

    @property
    def backoff_s(self) -> float:
        """The pause before the next try."""
        return self._backoff_s

    @property
    def deadline(self) -> float | None:
        """When `due` will have something to do, if nothing happens before."""
        match self.state:
            case State.BACKOFF:
                return self._entered + self._backoff_s
            case State.CONNECTING:
                return self._entered + max(self._connect_timeout_s, self._backoff_s)
            case State.ACTIVE:
                return self._last_activity + self.probe_s if self.probe_s else None
            case State.IDLE:
                return self._entered + self.probe_s

    def due(self, now: float) -> Do:
        """What to do now."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return Do.NOTHING
        match self.state:
            case State.BACKOFF:
                return Do.CONNECT
            case State.ACTIVE:
                return Do.PROBE
            case _:
                return Do.DISCONNECT

    def use(self, remotes: Sequence[str]) -> None:
        """Choose among other remotes from now on, staying at the present one if it is among them."""
        self._place = remotes.index(self.remote) if self.remote in remotes else 0
        self.remotes = tuple(remotes)
        self._failures = 0

    def connecting(self, now: float) -> None:
        """The shell began to connect."""
        self.attempts += 1
        self._enter("connecting", now)

    def connected(self, now: float) -> None:
        """The connection was made."""
        self.connections += 1
        self._last_activity = self._connected_at = now
        self._enter("connected", now)

    def received(self, now: float) -> None:
        """The peer sent something."""
        self._last_activity = now
        if self.state is State.IDLE:
            self._enter("received", now)

    def probed(self, now: float) -> None:
        """The shell asked for a sign of life."""
        self._enter("probed", now)

    def lost(self, now: float) -> None:
        """The connection failed, or was ended by either side: the next remote's turn, after a pause."""
        if self.state in (State.ACTIVE, State.IDLE) and now - self._connected_at >= self._min_backoff_s:
            self._failures = 0
        self._failures += 1
        untried = len(self.remotes) - self._failures
        self._backoff_s = (
            0.0 if untried > 0 else min(self._min_backoff_s * 2.0 ** min(-untried, 60), self.max_backoff_s)
        )
        self._place = (self._place + 1) % len(self.remotes)
        self._enter("lost", now)

    def _enter(self, event: str, now: float) -> None:
        self.state = TRANSITIONS[self.state, event]
        self._entered = now
