"""Meters: token buckets that drop what is above their rate.

A band of R kb/s and burst B kb lets through B kilobits at once and R kilobits a second after that.  A meter with
several bands drops by the fastest band that is exceeded, and counts it.  `precedence` bands (remark) let packets pass.
"""

from collections.abc import Callable
from typing import Literal

from pyovn.openflow.flows import METER_ALL, MeterDef
from pyovn.vswitch.errors import Refused

METER_MOD_FAILED = 12
METER_EXISTS, INVALID_METER, UNKNOWN_METER, OUT_OF_BANDS = 1, 2, 3, 11
METER_MAX = 0xFFFF0000
MAX_METERS, MAX_BANDS = 65536, 8

Command = Literal["add", "modify", "delete"]


class BandState:
    """The tokens and counters of one band."""

    __slots__ = ("bytes", "capacity", "packets", "rate", "tokens")

    def __init__(self, rate: float, capacity: float) -> None:
        self.rate = rate  #: tokens a second
        self.capacity = self.tokens = capacity
        self.packets = self.bytes = 0


class Meter:
    """An installed meter."""

    __slots__ = ("bands", "bytes", "created", "definition", "packets", "refilled")

    def __init__(self, definition: MeterDef, now: float) -> None:
        self.definition = definition
        scale = 1 if definition.pktps else 1000
        self.bands = [BandState(band.rate * scale, (band.burst or band.rate) * scale) for band in definition.bands]
        self.packets = self.bytes = 0
        self.created = self.refilled = now

    def passes(self, size: int, now: float) -> bool:
        """Count a packet of `size` bytes; False if it is to be dropped."""
        self.packets += 1
        self.bytes += size
        elapsed, self.refilled = max(0.0, now - self.refilled), now
        cost = 1 if self.definition.pktps else size * 8
        exceeded: BandState | None = None
        dropping = False
        for band, definition in zip(self.bands, self.definition.bands, strict=True):
            band.tokens = min(band.capacity, band.tokens + elapsed * band.rate)
            if band.tokens >= cost:
                band.tokens -= cost
            elif exceeded is None or band.rate > exceeded.rate:
                exceeded, dropping = band, definition.precedence is None
        if exceeded is not None:
            exceeded.packets += 1
            exceeded.bytes += size
        return not dropping


class Meters:
    """The meters of a bridge."""

    def __init__(self) -> None:
        self.meters: dict[int, Meter] = {}
        #: told of every meter that goes
        self.on_deleted: Callable[[int], None] = lambda meter: None

    def apply(self, command: Command, definition: MeterDef, now: float) -> None:
        """Carry out a meter-mod; raises Refused."""
        id_ = definition.id
        if command == "delete":
            for gone in [each for each in self.meters if id_ in (METER_ALL, each)]:
                del self.meters[gone]
                self.on_deleted(gone)
            return
        if not 0 < id_ <= METER_MAX and id_ < METER_ALL - 2:
            raise Refused(METER_MOD_FAILED, INVALID_METER, f"meter id {id_} is reserved")
        if len(definition.bands) > MAX_BANDS:
            raise Refused(METER_MOD_FAILED, OUT_OF_BANDS, "too many bands")
        if command == "add" and id_ in self.meters:
            raise Refused(METER_MOD_FAILED, METER_EXISTS, f"meter {id_} exists")
        if command == "modify" and id_ not in self.meters:
            raise Refused(METER_MOD_FAILED, UNKNOWN_METER, f"no meter {id_}")
        self.meters[id_] = Meter(definition, now)

    def passes(self, id_: int, size: int, now: float) -> bool:
        """Run a packet of `size` bytes through meter `id_`; one that is not there lets everything through."""
        meter = self.meters.get(id_)
        return meter is None or meter.passes(size, now)
