"""A one-table switch that knows conjunctions, to hold compiled matches against `evaluate`."""

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from pyovn.lang.match.compile import Compiled
from pyovn.openflow.fields import FULL
from pyovn.openflow.match import matches


def accepts(flows: Iterable[Compiled], packet: Mapping[str, int]) -> bool:
    """Whether some flow with actions matches, perhaps after conjunctions came together."""
    flows = list(flows)
    met: dict[tuple[int, int], set[int]] = {}
    for match, clauses in flows:
        if clauses and matches(match, packet):
            for conj, k, n in clauses:
                met.setdefault((conj, n), set()).add(k)
    complete = [conj for (conj, n), clauses in met.items() if len(clauses) == n]
    return any(
        not clauses and matches(match, {**packet, "conj_id": conj})
        for match, clauses in flows
        for conj in (0, *complete)
    )


@st.composite
def packets_near(draw: st.DrawFn, flows: list[Compiled]) -> dict[str, int]:
    """Packets that match, or nearly match, some of the flows."""
    packet: dict[str, int] = {}
    for match, _ in draw(st.lists(st.sampled_from(flows), min_size=1, max_size=3)) if flows else ():
        for name, value, mask in match:
            if name != "conj_id" and draw(st.integers(0, 9)):
                other = draw(st.integers(0, FULL[name]))
                packet[name] = (packet.get(name, other) & ~mask | value) & FULL[name]
    for name in draw(st.lists(st.sampled_from(sorted(packet)), max_size=1)) if packet else ():
        packet[name] ^= 1 << draw(st.integers(0, FULL[name].bit_length() - 1))
    return packet
