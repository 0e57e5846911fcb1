"""Multicast querier: where no multicast router asks who listens to what, a switch does (RFC 3376 §6, RFC 3810 §7).

IP_Multicast with querier, eth_src and an address ─► IGMPv3 and MLDv2 general queries to the ports of this chassis
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from pyovn.controller.effects import Send, flooded
from pyovn.net.ip import multicast_mac6
from pyovn.packet import ethernet, icmp6, igmp, ipv4, ipv6, nd

FLOOD: Final = 0x8000  #: the key of `_MC_flood`
ALL_SYSTEMS: Final = 0xE0000001  #: 224.0.0.1
ALL_SYSTEMS_MAC: Final = 0x01005E000001
IGMP: Final = 2
HOP_BY_HOP: Final = 0
#: Router Alert (RFC 2113), and its like in a hop-by-hop header (RFC 2711), without which listeners hear no query.
ALERT4: Final = bytes.fromhex("94040000")
ALERT6: Final = bytes((icmp6.PROTO, 0)) + bytes.fromhex("050200000100")


class Querier(NamedTuple):
    """Who asks on a switch; an address of 0 asks nothing in its family."""

    mac: int
    ip4: int
    ip6: int
    interval_s: int
    response_s: int


@dataclass(slots=True)
class _Round:
    querier: Querier
    due: float


class Queries:
    """All queriers of a chassis, by datapath (key)."""

    def __init__(self) -> None:
        self._rounds: dict[int, _Round] = {}

    def follow(self, wanted: Mapping[int, Querier], now: float) -> None:
        """Ask on these datapaths from now on; who asks as before keeps the time."""
        known, self._rounds = self._rounds, {}
        for datapath, querier in wanted.items():
            same = datapath in known and known[datapath].querier == querier
            self._rounds[datapath] = known[datapath] if same else _Round(querier, now + querier.interval_s)

    def handle(self, now: float) -> Iterator[Send]:
        """What is due."""
        for datapath, each in self._rounds.items():
            if each.due <= now:
                each.due = now + each.querier.interval_s
                yield from (flooded(frame, datapath, FLOOD) for frame in frames(each.querier))

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((each.due for each in self._rounds.values()), default=None)


def frames(querier: Querier) -> Iterator[bytes]:
    """The queries of one round."""
    times = querier.response_s, querier.interval_s
    if querier.ip4:
        query = igmp.general_query4(*times)
        packet = ipv4.build(ipv4.Ipv4(querier.ip4, ALL_SYSTEMS, IGMP, query, 1, options=ALERT4))
        yield ethernet.build(ethernet.Ethernet(ALL_SYSTEMS_MAC, querier.mac, ethernet.IP4, packet))
    if querier.ip6:
        message = icmp6.build(igmp.general_query6(*times), querier.ip6, nd.ALL_NODES)
        whole = ipv6.build(ipv6.Ipv6(querier.ip6, nd.ALL_NODES, HOP_BY_HOP, ALERT6 + message, 1))
        yield ethernet.build(ethernet.Ethernet(multicast_mac6(nd.ALL_NODES), querier.mac, ethernet.IP6, whole))
