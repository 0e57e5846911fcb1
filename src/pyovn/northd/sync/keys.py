"""Tunnel keys: those that are asked for, those that were in use before, and new ones.

A key that somebody asks for is his; who has one keeps it, so that a restart changes nothing; who has none gets the
next free one after the last that was given away, so that a key is not used again while packets with it are about.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Keys(Generic[T]):
    """The keys of one space, and who has them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._holders: dict[int, T] = {}
        self._last = 0

    def holder(self, key: int) -> T | None:
        """Who has a key."""
        return self._holders.get(key)

    def hold(self, key: int, holder: T) -> bool:
        """Give `key` to `holder`, unless it is too large or somebody else has it; True where it is his now."""
        return key <= self.most and self._holders.setdefault(key, holder) == holder

    def take(self, key: int, holder: T) -> T | None:
        """Give `key` to `holder` whoever has it; gives who had it, if that was another."""
        before = self._holders.get(key)
        self._holders[key] = holder
        return None if before == holder else before

    def free(self, key: int, holder: T) -> None:
        """Take the key back from `holder`."""
        if self._holders.get(key) == holder:
            del self._holders[key]

    def next(self, holder: T) -> int | None:
        """A key that was free, for `holder`; None where there is none left."""
        if len(self._holders) >= self.most:
            return None
        key = self._last
        while True:
            key = key + 1 if key < self.most else 1
            if key not in self._holders:
                self._holders[key] = holder
                self._last = key
                return key

    def holders(self) -> Mapping[int, T]:
        """Everybody, by key."""
        return self._holders
