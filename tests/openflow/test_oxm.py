"""Fields as bytes: against the bytes of a real switch, and both ways."""

import pytest
from hypothesis import given

from pyovn.net.errors import Malformed
from pyovn.openflow import oxm
from pyovn.openflow.match import Match, match
from pyovn.packet.cursor import Cursor
from tests.openflow import strategies

# As a real switch (3.7) writes them in its flow statistics.
WIRE: list[tuple[Match, str]] = [
    (match(in_port=1), "0001000c 80000004 00000001 00000000"),
    (match(vlan_tci=(0x1005, 0x1FFF)), "0001000a 80000c02 10050000 00000000"),
    (match(vlan_tci=0x7005), "0001000f 80000c02 10058000 0e010300"),
    (match(vlan_tci=(0x7000, 0xF000)), "00010011 80000d04 10001000 80000e01 03000000 00000000"),
    (match(vlan_tci=0), "0001000a 80000c02 00000000 00000000"),
    (match(vlan_tci=(0, 0x1000)), "0001000c 80000d04 00001000 00000000"),
    (match(eth_type=0x800, ip_frag=(0, 2)), "00010010 80000a02 08000001 35020002"),
    (match(eth_type=0x800, ip_proto=6, tcp_flags=(2, 0x12)),
     "00010017 80000a02 08008000 14010680 00550400 02001200"),
    (match(tun_flags=(1, 1)), "0001000c 0001d104 00010001 00000000"),
    (match(tun_metadata0=(0x50000, 0xFFFF0000)), "00010010 00015108 00050000 ffff0000"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "wire"), WIRE)
def test_bytes_are_those_of_a_real_switch(wanted: Match, wire: str) -> None:
    assert oxm.encode_match(wanted).hex() == wire.replace(" ", "")
    assert oxm.decode_match(Cursor(bytes.fromhex(wire))) == wanted


@pytest.mark.parametrize(
    ("wire", "wanted"),
    [
        pytest.param("80010008 00000000 00000005", match(reg0=0, reg1=5), id="xreg"),
        pytest.param("0001e120 " + "00" * 15 + "05" + "00" * 15 + "ff", match(reg7=(5, 0xFF)), id="xxreg"),
        pytest.param("00000002 fffe", match(in_port=0xFFFFFFFE), id="16-bit port"),
        pytest.param("00000802 1005", match(vlan_tci=0x1005), id="tci"),
        pytest.param("80000a02 0800 00000a01 b8", match(eth_type=0x800, ip_dscp=46), id="tos"),
        pytest.param("ffff5406 4f4e4600 0012", match(tcp_flags=0x12), id="ONF experimenter"),
        pytest.param("00015008 0000000000000005", (("tun_metadata0", 5, 2**64 - 1),), id="long option"),
        pytest.param("00010108 00000000 00000000", (), id="empty mask"),
    ],
)
def test_other_forms_on_input(wire: str, wanted: Match) -> None:
    assert oxm.decode_terms(bytes.fromhex(wire)) == wanted


@given(strategies.matches)
def test_decoding_undoes_encoding(wanted: Match) -> None:
    assert oxm.decode_match(Cursor(oxm.encode_match(wanted))) == wanted


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param("77770002 0000", id="unknown field"),
        pytest.param("80000003 000000", id="length"),
        pytest.param("80000105 0000000000", id="odd mask"),
        pytest.param("00010108 00000003 00000001", id="value outside mask"),
        pytest.param("00010004 00000001 00010004 00000001", id="twice"),
        pytest.param("000100", id="half a header"),
        pytest.param("00010004 0000", id="half a value"),
    ],
)
def test_bad_fields_are_refused(wire: str) -> None:
    with pytest.raises(Malformed):
        oxm.decode_terms(bytes.fromhex(wire))


def test_a_match_must_be_of_the_oxm_type() -> None:
    with pytest.raises(Malformed, match="type 0"):
        oxm.decode_match(Cursor(bytes(8)))


def test_memories_start_over_when_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oxm, "MEMORY", 2)
    for number in range(10):
        wanted = match(reg0=number, reg1=number)
        assert oxm.decode_match(Cursor(oxm.encode_match(wanted))) == wanted


def test_ports_of_16_and_32_bits() -> None:
    assert oxm.port32(0xFFFE) == 0xFFFFFFFE
    assert oxm.port32(oxm.port16(5)) == 5
