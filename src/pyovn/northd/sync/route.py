"""Dynamic routing: what controllers are to tell the world outside, and what they learned from there.

Advertised_Route is northd's; Learned_Route is the controllers', but for rows of routers that do not learn, which go.
"""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.engine import Source
from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.sync.references import References
from pyovn.northd.sync.rows import RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import AdvertisedRoute, LearnedRoute, PortBinding

Key = tuple[str, str, str]  #: port, prefix, tracked port (or none)


class AdvertisedRouteSync(RowSync[Key, AdvertisedRoute]):
    """Advertised_Route, by port, prefix and tracked port."""

    cls = AdvertisedRoute

    def __init__(self, wanted: Facts[Key, Uuid | None, Any], references: References, southbound: Source) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references
        self.southbound = southbound

    def key(self, row: AdvertisedRoute) -> Key | None:
        """What a row is about; a row about ports that are gone is about nothing."""
        bindings = self.southbound.rows(PortBinding)
        port = bindings.get(row.logical_port)
        tracked = None if row.tracked_port is None else bindings.get(row.tracked_port)
        if port is None or (tracked is None) != (row.tracked_port is None):
            return None
        return port.logical_port, row.ip_prefix, "" if tracked is None else tracked.logical_port

    def wanted(self, key: Key) -> Mapping[str, Any] | None:
        """The columns of a row, once there are all the rows that it refers to."""
        router, ports = self.facts.get(key), self.references.ports
        datapath = None if router is None else self.references.datapaths.get(router)
        port, tracked = ports.get(key[0]), ports.get(key[2])
        if datapath is None or port is None or (key[2] and tracked is None):
            return None
        return {"datapath": datapath, "logical_port": port, "ip_prefix": key[1], "tracked_port": tracked}


class LearnedRouteSync(RowSync[Uuid, LearnedRoute]):
    """Learned_Route, by its own UUID."""

    cls = LearnedRoute

    def __init__(self, wanted: Facts[Uuid, bool | None, Any]) -> None:
        super().__init__()
        self.facts = wanted

    def key(self, row: LearnedRoute) -> Uuid | None:
        """The row's own UUID."""
        return row.uuid

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """Nothing, or that there be no row."""
        return {} if self.facts.get(key) else None

    def insert(self, txn: Txn, key: Uuid, wanted: Mapping[str, Any]) -> None:
        """Only controllers do that."""

    def update(self, txn: Txn, key: Uuid, row: LearnedRoute, wanted: Mapping[str, Any]) -> None:
        """Likewise."""
