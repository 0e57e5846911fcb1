"""Flows given to sets of datapaths are where they would be if each datapath had been given them alone."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.uuids import uuid_text
from pyovn.northd.feature import Common, Datapaths, Origin, Provenance
from pyovn.northd.flowtable import FlowTable, Shared, datapaths, signature_of
from pyovn.northd.pipeline import STAGES, Flow

DATAPATHS = [str(uuid_text(1 << number)) for number in range(5)]
FLOWS = [Flow(STAGES[0], number, "1", "next;") for number in range(3)]
Given = dict[int, list[tuple[str | frozenset[str], list[Flow]]]]

where = st.sampled_from(DATAPATHS) | st.frozensets(st.sampled_from(DATAPATHS), min_size=1)
given_flows = st.lists(st.tuples(where, st.lists(st.sampled_from(FLOWS), max_size=3)), max_size=3)
steps = st.lists(st.tuples(st.integers(0, 2), given_flows), max_size=8)


def together(units: Iterable[tuple[str | frozenset[str], list[Flow]]]) -> Provenance:
    return tuple(
        (Origin(at if isinstance(at, str) else Datapaths(at), "", ""), tuple(flows)) for at, flows in units if flows
    )


def apart(units: Iterable[tuple[str | frozenset[str], list[Flow]]]) -> Provenance:
    each = [(one, flows) for at, flows in units for one in ([at] if isinstance(at, str) else sorted(at))]
    return tuple((Origin(one, "", ""), tuple(flows)) for one, flows in each if flows)


def shown(table: FlowTable) -> dict[Flow, frozenset[str]]:
    return {flow: datapaths(place) for flow, place in table.places.items()}


@given(steps)
def test_sets_of_datapaths_are_as_good_as_their_members(done: list[tuple[int, list[tuple[str, list[Flow]]]]]) -> None:
    sets, members = FlowTable(), FlowTable()
    tables = ((sets, together), (members, apart))
    last: dict[int, list[tuple[str, list[Flow]]]] = {}
    for table, _ in tables:
        table.take()
    for unit, flows in done:
        before = shown(sets)
        for table, spelled in tables:
            table.replace(unit, spelled(last.get(unit, [])), spelled(flows))
        last[unit] = flows
        assert shown(sets) == shown(members)
        touched = sets.take()
        assert {flow for flow in FLOWS if before.get(flow) != shown(sets).get(flow)} <= touched.keys()
        for place in sets.places.values():
            if isinstance(place, Shared):
                numbers = [signature_of(each) for each in place.members]
                assert place.signature == sum(numbers)  # each has a bit of its own


COMMON = [Common(FLOWS[:1]), Common(FLOWS[1:]), Common(FLOWS)]
commons = st.lists(st.tuples(st.sampled_from(DATAPATHS), st.sampled_from([*COMMON, *map(tuple, COMMON)])), max_size=3)


@given(st.lists(st.lists(st.tuples(st.integers(0, 4), commons), max_size=5), max_size=4))
def test_common_flows_are_where_they_would_be_one_by_one(
    runs: list[list[tuple[int, list[tuple[str, Common]]]]],
) -> None:
    waiting, plain = FlowTable(), FlowTable()
    last: dict[int, Provenance] = {}
    for run in runs:
        for unit, given_now in run:
            flows = tuple((Origin(at, "", ""), flows) for at, flows in given_now)
            waiting.replace(unit, last.get(unit), flows)
            plain.replace(unit, _uncommon(last.get(unit, ())), _uncommon(flows))
            last[unit] = flows
        assert waiting.take().keys() >= plain.take().keys()
        assert shown(waiting) == shown(plain)
        signatures = [
            {flow: getattr(place, "signature", 0) for flow, place in each.places.items()} for each in (waiting, plain)
        ]
        assert signatures[0] == signatures[1]


def _uncommon(flows: Provenance) -> Provenance:
    return tuple((origin, tuple(given)) for origin, given in flows)
