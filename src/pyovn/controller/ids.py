"""Numbers that the switch wants and nobody else cares about: groups, meters, conjunctions.

The same request always gets the same number, so that a unit which asks again is still a function of what it reads.
"""

from collections.abc import Hashable

from pyovn.net.uuids import Uuid
from pyovn.openflow.flows import GroupDef

#: Conjunction ids below this are given by hand (`portflows.CHASSIS_MAC_CONJUNCTION`).
FIRST_CONJUNCTION = 1 << 8
LAST_CONJUNCTION = 0xFFFFFFFF


class Ids:
    """The numbers of one switch."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, int] = {}
        self._meters: dict[Hashable, int] = {}
        self._conjunctions: dict[Uuid, tuple[int, int]] = {}
        self._taken: set[int] = set()

    def group(self, definition: GroupDef) -> int:
        """The id of a group like this (whose own id is 0)."""
        return self._number(self._groups, definition)

    def meter(self, request: Hashable) -> int:
        """The id of a meter."""
        return self._number(self._meters, request)

    def conjunctions(self, flow: Uuid, number: int) -> int:
        """The first of the ids of so many conjunctions of a logical flow.

        They start at the first 32 bits of its UUID where that is free, so that they outlive a restart.
        """
        known = self._conjunctions.get(flow)
        if known is not None and known[1] >= number:
            return known[0]
        start = max(int(flow[:8], 16), FIRST_CONJUNCTION)
        while any(id_ in self._taken or id_ > LAST_CONJUNCTION for id_ in range(start, start + number)):
            start = start + number if start + 2 * number < LAST_CONJUNCTION else FIRST_CONJUNCTION
        self._taken.update(range(start, start + number))
        self._conjunctions[flow] = start, number
        return start

    def listed_conjunctions(self) -> dict[Uuid, tuple[int, int]]:
        """Logical flow → (first id, how many)."""
        return dict(self._conjunctions)

    @staticmethod
    def _number(given: dict[Hashable, int], wanted: Hashable) -> int:
        return given.setdefault(wanted, len(given) + 1)
