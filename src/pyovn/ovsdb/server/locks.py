"""Locks: one owner each, the others wait in line (RFC 7047 §4.1.8).

lock    → owner, or the end of the line          steal   → owner; the old owner goes to the front of the line
unlock  → the next in line becomes owner and is told
"""

from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

Holder = TypeVar("Holder", bound=Hashable)


class Standing(NamedTuple):
    """The locks of one holder, by how it stands with them."""

    held: list[str]
    waiting: list[str]
    lost: list[str]


class Locks(Generic[Holder]):
    """All locks of a server; a lock exists while somebody holds or wants it."""

    def __init__(self) -> None:
        self._lines: dict[str, list[Holder]] = {}  # the owner is first
        self._robbed: set[tuple[str, Holder]] = set()

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
        if victim is not None:
            self._robbed.add((name, victim))
        return victim

    def unlock(self, name: str, holder: Holder) -> Holder | None:
        """Give up a lock, or waiting for it; returns who holds it now in the place of `holder`."""
        line = self._lines[name]
        held = line[0] is holder
        line.remove(holder)
        self._robbed.discard((name, holder))
        if not line:
            del self._lines[name]
            return None
        if held:
            self._robbed.discard((name, line[0]))
        return line[0] if held else None

    def names(self, holder: Holder) -> list[str]:
        """The locks that `holder` holds or waits for."""
        return [name for name, line in self._lines.items() if holder in line]

    def status(self, holder: Holder) -> Standing:
        """The locks that `holder` has, waits for, and had until somebody stole them."""
        mine = sorted(self.names(holder))
        lost = [name for name in mine if (name, holder) in self._robbed]
        held = [name for name in mine if self._lines[name][0] is holder]
        return Standing(held, [name for name in mine if name not in held and name not in lost], lost)
