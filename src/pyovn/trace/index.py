"""Which flows of a large table may be for a packet, by one field that most of them demand a value of.

    rows of a table ─ Index ─▶ field, value → rows; the rest ─ rows_for(packet) ─▶ rows worth evaluating, in their order

A match says so at its top: `outport == "r-s1" && reg0 == 10.0.1.5` demands both.  What has an alternative or a negation
in it is not understood here, and is always worth evaluating.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from operator import itemgetter
from typing import Any

from pyovn.lang.symbols import INPORT, OUTPORT
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int
from pyovn.net.mac import mac_int

Row = Mapping[str, Any]
WORTH_AN_INDEX = 64  #: rows; a table with fewer is gone through

#: field of the language → of packets
_FIELDS = {
    "eth.dst": "eth_dst", "eth.src": "eth_src", "ip4.dst": "ip_dst", "arp.tpa": "arp_tpa", "reg0": "reg0",
    "inport": INPORT, "outport": OUTPORT,
}  # fmt: skip
_DEMAND = re.compile(r"(?:^|&& )\(?(" + "|".join(map(re.escape, _FIELDS)) + r") == ([^\s{}()]+)")
_EXACT = re.compile(r'"[^"]*"|[0-9a-f]{2}(?::[0-9a-f]{2}){5}|\d+\.\d+\.\d+\.\d+')


class Index:
    """The rows of one table of one datapath; `keys`: names of ports → their keys there."""

    def __init__(self, rows: Sequence[Row], keys: Callable[[str], int | None]) -> None:
        demands = [dict(_demands(row["match"], keys)) for row in rows]
        counts = Counter(field for each in demands for field in each)
        self._rows = rows
        self._field = max(counts, key=lambda field: (counts[field], field)) if counts else ""
        self._rest: list[tuple[int, Row]] = []
        self._found: dict[int, list[tuple[int, Row]]] = defaultdict(list)
        for entry, each in zip(enumerate(rows), demands, strict=True):
            (self._found[each[self._field]] if self._field in each else self._rest).append(entry)

    def rows_for(self, packet: Mapping[str, int | None]) -> Iterable[Row]:
        """The rows that do not demand another value of the field than the packet has; all, where that is unknown."""
        value = packet.get(self._field, 0)
        if value is None:
            return self._rows
        found = self._found.get(value, ())
        return (row for _, row in merge(found, self._rest, key=itemgetter(0)))


def _demands(match: str, keys: Callable[[str], int | None]) -> Iterator[tuple[str, int]]:
    """The fields of which a match demands a value, and the values."""
    if "||" in match or "!(" in match:
        return
    for field, text in _DEMAND.findall(match):
        value = _value(text, keys) if _EXACT.fullmatch(text) else None
        if value is not None:
            yield _FIELDS[field], value


def _value(text: str, keys: Callable[[str], int | None]) -> int | None:
    if text.startswith('"'):
        return keys(text[1:-1])
    try:
        return mac_int(text) if ":" in text else ip4_int(text)
    except Malformed:
        return None
