"""Next hops with symmetric replies whose MACs chassis are to watch: `ecmp_nexthop_monitor_enable`."""

import pytest

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.oracle import Oracle
from tests.northd.world import World

SYMMETRIC = {"ecmp_symmetric_reply": "true"}


def routed(txn: Txn, *, twice: bool = True) -> None:
    """A router with routes by two next hops, perhaps one of them twice, and one whose replies go anywhere."""
    ways = {"rp": "10.0.0.1/24", "rq": "10.0.1.1/24"}
    ports = [
        txn.insert(nb.LogicalRouterPort, name=name, mac=f"00:00:00:00:ff:0{number}", networks=frozenset([network]))
        for number, (name, network) in enumerate(ways.items())
    ]
    hops = (
        ("1.0.0.0/8", "10.0.0.9", SYMMETRIC),
        ("1.0.0.0/8", "10.0.1.9", SYMMETRIC),
        ("2.0.0.0/8", "10.0.0.9", SYMMETRIC),
        ("3.0.0.0/8", "10.0.0.8", {}),
    )
    routes = [
        txn.insert(nb.LogicalRouterStaticRoute, ip_prefix=prefix, nexthop=hop, options=options)
        for prefix, hop, options in hops
        if twice or prefix != "2.0.0.0/8"
    ]
    txn.insert(nb.LogicalRouter, name="r", ports=frozenset(ports), static_routes=frozenset(routes))


def watched(world: World) -> set[tuple[str, str]]:
    """Next hops and the ports that they are reached by."""
    names = {row.uuid: row.logical_port for row in world.rows(sb.PortBinding)}
    (datapath,) = world.rows(sb.DatapathBinding)
    assert all(row.datapath == datapath.uuid for row in world.rows(sb.ECMPNexthop))
    return {(row.nexthop, names[row.port]) for row in world.rows(sb.ECMPNexthop)}


def test_next_hops_are_watched_where_that_is_wanted_each_once() -> None:
    world = World()
    world.edit(routed)
    assert watched(world) == set()
    (settings,) = world.rows(nb.NBGlobal)
    enabled = {**settings.options, "ecmp_nexthop_monitor_enable": "true"}
    world.edit(lambda txn: txn.update(settings, options=enabled))
    assert watched(world) == {("10.0.0.9", "rp"), ("10.0.1.9", "rq")}
    assert len(world.rows(sb.ECMPNexthop)) == 2
    assert list(world.compiler.problems()) == world.objections() == []


def test_macs_are_those_that_chassis_learned_and_stay() -> None:
    world = World()
    world.edit(routed)
    (settings,) = world.rows(nb.NBGlobal)
    enabled = {**settings.options, "ecmp_nexthop_monitor_enable": "true"}
    world.edit(lambda txn: txn.update(settings, options=enabled))
    (datapath,) = world.rows(sb.DatapathBinding)
    where = {"logical_port": "rp", "ip": "10.0.0.9", "datapath": datapath.uuid}

    def macs() -> dict[str, str]:
        return {row.nexthop: row.mac for row in world.rows(sb.ECMPNexthop)}

    for mac in ("00:00:00:00:00:09", "00:00:00:00:00:0A"):
        for row in world.rows(sb.MACBinding):
            world.edit(lambda txn, row=row: txn.delete(row), "OVN_Southbound")  # type: ignore[misc]
        world.edit(lambda txn, mac=mac: txn.insert(sb.MACBinding, mac=mac, **where), "OVN_Southbound")  # type: ignore[misc]
        assert macs() == {"10.0.0.9": mac, "10.0.1.9": ""}
    (row,) = world.rows(sb.MACBinding)
    world.edit(lambda txn: txn.delete(row), "OVN_Southbound")
    assert macs() == {"10.0.0.9": "00:00:00:00:00:0A", "10.0.1.9": ""}
    assert world.objections() == []


def test_next_hops_go_with_their_routes_and_ports() -> None:
    world = World()
    world.edit(routed)
    (settings,) = world.rows(nb.NBGlobal)
    enabled = {**settings.options, "ecmp_nexthop_monitor_enable": "true"}
    world.edit(lambda txn: txn.update(settings, options=enabled))
    (router,) = world.rows(nb.LogicalRouter)
    (kept,) = [row.uuid for row in world.rows(nb.LogicalRouterStaticRoute) if row.ip_prefix == "2.0.0.0/8"]
    world.edit(lambda txn: txn.update(router, static_routes=frozenset([kept])))
    assert watched(world) == {("10.0.0.9", "rp")}
    (router,) = world.rows(nb.LogicalRouter)
    (other,) = [row.uuid for row in world.rows(nb.LogicalRouterPort) if row.name == "rq"]
    world.edit(lambda txn: txn.update(router, ports=frozenset([other])))
    assert watched(world) == set()
    assert world.objections() == []


@pytest.mark.interop
def test_macs_are_as_in_c(c: Oracle) -> None:
    def network(txn: Txn) -> None:
        routed(txn, twice=False)
        pairs = ["map", [["ecmp_nexthop_monitor_enable", "true"]]]
        txn.raw({"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["options", "insert", pairs]]})

    c.configure(network)
    (datapath,) = c.dump(sb.SOUTHBOUND)["Datapath_Binding"]
    for mac in ("00:00:00:00:00:09", "00:00:00:00:00:0A"):
        txn = Txn()
        txn.raw({"op": "delete", "table": "MAC_Binding", "where": []})
        txn.insert(sb.MACBinding, logical_port="rp", ip="10.0.0.9", mac=mac, datapath=datapath)
        c.transact("OVN_Southbound", txn)
        c.settle()
        assert {row["initial"].get("mac", "") for row in c.dump(sb.SOUTHBOUND)["ECMP_Nexthop"].values()} == {mac, ""}
        assert c.objections() == []
    txn = Txn()
    txn.raw({"op": "delete", "table": "MAC_Binding", "where": []})
    c.transact("OVN_Southbound", txn)
    c.recompute()
    assert c.objections() == []
