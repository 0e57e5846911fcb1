"""The flows of all datapaths, equal ones merged.

    flow ──► Origin              it is on one datapath
         └─► Shared              it is on several, or there several times: how often on each

A `Shared` has a signature, the exclusive or of the numbers of its datapaths, so that flows on the same datapaths are
known to be so without comparing sets: the numbers are random UUIDs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pyovn.incr.relation import Facts, Relation
from pyovn.northd.feature import Origin, Provenance
from pyovn.northd.pipeline import Flow


class Shared:
    """Where a flow is that was given more than once."""

    __slots__ = ("counts", "origin", "signature")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.counts = {origin.datapath: 1}
        self.signature = signature_of(origin.datapath)

    def add(self, datapath: str) -> bool:
        """One more; True where the datapath is new."""
        count = self.counts.get(datapath, 0)
        self.counts[datapath] = count + 1
        if count == 0:
            self.signature ^= signature_of(datapath)
        return count == 0

    def remove(self, datapath: str) -> bool:
        """One less; True where that was the last on the datapath."""
        count = self.counts[datapath] - 1
        if count:
            self.counts[datapath] = count
            return False
        del self.counts[datapath]
        self.signature ^= signature_of(datapath)
        return True


_SIGNATURES: dict[str, int] = {}


def signature_of(datapath: str) -> int:
    """The number of a datapath's UUID."""
    known = _SIGNATURES.get(datapath)
    if known is None:
        known = _SIGNATURES[datapath] = int(datapath.replace("-", ""), 16)
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
        self.places: dict[Flow, Place] = {}

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
        places = self.places
        size = len(places)
        touched = self.touched if self.followed else None
        for origin, flows in flows_by_origin:
            for flow in flows:
                place = places.setdefault(flow, origin)
                if len(places) > size:
                    size += 1
                else:
                    if isinstance(place, Origin):
                        place = places[flow] = Shared(place)
                    if not place.add(origin.datapath):
                        continue
                if touched is not None:
                    touched[flow] = None

    def _remove(self, pairs: Iterable[tuple[str, Flow]]) -> None:
        for datapath, flow in pairs:
            place = self.places[flow]
            if isinstance(place, Shared):
                if not place.remove(datapath):
                    continue
                if not place.counts:
                    del self.places[flow]
            else:
                del self.places[flow]
            self.touched[flow] = None

    def get(self, key: Flow) -> Place | None:
        """Where a flow is."""
        return self.places.get(key)

    def __contains__(self, key: Flow) -> bool:
        return key in self.places

    def __iter__(self) -> Iterator[Flow]:
        return iter(self.places)


def datapaths(place: Place) -> Iterable[str]:
    """The datapaths that a flow is on."""
    return place.counts if isinstance(place, Shared) else (place.datapath,)
