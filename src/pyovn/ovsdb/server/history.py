"""The last transactions of a database, so that a client that was away is told only what it missed."""

from collections import deque
from collections.abc import Iterable

from pyovn.net.uuids import ZERO
from pyovn.ovsdb.server.integrity import Change, Changes

MOST_TRANSACTIONS = 1_000
MOST_ROWS = 50_000


class History:
    """Transactions by id, oldest first; bounded in number and in rows."""

    __slots__ = ("_entries", "_rows", "last_id")

    def __init__(self) -> None:
        self._entries: deque[tuple[str, Changes, int]] = deque()
        self._rows = 0
        self.last_id: str = ZERO  #: the id of the newest transaction

    def add(self, id: str, changes: Changes) -> None:
        """Remember a transaction and forget the oldest ones beyond the bounds."""
        rows = sum(map(len, changes.values()))
        entries = self._entries
        entries.append((id, changes, rows))
        self._rows += rows
        self.last_id = id
        while (count := len(entries)) > MOST_TRANSACTIONS or (self._rows > MOST_ROWS and count > 1):
            self._rows -= entries.popleft()[2]

    def __len__(self) -> int:
        return len(self._entries)

    def since(self, id: str) -> Changes | None:
        """Everything after transaction `id` as one set of changes; None if that is not remembered."""
        missed: list[Changes] = []
        for entry_id, changes, _ in reversed(self._entries):
            if entry_id == id:
                return merged(reversed(missed))
            missed.append(changes)
        return None


def merged(several: Iterable[Changes]) -> Changes:
    """Successive changes as one: the first row before, the last row after."""
    total: dict[str, dict[str, Change]] = {}
    for changes in several:
        for name, rows in changes.items():
            table = total.setdefault(name, {})
            for uuid, (old, new) in rows.items():
                table[uuid] = (table[uuid][0] if uuid in table else old, new)
    return total
