import pytest

from pyovn.lang.match import annotate, parse, simplify


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reg0[0..3] != 5", "xxreg0[96..99] == 0x4 || xxreg0[97..99] == 0x3 || xxreg0[98..99] == 0 || xxreg0[99]"),
        ("reg0[3..5] > 2", "xxreg0[99..101] == 0x3 || xxreg0[101]"),
        ("reg0[3..5] <= 2", "xxreg0[99..101] == 0x2 || xxreg0[100..101] == 0"),
        ("reg0 >= 0", "1"),
        ("reg0 < 0", "0"),
        ("reg0 <= 0xffffffff", "1"),
        ("reg0 > 0xffffffff", "0"),
        ("reg0 == 0/0", "1"),
        ("reg0 != 0/0", "0"),
        ("0 || reg0 == 1", "xxreg0[96..127] == 0x1"),
        ("1 || reg0 == 1", "1"),
        ("0 && reg0 == 1", "0"),
        ('is_chassis_resident("here")', "1"),
        ('is_chassis_resident("there")', "0"),
        ('!is_chassis_resident("there") && reg0[0]', "xxreg0[96]"),
    ],
)
def test_only_equality_remains(text: str, expected: str) -> None:
    assert str(simplify(annotate(parse(text)), lambda port: port == "here")) == expected


def test_a_mask_with_holes_is_taken_bit_by_bit() -> None:
    simple = simplify(annotate(parse("pkt.mark != 0x5/0x25")))
    assert str(simple) == "pkt.mark == 0x4/0x25 || pkt.mark == 0/0x24 || pkt.mark[5]"
