"""Packets made of other packets, to ask for or to tell an address.

    arp { … }            an IPv4 packet without a next hop MAC  →  ARP request for its destination
    nd_ns { … }          likewise IPv6                          →  neighbour solicitation
    nd_na { … }          a neighbour solicitation               →  the advertisement that answers it
    nd_na_router { … }   likewise, by a router

The nested actions, which came along as OpenFlow, then run on the new packet (RFC 826, RFC 4861 §4.3, §4.4).
"""

from collections.abc import Iterator

from pyovn.controller.effects import Effect, sent
from pyovn.net.errors import Malformed
from pyovn.openflow.action_codec import decode_actions
from pyovn.openflow.messages import PacketIn
from pyovn.packet import arp, ethernet, icmp6, ipv4, ipv6, nd

BROADCAST = 0xFFFFFFFFFFFF


def ask4(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """The ARP request that an IPv4 packet gives rise to."""
    frame = ethernet.parse(pin.packet)
    packet = ipv4.parse(frame.payload)
    question = arp.Arp(arp.REQUEST, frame.src, packet.src, 0, packet.dst)
    asking = frame._replace(dst=BROADCAST, type=ethernet.ARP, payload=arp.build(question))
    yield sent(pin, ethernet.build(asking), decode_actions(arguments))


def ask6(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """The neighbour solicitation that an IPv6 packet gives rise to."""
    frame = ethernet.parse(pin.packet)
    packet = ipv6.parse(frame.payload)
    yield sent(pin, nd.solicitation(frame.src, packet.src, packet.dst), decode_actions(arguments))


def advertise(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """The advertisement that answers a solicitation."""
    yield _answer(pin, arguments, nd.SOLICITED | nd.OVERRIDE)


def advertise_router(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """The advertisement by which a router answers a solicitation."""
    yield _answer(pin, arguments, nd.SOLICITED | nd.OVERRIDE | nd.ROUTER)


def _answer(pin: PacketIn, arguments: bytes, flags: int) -> Effect:
    frame = ethernet.parse(pin.packet)
    packet = ipv6.parse(frame.payload)
    question = nd.parse(icmp6.parse(packet.payload, packet.src, packet.dst))
    if question.type != icmp6.NS:
        raise Malformed("not a neighbour solicitation")
    reply = nd.advertisement(frame.dst, question.target, frame.src, packet.src, flags)
    return sent(pin, reply, decode_actions(arguments))
