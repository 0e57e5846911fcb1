"""The law of templates: an instance equals what the compiler makes of the same text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.logical import _fields
from pyovn.controller.template import Compiled, filled, learn, pattern, rivals, shape, value_of
from pyovn.lang.actions.env import Env, encode
from pyovn.lang.actions.parse import parse as parse_actions
from pyovn.lang.actions.prerequisites import prerequisites
from pyovn.lang.match.ast import Compare, IsPort, conjunction, leaves
from pyovn.lang.match.compile import template as match_template
from pyovn.lang.match.parse import parse as parse_match

KEYS = {"p1": 1, "p2": 2, "p3": 3, "_MC_flood": 0x8000}


def compile_text(text, ports=KEYS.get):
    """What the compiler makes of `match → actions`, and the fields it compares more than once."""
    match, _, actions = text.partition(" → ")
    parsed = parse_actions(actions)
    expr = parse_match(match)
    contested = frozenset(rivals(_fields(leaf) for leaf in leaves(expr) if isinstance(leaf, Compare | IsPort)))
    needed = prerequisites(parsed)
    full = expr if needed is None else conjunction((expr, needed))
    compiled = match_template(full, lambda _: False).instantiate(ports)
    patterns = tuple(pattern(found, clauses) for found, clauses in compiled)
    return Compiled(patterns, encode(parsed, Env(lookup_port=ports))), contested


def instance(text):
    """The template's result for a text, or None where its shape is unfit."""
    found = shape(text)
    template = learn(found, compile_text)
    if template is None:
        return None
    return template.instance([KEYS[word] if kind == "p" else value_of((kind, word)) for kind, word in found.constants])


MACS = st.integers(0, (1 << 40) - 1).map(lambda n: (n << 8 | 1).to_bytes(6, "big")).map(lambda raw: raw.hex(":"))
IPS = st.tuples(*[st.integers(1, 223)] * 4).map(lambda parts: ".".join(map(str, parts)))
PORTS = st.sampled_from(["p1", "p2", "p3"])
TEXTS = st.one_of(
    st.builds('eth.dst == {} → outport = "{}"; output;'.format, MACS, PORTS),
    st.builds('inport == "{}" && eth.src == {} && ip4.src == {} → next;'.format, PORTS, MACS, IPS),
    st.builds(
        "arp.tpa == {} && arp.op == 1 → eth.dst = eth.src; eth.src = {}; arp.spa = {}; output;".format, IPS, MACS, IPS
    ),
    st.builds("ip4.dst == {} && tcp.dst == {{80, 443}} && ip4.src == {{1.1.1.1, 2.2.2.2}} → next;".format, IPS),
    st.builds("reg0 == {} || eth.src == {} → reg1 = {}; next;".format, IPS, MACS, IPS),
)


@given(first=TEXTS, second=TEXTS)
def test_an_instance_equals_what_the_compiler_makes(first, second):
    one, two = shape(first), shape(second)
    template = learn(one, compile_text)
    if template is None or one.text != two.text:
        return
    values = [KEYS[word] if kind == "p" else value_of((kind, word)) for kind, word in two.constants]
    assert template.instance(values) == compile_text(second)[0]


@pytest.mark.parametrize(
    "text",
    [
        "ip4.src == 1.1.1.1 || ip4.src == 2.2.2.2 → next;",
        "ip4.src == {1.1.1.1, 2.2.2.2} → next;",
        "ip4.src != 1.1.1.1 → next;",
        "ip4.src == 10.0.0.0/8 && ip4.src == 10.0.0.1 → next;",
        'inport == "p1" && outport == "p1" → next;',
    ],
)
def test_a_shape_whose_result_depends_on_its_constants_is_not_made_a_template(text):
    assert instance(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "eth.dst == 33:33:00:00:00:01 → next;",
        "ip6.dst == ff02::1 → next;",
        "ip4.dst == 224.0.0.1 → next;",
        "ip4.dst == 10.0.0.0/8 → next;",
        "eth.src == 0a:00:00:00:00:00/ff:ff:ff:00:00:00 → next;",
        "ip6.src == fe80::1 → next;",
    ],
)
def test_addresses_that_predicates_ask_about_and_masks_stay_in_the_shape(text):
    assert shape(text).constants == ()


def test_other_strings_than_ports_have_no_shape():
    assert shape('ip4 → log(name="x", severity=info, verdict=allow); next;') is None


@given(TEXTS)
def test_a_shape_with_its_constants_is_the_text(text):
    found = shape(text)
    assert filled(found.text, [word for _, word in found.constants]) == text
