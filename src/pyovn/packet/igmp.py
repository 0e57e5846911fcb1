"""Who listens to multicast groups: IGMP (RFC 1112, 2236, 3376) and MLD (RFC 2710, 3810), reports read, queries built.

type 1 │ … 3 or 7 │ group                    report, leave, done
type 1 │ … │ number 2 │ records: type 1 │ aux length in words 1 │ sources 2 │ group │ sources … │ aux …
"""

from typing import Final, NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet import checksum, icmp6
from pyovn.packet.cursor import Cursor

QUERY, REPORT1, REPORT2, LEAVE, REPORT3 = 0x11, 0x12, 0x16, 0x17, 0x22
MLD_QUERY, MLD_REPORT, MLD_DONE, MLD_REPORT2 = 130, 131, 132, 143

#: type → (protocol, whether the sender listens) of messages about one group
SINGLE: Final = {
    REPORT1: ("IGMPv1", True),
    REPORT2: ("IGMPv2", True),
    LEAVE: ("IGMPv2", False),
    MLD_REPORT: ("MLDv1", True),
    MLD_DONE: ("MLDv1", False),
}
SEVERAL: Final = {REPORT3: "IGMPv3", MLD_REPORT2: "MLDv2"}
QUERIES: Final = frozenset({QUERY, MLD_QUERY})
#: Kinds of group records: to listen to some sources only, to all but some, to more, to fewer.
INCLUDE, EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK = range(1, 7)


class Report(NamedTuple):
    """What a host says about a group."""

    group: int
    listens: bool
    protocol: str


def is_query(message: bytes) -> bool:
    """True where a multicast router speaks."""
    return bool(message) and message[0] in QUERIES


def reports(version: int, message: bytes) -> tuple[Report, ...]:
    """What a message says, over IPv4 or IPv6; nothing for other messages.  Raises Malformed."""
    cursor = Cursor(message)
    type_, size = cursor.u8(), 4 if version == 4 else 16
    if type_ in SINGLE:
        protocol, listens = SINGLE[type_]
        cursor.skip(3 if version == 4 else 7)
        return (Report(cursor.uint(size), listens, protocol),)
    if type_ not in SEVERAL:
        return ()
    cursor.skip(5)
    found = []
    for _ in range(cursor.u16()):
        kind, aux, sources, group = cursor.u8(), cursor.u8(), cursor.u16(), cursor.uint(size)
        cursor.skip(sources * size + aux * 4)
        if not INCLUDE <= kind <= BLOCK:
            raise Malformed(f"multicast group record of kind {kind}")
        if kind != BLOCK:
            listens = bool(sources) or kind in (EXCLUDE, TO_EXCLUDE)
            found.append(Report(group, listens, SEVERAL[type_]))
    return tuple(found)


def general_query4(response_s: int, interval_s: int) -> bytes:
    """An IGMPv3 query about all groups, to be answered within so long; the next comes after the interval."""
    head, tail = bytes((QUERY, _code(10 * response_s, 8))), bytes((0, 0, 0, 0, 0, _code(interval_s, 8), 0, 0))
    return head + checksum.internet(head + bytes(2) + tail).to_bytes(2, "big") + tail


def general_query6(response_s: int, interval_s: int) -> icmp6.Icmp6:
    """The same as MLDv2."""
    tail = bytes((0, _code(interval_s, 8), 0, 0))
    return icmp6.Icmp6(MLD_QUERY, 0, _code(1000 * response_s, 16) << 16, bytes(16) + tail)


def _code(value: int, bits: int) -> int:
    """A time in so many bits: itself, or with the first bit set, exponent and mantissa.

    What does not fit is the longest time that does.  RFC 3376 §4.1.1, RFC 3810 §5.1.3.
    """
    if value < 1 << bits - 1:
        return value
    width = bits - 4  # of the mantissa
    exponent = value.bit_length() - width - 4
    if exponent > 7:
        return (1 << bits) - 1
    return 1 << bits - 1 | exponent << width | value >> exponent + 3 & (1 << width) - 1
