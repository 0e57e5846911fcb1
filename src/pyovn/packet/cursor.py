"""A bounds-checked reader over bytes; no codec of the house indexes foreign bytes by hand.

    cursor = Cursor(data);  cursor.u16();  cursor.take(4);  cursor.rest()

Every read past the end raises Malformed.
"""

from pyovn.net.errors import Malformed


class Cursor:
    """A place in some bytes."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        """Start reading `data` at `at`; nothing beyond `end` is readable."""
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end
        if not 0 <= at <= self.end <= len(data):
            raise Malformed(f"bounds {at}..{self.end} of {len(data)} bytes")

    def __len__(self) -> int:
        """Bytes left."""
        return self.end - self.at

    def __bool__(self) -> bool:
        """True while there are bytes left."""
        return self.at < self.end

    def _advance(self, size: int) -> int:
        start = self.at
        if size < 0 or size > self.end - start:
            raise Malformed(f"truncated: {size} bytes wanted at {start}, {self.end - start} left")
        self.at = start + size
        return start

    def uint(self, size: int) -> int:
        """A big-endian unsigned integer of `size` bytes."""
        start = self._advance(size)
        return int.from_bytes(self.data[start : self.at], "big")

    def u8(self) -> int:
        """One byte."""
        return self.data[self._advance(1)]

    def u16(self) -> int:
        """Two bytes."""
        return self.uint(2)

    def u24(self) -> int:
        """Three bytes."""
        return self.uint(3)

    def u32(self) -> int:
        """Four bytes."""
        return self.uint(4)

    def u48(self) -> int:
        """Six bytes."""
        return self.uint(6)

    def u64(self) -> int:
        """Eight bytes."""
        return self.uint(8)

    def u128(self) -> int:
        """Sixteen bytes."""
        return self.uint(16)

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        start = self._advance(size)
        return self.data[start : self.at]

    def skip(self, size: int) -> None:
        """Leave out `size` bytes."""
        self._advance(size)

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.take(self.end - self.at)

    def part(self, size: int) -> "Cursor":
        """A reader confined to the next `size` bytes, which this one passes over."""
        start = self._advance(size)
        return Cursor(self.data, start, self.at)

    def align(self, unit: int, base: int = 0) -> None:
        """Pass over padding up to a multiple of `unit` counted from `base`."""
        self._advance(min(-(self.at - base) % unit, self.end - self.at))
