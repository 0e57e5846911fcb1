"""ACLs: beside the C northd neither has anything to do after the other; and incremental = from scratch."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.filtered import FilteredSpec, acls, filtered_networks
from tests.northd.oracle import Oracle
from tests.northd.world import World


@pytest.mark.interop
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=filtered_networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: FilteredSpec) -> None:
    assert c.disagreements(network) == []


@pytest.mark.interop
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=filtered_networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: FilteredSpec) -> None:
    c.must_leave(network)


# -- the law: whatever happened before, the result is what a fresh start would give ---------------------------------

Edit = Callable[[World], None]


def change_acl(choice: int, columns: dict[str, Any]) -> Edit:
    """Make one of the ACLs another."""

    def edit(world: World) -> None:
        rows = sorted(world.rows(nb.ACL), key=lambda row: row.uuid)
        if rows:
            world.edit(lambda txn: txn.update(rows[choice % len(rows)], **columns))

    return edit


def regroup(choice: int, chosen: frozenset[int]) -> Edit:
    """Give one of the port groups other ports."""

    def edit(world: World) -> None:
        groups = sorted(world.rows(nb.PortGroup), key=lambda row: row.name)
        ports = sorted(world.rows(nb.LogicalSwitchPort), key=lambda row: row.name)
        if groups and ports:
            members = frozenset(ports[each % len(ports)].uuid for each in chosen)
            world.edit(lambda txn: txn.update(groups[choice % len(groups)], ports=members))

    return edit


def unlist(choice: int) -> Edit:
    """Take all ACLs off a switch."""

    def edit(world: World) -> None:
        rows = sorted(world.rows(nb.LogicalSwitch), key=lambda row: row.name)
        if rows:
            world.edit(lambda txn: txn.update(rows[choice % len(rows)], acls=frozenset()))

    return edit


def remeter(world: World) -> None:
    """Make the fair meter unfair, and the other way round."""

    def write(txn: Txn) -> None:
        for row in world.rows(nb.Meter):
            txn.update(row, fair=None if row.fair else True)

    world.edit(write)


edits = st.one_of(
    st.builds(change_acl, st.integers(0, 5), acls),
    st.builds(change_acl, st.integers(0, 5), acls),
    st.builds(regroup, st.integers(0, 1), st.frozensets(st.integers(0, 9), max_size=3)),
    st.builds(unlist, st.integers(0, 2)),
    st.just(remeter),
)


@settings(max_examples=40, deadline=None)
@given(filtered_networks, st.lists(edits, max_size=5))
def test_incremental_is_from_scratch(network: FilteredSpec, history: list[Edit]) -> None:
    world = World()
    world.edit(network)
    for edit in history:
        edit(world)
        assert world.objections() == []


def switch_of(txn: Txn, name: str, *filters: dict[str, Any]) -> None:
    """A switch with a port and ACLs."""
    port = txn.insert(nb.LogicalSwitchPort, name=f"{name}p")
    found = frozenset(txn.insert(nb.ACL, **each) for each in filters)
    txn.insert(nb.LogicalSwitch, name=name, ports=frozenset([port]), acls=found)


DROP = {"direction": "to-lport", "priority": 5, "match": "tcp", "action": "drop"}


def test_one_more_acl_runs_that_acl_only() -> None:
    world = World()
    world.edit(lambda txn: switch_of(txn, "s", *({**DROP, "priority": each} for each in range(50))))
    world.edit(lambda txn: switch_of(txn, "other", DROP))
    (row,) = [row for row in world.rows(nb.LogicalSwitch) if row.name == "s"]
    world.compiler.engine.clear_statistics()
    world.edit(lambda txn: txn.mutate(row, "acls", "insert", txn.insert(nb.ACL, **{**DROP, "priority": 99})))
    runs = {name: family.runs for name, family in world.compiler.engine.statistics().items() if family.runs}
    assert runs == {
        "switches": 1,
        "filtered_switches": 1,
        "kinds_of_acls": 1,
        "persisting": 1,
        "copied_meters": 1,
        "switch_views": 1,
        "acl_flows": 1,
    }


def test_one_more_port_in_a_group_costs_that_port_only() -> None:
    world = World()

    def grouped(txn: Txn) -> None:
        ports = frozenset(txn.insert(nb.LogicalSwitchPort, name=f"p{each}") for each in range(50))
        txn.insert(nb.LogicalSwitch, name="s", ports=ports)
        txn.insert(nb.PortGroup, name="all", ports=ports, acls=frozenset([txn.insert(nb.ACL, **DROP)]))

    world.edit(grouped)
    (switch,), (group,) = world.rows(nb.LogicalSwitch), world.rows(nb.PortGroup)
    world.compiler.engine.clear_statistics()

    def join(txn: Txn) -> None:
        port = txn.insert(nb.LogicalSwitchPort, name="new", addresses=frozenset(["00:00:00:00:00:01 10.0.0.1"]))
        for row in (switch, group):
            txn.mutate(row, "ports", "insert", port)

    world.edit(join)
    runs = {name: family.runs for name, family in world.compiler.engine.statistics().items()}
    assert (runs["group_members"], runs["grouped_ports"], runs["ports"], runs["acl_flows"]) == (1, 1, 1, 0)
    (addresses,) = [row.addresses for row in world.rows(sb.AddressSet) if row.name == "all_ip4"]
    assert addresses == {"10.0.0.1"}
    (members,) = [row.ports for row in world.rows(sb.PortGroup)]
    assert len(members) == 51


def test_what_is_not_carried_out_is_said() -> None:
    world = World()

    def sampled(txn: Txn) -> None:
        collector = txn.insert(nb.SampleCollector, id=1, name="c", probability=65535, set_id=7)
        sample = txn.insert(nb.Sample, collectors=frozenset([collector]), metadata=3)
        switch_of(txn, "s", {**DROP, "sample_new": sample})

    world.edit(sampled)
    ((_, text),) = world.compiler.problems()
    assert text == "ACL of priority 5, to-lport, tcp: sampling is not supported and has no effect"


def test_names_with_quotes_are_logged_as_strings() -> None:
    world = World()
    world.edit(lambda txn: switch_of(txn, "s", {**DROP, "log": True, "name": 'say "no"'}))
    (actions,) = [flow["actions"] for flow in world.flows() if "log(" in flow["actions"]]
    assert actions == 'log(name="say \\"no\\"", severity=info, verdict=drop); reg8[17] = 1; next;'
