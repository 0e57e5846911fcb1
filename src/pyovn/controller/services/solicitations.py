"""Packets made of other packets, to ask for or to tell an address.

    arp { … }            an IPv4 packet without a next hop MAC  →  ARP request for its destination
    nd_ns { … }          likewise IPv6                          →  neighbour solicitation
    nd_na { … }          a neighbour solicitation               →  the advertisement that answers it
    nd_na_router { … }   likewise, by a router

The nested actions, which came along as OpenFlow, then run on the new packet (RFC 826, RFC 4861 §4.3, §4.4).
Who asks is paused, and waits for the answer.
"""

from collections.abc import Iterator

from pyovn.controller import layout
from pyovn.controller.effects import Effect, Hold, fields_of, sent
from pyovn.net.errors import Malformed
from pyovn.net.ip import multicast_mac6
from pyovn.openflow.action_codec import decode_actions
from pyovn.openflow.messages import PacketIn
from pyovn.packet import arp, ethernet, icmp6, ipv4, ipv6, nd

BROADCAST = 0xFFFFFFFFFFFF


def ask4(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """The ARP request that an IPv4 packet gives rise to; an IPv6 packet leaves the addresses to the nested actions."""
    frame = ethernet.parse(pin.packet)
    src, dst = 0, 0
    if frame.type == ethernet.IP4:
        packet = ipv4.parse(frame.payload)
        src, dst = packet.src, packet.dst
    question = arp.Arp(arp.REQUEST, frame.src, src, 0, dst)
    asking = frame._replace(dst=BROADCAST, type=ethernet.ARP, payload=arp.build(question))
    yield sent(pin, ethernet.build(asking), decode_actions(arguments))
    yield from _held(pin, 4, "reg0")


def ask6(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """The neighbour solicitation that an IPv6 packet gives rise to, or an IPv4 one that takes a way through IPv6."""
    frame, fields = ethernet.parse(pin.packet), fields_of(pin)
    src, target = fields.get("xxreg1", 0), fields.get("xxreg0", 0)
    if frame.type == ethernet.IP6:
        packet = ipv6.parse(frame.payload)
        src, target = packet.src, packet.dst
    yield sent(pin, nd.solicitation(frame.src, src, target), decode_actions(arguments))
    yield from _held(pin, 6, "xxreg0")


def _held(pin: PacketIn, version: int, register: str) -> Iterator[Effect]:
    """The packet waits for its next hop, which routers keep in `register`."""
    if pin.continuation is not None:
        fields = fields_of(pin)
        address = version, fields.get(register, 0)
        yield Hold(pin, fields.get(layout.DATAPATH, 0), fields.get(layout.OUTPORT, 0), address)


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
    eth_dst, dst = frame.src, packet.src
    if not dst:  # somebody looks for duplicates of an address: everyone must hear of it (RFC 4861 §7.2.4)
        eth_dst, dst, flags = multicast_mac6(nd.ALL_NODES), nd.ALL_NODES, flags & ~nd.SOLICITED
    reply = nd.advertisement(frame.dst, question.target, eth_dst, dst, flags)
    return sent(pin, reply, decode_actions(arguments))
