"""Rows that grow old: what has been seen lately is written down, and neighbours in use that are silent are asked.

the switch's counts by table and cookie, compared with those of the last look
    79 packets from a neighbour      ─► alive
    72 packets from a station        ─► alive
    66 packets to a neighbour who was silent for two looks ─► doubted: ask whether it is there, 79 counts the answer

A look comes every 3/16 of the shortest age that a datapath allows.  northd removes the rows that nobody renews; a
neighbour that nobody sends to here is left to those who do.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.net.uuids import Uuid

LOOKS: Final = 3 / 16  #: of the age
#: Tables that tell who is alive, and the one that tells who is sent to.
SIGNS: Final = (layout.MAC_CACHE_USE, layout.LOOKUP_FDB)
USED: Final = layout.MAC_BINDING
COUNTED: Final = (*SIGNS, USED)
PATIENCE: Final = 2  #: looks

Counts = Mapping[tuple[int, int], int]


class Found(NamedTuple):
    """What a look told of rows."""

    alive: list[Uuid]
    doubted: list[Uuid]


class Ageing:
    """The looks of a chassis."""

    def __init__(self) -> None:
        self._pause = math.inf
        self._due = math.inf
        self._counts: dict[tuple[int, int], int] = {}
        self._silent: dict[Uuid, int] = {}  #: for how many looks

    def shortest(self, age_s: float, now: float) -> None:
        """Look often enough for rows that may get this old; inf for never."""
        pause = age_s * LOOKS
        if pause != self._pause:
            self._pause, self._due = pause, now + pause

    def look(self, rows: Iterable[Uuid], counts: Counts, now: float) -> Found:
        """Compare counts with those of the last look."""
        before, self._counts, self._due = self._counts, dict(counts), now + self._pause
        silent, self._silent = self._silent, {}
        found = Found([], [])
        for row in rows:
            cookie = int(row[:8], 16)
            if any(_grew((table, cookie), before, counts) for table in SIGNS):
                found.alive.append(row)
                continue
            self._silent[row] = looks = silent.get(row, 0) + 1
            if looks >= PATIENCE and _grew((USED, cookie), before, counts):
                found.doubted.append(row)
        return found

    @property
    def deadline(self) -> float | None:
        """When to look again."""
        return self._due if self._due < math.inf else None


def _grew(key: tuple[int, int], before: Counts, now: Counts) -> bool:
    """True where packets were counted since; counts of a flow that was made anew begin at 0."""
    count = now.get(key, 0)
    return count > before.get(key, 0) or 0 < count < before.get(key, 0)
