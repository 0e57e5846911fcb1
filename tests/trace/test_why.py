"""Why a packet ends where it does: each way to end has its reason, and the row behind it."""

from functools import partial
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pyovn.cli.why import explained, text, why
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from pyovn.trace.network import Network
from pyovn.trace.presence import PHYSICAL
from pyovn.trace.request import Request, deep, run
from pyovn.trace.tables import read_tables
from tests.northd.world import World
from tests.trace.routed_networks import RoutedNetwork, Traffic, routed
from tests.trace.test_routed import central

MACS = {"a1": "0a:00:00:00:01:11", "b1": "0a:00:00:00:02:11", "b2": "0a:00:00:00:02:12"}
ADDRESSES = {"a1": "10.0.1.11", "b1": "10.0.2.11", "b2": "10.0.2.12"}


def router(txn: Txn) -> None:
    """A router with two networks, a policy, a discarding route and a way to the outside that nobody serves."""

    def port(name: str, mac: str, network: str, **more: Any) -> Any:
        return txn.insert(nb.LogicalRouterPort, name=name, mac=mac, networks=frozenset([network]), **more)

    gateway = txn.insert(nb.GatewayChassis, name="gc", chassis_name="hv2", priority=1)
    ports = [
        port("r-a", "0a:00:00:00:01:01", "10.0.1.1/24"),
        port("r-b", "0a:00:00:00:02:01", "10.0.2.1/24"),
        port("r-out", "0a:00:00:00:03:01", "10.0.3.1/24", gateway_chassis=frozenset([gateway])),
    ]
    routes = [txn.insert(nb.LogicalRouterStaticRoute, ip_prefix="50.0.0.0/8", nexthop="discard")]
    policies = [txn.insert(nb.LogicalRouterPolicy, priority=7, match="ip4.dst == 10.0.2.66", action="drop")]
    txn.insert(
        nb.LogicalRouter,
        name="r",
        ports=frozenset(ports),
        static_routes=frozenset(routes),
        policies=frozenset(policies),
    )


def switch(txn: Txn, name: str, guests: list[str], **columns: Any) -> None:
    """A switch on the router."""
    link = {"type": "router", "addresses": frozenset(["router"]), "options": {"router-port": f"r-{name}"}}
    ports = [txn.insert(nb.LogicalSwitchPort, name=f"{name}-r", **link)]
    for guest in guests:
        addresses = frozenset([f"{MACS[guest]} {ADDRESSES[guest]}"])
        secure = addresses if guest == "a1" else frozenset()
        ports.append(
            txn.insert(
                nb.LogicalSwitchPort, name=guest, addresses=addresses, port_security=secure,
                enabled=False if guest == "b2" else None,
            )
        )  # fmt: skip
    if name == "out":
        ports.append(
            txn.insert(
                nb.LogicalSwitchPort, name="ln", type="localnet", addresses=frozenset(["unknown"]),
                options={"network_name": "phys"},
            )
        )  # fmt: skip
    txn.insert(nb.LogicalSwitch, name=name, ports=frozenset(ports), **columns)


def acl(txn: Txn, port: int, action: str, **columns: Any) -> Any:
    return txn.insert(nb.ACL, direction="to-lport", priority=1001, match=f"tcp.dst == {port}", action=action, **columns)


def network(txn: Txn) -> None:
    router(txn)
    switch(txn, "a", ["a1"])
    switch(txn, "b", ["b1", "b2"], acls=frozenset([acl(txn, 80, "drop"), acl(txn, 81, "reject")]))
    switch(txn, "out", [])


def plug(world: World, port: str, chassis: str, kind: str = "geneve") -> None:
    """Have a new chassis claim a port."""

    def claim(txn: Txn) -> None:
        encap = txn.insert(sb.Encap, type=kind, ip=f"10.9.0.{len(world.rows(sb.Chassis)) + 1}", chassis_name=chassis)
        (binding,) = [row for row in world.rows(sb.PortBinding) if row.logical_port == port]
        row = txn.insert(sb.Chassis, name=chassis, encaps=frozenset([encap]))
        txn.update(binding, chassis=row, up=True)

    world.edit(claim, "OVN_Southbound")


@pytest.fixture
def world() -> World:
    found = World()
    found.edit(network)
    plug(found, "a1", "hv1")
    return found


def asked(world: World, microflow: str) -> list[dict[str, Any]]:
    """What becomes of a packet."""
    tables = read_tables(world.call, PHYSICAL)
    return explained(
        tables, Request(microflow), lambda *operations: world.call("transact", "OVN_Northbound", *operations)
    )[1]


A1 = f'inport == "a1" && eth.src == {MACS["a1"]} && ip.ttl == 64'
ROUTED = f"{A1} && eth.dst == 0a:00:00:00:01:01 && ip4.src == 10.0.1.11"


@pytest.mark.parametrize(
    ("microflow", "title", "because"),
    [
        (f"{ROUTED} && ip4.dst == 10.0.2.11 && tcp.dst == 22", 'delivered to "b1"', ""),
        (
            f"{ROUTED} && ip4.dst == 10.0.2.11 && tcp.dst == 80", 'dropped by switch b, on its way out to "b1"',
            "ACL: to-lport, priority=1001, match=(tcp.dst == 80), drop, of switch b",
        ),
        (
            f"{ROUTED} && ip4.dst == 10.0.2.11 && tcp.dst == 81", "refused by switch b: it answers with tcp reset",
            "ACL: to-lport, priority=1001, match=(tcp.dst == 81), reject, of switch b",
        ),
        (
            f"{A1} && eth.dst == 0a:00:00:00:01:01 && ip4.src == 10.0.1.9", "dropped by switch a",
            f'port security of "a1" lets in {MACS["a1"]} 10.0.1.11; this is from {MACS["a1"]} 10.0.1.9',
        ),
        (
            f"{A1} && eth.dst == 0a:00:00:00:00:99 && ip4.src == 10.0.1.11", "dropped by switch a",
            'no port of switch a has the address 0a:00:00:00:00:99, and none takes unknown ones (addresses "unknown")',
        ),
        (f"{ROUTED} && ip4.dst == 70.0.0.1", "dropped by router r", "the router has no route to 70.0.0.1"),
        (
            f"{ROUTED} && ip4.dst == 50.0.0.1", "dropped by router r",
            "Route: 50.0.0.0/8 via discard (port []), policy=[], of router r",
        ),
        (
            f"{ROUTED} && ip4.dst == 10.0.2.66", "dropped by router r",
            "Logical Router Policy: priority 7 match ip4.dst == 10.0.2.66 action drop nexthop [], of router r",
        ),
        (
            f"{ROUTED.replace('64', '1')} && ip4.dst == 10.0.2.11", "refused by router r: it answers with icmp4",
            "its time to live ends at this router",
        ),
        (
            f"{ROUTED} && ip4.dst == 10.0.1.1 && tcp.dst == 22", "dropped by router r",
            "it is for the router itself",
        ),
        (
            f"{ROUTED} && ip4.dst == 10.0.2.99", "held by router r, which asks for a neighbour",
            "the MAC address of 10.0.2.99 is not known yet: the router asks for it, and keeps the packet so long",
        ),
    ],
)  # fmt: skip
def test_each_end_has_its_reason(world: World, microflow: str, title: str, because: str) -> None:
    plug(world, "b1", "hv9")
    (end,) = asked(world, microflow)
    assert end["title"] == title
    assert because in (end["reason"], *end["because"])
    assert end["obstacles"] == []


def test_an_answer_comes_back(world: World) -> None:
    who = f'inport == "a1" && eth.src == {MACS["a1"]} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1'
    (end,) = asked(world, f"{who} && arp.sha == {MACS['a1']} && arp.spa == 10.0.1.11 && arp.tpa == 10.0.1.1")
    assert (end["title"], end["obstacles"]) == ('answered: "a1" gets it back', [])


def test_a_guest_that_nobody_has_plugged_in(world: World) -> None:
    (end,) = asked(world, f"{ROUTED} && ip4.dst == 10.0.2.11")
    said = 'nobody has plugged in "b1": there is no interface with external_ids:iface-id=b1'
    assert (end["fate"], end["obstacles"]) == ("delivered", [said])


def test_chassis_without_a_tunnel_between_them(world: World) -> None:
    plug(world, "b1", "hv2", "vxlan")
    (end,) = asked(world, f"{ROUTED} && ip4.dst == 10.0.2.11")
    assert end["obstacles"] == ["there is no kind of tunnel that both chassis have: hv1 (geneve) and hv2 (vxlan)"]


def test_a_gateway_and_a_physical_network_that_nobody_serves(world: World) -> None:
    outside = f"{ROUTED} && ip4.dst == 10.0.3.9"
    (end,) = asked(world, outside)
    assert (end["fate"], end["obstacles"]) == ("unresolved", ['no chassis serves the gateway port "cr-r-out"'])
    known = {"logical_port": "r-out", "ip": "10.0.3.9", "mac": "0a:00:00:00:03:09"}
    world.edit(lambda txn: txn.insert(nb.StaticMACBinding, **known))
    (end,) = asked(world, outside)
    assert end["obstacles"] == ['no chassis serves the gateway port "cr-r-out"']
    plug(world, "cr-r-out", "hv2")
    (end,) = asked(world, outside)
    said = "chassis hv2 has no bridge for the physical network phys (external_ids:ovn-bridge-mappings)"
    assert (end["title"], end["obstacles"]) == ('delivered to "ln"', [said])
    (row,) = [row for row in world.rows(sb.Chassis) if row.name == "hv2"]
    world.edit(lambda txn: txn.update(row, other_config={"ovn-bridge-mappings": "phys:br-ex"}), "OVN_Southbound")
    (end,) = asked(world, outside)
    assert end["obstacles"] == []


def test_it_is_told_in_lines(world: World) -> None:
    tables = read_tables(world.call, PHYSICAL)
    north = partial(world.call, "transact", "OVN_Northbound")
    told = text(*explained(tables, Request(f"{ROUTED} && ip4.dst == 10.0.2.11 && tcp.dst == 80"), north)).splitlines()
    assert told[2:5] == [
        'dropped by switch b, on its way out to "b1"',
        "  because  an ACL says so",
        "           ACL: to-lport, priority=1001, match=(tcp.dst == 80), drop, of switch b",
    ]
    assert told[-1] == "  way      switch a → router r → switch b"


def test_a_database_that_does_not_answer_is_told() -> None:
    result = CliRunner().invoke(why, ["--db=unix:/nowhere/at/all", "sw0", 'inport == "a"'])
    assert result.exit_code == 1
    assert "unix:/nowhere/at/all: database connection failed" in result.output


@settings(max_examples=10, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(network=routed(balanced=True), choices=st.integers(0, 1 << 32).map(Random))
def test_nothing_ends_without_a_reason(network: RoutedNetwork, choices: Random) -> None:
    world = central(network)
    tables, traffic = read_tables(world.call, PHYSICAL), Traffic(network, choices)
    for _ in range(15):
        microflow = traffic.microflow()
        with deep():
            trace = run(Network(tables), Request(microflow))
        if trace.problem:
            continue  # a translation of a network has no address to send to
        passed = [node for each in trace.nodes for node in each.walk()]
        outputs = {node.text for node in passed if node.kind == "output" and not node.facts["crosses"]}
        ends = explained(tables, Request(microflow), None)[1]
        assert ends
        delivered = {end["title"].split('"')[1] for end in ends if end["fate"] == "delivered"}
        assert delivered <= outputs
        for end in ends:
            assert end["fate"] in ("delivered", "answered", "taken") or end["reason"]
            assert "that is what" not in end["reason"], microflow
