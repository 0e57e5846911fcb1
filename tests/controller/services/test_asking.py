"""Asking for next hops, what is learned of them, and the packets that wait meanwhile."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from pyovn.controller.effects import Continue, Hold, Learned, Neighbour
from pyovn.controller.services.memory import Memory
from pyovn.controller.services.waiting import MOST_HOPS, PATIENCE_S, WaitingRoom
from pyovn.net.ip import ip6_int
from tests.controller.services.punts import effects, punt, sent

LINK = Ether(src="40:44:00:00:00:01", dst="00:00:00:00:00:00")
FOUR, SIX = LINK / IP(src="10.0.0.1", dst="10.9.0.2") / UDP(), LINK / IPv6(src="fd00::1", dst="fd09::2") / UDP()


@pytest.mark.parametrize(("packet", "spa", "tpa"), [(FOUR, "10.0.0.1", "10.9.0.2"), (SIX, "0.0.0.0", "0.0.0.0")])
def test_a_packet_becomes_an_arp_request_and_waits(packet, spa, tpa):
    found = effects("arp { output; };", packet, reg0=0x0A000009, reg15=7)
    frame = Ether(sent(found)[0])
    assert (frame.dst, frame[ARP].op, frame[ARP].psrc, frame[ARP].pdst) == ("ff:ff:ff:ff:ff:ff", 1, spa, tpa)
    (held,) = (each for each in found if isinstance(each, Hold))
    assert (held.datapath, held.port, held.address) == (2, 7, (4, 0x0A000009))


def test_a_packet_becomes_a_solicitation_and_waits():
    found = effects("nd_ns { output; };", SIX, xxreg0=ip6_int("fd09::9"), reg15=7)
    frame = Ether(sent(found)[0])
    assert (frame[ICMPv6ND_NS].tgt, frame[ICMPv6NDOptSrcLLAddr].lladdr) == ("fd09::2", "40:44:00:00:00:01")
    assert (frame.dst, frame[IPv6].dst) == ("33:33:ff:00:00:02", "ff02::1:ff00:2")
    assert [each.address for each in found if isinstance(each, Hold)] == [(6, ip6_int("fd09::9"))]


def test_an_ipv4_packet_may_take_its_way_through_ipv6():
    found = effects("nd_ns { output; };", FOUR, xxreg0=ip6_int("fd09::9"), xxreg1=ip6_int("fd09::1"))
    frame = Ether(sent(found)[0])
    assert (frame[ICMPv6ND_NS].tgt, frame[IPv6].src) == ("fd09::9", "fd09::1")


@pytest.mark.parametrize(("action", "router"), [("nd_na { output; };", 0), ("nd_na_router { output; };", 1)])
def test_a_solicitation_is_answered(action, router):
    asked = LINK / IPv6(src="fe80::1", dst="ff02::1:ff00:2", hlim=255) / ICMPv6ND_NS(tgt="fd09::2")
    frame = Ether(sent(effects(action, asked))[0])
    assert (frame[ICMPv6ND_NA].tgt, frame[ICMPv6ND_NA].R, frame[ICMPv6ND_NA].S) == ("fd09::2", router, 1)
    assert (frame.dst, frame[IPv6].dst, frame[IPv6].src) == ("40:44:00:00:00:01", "fe80::1", "fd09::2")
    assert frame[ICMPv6NDOptDstLLAddr].lladdr == "00:00:00:00:00:00"


def test_who_looks_for_duplicates_is_answered_for_all_to_hear():
    probe = LINK / IPv6(src="::", dst="ff02::1:ff00:2", hlim=255) / ICMPv6ND_NS(tgt="fd09::2")
    frame = Ether(sent(effects("nd_na { output; };", probe))[0])
    assert (frame.dst, frame[IPv6].dst, frame[ICMPv6ND_NA].S) == ("33:33:00:00:00:01", "ff02::1", 0)


def held(address=1, port=7):
    pin = punt("arp { output; };", FOUR)
    return Hold(pin, 2, port, (4, address))


def test_packets_go_on_to_a_known_next_hop():
    room = WaitingRoom()
    room.wait(held(), 0.0)
    assert list(room.handle(1.0, lambda hop: None)) == []
    (going_on,) = room.handle(1.0, lambda hop: 0x40 if hop.address == (4, 1) else None)
    assert isinstance(going_on, Continue)
    assert Ether(going_on.message.packet).dst == "00:00:00:00:00:40"
    assert len(room) == 0


def test_of_many_packets_the_last_four_are_kept():
    room = WaitingRoom()
    for _ in range(9):
        room.wait(held(), 0.0)
    assert len(list(room.handle(0.0, lambda hop: 1))) == 4


def test_patience_ends():
    room = WaitingRoom()
    room.wait(held(), 5.0)
    assert room.deadline == 5.0 + PATIENCE_S
    assert list(room.handle(5.0 + PATIENCE_S, lambda hop: None)) == []
    assert (len(room), room.deadline) == (0, None)


def test_the_room_is_finite():
    room = WaitingRoom()
    for address in range(MOST_HOPS + 5):
        room.wait(held(address), 0.0)
    assert len(room) == MOST_HOPS


def test_a_fact_waits_and_is_told_once():
    memory = Memory(lambda low, high: high)
    memory.learn(Neighbour(2, 3, (4, 1), 5), 0.0)
    memory.learn(Neighbour(2, 3, (4, 1), 5), 0.04)
    assert (memory.take(0.04), memory.deadline) == ([], pytest.approx(0.05))
    assert memory.take(0.06) == [Neighbour(2, 3, (4, 1), 5)]
    assert memory.take(1.0) == []


def test_the_latest_mac_wins():
    memory = Memory(lambda low, high: high)
    memory.learn(Neighbour(2, 3, (4, 1), 5), 0.0)
    memory.learn(Neighbour(2, 3, (4, 1), 6), 0.0)
    assert memory.mac_of(2, 3, (4, 1)) == 6
    assert memory.take(1.0) == [Neighbour(2, 3, (4, 1), 6)]
    assert memory.mac_of(2, 3, (4, 1)) is None


def test_memory_is_finite():
    memory = Memory(lambda low, high: low)
    for mac in range(2000):
        memory.learn(Learned(2, 3, mac), 0.0)
    assert len(memory.take(1.0)) == 1000
