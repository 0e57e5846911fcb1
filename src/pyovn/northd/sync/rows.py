"""A southbound table whose rows are wanted by a key: what is missing is inserted, what differs is set, the rest goes.

    wanted(key) → columns or None ─┐
                                   ├─► insert · update · delete
    rows of the table by key ──────┘

Only keys that somebody touched are looked at, on either side: what northd wants changed, or a row did (by whoever).
Rows that say what is wanted are left alone, whoever wrote them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row
from pyovn.ovsdb.txn import Txn

R = TypeVar("R", bound=Row)
K = TypeVar("K")
TableChanges = Mapping[Uuid, tuple[Any, Any]]


class RowSync(Generic[K, R]):
    """The rows of a table, by key."""

    cls: type[R]

    def __init__(self) -> None:
        self.rows: dict[K, R] = {}
        self.surplus: dict[Uuid, R] = {}  # rows without a key, or with one that another row has
        self._keys: dict[Uuid, K] = {}
        self.dirty: dict[K, None] = {}

    def key(self, row: R) -> K | None:
        """What the row is about; None where that cannot be said."""
        raise NotImplementedError

    def wanted(self, key: K) -> Mapping[str, Any] | None:
        """The columns that the row for `key` is to have; None where there is to be none."""
        raise NotImplementedError

    def seen(self, changes: TableChanges) -> None:
        """Note rows that have changed."""
        for uuid, (old, new) in changes.items():
            if old is not None:
                self._forget(uuid)
            if new is not None:
                self._learn(uuid, new)

    def _learn(self, uuid: Uuid, row: R) -> None:
        key = self.key(row)
        if key is None or key in self.rows:
            self.surplus[uuid] = row
            return
        self.rows[key] = row
        self._keys[uuid] = key
        self.dirty[key] = None

    def _forget(self, uuid: Uuid) -> None:
        if self.surplus.pop(uuid, None) is None:
            key = self._keys.pop(uuid)
            del self.rows[key]
            self.dirty[key] = None

    def touch(self, keys: Iterable[K]) -> None:
        """What is wanted for these has changed."""
        self.dirty.update(dict.fromkeys(keys))

    def touch_all(self) -> None:
        """Look at everything again."""
        self.dirty.update(dict.fromkeys(self.rows))

    def plan(self, txn: Txn) -> None:
        """Write down what is to be done about touched keys."""
        dirty, self.dirty = self.dirty, {}
        for row in self.surplus.values():
            txn.delete(row)
        self.surplus.clear()
        for key in dirty:
            wanted, present = self.wanted(key), self.rows.get(key)
            if wanted is None:
                if present is not None:
                    self.remove(txn, key, present)
            elif present is None:
                self.insert(txn, key, wanted)
            else:
                self.update(txn, key, present, wanted)

    def insert(self, txn: Txn, key: K, wanted: Mapping[str, Any]) -> None:
        """Add a row."""
        txn.insert(self.cls, **wanted)

    def update(self, txn: Txn, key: K, row: R, wanted: Mapping[str, Any]) -> None:
        """Set what differs."""
        txn.update(row, **wanted)

    def remove(self, txn: Txn, key: K, row: R) -> None:
        """Delete a row."""
        txn.delete(row)
