"""Refusals as services: the packet, and the nested actions that run on it."""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.layers.sctp import SCTP, SCTPChunkAbort, SCTPChunkData

from pyovn.controller.effects import Problem
from pyovn.openflow.actions import Note, Resubmit
from tests.controller.services.punts import effects, sent

LINK = Ether(src="40:44:00:00:00:01", dst="40:44:00:00:00:02")
FOUR, SIX = LINK / IP(src="10.0.0.1", dst="10.0.0.2"), LINK / IPv6(src="fd00::1", dst="fd00::2")


def refused(action, packet):
    frame, actions = sent(effects(action, packet))
    return Ether(frame), actions


@pytest.mark.parametrize(
    ("probe", "layer", "kind"),
    [
        (FOUR / TCP(), TCP, None),
        (SIX / TCP(), TCP, None),
        (FOUR / SCTP() / SCTPChunkData(), SCTPChunkAbort, None),
        (FOUR / UDP(), ICMP, (3, 3)),
        (FOUR / ICMP(), ICMP, (3, 1)),
        (SIX / UDP(), ICMPv6DestUnreach, (1, 4)),
        (LINK / IPv6(src="fd00::1", dst="fd00::2", nh=200) / b"x", ICMPv6DestUnreach, (1, 1)),
    ],
    ids=["TCP", "TCP over IPv6", "SCTP", "UDP", "ping", "UDP over IPv6", "unknown over IPv6"],
)
def test_rejecting_answers_the_sender_with(probe, layer, kind):
    found, actions = refused("reject { next(pipeline=egress, table=5); };", probe)
    assert (found.src, found.dst) == (probe.dst, probe.src)
    assert actions[-1] == Resubmit(53)
    assert kind is None or (found[layer].type, found[layer].code) == kind


def test_an_error_leaves_the_addresses_to_the_nested_actions():
    found, _ = refused("icmp4 { next; };", FOUR / UDP())
    assert (found[IP].src, found[IP].dst, found[IP].ttl, found[ICMP].type) == ("10.0.0.1", "10.0.0.2", 255, 3)


@pytest.mark.parametrize(
    ("action", "probe", "mtu"),
    [
        ("icmp4_error { icmp4.type = 3; icmp4.code = 4; icmp4.frag_mtu = 1400; next; };", FOUR / UDP(), 1400),
        ("icmp6_error { icmp6.type = 2; icmp6.code = 0; icmp6.frag_mtu = 1300; next; };", SIX / UDP(), 1300),
    ],
    ids=["IPv4", "IPv6"],
)
def test_the_mtu_gets_into_the_error_and_not_to_the_switch(action, probe, mtu):
    found, actions = refused(action, probe)
    rest = found[ICMP].nexthopmtu if ICMP in found else int.from_bytes(bytes(found[IPv6].payload)[4:8], "big")
    assert rest == mtu
    assert not any(isinstance(each, Note) for each in actions)
    assert ICMPv6PacketTooBig not in found  # the nested actions make it one


@pytest.mark.parametrize(
    ("action", "probe"),
    [
        ("tcp_reset { next; };", FOUR / TCP(flags="R")),
        ("sctp_abort { next; };", FOUR / SCTP() / SCTPChunkAbort()),
        ("reject { next; };", FOUR / ICMP(type=3)),
    ],
    ids=["reset", "abort", "error"],
)
def test_there_is_silence_about(action, probe):
    assert effects(action, probe) == []


@pytest.mark.parametrize("action", ["icmp4 { next; };", "tcp_reset { next; };", "sctp_abort { next; };", "reject { };"])
def test_what_is_no_such_packet_is_a_problem(action):
    (problem,) = effects(action, LINK / ARP())
    assert isinstance(problem, Problem)
