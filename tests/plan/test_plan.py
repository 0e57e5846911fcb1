"""Plans: what is foretold is what happens; nothing outside is touched; and it reads well."""

import itertools
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pyovn.cli.plan import InMemory, carried_out
from pyovn.cli.session import ConnectionFailed
from pyovn.net.errors import OvnError
from pyovn.ovsdb.txn import Txn
from pyovn.plan.changes import Recorder
from pyovn.plan.effects import FlowLine, flow_changes
from pyovn.plan.plan import planned
from pyovn.tables import nb, sb
from tests.northd.networks import NetworkSpec, networks
from tests.northd.world import World

MACS = {"a1": "0a:00:00:00:01:11", "b1": "0a:00:00:00:02:11"}
ADDRESSES = {"a1": "10.0.1.11", "b1": "10.0.2.11"}


def network(txn: Txn) -> None:
    """Two switches with a guest each, and a router between them."""
    ports = []
    for number, name in enumerate("ab", 1):
        leading = {"mac": f"0a:00:00:00:0{number}:01", "networks": frozenset([f"10.0.{number}.1/24"])}
        ports.append(txn.insert(nb.LogicalRouterPort, name=f"r-{name}", **leading))
        link = {"type": "router", "addresses": frozenset(["router"]), "options": {"router-port": f"r-{name}"}}
        addresses = frozenset([f"{MACS[f'{name}1']} {ADDRESSES[f'{name}1']}"])
        members = [
            txn.insert(nb.LogicalSwitchPort, name=f"{name}-r", **link),
            txn.insert(nb.LogicalSwitchPort, name=f"{name}1", addresses=addresses),
        ]
        txn.insert(nb.LogicalSwitch, name=name, ports=frozenset(members))
    txn.insert(nb.LogicalRouter, name="r", ports=frozenset(ports))


@pytest.fixture
def world() -> World:
    found = World()
    found.edit(network)
    return found


def told(world: World, *words: str, with_flows: bool = False) -> list[str]:
    return list(planned(world, partial(carried_out, list(words))).lines(with_flows=with_flows))


def test_a_filter_that_stops_somebody(world: World) -> None:
    lines = told(world, "acl-add", "b", "to-lport", "1001", 'outport == "b1" && tcp.dst == {22, 80}', "drop")
    assert lines[0] == "Northbound database"
    assert lines[1].startswith("  + ACL to-lport 1001 ")
    assert lines[2].startswith("  ~ Logical_Switch b: acls +")
    at = lines.index("Packets that would fare differently: 2 of 6 tried between 2 guests")
    assert [line.strip() for line in lines[at + 1 :]] == [
        line
        for port in (22, 80)
        for line in (f"tcp.dst == {port}: a1 → b1", "now    delivered", "then   dropped: an ACL says so")
    ]


def test_a_router_port_that_goes(world: World) -> None:
    lines = told(world, "lrp-del", "r-b")
    at = lines.index("New warnings")
    assert lines[at + 1] == "  logical switch port b-r: there is no router port 'r-b' for it"
    nobody = 'no port of switch b has the address 0a:00:00:00:02:01, and none takes unknown ones (addresses "unknown")'
    assert lines[-6:] == [
        "  icmp4: b1 → a1",
        "    now    delivered",
        f"    then   dropped: {nobody}",
        "  icmp4: a1 → b1",
        "    now    delivered",
        "    then   dropped: the router has no route to 10.0.2.11",
    ]


def test_flows_are_shown_if_wanted(world: World) -> None:
    lines = told(world, "lsp-set-enabled", "b1", "disabled", with_flows=True)
    lost = [line for line in lines if line.startswith("    - ")]
    assert any('outport = "b1"; output;' in line for line in lost)
    assert any("ls_in_l2_lkup" in line and "drop;" in line for line in lines if line.startswith("    + "))


def test_what_commands_print_comes_first(world: World) -> None:
    assert told(world, "ls-list")[-3:] == [
        "Northbound database",
        "  nothing changes",
        "Logical flows: +0 -0, on 0 of 3 datapaths",
    ]


def test_a_command_that_fails_is_told(world: World) -> None:
    with pytest.raises(OvnError, match="'nothing' is not found for port-group or switch"):
        planned(world, partial(carried_out, ["acl-add", "nothing", "to-lport", "1", "ip", "drop"]))


def test_nobody_waits_for_what_cannot_come(world: World) -> None:
    with pytest.raises(ConnectionFailed, match="no plan can know"):
        InMemory(world).wait()


def lines_of(world: World) -> dict[str, set[FlowLine]]:
    """All flows, by datapath."""
    groups = {uuid: row["initial"] for uuid, row in world.contents("OVN_Southbound", "Logical_DP_Group").items()}
    found: dict[str, set[FlowLine]] = {}
    for row in world.contents("OVN_Southbound", "Logical_Flow").values():
        flow: dict[str, Any] = row["initial"]
        labels = dict(flow["external_ids"][1])
        line = FlowLine(
            flow.get("pipeline", ""), flow.get("table_id", 0), labels.get("stage-name", ""), flow.get("priority", 0),
            flow.get("match", ""), flow.get("actions", ""),
        )  # fmt: skip
        own = flow.get("logical_datapath", ["set", []])
        members = [own] if own[0] == "uuid" else groups[flow["logical_dp_group"][1]]["datapaths"]
        members = members[1] if members[0] == "set" else members if isinstance(members[0], list) else [members]
        for member in members:
            found.setdefault(member[1], set()).add(line)
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks)
def test_the_flows_before_and_the_changes_make_the_flows_after(network: NetworkSpec) -> None:
    world = World()
    world.edit(network)
    before = lines_of(world)
    recorder = Recorder(world.databases["OVN_Southbound"])

    def exchange(txn: Txn) -> None:
        for cls in (nb.LogicalSwitch, nb.LogicalRouter):
            for row in itertools.islice(sorted(world.rows(cls), key=lambda row: row.name), 1):
                txn.update(row, name=f"{row.name}x")
        for row in sorted(world.rows(nb.LogicalSwitchPort), key=lambda row: row.name)[:2]:
            txn.update(row, enabled=row.enabled is False, addresses=frozenset(["0a:00:00:00:09:09 10.9.9.9"]))
        for row in sorted(world.rows(nb.LogicalRouter), key=lambda row: row.name)[1:]:
            txn.delete(row)
        port = txn.insert(nb.LogicalSwitchPort, name="fresh")
        txn.insert(nb.LogicalSwitch, name="fresh", ports=frozenset([port]))

    world.edit(exchange)
    after = lines_of(world)
    found = flow_changes(recorder, recorder.changes())
    for datapath in before.keys() | after.keys():
        was, now = before.get(datapath, set()), after.get(datapath, set())
        gained, lost = found.get(datapath, (frozenset(), frozenset()))
        assert gained == now - was
        assert lost == was - now
    assert {row.uuid for row in world.rows(sb.DatapathBinding)} >= set(after)
