"""Packets that wait while their next hop's MAC is asked for.

    Hold ─► waits ─► the MAC is known      → goes on, addressed to it
                └──► 10 s pass             → lost, as are all but the last 4 packets to one next hop

The router's pipeline asks (`arp { … }`, `nd_ns { … }`); the answer comes as a fact of `neighbours` or, from other
chassis, as a MAC_Binding row.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pyovn.controller.effects import Continue, Hold, resumed

MOST_HOPS: Final = 1000
MOST_PACKETS: Final = 4  #: for one next hop
PATIENCE_S: Final = 10.0


class NextHop(NamedTuple):
    """Whose MAC is wanted: an address on a router port (key) of a datapath (key)."""

    datapath: int
    port: int
    #: (version, value)
    address: tuple[int, int]


class _Queue(NamedTuple):
    until: float
    packets: deque[Hold]


class WaitingRoom:
    """The packets that wait."""

    def __init__(self) -> None:
        self._queues: dict[NextHop, _Queue] = {}

    def __len__(self) -> int:
        """How many next hops are waited for."""
        return len(self._queues)

    def wait(self, held: Hold, now: float) -> None:
        """Keep a packet."""
        hop = NextHop(held.datapath, held.port, held.address)
        queue = self._queues.get(hop)
        if queue is None:
            if len(self._queues) >= MOST_HOPS:
                return
            queue = self._queues[hop] = _Queue(now + PATIENCE_S, deque(maxlen=MOST_PACKETS))
        queue.packets.append(held)

    def handle(self, now: float, mac_of: Callable[[NextHop], int | None]) -> Iterator[Continue]:
        """Send on what need not wait any longer; forget what waited too long."""
        for hop, queue in list(self._queues.items()):
            mac = mac_of(hop)
            if mac is not None:
                del self._queues[hop]
                yield from (addressed(held, mac) for held in queue.packets)
            elif queue.until <= now:
                del self._queues[hop]

    @property
    def deadline(self) -> float | None:
        """When the first packets are given up."""
        return min((queue.until for queue in self._queues.values()), default=None)


def addressed(held: Hold, mac: int) -> Continue:
    """The packet going on to a next hop that is known by now."""
    return resumed(held.pin, mac.to_bytes(6, "big") + held.pin.packet[6:])
