"""What services have learned and the database has not been told yet.

a fact waits 1–50 ms, by lot, so that of several chassis that saw the same packet one writes and the others see it;
the same fact again meanwhile is the same fact, and what is known of a neighbour is what was learned last
"""

from collections.abc import Callable
from typing import Final

from pyovn.controller.effects import Learned, Neighbour

SHORTEST_S: Final = 0.001
LONGEST_S: Final = 0.050
MOST: Final = 1000

Fact = Learned | Neighbour
Place = tuple[int, int, tuple[int, int]]


class Memory:
    """Facts on their way to the database."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._uniform = uniform
        self._due: dict[Fact, float] = {}
        self._macs: dict[Place, int] = {}

    def learn(self, fact: Fact, now: float) -> None:
        """Take note."""
        if fact in self._due or len(self._due) >= MOST:
            return
        if isinstance(fact, Neighbour):
            place = fact.datapath, fact.port, fact.address
            older = self._macs.get(place)
            if older is not None:
                self._due.pop(fact._replace(mac=older), None)
            self._macs[place] = fact.mac
        self._due[fact] = now + self._uniform(SHORTEST_S, LONGEST_S)

    def mac_of(self, datapath: int, port: int, address: tuple[int, int]) -> int | None:
        """The MAC that has just been learned for a neighbour."""
        return self._macs.get((datapath, port, address))

    def take(self, now: float) -> list[Fact]:
        """The facts to be written now."""
        due = [fact for fact, when in self._due.items() if when <= now]
        for fact in due:
            del self._due[fact]
            if isinstance(fact, Neighbour):
                self._macs.pop((fact.datapath, fact.port, fact.address), None)
        return due

    @property
    def deadline(self) -> float | None:
        """When something is to be written."""
        return min(self._due.values(), default=None)
