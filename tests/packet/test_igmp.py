"""IGMP and MLD, written by scapy."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3gr, IGMPv3mr
from scapy.layers.inet6 import ICMPv6MLDMultAddrRec, ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLReport, ICMPv6MLReport2

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip6_int
from pyovn.packet import igmp
from pyovn.packet.igmp import Report

G4, G6 = ip4_int("239.1.1.1"), ip6_int("ff05::1")


def records(*kinds):
    groups = [IGMPv3gr(rtype=kind, maddr="239.1.1.1", srcaddrs=s, numsrc=len(s)) for kind, s in kinds]
    return IGMPv3mr(records=groups, numgrp=len(groups))


MESSAGES = [
    pytest.param(4, IGMP(type=0x12, gaddr="239.1.1.1"), [(True, "IGMPv1")], id="IGMPv1"),
    pytest.param(4, IGMP(type=0x16, gaddr="239.1.1.1"), [(True, "IGMPv2")], id="IGMPv2"),
    pytest.param(4, IGMP(type=0x17, gaddr="239.1.1.1"), [(False, "IGMPv2")], id="leave"),
    pytest.param(4, records((4, []), (3, [])), [(True, "IGMPv3"), (False, "IGMPv3")], id="IGMPv3"),
    pytest.param(4, records((1, ["1.1.1.1"]), (6, ["1.1.1.1"])), [(True, "IGMPv3")], id="IGMPv3 with sources"),
    pytest.param(4, IGMP(type=0x11), [], id="query"),
    pytest.param(6, ICMPv6MLReport(mladdr="ff05::1"), [(True, "MLDv1")], id="MLDv1"),
    pytest.param(6, ICMPv6MLDone(mladdr="ff05::1"), [(False, "MLDv1")], id="done"),
    pytest.param(
        6, ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=4, dst="ff05::1")]), [(True, "MLDv2")], id="MLDv2"
    ),
    pytest.param(6, ICMPv6MLQuery(), [], id="MLD query"),
]


@pytest.mark.parametrize(("version", "message", "said"), MESSAGES)
def test_a_message_says_who_listens(version, message, said):
    group = G4 if version == 4 else G6
    assert list(igmp.reports(version, bytes(message))) == [Report(group, *each) for each in said]
    assert igmp.is_query(bytes(message)) == (not said)


def test_records_of_unknown_kinds_are_malformed():
    with pytest.raises(Malformed):
        igmp.reports(4, bytes(records((9, []))))


@given(st.sampled_from((4, 6)), st.sampled_from([bytes(each.values[1]) for each in MESSAGES]), st.integers(0, 60))
def test_cut_off_messages_are_malformed(version, message, size):
    with contextlib.suppress(Malformed):
        igmp.reports(version, message[:size])
