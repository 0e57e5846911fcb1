"""OpenFlow 1.3 and 1.4 as bytes: against those of a real switch, and what they mean."""

import pytest
from hypothesis import given

from pyovn.openflow import actions as a
from pyovn.openflow import codec
from pyovn.openflow import messages as m
from pyovn.openflow.action_codec import decode_instructions
from pyovn.openflow.connection import SWITCHES, Connection, Received, Up
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.flows import Bucket, Flow, FlowStats, GroupDef
from pyovn.openflow.match import match
from pyovn.openflow.of13.actions import encode_instructions
from pyovn.openflow.of13.codec import OpenFlow13, OpenFlow14
from tests.openflow import strategies

SELECT = GroupDef(9, "select", (Bucket((a.Output(1),), 3, 0), Bucket((a.Output(2),), 4, 1)))
DROPPED = FlowStats(Flow(3, 0x8000, (), (), 5, importance=7), 1, 60, 1.5)
#: as a real switch (3.7) writes them
ENTRIES = [
    ("group_desc", SELECT, OpenFlow13,
     "0048010000000009 00200003ffffffffffffffff00000000 00000010000000010000000000000000"
     "00200004ffffffffffffffff00000000 00000010000000020000000000000000"),
    ("aggregate", m.Aggregate(0, 0, 1), OpenFlow13, "00000000000000000000000000000000 00000001 00000000"),
    ("port_desc", m.Port(a.OFPP_LOCAL, 0x9E079B1C89AC, "br-int", 0, m.LIVE), OpenFlow13,
     "fffffffe000000009e079b1c89ac000062722d696e74000000000000000000000000000000000004" + "00" * 24),
    ("port_desc", m.Port(a.OFPP_LOCAL, 0x9E079B1C89AC, "br-int", 32, m.LIVE), OpenFlow14,
     "fffffffe004800009e079b1c89ac000062722d696e74000000000000000000000000002000000004"
     "0000002000000000" + "00" * 24),
    ("flow", DROPPED, OpenFlow13,
     "00380300 000000011dcd6500 8000 0000 0000 0000 00000000 0000000000000005 0000000000000001 000000000000003c"
     "0001000400000000"),
    ("flow", DROPPED, OpenFlow14,
     "00380300 000000011dcd6500 8000 0000 0000 0000 00070000 0000000000000005 0000000000000001 000000000000003c"
     "0001000400000000"),
]  # fmt: skip
HELLOS = {OpenFlow13: "04000010000000010001000800000010", OpenFlow14: "05000010000000010001000800000020"}


def wire(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(("kind", "entry", "dialect", "text"), ENTRIES)
def test_entries_are_those_of_a_real_switch(kind: str, entry: object, dialect: type[OpenFlow14], text: str) -> None:
    data = dialect().encode(m.MultipartReply(kind, (entry,)), 2)
    assert data[:2] == bytes((dialect.version, codec.MULTIPART_REPLY))
    assert data[16:] == wire(text)


@pytest.mark.parametrize("dialect", HELLOS)
def test_a_peer_is_answered_in_its_version(dialect: type[OpenFlow14]) -> None:
    connection = Connection(SWITCHES)
    assert list(connection.receive(wire(HELLOS[dialect]))) == [Up()]
    assert type(connection.dialect) is dialect
    barrier = bytes((dialect.version,)) + wire("14000800000007")
    assert list(connection.receive(barrier)) == [Received(m.BarrierRequest(), 7)]
    assert connection.dialect.encode(m.BarrierReply(), 7)[:2] == bytes((dialect.version, codec.BARRIER_REPLY))
    with pytest.raises(BadMessage):
        connection.dialect.decode(wire("0614000800000007"))


def test_requests_are_read_as_the_tool_writes_them() -> None:
    ask = "0412003800000002000100000000000 0ff000000ffffffffffffffff" + "00" * 20 + "0001000400000000"
    assert OpenFlow13().decode(wire(ask)) == (m.MultipartRequest("flow", m.FlowQuery()), 2)
    assert OpenFlow13().decode(wire("0412001000000002000d000000000000")) == (m.MultipartRequest("port_desc"), 2)
    out = wire(
        "040d003000000005 ffffffff fffffffe 0010 000000000000 0000001000000001 0000000000000000 aabbccddeeff0011"
    )
    assert OpenFlow13().decode(out[:3] + bytes((len(out),)) + out[4:])[0] == m.PacketOut(
        wire("aabbccddeeff0011"), (a.Output(1),), match(in_port=a.OFPP_LOCAL)
    )
    added = wire(
        "040f003000000005 0000 00 00 00000007 0020 0000 ffffffff ffffffff 00000000 00000010000000010000000000000000"
    )
    group = GroupDef(7, "all", (Bucket((a.Output(1),), 0, 0),))
    assert OpenFlow13().decode(added)[0] == m.GroupMod(m.ADD, group)


@given(strategies.whole_lists)
def test_instructions_mean_the_same_again(actions: a.Actions) -> None:
    data = encode_instructions(actions)
    assert encode_instructions(decode_instructions(data)) == data


def test_meters_are_instructions_and_parts_of_fields_are_loads() -> None:
    data = encode_instructions((a.Meter(5), a.SetField("ip_dst", 0x01020300, 0xFFFFFF00), a.GotoTable(9)))
    load = "ffff0018 00002320 0007 0217 00001004 0000000000010203"
    assert data == wire(f"0006000800000005 0004002000000000 {load} 0001000809000000")
    assert decode_instructions(data)[0] == a.Meter(5)


def test_table_features_name_what_fits() -> None:
    data = OpenFlow13().encode(m.MultipartReply("table_features", (m.TableFeatures(250, "table250"),)), 2)
    assert int.from_bytes(data[16:18], "big") == len(data) - 16
    assert data[80 + 32 : 80 + 40] == wire("0002 0007 fb fc fd 00")
