"""northd as a whole, on databases in this process."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.networks import PortSpec, ports, switches
from tests.northd.routed import BY_NAME, RouterSpec, routers
from tests.northd.world import World

SOUTHBOUND = "OVN_Southbound"
EMPTY = 96  #: flows of a switch without ports


def switch(txn: Txn, name: str, *names: str, **columns: Any) -> None:
    members = [txn.insert(nb.LogicalSwitchPort, name=each, addresses=frozenset([address(each)])) for each in names]
    txn.insert(nb.LogicalSwitch, name=name, ports=frozenset(members), **columns)


def address(name: str) -> str:
    number = sum(map(ord, name)) % 200
    return f"00:00:00:00:00:{number:02x} 10.0.0.{number}"


def test_a_switch_has_flows_bindings_and_groups() -> None:
    world = World()
    world.edit(lambda txn: switch(txn, "s", "a", "b"))
    (datapath,) = world.rows(sb.DatapathBinding)
    bindings = world.rows(sb.PortBinding)
    assert {row.logical_port: row.datapath for row in bindings} == {"a": datapath.uuid, "b": datapath.uuid}
    assert sorted(row.tunnel_key for row in bindings) == [1, 2]
    groups = {row.name: row.ports for row in world.rows(sb.MulticastGroup)}
    assert groups == dict.fromkeys(("_MC_flood", "_MC_flood_l2"), frozenset(row.uuid for row in bindings))
    assert len(world.flows()) == EMPTY + 2 * 4
    assert world.objections() == []


def test_flows_are_the_same_from_run_to_run() -> None:
    worlds = [World(), World()]
    for world in worlds:
        world.edit(lambda txn: switch(txn, "s", "a", "b"))
    first, second = (sorted(str(sorted(row.items())) for row in world.flows()) for world in worlds)
    assert first == second


def test_adding_a_port_runs_the_rules_of_that_port_only() -> None:
    world = World()
    world.edit(lambda txn: [switch(txn, f"s{n}", *(f"p{n}-{m}" for m in range(5))) for n in range(3)])
    (row,) = [row for row in world.rows(nb.LogicalSwitch) if row.name == "s1"]
    world.compiler.engine.clear_statistics()

    def add(txn: Txn) -> None:
        txn.mutate(
            row, "ports", "insert", txn.insert(nb.LogicalSwitchPort, name="new", addresses=frozenset([address("x")]))
        )

    world.edit(add)
    runs = {name: family.runs for name, family in world.compiler.engine.statistics().items() if family.runs}
    assert runs == {"switches": 1, "special_ports": 1, "switch_views": 1, "ports": 1, "liveness": 1}
    inserted = [
        operation["table"]
        for txn in world.transactions
        for operation in txn.operations()
        if operation["op"] == "insert"
    ]
    assert sorted(inserted) == ["Logical_Flow"] * 4 + ["Port_Binding"]


def test_equal_flows_of_two_switches_are_one_row_with_a_group() -> None:
    world = World()
    world.edit(lambda txn: switch(txn, "s1", "a"))
    world.edit(lambda txn: switch(txn, "s2", "b"))
    assert len(world.flows()) == EMPTY + 2 * 4
    (group,) = world.rows(sb.LogicalDPGroup)
    assert group.datapaths == {row.uuid for row in world.rows(sb.DatapathBinding)}
    assert world.objections() == []


def test_a_third_switch_moves_the_group_and_not_the_flows() -> None:
    world = World()
    world.edit(lambda txn: [switch(txn, "s1"), switch(txn, "s2")])
    world.edit(lambda txn: switch(txn, "s3"))
    operations = [operation for txn in world.transactions for operation in txn.operations()]
    assert not [each for each in operations if each["table"] == "Logical_Flow"]
    assert [each["op"] for each in operations if each["table"] == "Logical_DP_Group"] == ["mutate"]
    assert world.objections() == []


def test_keys_outlive_a_restart_and_their_neighbours() -> None:
    world = World()
    world.edit(lambda txn: switch(txn, "s", "a", "b", "c"))
    keys = {row.logical_port: row.tunnel_key for row in world.rows(sb.PortBinding)}
    (row,) = world.rows(nb.LogicalSwitch)
    (gone,) = [port for port in world.rows(nb.LogicalSwitchPort) if port.name == "a"]
    world.edit(lambda txn: txn.mutate(row, "ports", "delete", gone.uuid))
    assert world.objections() == []
    after = {row.logical_port: row.tunnel_key for row in world.rows(sb.PortBinding)}
    assert after == {"b": keys["b"], "c": keys["c"]}


def test_requested_keys_are_granted_and_displace_others() -> None:
    world = World()
    world.edit(lambda txn: switch(txn, "s", "a", "b"))
    (port,) = [port for port in world.rows(nb.LogicalSwitchPort) if port.name == "a"]
    (row,) = world.rows(nb.LogicalSwitch)
    taken = next(row.tunnel_key for row in world.rows(sb.PortBinding) if row.logical_port == "b")

    def request(txn: Txn) -> None:
        txn.update(port, options={"requested-tnl-key": str(taken)})
        txn.update(row, other_config={"requested-tnl-key": "77"})

    world.edit(request)
    keys = {row.logical_port: row.tunnel_key for row in world.rows(sb.PortBinding)}
    assert keys["a"] == taken
    assert keys["b"] != taken
    assert [row.tunnel_key for row in world.rows(sb.DatapathBinding)] == [77]
    assert world.objections() == []


def test_what_others_did_to_our_rows_is_put_right() -> None:
    world = World()
    world.edit(lambda txn: switch(txn, "s", "a", "b"))

    def said() -> dict[str, Any]:
        return {row.logical_port: (row.mac, row.datapath) for row in world.rows(sb.PortBinding)}

    before = said()

    def vandalise(txn: Txn) -> None:
        first, second = world.rows(sb.PortBinding)
        txn.delete(first)
        txn.update(second, mac=frozenset(["nonsense"]))
        txn.insert(sb.AddressSet, name="stray")
        txn.delete(world.rows(sb.MulticastGroup)[0])

    world.edit(vandalise, "OVN_Southbound")
    assert said() == before
    assert world.objections() == []


def test_a_port_is_up_when_its_chassis_says_so() -> None:
    world = World()
    world.edit(lambda txn: switch(txn, "s", "a"))
    assert [row.up for row in world.rows(nb.LogicalSwitchPort)] == [False]

    def bind(txn: Txn) -> None:
        encap = txn.insert(sb.Encap, type="geneve", ip="127.0.0.1", chassis_name="ch")
        ids = {"port-up-notif": "true"}
        chassis = txn.insert(sb.Chassis, name="ch", encaps=frozenset([encap]), other_config=ids)
        txn.update(world.rows(sb.PortBinding)[0], chassis=chassis)

    world.edit(bind, "OVN_Southbound")
    assert [row.up for row in world.rows(nb.LogicalSwitchPort)] == [False]
    world.edit(lambda txn: txn.update(world.rows(sb.PortBinding)[0], up=True), "OVN_Southbound")
    assert [row.up for row in world.rows(nb.LogicalSwitchPort)] == [True]
    assert not world.compiler.engine.ran().get("ports"), "being up is no reason to compile a port again"


def test_chassis_with_guests_refer_to_the_gateways_they_depend_on() -> None:
    world = World()

    def network(txn: Txn) -> None:
        """s0 — r0 — r1 — s1, a gateway port of two chassis on r0, and a switch apart."""
        gateways = [txn.insert(nb.GatewayChassis, name=f"g{n}", chassis_name=f"gw{n}", priority=n) for n in range(2)]
        for n, peer in ((0, "r1-r0"), (1, "r0-r1")):
            names = (f"r{n}-s{n}", f"r{n}-r{1 - n}", f"r{n}-out")
            links = dict(zip(names, (None, peer, None), strict=True))
            ports = [
                txn.insert(
                    nb.LogicalRouterPort,
                    name=name,
                    mac=f"00:00:00:00:{n}1:0{at}",
                    networks=frozenset([f"10.{n}.{at}.1/24"]),
                    peer=links[name],
                    gateway_chassis=frozenset(gateways if name == "r0-out" else ()),
                )
                for at, name in enumerate(names)
            ]
            txn.insert(nb.LogicalRouter, name=f"r{n}", ports=frozenset(ports))
            link = txn.insert(nb.LogicalSwitchPort, name=f"s{n}-r{n}", type="router", options={"router-port": names[0]})
            guest = txn.insert(nb.LogicalSwitchPort, name=f"guest{n}")
            txn.insert(nb.LogicalSwitch, name=f"s{n}", ports=frozenset([link, guest]))
        switch(txn, "apart", "guest2")

    world.edit(lambda txn: [txn.insert(sb.Chassis, name=f"hv{n}", encaps=encap(txn, n)) for n in range(3)], SOUTHBOUND)
    world.edit(network)

    def referring() -> set[str]:
        (group,) = world.rows(sb.HAChassisGroup)
        return {row.name for row in world.rows(sb.Chassis) if row.uuid in group.ref_chassis}

    def move(port: str, chassis: str) -> None:
        (row,) = [each for each in world.rows(sb.PortBinding) if each.logical_port == port]
        uuids = {each.name: each.uuid for each in world.rows(sb.Chassis)}
        world.edit(lambda txn: txn.update(row, chassis=uuids.get(chassis)), SOUTHBOUND)

    assert referring() == set()
    for n in range(3):
        move(f"guest{n}", f"hv{n}")
    assert referring() == {"hv0", "hv1"}
    move("guest1", "")
    assert referring() == {"hv0"}
    (row,) = [each for each in world.rows(nb.LogicalRouterPort) if each.name == "r0-out"]
    one_gateway = frozenset(list(row.gateway_chassis)[:1])
    world.edit(lambda txn: txn.update(row, gateway_chassis=one_gateway))
    assert referring() == set()
    assert world.objections() == []


def test_a_router_goes_with_the_neighbours_that_it_has_learned() -> None:
    world = World()
    world.edit(lambda txn: txn.insert(nb.LogicalRouter, name="r"))
    (datapath,) = world.rows(sb.DatapathBinding)
    learned = {"logical_port": "r-a", "ip": "10.0.0.9", "mac": "00:00:00:00:00:09"}
    world.edit(lambda txn: txn.insert(sb.MACBinding, datapath=datapath.uuid, **learned), SOUTHBOUND)
    (router,) = world.rows(nb.LogicalRouter)
    world.edit(lambda txn: txn.delete(router))
    assert world.rows(sb.DatapathBinding) == []


def test_gateways_on_chassis_that_nobody_has_heard_of_are_told_of() -> None:
    world = World()

    def network(txn: Txn) -> None:
        gateway = txn.insert(nb.GatewayChassis, name="g", chassis_name="gw1", priority=1)
        columns = {"mac": "00:00:00:00:00:01", "networks": frozenset(["10.0.0.1/24"])}
        port = txn.insert(nb.LogicalRouterPort, name="out", gateway_chassis=frozenset([gateway]), **columns)
        txn.insert(nb.LogicalRouter, name="r", ports=frozenset([port]))
        txn.insert(nb.LogicalRouter, name="gr", options={"chassis": "gw2"})

    world.edit(network)
    told = {text for _, text in world.compiler.problems()}
    assert told == {
        "logical router port out: gateway chassis 'gw1' is not registered",
        "logical router gr: chassis 'gw2' is not registered",
    }
    world.edit(
        lambda txn: [txn.insert(sb.Chassis, name=name, encaps=encap(txn, n)) for n, name in enumerate(("gw1", "gw2"))],
        SOUTHBOUND,
    )
    assert not list(world.compiler.problems())


def encap(txn: Txn, number: int) -> frozenset[Uuid]:
    """An encapsulation, without which there is no chassis."""
    row = txn.insert(sb.Encap, type="geneve", ip=f"192.0.2.{number}", chassis_name=f"hv{number}")
    return frozenset([row])


def test_nested_ports_get_vlans_of_their_own() -> None:
    world = World()

    def nest(txn: Txn) -> None:
        wanted = {"a": 0, "b": 0, "c": 1}
        members = [
            txn.insert(nb.LogicalSwitchPort, name=name, parent_name="vm", tag_request=tag)
            for name, tag in wanted.items()
        ]
        txn.insert(nb.LogicalSwitch, name="s", ports=frozenset([*members, txn.insert(nb.LogicalSwitchPort, name="vm")]))

    world.edit(nest)
    tags = {row.name: row.tag for row in world.rows(nb.LogicalSwitchPort)}
    assert tags == {"a": 2, "b": 3, "c": 1, "vm": None}
    assert {row.logical_port: row.tag for row in world.rows(sb.PortBinding)} == tags
    assert world.objections() == []


def test_a_port_that_becomes_nested_gets_its_vlan_at_once() -> None:
    world = World()
    world.edit(lambda txn: switch(txn, "s", "vm", "a", "b"))

    def nest(name: str, tag: int) -> None:
        (row,) = [each for each in world.rows(nb.LogicalSwitchPort) if each.name == name]
        world.edit(lambda txn: txn.update(row, parent_name="vm", tag_request=tag))

    def tags() -> dict[str, int | None]:
        return {row.name: row.tag for row in world.rows(nb.LogicalSwitchPort)}

    nest("a", 0)
    assert tags() == {"a": 1, "b": None, "vm": None}
    nest("b", 1)
    assert tags() == {"a": 2, "b": 1, "vm": None}
    assert {row.logical_port: (row.parent_port, row.tag) for row in world.rows(sb.PortBinding)} == {
        "a": ("vm", 2),
        "b": ("vm", 1),
        "vm": (None, None),
    }
    assert world.objections() == []


def test_shaped_ports_get_queues() -> None:
    world = World()

    def shape(txn: Txn) -> None:
        limit = {"qos_max_rate": "1000"}
        members = [txn.insert(nb.LogicalSwitchPort, name=name, options=limit) for name in ("a", "b")]
        way_out = txn.insert(nb.LogicalSwitchPort, name="ln", type="localnet", options={"network_name": "phys"})
        txn.insert(nb.LogicalSwitch, name="s", ports=frozenset([*members, way_out]))

    world.edit(shape)
    queues = {row.logical_port: row.options.get("qdisc_queue_id") for row in world.rows(sb.PortBinding)}
    assert queues == {"a": "1", "b": "2", "ln": None}
    assert world.objections() == []


def test_an_unknown_port_type_is_reported_by_name() -> None:
    world = World()

    def misname(txn: Txn) -> None:
        port = txn.insert(nb.LogicalSwitchPort, name="odd", type="weird")
        txn.insert(nb.LogicalSwitch, name="s", ports=frozenset([port]))

    world.edit(misname)
    ((_, text),) = world.compiler.problems()
    assert "weird" in text
    assert "odd" in text


# -- the law: whatever happened before, the result is what a fresh start would give ---------------------------------

Edit = Callable[[World], None]


def put_switch(number: int, spec: Any) -> Edit:
    def edit(world: World) -> None:
        def write(txn: Txn) -> None:
            for row in world.rows(nb.LogicalSwitch):
                if row.name == f"s{number}":
                    txn.delete(row)
            members = [
                txn.insert(nb.LogicalSwitchPort, name=f"s{number}p{index}", **port.columns)
                for index, port in enumerate(spec.ports)
            ]
            txn.insert(nb.LogicalSwitch, name=f"s{number}", ports=frozenset(members), **spec.columns)

        world.edit(write)

    return edit


def drop_switch(number: int) -> Edit:
    def edit(world: World) -> None:
        rows = [row for row in world.rows(nb.LogicalSwitch) if row.name == f"s{number}"]
        world.edit(lambda txn: [txn.delete(row) for row in rows])

    return edit


def put_router(number: int, spec: RouterSpec) -> Edit:
    def edit(world: World) -> None:
        gone = [row for row in world.rows(nb.LogicalRouter) if row.name == f"r{number}"]
        world.edit(lambda txn: [txn.delete(row) for row in gone])

        def write(txn: Txn) -> None:
            for cls, column in BY_NAME:
                for row in world.rows(cls):
                    if getattr(row, column).startswith(f"r{number}"):
                        txn.delete(row)
            switches = sorted(world.rows(nb.LogicalSwitch), key=lambda row: row.name)
            stale = {row.uuid: row for row in world.rows(nb.LogicalSwitchPort) if row.name.startswith(f"to-r{number}")}
            for row in switches:
                if gone := row.ports & stale.keys():
                    txn.mutate(row, "ports", "delete", frozenset(gone))
            links: list[list[Uuid]] = [[] for _ in switches]
            spec(txn, number, links)
            for row, new in zip(switches, links, strict=True):
                if new:
                    txn.mutate(row, "ports", "insert", frozenset(new))

        world.edit(write)

    return edit


def change_port(choice: int, spec: PortSpec) -> Edit:
    def edit(world: World) -> None:
        rows = sorted(world.rows(nb.LogicalSwitchPort), key=lambda row: row.name)
        rows = [row for row in rows if row.type != "router"]
        if rows:
            world.edit(lambda txn: txn.update(rows[choice % len(rows)], **spec.columns))

    return edit


def group_ports(chosen: frozenset[int]) -> Edit:
    def edit(world: World) -> None:
        rows = sorted(world.rows(nb.LogicalSwitchPort), key=lambda row: row.name)
        members = frozenset(rows[each % len(rows)].uuid for each in chosen) if rows else frozenset()

        def write(txn: Txn) -> None:
            for row in world.rows(nb.PortGroup):
                txn.delete(row)
            txn.insert(nb.PortGroup, name="pg", ports=members)

        world.edit(write)

    return edit


def set_options(options: dict[str, str]) -> Edit:
    def edit(world: World) -> None:
        (row,) = world.rows(nb.NBGlobal)
        world.edit(lambda txn: txn.update(row, options={**row.options, **options}))

    return edit


edits = st.one_of(
    st.builds(put_switch, st.integers(0, 2), switches),
    st.builds(put_switch, st.integers(0, 2), switches),
    st.builds(drop_switch, st.integers(0, 2)),
    st.builds(put_router, st.integers(0, 1), routers),
    st.builds(put_router, st.integers(0, 1), routers),
    st.builds(change_port, st.integers(0, 5), ports),
    st.builds(change_port, st.integers(0, 5), ports),
    st.builds(group_ports, st.frozensets(st.integers(0, 9), max_size=3)),
    st.builds(set_options, st.fixed_dictionaries({"ignore_lsp_down": st.sampled_from(["true", "false"])})),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(edits, max_size=6))
def test_incremental_is_from_scratch(history: list[Edit]) -> None:
    world = World()
    for edit in history:
        edit(world)
        assert world.objections() == []
    fresh = world.restarted().engine
    running = world.compiler.engine
    for mine, theirs in zip(running.strata, fresh.strata, strict=True):
        assert {key: unit.outputs for key, unit in mine.units.items()} == {
            key: unit.outputs for key, unit in theirs.units.items()
        }
    units = [unit for family in running.units().values() for unit in family.values()]
    assert running.check(units) == []
