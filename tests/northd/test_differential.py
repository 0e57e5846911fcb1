"""Our northd beside the C one, on random networks: neither has anything to do after the other."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from pyovn.tables import sb
from tests.northd.networks import NetworkSpec, networks
from tests.northd.oracle import Oracle, oracle, readable, said

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def c() -> Iterator[Oracle]:
    with oracle() as running:
        running.add_chassis("ch1", "ch2")
        yield running


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: NetworkSpec) -> None:
    c.configure(network)
    assert readable(c.objections(), c.dump(sb.SOUTHBOUND)) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: NetworkSpec) -> None:
    c.configure(lambda txn: None)
    c.replace(network)
    before = said(c)
    c.tell("resume")
    c.recompute()
    assert said(c) == before
