"""The codecs that services speak: parse undoes build, scapy and dpkt agree, and what is cut off is Malformed."""

import contextlib

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.bfd import BFD
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DUID_LL, DHCP6_Solicit, DHCP6OptClientId, DHCP6OptIA_NA, DHCP6OptIAAddress
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.layers.l2 import Dot1Q, Ether

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip6_int
from pyovn.packet import bfd, datagram, dhcp4, dhcp6, dns


def bits(n):
    return st.integers(0, 2**n - 1)


names = st.lists(st.text("abcdefghijklmnopqrstuvwxyz0123456789-ä", min_size=1, max_size=20), max_size=5).map(".".join)
values = st.binary(max_size=600)
boot = st.binary(max_size=20).map(lambda text: text.rstrip(b"\0"))
messages4 = st.builds(
    dhcp4.Message,
    bits(8),
    bits(32),
    st.binary(min_size=16, max_size=16),
    st.dictionaries(st.integers(1, 254).filter(lambda code: code != dhcp4.Option.OVERLOAD), values, max_size=5),
    *(bits(n) for n in (16, 32, 32, 32, 32, 8, 8, 8, 16)),
    boot,
    boot,
)
options6 = st.lists(st.tuples(bits(16), st.binary(max_size=40)), max_size=5).map(tuple)
messages6 = st.builds(dhcp6.Message, bits(8), bits(24), options6)
associations = st.builds(dhcp6.Association, bits(32), bits(32), bits(32), options6)
records = st.lists(st.builds(dns.Record, names, bits(16), st.binary(max_size=30), bits(32), bits(16)), max_size=3)
queries = st.builds(
    dns.Message,
    bits(16),
    bits(16),
    st.lists(st.builds(dns.Question, names, bits(16), bits(16)), max_size=2).map(tuple),
    records.map(tuple),
    records.map(tuple),
    records.map(tuple),
)
controls = st.builds(
    bfd.Control,
    st.sampled_from(bfd.State),
    st.integers(1, 2**32 - 1),
    st.integers(1, 2**32 - 1),
    bits(32),
    bits(32),
    bits(32),
    st.integers(1, 255),
    st.sampled_from((0, bfd.POLL, bfd.FINAL, bfd.DEMAND)),
    bits(5),
)
CODECS = [
    pytest.param(dhcp4, messages4, id="DHCP"),
    pytest.param(dhcp6, messages6, id="DHCPv6"),
    pytest.param(dns, queries, id="DNS"),
    pytest.param(bfd, controls, id="BFD"),
]


@pytest.mark.parametrize(("codec", "messages"), CODECS)
def test_parsing_undoes_building(codec, messages):
    @given(messages)
    def law(message):
        assert codec.parse(codec.build(message)) == message

    law()


@pytest.mark.parametrize(("codec", "messages"), CODECS)
def test_garbage_is_malformed(codec, messages):
    @given(messages, st.data())
    def law(message, data):
        whole = bytearray(codec.build(message))
        for _ in range(data.draw(st.integers(0, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(bits(8))
        with contextlib.suppress(Malformed):
            codec.parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))

    law()


@given(associations)
def test_an_association_is_read_as_written(association):
    assert dhcp6.parse_association(dhcp6.build_association(association)) == association


@given(st.builds(dhcp6.Prefix, bits(128), st.integers(0, 128), bits(32), bits(32)))
def test_a_prefix_is_read_as_written(prefix):
    code, value = dhcp6.prefix(prefix)
    assert (code, dhcp6.read_prefix(value)) == (26, prefix)


@pytest.mark.parametrize(
    "read", [dhcp6.parse_association, dhcp6.read_prefix, dhcp6.read_address], ids=["IA", "prefix", "address"]
)
def test_truncated_dhcpv6_values_are_malformed(read):
    with pytest.raises(Malformed):
        read(b"short")


def test_dpkt_reads_our_dhcp():
    message = dhcp4.Message(dhcp4.REPLY, 7, b"\x40\x44".ljust(16, b"\0"), {53: b"\2", 54: b"\x0a\0\0\1"}, yiaddr=9)
    theirs = dpkt.dhcp.DHCP(dhcp4.build(message))
    assert (theirs.op, theirs.xid, theirs.yiaddr, theirs.opts) == (2, 7, 9, [(53, b"\2"), (54, b"\x0a\0\0\1")])


def test_we_read_scapys_dhcp():
    theirs = BOOTP(xid=3, flags="B", ciaddr="10.0.0.9") / DHCP(options=[("message-type", "request"), "pad", "end"])
    message = dhcp4.parse(bytes(theirs))
    assert (message.type, message.flags, message.wanted_address) == (3, dhcp4.BROADCAST_FLAG, ip4_int("10.0.0.9"))


def test_options_may_continue_in_the_name_fields():
    raw = bytearray(dhcp4.build(dhcp4.Message(1, 1, bytes(16), {52: b"\3"})))
    raw[44:49], raw[108:113] = b"\x0c\2ab\xff", b"\x35\1\1\xff\0"
    message = dhcp4.parse(bytes(raw))
    assert (message.options, message.sname, message.file) == ({53: b"\1", 12: b"ab"}, b"", b"")


@pytest.mark.parametrize("value", [b"", b"\x63", b"\1\1"])
def test_unknown_message_types_are_none(value):
    assert dhcp4.Message(1, 1, bytes(16), {53: value}).type is dhcp4.Type.NONE


def test_a_bootp_message_is_not_dhcp():
    with pytest.raises(Malformed):
        dhcp4.parse(bytes(300))


def test_scapy_and_we_write_the_same_dhcpv6():
    duid = dhcp6.link_layer_id(0x404400000001)
    lease = dhcp6.build_association(dhcp6.Association(9, 1, 2, (dhcp6.address(ip6_int("fd00::5"), 3, 4),)))
    ours = dhcp6.Message(dhcp6.Type.SOLICIT, 5, ((1, duid), (3, lease)))
    address = DHCP6OptIAAddress(addr="fd00::5", preflft=3, validlft=4)
    theirs = (
        DHCP6_Solicit(trid=5)
        / DHCP6OptClientId(duid=DUID_LL(lladdr="40:44:00:00:00:01"))
        / DHCP6OptIA_NA(iaid=9, T1=1, T2=2, ianaopts=[address])
    )
    assert dhcp6.build(ours) == bytes(theirs)


def test_scapy_reads_our_dns():
    answer = dns.Record("Vm.example.org", dns.A, b"\x0a\0\0\1", 3600)
    ours = dns.Message(7, dns.RESPONSE, (dns.Question("Vm.example.org", dns.A),), (answer,))
    theirs = DNS(dns.build(ours))
    assert (theirs.qd[0].qname, theirs.an[0].rrname, theirs.an[0].rdata) == (
        b"Vm.example.org.", b"Vm.example.org.", "10.0.0.1",
    )  # fmt: skip


def test_we_read_compressed_names():
    theirs = DNS(id=1, qr=1, qd=DNSQR(qname="a.b.c"), an=DNSRR(rrname="a.b.c", rdata="1.2.3.4"))
    plain = bytes(theirs)
    message = dns.parse(plain[:23] + b"\xc0\x0c" + plain[-14:])
    assert message.answers[0].name == message.questions[0].name == "a.b.c"


@pytest.mark.parametrize(
    "name", [b"\xc0\x0c", b"\xc0\xff", b"\1.\0", b"\x40" + bytes(70)], ids=["loop", "far", "dot", "64"]
)
def test_names_that_lead_nowhere_are_malformed(name):
    with pytest.raises(Malformed):
        dns.parse(bytes.fromhex("000100000001000000000000") + name + bytes(4))


def test_names_that_are_too_long_are_not_written():
    with pytest.raises(Malformed):
        dns.name("x" * 64)


def test_scapy_and_we_write_the_same_bfd():
    ours = bfd.Control(bfd.State.UP, 0x11111111, 0x22222222, 300_000, 400_000, 0, 3, bfd.POLL)
    theirs = BFD(
        sta=3, flags=bfd.POLL, my_discriminator=0x11111111, your_discriminator=0x22222222, min_tx_interval=300_000,
        min_rx_interval=400_000, echo_rx_interval=0,
    )  # fmt: skip
    assert bfd.build(ours) == bytes(theirs)


@pytest.mark.parametrize(
    "control",
    [
        bfd.Control(bfd.State.UP, 0, 1),
        bfd.Control(bfd.State.UP, 1, 0),
        bfd.Control(bfd.State.UP, 1, 1, multiplier=0),
        bfd.Control(bfd.State.UP, 1, 1, flags=bfd.MULTIPOINT),
    ],
    ids=["no discriminator", "for nobody", "no multiplier", "multipoint"],
)
def test_packets_that_the_protocol_forbids_are_malformed(control):
    with pytest.raises(Malformed):
        bfd.parse(bfd.build(control))


@pytest.mark.parametrize(
    "theirs",
    [
        Ether() / IP(dst="10.0.0.1") / UDP(sport=1, dport=2) / b"hello",
        Ether() / Dot1Q(vlan=5) / IP(dst="10.0.0.1") / UDP(sport=1, dport=2) / b"hello",
        Ether() / IPv6(dst="fd00::1") / UDP(sport=1, dport=2) / b"hello",
    ],
    ids=["IPv4", "tagged", "IPv6"],
)
def test_a_datagram_is_built_as_scapy_builds_it(theirs):
    ours = datagram.parse(bytes(theirs))
    assert (ours.data, datagram.build(ours)) == (b"hello", bytes(theirs))
    theirs[UDP].remove_payload()
    assert datagram.build(ours.saying(b"")) == bytes(theirs)


def test_extension_headers_are_left_out_of_answers():
    theirs = Ether() / IPv6(dst="fd00::1") / IPv6ExtHdrDestOpt() / UDP(sport=1, dport=2) / b"x"
    assert Ether(datagram.build(datagram.parse(bytes(theirs))))[IPv6].nh == 17


@pytest.mark.parametrize(
    "theirs",
    [
        Ether() / IP(dst="10.0.0.1", flags="MF") / UDP() / b"part",
        Ether() / IP(dst="10.0.0.1", proto=6) / bytes(20),
        Ether() / IPv6(dst="fd00::1") / IPv6ExtHdrFragment(m=1) / UDP() / b"part",
        Ether() / IPv6(dst="fd00::1", nh=6) / bytes(20),
    ],
    ids=["fragment", "TCP", "IPv6 fragment", "TCP over IPv6"],
)
def test_other_packets_hold_no_datagram(theirs):
    with pytest.raises(Malformed):
        datagram.parse(bytes(theirs))
