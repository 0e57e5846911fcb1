"""The forwarding database of `NORMAL`: which port a MAC address was last seen on.

Entries age; a change that can send packets elsewhere bumps `generation`.  Time comes in as an argument, in seconds.
"""

from collections.abc import Iterator
from typing import NamedTuple

AGING_S = 300.0
MAX_ENTRIES = 8192


class Entry(NamedTuple):
    """Where an address is."""

    port: int
    seen: float


class Fdb:
    """The forwarding database of one bridge."""

    def __init__(self, aging_s: float = AGING_S, limit: int = MAX_ENTRIES) -> None:
        self.aging_s = aging_s
        self.limit = limit
        self.generation = 0
        self._entries: dict[tuple[int, int], Entry] = {}

    def port_of(self, vlan: int, mac: int) -> int | None:
        """The port `mac` was last seen on."""
        entry = self._entries.get((vlan, mac))
        return entry.port if entry else None

    def learn(self, vlan: int, mac: int, port: int, now: float) -> None:
        """`mac` was seen on `port`."""
        if mac >> 40 & 1 or not mac:
            return
        old = self._entries.pop((vlan, mac), None)
        if old is None or old.port != port:
            self.generation += 1
            if len(self._entries) >= self.limit:
                del self._entries[next(iter(self._entries))]
        self._entries[vlan, mac] = Entry(port, now)

    def expire(self, now: float) -> None:
        """Forget what was not seen for long."""
        old = [key for key, entry in self._entries.items() if now - entry.seen >= self.aging_s]
        for key in old:
            del self._entries[key]
        self.generation += bool(old)

    def flush(self, port: int | None = None) -> None:
        """Forget everything, or everything on `port`."""
        self._entries = {} if port is None else {key: e for key, e in self._entries.items() if e.port != port}
        self.generation += 1

    def entries(self) -> Iterator[tuple[int, int, Entry]]:
        """All (vlan, mac, entry)."""
        for (vlan, mac), entry in self._entries.items():
            yield vlan, mac, entry
