"""What multipart requests ask for and replies are made of.

    MultipartRequest("flow", FlowQuery(table=3))  →  MultipartReply("flow", (FlowStats(…), …))

Flows, groups and meters themselves are in `flows`; ports in `messages`.
"""

from typing import NamedTuple

from pyovn.openflow.actions import OFPP_ANY
from pyovn.openflow.flows import GROUP_ANY, TABLE_ALL
from pyovn.openflow.match import Match

ALL_COOKIES = 0xFFFFFFFFFFFFFFFF  #: every bit of a cookie or of the metadata


class FlowQuery(NamedTuple):
    """Body of a "flow" or "aggregate" request: which flows."""

    table: int = TABLE_ALL
    match: Match = ()
    cookie: int = 0
    cookie_mask: int = 0
    out_port: int = OFPP_ANY
    out_group: int = GROUP_ANY


class SwitchDesc(NamedTuple):
    """Entry of a "desc" reply."""

    manufacturer: str
    hardware: str
    software: str
    serial: str
    datapath: str


class Aggregate(NamedTuple):
    """Entry of an "aggregate" reply."""

    packets: int
    bytes: int
    flows: int


class TableStats(NamedTuple):
    """Entry of a "table" reply."""

    table: int
    active: int
    lookups: int = 0
    matched: int = 0


class TableFeatures(NamedTuple):
    """Entry of a "table_features" reply."""

    table: int
    name: str
    max_entries: int = 1000000
    metadata_match: int = ALL_COOKIES
    metadata_write: int = ALL_COOKIES
    capabilities: int = 0


class PortStats(NamedTuple):
    """Entry of a "port_stats" reply; None: the switch does not count this."""

    number: int
    duration: float = 0.0
    rx_packets: int | None = 0
    tx_packets: int | None = 0
    rx_bytes: int | None = 0
    tx_bytes: int | None = 0
    rx_dropped: int | None = None
    tx_dropped: int | None = None
    rx_errors: int | None = None
    tx_errors: int | None = None
    rx_frame_errors: int | None = None
    rx_over_errors: int | None = None
    rx_crc_errors: int | None = None
    collisions: int | None = None


class QueueStats(NamedTuple):
    """Entry of a "queue_stats" reply."""

    port: int
    queue: int
    tx_bytes: int | None = None
    tx_packets: int | None = None
    tx_errors: int | None = None
    duration: float | None = None


class GroupStats(NamedTuple):
    """Entry of a "group_stats" reply."""

    id: int
    references: int = 0
    packets: int = 0
    bytes: int = 0
    duration: float = 0.0
    #: (packets, bytes) of each bucket
    buckets: tuple[tuple[int, int], ...] = ()


class GroupFeatures(NamedTuple):
    """Entry of a "group_features" reply."""

    types: int = 0xF
    capabilities: int = 0x7
    #: of all, select, indirect, ff
    max_groups: tuple[int, int, int, int] = (0xFFFFFF00,) * 4
    actions: tuple[int, int, int, int] = (0x3BF9001,) * 4


class MeterStats(NamedTuple):
    """Entry of a "meter_stats" reply."""

    id: int
    flows: int = 0
    packets: int = 0
    bytes: int = 0
    duration: float = 0.0
    #: (packets, bytes) of each band
    bands: tuple[tuple[int, int], ...] = ()


class MeterFeatures(NamedTuple):
    """Entry of a "meter_features" reply."""

    max_meter: int = 262144
    band_types: int = 1 << 1
    capabilities: int = 0xF
    max_bands: int = 8
    max_color: int = 0


class QueueId(NamedTuple):
    """Body of a "queue_stats" request."""

    port: int = OFPP_ANY
    queue: int = 0xFFFFFFFF
