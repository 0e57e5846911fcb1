import pytest

from pyovn.lang.match import annotate, parse
from pyovn.lang.symbols import TRACKED_SYMBOLS

IP = "(eth.type == 0x800 || eth.type == 0x86dd)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reg5[3]", "xxreg1[67]"),
        ("reg9 == 1", "xreg4[0..31] == 0x1"),
        ("ct.est && !ct.rpl", "ct_state[1] && ct_state[5] && !ct_state[3] && ct_state[5]"),
        ("tcp.dst == {1,2}", f"(tcp.dst == 0x1 || tcp.dst == 0x2) && ip.proto == 0x6 && {IP}"),
        ("ct.est || ct.est", "(ct_state[1] || ct_state[1]) && ct_state[5]"),
        ("!ip.is_frag", "!ip.frag[0] || (eth.type != 0x800 && eth.type != 0x86dd)"),
        ("ip4.mcast", "eth.dst[40] && ip4.dst[28..31] == 0xe && eth.type == 0x800"),
        ('inport == "a"', 'inport == "a"'),
        ('is_chassis_resident("a")', 'is_chassis_resident("a")'),
        ("from_evpn_vtep", "__inport[31]"),
    ],
)
def test_symbols_become_fields_with_prerequisites(text: str, expected: str) -> None:
    assert str(annotate(parse(text))) == expected


def test_tracked_ports_need_a_tracked_packet() -> None:
    annotated = str(annotate(parse("tcp.dst == 80", TRACKED_SYMBOLS), TRACKED_SYMBOLS))
    assert "ct_proto == 0x6" in annotated
    assert "ct_state[5]" in annotated
