"""Derived facts: what units hand to units of later families, and to the sync at the end.

    unit ── output ──► relation ── key touched? ──► units that looked at the key
                          └────── touched keys ───► whoever carries the difference on

A `Relation` names the facts and their types; an engine makes the `Facts` that hold them.  A unit's output for a
relation is one value; None and the empty tuple say nothing.  When a run gives another output than the run before, the
facts are told both and work out what that means for their keys; readers of keys whose facts stayed the same never hear
of it.

    Single    the output is the value; the key is the unit's        what a switch looks like, by switch
    Bag       the output is an iterable of (key, value) pairs        ports by switch, members by port
    Sets      the same, read as a set: where a key has so many that sorting them would cost       addresses by group
    Inverse   the output is a set of keys; a key holds the units that name it       groups by member, for large groups
    Named     as in a bag, but one value per key; the first unit counts           rows of a table by their index
"""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
Out = TypeVar("Out")


class Facts(Generic[K, V, Out]):
    """The facts of one relation in one engine."""

    def __init__(self) -> None:
        self.followed = False  #: does anybody take the touched keys?
        self.touched: dict[K, None] = {}  #: keys whose facts changed since somebody last took them

    def replace(self, unit: Any, old: Out | None, new: Out | None) -> Iterable[K]:
        """Exchange a unit's output; gives the keys whose facts are different now.

        None is the output of a unit that did not exist or exists no more.
        """
        raise NotImplementedError

    def get(self, key: K) -> V:
        """The facts about `key`."""
        raise NotImplementedError

    def __contains__(self, key: K) -> bool:
        raise NotImplementedError

    def __iter__(self) -> Iterator[K]:
        raise NotImplementedError

    def take(self) -> dict[K, None]:
        """The keys touched since the last call; all there are, the first time."""
        if not self.followed:
            self.followed = True
            return dict.fromkeys(self)
        touched, self.touched = self.touched, {}
        return touched


class Relation(Generic[K, V, Out]):
    """The name and the types of some derived facts: key, what a reader sees, what a unit puts out."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def facts(self) -> Facts[K, V, Out]:
        """Room for the facts in one engine."""
        raise NotImplementedError


class Single(Relation[K, V | None, V | None]):
    """One value for each unit of a family, under the unit's key; no other family may write it."""

    def facts(self) -> Facts[K, V | None, V | None]:
        """An empty table."""
        return SingleFacts()


class SingleFacts(Facts[K, V | None, V | None]):
    """A table of values by unit."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[K, V] = {}

    def replace(self, unit: K, old: V | None, new: V | None) -> Iterable[K]:
        """The unit's key, always: the engine only calls where the value changed."""
        if new is None:
            self._values.pop(unit, None)
        else:
            self._values[unit] = new
        return (unit,)

    def get(self, key: K) -> V | None:
        """The value of the unit `key`; None where there is no such unit or it gives none."""
        return self._values.get(key)

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)


class Bag(Relation[K, tuple[V, ...], Iterable[tuple[K, V]]]):
    """Any number of values for a key, from any number of units; values must sort."""

    def facts(self) -> Facts[K, tuple[V, ...], Iterable[tuple[K, V]]]:
        """Empty bags."""
        return BagFacts()


class BagFacts(Facts[K, tuple[V, ...], Iterable[tuple[K, V]]]):
    """Values by key, each with the number of times it was given."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[K, dict[V, int]] = {}
        self._sorted: dict[K, tuple[V, ...]] = {}

    def replace(self, unit: Any, old: Iterable[tuple[K, V]] | None, new: Iterable[tuple[K, V]] | None) -> Iterable[K]:
        """The keys that gained or lost a value."""
        gone: Iterable[tuple[K, V]] = ()
        if not old:
            if not new:
                return ()
            come: Iterable[tuple[K, V]] = dict.fromkeys(new)  # once each, as below
        else:
            before, after = frozenset(old), frozenset(new or ())
            gone, come = before - after, after - before
        keys: dict[K, None] = {}
        for key, value in gone:
            counts = self._counts[key]
            counts[value] -= 1
            if not counts[value]:
                del counts[value]
                if not counts:
                    del self._counts[key]
                keys[key] = None
        for key, value in come:
            counts = self._counts.setdefault(key, {})
            counts[value] = counts.get(value, 0) + 1
            if counts[value] == 1:
                keys[key] = None
        for key in keys:
            self._sorted.pop(key, None)
        return keys

    def get(self, key: K) -> tuple[V, ...]:
        """The different values for `key`, sorted."""
        found = self._sorted.get(key)
        if found is None:
            counts = self._counts.get(key)
            if counts is None:
                return ()
            found = tuple(counts) if len(counts) == 1 else tuple(sorted(counts))  # type: ignore[type-var]
            self._sorted[key] = found
        return found

    def members(self, key: K) -> frozenset[V]:
        """The same, as a set."""
        return frozenset(self._counts.get(key, ()))

    def __contains__(self, key: K) -> bool:
        return key in self._counts

    def __iter__(self) -> Iterator[K]:
        return iter(self._counts)


class Sets(Relation[K, frozenset[V], Iterable[tuple[K, V]]]):
    """Like `Bag`, but a key's values are read as a set."""

    def facts(self) -> Facts[K, frozenset[V], Iterable[tuple[K, V]]]:
        """Empty sets."""
        return SetsFacts()


class SetsFacts(Facts[K, frozenset[V], Iterable[tuple[K, V]]]):
    """A bag that nobody sorts."""

    def __init__(self) -> None:
        super().__init__()
        self._bag: BagFacts[K, V] = BagFacts()

    def replace(self, unit: Any, old: Iterable[tuple[K, V]] | None, new: Iterable[tuple[K, V]] | None) -> Iterable[K]:
        """The keys that gained or lost a value."""
        return self._bag.replace(unit, old, new)

    def get(self, key: K) -> frozenset[V]:
        """The different values for `key`."""
        return self._bag.members(key)

    def __contains__(self, key: K) -> bool:
        return key in self._bag

    def __iter__(self) -> Iterator[K]:
        return iter(self._bag)


class Inverse(Relation[K, tuple[V, ...], frozenset[K]]):
    """Which units name a key; a unit's output is the set of keys that it names."""

    def facts(self) -> Facts[K, tuple[V, ...], frozenset[K]]:
        """Nobody names anything."""
        return InverseFacts()


class InverseFacts(Facts[K, tuple[V, ...], frozenset[K]]):
    """Units by key: a set that gains one member costs a difference of sets, not a walk over its members."""

    def __init__(self) -> None:
        super().__init__()
        self._units: dict[K, tuple[V, ...]] = {}

    def replace(self, unit: Any, old: frozenset[K] | None, new: frozenset[K] | None) -> Iterable[K]:
        """The keys that the unit names now and did not, or the other way round."""
        before, after = old or frozenset(), new or frozenset()
        units = self._units
        gone, come = before - after, after - before
        for key in gone:
            left = tuple(each for each in units[key] if each != unit)
            if left:
                units[key] = left
            else:
                del units[key]
        for key in come:
            units[key] = tuple(sorted((*units.get(key, ()), unit)))
        return [*gone, *come]

    def get(self, key: K) -> tuple[V, ...]:
        """The units that name `key`, sorted."""
        return self._units.get(key, ())

    def __contains__(self, key: K) -> bool:
        return key in self._units

    def __iter__(self) -> Iterator[K]:
        return iter(self._units)


class Named(Relation[K, V | None, Iterable[tuple[K, V]]]):
    """One value for a key, given by any unit; where several units name one key, the first unit's counts."""

    def facts(self) -> Facts[K, V | None, Iterable[tuple[K, V]]]:
        """An empty table."""
        return NamedFacts()


class NamedFacts(Facts[K, V | None, Iterable[tuple[K, V]]]):
    """Values by key and unit."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[K, tuple[Any, V]] = {}  # the unit that counts, and its value
        self._others: dict[K, dict[Any, V]] = {}  # all of them, where there are several

    def replace(self, unit: Any, old: Iterable[tuple[K, V]] | None, new: Iterable[tuple[K, V]] | None) -> Iterable[K]:
        """The keys named by either output whose value is another now."""
        if not old and new is not None:  # the first fill
            return [key for key, value in new if self._put(key, unit, value)]
        before, after = dict(old or ()), dict(new or ())
        keys = [key for key in before if key not in after and self._put(key, unit, None)]
        keys += [key for key, value in after.items() if before.get(key) != value and self._put(key, unit, value)]
        return keys

    def _put(self, key: K, unit: Any, value: V | None) -> bool:
        """Note what a unit says about a key; True where that makes a difference."""
        counting = self._values.get(key)
        if counting is None and value is not None:
            self._values[key] = (unit, value)
            return True
        others = self._others.get(key)
        if others is None and (counting is None or counting[0] == unit):
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = (unit, value)
            return True
        if others is None:
            others = self._others[key] = dict([counting] if counting is not None else ())
        others.pop(unit, None)
        if value is not None:
            others[unit] = value
        first = min(others)
        self._values[key] = (first, others[first])
        if len(others) == 1:
            del self._others[key]
        return self._values[key] != counting

    def get(self, key: K) -> V | None:
        """The value for `key`, if any unit gives one."""
        found = self._values.get(key)
        return None if found is None else found[1]

    def rivals(self, key: K) -> tuple[Any, ...]:
        """All the units that give a value for `key`, where there are several."""
        return tuple(sorted(self._others.get(key, ())))

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)
