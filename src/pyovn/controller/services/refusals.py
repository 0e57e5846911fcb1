"""Packets that refuse other packets.

    icmp4 { … }   icmp6 { … }   icmp4_error { … }   icmp6_error { … }    an ICMP error about the packet
    tcp_reset { … }   sctp_abort { … }                                   the end of its connection
    reject { … }                                                         whichever fits, sent back to its sender

The nested actions, which came along as OpenFlow, then run on the new packet; a `note` among them is the MTU that an
error is to tell.  Where the protocols want silence (`packet.refusal`) there is none.
"""

from collections.abc import Callable, Iterator
from typing import Final

from pyovn.controller.effects import Effect, sent
from pyovn.lang.actions.move import read_note
from pyovn.openflow.action_codec import decode_actions
from pyovn.openflow.actions import Actions, Note
from pyovn.openflow.messages import PacketIn
from pyovn.packet import ethernet, icmp4, icmp6, refusal, sctp, tcp, udp

#: By Ethernet type: type and code of an error where the nested actions do not say; for datagrams: no such port.
DEFAULT: Final = {
    ethernet.IP4: (icmp4.UNREACHABLE, icmp4.HOST),
    ethernet.IP6: (icmp6.UNREACHABLE, icmp6.PROHIBITED),
}
NO_PORT: Final = {ethernet.IP4: (icmp4.UNREACHABLE, icmp4.PORT), ethernet.IP6: (icmp6.UNREACHABLE, icmp6.PORT)}


def icmp(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """An ICMP error."""
    actions, rest = _nested(arguments)
    yield from _instead(pin, _error(pin.packet, DEFAULT, rest), actions)


def tcp_reset(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """A TCP reset."""
    yield from _instead(pin, refusal.tcp_reset(pin.packet), decode_actions(arguments))


def sctp_abort(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """An SCTP abort."""
    yield from _instead(pin, refusal.sctp_abort(pin.packet), decode_actions(arguments))


def reject(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """What tells a sender that its packet is not welcome."""
    proto = refusal.dissect(pin.packet)[2]
    build = BY_PROTOCOL.get(proto)
    if build is not None:
        packet = build(pin.packet)
    else:
        packet = _error(pin.packet, NO_PORT if proto == udp.PROTO else DEFAULT)
    yield from _instead(pin, None if packet is None else refusal.turned(packet), decode_actions(arguments))


BY_PROTOCOL: Final[dict[int, Callable[[bytes], bytes | None]]] = {
    tcp.PROTO: refusal.tcp_reset,
    sctp.PROTO: refusal.sctp_abort,
}


def _error(packet: bytes, kinds: dict[int, tuple[int, int]], rest: int = 0) -> bytes | None:
    type_ = ethernet.parse(packet).type
    return refusal.icmp_error(packet, *kinds.get(type_, (0, 0)), rest)


def _instead(pin: PacketIn, packet: bytes | None, actions: Actions) -> Iterator[Effect]:
    if packet is not None:
        yield sent(pin, packet, actions)


def _nested(arguments: bytes) -> tuple[Actions, int]:
    """The nested actions that a switch can run, and the MTU that the others name, or 0."""
    actions = decode_actions(arguments)
    told = [found for each in actions if isinstance(each, Note) and (found := read_note(each.data)) is not None]
    return tuple(each for each in actions if not isinstance(each, Note)), told[0][1] if told else 0
