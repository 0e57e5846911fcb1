"""Load balancers on routers: ours and the C northd leave each other's work alone; incremental = from scratch."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.balanced import chosen, numbers
from tests.northd.balanced_routers import BalancedNetwork, balanced_router_networks, router_balancers, router_options
from tests.northd.oracle import Oracle
from tests.northd.test_balanced import ONE_BALANCER, Edit, change_balancer, regroup, remove
from tests.northd.world import World


@pytest.mark.interop
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=balanced_router_networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: BalancedNetwork) -> None:
    assert c.disagreements(network) == []


@pytest.mark.interop
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=balanced_router_networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: BalancedNetwork) -> None:
    c.must_leave(network)


def on_router(choice: int, **columns: Any) -> Edit:
    """Change one of the routers."""

    def edit(world: World) -> None:
        rows = sorted(world.rows(nb.LogicalRouter), key=lambda row: row.name)
        world.edit(lambda txn: txn.update(rows[choice % len(rows)], **columns))

    return edit


def relist(choice: int, wanted: frozenset[int], of: type[nb.LoadBalancer] | type[nb.LoadBalancerGroup]) -> Edit:
    """Give a router other load balancers, or groups."""

    def edit(world: World) -> None:
        column = "load_balancer" if of is nb.LoadBalancer else "load_balancer_group"
        rows = sorted(row.uuid for row in world.rows(of))
        on_router(choice, **{column: chosen(rows, wanted)})(world)

    return edit


edits = st.one_of(
    st.builds(change_balancer, st.integers(0, 2), router_balancers),
    st.builds(relist, st.integers(0, 1), numbers, st.sampled_from([nb.LoadBalancer, nb.LoadBalancerGroup])),
    st.builds(lambda choice, options: on_router(choice, options=options), st.integers(0, 1), router_options),
    st.builds(lambda choice: on_router(choice, nat=frozenset()), st.integers(0, 1)),
    st.builds(regroup, st.integers(0, 1), numbers),
    st.builds(remove, st.integers(0, 2)),
)


@settings(max_examples=40, deadline=None)
@given(balanced_router_networks, st.lists(edits, max_size=5))
def test_incremental_is_from_scratch(network: BalancedNetwork, history: list[Edit]) -> None:
    world = World()
    world.edit(network)
    for edit in history:
        edit(world)
        assert world.objections() == []


def gateway_routers(txn: Txn, *names: str) -> None:
    """Gateway routers that share a load balancer, each with one address of its own."""
    vips = {"172.16.0.50:80": "10.0.0.1:80"}
    shared = txn.insert(nb.LoadBalancer, name="lb", vips=vips)
    for number, name in enumerate(names, 1):
        networks = frozenset([f"172.16.0.{number}/24"])
        port = txn.insert(nb.LogicalRouterPort, name=f"{name}p", mac=f"00:00:00:00:00:0{number}", networks=networks)
        link = {"router-port": f"{name}p", "nat-addresses": "router"}
        to = txn.insert(nb.LogicalSwitchPort, name=f"to-{name}", type="router", options=link)
        txn.insert(nb.LogicalSwitch, name=f"out-{name}", ports=frozenset([to]))
        options = {"chassis": "gw", "lb_force_snat_ip": "router_ip"}
        txn.insert(
            nb.LogicalRouter, name=name, options=options, ports=frozenset([port]), load_balancer=frozenset([shared])
        )


def test_one_more_backend_runs_that_load_balancer_only() -> None:
    world = World()
    world.edit(lambda txn: gateway_routers(txn, "one", "two", "three"))
    (row,) = world.rows(nb.LoadBalancer)
    world.compiler.engine.clear_statistics()
    world.edit(lambda txn: txn.update(row, vips={"172.16.0.50:80": "10.0.0.1:80,10.0.0.2:80"}))
    runs = {name: family.runs for name, family in world.compiler.engine.statistics().items() if family.runs}
    assert runs == dict.fromkeys(ONE_BALANCER, 1)


def test_a_gateway_router_balances_answers_and_announces() -> None:
    world = World()
    world.edit(lambda txn: gateway_routers(txn, "one"))
    balancing = [flow["actions"] for flow in world.flows() if "backends=" in flow["actions"]]
    assert balancing == ["flags.force_snat_for_lb = 1; ct_lb_mark(backends=10.0.0.1:80; force_snat);"]
    (key,) = [row.tunnel_key for row in world.rows(sb.DatapathBinding) if "logical-router" in row.external_ids]
    sets = {row.name: row.addresses for row in world.rows(sb.AddressSet)}
    assert sets[f"_rtr_lb_{key}_ip4"] == {"172.16.0.50"}
    (link,) = [row for row in world.rows(sb.PortBinding) if row.logical_port == "to-one"]
    assert link.nat_addresses == {"00:00:00:00:00:01 172.16.0.50"}
    (row,) = world.rows(sb.LoadBalancer)
    assert row.lr_datapath_group is not None
    assert row.ls_datapath_group is None
