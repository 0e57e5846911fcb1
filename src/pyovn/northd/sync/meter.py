"""Meter and Meter_Band: rate limits of log messages and of what is punted to the controller."""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.engine import Source
from pyovn.incr.relation import Facts
from pyovn.northd.model.meter import WantedMeter
from pyovn.northd.sync.rows import RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import Meter, MeterBand


class MeterSync(RowSync[str, Meter]):
    """The meters, by name; bands go and come with their meter."""

    cls = Meter

    def __init__(self, wanted: Facts[str, WantedMeter | None, Any], southbound: Source) -> None:
        super().__init__()
        self.facts = wanted
        self.southbound = southbound

    def key(self, row: Meter) -> str | None:
        """The name of a meter."""
        return row.name

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """Unit and bands."""
        found = self.facts.get(key)
        return None if found is None else found._asdict()

    def insert(self, txn: Txn, key: str, wanted: Mapping[str, Any]) -> None:
        """Add a meter with its bands."""
        txn.insert(Meter, name=key, unit=wanted["unit"], bands=bands(txn, wanted))

    def update(self, txn: Txn, key: str, row: Meter, wanted: Mapping[str, Any]) -> None:
        """Set what differs; bands are exchanged together."""
        known = self.southbound.rows(MeterBand)
        present = sorted((band.action, band.rate, band.burst_size) for each in row.bands if (band := known.get(each)))
        if tuple(present) != wanted["bands"]:
            txn.update(row, unit=wanted["unit"], bands=bands(txn, wanted))
        else:
            txn.update(row, unit=wanted["unit"])


def bands(txn: Txn, wanted: Mapping[str, Any]) -> frozenset[str]:
    """New rows for the bands of a meter."""
    return frozenset(
        txn.insert(MeterBand, action=action, rate=rate, burst_size=burst) for action, rate, burst in wanted["bands"]
    )
