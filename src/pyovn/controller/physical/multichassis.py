"""Ports that are on several chassis at once while a guest migrates.

0     a location not yet activated: block it, and let the announcing packet (RARP, ARP, NA) activate it
65    likewise on the way out
42    IP to or from such a port: will it fit through the tunnel it must take in any case?
43    no: an ICMP error back to the sender
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pyovn.controller import layout
from pyovn.controller.physical.ports import LogicalPort, Wire
from pyovn.controller.physical.steps import enter, resubmit
from pyovn.openflow.actions import Action, Actions, CheckPktLarger, Controller
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import Match, match

#: Ethernet header and VLAN tag: what separates the frame that fits from the packet that fits.
LINK_HEADER: Final = 18

#: (MAC, version, IP) of a guest.
Address = tuple[int, int, int]


def announcements(strategy: str, in_port: int, addresses: Iterable[Address]) -> Iterator[Match]:
    """The packets with which a guest announces itself, as an activation strategy sees it."""
    if strategy == "rarp":
        yield match(in_port=in_port, eth_type=layout.RARP)
    for mac, version, ip in addresses:
        if strategy == "garp" and version == 4:
            yield match(in_port=in_port, eth_type=layout.ARP, eth_src=mac, arp_sha=mac, arp_spa=ip, arp_tpa=ip)
        if strategy == "na" and version == 6:
            advert = {"eth_type": layout.IPV6, "ip_proto": 58, "icmpv6_type": 136, "icmpv6_code": 0}
            yield match(in_port=in_port, ipv6_src=ip, nd_target=ip, nd_tll=mac, **advert)


def awaiting_activation(
    port: LogicalPort, wire: Wire, strategies: Iterable[str], addresses: Sequence[Address], announce: Controller
) -> Iterator[Flow]:
    """A location that must stay silent until the guest shows up there."""
    steps: tuple[Action, ...] = (
        *enter(port.zones, port.datapath, port.key, wire.encap),
        announce,
        resubmit(layout.INGRESS),
    )
    for strategy in strategies:
        for announcement in announcements(strategy, wire.ofport, addresses):
            yield port.flow(layout.PHY_TO_LOG, 1010, announcement, steps)
    yield port.flow(layout.PHY_TO_LOG, 1000, match(in_port=wire.ofport), ())
    yield port.flow(layout.LOG_TO_PHY, 1000, port.there(), ())


def size_checks(port: LogicalPort, multichassis: int, mtu: int, errors: dict[int, Actions]) -> Iterator[Flow]:
    """IP packets of `port`'s chassis to and from the port with key `multichassis`, measured against `mtu`.

    `errors` holds, per Ethernet type, what answers a packet that is too large.
    """
    check = (CheckPktLarger(mtu, layout.TOO_LARGE_REGISTER, 1), resubmit(layout.OUTPUT_LARGE_PROCESS))
    for side in (layout.INPORT, layout.OUTPORT):
        for eth_type, error in errors.items():
            where = _passing(port, side, multichassis, eth_type)
            yield port.flow(layout.OUTPUT_LARGE, 100, where, check)
            too_large = _passing(port, side, multichassis, eth_type, reg9=(layout.TOO_LARGE, layout.TOO_LARGE))
            yield port.flow(layout.OUTPUT_LARGE_PROCESS, 100, too_large, error)


def _passing(port: LogicalPort, side: str, key: int, eth_type: int, **more: tuple[int, int]) -> Match:
    return match(metadata=port.datapath, eth_type=eth_type, **{side: key}, **more)
