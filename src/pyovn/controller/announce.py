"""Announcements: a port that came to a physical network says so, for the switches there to learn its place.

    first after 1 s, then 1, 2, 4, 8 s apart; garp-max-timeout-sec goes on for ever at most that far apart

A gratuitous ARP for each IPv4 address, a RARP where there is none (RFC 5227 §3, RFC 903).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.openflow.actions import OFPP_CONTROLLER, Resubmit, SetField
from pyovn.openflow.messages import PacketOut
from pyovn.packet import arp, ethernet

FIRST_S: Final = 1.0
TIMES: Final = 5
LONGEST_S: Final = 8.0
BROADCAST: Final = 0xFFFFFFFFFFFF
RARP_REQUEST: Final = 3


class Announced(NamedTuple):
    """An address to announce from a port; IPv4 0 stands for none."""

    datapath: int
    port: int
    mac: int
    ip: int


@dataclass(slots=True)
class _Round:
    due: float
    pause_s: float = FIRST_S
    sent: int = 0


class Announcements:
    """What is still to be announced."""

    def __init__(self) -> None:
        self._rounds: dict[Announced, _Round] = {}

    def follow(self, wanted: Iterable[Announced], now: float) -> None:
        """Announce exactly these from now on; known ones keep their rhythm."""
        current = set(wanted)
        for gone in self._rounds.keys() - current:
            del self._rounds[gone]
        for new in current - self._rounds.keys():
            self._rounds[new] = _Round(now + FIRST_S)

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((each.due for each in self._rounds.values() if each.due >= 0), default=None)

    def handle(self, now: float, longest_s: int = 0) -> Iterator[PacketOut]:
        """What is due; `longest_s` 0 ends after a few times."""
        for announced, each in self._rounds.items():
            if 0 <= each.due <= now:
                yield message(announced)
                each.sent += 1
                if not longest_s and each.sent >= TIMES:
                    each.due = -1.0
                    continue
                each.due = now + each.pause_s
                each.pause_s = min(each.pause_s * 2, longest_s or LONGEST_S)


def message(announced: Announced) -> PacketOut:
    """The announcement, entering the pipeline as if the port had sent it."""
    steps = (
        SetField(layout.DATAPATH, announced.datapath, 0xFFFFFFFFFFFFFFFF),
        SetField(layout.INPORT, announced.port, 0xFFFFFFFF),
        Resubmit(layout.INGRESS),
    )
    return PacketOut(frame(announced), steps, (("in_port", OFPP_CONTROLLER, 0xFFFFFFFF),))


def frame(announced: Announced) -> bytes:
    """A gratuitous ARP, or a RARP for a port without an IPv4 address."""
    if announced.ip:
        return arp.gratuitous(announced.mac, announced.ip)
    question = arp.Arp(RARP_REQUEST, announced.mac, 0, announced.mac, 0)
    return ethernet.build(ethernet.Ethernet(BROADCAST, announced.mac, ethernet.RARP, arp.build(question)))
