"""Sets of packets: a match cuts a set into parts, of which each packet is in exactly one, and rightly."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.match import annotate, evaluate, parse
from pyovn.lang.symbols import INPORT, SYMBOLS
from pyovn.openflow.fields import FULL
from pyovn.verify.decide import below, decide
from pyovn.verify.space import HEADERS, Known, Space, Value, example
from tests.lang.strategies import ADDRESS_SETS, PORT_GROUPS, PORTS, texts

small = st.integers(0, 7)
packets = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.one_of(small, st.integers(0, FULL[name])) for name in sorted(HEADERS)},
        "eth_type": st.sampled_from((0x800, 0x86DD, 0x806)),
        "ip_proto": st.sampled_from((1, 6, 17, 58)),
    },
)


def holds(space: Space, packet: dict[str, int]) -> bool:
    """Is a packet in the set?"""
    for variable, known in space.known.items():
        value = packet.get(variable, 0)
        if value & known.mask != known.value or any(value & mask == other for mask, other in known.not_these):
            return False
    return True


@settings(max_examples=300, deadline=None)
@given(texts, packets)
def test_each_packet_is_in_one_part_and_matches_as_that_says(text: str, packet: dict[str, int]) -> None:
    try:
        expr = annotate(parse(text, address_sets=ADDRESS_SETS, port_groups=PORT_GROUPS))
    except SyntaxFault:
        return
    start = Space({INPORT: Value(1)})
    parts = [(part, matches) for part, matches in decide(expr, start, PORTS.get, SYMBOLS) if holds(part, packet)]
    full = {**packet, INPORT: 1}
    assert [matches for _, matches in parts] == [evaluate(expr, full, PORTS.get)]


@given(st.integers(0, 300), st.sampled_from((0xFF, 0x1F)))
def test_prefixes_of_what_is_below_a_limit(limit: int, mask: int) -> None:
    prefixes = list(below(limit, mask))
    for value in range(mask + 1):
        assert sum(value & bits == want for bits, want in prefixes) == (value < limit)


pairs = st.tuples(st.integers(0, 31), st.integers(0, 31))
cuts = st.lists(pairs.map(lambda pair: (pair[0], pair[0] & pair[1])), max_size=9)


@given(pairs, cuts, st.integers(0, 31))
def test_an_example_is_found_where_there_is_one(bits: tuple[int, int], cuts: list[tuple[int, int]], wish: int) -> None:
    known = Known(bits[0], bits[0] & bits[1], tuple(cuts))

    def fits(value: int) -> bool:
        return value & known.mask == known.value and not any(value & mask == other for mask, other in cuts)

    found = example(known, 5, wish)
    possible = [value for value in range(32) if fits(value)]
    assert found in possible if possible else found is None
    if fits(wish):
        assert found == wish


values = st.builds(Value, st.integers(0, 255))


@given(st.integers(0, 255), st.integers(0, 7), st.integers(1, 8), st.integers(0, 255))
def test_bits_go_where_they_are_written(number: int, low: int, width: int, other: int) -> None:
    space = Space()
    held = space.read("tcp_dst").joined(low, width, Value(other))
    full = (1 << width) - 1
    packet = {"tcp_dst": number}

    def seen(value: Value) -> int:
        found = value.number
        for at, length, variable, start in value.pieces:
            found |= (packet[variable] >> start & (1 << length) - 1) << at
        return found

    expected = number & ~(full << low) | (other & full) << low
    assert seen(held) == expected
    assert seen(held.cut(low, width)) == other & full
