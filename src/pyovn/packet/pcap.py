"""Capture files in the classic pcap format, nanosecond variant, link type Ethernet.

header: magic 4 │ version 2.4 │ 0 │ 0 │ snap length 4 │ link type 4
record: seconds 4 │ nanoseconds 4 │ captured length 4 │ original length 4 │ frame

draft-ietf-opsawg-pcap; written big-endian, read in either order and resolution.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pyovn.net.errors import Malformed

NANOSECONDS, MICROSECONDS = 0xA1B23C4D, 0xA1B2C3D4
ETHERNET_LINK = 1
SNAP_LENGTH = 262144

_HEADER = "IHHIIII"
_RECORD = "IIII"
HEADER = struct.pack(f"!{_HEADER}", NANOSECONDS, 2, 4, 0, 0, SNAP_LENGTH, ETHERNET_LINK)


class Captured(NamedTuple):
    """A frame and when it was seen, in seconds since 1970."""

    time_s: float
    frame: bytes


def record(captured: Captured) -> bytes:
    """The bytes of one record."""
    seconds, fraction = divmod(captured.time_s, 1)
    length = len(captured.frame)
    return struct.pack(f"!{_RECORD}", int(seconds), int(fraction * 1e9), length, length) + captured.frame


def parse(data: bytes) -> Iterator[Captured]:
    """The records of a capture file; raises Malformed."""
    if len(data) < len(HEADER):
        raise Malformed(f"capture file of {len(data)} bytes")
    for order in "!<":
        magic = struct.unpack_from(f"{order}I", data)[0]
        if magic in (NANOSECONDS, MICROSECONDS):
            yield from _records(data, order, 1e-9 if magic == NANOSECONDS else 1e-6)
            return
    raise Malformed("not a capture file")


def _records(data: bytes, order: str, unit: float) -> Iterator[Captured]:
    at = len(HEADER)
    while at < len(data):
        if at + 16 > len(data):
            raise Malformed("capture file ends inside a record")
        seconds, fraction, length, _ = struct.unpack_from(f"{order}{_RECORD}", data, at)
        at += 16
        if at + length > len(data):
            raise Malformed("capture file ends inside a record")
        yield Captured(seconds + fraction * unit, data[at : at + length])
        at += length
