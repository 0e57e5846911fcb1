"""The switch's view of a frame, and rewriting with checksums, against scapy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, LLC, SNAP, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet

from pyovn.net.ip import ip4_int, ip6_int
from pyovn.net.mac import mac_int
from pyovn.openflow.fields import FIELDS
from pyovn.packet.flowkey import flow_key, rewrite, rewrite_all

ETH = Ether(src="0a:00:00:00:00:01", dst="0a:00:00:00:00:02")
IP4 = IP(src="10.0.0.1", dst="10.0.0.2", tos=0xB9, ttl=7)
IP6 = IPv6(src="fd00::1", dst="fd00::2", tc=0xB9, fl=5, hlim=7)
DATA = b"some data"

FRAMES = {
    "tcp4": ETH / IP4 / TCP(sport=1000, dport=80, flags="SA") / DATA,
    "udp4": ETH / Dot1Q(vlan=7, prio=2) / IP4 / UDP(sport=1000, dport=53) / DATA,
    "sctp4": ETH / IP4 / SCTP(sport=1, dport=2),
    "icmp4": ETH / IP4 / ICMP(type=8, code=3) / DATA,
    "tcp6": ETH / IP6 / TCP(sport=1000, dport=80) / DATA,
    "udp6": ETH / IP6 / IPv6ExtHdrHopByHop() / UDP(sport=1000, dport=53) / DATA,
    "icmp6": ETH / IP6 / ICMPv6EchoRequest(data=DATA),
    "ns": ETH / IP6 / ICMPv6ND_NS(tgt="fd00::9") / ICMPv6NDOptSrcLLAddr(lladdr="0a:00:00:00:00:03"),
    "na": ETH / IP6 / ICMPv6ND_NA(tgt="fd00::9") / ICMPv6NDOptDstLLAddr(lladdr="0a:00:00:00:00:03"),
    "arp": ETH / ARP(op=2, psrc="10.0.0.1", pdst="10.0.0.2", hwsrc="0a:00:00:00:00:01", hwdst="0a:00:00:00:00:02"),
    "mpls": ETH / MPLS(label=5, cos=3, s=1, ttl=9) / IP4,
}


def key_of(name: str) -> dict[str, int]:
    return flow_key(bytes(FRAMES[name]))


def test_tcp_over_ipv4() -> None:
    assert key_of("tcp4") == {
        "eth_src": mac_int("0a:00:00:00:00:01"),
        "eth_dst": mac_int("0a:00:00:00:00:02"),
        "vlan_tci": 0,
        "eth_type": 0x800,
        "ip_src": ip4_int("10.0.0.1"),
        "ip_dst": ip4_int("10.0.0.2"),
        "ip_proto": 6,
        "ip_ttl": 7,
        "ip_dscp": 0xB9 >> 2,
        "ip_ecn": 1,
        "ip_frag": 0,
        "tcp_src": 1000,
        "tcp_dst": 80,
        "tcp_flags": 0x12,
    }


def test_a_tag_shows_with_the_present_bit() -> None:
    assert key_of("udp4")["vlan_tci"] == 2 << 13 | 0x1000 | 7
    assert key_of("udp4")["udp_dst"] == 53


def test_ipv6_with_extension_header() -> None:
    key = key_of("udp6")
    assert (key["ip_proto"], key["udp_dst"], key["ipv6_label"], key["ip_dscp"]) == (17, 53, 5, 0xB9 >> 2)


def test_neighbour_discovery() -> None:
    assert (key_of("ns")["nd_target"], key_of("ns")["nd_sll"]) == (ip6_int("fd00::9"), 0x0A0000000003)
    assert (key_of("na")["nd_tll"], key_of("na")["nd_options_type"]) == (0x0A0000000003, 2)
    assert "nd_sll" not in key_of("na")


def test_arp_sctp_mpls_and_icmp() -> None:
    assert (key_of("arp")["arp_op"], key_of("arp")["arp_tha"]) == (2, 0x0A0000000002)
    assert key_of("sctp4")["sctp_dst"] == 2
    assert (key_of("mpls")["mpls_label"], key_of("mpls")["mpls_ttl"]) == (5, 9)
    assert (key_of("icmp4")["icmp_type"], key_of("icmp4")["icmp_code"]) == (8, 3)


def test_later_fragments_have_no_ports() -> None:
    later = flow_key(bytes(ETH / IP(src="10.0.0.1", frag=5, proto=6) / DATA))
    assert later["ip_frag"] == 3
    assert "tcp_src" not in later
    first = flow_key(bytes(ETH / IP(src="10.0.0.1", flags="MF") / UDP(sport=5) / DATA))
    assert (first["ip_frag"], first["udp_src"]) == (1, 5)
    later6 = flow_key(bytes(ETH / IP6 / IPv6ExtHdrFragment(offset=3, nh=17) / DATA))
    assert (later6["ip_frag"], later6["ip_proto"]) == (3, 17)


def test_frames_with_a_length_are_llc_unless_snap_says_otherwise() -> None:
    assert flow_key(bytes(Dot3() / LLC() / DATA))["eth_type"] == 0x05FF
    assert flow_key(bytes(Dot3() / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x1234) / DATA))["eth_type"] == 0x1234


@given(st.sampled_from(sorted(FRAMES)), st.data())
def test_any_beginning_of_a_frame_gives_known_fields(name: str, data: st.DataObject) -> None:
    whole = bytes(FRAMES[name])
    key = flow_key(whole[: data.draw(st.integers(0, len(whole)))])
    assert set(key) <= set(FIELDS)


def settled(frame: bytes) -> bytes:
    """The frame as scapy rebuilds it with all checksums computed anew."""
    packet: Packet = Ether(frame)
    layer = packet
    while layer:
        for checksum in ("chksum", "cksum"):
            if checksum in layer.fields and not isinstance(layer, SCTP):
                del layer.fields[checksum]
        if isinstance(layer, SCTP):
            layer.fields["chksum"] = None
        layer = layer.payload
    return bytes(packet)


READ_ONLY = {
    "eth_type",
    "ip_proto",
    "ip_frag",
    "tcp_flags",
    "icmp_type",
    "icmpv6_type",
    "icmpv6_code",
    "nd_options_type",
}
CASES = [(name, field) for name in FRAMES for field in key_of(name) if field not in READ_ONLY]


@pytest.mark.parametrize(("name", "field"), CASES)
@given(data=st.data())
def test_rewriting_sets_the_field_and_repairs_checksums(name: str, field: str, data: st.DataObject) -> None:
    frame = bytes(FRAMES[name])
    value = data.draw(st.integers(0, FIELDS[field].full))
    if field == "vlan_tci":
        value |= 0x1000
    written = rewrite(frame, field, value)
    assert flow_key(written) == {**flow_key(frame), field: value}
    if name not in ("mpls",):
        assert settled(written) == written


def test_first_fragments_keep_a_checksum_that_fits_the_whole() -> None:
    whole = bytes(ETH / IP4 / UDP(sport=1, dport=2) / bytes(range(64)))
    first = bytearray(whole[:58])
    first[16:18] = (44).to_bytes(2, "big")
    first[20:22] = b"\x20\x00"
    piece = rewrite_all(bytes(first), {"ip_dst": 0x01020304, "udp_src": 77})
    assert piece[40:42] == rewrite_all(whole, {"ip_dst": 0x01020304, "udp_src": 77})[40:42]


def test_what_a_frame_lacks_is_not_written() -> None:
    frame = bytes(FRAMES["arp"])
    assert rewrite(frame, "tcp_src", 5) == frame
    assert rewrite(bytes(FRAMES["tcp4"]), "ip_proto", 5) == bytes(FRAMES["tcp4"])


def test_udp_without_checksum_stays_without() -> None:
    frame = bytes(ETH / IP4 / UDP(sport=1, dport=2, chksum=0))
    assert rewrite(frame, "ip_src", 9)[40:42] == b"\0\0"
