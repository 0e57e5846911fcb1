from pyovn.controller.announce import Announced, Announcements, frame
from pyovn.packet.describe import describe
from pyovn.packet.flowkey import flow_key

PORT = Announced(1, 2, 0x0A0000000001, 0xC0A80001)


def times(announcements, until, longest_s=0):
    """When something is sent."""
    found = []
    while (due := announcements.deadline) is not None and due <= until:
        found += [due for _ in announcements.handle(due, longest_s)]
    return found


def test_announcements_become_rarer_and_end():
    announcements = Announcements()
    announcements.follow([PORT], 100.0)
    assert times(announcements, 1000.0) == [101.0, 102.0, 104.0, 108.0, 116.0]
    assert announcements.deadline is None


def test_with_a_longest_pause_they_go_on():
    announcements = Announcements()
    announcements.follow([PORT], 0.0)
    assert times(announcements, 12.0, longest_s=2) == [1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]


def test_a_known_port_keeps_its_rhythm_and_a_gone_one_falls_silent():
    announcements = Announcements()
    announcements.follow([PORT], 0.0)
    assert times(announcements, 2.0) == [1.0, 2.0]
    announcements.follow([PORT], 2.5)
    assert announcements.deadline == 4.0
    announcements.follow([], 2.6)
    assert announcements.deadline is None


def test_a_port_without_an_ipv4_address_sends_rarp():
    assert flow_key(frame(PORT._replace(ip=0)))["eth_type"] == 0x8035
    assert flow_key(frame(PORT))["arp_spa"] == flow_key(frame(PORT))["arp_tpa"] == PORT.ip
    assert "192.168.0.1" in describe(frame(PORT))
