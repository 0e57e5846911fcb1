"""The law of composed frames: what a switch sees in them is what they were made from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.openflow.fields import FULL
from pyovn.packet import ethernet, ipv4, tcp, udp
from pyovn.packet.compose import PAYLOAD, compose
from pyovn.packet.flowkey import flow_key

IP4 = {"eth_type": ethernet.IP4}
IP6 = {"eth_type": ethernet.IP6}
#: what a frame is, and the fields that it then has
KINDS = [
    ({"eth_type": ethernet.ARP}, ("arp_op", "arp_sha", "arp_spa", "arp_tha", "arp_tpa")),
    ({**IP4, "ip_proto": 6}, ("ip_src", "ip_dst", "ip_ttl", "ip_dscp", "ip_ecn", "tcp_src", "tcp_dst", "tcp_flags")),
    ({**IP4, "ip_proto": 17}, ("ip_src", "udp_src", "udp_dst")),
    ({**IP4, "ip_proto": 1}, ("ip_dst", "icmp_type", "icmp_code")),
    ({**IP4, "ip_proto": 50, "ip_frag": 1}, ("ip_src", "ip_ttl")),
    ({**IP4, "ip_proto": 17, "ip_frag": 3}, ("ip_src", "ip_dst")),
    ({**IP6, "ip_proto": 6}, ("ipv6_src", "ipv6_dst", "ipv6_label", "ip_ttl", "ip_dscp", "tcp_dst")),
    ({**IP6, "ip_proto": 132}, ("ipv6_src", "sctp_src", "sctp_dst")),
    ({**IP6, "ip_proto": 58, "icmpv6_type": 128}, ("ipv6_dst", "icmpv6_code")),
    ({**IP6, "ip_proto": 58, "icmpv6_type": 135}, ("nd_target", "nd_sll", "nd_reserved")),
    ({**IP6, "ip_proto": 58, "icmpv6_type": 136}, ("nd_target", "nd_tll")),
    ({**IP6, "ip_proto": 17, "ip_frag": 1}, ("ipv6_src", "udp_dst")),
    ({"eth_type": 0x1234}, ()),
]


@st.composite
def described(draw: st.DrawFn) -> dict[str, int]:
    fixed, more = draw(st.sampled_from(KINDS))
    names = ("eth_src", "eth_dst", *more)
    fields = {name: draw(st.integers(1, FULL[name])) for name in names}
    tagged = {"vlan_tci": 0x1000 | draw(st.integers(0, 0xFFFF))} if draw(st.booleans()) else {}
    return {**fields, **fixed, **tagged}


@given(described())
def test_a_frame_has_the_fields_it_was_made_from(fields: dict[str, int]) -> None:
    seen = flow_key(compose(fields))
    assert {name: seen.get(name) for name in fields} == fields


@pytest.mark.parametrize("proto", [6, 17])
def test_checksums_are_right(proto: int) -> None:
    packet = ipv4.parse(ethernet.parse(compose({**IP4, "ip_proto": proto, "ip_src": 1, "ip_dst": 2})).payload)
    verify = tcp.verify if proto == 6 else udp.verify
    assert verify(packet.payload, 4, 1, 2)
    assert packet.payload.endswith(PAYLOAD)
