"""Next hops whose MACs are watched: connections that answer to one's old MAC are forgotten.

ECMP_Nexthop gone, or with another MAC ─► those in the router's zone whose label has the old one

The label of a connection with symmetric replies has, above its lowest 32 bits, the MAC that it came from.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pyovn.controller.datapaths import Datapath
from pyovn.net.errors import Malformed
from pyovn.net.mac import BROADCAST, mac_int
from pyovn.net.uuids import Uuid
from pyovn.openflow.messages import CtFlush
from pyovn.tables.sb import ECMPNexthop

SHIFT: Final = 32  #: of the MAC in the label: `ct_label.ecmp_reply_eth`
MASK: Final = BROADCAST << SHIFT


def stale_connections(
    changes: Mapping[Uuid, tuple[Any, Any]], local: Mapping[Uuid, Datapath], zones: Mapping[str, int]
) -> Iterator[CtFlush]:
    """The connections to be forgotten because of changed rows, on local datapaths."""
    for old, new in changes.values():
        where = None if old is None else local.get(old.datapath)
        zone = None if where is None else zones.get(where.dnat_user)
        if zone is not None and (mac := old_mac(old, new)):
            yield CtFlush(zone=zone, label=(mac << SHIFT, MASK))


def old_mac(old: ECMPNexthop, new: ECMPNexthop | None) -> int:
    """The MAC that a next hop does not have any more; 0 where it had none, or has it still."""
    try:
        before = mac_int(old.mac) if old.mac else 0
        after = mac_int(new.mac) if new is not None and new.mac else 0
    except Malformed:
        return 0
    return before if before != after else 0
