"""OpenFlow 1.0 as bytes: both ways, and against the bytes of a real switch and its tool."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.errors import Malformed
from pyovn.openflow import actions as a
from pyovn.openflow import codec, errors
from pyovn.openflow import messages as m
from pyovn.openflow.connection import SWITCHES, Connection, Received, Send, Up
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.flows import Flow, FlowStats
from pyovn.openflow.match import Match, match
from pyovn.openflow.of10.actions import decode_actions, encode_actions
from pyovn.openflow.of10.codec import OpenFlow10
from pyovn.openflow.of10.match import Wanted, decode_fixed, decode_nxm, encode_fixed, encode_nxm
from pyovn.packet.cursor import Cursor
from tests.openflow import strategies

#: as a real switch (3.7) writes them
ACTIONS: list[tuple[a.Action, str]] = [
    (a.Output(1), "00000008 00010000"),
    (a.Output(a.OFPP_LOCAL), "00000008 fffe0000"),
    (a.Controller(), "00000008 fffdffff"),
    (a.SetField("eth_src", 0x0A0000000001, 0xFFFFFFFFFFFF), "00040010 0a0000000001000000000000"),
    (a.SetField("ip_dst", 0x0A000002, 0xFFFFFFFF), "00070008 0a000002"),
    (a.SetField("tcp_dst", 81, 0xFFFF), "000a0008 00510000"),
    (a.SetField("ip_dscp", 5, 0x3F), "00080008 14000000"),
    (a.SetField("vlan_tci", 0x1005, 0x1FFF), "00010008 00050000"),
    (a.SetField("vlan_tci", 0x7000, 0xF000), "00020008 03000000"),
    (a.PopVlan(), "00030008 00000000"),
    (a.SetField("ip_ttl", 9, 0xFF), "ffff0018 00002320 0007 0007 00013a01 0000000000000009"),
    (a.SetField("arp_op", 2, 0xFFFF), "ffff0018 00002320 0007 000f 00001e02 0000000000000002"),
    (a.DecTtl(), "ffff0010 00002320 0012 000000000000"),
    (a.Resubmit(5), "ffff0010 00002320 000e fff8 05 000000"),
    (a.SetQueue(5), "ffff0010 00002320 0004 0000 00000005"),
    (a.Group(7), "ffff0010 00002320 0028 0000 00000007"),
    (a.DecMplsTtl(), "ffff0010 00002320 001a 000000000000"),
    (a.PopMpls(0x800), "ffff0010 00002320 0018 0800 00000000"),
]
FIXED: list[tuple[Match, str]] = [
    (match(eth_type=0x800, ip_src=(0x0A000000, 0xFF000000)),
     "003818ef 0000 000000000000 000000000000 0000 00 00 0800 00 00 0000 0a000000 00000000 0000 0000"),
    (match(in_port=1, vlan_tci=(0x1005, 0x1FFF)),
     "003820fc 0001 000000000000 000000000000 0005 00 00 0000 00 00 0000 00000000 00000000 0000 0000"),
    ((), "003820ff 0000 000000000000 000000000000 0000 00 00 0000 00 00 0000 00000000 00000000 0000 0000"),
]  # fmt: skip


def wire(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(("action", "text"), ACTIONS)
def test_actions_are_those_of_a_real_switch(action: a.Action, text: str) -> None:
    assert encode_actions((action,)) == wire(text)
    assert decode_actions(wire(text)) == (action,)


@pytest.mark.parametrize(("wanted", "text"), FIXED)
def test_fixed_matches_are_read_as_the_tool_writes_them(wanted: Match, text: str) -> None:
    assert decode_fixed(Cursor(wire(text))) == wanted
    assert decode_fixed(Cursor(encode_fixed(wanted))) == wanted


PORTS = {6: "tcp", 17: "udp", 132: "sctp"}


@st.composite
def fixed(draw: st.DrawFn) -> Match:
    """What the fixed form can say."""
    found: dict[str, int | tuple[int, int]] = {}
    given = draw(
        st.sets(st.sampled_from(("in_port", "eth_src", "eth_dst", "vlan", "pcp", "dscp", "src", "dst", "port")))
    )
    numbers = {"in_port": 0xFEFF, "eth_src": 2**48 - 1, "eth_dst": 2**48 - 1}
    found |= {name: draw(st.integers(0, most)) for name, most in numbers.items() if name in given}
    vid, pcp = draw(st.integers(0, 4095)), draw(st.integers(0, 7))
    if given & {"vlan", "pcp"}:
        value = 0x1000 | (vid if "vlan" in given else 0) | (pcp << 13 if "pcp" in given else 0)
        found["vlan_tci"] = value, (0x1FFF if "vlan" in given else 0x1000) | (0xE000 if "pcp" in given else 0)
    elif draw(st.booleans()):
        found["vlan_tci"] = 0
    proto = draw(st.sampled_from((None, 1, 6, 17, 132)))
    if given & {"dscp", "src", "dst", "port"}:
        found["eth_type"] = 0x800
        for name in ("src", "dst"):
            mask = 0xFFFFFFFF << draw(st.integers(0, 31)) & 0xFFFFFFFF
            if name in given:
                found[f"ip_{name}"] = draw(st.integers(0, 0xFFFFFFFF)) & mask, mask
        found |= {"ip_dscp": draw(st.integers(0, 63))} if "dscp" in given else {}
        if proto is not None:
            found["ip_proto"] = proto
            if "port" in given:
                found["icmp_type" if proto == 1 else f"{PORTS[proto]}_dst"] = draw(st.integers(0, 255))
    return match(**found)


@given(fixed())
def test_fixed_matches_survive(wanted: Match) -> None:
    assert decode_fixed(Cursor(encode_fixed(wanted))) == wanted


@given(strategies.matches)
def test_nxm_matches_survive(wanted: Match) -> None:
    assert decode_nxm(encode_nxm(wanted)) == Wanted(wanted)


def test_nxm_asks_for_cookies_too() -> None:
    assert decode_nxm(wire("00013c08 0000000000000007 00000602 0800")) == (match(eth_type=0x800), 7, 2**64 - 1)
    assert decode_nxm(wire("00013d10 0000000000000001 000000000000000f")) == ((), 1, 15)
    with pytest.raises(Malformed):
        decode_nxm(wire("00013d10 0000000000000010 000000000000000f"))


@given(strategies.whole_lists)
def test_actions_mean_the_same_again(actions: a.Actions) -> None:
    data = encode_actions(actions)
    assert encode_actions(decode_actions(data)) == data


@given(strategies.set_fields())
def test_constants_set_the_same_bits(action: a.SetField) -> None:
    bits: dict[int, bool] = {}
    for each in decode_actions(encode_actions((action,)), match(ip_proto=6)):
        assert isinstance(each, a.SetField)
        bits |= {at: bool(each.value >> at & 1) for at in range(128) if each.mask >> at & 1}
    expected = {at: bool(action.value >> at & 1) for at in range(128) if action.mask >> at & 1}
    if action.field == "vlan_vid":  # the number comes with its tag
        bits.pop(12, None)
        expected.pop(12, None)
    if action.field == "vlan_pcp":
        expected = {at + 13: bit for at, bit in expected.items()} | {12: True}
    assert bits == expected


def test_ports_are_those_of_the_protocol() -> None:
    data = encode_actions((a.SetField("udp_src", 5, 0xFFFF),))
    assert decode_actions(data, match(eth_type=0x800, ip_proto=17)) == (a.SetField("udp_src", 5, 0xFFFF),)
    assert decode_actions(wire("000b0010 00010000 00000000 00000007")) == (
        a.SetQueue(7), a.Output(1), a.PopQueue(),
    )  # fmt: skip


def old_connection() -> Connection:
    connection = Connection(SWITCHES)
    assert codec.decode(connection.greeting)[0] == m.Hello(1 << 6 | 1 << 5 | 1 << 4 | 1 << 1)
    assert list(connection.receive(wire("0100000800000001"))) == [Up()]
    return connection


def test_an_old_tool_is_spoken_to_in_its_language() -> None:
    connection = old_connection()
    assert isinstance(connection.dialect, OpenFlow10)
    assert list(connection.receive(wire("0112000800000007"))) == [Received(m.BarrierRequest(), 7)]
    assert connection.dialect.encode(m.BarrierReply(), 7) == wire("0113000800000007")
    assert list(connection.receive(wire("0102000800000009"))) == [Send(wire("0103000800000009"))]
    (told,) = connection.receive(wire("0612000800000008"))
    assert isinstance(told, Send)
    assert told.data[:12] == wire("0101001400000008 00010000")


def test_errors_carry_numbers_that_old_tools_know() -> None:
    dialect = OpenFlow10()
    request = wire("0112000800000008")
    dialect.decode(request)
    assert dialect.encode(m.Error(1, 1), 8) == wire("0101 0014 00000008 0001 0001") + request
    overlap, group = errors.CODES["OFPFMFC_OVERLAP"], errors.CODES["OFPBAC_BAD_OUT_GROUP"]
    assert dialect.encode(m.Error(*overlap), 8)[8:12] == wire("0003 0001")
    assert dialect.encode(m.Error(*group), 8)[8:20] == wire("b0c2 0000 00002320 0002 0009")


def test_long_replies_come_in_parts() -> None:
    dialect = OpenFlow10()
    dialect.decode(wire("0110 0020 00000008 ffff 0000 00002320 00000000 00000000 ffff 0000 ff 000000"))
    flows = [FlowStats(Flow(table, 5, match(metadata=table), (a.Output(1),))) for table in range(200)] * 10
    parts = list(codec.split(dialect.encode(m.MultipartReply("flow", tuple(flows)), 8)))
    assert [part[10:12] for part in parts] == [b"\0\1"] * (len(parts) - 1) + [b"\0\0"]
    assert len(parts) > 1
    assert sum(map(len, parts)) == 24 * len(parts) + 72 * len(flows)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0110 000c 00000001 0077 0000", id="unknown statistics"),
        pytest.param("0110 0018 00000001 ffff 0000 00000001 00000000 00000000", id="somebody else's statistics"),
        pytest.param("0110 0014 00000001 0001 0000 00000000 0000 0000", id="cut query"),
        pytest.param("010d 0010 00000001 ffffffff 0001 0008", id="cut packet-out"),
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises((BadMessage, Malformed)):
        OpenFlow10().decode(wire(text))
