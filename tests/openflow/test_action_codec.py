"""Actions as bytes: against the bytes of a real switch, and both ways."""

import pytest
from hypothesis import given

from pyovn.net.errors import Malformed
from pyovn.openflow import action_decoder, action_encoder
from pyovn.openflow import actions as a
from pyovn.openflow.action_codec import decode_actions, decode_instructions, encode_actions, encode_instructions
from pyovn.openflow.fields import FULL
from tests.openflow import samples, strategies

# As a real switch (3.7) writes them in its flow statistics.
WIRE: list[tuple[a.Actions, str]] = [
    ((a.Resubmit(5),), "ffff0010 00002320 000efff8 05000000"),
    ((a.OutputReg("reg0", 0, 16),), "ffff0018 00002320 000f000f 00010004 ffff0000 00000000"),
    ((a.Controller(5, b"\1\2\3", True, 5, 3, 2),),
     "ffff0040 00002320 00250000 00000000 00000008 00050000 00010008 00030000 00020005 02000000 00030007 01020300 "
     "00040004 00000000 00050008 00000005"),
    ((a.Move("in_port", 0, "reg0", 0, 16),), "001c0018 00100000 00000000 00000002 00010004 00000000"),
    ((a.Move("arp_sha", 0, "arp_tha", 0, 48),), "001c0018 00300000 00000000 80003006 80003206 00000000"),
    ((a.Pop("xxreg0", 0, 128),), "ffff0018 00002320 001c0000 0001de10 00800000 00000000"),
    ((a.Ct(table=5, zone=("reg11", 0, 16)),), "ffff0018 00002320 00230000 00011604 000f0500 00000000"),
    ((a.Ct(True, nat=a.Nat("dst", samples.A, samples.A + 4, 80, 90, a.NAT_RANDOM)),),
     "ffff0038 00002320 00230001 00000000 0000ff00 00000000 ffff0020 00002320 00240000 00120033 0a000001 0a000005 "
     "0050005a 00000000"),
    ((a.CheckPktLarger(1500, "reg0", 3),), "ffff0018 00002320 003105dc 00030001 00040000 00000000"),
    ((a.Bundle("symmetric_l4", "hrw", (4, 8), 60000, ("reg0", 0, 16)),),
     "ffff0028 00002320 000d0001 0001ea60 00000002 0002000f 00010004 00000000 00040008 00000000"),
    ((a.DeleteField("tun_metadata0"),), "ffff0018 00002320 00320001 50040000 00000000 00000000"),
    ((a.SetField("in_port", a.OFPP_NONE, FULL["in_port"]),), "00190010 00000002 ffff0000 00000000"),
    ((a.Sample(65535, 2, ("reg0", 0, 32), ("reg1", 0, 32)),),
     "ffff0028 00002320 0033ffff 00000002 00010004 001f0000 00010204 001f0000 ffff0000 00000000"),
    ((samples.LEARN_HAIRPIN,),
     "ffff0078 00002320 00100000 00008000 00000000 00000000 00024500 00000000 00408000 04080000 80000408 00002010 "
     "08000000 06020000 00200000 0e040000 00000e04 00002020 0a000001 00001004 00002008 00060000 0c010000 00100000 "
     "14020000 00001202 00002801 00010001 14040007 00000000"),
]  # fmt: skip

# What old controllers send and we only read.
READ_ONLY: list[tuple[str, a.Actions]] = [
    ("ffff0018 00002320 0006 0020 0000 0000 00010004 00010204", (a.Move("reg0", 0, "reg1", 0, 32),)),
    ("ffff0018 00002320 0007 0103 00010604 0000000000000001", (part := (a.SetField("reg3", 0x10, 0xF0),)) and part),
    ("ffff0018 00002320 0007 000f 00000002 000000000000ffff", (a.SetField("in_port", a.OFPP_NONE, FULL["in_port"]),)),
    ("ffff0018 00002320 0021 000000000000 00010004 0000000500", ()),
    ("ffff0010 00002320 0001 0007 00000000", (a.Resubmit(255, 7),)),
    ("ffff0010 00002320 0004 0000 00000003", (a.SetQueue(3),)),
    ("ffff0010 00002320 0028 0000 00000007", (a.Group(7),)),
    ("ffff0010 00002320 0012 000000000000", (a.DecTtl(),)),
    ("00170008 03000000", (a.SetField("ip_ttl", 3, 0xFF),)),
    ("ffff0018 00002320 0020 000f ffff 00010004 00000000 0000", (a.OutputReg("reg0", 0, 16),)),
    ("ffff0020 00002320 0026 0064 00000002 00000003 00000004 0001 00 00000000 00", (a.Sample(100, 2, 3, 4, 1),)),
    ("ffff0010 00001234 0001 000000000000", (a.Unknown(bytes.fromhex("ffff0010000012340001000000000000")),)),
    ("00630008 00000000", (a.Unknown(bytes.fromhex("0063000800000000")),)),
]  # fmt: skip


@pytest.mark.parametrize(("doing", "wire"), WIRE)
def test_bytes_are_those_of_a_real_switch(doing: a.Actions, wire: str) -> None:
    assert encode_actions(doing).hex() == wire.replace(" ", "")
    assert decode_actions(bytes.fromhex(wire)) == doing


@pytest.mark.parametrize(("wire", "doing"), [each for each in READ_ONLY if each[1]])
def test_old_forms_on_input(wire: str, doing: a.Actions) -> None:
    assert decode_actions(bytes.fromhex(wire)) == doing


def test_what_we_do_not_know_goes_out_as_it_came() -> None:
    raw = bytes.fromhex("0063000800000000")
    assert encode_actions(decode_actions(raw)) == raw


@given(strategies.action_lists)
def test_decoding_undoes_encoding(doing: a.Actions) -> None:
    assert decode_actions(encode_actions(doing)) == doing


@given(strategies.whole_lists)
def test_decoding_instructions_undoes_encoding(doing: a.Actions) -> None:
    assert decode_instructions(encode_instructions(doing)) == doing


def test_equal_bytes_give_the_same_tuple() -> None:
    raw = encode_actions((a.Output(4711),))
    assert decode_actions(raw) is decode_actions(bytes(raw))


def test_a_meter_instruction_is_read_as_the_action() -> None:
    assert decode_instructions(bytes.fromhex("0006000800000005")) == (a.Meter(5),)


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param("00000004", id="length 4"),
        pytest.param("0000000c00000000 00000000", id="length 12"),
        pytest.param("00000010 00000001", id="cut off"),
        pytest.param("ffff0018 00002320 001b0008 00010004 00200000 00000000", id="bits beyond the field"),
        pytest.param("ffff0018 00002320 0007 0000 00010604 0000000000000002", id="value beyond the bits"),
        pytest.param("ffff0018 00002320 0025 000000000000 00090004 00000000", id="controller property"),
        pytest.param("ffff0020 00002320 000c 0009 0000 0000 00000002 0000 00000000000000000000", id="bundle algorithm"),
    ],
)
def test_bad_actions_are_refused(wire: str) -> None:
    with pytest.raises(Malformed):
        decode_actions(bytes.fromhex(wire.replace(" ", "")))


@pytest.mark.parametrize("wire", ["00630008 00000000", "00040004", "0004000c 00000000 00000000"])
def test_bad_instructions_are_refused(wire: str) -> None:
    with pytest.raises(Malformed):
        decode_instructions(bytes.fromhex(wire))


def test_memories_start_over_when_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action_encoder, "MEMORY", 2)
    monkeypatch.setattr(action_decoder, "MEMORY", 2)
    for number in range(10):
        doing = (a.Output(number), a.Group(number))
        assert decode_instructions(encode_instructions(doing)) == doing


def test_walking_reaches_nested_actions() -> None:
    inner = a.SetField("ct_mark", 1, 1)
    doing = (a.Clone((a.Output(1),)), a.Ct(True, exec=(inner,)))
    assert a.walk(doing) == [doing[0], a.Output(1), doing[1], inner]
