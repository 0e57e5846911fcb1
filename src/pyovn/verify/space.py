"""Sets of packets.

A header field that nobody has looked at is a variable; a test cuts the set in two.  Of a variable is kept which bits
are known, and what it is not: (mask, value) pairs.  Fields that are written hold numbers, or bits of variables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pyovn.openflow.fields import FULL

#: fields that a guest chooses; everything else starts as zero
HEADERS = frozenset((
    "eth_src", "eth_dst", "eth_type", "ip_src", "ip_dst", "ip_proto", "ip_dscp", "ip_ecn", "ipv6_src", "ipv6_dst",
    "ipv6_label", "tcp_src", "tcp_dst", "tcp_flags", "udp_src", "udp_dst", "sctp_src", "sctp_dst", "icmp_type",
    "icmp_code", "icmpv6_type", "icmpv6_code", "arp_op", "arp_spa", "arp_tpa", "arp_sha", "arp_tha", "nd_target",
    "nd_sll", "nd_tll",
))  # fmt: skip


class Piece(NamedTuple):
    """Bits of a variable, as bits of a field."""

    at: int  #: lowest bit in the field
    width: int
    variable: str
    low: int  #: lowest bit in the variable


class Value(NamedTuple):
    """What a field holds: a number, but for the bits that come from variables."""

    number: int
    pieces: tuple[Piece, ...] = ()

    def cut(self, low: int, width: int) -> "Value":
        """Some bits of it, moved down."""
        full = (1 << width) - 1
        return Value(self.number >> low & full, tuple(_shifted(self.pieces, low, width)))

    def joined(self, low: int, width: int, other: "Value") -> "Value":
        """With some bits replaced."""
        full = (1 << width) - 1
        kept = [*_shifted(self.pieces, 0, low)]
        kept += [piece._replace(at=piece.at + low + width) for piece in _shifted(self.pieces, low + width, 128)]
        new = [piece._replace(at=piece.at + low) for piece in other.pieces]
        number = self.number & ~(full << low) | (other.number & full) << low
        return Value(number, tuple(sorted((*kept, *new))))


def _shifted(pieces: tuple[Piece, ...], low: int, width: int) -> Iterator[Piece]:
    """The parts of pieces within a range of bits, counted from its beginning."""
    for at, length, variable, start in pieces:
        first, last = max(at, low), min(at + length, low + width)
        if first < last:
            yield Piece(first - low, last - first, variable, start + first - at)


class Known(NamedTuple):
    """What is known of a variable."""

    mask: int = 0
    value: int = 0
    not_these: tuple[tuple[int, int], ...] = ()  #: (mask, value) that it does not have


@dataclass(slots=True)
class Space:
    """A set of packets."""

    fields: dict[str, Value] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    fresh: int = 0  #: variables that stand for what is not modelled
    states: tuple[int, ...] = ()  #: what conntrack was taken to say

    def copy(self) -> "Space":
        """The same set, to be changed."""
        return Space(dict(self.fields), dict(self.known), self.fresh, self.states)

    def key(self) -> tuple[object, ...]:
        """What tells it from other sets."""
        return frozenset(self.fields.items()), frozenset(self.known.items()), self.states

    def read(self, name: str) -> Value:
        """What a field holds."""
        found = self.fields.get(name)
        if found is None:
            width = FULL[name].bit_length()
            found = Value(0, (Piece(0, width, name, 0),)) if name in HEADERS else Value(0)
        return found

    def number(self, name: str) -> int | None:
        """What a field holds, if that is the same in all packets of the set."""
        value = self.read(name)
        number = value.number
        for at, width, variable, low in value.pieces:
            full = (1 << width) - 1
            known = self.known.get(variable, Known())
            if known.mask >> low & full != full:
                return None
            number |= (known.value >> low & full) << at
        return number

    def anything(self, name: str) -> None:
        """Let a field hold anything."""
        self.fresh += 1
        self.fields[name] = Value(0, (Piece(0, FULL[name].bit_length(), f"{name}#{self.fresh}", 0),))

    def tested(self, name: str, mask: int, value: int) -> "Iterator[tuple[Space, bool]]":
        """The parts of the set whose field has, and has not, that value under that mask."""
        held = self.read(name)
        wanted: list[tuple[str, int, int]] = []
        constant = mask
        for at, width, variable, low in held.pieces:
            full = (1 << width) - 1
            constant &= ~(full << at)
            if bits := mask >> at & full:
                wanted.append((variable, bits << low, (value >> at & bits) << low))
        if held.number & constant != value & constant:
            yield self, False
            return
        here = self
        for variable, bits, want in wanted:
            yes, no = here._cut(variable, bits, want)
            if no is not None:
                yield no, False
            if yes is None:
                return
            here = yes
        yield here, True

    def _cut(self, variable: str, mask: int, value: int) -> "tuple[Space | None, Space | None]":
        """The part where a variable has a value under a mask, and the part where it has not, if there are such."""
        known = self.known.get(variable, Known())
        common = mask & known.mask
        if known.value & common != value & common:
            return None, self
        if common == mask:
            return self, None
        for bits, other in known.not_these:
            if bits & ~(mask | known.mask) == 0 and (value | known.value) & bits == other:
                return None, self
        yes, no = self.copy(), self.copy()
        both = known.mask | mask
        rest = tuple(each for each in known.not_these if not (each[1] ^ (known.value | value)) & each[0] & both)
        yes.known[variable] = Known(both, known.value | value, rest)
        no.known[variable] = known._replace(not_these=(*known.not_these, (mask, value)))
        return yes, no


def example(known: Known, width: int, preferred: int = 0) -> int | None:
    """A value that a variable can have, near a preferred one; None if there is none."""
    start = preferred & ~known.mask | known.value
    return _search(known.mask, start & (1 << width) - 1, known.not_these)


def _search(mask: int, value: int, not_these: tuple[tuple[int, int], ...]) -> int | None:
    """Free bits are as in `value` unless an excluded value forces one to differ; bits of `mask` stay."""
    hit = next((each for each in not_these if value & each[0] == each[1]), None)
    if hit is None:
        return value
    free = hit[0] & ~mask
    while free:
        bit = free & -free
        free ^= bit
        found = _search(mask | bit, value ^ bit, not_these)
        if found is not None:
            return found
        mask |= bit  # both ways are tried: from here on it stays as it was
    return None


def assignment(space: Space, preferred: Mapping[str, int]) -> dict[str, int] | None:
    """A value for each variable of which something is known; None if the set is empty."""
    found = {}
    for variable, known in space.known.items():
        name = variable.partition("#")[0]
        value = example(known, FULL[name].bit_length(), preferred.get(name, 0))
        if value is None:
            return None
        found[variable] = value
    return found
