"""Who listens to multicast groups: IGMP (RFC 1112, 2236, 3376) and MLD (RFC 2710, 3810), read.

type 1 │ … 3 or 7 │ group                    report, leave, done
type 1 │ … │ number 2 │ records: type 1 │ aux length in words 1 │ sources 2 │ group │ sources … │ aux …
"""

from typing import Final, NamedTuple

from pyovn.net.errors import Malformed
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
