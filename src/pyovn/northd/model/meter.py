"""Meters: rate limits by name."""

from collections.abc import Iterable
from typing import NamedTuple

from pyovn.tables.nb import Meter, MeterBand

Band = tuple[str, int, int]  #: action, rate, burst size


class WantedMeter(NamedTuple):
    """What a Meter is to say, but for its name."""

    unit: str
    bands: tuple[Band, ...]


def wanted_meter(row: Meter, bands: Iterable[MeterBand | None]) -> WantedMeter:
    """What a southbound meter says that carries out `row`."""
    found = [(band.action, band.rate, band.burst_size) for band in bands if band is not None]
    return WantedMeter(row.unit, tuple(sorted(found)))
