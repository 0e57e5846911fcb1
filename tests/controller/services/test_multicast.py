"""Multicast snooping: listeners come, go, and are forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.igmp import IGMP
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6MLReport, IPv6
from scapy.layers.l2 import Ether

from pyovn.controller import layout
from pyovn.controller.effects import Send
from pyovn.controller.services.multicast import AGAIN, Group, Limits, Snooping
from pyovn.openflow.actions import Resubmit, SetField
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


@given(
    st.lists(st.tuples(st.sampled_from([0x16, 0x12, 0x17, 0x11]), st.integers(1, 3), st.integers(3, 4)), max_size=12)
)
def test_changes_are_counted(messages):
    """The controller looks again when the count has grown: it must whenever others listen."""
    snooping = Snooping()
    for now, (kind, group, port) in enumerate(messages):
        before, count = snooping.members(), snooping.changes
        for _ in range(2):
            heard(igmp(kind, f"239.1.1.{group}"), port=port, now=now, snooping=snooping)
            assert snooping.changes > count or snooping.members() == before
            before, count = snooping.members(), snooping.changes
        heard(igmp(kind, f"239.1.1.{group}"), port=port, now=now, snooping=snooping)
        assert snooping.changes == count


@pytest.mark.parametrize("limits", [LIMITS, {}])
def test_the_packet_goes_on_marked(limits):
    (again,) = Snooping().packet(punt("igmp;", igmp(0x16), reg10=1), 0.0, limits)
    assert isinstance(again, Send)
    assert SetField("reg10", AGAIN | 1, 0xFFFFFFFF) in again.message.actions


@pytest.mark.parametrize(("kind", "group"), [(0x16, 32770), (0x11, 32768)])
def test_what_is_shown_again_is_delivered(kind, group):
    """An older northd has no flow for packets with the mark."""
    snooping = Snooping()
    (out,) = snooping.packet(punt("igmp;", igmp(kind), reg10=AGAIN | 1), 0.0, LIMITS)
    assert isinstance(out, Send)
    assert SetField("reg15", group, 0xFFFFFFFF) in out.message.actions
    assert (out.message.actions[-1], snooping.members()) == (Resubmit(layout.REMOTE_OUTPUT), {})


def test_a_copy_from_the_egress_pipeline_ends_here():
    assert list(Snooping().packet(punt("igmp;", igmp(0x16))._replace(table=51), 0.0, LIMITS)) == []
