import pytest

from pyovn.lang.match import annotate, normalise, parse, simplify


def normal(text: str) -> str:
    return str(normalise(simplify(annotate(parse(text)))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ct.est && !ct.rpl", "ct_state == 0x22/0x2a"),
        ("reg0 == 1 && reg0 == 2", "0"),
        ("1", "1"),
        ("pkt.mark > 3 && pkt.mark < 0x10", "pkt.mark[3..31] == 0x1 || pkt.mark[2..31] == 0x1"),
        ("ip4.src == {1.2.3.0/24, 1.2.3.4}", "eth.type == 0x800 && ip4.src[8..31] == 0x10203"),
        ("ip.ttl == 1", "(eth.type == 0x800 && ip.ttl == 0x1) || (eth.type == 0x86dd && ip.ttl == 0x1)"),
        ('inport == "a" && inport == {"a", "b"}', 'inport == "a"'),
        ('inport == "a" && inport == "b"', "0"),
        ("ip4 || ip4", "eth.type == 0x800"),
        ("(ip4 && reg0[0]) || (ip4 && reg0[0])", "eth.type == 0x800 && xxreg0[96]"),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normal(text) == expected


def test_bits_of_a_field_that_only_matches_whole_match_nothing() -> None:
    assert normal("eth.type == 0x800/0xff00") == "0"


def test_a_field_that_no_packet_has_matches_nothing() -> None:
    assert normal("icmp4.frag_mtu == 5") == "0"


def test_negated_fragment_bits_get_the_ethertype_that_a_switch_demands() -> None:
    expected = "(eth.type == 0x800 && !ip.frag[0]) || (eth.type == 0x86dd && !ip.frag[0])"
    assert normal("!ip.is_frag").startswith(expected)


def test_sets_of_thousands_intersect_quickly() -> None:
    many = [f"10.{index >> 8}.{index & 255}.1" for index in range(4000)]
    expr = parse("ip4.src == $a && ip4.src == $b", address_sets={"a": many, "b": many[2000:]})
    assert str(normalise(simplify(annotate(expr)))).count("ip4.src") == 2000
