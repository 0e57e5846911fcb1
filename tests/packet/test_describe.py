import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.lab.capture import datagram_frame
from pyovn.lab.host import Host
from pyovn.packet import arp, ethernet, geneve, nd, vxlan
from pyovn.packet.describe import describe


def echo():
    host = Host(0x404400000001)
    host.configure("192.168.0.11/24")
    host.neighbours[4, 0xC0A8000C] = 0x404400000002
    return host.ping((4, 0xC0A8000C), 7, 1, 56, 0.0)[0]


ECHO = (
    "40:44:00:00:00:01 > 40:44:00:00:00:02, IPv4 192.168.0.11 > 192.168.0.12: ICMP echo request, id 7, seq 1, length 64"
)


def test_a_ping():
    assert describe(echo()) == ECHO


def test_a_tunnel_shows_its_keys_and_what_is_inside():
    inside = geneve.build(geneve.Geneve(1, echo(), (geneve.ovn_option(1, 2),)))
    line = describe(datagram_frame("10.0.0.1", 42113, "10.0.0.2", geneve.PORT, inside))
    assert "IPv4 10.0.0.1 > 10.0.0.2: UDP 42113 > 6081: Geneve, vni 0x1, OVN ingress 1 egress 2 | " + ECHO in line


def test_vxlan_too():
    inside = vxlan.build(vxlan.Vxlan(0x2001, echo()))
    assert f"VXLAN, vni 0x2001 | {ECHO}" in describe(datagram_frame("fd00::1", 1, "fd00::2", vxlan.PORT, inside))


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (arp.request(1, 0x0A000001, 0x0A000002), "ARP, request who-has 10.0.0.2 tell 10.0.0.1"),
        (arp.reply(arp.Arp(1, 2, 0x0A000001, 0, 0x0A000002), 5), "ARP, reply 10.0.0.2 is-at 00:00:00:00:00:05"),
        (nd.solicitation(1, 0xFE80 << 112 | 1, 0xFD00 << 112 | 2), "neighbor solicitation, who has fd00::2"),
        (ethernet.build(ethernet.Ethernet(1, 2, 0x88CC, b"123")), "ethertype 0x88cc, length 3"),
        (ethernet.build(ethernet.Ethernet(1, 2, 0x0800, b"123")), "ethertype 0x0800, malformed"),
        (b"x", "Ethernet frame of 1 bytes"),
    ],
)
def test_other_frames(frame, text):
    assert text in describe(frame)


@given(st.binary(max_size=120), st.sampled_from([0x0800, 0x86DD, 0x0806, 0x8035]))
def test_any_bytes_are_described(body, kind):
    assert describe(ethernet.build(ethernet.Ethernet(1, 2, kind, body)))
