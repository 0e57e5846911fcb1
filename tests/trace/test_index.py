"""Large tables are indexed, which changes nothing but the time it takes."""

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pyovn.net.ip import ip4_int
from pyovn.trace.index import Index
from pyovn.trace.network import Network
from pyovn.trace.request import Request, answer
from pyovn.trace.tables import read_tables
from tests.trace.routed_networks import RoutedNetwork, Traffic, routed
from tests.trace.test_routed import central

KEYS = {"a": 1, "b": 2}


@settings(max_examples=8, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(network=routed(balanced=True), choices=st.integers(0, 1 << 32).map(Random))
def test_traces_are_the_same_with_and_without(network: RoutedNetwork, choices: Random) -> None:
    tables, traffic = read_tables(central(network).call), Traffic(network, choices)
    for _ in range(10):
        request = Request(traffic.microflow())
        told = []
        for worth in (1, 1 << 30):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("pyovn.trace.network.WORTH_AN_INDEX", worth)
                told.append(answer(Network(tables), request))
        assert told[0] == told[1]


def test_only_what_may_match_is_found_in_order() -> None:
    matches = [
        'outport == "a" && reg0 == 10.0.0.1', "ip4", 'outport == "b" && reg0 == 10.0.0.2', "reg0 == 10.0.0.0/24",
        "reg0 == 10.0.0.3 || tcp", "!(reg0 == 10.0.0.4)", "reg0 == {10.0.0.5, 10.0.0.6}", "(reg0 == 10.0.0.1)",
    ]  # fmt: skip
    index = Index([{"match": each} for each in matches], KEYS.get)
    found = [row["match"] for row in index.rows_for({"reg0": ip4_int("10.0.0.1")})]
    assert found == [each for each in matches if each != matches[2]]
