"""The flows of all datapaths, equal ones merged.

    flow ──► Origin              it is on one datapath
         └─► Shared              it is on several, or there several times: how often on each, and on each set of them

A `Shared` has a signature, the exclusive or of the numbers of its datapaths, so that flows on the same datapaths are
known to be so without comparing sets: the numbers are random UUIDs.  Units may give flows to a whole set of datapaths
(`Datapaths`), which is not taken apart: a group of load balancers on hundreds of switches costs no more than on one.
Where many units give the same `Common` flows, as all switches do when northd starts, these wait until somebody asks for
the table, and are then put on all the datapaths at once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pyovn.incr.relation import Facts, Relation
from pyovn.net.uuids import Uuid, uuid_int
from pyovn.northd.feature import Common, Datapaths, Origin, Provenance
from pyovn.northd.pipeline import Flow


class Shared:
    """Where a flow is that was given more than once, or to a set of datapaths."""

    __slots__ = ("_members", "counts", "origin", "sets", "signature")

    def __init__(self, origin: Origin, all_of: Datapaths | None = None) -> None:
        """On the datapath, or the set, that `origin` names; or once on each one in `all_of`."""
        self.origin = origin
        self.counts: dict[str, int] = dict.fromkeys(all_of or (), 1)
        self.sets: dict[Datapaths, int] = {}
        self.signature = all_of.signature if all_of else 0
        self._members: frozenset[str] | None = all_of
        if all_of is None:
            self.add(origin.datapath)

    @property
    def members(self) -> frozenset[str]:
        """The datapaths that the flow is on."""
        if self._members is None:
            self._members = frozenset(self.counts).union(*self.sets)
        return self._members

    def add(self, where: str | Datapaths) -> bool:
        """One more; True where there are datapaths among them that are new.  A first fill asks this often."""
        counts: dict[Any, int] = self.sets if isinstance(where, Datapaths) else self.counts
        count = counts.get(where, 0)
        counts[where] = count + 1
        if count:
            return False
        if self.sets:
            return self._changed(where, where)
        self._members = None
        self.signature ^= signature_of(where)
        return True

    def remove(self, where: str | Datapaths) -> bool:
        """One less; True where that was the last on some of the datapaths."""
        counts: dict[Any, int] = self.sets if isinstance(where, Datapaths) else self.counts
        counts[where] -= 1
        if counts[where]:
            return False
        del counts[where]
        return self._changed(where, None)

    def _changed(self, where: str | Datapaths, besides: str | Datapaths | None) -> bool:
        """A datapath or a set came or went: it counts where nothing `besides` it says the same."""
        self._members = None
        if not self.sets and isinstance(where, str):
            self.signature ^= signature_of(where)
            return True
        others = [each for each in (*self.counts, *self.sets) if each != besides]
        different = 0
        for each in where if isinstance(where, Datapaths) and others else (where,):
            if not any(each in other if isinstance(other, Datapaths) else each == other for other in others):
                different ^= signature_of(each)
        self.signature ^= different
        return different != 0


_SIGNATURES: dict[str, int] = {}


def signature_of(where: str | Datapaths) -> int:
    """The number of a datapath's UUID; of a set, all of them combined."""
    if isinstance(where, Datapaths):
        return where.signature
    known = _SIGNATURES.get(where)
    if known is None:
        known = _SIGNATURES[where] = uuid_int(where)
    return known


Place = Origin | Shared


class FlowRelation(Relation[Flow, Place | None, Provenance]):
    """Flows by themselves; units give them by origin."""

    def facts(self) -> "FlowTable":
        """An empty table."""
        return FlowTable()


class FlowTable(Facts[Flow, Place | None, Provenance]):
    """The merged flows.  Nobody looks flows up while others are made, so `replace` names no keys."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[Flow, Place] = {}
        self._waiting: dict[int, tuple[Common, list[Origin]]] = {}  # by the identity of the flows

    @property
    def places(self) -> dict[Flow, Place]:
        """Where each flow is."""
        if self._waiting:
            self._put_on_all()
        return self._places

    def take(self) -> dict[Flow, None]:
        """The flows touched since the last call; all there are, the first time."""
        self._put_on_all()
        return super().take()

    def replace(self, unit: Any, old: Provenance | None, new: Provenance | None) -> Iterable[Flow]:
        """Exchange a unit's flows."""
        if old is None or not old:
            if new is not None:
                self._add(new)
        elif not new:
            self._remove((origin.datapath, flow) for origin, flows in old for flow in flows)
        else:
            before = Counter((origin.datapath, flow) for origin, flows in old for flow in flows)
            after = Counter((origin.datapath, flow) for origin, flows in new for flow in flows)
            origins = {(origin.datapath, flow): origin for origin, flows in new for flow in flows}
            self._remove((before - after).elements())
            self._add((origins[pair], (pair[1],)) for pair in (after - before).elements())
        return ()

    def _add(self, flows_by_origin: Iterable[tuple[Origin, Iterable[Flow]]]) -> None:
        """A first fill spends its time here: most flows are new, and one look at the dictionary settles that."""
        places = self._places
        size = len(places)
        touched = self.touched if self.followed else None
        for origin, flows in flows_by_origin:
            if flows.__class__ is Common:
                self._waiting.setdefault(id(flows), (flows, []))[1].append(origin)
                continue
            several = isinstance(origin.datapath, Datapaths)
            for flow in flows:
                place = places.setdefault(flow, origin)
                if len(places) > size:
                    size += 1
                    if several:
                        places[flow] = Shared(origin)
                else:
                    if isinstance(place, Origin):
                        place = places[flow] = Shared(place)
                    if not place.add(origin.datapath):
                        continue
                if touched is not None:
                    touched[flow] = None

    def _put_on_all(self) -> None:
        """Add the flows that wait; those that nobody else has get all their datapaths at once."""
        waiting, self._waiting = self._waiting, {}
        for flows, origins in waiting.values():
            all_of = Datapaths(Uuid(at.datapath) for at in origins if not isinstance(at.datapath, Datapaths))
            new: list[Flow] = []
            if len(all_of) == len(origins) > 1:
                new = [flow for flow in flows if flow not in self._places]
            known = tuple(flow for flow in flows if flow in self._places) if new else tuple(flows)
            self._places.update((flow, Shared(origins[0], all_of)) for flow in new)
            if self.followed:
                self.touched.update(dict.fromkeys(new))
            self._add((origin, known) for origin in origins)

    def _remove(self, pairs: Iterable[tuple[str | Datapaths, Flow]]) -> None:
        places = self.places
        for datapath, flow in pairs:
            place = places[flow]
            if isinstance(place, Shared):
                if not place.remove(datapath):
                    continue
                if not place.members:
                    del places[flow]
            else:
                del places[flow]
            self.touched[flow] = None

    def get(self, key: Flow) -> Place | None:
        """Where a flow is."""
        return self.places.get(key)

    def __contains__(self, key: Flow) -> bool:
        return key in self.places

    def __iter__(self) -> Iterator[Flow]:
        return iter(self.places)


def datapaths(place: Place) -> frozenset[str]:
    """The datapaths that a flow is on."""
    if isinstance(place, Shared):
        return place.members
    return place.datapath if isinstance(place.datapath, Datapaths) else frozenset((place.datapath,))
