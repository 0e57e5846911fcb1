"""Our northd beside the C one, on random networks: neither has anything to do after the other."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.northd.networks import NetworkSpec, SwitchSpec, networks
from tests.northd.oracle import Oracle
from tests.northd.routed import RouterPortSpec, RouterSpec

pytestmark = pytest.mark.interop


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: NetworkSpec) -> None:
    assert c.disagreements(network) == []


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: NetworkSpec) -> None:
    c.must_leave(network)


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
    network = NetworkSpec({}, (switch,), (RouterSpec({"options": {}}, (port,), nats=(nat,)),), {}, {})
    assert c.disagreements(network) == []
