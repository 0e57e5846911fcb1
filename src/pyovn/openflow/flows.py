"""Flows, groups and meters as a switch holds them.

    Flow(table=8, priority=100, match=match(metadata=1), actions=(Resubmit(9),), cookie=0x1f)

A flow's identity in a table is (table, priority, match); the rest is what it does.
"""

from typing import Literal, NamedTuple

from pyovn.openflow.actions import OFPP_NONE, Actions
from pyovn.openflow.match import Match

# Flow.flags (OpenFlow 1.3+ flow-mod flags)
SEND_FLOW_REM, CHECK_OVERLAP, RESET_COUNTS, NO_PACKET_COUNTS, NO_BYTE_COUNTS = 1, 2, 4, 8, 16

DEFAULT_PRIORITY = 0x8000
GROUP_ALL, GROUP_ANY, GROUP_MAX = 0xFFFFFFFC, 0xFFFFFFFF, 0xFFFFFF00
METER_ALL, METER_CONTROLLER, METER_SLOWPATH = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
BUCKET_NONE = 0xFFFFFFFF
TABLE_ALL = 0xFF

FlowKey = tuple[int, int, Match]
GroupType = Literal["all", "select", "indirect", "ff"]


class Flow(NamedTuple):
    """One flow."""

    table: int
    priority: int
    match: Match
    actions: Actions
    cookie: int = 0
    #: seconds without a packet after which the flow goes; 0: never
    idle_timeout: int = 0
    #: seconds after which the flow goes; 0: never
    hard_timeout: int = 0
    #: SEND_FLOW_REM and the like
    flags: int = 0
    #: eviction importance
    importance: int = 0

    @property
    def key(self) -> FlowKey:
        """What tells this flow from others in a switch."""
        return self[:3]


class FlowStats(NamedTuple):
    """A flow and what it counted."""

    flow: Flow
    packets: int = 0
    bytes: int = 0
    #: seconds since it was installed, with nanoseconds' precision
    duration: float = 0.0
    #: seconds since it was last used; None: the switch does not say
    idle_age: int | None = None
    #: seconds since it was last modified; None: the switch does not say
    hard_age: int | None = None


class Bucket(NamedTuple):
    """One alternative of a group."""

    actions: Actions
    weight: int = 0
    #: OpenFlow 1.5 bucket id, unique within its group
    id: int = BUCKET_NONE
    #: port whose liveness decides about this bucket
    watch_port: int = OFPP_NONE
    watch_group: int = GROUP_ANY


class GroupDef(NamedTuple):
    """A group and its buckets."""

    id: int
    type: GroupType
    buckets: tuple[Bucket, ...]
    #: "hash" (fields), "dp_hash" or "" (the switch's choice)
    selection_method: str = ""
    #: algorithm-specific; dp_hash: (hash algorithm << 32 | basis)
    selection_method_param: int = 0
    #: fields the "hash" method hashes over: (field, which of its bits, all ones) …
    fields: Match = ()


class MeterBand(NamedTuple):
    """Above `rate` the band acts."""

    #: kb/s or packets/s
    rate: int
    burst: int = 0
    #: None: drop; a number: raise the drop precedence by so many levels
    precedence: int | None = None


class MeterDef(NamedTuple):
    """A meter."""

    id: int
    bands: tuple[MeterBand, ...]
    #: rates are packets/s, not kb/s
    pktps: bool = False
    #: bursts are given
    burst: bool = False
    #: keep statistics
    stats: bool = True
