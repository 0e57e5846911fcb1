"""Our readings of match expressions beside those of the C test program."""

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.match import annotate, parse, simplify
from tests.lang.oracle import run
from tests.lang.strategies import ADDRESS_SETS, PORT_GROUPS, texts

pytestmark = pytest.mark.interop


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A text with some character replaced, so that faults are compared too."""
    text = draw(texts)
    at = draw(st.integers(0, len(text) - 1))
    return text[:at] + draw(st.sampled_from(("", " ", "&", "(", ")", "!", "{", "=", "1", "]"))) + text[at + 1 :]


def ours(text: str, stage: str) -> str:
    try:
        expr = parse(text, address_sets=ADDRESS_SETS, port_groups=PORT_GROUPS)
    except SyntaxFault as fault:
        return str(fault)
    if stage != "parse":
        expr = annotate(expr)
    return str(simplify(expr) if stage == "simplify" else expr)


@pytest.mark.parametrize("stage", ["parse", "annotate", "simplify"])
@seed(1)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(texts, mangled()).filter(str.strip), min_size=150, max_size=150))
def test_c_says_the_same(stage: str, lines: list[str]) -> None:
    theirs = run(f"{stage}-expr", lines)
    assert len(theirs) == len(lines)
    for line, said in zip(lines, theirs, strict=True):
        assert (line, ours(line, stage)) == (line, said)
