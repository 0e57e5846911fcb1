"""Every codec: parse undoes build, scapy agrees, and cut-off input is Malformed, never another exception."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.layers.vxlan import VXLAN

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip6_int, solicited_node
from pyovn.net.mac import mac_int
from pyovn.packet import arp, ethernet, geneve, icmp4, icmp6, ipv4, ipv6, nd, sctp, tcp, udp, vxlan


def bits(n: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**n - 1)


payload = st.binary(max_size=80)
words = st.binary(max_size=10).map(lambda data: data * 4)
v6 = bits(128)

frames = st.builds(
    ethernet.Ethernet,
    bits(48),
    bits(48),
    st.sampled_from((ethernet.IP4, ethernet.ARP, 0x1234)),
    payload,
    st.none() | bits(16),
    st.sampled_from(ethernet.TPIDS),
)
packets4 = st.builds(
    ipv4.Ipv4,
    bits(32),
    bits(32),
    bits(8),
    payload,
    bits(8),
    bits(8),
    bits(16),
    bits(16),
    words.filter(lambda o: len(o) <= 40),
)
packets6 = st.builds(ipv6.Ipv6, v6, v6, bits(8), payload, bits(8), bits(8), bits(20))
segments = st.builds(
    tcp.Tcp,
    bits(16),
    bits(16),
    bits(32),
    bits(32),
    bits(12),
    bits(16),
    payload,
    words.filter(lambda o: len(o) <= 40),
    bits(16),
)
datagrams = st.builds(udp.Udp, bits(16), bits(16), payload)
chunks = st.builds(sctp.Chunk, bits(8), bits(8), payload)
associations = st.builds(sctp.Sctp, bits(16), bits(16), bits(32), st.lists(chunks, max_size=3).map(tuple))
options = st.builds(geneve.Option, bits(16), bits(8), words)
tunnels = st.builds(geneve.Geneve, bits(24), payload, st.lists(options, max_size=3).map(tuple), bits(16), st.booleans())
nd_options = st.lists(st.tuples(bits(8), st.binary(min_size=6, max_size=6)), max_size=3).map(tuple)
neighbors = st.builds(nd.Neighbor, st.sampled_from((icmp6.NS, icmp6.NA)), v6, bits(32), nd_options)


@given(frames)
def test_ethernet(frame: ethernet.Ethernet) -> None:
    again = ethernet.parse(ethernet.build(frame))
    assert again == (frame if frame.tci is not None else frame._replace(tpid=ethernet.VLAN))


@given(st.builds(arp.Arp, bits(16), bits(48), bits(32), bits(48), bits(32)))
def test_arp(message: arp.Arp) -> None:
    assert arp.parse(arp.build(message)) == message


@given(packets4)
def test_ipv4(packet: ipv4.Ipv4) -> None:
    assert ipv4.parse(ipv4.build(packet) + b"padding") == packet


@given(packets6)
def test_ipv6(packet: ipv6.Ipv6) -> None:
    assert ipv6.parse(ipv6.build(packet) + b"padding") == packet


@given(st.builds(icmp4.Icmp4, bits(8), bits(8), bits(32), payload))
def test_icmp4(message: icmp4.Icmp4) -> None:
    assert icmp4.parse(icmp4.build(message)) == message


@given(st.builds(icmp6.Icmp6, bits(8), bits(8), bits(32), payload), v6, v6)
def test_icmp6(message: icmp6.Icmp6, src: int, dst: int) -> None:
    assert icmp6.parse(icmp6.build(message, src, dst), src, dst) == message


@given(neighbors)
def test_neighbor(neighbor: nd.Neighbor) -> None:
    assert nd.parse(nd.build(neighbor)) == neighbor


@given(st.builds(nd.RouterAdvertisement, bits(8), bits(8), bits(16), bits(32), bits(32), nd_options))
def test_router_advertisement(ra: nd.RouterAdvertisement) -> None:
    assert nd.parse_ra(nd.build_ra(ra)) == ra


@given(segments, v6, v6)
def test_tcp(segment: tcp.Tcp, src: int, dst: int) -> None:
    built = tcp.build(segment, 6, src, dst)
    assert tcp.parse(built) == segment
    assert tcp.verify(built, 6, src, dst)


@given(datagrams, bits(32), bits(32))
def test_udp(datagram: udp.Udp, src: int, dst: int) -> None:
    built = udp.build(datagram, 4, src, dst)
    assert udp.parse(built + b"padding") == datagram
    assert udp.verify(built, 4, src, dst)


@given(associations)
def test_sctp(packet: sctp.Sctp) -> None:
    assert sctp.parse(sctp.build(packet)) == packet


@given(tunnels)
def test_geneve(packet: geneve.Geneve) -> None:
    assert geneve.parse(geneve.build(packet)) == packet


@given(bits(24), payload)
def test_vxlan(vni: int, data: bytes) -> None:
    assert vxlan.parse(vxlan.build(vxlan.Vxlan(vni, data))) == vxlan.Vxlan(vni, data)


PARSERS = (
    ethernet.parse,
    arp.parse,
    ipv4.parse,
    ipv6.parse,
    lambda data: ipv6.upper(ipv6.parse(data)),
    icmp4.parse,
    lambda data: icmp6.parse(data, 1, 2, verify=False),
    lambda data: nd.parse(icmp6.parse(data, 1, 2, verify=False)),
    lambda data: nd.parse_ra(icmp6.parse(data, 1, 2, verify=False)),
    udp.parse,
    tcp.parse,
    sctp.parse,
    lambda data: sctp.parse(data, verify=False),
    geneve.parse,
    vxlan.parse,
)


@given(st.sampled_from(PARSERS), st.binary(max_size=100))
def test_no_input_breaks_a_parser(parser, data: bytes) -> None:  # type: ignore[no-untyped-def]
    with contextlib.suppress(Malformed):
        parser(data)


MAC1, MAC2 = "0a:00:00:00:00:01", "0a:00:00:00:00:02"
FROM_4 = (ip4_int("10.0.0.1"), ip4_int("10.0.0.2"))
FROM_6 = (ip6_int("fd00::1"), ip6_int("fd00::2"))


def ether(payload: bytes, type_: int) -> bytes:
    return ethernet.build(ethernet.Ethernet(mac_int(MAC2), mac_int(MAC1), type_, payload))


def test_tcp_in_ipv4_is_what_scapy_builds() -> None:
    theirs = (
        Ether(src=MAC1, dst=MAC2) / IP(src="10.0.0.1", dst="10.0.0.2", ttl=9) / TCP(sport=1, dport=2, seq=3) / b"hello"
    )
    segment = tcp.Tcp(1, 2, 3, 0, tcp.SYN, 8192, b"hello")
    packet = ipv4.Ipv4(*FROM_4, 6, tcp.build(segment, 4, *FROM_4), 9, id=1)
    assert ether(ipv4.build(packet), ethernet.IP4) == bytes(theirs)


def test_udp_in_tagged_ipv6_is_what_scapy_builds() -> None:
    theirs = (
        Ether(src=MAC1, dst=MAC2)
        / Dot1Q(vlan=5, prio=3)
        / IPv6(src="fd00::1", dst="fd00::2", fl=7)
        / UDP(sport=1, dport=2)
        / b"x"
    )
    packet = ipv6.Ipv6(*FROM_6, 17, udp.build(udp.Udp(1, 2, b"x"), 6, *FROM_6), label=7)
    frame = ethernet.Ethernet(mac_int(MAC2), mac_int(MAC1), ethernet.IP6, ipv6.build(packet), 3 << 13 | 5)
    assert ethernet.build(frame) == bytes(theirs)


def test_echo_requests_are_what_scapy_builds() -> None:
    theirs = IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(id=7, seq=8) / b"ping"
    message = icmp4.build(icmp4.echo(icmp4.ECHO_REQUEST, 7, 8, b"ping"))
    assert ipv4.build(ipv4.Ipv4(*FROM_4, 1, message, id=1)) == bytes(theirs)
    theirs = IPv6(src="fd00::1", dst="fd00::2") / ICMPv6EchoRequest(id=7, seq=8, data=b"ping")
    message = icmp6.build(icmp6.echo(icmp6.ECHO_REQUEST, 7, 8, b"ping"), *FROM_6)
    assert ipv6.build(ipv6.Ipv6(*FROM_6, 58, message)) == bytes(theirs)


def test_address_questions_are_what_scapy_builds() -> None:
    theirs = Ether(src=MAC1, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=MAC1, psrc="10.0.0.1", pdst="10.0.0.2")
    assert arp.request(mac_int(MAC1), *FROM_4) == bytes(theirs)
    group = solicited_node(FROM_6[1])
    theirs = (
        Ether(src=MAC1, dst="33:33:ff:00:00:02")
        / IPv6(src="fd00::1", dst="ff02::1:ff00:2", hlim=255)
        / ICMPv6ND_NS(tgt="fd00::2")
        / ICMPv6NDOptSrcLLAddr(lladdr=MAC1)
    )
    assert nd.solicitation(mac_int(MAC1), *FROM_6) == bytes(theirs)
    assert group == ip6_int("ff02::1:ff00:2")


def test_sctp_and_vxlan_are_what_scapy_builds() -> None:
    theirs = SCTP(sport=1, dport=2, tag=3) / SCTPChunkData(data=b"abcde", beginning=1, ending=1)
    chunk = sctp.Chunk(sctp.DATA, 3, bytes(12) + b"abcde")
    assert sctp.build(sctp.Sctp(1, 2, 3, (chunk,))) == bytes(theirs)
    assert vxlan.build(vxlan.Vxlan(5, b"frame"))[:8] == bytes(VXLAN(vni=5, flags=8))[:8]


def test_a_duplicate_address_probe_has_no_source_option() -> None:
    probe = ethernet.parse(nd.solicitation(1, 0, FROM_6[1]))
    packet = ipv6.parse(probe.payload)
    assert nd.parse(icmp6.parse(packet.payload, packet.src, packet.dst)).lla is None


def test_ovn_puts_its_port_keys_in_a_critical_option() -> None:
    packet = geneve.Geneve(1, b"", (geneve.ovn_option(2, 0x8001),))
    assert geneve.build(packet).hex() == "0240655800000100" + "01028001" + "00028001"
    assert geneve.ovn_keys(packet) == (2, 0x8001)
    assert geneve.ovn_keys(geneve.Geneve(1, b"")) is None


def test_fragments_join_to_the_packet() -> None:
    packet = ipv4.Ipv4(*FROM_4, 17, bytes(range(100)))
    pieces = list(ipv4.fragments(packet, 60))
    assert b"".join(piece.payload for piece in pieces) == packet.payload
    assert [(piece.offset, piece.more) for piece in pieces] == [(0, True), (40, True), (80, False)]


def test_mss_is_found_among_options() -> None:
    assert tcp.mss(b"\1\1" + tcp.mss_option(1400)) == 1400
    assert tcp.mss(b"\3\3\7" + tcp.mss_option(536)) == 536
    assert tcp.mss(b"\0") is None
    assert tcp.mss(b"\2\0\0\0") is None


def test_bad_checksums_are_told() -> None:
    with pytest.raises(Malformed, match="checksum"):
        ipv4.parse(ipv4.build(ipv4.Ipv4(1, 2, 3, b""))[:-1] + b"\7")
    with pytest.raises(Malformed, match="checksum"):
        icmp4.parse(bytes(8) + b"x")
    assert not udp.verify(b"\0\1\0\2\0\x08\1\1", 4, 1, 2)
    assert udp.verify(bytes(8), 4, 1, 2)
    assert not udp.verify(bytes(8), 6, 1, 2)
