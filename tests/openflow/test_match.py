"""Matches: canonical form, and what follows from it."""

import pytest
from hypothesis import given

from pyovn.net.errors import Malformed
from pyovn.openflow.fields import FIELDS, ORDER, PREREQUISITES
from pyovn.openflow.match import ANY, Match, canonical, check, covers, intersection, match, matches
from tests.openflow import strategies


def test_the_order_of_words_does_not_count() -> None:
    assert match(reg1=1, in_port=2) == match(in_port=2, reg1=1) == (("in_port", 2, 0xFFFFFFFF), ("reg1", 1, 0xFFFFFFFF))


def test_bits_outside_the_mask_and_empty_masks_vanish() -> None:
    assert match(reg0=(0x1234, 0xFF), reg1=(7, 0)) == (("reg0", 0x34, 0xFF),)
    assert match() == ANY


def test_wide_registers_are_kept_as_narrow_ones() -> None:
    assert match(xreg0=0x100000002) == match(reg0=1, reg1=2)
    assert match(xxreg1=(5, 0xFF)) == match(reg7=(5, 0xFF))


def test_no_tag_has_one_form() -> None:
    assert match(vlan_tci=0) == match(vlan_tci=(0, 0x1FFF))
    assert match(vlan_tci=0x1005) == (("vlan_tci", 0x1005, 0xFFFF),)


@given(strategies.matches)
def test_canonical_is_its_own_form(wanted: Match) -> None:
    assert canonical(wanted) == wanted
    assert [ORDER[name] for name, _, _ in wanted] == sorted(ORDER[name] for name, _, _ in wanted)


@given(strategies.matches, strategies.matches)
def test_an_intersection_matches_what_both_match(left: Match, right: Match) -> None:
    both = intersection(left, right)
    if both is not None:
        assert covers(left, both)
        assert covers(right, both)
        packet = {name: value for name, value, _ in both}
        assert matches(left, packet)
        assert matches(right, packet)


def test_contradictions_have_no_intersection() -> None:
    assert intersection(match(reg0=1), match(reg0=2)) is None
    assert intersection(match(reg0=(1, 3)), match(reg0=(4, 4))) == match(reg0=(5, 7))


def test_covering_is_openflows_loose_match() -> None:
    assert covers(ANY, match(reg0=1))
    assert covers(match(reg0=(1, 1)), match(reg0=3))
    assert not covers(match(reg0=3), match(reg0=(1, 1)))
    assert not covers(match(reg1=0), match(reg0=3))


def test_packets_lack_fields_as_zero() -> None:
    assert matches(match(reg0=0, in_port=1), {"in_port": 1})
    assert not matches(match(reg0=1), {})


def test_values_must_fit() -> None:
    check(match(ip_dscp=63, tun_metadata0=(1 << 40, 1 << 40)))
    with pytest.raises(Malformed, match="ip_dscp: value does not fit in 6 bits"):
        check(match(ip_dscp=(64, 127)))


def test_the_table_of_fields_is_consistent() -> None:
    codes = [code for field in FIELDS.values() for code in (field.oxm, *field.also)]
    assert len(codes) == len(set(codes))
    assert {field.prerequisite for field in FIELDS.values()} - {""} <= set(PREREQUISITES)
    for alternatives in PREREQUISITES.values():
        assert all(name in FIELDS for terms in alternatives for name, _ in terms)
    for name, field in FIELDS.items():
        wanted = [terms for terms in PREREQUISITES.get(field.prerequisite, ()) if terms]
        assert all(ORDER[need] < ORDER[name] for terms in wanted for need, _ in terms)
