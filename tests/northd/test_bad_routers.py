"""What a router cannot carry out is told with its name, and the rest of the router works."""

from typing import Any

import pytest

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.world import World

PORTS = (("rp1", "00:00:00:00:00:01", "10.0.0.1/24"), ("rp2", "00:00:00:00:00:02", "10.0.1.1/24"))


def router(
    *, ports: tuple[tuple[str, str, str], ...] = PORTS, parts: dict[str, list[tuple[Any, dict[str, Any]]]] | None = None
) -> World:
    """A router with such ports (name, MAC, network), and such parts: column → table, columns of a row."""
    world = World()

    def build(txn: Txn) -> None:
        made: dict[str, Any] = {
            "ports": [
                txn.insert(nb.LogicalRouterPort, name=name, mac=mac, networks=frozenset([network]))
                for name, mac, network in ports
            ]
        }
        for column, rows in (parts or {}).items():
            made[column] = [txn.insert(table, **columns) for table, columns in rows]
        txn.insert(nb.LogicalRouter, name="r", **{column: frozenset(rows) for column, rows in made.items()})

    world.edit(build)
    return world


def said(world: World) -> list[str]:
    return [text for _, text in world.compiler.problems()]


def forwards(world: World) -> bool:
    """Does it route to the network of its second port?"""
    return any("ip4.dst == 10.0.1.0/24" in flow["match"] for flow in world.flows())


ROUTE, NAT, POLICY = nb.LogicalRouterStaticRoute, nb.NAT, nb.LogicalRouterPolicy


@pytest.mark.parametrize(
    ("column", "table", "columns", "text"),
    [
        ("static_routes", ROUTE, {"ip_prefix": "junk", "nexthop": "10.0.0.9"}, "bad prefix 'junk' of a static route"),
        (
            "static_routes", ROUTE, {"ip_prefix": "20.0.0.0/8", "nexthop": "99.0.0.1"},
            "route to 20.0.0.0/8: no path to next hop 99.0.0.1",
        ),
        (
            "static_routes", ROUTE, {"ip_prefix": "20.0.0.0/8", "nexthop": "10.0.0.9", "output_port": "nosuch"},
            "route to 20.0.0.0/8: there is no output port 'nosuch'",
        ),
        (
            "nat", NAT, {"type": "snat", "external_ip": "", "logical_ip": "10.0.0.0/24"},
            "snat of 10.0.0.0/24: bad external address ''",
        ),
        (
            "nat", NAT, {"type": "dnat", "external_ip": "1.2.3.4", "logical_ip": "10.0.0.0/24"},
            "dnat of 10.0.0.0/24: logical address '10.0.0.0/24' of dnat is a network",
        ),
        (
            "policies", POLICY,
            {"priority": 3, "match": "ip4", "action": "reroute", "nexthops": frozenset(["88.0.0.1"])},
            "policy of priority 3: no path to next hop 88.0.0.1",
        ),
    ],
)  # fmt: skip
def test_a_part_that_makes_no_sense_is_told(column: str, table: Any, columns: dict[str, Any], text: str) -> None:
    world = router(parts={column: [(table, columns)]})
    assert said(world) == [f"logical router r: {text}"]
    assert forwards(world)
    assert world.objections() == []


def test_networks_that_overlap_are_told_once_and_both_ports_stay() -> None:
    twin = ("rp3", "00:00:00:00:00:03", "10.0.0.9/24")
    world = router(ports=(*PORTS, twin))
    assert said(world) == ["logical router r: several ports are in 10.0.0.0/24: rp1, rp3"]
    assert {row.logical_port for row in world.rows(sb.PortBinding)} == {"rp1", "rp2", "rp3"}
    (port,) = [row for row in world.rows(nb.LogicalRouterPort) if row.name == "rp3"]
    world.edit(lambda txn: txn.update(port, networks=frozenset(["10.0.2.1/24"])))
    assert said(world) == world.objections() == []


def test_an_invalid_network_is_told_and_the_others_stay() -> None:
    world = router()
    (port,) = [row for row in world.rows(nb.LogicalRouterPort) if row.name == "rp1"]
    world.edit(lambda txn: txn.update(port, networks=frozenset(["10.0.0.1/33", "10.0.3.1/24", "FD00::1/64"])))
    assert said(world) == ["logical router port rp1: invalid network '10.0.0.1/33'"]
    macs = {row.logical_port: row.mac for row in world.rows(sb.PortBinding)}
    assert macs["rp1"] == {"00:00:00:00:00:01 10.0.3.1/24 fd00::1/64"}
    assert forwards(world)


@pytest.mark.parametrize(
    ("text", "is_told"),
    [("10.0.0.9", False), ("10.0.0.9 fd00::9", False), ("router_ip", False), ("10.0.0.9 10.0.0.8", True), ("x", True)],
)
def test_addresses_to_be_forced_on_senders_that_make_no_sense_are_told(text: str, is_told: bool) -> None:
    world = router()
    (row,) = world.rows(nb.LogicalRouter)
    world.edit(lambda txn: txn.update(row, options={"lb_force_snat_ip": text}))
    expected = f"logical router r: lb_force_snat_ip '{text}' is not one address of each version of IP"
    assert said(world) == ([expected] if is_told else [])
    assert forwards(world)


def test_a_peer_that_is_not_there_is_told() -> None:
    world = router()
    (port,) = [row for row in world.rows(nb.LogicalRouterPort) if row.name == "rp1"]
    world.edit(lambda txn: txn.update(port, peer="nobody"))
    assert said(world) == ["logical router port rp1: there is no peer 'nobody' that leads back"]
    assert forwards(world)


def test_what_is_not_carried_out_is_told_by_name() -> None:
    world = router()
    world.edit(lambda txn: txn.insert(nb.LogicalSwitch, name="s"))
    (switch,) = world.rows(nb.LogicalSwitch)
    (port, *_) = world.rows(nb.LogicalRouterPort)

    def configure(txn: Txn) -> None:
        for row in world.rows(nb.LogicalRouter):
            txn.update(row, options={"dynamic-routing": "true"})
        txn.update(port, options={"dynamic-routing-redistribute": "nat,rip"})
        txn.update(switch, other_config={"dynamic-routing-vni": "10"})

    world.edit(configure)
    assert sorted(said(world)) == [
        f"logical router port {port.name}: unknown dynamic-routing-redistribute 'rip'",
        "logical switch s: EVPN (other_config:dynamic-routing-vni) is not supported and has no effect",
    ]
    assert forwards(world)
