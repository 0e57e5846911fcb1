"""Multicast with snooping: groups follow who listens, on switches and through routers that relay."""

import pytest

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.world import World

GROUP = "239.0.1.68"
CHASSIS_T2 = ["chassis_name", "==", "t2"]


def relayed(txn: Txn) -> None:
    """Two switches that snoop, with a port each and a router between them that relays."""
    ports = []
    for number, name in enumerate("st", 1):
        leading = {"mac": f"00:00:00:00:0{number}:01", "networks": frozenset([f"10.0.{number}.1/24"])}
        ports.append(txn.insert(nb.LogicalRouterPort, name=f"r-{name}", **leading))
        link = {"type": "router", "addresses": frozenset(["router"]), "options": {"router-port": f"r-{name}"}}
        members = [txn.insert(nb.LogicalSwitchPort, name=f"{name}-r", **link)]
        members += [txn.insert(nb.LogicalSwitchPort, name=f"{name}{each}") for each in (1, 2)]
        txn.insert(nb.LogicalSwitch, name=name, ports=frozenset(members), other_config={"mcast_snoop": "true"})
    txn.insert(nb.LogicalRouter, name="r", ports=frozenset(ports), options={"mcast_relay": "true"})


@pytest.fixture
def world() -> World:
    found = World()
    found.edit(relayed)
    return found


def listen(world: World, port: str, address: str) -> None:
    """Have the controller of a port's own chassis report that somebody there listens."""
    (binding,) = [row for row in world.rows(sb.PortBinding) if row.logical_port == port]
    report = {"address": address, "protocol": "IGMPv2", "chassis_name": port, "datapath": binding.datapath}

    def tell(txn: Txn) -> None:
        known = [row.uuid for row in world.rows(sb.Chassis) if row.name == port]
        encap = frozenset() if known else frozenset([txn.insert(sb.Encap, type="geneve", ip=port, chassis_name=port)])
        chassis = known[0] if known else txn.insert(sb.Chassis, name=port, encaps=encap)
        txn.insert(sb.IGMPGroup, ports=frozenset([binding.uuid]), chassis=chassis, **report)

    world.edit(tell, "OVN_Southbound")


def members(world: World, name: str) -> dict[str, list[str]]:
    """Datapath → ports in a group."""
    names = {row.uuid: row.external_ids["name"] for row in world.rows(sb.DatapathBinding)}
    ports = {row.uuid: row.logical_port for row in world.rows(sb.PortBinding)}
    found = [row for row in world.rows(sb.MulticastGroup) if row.name == name]
    return {names[row.datapath]: sorted(ports[each] for each in row.ports) for row in found}


def flows(world: World, priority: int) -> list[str]:
    return [flow["actions"] for flow in world.flows() if flow.get("priority") == priority and GROUP in flow["match"]]


def test_a_group_follows_who_listens(world: World) -> None:
    assert members(world, GROUP) == {}
    listen(world, "s1", GROUP)
    assert members(world, GROUP) == {"s": ["s1"], "r": ["r-s"]}
    listen(world, "t2", GROUP)
    listen(world, "s2", GROUP)
    assert members(world, GROUP) == {"s": ["s1", "s2"], "t": ["t2"], "r": ["r-s", "r-t"]}
    clone = 'clone { outport = "_MC_mrouter_flood"; output; };'
    assert set(flows(world, 90)) == {f'{clone}outport = "{GROUP}"; output; '}
    assert flows(world, 10500) == [f'outport = "{GROUP}"; ip.ttl--; next;']
    assert world.objections() == []
    world.edit(lambda txn: txn.raw({"op": "delete", "table": "IGMP_Group", "where": [CHASSIS_T2]}), "OVN_Southbound")
    assert members(world, GROUP) == {"s": ["s1", "s2"], "r": ["r-s"]}
    assert world.objections() == []


def test_each_group_has_a_key_of_its_own_that_it_keeps(world: World) -> None:
    for number in range(5):
        listen(world, "s1", f"239.0.0.{number}")
    keys = {row.name: row.tunnel_key for row in world.rows(sb.MulticastGroup) if row.name.startswith("239")}
    assert len({(row.datapath, row.tunnel_key) for row in world.rows(sb.MulticastGroup)}) == len(
        world.rows(sb.MulticastGroup)
    )
    gone = ["address", "==", "239.0.0.1"]
    world.edit(lambda txn: txn.raw({"op": "delete", "table": "IGMP_Group", "where": [gone]}), "OVN_Southbound")
    listen(world, "s2", "239.0.0.9")
    after = {row.name: row.tunnel_key for row in world.rows(sb.MulticastGroup) if row.name.startswith("239")}
    assert {name: key for name, key in after.items() if name in keys} == {
        name: key for name, key in keys.items() if name != "239.0.0.1"
    }
    assert world.objections() == []


def test_who_gets_everything_needs_no_group(world: World) -> None:
    (row,) = [row for row in world.rows(nb.LogicalSwitchPort) if row.name == "s1"]
    world.edit(lambda txn: txn.update(row, options={"mcast_flood": "true"}))
    listen(world, "s1", GROUP)
    listen(world, "t1", "ff02::99")
    listen(world, "t1", "mrouters")
    listen(world, "t1", "junk")
    assert members(world, GROUP) == {}
    assert members(world, "ff02::99") == {"t": ["t1"]}
    assert members(world, "_MC_mrouter_flood")["t"] == ["t-r", "t1"]
    assert world.objections() == []


def test_the_physical_network_listens_to_everything(world: World) -> None:
    attached = {"type": "localnet", "options": {"network_name": "phys"}, "addresses": frozenset(["unknown"])}
    (switch,) = [row for row in world.rows(nb.LogicalSwitch) if row.name == "s"]
    world.edit(
        lambda txn: txn.mutate(switch, "ports", "insert", {txn.insert(nb.LogicalSwitchPort, name="l", **attached)})
    )
    listen(world, "s1", GROUP)
    assert members(world, GROUP)["s"] == ["l", "s1"]
    assert world.objections() == []


def test_a_table_holds_so_many_groups_of_each_version(world: World) -> None:
    for address in ("239.0.0.9", "239.0.0.10", "239.0.0.11", "ff0e::5", "224.0.0.99"):
        listen(world, "s1", address)

    def reachable() -> set[str]:
        return {
            flow["match"].split()[-1]
            for flow in world.flows()
            if flow.get("priority") == 90 and "dst == " in flow["match"]
        }

    assert {"239.0.0.9", "239.0.0.10", "239.0.0.11", "ff0e::5"} <= reachable()
    assert "224.0.0.99" not in reachable()
    (switch,) = [row for row in world.rows(nb.LogicalSwitch) if row.name == "s"]
    world.edit(lambda txn: txn.update(switch, other_config={"mcast_snoop": "true", "mcast_table_size": "2"}))
    assert {"239.0.0.9", "239.0.0.10", "ff0e::5"} <= reachable()
    assert "239.0.0.11" not in reachable()
    assert world.objections() == []
