"""The classifier finds what a linear search finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.openflow.actions import Conjunction
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from pyovn.vswitch.classifier import Classifier
from pyovn.vswitch.frame import extract
from pyovn.vswitch.key import place
from pyovn.vswitch.tables import Rule
from tests.vswitch.frames import distinct, flows, frames


def linear(rules: list[Rule], key: int) -> Rule | None:
    """The definition of a flow table look-up."""
    return max((rule for rule in rules if key & rule.mask == rule.value), key=lambda rule: rule.priority, default=None)


@settings(max_examples=150, deadline=None)
@given(st.lists(flows(), max_size=25), st.lists(frames(), max_size=8), st.integers(1, 3), st.data())
def test_lookup_is_the_linear_search(candidates, packets, port, data):
    rules = [Rule(flow, 0.0) for flow in distinct(candidates)]
    classifier: Classifier[Rule] = Classifier()
    for rule in rules:
        classifier.add(rule)
    for rule in data.draw(st.lists(st.sampled_from(rules), unique=True)) if rules else []:
        classifier.remove(rule)
        rules.remove(rule)
    for frame in packets:
        key = extract(frame)[0] | place("in_port", port)
        assert classifier.lookup(key)[0] is linear(rules, key)
    assert len(classifier) == len(rules) == len(list(classifier))


@settings(max_examples=100, deadline=None)
@given(st.lists(flows(), max_size=20), frames(), frames())
def test_a_packet_equal_in_the_consulted_bits_hits_the_same_flow(candidates, frame, other):
    classifier: Classifier[Rule] = Classifier()
    for flow in distinct(candidates):
        classifier.add(Rule(flow, 0.0))
    key = extract(frame)[0] | place("in_port", 1)
    hit, consulted = classifier.lookup(key)
    blended = key & consulted | extract(other)[0] & ~consulted
    assert classifier.lookup(blended)[0] is hit


def conjunctive() -> Classifier[Rule]:
    classifier: Classifier[Rule] = Classifier()
    for flow in (
        Flow(0, 10, match(eth_type=0x800, ip_src=1), (Conjunction(7, 1, 2),)),
        Flow(0, 10, match(eth_type=0x800, ip_src=2), (Conjunction(7, 1, 2), Conjunction(8, 1, 2))),
        Flow(0, 10, match(eth_type=0x800, ip_dst=3), (Conjunction(7, 2, 2),)),
        Flow(0, 10, match(conj_id=7), (), 0x7),
        Flow(0, 5, match(eth_type=0x800), (), 0x5),
        Flow(0, 20, match(eth_type=0x800, ip_dst=9), (), 0x9),
    ):
        classifier.add(Rule(flow, 0.0))
    return classifier


def hit(classifier: Classifier[Rule], src: int, dst: int) -> int | None:
    rule = classifier.lookup(place("eth_type", 0x800) | place("ip_src", src) | place("ip_dst", dst))[0]
    return rule.cookie if rule else None


def test_all_clauses_of_a_conjunction_make_it_match():
    assert hit(conjunctive(), 1, 3) == hit(conjunctive(), 2, 3) == 7


def test_a_clause_alone_does_not_match():
    assert hit(conjunctive(), 1, 4) == 5
    assert hit(conjunctive(), 4, 3) == 5


def test_an_ordinary_flow_above_the_conjunction_wins():
    assert hit(conjunctive(), 1, 9) == 9


def test_overlap_is_found_at_equal_priority_only():
    classifier = conjunctive()
    rule = Rule(Flow(0, 20, match(eth_type=0x800, ip_src=5), ()), 0.0)
    assert classifier.overlapping(rule.mask, rule.value, 20) is not None
    assert classifier.overlapping(rule.mask, rule.value, 21) is None
