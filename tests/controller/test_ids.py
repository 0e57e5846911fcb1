from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.ids import Ids
from pyovn.openflow.flows import GroupDef


@given(st.lists(st.tuples(st.uuids(), st.integers(1, 5)), max_size=20))
def test_conjunctions_of_different_flows_never_share_an_id(requests):
    ids = Ids()
    given_ids = {}
    for flow, number in requests:
        first = ids.conjunctions(str(flow), number)
        assert ids.conjunctions(str(flow), number) == first
        given_ids[str(flow)] = range(first, first + max(number, len(given_ids.get(str(flow), ()))))
    everything = [id_ for each in given_ids.values() for id_ in each]
    assert len(everything) == len(set(everything))
    assert all(0 < id_ <= 0xFFFFFFFF for id_ in everything)


def test_equal_groups_share_an_id():
    ids = Ids()
    group = GroupDef(0, "select", ())
    assert [ids.group(group), ids.group(GroupDef(0, "all", ())), ids.group(group)] == [1, 2, 1]


def test_meters_are_numbered_by_request():
    ids = Ids()
    assert [ids.meter("a"), ids.meter("b"), ids.meter("a")] == [1, 2, 1]
