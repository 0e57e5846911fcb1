"""Load balancers: beside the C northd neither has anything to do after the other; and incremental = from scratch."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.balanced import BalancedSpec, balanced_networks, balancers, chosen, numbers
from tests.northd.oracle import Oracle
from tests.northd.world import World


@pytest.mark.interop
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=balanced_networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: BalancedSpec) -> None:
    assert c.disagreements(network) == []


@pytest.mark.interop
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=balanced_networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: BalancedSpec) -> None:
    c.must_leave(network)


# -- the law: whatever happened before, the result is what a fresh start would give ---------------------------------

Edit = Callable[[World], None]
#: the families that run for one load balancer
ONE_BALANCER = (
    "balancing",
    "virtual_addresses",
    "balancer_views",
    "balancers",
    "virtual_links",
    "probed_backends",
)


def change_balancer(choice: int, columns: dict[str, Any]) -> Edit:
    """Make one of the load balancers another."""

    def edit(world: World) -> None:
        rows = sorted(world.rows(nb.LoadBalancer), key=lambda row: row.name)
        if rows:
            world.edit(lambda txn: txn.update(rows[choice % len(rows)], **columns))

    return edit


def relist(choice: int, wanted: frozenset[int]) -> Edit:
    """Give a switch other load balancers."""

    def edit(world: World) -> None:
        switches = sorted(world.rows(nb.LogicalSwitch), key=lambda row: row.name)
        rows = sorted(row.uuid for row in world.rows(nb.LoadBalancer))
        if switches:
            row = switches[choice % len(switches)]
            world.edit(lambda txn: txn.update(row, load_balancer=chosen(rows, wanted)))

    return edit


def regroup(choice: int, wanted: frozenset[int]) -> Edit:
    """Put other load balancers into a group."""

    def edit(world: World) -> None:
        groups = sorted(world.rows(nb.LoadBalancerGroup), key=lambda row: row.name)
        rows = sorted(row.uuid for row in world.rows(nb.LoadBalancer))
        if groups:
            row = groups[choice % len(groups)]
            world.edit(lambda txn: txn.update(row, load_balancer=chosen(rows, wanted)))

    return edit


def remove(choice: int) -> Edit:
    """Delete a load balancer, wherever it is."""

    def edit(world: World) -> None:
        rows = sorted(world.rows(nb.LoadBalancer), key=lambda row: row.name)
        if rows:
            world.edit(lambda txn: txn.delete(rows[choice % len(rows)]))

    return edit


edits = st.one_of(
    st.builds(change_balancer, st.integers(0, 5), balancers),
    st.builds(relist, st.integers(0, 2), numbers),
    st.builds(regroup, st.integers(0, 1), numbers),
    st.builds(remove, st.integers(0, 5)),
)


@settings(max_examples=40, deadline=None)
@given(balanced_networks, st.lists(edits, max_size=5))
def test_incremental_is_from_scratch(network: BalancedSpec, history: list[Edit]) -> None:
    world = World()
    world.edit(network)
    for edit in history:
        edit(world)
        assert world.objections() == []


def balanced_switches(txn: Txn, *names: str, **columns: Any) -> None:
    """Switches that share a load balancer."""
    shared = txn.insert(nb.LoadBalancer, name="lb", **columns)
    for name in names:
        port = txn.insert(nb.LogicalSwitchPort, name=f"{name}p")
        txn.insert(nb.LogicalSwitch, name=name, ports=frozenset([port]), load_balancer=frozenset([shared]))


def test_what_makes_no_sense_is_said_and_left_out() -> None:
    world = World()
    vips = {"30.0.0.1:80": "10.0.0.1:80,nonsense,10.0.0.2", "30.0.0.999:80": "10.0.0.1:80", "30.0.0.2:0": "10.0.0.1:1"}
    world.edit(lambda txn: balanced_switches(txn, "s", vips=vips))
    said = sorted(text for _, text in world.compiler.problems())
    assert said == [
        "load balancer lb: vip 30.0.0.1:80: backend 10.0.0.2 does not fit it",
        "load balancer lb: vip 30.0.0.1:80: backend nonsense: nonsense: invalid IP address",
        "load balancer lb: vip 30.0.0.2:0: 30.0.0.2:0: invalid port",
        "load balancer lb: vip 30.0.0.999:80: 30.0.0.999: invalid IP address",
    ]
    chosen = [flow["actions"] for flow in world.flows() if "backends=" in flow["actions"]]
    assert chosen == ["reg4 = 30.0.0.1; reg2[0..15] = 80; ct_lb_mark(backends=10.0.0.1:80);"]


def test_one_more_backend_runs_that_load_balancer_only() -> None:
    world = World()
    world.edit(lambda txn: balanced_switches(txn, "one", vips={"30.0.0.9:80": "10.0.0.1:80"}))
    world.edit(lambda txn: balanced_switches(txn, "s", "t", vips={"30.0.0.1:80": "10.0.0.1:80"}))
    (row,) = [row for row in world.rows(nb.LoadBalancer) if "30.0.0.1:80" in row.vips]
    world.compiler.engine.clear_statistics()
    world.edit(lambda txn: txn.update(row, vips={"30.0.0.1:80": "10.0.0.1:80,10.0.0.2:80"}))
    runs = {name: family.runs for name, family in world.compiler.engine.statistics().items() if family.runs}
    assert runs == dict.fromkeys(ONE_BALANCER, 1)


def watched(txn: Txn) -> None:
    """A switch whose load balancer's backends are probed, as is one of its ports."""
    check = txn.insert(nb.LoadBalancerHealthCheck, vip="30.0.0.1:80", options={"interval": "7"})
    shared = txn.insert(
        nb.LoadBalancer,
        name="lb",
        vips={"30.0.0.1:80": "10.0.0.1:80,10.0.0.2:80"},
        ip_port_mappings={"10.0.0.1": "a:10.0.0.254", "10.0.0.2": "b:10.0.0.254"},
        health_check=frozenset([check]),
    )
    probe = txn.insert(nb.LogicalSwitchPortHealthCheck, protocol="icmp", src_ip="10.0.0.253", address="10.0.0.1")
    ports = frozenset(
        txn.insert(
            nb.LogicalSwitchPort,
            name=name,
            addresses=frozenset([f"00:00:00:00:00:0{number} 10.0.0.{number}"]),
            health_checks=frozenset([probe] if name == "a" else []),
        )
        for number, name in enumerate("ab", 1)
    )
    txn.insert(nb.LogicalSwitch, name="s", ports=ports, load_balancer=frozenset([shared]))


def test_backends_that_fail_are_not_chosen() -> None:
    world = World()
    world.edit(watched)

    def chosen() -> list[str]:
        return [flow["actions"].partition("backends=")[2] for flow in world.flows() if "backends=" in flow["actions"]]

    def report(ip: str, status: str) -> None:
        (row,) = [row for row in world.rows(sb.ServiceMonitor) if row.ip == ip and row.protocol == "tcp"]
        world.edit(lambda txn: txn.update(row, status=status), "OVN_Southbound")

    monitors = {(row.type, row.logical_port, row.ip, row.port, row.src_ip) for row in world.rows(sb.ServiceMonitor)}
    assert monitors == {
        ("load-balancer", "a", "10.0.0.1", 80, "10.0.0.254"),
        ("load-balancer", "b", "10.0.0.2", 80, "10.0.0.254"),
        ("logical-switch-port", "a", "10.0.0.1", 0, "10.0.0.253"),
    }
    assert chosen() == ["10.0.0.1:80,10.0.0.2:80);"], "innocent until a probe has failed"
    report("10.0.0.1", "offline")
    assert chosen() == ["10.0.0.2:80);"]
    report("10.0.0.1", "online")
    report("10.0.0.2", "error")
    assert chosen() == ["10.0.0.1:80);"]
    assert world.objections() == []


def test_the_health_of_a_port_goes_back() -> None:
    world = World()
    world.edit(watched)
    (row,) = [row for row in world.rows(sb.ServiceMonitor) if row.protocol == "icmp"]
    world.edit(lambda txn: txn.update(row, status="online"), "OVN_Southbound")
    (check,) = world.rows(nb.LogicalSwitchPortHealthCheck)
    assert check.status == "online"
    assert world.objections() == []


def test_probes_come_from_the_chassis_of_the_port() -> None:
    world = World()
    world.edit(watched)
    (binding,) = [row for row in world.rows(sb.PortBinding) if row.logical_port == "b"]

    def bind(txn: Txn) -> None:
        encap = txn.insert(sb.Encap, type="geneve", ip="127.0.0.1", chassis_name="hv1")
        txn.update(binding, chassis=txn.insert(sb.Chassis, name="hv1", encaps=frozenset([encap])))

    world.edit(bind, "OVN_Southbound")
    places = {row.logical_port: row.chassis_name for row in world.rows(sb.ServiceMonitor)}
    assert places == {"a": "", "b": "hv1"}
