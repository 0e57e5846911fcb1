"""Multicast snooping: listeners come, go, and are forgotten."""

import pytest
from scapy.contrib.igmp import IGMP
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6MLReport, IPv6
from scapy.layers.l2 import Ether

from pyovn.controller.effects import Send
from pyovn.controller.services.multicast import AGAIN, Group, Limits, Snooping
from pyovn.openflow.actions import SetField
from tests.controller.services.punts import punt

LIMITS = {2: Limits(2, 300.0)}


def igmp(kind, group="239.1.1.1"):
    return Ether() / IP(src="10.0.0.1", dst=group) / IGMP(type=kind, gaddr=group)


def heard(*packets, port=3, now=0.0, snooping=None):
    snooping = Snooping() if snooping is None else snooping
    for packet in packets:
        list(snooping.packet(punt("igmp;", packet, reg14=port), now, LIMITS))
    return snooping


def test_listeners_are_members_until_they_leave():
    snooping = heard(igmp(0x16))
    heard(igmp(0x16), port=4, snooping=snooping)
    assert snooping.members() == {Group(2, "239.1.1.1"): ("IGMPv2", frozenset({3, 4}))}
    heard(igmp(0x17), snooping=snooping)
    assert snooping.members() == {Group(2, "239.1.1.1"): ("IGMPv2", frozenset({4}))}
    heard(igmp(0x17), port=4, snooping=snooping)
    assert snooping.members() == {}


def test_listeners_over_ipv6_are_members():
    report = Ether() / IPv6(src="fe80::1", dst="ff05::1") / ICMPv6MLReport(mladdr="ff05::1")
    assert heard(report).members() == {Group(2, "ff05::1"): ("MLDv1", frozenset({3}))}


def test_who_asks_leads_to_multicast_routers():
    assert heard(igmp(0x11, "0.0.0.0")).members() == {Group(2, "mrouters"): ("", frozenset({3}))}


def test_silent_members_are_forgotten():
    snooping = heard(igmp(0x16))
    heard(igmp(0x16), port=4, now=100.0, snooping=snooping)
    assert snooping.deadline == 300.0
    snooping.handle(300.0)
    assert snooping.members() == {Group(2, "239.1.1.1"): ("IGMPv2", frozenset({4}))}


def test_there_are_not_more_groups_than_allowed():
    assert len(heard(*(igmp(0x16, f"239.1.1.{n}") for n in range(1, 5))).members()) == 2


def test_groups_of_the_link_are_not_kept():
    assert heard(igmp(0x16, "224.0.0.251")).members() == {}


def test_switches_that_are_not_snooped_on_any_more_are_forgotten():
    snooping = heard(igmp(0x16))
    snooping.forget({})
    assert (snooping.members(), snooping.deadline) == ({}, None)


def test_everything_is_forgotten_when_somebody_asks():
    snooping = Snooping()
    snooping.forget({2: Limits(2, 300.0, 7)})
    heard(igmp(0x16), snooping=snooping)
    snooping.forget({2: Limits(9, 300.0, 7)})
    assert len(snooping.members()) == 1
    snooping.forget({2: Limits(9, 300.0, 8)})
    assert snooping.members() == {}


@pytest.mark.parametrize("limits", [LIMITS, {}])
def test_the_packet_goes_on_marked(limits):
    (again,) = Snooping().packet(punt("igmp;", igmp(0x16), reg10=1), 0.0, limits)
    assert isinstance(again, Send)
    assert SetField("reg10", AGAIN | 1, 0xFFFFFFFF) in again.message.actions


def test_a_copy_from_the_egress_pipeline_ends_here():
    assert list(Snooping().packet(punt("igmp;", igmp(0x16))._replace(table=51), 0.0, LIMITS)) == []
