import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.text import Constant, format_constant, hex_text, parse_number, quote, unquote


@pytest.mark.parametrize(
    ("text", "value", "mask", "again"),
    [
        ("10", 10, None, "10"),
        ("0x0AbC", 0xABC, None, "0xabc"),
        ("1.2.3.4/24", 0x01020300, 0xFFFFFF00, "1.2.3.0/24"),
        ("1.2.3.4/0.0.0.255", 4, 0xFF, "0.0.0.4/0.0.0.255"),
        ("::1/64", 0, (1 << 128) - (1 << 64), "::/64"),
        ("::ffff:1.2.3.4", 0xFFFF01020304, None, "::ffff:1.2.3.4"),
        ("aa:bb:cc:dd:ee:ff", 0xAABBCCDDEEFF, None, "aa:bb:cc:dd:ee:ff"),
        ("5/6", 4, 6, "4/6"),
        ("0/0x3", 0, 3, "0x0/0x3"),
    ],
)
def test_numbers_keep_their_notation(text: str, value: int, mask: int | None, again: str) -> None:
    constant = parse_number(text)
    assert (constant.value, constant.mask) == (value, mask)
    assert str(constant) == again


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1.2.3", "Invalid numeric constant."),
        ("12ab", "Invalid numeric constant."),
        ("0x", "Hex digits expected following 0x."),
        ("0x1g", "Invalid syntax in hexadecimal constant."),
        ("18446744073709551616", "Decimal constants must be less than 2**64."),
        ("0x1" + "0" * 256, "Hexadecimal constant requires more than 1024 bits."),
        ("5/", "Integer constant expected."),
        ("1.2.3.4/33", "Value and mask have incompatible formats."),
        ("0x1/1", "Value and mask have incompatible formats."),
    ],
)
def test_what_is_no_number_says_why(text: str, sentence: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse_number(text)
    assert str(caught.value) == sentence


@given(st.sampled_from(("decimal", "hex", "ip4", "ip6", "mac")), st.integers(0, (1 << 32) - 1), st.integers(0, 32))
def test_formatting_then_parsing_gives_the_constant_again(notation: str, value: int, plen: int) -> None:
    mask = (1 << 32) - (1 << plen) if plen else None
    if notation == "ip6":
        mask = None
    constant = Constant(value & mask if mask is not None else value, mask, notation)  # type: ignore[arg-type]
    assert parse_number(format_constant(constant)) == constant


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))))
def test_quoting_then_unquoting_gives_the_text_again(text: str) -> None:
    assert unquote(quote(text)[1:-1]) == text


def test_surrogate_pairs_are_one_character() -> None:
    assert unquote("\\ud83d\\ude00") == "\U0001f600"


@pytest.mark.parametrize("body", ["\\u12", "\\u12g4", "\\ud800", "\\u0000"])
def test_escapes_that_mean_no_character_are_faults(body: str) -> None:
    with pytest.raises(SyntaxFault):
        unquote(body)


def test_zero_is_written_without_a_prefix() -> None:
    assert (hex_text(0), hex_text(31)) == ("0", "0x1f")
