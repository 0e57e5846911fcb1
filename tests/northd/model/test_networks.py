"""Addresses in networks of router ports."""

from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.ip import ip4_str, ip6_str
from pyovn.northd.model.networks import parse_network

near = st.integers(0, 1 << 12)


@given(st.booleans(), st.integers(0, 12), near, st.sets(near))
def test_those_among_others_are_those_that_it_holds(six: bool, rest: int, own: int, offsets: set[int]) -> None:
    low, bits, text = (0xFD00 << 112, 128, ip6_str) if six else (10 << 24, 32, ip4_str)
    found = parse_network(f"{text(low + own)}/{bits - rest}")
    assert found is not None
    _, network = found
    numbered = sorted((low + offset, text(low + offset)) for offset in offsets)
    assert list(network.among(numbered)) == [address for value, address in numbered if network.holds(value)]
