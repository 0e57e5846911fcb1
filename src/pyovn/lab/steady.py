"""A ping that runs all the while, and the longest time for which it went unanswered.

async with Steady(guest, "198.51.100.1", interval_s=0.02) as pings:
    …                                   something fails and is taken over
pings.longest_gap_s                     between two requests that were answered
"""

import asyncio
import itertools
from types import TracebackType
from typing import Self

from pyovn.lab.events import NoRoute
from pyovn.lab.guest import Guest, Unreachable


class Steady:
    """One such ping; each request is sent on time, whatever became of those before it."""

    def __init__(self, guest: Guest, destination: str, interval_s: float = 0.02) -> None:
        self._guest, self._destination, self._interval_s = guest, destination, interval_s
        self.asked: list[float] = []  #: when requests were sent, in the loop's time
        self.answered: list[float] = []  #: when those were sent that were answered
        self._pings: set[asyncio.Task[None]] = set()
        self._sender: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._sender = asyncio.create_task(self._send())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sender is not None:
            self._sender.cancel()
        if self._pings:
            await asyncio.wait(self._pings)

    async def _send(self) -> None:
        start = self._guest.now()
        while True:
            self.asked.append(self._guest.now())
            ping = asyncio.create_task(self._one(self.sent & 0xFFFF, self.asked[-1]))
            self._pings.add(ping)
            ping.add_done_callback(self._pings.discard)
            await asyncio.sleep(max(0.0, start + self.sent * self._interval_s - self._guest.now()))

    async def _one(self, sequence: int, at: float) -> None:
        try:
            echo = await self._guest.ping(self._destination, sequence=sequence)
        except (Unreachable, NoRoute):
            return
        if echo is not None:
            self.answered.append(at)

    async def answers_since(self, time: float) -> None:
        """Wait until a request is answered that was sent after `time`."""
        while not any(at > time for at in reversed(self.answered)):
            await asyncio.sleep(self._interval_s)

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return len(self.asked)

    @property
    def lost(self) -> int:
        """How many requests were not answered (yet)."""
        return self.sent - len(self.answered)

    @property
    def longest_gap_s(self) -> float:
        """The longest time between two requests that were answered and had none between them that was."""
        times = sorted(self.answered)
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)
