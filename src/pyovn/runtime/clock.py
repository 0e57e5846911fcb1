"""The two clocks: one that never jumps, for deadlines, and the calendar's, for what people read."""

import time
from typing import Protocol


class Clock(Protocol):
    """What a part that needs the time is given."""

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return time.monotonic()

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: float = 0.0, wall_ms: int = 0) -> None:
        self._now = now
        self._wall_ms = wall_ms

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return self._now

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return self._wall_ms

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._wall_ms += round(seconds * 1000)


SYSTEM = SystemClock()
