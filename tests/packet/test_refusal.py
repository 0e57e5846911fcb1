"""ICMP errors, TCP resets and SCTP aborts, as scapy reads them; and when there must be none."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.layers.sctp import SCTP, SCTPChunkAbort, SCTPChunkData, SCTPChunkInit

from pyovn.net.errors import Malformed
from pyovn.packet import refusal

LINK = Ether(src="40:44:00:00:00:01", dst="40:44:00:00:00:02")
FOUR, SIX = LINK / IP(src="10.0.0.1", dst="10.0.0.2"), LINK / IPv6(src="fd00::1", dst="fd00::2")


def read(frame):
    """A frame as scapy sees it, held to its checksums."""
    found = Ether(frame)
    again = found.copy()
    for layer in (IP, TCP, UDP, ICMP, SCTP, ICMPv6DestUnreach):
        if layer in again:
            for field in ("chksum", "cksum"):
                if field in again[layer].fields:
                    again[layer].delfieldval(field)
    assert bytes(again) == frame
    return found


@pytest.mark.parametrize(("probe", "limit"), [(FOUR / UDP(), 576), (SIX / UDP(), 1280)], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("size", [0, 100, 2000])
def test_an_error_quotes_as_much_as_every_host_takes(probe, limit, size):
    frame = bytes(probe / bytes(size))
    found = read(refusal.icmp_error(frame, 3, 1, 1400))
    assert len(found.payload) == min(limit, len(frame) - 14 + (28 if IP in probe else 48))
    assert frame[14:].startswith(bytes(found.payload)[28 if IP in probe else 48 :])


def test_padding_is_not_quoted():
    probe = bytes(FOUR / UDP() / b"x")
    assert refusal.icmp_error(probe + bytes(17), 3, 3) == refusal.icmp_error(probe, 3, 3)


@pytest.mark.parametrize(
    "probe",
    [
        FOUR / ICMP(type=3) / bytes(20),
        FOUR / ICMP(type=11) / bytes(20),
        SIX / ICMPv6DestUnreach() / bytes(40),
        LINK / IP(src="10.0.0.1", dst="224.0.0.5") / UDP(),
        LINK / IP(src="0.0.0.0", dst="10.0.0.1") / UDP(),
        LINK / IP(src="10.0.0.1", dst="255.255.255.255") / UDP(),
        Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(),
        LINK / IPv6(src="::", dst="fd00::2") / UDP(),
        LINK / IPv6(src="fd00::1", dst="ff02::1") / UDP(),
        LINK / IP(src="10.0.0.1", dst="10.0.0.2", frag=5) / b"later",
    ],
    ids=[
        "error",
        "time exceeded",
        "error 6",
        "group",
        "nobody",
        "everybody",
        "link",
        "nobody 6",
        "group 6",
        "fragment",
    ],
)
def test_no_error_is_told_about(probe):
    assert refusal.icmp_error(bytes(probe), 3, 1) is None


def test_packets_that_carry_nothing_deserve_errors():
    error = refusal.icmp_error(bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2", proto=2)), 11, 0)
    assert error is not None
    assert Ether(error)[ICMP].type == 11


def test_pings_deserve_errors():
    assert refusal.icmp_error(bytes(FOUR / ICMP()), 3, 1)
    assert refusal.icmp_error(bytes(SIX / ICMPv6EchoRequest()), 1, 1)


@pytest.mark.parametrize("under", [FOUR, SIX], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("segment", "seq", "ack", "flags"),
    [
        pytest.param(TCP(seq=7, flags="S"), 0, 8, "RA", id="SYN"),
        pytest.param(TCP(seq=7, flags="S") / b"early", 0, 13, "RA", id="SYN with data"),
        pytest.param(TCP(seq=2**32 - 1, flags="F"), 0, 0, "RA", id="FIN at the end of numbers"),
        pytest.param(TCP(seq=7, ack=9, flags="A") / b"data", 9, 0, "R", id="ACK"),
    ],
)
def test_a_reset_has_the_numbers_of_the_standard(under, segment, seq, ack, flags):
    found = read(refusal.tcp_reset(bytes(under / segment)))[TCP]
    assert (found.seq, found.ack, found.flags, found.sport, found.dport) == (seq, ack, flags, 80, 20)


def test_a_reset_is_not_reset():
    assert refusal.tcp_reset(bytes(FOUR / TCP(flags="R"))) is None


@pytest.mark.parametrize(
    ("chunk", "tag", "flags"),
    [(SCTPChunkInit(init_tag=77), 77, 0), (SCTPChunkData(data=b"x"), 55, 1)],
    ids=["INIT", "DATA"],
)
def test_an_abort_has_the_tag_that_is_believed(chunk, tag, flags):
    found = read(refusal.sctp_abort(bytes(FOUR / SCTP(sport=1, dport=2, tag=55) / chunk)))
    assert (found[SCTP].tag, found[SCTP].sport, found[SCTPChunkAbort].TCB) == (tag, 2, flags)


def test_an_abort_is_not_aborted():
    assert refusal.sctp_abort(bytes(FOUR / SCTP() / SCTPChunkAbort())) is None


@pytest.mark.parametrize("probe", [FOUR / UDP() / b"x", SIX / UDP() / b"x"], ids=["IPv4", "IPv6"])
def test_turning_round_exchanges_sender_and_receiver(probe):
    found = read(refusal.turned(bytes(probe)))
    kind = IP if IP in probe else IPv6
    assert (found.src, found.dst, found[kind].src, found[kind].dst) == (
        probe.dst, probe.src, probe[kind].dst, probe[kind].src,
    )  # fmt: skip


@pytest.mark.parametrize("refuse", [refusal.tcp_reset, refusal.sctp_abort])
def test_other_protocols_cannot_be_refused_so(refuse):
    with pytest.raises(Malformed):
        refuse(bytes(FOUR / UDP()))
    with pytest.raises(Malformed):
        refuse(bytes(LINK / ARP()))


@given(st.sampled_from([FOUR / TCP() / b"x", SIX / UDP(), FOUR / SCTP() / SCTPChunkData()]).map(bytes), st.data())
def test_garbage_is_malformed(frame, data):
    broken = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(12, len(broken) - 1))] = data.draw(st.integers(0, 255))
    for refuse in (
        refusal.tcp_reset,
        refusal.sctp_abort,
        refusal.turned,
        lambda found: refusal.icmp_error(found, 3, 1),
    ):
        with contextlib.suppress(Malformed):
            refuse(bytes(broken[: data.draw(st.integers(0, len(broken)))]))
