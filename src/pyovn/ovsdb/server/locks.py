"""Locks: one owner each, the others wait in line (RFC 7047 §4.1.8).

lock    → owner, or the end of the line          steal   → owner; the old owner goes to the front of the line
unlock  → the next in line becomes owner and is told
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

Holder = TypeVar("Holder", bound=Hashable)


class Locks(Generic[Holder]):
    """All locks of a server; a lock exists while somebody holds or wants it."""

    def __init__(self) -> None:
        self._lines: dict[str, list[Holder]] = {}  # the owner is first

    def owner(self, name: str) -> Holder | None:
        """Who holds a lock."""
        line = self._lines.get(name)
        return line[0] if line else None

    def wants(self, name: str, holder: Holder) -> bool:
        """True where `holder` holds the lock or waits for it."""
        return holder in self._lines.get(name, ())

    def lock(self, name: str, holder: Holder) -> bool:
        """Queue for a lock; true where it is held at once."""
        line = self._lines.setdefault(name, [])
        line.append(holder)
        return line[0] is holder

    def steal(self, name: str, holder: Holder) -> Holder | None:
        """Take a lock; returns who lost it."""
        line = self._lines.setdefault(name, [])
        victim = line[0] if line else None
        line.insert(0, holder)
        return victim

    def unlock(self, name: str, holder: Holder) -> Holder | None:
        """Give up a lock, or waiting for it; returns who holds it now in the place of `holder`."""
        line = self._lines[name]
        held = line[0] is holder
        line.remove(holder)
        if not line:
            del self._lines[name]
            return None
        return line[0] if held else None

    def names(self, holder: Holder) -> list[str]:
        """The locks that `holder` holds or waits for."""
        return [name for name, line in self._lines.items() if holder in line]
