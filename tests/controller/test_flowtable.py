from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.flowtable import FLOWS, merged
from pyovn.openflow.actions import Conjunction, Resubmit
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match

FLOW = st.builds(
    lambda table, key, actions, cookie: Flow(table, 1, match(metadata=key), actions, cookie),
    st.integers(8, 9),
    st.integers(1, 3),
    st.sampled_from([(Resubmit(9),), (Resubmit(10),), (Conjunction(5, 1, 2),), (Conjunction(6, 2, 2),)]),
    st.integers(0, 2),
)
OUTPUTS = st.lists(st.tuples(st.sampled_from("abc"), st.lists(FLOW, max_size=4, unique=True)), max_size=8)


@given(OUTPUTS)
def test_the_table_depends_only_on_what_units_want_now(outputs):
    facts, now = FLOWS.facts(), {}
    facts.take()
    for unit, wanted in outputs:
        facts.replace(unit, now.get(unit), tuple(wanted))
        now[unit] = tuple(wanted)
    fresh = FLOWS.facts()
    for unit, wanted in sorted(now.items()):
        fresh.replace(unit, None, wanted)
    assert {key: facts.get(key) for key in facts} == {key: fresh.get(key) for key in fresh}
    assert set(facts) <= facts.take().keys()


def test_clauses_of_several_conjunctions_are_merged():
    flows = [Flow(8, 1, (), (Conjunction(number, 1, 2),), 0) for number in (7, 3)]
    assert merged(flows).actions == (Conjunction(3, 1, 2), Conjunction(7, 1, 2))


def test_of_contradicting_flows_the_one_with_the_lowest_cookie_counts():
    flows = [
        Flow(8, 1, (), (Resubmit(9),), 5),
        Flow(8, 1, (), (Resubmit(10),), 2),
        Flow(8, 1, (), (Conjunction(1, 1, 2),), 0),
    ]
    assert merged(flows).cookie == 2
