"""The table of services: whatever comes, a paused packet goes on, and only Malformed is ever wrong with it."""

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DHCP6_Solicit, DHCP6OptClientId, DHCP6OptIA_NA
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6ND_RS, IPv6
from scapy.layers.l2 import ARP, Ether

from pyovn.controller.desk import Desk
from pyovn.controller.dispatch import QUESTIONS, SERVICES, WAITING, answer
from pyovn.controller.effects import Continue, Problem
from pyovn.lang.actions.userdata import Opcode
from pyovn.openflow.match import match
from pyovn.openflow.messages import PacketIn
from tests.controller.services.punts import punt
from tests.controller.services.rows import Rows

PACKETS = [
    bytes(each)
    for each in (
        Ether() / IP(dst="10.0.0.1") / UDP(sport=68, dport=67) / BOOTP() / DHCP(options=[("message-type", 1), "end"]),
        Ether() / IP(dst="10.0.0.1") / UDP() / DNS(qd=DNSQR(qname="a.b")),
        Ether() / IP(dst="10.0.0.1") / TCP() / b"x",
        Ether()
        / IPv6(dst="fd00::1")
        / UDP(sport=546, dport=547)
        / DHCP6_Solicit()
        / DHCP6OptClientId()
        / DHCP6OptIA_NA(),
        Ether() / IPv6(dst="ff02::2", hlim=255) / ICMPv6ND_RS(),
        Ether() / IPv6(dst="ff02::2", hlim=255) / ICMPv6ND_NS(tgt="fd00::1"),
        Ether() / ARP(),
    )
]
ACTIONS = [
    "reg0[3] = put_dhcp_opts(offerip = 10.0.0.4, server_id = 10.0.0.1);",
    "reg0[3] = put_dhcpv6_opts(ia_addr = fd00::4, server_id = 00:00:00:00:ff:01);",
    'reg0[3] = put_nd_ra_opts(addr_mode = "slaac", slla = ae:01:02:03:04:05, prefix = fd00::/64);',
    "reg0[3] = dns_lookup();",
    "reg0[3] = dhcp_relay_req_chk(10.0.0.1, 10.0.0.2);",
    "reg0[3] = dhcp_relay_resp_chk(10.0.0.1, 10.0.0.2);",
    "arp { output; };",
    "nd_ns { output; };",
    "nd_na { output; };",
    "icmp4_error { output; };",
    "icmp6 { output; };",
    "tcp_reset { output; };",
    "sctp_abort { output; };",
    "reject { output; };",
    "put_arp(inport, arp.spa, arp.sha);",
    "put_nd(inport, ip6.src, nd.sll);",
    "put_fdb(inport, eth.src);",
    'bind_vport("virtual", inport);',
    "handle_bfd_msg();",
    "log(verdict=allow);",
]


@st.composite
def damaged(draw, sources):
    """Bytes like some that make sense, but for a few."""
    found = bytearray(draw(st.sampled_from(sources)))
    for _ in range(draw(st.integers(0, 4))):
        if found:
            found[draw(st.integers(0, len(found) - 1))] = draw(st.integers(0, 255))
    return bytes(found[: draw(st.integers(0, len(found)))]) if draw(st.booleans()) else bytes(found)


@given(st.sampled_from(ACTIONS), damaged(PACKETS), st.booleans(), st.data())
def test_no_packet_makes_a_service_fail(action, packet, spoil, data):
    pin = punt(action, packet)
    if spoil:
        pin = pin._replace(userdata=data.draw(damaged([pin.userdata])))
    desk = Desk(Rows(), "chassis", lambda low, high: low)
    for effect in desk.packet(pin, 0.0):
        assert not isinstance(effect, Problem) or effect.text


@given(st.sampled_from(ACTIONS), damaged(PACKETS))
def test_a_question_always_has_an_answer(action, packet):
    pin = punt(action, packet)
    found = list(Desk(Rows(), "chassis", lambda low, high: low).packet(pin, 0.0))
    asks = Opcode(int.from_bytes(pin.userdata[:4], "big")) in QUESTIONS
    assert sum(isinstance(effect, Continue) for effect in found) == asks


def test_what_waits_for_a_next_hop_and_makes_no_sense_is_dropped():
    assert [type(each) for each in answer(punt("arp { output; };", b"short"))] == [Problem]


def test_a_paused_packet_for_no_service_goes_on():
    pin = PacketIn(PACKETS[0], match(metadata=2), userdata=b"\0\0\0\x10" + bytes(4), continuation=b"x")
    assert [type(each) for each in answer(pin)] == [Problem, Continue]
    assert [type(each) for each in answer(pin._replace(userdata=b"?"))] == [Problem, Continue]


def test_the_answer_may_be_anywhere_in_a_wide_register():
    pin = punt("xxreg0[100] = dns_lookup();", PACKETS[0], reg0=0x50)
    (found,) = (each for each in answer(pin, {}) if isinstance(each, Continue))
    assert {name: value for name, value, _ in found.message.match}["reg0"] == 0x40


def test_questions_and_waiting_are_services():
    assert (QUESTIONS - {Opcode.DNS_LOOKUP}) | WAITING <= SERVICES.keys()
