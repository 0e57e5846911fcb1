"""Our northd beside the C one, on random networks: neither has anything to do after the other."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.northd.networks import NetworkSpec, PortSpec, SwitchSpec, networks
from tests.northd.oracle import Oracle, oracle
from tests.northd.routed import RouterPortSpec, RouterSpec

pytestmark = pytest.mark.interop


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: NetworkSpec) -> None:
    assert c.disagreements(network) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: NetworkSpec) -> None:
    c.must_leave(network)


@pytest.fixture(scope="module")
def lonely() -> Iterator[Oracle]:
    """The C northd, with no chassis."""
    with oracle() as running:
        yield running


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_ours_changes_nothing_before_there_are_chassis(lonely: Oracle, network: NetworkSpec) -> None:
    assert lonely.disagreements(network) == []


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


@pytest.mark.parametrize("options", [{}, {"nat-addresses": "router"}, {"router-port": "nobody"}])
def test_a_switch_port_that_leads_to_no_router_is_as_in_c(c: Oracle, options: dict[str, str]) -> None:
    port = PortSpec({"type": "router", "addresses": frozenset(["router"]), "options": options})
    network = NetworkSpec({}, (SwitchSpec({"other_config": {}}, (port,)),), (), {}, {})
    assert c.disagreements(network) == []


@pytest.mark.parametrize(
    "addresses", ["10.0.0.10/32", "10.0.0.10/24", "10.0.0.10 10.0.0.99", "10.0.0.10 x fd00::9", "fd00::9, 10.0.0.10"]
)
def test_the_source_of_translated_connections_is_read_as_in_c(c: Oracle, addresses: str) -> None:
    port = RouterPortSpec({"networks": frozenset(["10.0.0.10/24"])}, 0, {"addresses": frozenset(["router"])}, ())
    nat = {"type": "dnat", "external_ip": "10.0.0.20", "logical_ip": "10.0.1.2"}
    router = RouterSpec({"options": {"chassis": "ch1", "dnat_force_snat_ip": addresses}}, (port,), nats=(nat,))
    assert c.disagreements(NetworkSpec({}, (SwitchSpec({"other_config": {}}, ()),), (router,), {}, {})) == []


def test_a_peer_on_a_gateway_router_is_no_distributed_gateway_port(c: Oracle) -> None:
    inner = RouterPortSpec({"networks": frozenset(["10.0.0.10/24"]), "options": {}}, None, {}, ("ch1",))
    outer = RouterPortSpec({"networks": frozenset(["10.0.0.1/24"]), "options": {}}, None, {}, ("ch2",))
    nat = {"type": "dnat", "external_ip": "10.0.0.20", "logical_ip": "10.0.1.2"}
    routers = RouterSpec({"options": {}}, (inner,), nats=(nat,)), RouterSpec({"options": {"chassis": "ch2"}}, (outer,))
    assert c.disagreements(NetworkSpec({}, (), routers, {}, {}, 0)) == []


def test_both_chassis_answer_for_an_address_shared_by_a_distributed_translation_and_snat(c: Oracle) -> None:
    port = RouterPortSpec({"networks": frozenset(["10.0.0.10/24"]), "options": {}}, None, {}, ("ch1",))
    guest = PortSpec({"type": "", "addresses": frozenset(["00:00:00:00:00:01 10.0.1.2"])})
    mine = {"type": "dnat_and_snat", "external_ip": "10.0.0.20", "logical_ip": "10.0.1.2"}
    mine |= {"external_mac": "00:00:00:00:ee:01", "logical_port": "s0p0"}
    ours = {"type": "snat", "external_ip": "10.0.0.20", "logical_ip": "10.0.1.0/24"}
    network = NetworkSpec(
        {},
        (SwitchSpec({"other_config": {}}, (guest,)),),
        (RouterSpec({"options": {}}, (port,), nats=(mine, ours)),),
        {},
        {},
    )
    assert c.disagreements(network) == []


def test_bridging_asked_for_at_a_port_that_is_no_gateway_port_is_as_in_c(c: Oracle) -> None:
    port = RouterPortSpec({"networks": frozenset(["10.0.0.10/24"]), "options": {}}, None, {}, ("ch1",))
    inner = RouterPortSpec(
        {"networks": frozenset(["10.0.1.1/24"]), "options": {"redirect-type": "bridged"}, "enabled": False},
        None,
        {},
        (),
    )
    nat = {"type": "dnat_and_snat", "external_ip": "10.0.0.20", "logical_ip": "10.0.1.2"}
    nat |= {"external_mac": "00:00:00:00:ee:01", "logical_port": "s0p0"}
    guest = PortSpec({"type": "", "addresses": frozenset(["00:00:00:00:00:01 10.0.1.2"])})
    network = NetworkSpec(
        {},
        (SwitchSpec({"other_config": {}}, (guest,)),),
        (RouterSpec({"options": {}}, (port, inner), nats=(nat,)),),
        {},
        {},
    )
    assert c.disagreements(network) == []


@pytest.mark.parametrize("theirs", ["10.0.0.1/24", "fd00::1/64"])
@pytest.mark.parametrize(("options", "gateways"), [({}, ()), ({}, ("ch1",)), ({"chassis": "ch1"}, ())])
def test_what_the_next_router_knows_of_an_outside_address_is_as_in_c(
    c: Oracle, theirs: str, options: dict[str, str], gateways: tuple[str, ...]
) -> None:
    link = {"addresses": frozenset(["router"])}
    own = RouterPortSpec({"networks": frozenset(["10.0.0.10/24"]), "options": {}}, 0, link, gateways)
    other = RouterPortSpec({"networks": frozenset([theirs]), "options": {}}, 0, link, ())
    nat = {"type": "dnat_and_snat", "external_ip": "30.0.0.20", "logical_ip": "10.0.1.2"}
    nat |= {"options": {"add_route": "true"}}
    routers = RouterSpec({"options": options}, (own,), nats=(nat,)), RouterSpec({"options": {}}, (other,))
    assert c.disagreements(NetworkSpec({}, (SwitchSpec({"other_config": {}}, ()),), routers, {}, {})) == []
