"""Ageing: learned neighbours and stations that nobody has used for too long are forgotten.

    a round:   ask for rows older than the shortest age anywhere ──► those too old on their own datapath go

Controllers keep the timestamps of entries that are in use young.  How many rows may go in one round is limited too.
Reads Logical_Router.options:mac_binding_age_threshold, Logical_Switch.other_config:fdb_age_threshold,
NB_Global.options:mac_binding_removal_limit, fdb_removal_limit.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pyovn.net.uuids import Uuid
from pyovn.northd.model.aging import Thresholds, age_of, shortest, thresholds
from pyovn.northd.model.options import number
from pyovn.ovsdb.model import Row
from pyovn.tables.nb import LogicalRouter, LogicalSwitch
from pyovn.tables.sb import FDB, DatapathBinding, MACBinding

Json = Any

ROUND_S = (1.0, 5.0)  #: between rounds: a quarter of the shortest age, within these


class Kind(NamedTuple):
    """A table whose rows age."""

    cls: type[Row]
    columns: tuple[str, ...]
    limit: str  #: the key in NB_Global.options


NEIGHBOURS = Kind(MACBinding, ("datapath", "ip", "timestamp"), "mac_binding_removal_limit")
STATIONS = Kind(FDB, ("dp_key", "timestamp"), "fdb_removal_limit")


class Ages(NamedTuple):
    """The ages of one kind of rows, by what they say their datapath is."""

    kind: Kind
    by_datapath: Mapping[str | int, Thresholds]

    @property
    def shortest(self) -> int:
        """The shortest age, in seconds; 0 where nothing ages."""
        return min(map(shortest, self.by_datapath.values()), default=0)

    def where(self, now_ms: int) -> list[Json]:
        """The condition for rows that may be too old."""
        return [["timestamp", "!=", 0], ["timestamp", "<=", now_ms - self.shortest * 1000]]


def ages(
    routers: Iterable[LogicalRouter], switches: Iterable[LogicalSwitch], datapaths: Iterable[DatapathBinding]
) -> tuple[Ages, ...]:
    """The ages that the configuration asks for."""
    wanted = {row.uuid: thresholds(row.options.get("mac_binding_age_threshold", "")) for row in routers}
    wanted |= {row.uuid: Thresholds((), number(row.other_config.get("fdb_age_threshold")) or 0) for row in switches}
    neighbours: dict[str | int, Thresholds] = {}
    stations: dict[str | int, Thresholds] = {}
    for datapath in datapaths:
        ids = datapath.external_ids
        found = wanted.get(Uuid(ids.get("logical-router") or ids.get("logical-switch") or ""))
        if found is not None and shortest(found):
            if "logical-router" in ids:
                neighbours[datapath.uuid] = found
            else:
                stations[datapath.tunnel_key] = found
    return tuple(each for each in (Ages(NEIGHBOURS, neighbours), Ages(STATIONS, stations)) if each.by_datapath)


def pause_s(found: Iterable[Ages]) -> float:
    """How long to wait for the next round."""
    least, most = ROUND_S
    return min(max(min((each.shortest for each in found), default=0) / 4 or most, least), most)


def expired(found: Ages, rows: Iterable[Mapping[str, Json]], now_ms: int, most: int) -> Iterator[Uuid]:
    """The rows that are too old, the oldest first; at most so many, unless that is 0."""
    gone = 0
    for row in sorted(rows, key=lambda row: int(row["timestamp"])):
        place = row["datapath"][1] if "datapath" in row else row["dp_key"]
        ages_there = found.by_datapath.get(place)
        age = 0 if ages_there is None else age_of(ages_there, row.get("ip", ""))
        if age and row["timestamp"] <= now_ms - age * 1000:
            yield Uuid(row["_uuid"][1])
            gone += 1
            if gone == most:
                return
