"""Conntrack: states, NAT both ways, related errors, limits, expiry — and checksums always right."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.vswitch.conntrack.nat import Nat
from pyovn.vswitch.conntrack.states import ACK, FIN, RST, SYN
from pyovn.vswitch.conntrack.table import DNAT, EST, INV, NEW, REL, RPL, SNAT, TRK, Conntrack, CtAction
from pyovn.vswitch.conntrack.text import dumped
from pyovn.vswitch.conntrack.tuples import sums_right
from pyovn.vswitch.frame import extract
from pyovn.vswitch.key import get
from tests.vswitch.frames import IPS, IPS6, ethernet, icmp, icmp6, ip4, ip6, tcp, udp

A, B, PUBLIC = IPS[0], IPS[1], 0xC0000201
LOOK, COMMIT = CtAction(1), CtAction(1, commit=True)


def udp4(src: int = A, dst: int = B, sport: int = 1024, dport: int = 53, data: bytes = b"x") -> bytes:
    return ethernet(ip4(udp(sport, dport, data, src, dst), 17, src, dst), 0x800)


def tcp4(flags: int, src: int = A, dst: int = B, sport: int = 1024, dport: int = 80, **more: int) -> bytes:
    return ethernet(ip4(tcp(sport, dport, flags, src=src, dst=dst, **more), 6, src, dst), 0x800)


class Tracker:
    """Conntrack with a clock of its own; keeps the last frame that came out."""

    def __init__(self) -> None:
        self.table = Conntrack()
        self.now = 0.0
        self.frame = b""
        self.meta = 0

    def __call__(self, frame: bytes, action: CtAction = LOOK, meta: int = 0) -> int:
        self.frame, self.meta = self.table.process(frame, meta, action, self.now)
        assert not sums_right(frame, extract(frame)[1]) or sums_right(self.frame, extract(self.frame)[1])
        return get(self.meta, "ct_state")

    def out(self, *fields: str) -> tuple[int, ...]:
        key = extract(self.frame)[0]
        return tuple(get(key, field) for field in fields)


@pytest.fixture
def ct() -> Tracker:
    return Tracker()


def test_an_unknown_packet_is_new_until_it_is_committed(ct):
    assert ct(udp4()) == ct(udp4()) == TRK | NEW
    assert len(ct.table) == 0
    assert ct(udp4(), COMMIT) == TRK | NEW
    assert len(ct.table) == 1


def test_replies_establish(ct):
    ct(udp4(), COMMIT)
    assert ct(udp4()) == TRK | NEW
    assert ct(udp4(B, A, 53, 1024)) == TRK | EST | RPL
    assert ct(udp4()) == TRK | EST


def test_zones_do_not_see_each_other(ct):
    ct(udp4(), COMMIT)
    ct(udp4(B, A, 53, 1024))
    assert ct(udp4(), CtAction(2)) == TRK | NEW


def test_a_tcp_connection_from_syn_to_last_ack(ct):
    assert ct(tcp4(SYN, seq=100), COMMIT) == TRK | NEW
    assert ct(tcp4(SYN, seq=100)) == TRK | NEW
    back = {"src": B, "dst": A, "sport": 80, "dport": 1024}
    assert ct(tcp4(SYN | ACK, seq=500, ack=101, **back)) == TRK | EST | RPL
    assert ct(tcp4(ACK, seq=101, ack=501)) == TRK | EST
    assert "state=ESTABLISHED" in dumped(next(ct.table.connections(ct.now)))
    assert ct(tcp4(FIN | ACK, seq=101, ack=501)) == TRK | EST
    assert ct(tcp4(FIN | ACK, seq=501, ack=102, **back)) == TRK | EST | RPL
    assert ct(tcp4(ACK, seq=102, ack=502)) == TRK | EST
    assert ct(tcp4(SYN, seq=9000)) == TRK | NEW
    assert len(ct.table) == 0


def test_a_reset_ends_it(ct):
    ct(tcp4(SYN, seq=1), COMMIT)
    ct(tcp4(RST | ACK, B, A, 80, 1024, seq=0, ack=2))
    assert next(ct.table.connections(0.0)).expires <= 30


@pytest.mark.parametrize("flags", [0, SYN | FIN, SYN | RST, SYN | ACK, FIN])
def test_impossible_first_segments_are_invalid(ct, flags):
    assert ct(tcp4(flags)) == TRK | INV


def test_a_connection_may_be_picked_up_in_the_middle(ct):
    assert ct(tcp4(ACK, seq=7000, ack=100), COMMIT) == TRK | NEW
    assert ct(tcp4(ACK, B, A, 80, 1024, seq=100, ack=7000)) == TRK | EST | RPL


def test_a_segment_far_outside_the_window_is_invalid(ct):
    ct(tcp4(SYN, seq=100), COMMIT)
    ct(tcp4(SYN | ACK, B, A, 80, 1024, seq=500, ack=101))
    ct(tcp4(ACK, seq=101, ack=501))
    assert ct(tcp4(ACK, seq=1_000_000_000, ack=501)) == TRK | INV


def test_bad_checksums_are_invalid(ct):
    frame = bytearray(udp4())
    frame[-1] ^= 1
    assert ct(bytes(frame)) == TRK | INV


def test_mark_and_label_are_written_under_their_masks(ct):
    ct(udp4(), CtAction(1, commit=True, mark=(5, 0xF), label=(7 << 64, 0xFF << 64)))
    ct(udp4(), CtAction(1, commit=True, mark=(0x30, 0xF0)))
    ct(udp4())
    assert (get(ct.meta, "ct_mark"), get(ct.meta, "ct_label")) == (0x35, 7 << 64)


def test_the_original_tuple_is_reported_for_replies(ct):
    ct(udp4(), COMMIT)
    ct(udp4(B, A, 53, 1024))
    reported = [get(ct.meta, f"ct_{name}") for name in ("nw_src", "nw_dst", "tp_src", "tp_dst", "nw_proto")]
    assert reported == [A, B, 1024, 53, 17]


def test_source_nat_and_back(ct):
    assert ct(udp4(), CtAction(1, commit=True, nat=Nat("src", PUBLIC, PUBLIC))) == TRK | NEW | SNAT
    assert ct.out("ip_src", "ip_dst", "tp_src") == (PUBLIC, B, 1024)
    assert ct(udp4(B, PUBLIC, 53, 1024), CtAction(1, nat=Nat())) == TRK | EST | RPL | DNAT
    assert ct.out("ip_src", "ip_dst", "tp_dst") == (B, A, 1024)


def test_destination_nat_with_a_port_and_back(ct):
    nat = Nat("dst", IPS[2], IPS[2], 8080, 8080)
    assert ct(tcp4(SYN, dst=PUBLIC), CtAction(1, commit=True, nat=nat)) == TRK | NEW | DNAT
    assert ct.out("ip_dst", "tp_dst") == (IPS[2], 8080)
    assert ct(tcp4(SYN | ACK, IPS[2], A, 8080, 1024, ack=101), CtAction(1, nat=Nat())) == TRK | EST | RPL | SNAT
    assert ct.out("ip_src", "tp_src", "ip_dst") == (PUBLIC, 80, A)


def test_colliding_sources_get_ports_of_their_own(ct):
    nat = CtAction(1, commit=True, nat=Nat("src", PUBLIC, PUBLIC))
    ct(udp4(A), nat)
    first = ct.out("tp_src")
    ct(udp4(IPS[2]), nat)
    assert ct.out("ip_src") == (PUBLIC,)
    assert ct.out("tp_src") != first


def test_an_exhausted_range_is_invalid(ct):
    nat = CtAction(1, commit=True, nat=Nat("src", PUBLIC, PUBLIC, 4000, 4000))
    assert ct(udp4(A), nat) & NEW
    assert ct(udp4(IPS[2]), nat) == TRK | INV


def test_the_all_zero_address_keeps_the_address_and_resolves_collisions(ct):
    zero = CtAction(1, commit=True, nat=Nat("src", 0, 0))
    ct(udp4(A), CtAction(1, commit=True, nat=Nat("dst", IPS[2], IPS[2])))
    ct(udp4(A, IPS[2]), zero)
    assert ct.out("ip_src", "ip_dst") == (A, IPS[2])
    assert ct.out("tp_src") != (1024,)


def test_an_icmp_error_about_a_translated_connection_finds_its_way(ct):
    ct(udp4(), CtAction(1, commit=True, nat=Nat("src", PUBLIC, PUBLIC)))
    quoted = ip4(udp(1024, 53, b"x", PUBLIC, B), 17, PUBLIC, B)
    error = ethernet(ip4(icmp(3, 3, 0, quoted)[:4] + bytes(4) + quoted, 1, IPS[3], PUBLIC), 0x800)
    fixed = bytearray(error)
    from pyovn.vswitch.conntrack.tuples import renewed_icmp_sum

    renewed_icmp_sum(fixed, extract(error)[1])
    assert ct(bytes(fixed), CtAction(1, nat=Nat())) == TRK | REL | RPL | DNAT
    assert ct.out("ip_src", "ip_dst") == (IPS[3], A)
    assert ct.frame[42 + 12 : 42 + 20] == A.to_bytes(4, "big") + B.to_bytes(4, "big")


def test_an_icmp_error_about_nothing_is_invalid(ct):
    quoted = ip4(udp(), 17)
    error = bytearray(ethernet(ip4(icmp(3, 3, 0, quoted), 1), 0x800))
    assert ct(bytes(error)) == TRK | INV


def test_echo_and_its_reply(ct):
    ping, pong = (ethernet(ip4(icmp(kind), 1, *ends), 0x800) for kind, ends in ((8, (A, B)), (0, (B, A))))
    assert ct(pong) == TRK | INV
    assert ct(ping, COMMIT) == TRK | NEW
    assert ct(pong) == TRK | EST | RPL
    assert dumped(next(ct.table.connections(0.0))) == (
        "icmp,orig=(src=10.0.0.1,dst=10.0.0.2,id=5,type=8,code=0),"
        "reply=(src=10.0.0.2,dst=10.0.0.1,id=5,type=0,code=0),zone=1"
    )


def test_ipv6_echo_is_translated(ct):
    ping = ethernet(ip6(icmp6(), 58), 0x86DD)
    assert ct(ping, CtAction(1, commit=True, nat=Nat("src", IPS6[2], IPS6[2]))) == TRK | NEW | SNAT
    assert ct.out("ipv6_src") == (IPS6[2],)


def test_later_fragments_follow_their_first(ct):
    whole = udp(1024, 53, bytes(32))
    first = ethernet(ip4(whole[:24], 17, frag=0x2000), 0x800)
    last = ethernet(ip4(whole[24:], 17, frag=3), 0x800)
    assert ct(last) == TRK | INV
    assert ct(first, CtAction(1, commit=True, nat=Nat("src", PUBLIC, PUBLIC))) == TRK | NEW | SNAT
    assert ct(last, CtAction(1, nat=Nat())) == TRK | EST | SNAT
    assert ct.out("ip_src") == (PUBLIC,)


def test_connections_expire(ct):
    ct(udp4(), COMMIT)
    ct.now = 61.0
    assert ct(udp4()) == TRK | NEW
    ct.table.sweep(ct.now)
    assert list(ct.table.connections(ct.now)) == []


def test_a_full_zone_commits_no_more(ct):
    ct.table.limits[1] = 1
    ct(udp4(), COMMIT)
    ct(udp4(IPS[2]), COMMIT)
    ct(udp4(IPS[2]), CtAction(2, commit=True))
    assert [connection.zone for connection in ct.table.connections(0.0)] == [1, 2]


def test_flush_by_zone_and_by_tuple(ct):
    ct(udp4(), COMMIT)
    ct(udp4(), CtAction(2, commit=True))
    assert ct.table.flush(zone=2) == 1
    assert ct.table.flush(tuple_=next(ct.table.connections(0.0)).reply) == 1
    assert len(ct.table) == 0


def test_force_turns_a_connection_around(ct):
    ct(udp4(), COMMIT)
    ct(udp4(B, A, 53, 1024), CtAction(1, commit=True, force=True))
    assert next(ct.table.connections(0.0)).original.src == B


def test_tftp_announces_its_data_connection(ct):
    request = udp4(sport=2000, dport=69, data=b"\0\1file\0octet\0")
    ct(request, CtAction(1, commit=True, alg=69))
    assert ct(udp4(B, A, 3000, 2000)) == TRK | NEW | REL


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(IPS), st.sampled_from(IPS), st.integers(1, 3), st.integers(1, 3),
            st.sampled_from((None, Nat("src", PUBLIC, PUBLIC), Nat("dst", IPS[2], IPS[2], 2, 2), Nat())), st.booleans(),
        ),
        max_size=20,
    )
)  # fmt: skip
def test_what_nat_does_its_reply_undoes(packets):
    ct = Tracker()
    for src, dst, sport, dport, nat, commit in packets:
        frame = udp4(src, dst, sport, dport)
        state = ct(frame, CtAction(1, commit=commit, nat=nat))
        if state & INV or not commit:
            continue
        key = extract(ct.frame)[0]
        out = [get(key, name) for name in ("ip_src", "ip_dst", "tp_src", "tp_dst")]
        ct(udp4(out[1], out[0], out[3], out[2]), CtAction(1, nat=Nat()))
        if state & (SNAT | DNAT) and not state & RPL:
            assert ct.out("ip_dst", "ip_src", "tp_dst", "tp_src") == (src, dst, sport, dport)
