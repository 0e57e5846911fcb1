"""Our northd beside the C one, on random networks: neither has anything to do after the other."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from pyovn.tables import sb
from tests.northd.networks import NetworkSpec, SwitchSpec, networks
from tests.northd.oracle import Oracle, oracle, readable, said
from tests.northd.routed import RouterPortSpec, RouterSpec

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def c() -> Iterator[Oracle]:
    with oracle() as running:
        running.add_chassis("ch1", "ch2")
        yield running


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: NetworkSpec) -> None:
    c.configure(network)
    assert readable(c.objections(), c.dump(sb.SOUTHBOUND)) == []


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: NetworkSpec) -> None:
    c.configure(lambda txn: None)
    c.replace(network)
    before = said(c)
    c.tell("resume")
    c.recompute()
    assert said(c) == before


@pytest.mark.parametrize("column", ["allowed_ext_ips", "exempted_ext_ips"])
def test_a_stateless_translation_for_some_of_the_outside_is_as_in_c(c: Oracle, column: str) -> None:
    port = RouterPortSpec({"networks": frozenset(["10.0.0.10/24"])}, 0, {"addresses": frozenset(["router"])}, ("ch1",))
    nat = {
        "type": "dnat_and_snat",
        "external_ip": "10.0.0.20",
        "logical_ip": "10.0.1.2",
        "options": {"stateless": "true"},
        column: frozenset(["1.2.3.4"]),
    }
    switch = SwitchSpec({"other_config": {}}, ())
    c.configure(NetworkSpec({}, (switch,), (RouterSpec({"options": {}}, (port,), nats=(nat,)),), {}, {}))
    assert readable(c.objections(), c.dump(sb.SOUTHBOUND)) == []
