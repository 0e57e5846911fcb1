"""Next hops with symmetric replies whose MACs chassis are to watch: `ecmp_nexthop_monitor_enable`."""

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.world import World

SYMMETRIC = {"ecmp_symmetric_reply": "true"}


def routed(txn: Txn) -> None:
    """A router with three routes by two next hops, one of them twice, and one whose replies go anywhere."""
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


def test_a_mac_that_a_chassis_wrote_stays() -> None:
    world = World()
    world.edit(routed)
    (settings,) = world.rows(nb.NBGlobal)
    enabled = {**settings.options, "ecmp_nexthop_monitor_enable": "true"}
    world.edit(lambda txn: txn.update(settings, options=enabled))
    row = world.rows(sb.ECMPNexthop)[0]
    world.edit(lambda txn: txn.update(row, mac="00:00:00:00:00:09"), "OVN_Southbound")
    assert world.objections() == []
    assert "00:00:00:00:00:09" in {each.mac for each in world.rows(sb.ECMPNexthop)}


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
