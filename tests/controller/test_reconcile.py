from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.flowtable import FLOWS
from pyovn.controller.reconcile import Installed
from pyovn.openflow.actions import Resubmit
from pyovn.openflow.flows import Flow, GroupDef, MeterBand, MeterDef
from pyovn.openflow.match import match

FLOW = st.builds(
    lambda key, target, cookie: Flow(8, 1, match(metadata=key), (Resubmit(target),), cookie),
    st.integers(1, 5),
    st.integers(9, 11),
    st.integers(0, 1),
)
TABLE = st.lists(FLOW, max_size=5, unique_by=lambda flow: flow.key)


def apply(switch, difference):
    """What a switch makes of a difference."""
    for flow in difference.gone:
        del switch[flow.key]
    for flow in difference.come:
        switch[flow.key] = flow


@given(had=TABLE, rounds=st.lists(TABLE, min_size=1, max_size=4))
def test_after_every_difference_the_switch_holds_what_is_wanted(had, rounds):
    switch = {flow.key: flow for flow in had}
    installed, facts, before = Installed(), FLOWS.facts(), None
    installed.read_back(had)
    for wanted in rounds:
        facts.replace("unit", before, tuple(wanted))
        before = tuple(wanted)
        apply(switch, installed.difference(facts, {}, {}))
        assert switch == {flow.key: flow for flow in wanted}


def test_what_a_switch_holds_already_is_not_told_again():
    flow = Flow(8, 1, (), (Resubmit(9),), 1)
    installed, facts = Installed(), FLOWS.facts()
    installed.read_back([flow])
    facts.replace("unit", None, (flow,))
    assert not installed.difference(facts, {}, {})


def test_groups_and_meters_come_before_flows_and_go_after_them():
    installed, facts = Installed(), FLOWS.facts()
    installed.read_back((), [GroupDef(1, "select", ())], [MeterDef(1, (MeterBand(1),))])
    group, meter = GroupDef(2, "select", ()), MeterDef(2, (MeterBand(2),))
    found = installed.difference(facts, {2: group}, {2: meter})
    assert (found.groups, found.stale_groups) == ([group], [1])
    assert (found.meters, found.stale_meters) == ([meter], [1])
    assert not installed.difference(facts, {2: group}, {2: meter})
