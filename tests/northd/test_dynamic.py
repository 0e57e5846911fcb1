"""Dynamic routing: ours and the C northd leave each other's work alone; incremental = from scratch."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.conftest import Oracle
from tests.northd.dynamic import DynamicNetwork, dynamic_networks, port_options, router_options
from tests.northd.world import World

Edit = Callable[[World], None]


@pytest.fixture
def learning(c: Oracle) -> Iterator[Oracle]:
    """The C northd, whose controllers learn what a test tells them to."""
    yield c
    c.learned = ()


@pytest.mark.interop
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(network=dynamic_networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(learning: Oracle, network: DynamicNetwork) -> None:
    learning.learned = network.learned
    assert learning.disagreements(network) == []


@pytest.mark.interop
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(network=dynamic_networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(learning: Oracle, network: DynamicNetwork) -> None:
    learning.learned = network.learned
    learning.must_leave(network)


def update(cls: type[Any], choice: int, **columns: Any) -> Edit:
    """Change one of the rows of a table, if there are any."""

    def edit(world: World) -> None:
        rows = sorted(world.rows(cls), key=lambda row: row.uuid)
        if rows:
            world.edit(lambda txn: txn.update(rows[choice % len(rows)], **columns))

    return edit


def learn(choice: int, prefix: str, nexthop: str) -> Edit:
    """Have a controller learn a route on some router port."""

    def edit(world: World) -> None:
        ports = sorted(row.logical_port for row in world.rows(sb.PortBinding) if row.logical_port.startswith("r"))
        if ports:
            learn_on(world, ports[choice % len(ports)], prefix, nexthop)

    return edit


def learn_on(world: World, port: str, prefix: str, nexthop: str) -> None:
    """Have a controller learn a route on a port, unless it knows it."""
    (bound,) = [row for row in world.rows(sb.PortBinding) if row.logical_port == port]
    known = {(row.logical_port, row.ip_prefix, row.nexthop) for row in world.rows(sb.LearnedRoute)}
    if (bound.uuid, prefix, nexthop) not in known:
        columns = {"datapath": bound.datapath, "logical_port": bound.uuid, "ip_prefix": prefix, "nexthop": nexthop}
        world.edit(lambda txn: txn.insert(sb.LearnedRoute, **columns), "OVN_Southbound")


choices = st.integers(0, 3)
edits = st.one_of(
    st.builds(lambda choice, options: update(nb.LogicalRouter, choice, options=options), choices, router_options),
    st.builds(lambda choice, options: update(nb.LogicalRouterPort, choice, options=options), choices, port_options),
    st.builds(lambda choice, enabled: update(nb.LogicalRouterPort, choice, enabled=enabled), choices, st.booleans()),
    st.builds(
        lambda choice, addresses: update(nb.LogicalSwitchPort, choice, addresses=addresses),
        choices,
        st.frozensets(st.sampled_from(["00:00:00:00:00:01 10.0.0.1", "router", "00:00:00:00:00:05 10.0.0.6 fe80::5"])),
    ),
    st.builds(lambda choice: update(nb.LogicalRouter, choice, nat=frozenset()), choices),
    st.builds(lambda choice: update(nb.LogicalRouter, choice, ports=frozenset()), choices),
    st.builds(learn, choices, st.sampled_from(["40.0.0.0/8", "x"]), st.sampled_from(["10.0.0.9", "fe80::9"])),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(dynamic_networks, st.lists(edits, max_size=6))
def test_incremental_is_from_scratch(network: DynamicNetwork, history: list[Edit]) -> None:
    world = World()
    world.edit(network)
    for edit in history:
        edit(world)
        assert world.objections() == []


def fabric(redistribute: str) -> Callable[[Txn], None]:
    """A router with a guest on one side and the fabric on the other."""

    def network(txn: Txn) -> None:
        ports = [
            txn.insert(nb.LogicalRouterPort, name=name, mac=f"00:00:00:00:00:0{n}", networks=frozenset([address]))
            for n, (name, address) in enumerate((("inner", "10.0.0.254/24"), ("outer", "172.16.0.1/24")))
        ]
        to = {"type": "router", "addresses": frozenset(["router"]), "options": {"router-port": "inner"}}
        members = [txn.insert(nb.LogicalSwitchPort, name="link", **to)]
        members.append(
            txn.insert(nb.LogicalSwitchPort, name="vm", addresses=frozenset(["00:00:00:00:01:00 10.0.0.1 fe80::1"]))
        )
        txn.insert(nb.LogicalSwitch, name="net", ports=frozenset(members))
        route = txn.insert(nb.LogicalRouterStaticRoute, ip_prefix="40.0.0.0/8", nexthop="172.16.0.2")
        options = {"dynamic-routing": "true", "dynamic-routing-redistribute": redistribute, "chassis": "gw"}
        txn.insert(
            nb.LogicalRouter, name="r", ports=frozenset(ports), options=options, static_routes=frozenset([route])
        )

    return network


def told(world: World) -> set[tuple[str, str, str]]:
    """Port, prefix and tracked port of what the world outside is told."""
    names = {row.uuid: row.logical_port for row in world.rows(sb.PortBinding)}
    rows = world.rows(sb.AdvertisedRoute)
    return {(names[row.logical_port], row.ip_prefix, names.get(row.tracked_port, "")) for row in rows}


def test_the_world_outside_is_told_where_guests_are() -> None:
    world = World()
    world.edit(fabric("connected,static"))
    static = ("outer", "40.0.0.0/8", "")
    assert told(world) == {static, ("inner", "10.0.0.0/24", ""), ("outer", "172.16.0.0/24", "")}
    (router,) = world.rows(nb.LogicalRouter)
    as_host = {**router.options, "dynamic-routing-redistribute": "connected-as-host"}
    world.edit(lambda txn: txn.update(router, options=as_host))
    assert told(world) == {("inner", "10.0.0.254", "inner"), ("inner", "10.0.0.1", "vm")}


def test_a_learned_route_yields_to_a_static_one_and_goes_with_dynamic_routing() -> None:
    world = World()
    world.edit(fabric("static"))
    learn_on(world, "outer", "40.0.0.0/8", "172.16.0.9")
    learn_on(world, "outer", "nonsense", "172.16.0.9")
    found = {flow["priority"]: flow["actions"] for flow in world.flows() if "40.0.0.0/8" in flow["match"]}
    assert sorted(found) == [8 * 8 + 2, 8 * 8 + 4]
    assert "reg0 = 172.16.0.9; " in found[66]
    assert "route learned on outer: bad prefix 'nonsense'" in [text for _, text in world.compiler.problems()]
    (router,) = world.rows(nb.LogicalRouter)
    world.edit(lambda txn: txn.update(router, options={}))
    assert world.rows(sb.LearnedRoute) == []
