"""The classifier: which flow of a table a packet hits, found by tuple space search.

    sub-table for mask A (priority ≤ 200)   {key & A: [flows, best first]}     searched in order of the best
    sub-table for mask B (priority ≤ 100)   {key & B: [flows, best first]}     priority each can still offer

Within a sub-table the key is compared in stages (pipeline state, link, network, transport): when no flow has these
registers, nobody has to look at the packet's ports, and the cached result stays wide.

Conjunctive matches follow ovs-fields(7): flows whose action is `conjunction` are clauses; when every clause of an id
matches at one priority, and no ordinary flow matches at that or a higher one, the look-up is repeated with `conj_id`.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from pyovn.openflow.actions import Conjunction
from pyovn.vswitch.key import CT, LINK, NETWORK, PIPELINE, PLACES, TUNNEL


class Rule(Protocol):
    """What the classifier has to know of a flow."""

    mask: int
    value: int
    priority: int
    conjunctions: tuple[Conjunction, ...]


R = TypeVar("R", bound=Rule)

_EARLY = PIPELINE | CT | TUNNEL
_STAGES = (_EARLY, _EARLY | LINK, _EARLY | LINK | NETWORK)
_CONJ_ID = PLACES["conj_id"][0]


def _descending(rule: Rule) -> int:
    return -rule.priority


class Subtable(Generic[R]):
    """All flows of one table that match through the same mask."""

    __slots__ = ("best", "mask", "priorities", "rules", "stages")

    def __init__(self, mask: int) -> None:
        self.mask = mask
        self.rules: dict[int, list[R]] = {}
        self.priorities: Counter[int] = Counter()
        self.best = -1
        #: (mask of the stage, how many flows have each value)
        self.stages: tuple[tuple[int, Counter[int]], ...] = tuple(
            (part, Counter()) for part in sorted({mask & stage for stage in _STAGES} - {0, mask}, key=int.bit_count)
        )

    def add(self, rule: R) -> None:
        """Insert `rule`."""
        insort(self.rules.setdefault(rule.value, []), rule, key=_descending)
        self.priorities[rule.priority] += 1
        self.best = max(self.best, rule.priority)
        for part, values in self.stages:
            values[rule.value & part] += 1

    def remove(self, rule: R) -> None:
        """Remove `rule`, which is there."""
        peers = self.rules[rule.value]
        peers.remove(rule)
        if not peers:
            del self.rules[rule.value]
        self.priorities[rule.priority] -= 1
        if not self.priorities[rule.priority]:
            del self.priorities[rule.priority]
            self.best = max(self.priorities, default=-1)
        for part, values in self.stages:
            values[rule.value & part] -= 1
            if not values[rule.value & part]:
                del values[rule.value & part]


class Classifier(Generic[R]):
    """The flows of one table."""

    __slots__ = ("_order", "_sorted", "_subtables", "conjunctive", "count")

    def __init__(self) -> None:
        self._subtables: dict[int, Subtable[R]] = {}
        self._order: list[Subtable[R]] = []
        self._sorted = True
        self.count = 0
        #: how many flows are clauses of conjunctive matches
        self.conjunctive = 0

    def __iter__(self) -> Iterator[R]:
        for subtable in self._subtables.values():
            for peers in subtable.rules.values():
                yield from peers

    def __len__(self) -> int:
        return self.count

    def add(self, rule: R) -> None:
        """Insert `rule`; no flow has its match and priority yet."""
        subtable = self._subtables.get(rule.mask)
        if subtable is None:
            subtable = self._subtables[rule.mask] = Subtable(rule.mask)
            self._order.append(subtable)
        subtable.add(rule)
        self._sorted = False
        self.count += 1
        self.conjunctive += bool(rule.conjunctions)

    def remove(self, rule: R) -> None:
        """Remove `rule`, which is there."""
        subtable = self._subtables[rule.mask]
        subtable.remove(rule)
        if not subtable.rules:
            del self._subtables[rule.mask]
            self._order.remove(subtable)
        self._sorted = False
        self.count -= 1
        self.conjunctive -= bool(rule.conjunctions)

    def find(self, mask: int, value: int, priority: int) -> R | None:
        """The flow with exactly this match and priority."""
        subtable = self._subtables.get(mask)
        if subtable is not None:
            for rule in subtable.rules.get(value, ()):
                if rule.priority == priority:
                    return rule
        return None

    def within(self, mask: int, value: int) -> Iterator[R]:
        """The flows at least as specific as the given match (OpenFlow's loose match)."""
        for subtable in self._subtables.values():
            if subtable.mask & mask == mask:
                for has, peers in subtable.rules.items():
                    if has & mask == value:
                        yield from peers

    def overlapping(self, mask: int, value: int, priority: int) -> R | None:
        """A flow of `priority` that some packet of the given match would hit too."""
        for subtable in self._subtables.values():
            if priority in subtable.priorities:
                common = subtable.mask & mask
                for has, peers in subtable.rules.items():
                    if not (has ^ value) & common:
                        for rule in peers:
                            if rule.priority == priority:
                                return rule
        return None

    def lookup(self, key: int) -> tuple[R | None, int]:
        """The flow that a packet hits, and the bits of its key that were looked at to know that."""
        if not self._sorted:
            self._order.sort(key=lambda subtable: -subtable.best)
            self._sorted = True
        if self.conjunctive:
            return self._lookup_conjunctive(key)
        return self._lookup_plain(key)

    # The two hot functions of a cache miss: one `&` and one dict look-up per stage, nothing else.

    def _lookup_plain(self, key: int) -> tuple[R | None, int]:
        best: R | None = None
        priority, consulted = -1, 0
        for subtable in self._order:
            if subtable.best <= priority:
                break
            for part, values in subtable.stages:
                if key & part not in values:
                    consulted |= part
                    break
            else:
                consulted |= subtable.mask
                peers = subtable.rules.get(key & subtable.mask)
                if peers is not None and peers[0].priority > priority:
                    best = peers[0]
                    priority = best.priority
        return best, consulted

    def _lookup_conjunctive(self, key: int) -> tuple[R | None, int]:
        best: R | None = None
        priority, consulted = -1, 0
        clauses: list[R] = []
        for subtable in self._order:
            if subtable.best <= priority:
                break
            for part, values in subtable.stages:
                if key & part not in values:
                    consulted |= part
                    break
            else:
                consulted |= subtable.mask
                for rule in subtable.rules.get(key & subtable.mask, ()):
                    if rule.priority <= priority:
                        break
                    if rule.conjunctions:
                        clauses.append(rule)
                    else:
                        best = rule
                        priority = rule.priority
                        break
        for conj_id in _complete(clauses, priority):
            rule_, looked = self._lookup_hard(key & ~(0xFFFFFFFF << _CONJ_ID) | conj_id << _CONJ_ID)
            consulted |= looked
            if rule_ is not None:
                return rule_, consulted
        return best, consulted

    def _lookup_hard(self, key: int) -> tuple[R | None, int]:
        """Like `_lookup_plain`, as if flows with conjunctions were not there."""
        best: R | None = None
        priority, consulted = -1, 0
        for subtable in self._order:
            if subtable.best <= priority:
                break
            consulted |= subtable.mask
            for rule in subtable.rules.get(key & subtable.mask, ()):
                if rule.priority <= priority:
                    break
                if not rule.conjunctions:
                    best = rule
                    priority = rule.priority
                    break
        return best, consulted


def _complete(clauses: list[R], floor: int) -> Iterator[int]:
    """Ids of the conjunctions all of whose clauses are among `clauses` at one priority above `floor`, best first."""
    met: dict[int, dict[int, tuple[set[int], int]]] = {}
    for rule in clauses:
        if rule.priority > floor:
            at = met.setdefault(rule.priority, {})
            for conjunction in rule.conjunctions:
                at.setdefault(conjunction.id, (set(), conjunction.n))[0].add(conjunction.clause)
    for priority in sorted(met, reverse=True):
        for conj_id in sorted(met[priority]):
            seen, needed = met[priority][conj_id]
            if len(seen) >= needed:
                yield conj_id
