"""Dynamic addresses, on databases in this process and beside the C northd."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pyovn.northd.compiler import NORTHBOUND
from pyovn.northd.model.ipam import pool
from pyovn.northd.sync.leases import address_int
from pyovn.ovsdb.replica import Replica, Update
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.addressed import POOLS, VAIN, Step, steps
from tests.northd.oracle import Oracle, oracle
from tests.northd.world import World

PREFIX = "0a:00:00"
SUBNET = {"subnet": "10.0.0.0/24"}


def network(config: dict[str, str], *ports: tuple[str, str]) -> World:
    """A switch with ports, all made at once."""
    world = World()
    (settings,) = world.rows(nb.NBGlobal)
    world.edit(lambda txn: txn.update(settings, options={**settings.options, "mac_prefix": PREFIX}))
    world.edit(lambda txn: switch(txn, "s", config, *ports))
    return world


def switch(txn: Txn, name: str, config: dict[str, str], *ports: tuple[str, str]) -> None:
    rows = [txn.insert(nb.LogicalSwitchPort, name=port, addresses=frozenset([text])) for port, text in ports]
    txn.insert(nb.LogicalSwitch, name=name, other_config=config, ports=frozenset(rows))


def leases(world: World) -> dict[str, str]:
    return {row.name: row.dynamic_addresses for row in world.rows(nb.LogicalSwitchPort) if row.dynamic_addresses}


def row(world: World, name: str) -> Any:
    return next(row for row in world.rows(nb.LogicalSwitchPort) if row.name == name)


def warnings(world: World) -> list[str]:
    return sorted(text for _, text in world.compiler.problems())


def add(world: World, name: str, text: str, of: str = "s") -> None:
    (owner,) = [row for row in world.rows(nb.LogicalSwitch) if row.name == of]
    new = {"name": name, "addresses": frozenset([text])}
    world.edit(lambda txn: txn.mutate(owner, "ports", "insert", txn.insert(nb.LogicalSwitchPort, **new)))


def remove(world: World, name: str) -> None:
    (owner,) = [each for each in world.rows(nb.LogicalSwitch) if row(world, name).uuid in each.ports]
    world.edit(lambda txn: txn.mutate(owner, "ports", "delete", row(world, name).uuid))


def test_a_port_gets_the_lowest_address_and_a_mac_made_of_it() -> None:
    world = network({"subnet": "192.168.1.0/24"}, ("a", "dynamic"), ("b", "dynamic"))
    assert leases(world) == {"a": "0a:00:00:a8:01:03 192.168.1.2", "b": "0a:00:00:a8:01:04 192.168.1.3"}
    assert warnings(world) == world.objections() == []


def test_flows_and_address_sets_are_about_the_address_that_was_given() -> None:
    world = network(SUBNET, ("a", "dynamic"))
    world.edit(lambda txn: txn.insert(nb.PortGroup, name="g", ports=frozenset([row(world, "a").uuid])))
    replies = [flow for flow in world.flows() if "arp.op = 2" in flow["actions"]]
    assert ["10.0.0.2" in flow["match"] and "0a:00:00:00:00:03" in flow["actions"] for flow in replies] == [True]
    assert any(flow.get("match") == "eth.dst == 0a:00:00:00:00:03" for flow in world.flows())
    assert {row.name: row.addresses for row in world.rows(sb.AddressSet)}["g_ip4"] == {"10.0.0.2"}
    assert [row.mac for row in world.rows(sb.PortBinding)] == [{"dynamic"}]


def test_the_flows_come_with_the_address_and_not_after_it() -> None:
    world = network(SUBNET)
    add(world, "a", "dynamic")
    written = [{operation["table"] for operation in txn.operations()} for txn in world.transactions]
    assert written == [{"Logical_Switch_Port"}, {"Port_Binding", "Logical_Flow", "Multicast_Group"}, written[2]]


def test_fixed_parts_are_kept_and_the_rest_is_chosen() -> None:
    world = network(
        {**SUBNET, "ipv6_prefix": "fd00::"},
        ("a", "dynamic 10.0.0.9"),
        ("b", "dynamic fd00::7"),
        ("c", "dynamic 10.0.0.11 fd00::8"),
        ("d", "00:00:00:00:00:01 dynamic"),
    )
    assert leases(world) == {
        "a": "0a:00:00:00:00:0a 10.0.0.9 fd00::800:ff:fe00:a",
        "b": "0a:00:00:00:00:03 10.0.0.2 fd00::7",
        "c": "0a:00:00:00:00:0c 10.0.0.11 fd00::8",
        "d": "00:00:00:00:00:01 10.0.0.3 fd00::200:ff:fe00:1",
    }


def test_a_port_that_asks_for_less_keeps_all_that_it_has() -> None:
    world = network({**SUBNET, "ipv6_prefix": "fd00::"}, ("a", "dynamic 10.0.0.9 fd00::7"))
    before = leases(world)
    world.edit(lambda txn: txn.update(row(world, "a"), addresses=frozenset(["dynamic"])))
    assert leases(world) == before == {"a": "0a:00:00:00:00:0a 10.0.0.9 fd00::7"}


def test_addresses_of_others_are_left_alone() -> None:
    config = {**SUBNET, "exclude_ips": "10.0.0.2..10.0.0.3"}
    world = network(config, ("a", "00:00:00:00:00:01 10.0.0.4"), ("b", "0a:00:00:00:00:07"))

    def router(txn: Txn) -> None:
        port = {"name": "rp", "mac": "0a:00:00:00:00:08", "networks": frozenset(["10.0.0.5/24"])}
        txn.insert(nb.LogicalRouter, name="r", ports=frozenset([txn.insert(nb.LogicalRouterPort, **port)]))
        link = {"type": "router", "addresses": frozenset(["router"]), "options": {"router-port": "rp"}}
        ports = frozenset([txn.insert(nb.LogicalSwitchPort, name="link", **link)])
        txn.mutate(world.rows(nb.LogicalSwitch)[0], "ports", "insert", next(iter(ports)))

    world.edit(router)
    add(world, "c", "dynamic")
    assert leases(world) == {"c": "0a:00:00:00:00:09 10.0.0.6"}


def test_an_address_that_somebody_else_takes_is_given_up() -> None:
    world = network(SUBNET, ("a", "dynamic"), ("b", "dynamic"))
    add(world, "c", "00:00:00:00:00:01 10.0.0.2")
    assert leases(world) == {"a": "0a:00:00:00:00:03 10.0.0.4", "b": "0a:00:00:00:00:04 10.0.0.3"}
    assert world.objections() == []


def test_what_a_port_has_outlives_changes_that_do_not_touch_it() -> None:
    world = network(SUBNET, ("a", "dynamic"), ("b", "dynamic"))
    before = leases(world)
    remove(world, "a")
    world.edit(lambda txn: txn.update(world.rows(nb.LogicalSwitch)[0], other_config={"subnet": "10.0.0.0/16"}))
    assert leases(world) == {"b": before["b"]}
    add(world, "c", "dynamic")
    assert leases(world)["c"] == before["a"]


def test_another_subnet_gives_other_addresses_and_no_subnet_none() -> None:
    world = network(SUBNET, ("a", "dynamic"), ("b", "dynamic"))
    world.edit(lambda txn: txn.update(world.rows(nb.LogicalSwitch)[0], other_config={"subnet": "10.0.1.0/24"}))
    assert leases(world) == {"a": "0a:00:00:00:00:03 10.0.1.2", "b": "0a:00:00:00:00:04 10.0.1.3"}
    world.edit(lambda txn: txn.update(world.rows(nb.LogicalSwitch)[0], other_config={}))
    assert leases(world) == {}
    assert warnings(world) == [
        f"logical switch port {name}: there are no addresses to be given on its switch" for name in "ab"
    ]


def test_another_prefix_gives_other_macs() -> None:
    world = network(SUBNET, ("a", "dynamic"))
    world.edit(lambda txn: txn.mutate(world.rows(nb.NBGlobal)[0], "options", "delete", frozenset(["mac_prefix"])))
    (own,) = [each.options["mac_prefix"] for each in world.rows(nb.NBGlobal)]
    assert leases(world) == {"a": f"{own}:00:00:03 10.0.0.2"}


def test_what_is_left_when_a_port_asks_no_more_is_cleared() -> None:
    world = network(SUBNET, ("a", "dynamic"))
    world.edit(lambda txn: txn.update(row(world, "a"), addresses=frozenset(["00:00:00:00:00:01"])))
    assert leases(world) == {}
    world.edit(lambda txn: txn.update(row(world, "a"), dynamic_addresses="00:00:00:00:00:02 1.2.3.4"))
    assert leases(world) == {}


def test_a_port_waits_for_the_address_that_it_asks_for() -> None:
    world = network(SUBNET, ("a", "dynamic 10.0.0.9"))
    add(world, "b", "dynamic 10.0.0.9")
    assert leases(world)["b"] == "0a:00:00:00:00:0b 10.0.0.2"
    assert warnings(world) == ["logical switch port b: 10.0.0.9 is in use by a"]
    remove(world, "a")
    assert leases(world)["b"] == "0a:00:00:00:00:0b 10.0.0.9"
    assert warnings(world) == []


def test_a_full_subnet_gives_macs_only_until_there_is_room() -> None:
    world = network({"subnet": "10.0.0.0/29"}, *((f"p{number}", "dynamic") for number in range(7)))
    assert leases(world)["p5"] == "0a:00:00:00:00:01"
    assert warnings(world) == [
        f"logical switch port {name}: all addresses of 10.0.0.0/29 are in use" for name in ("p5", "p6")
    ]
    remove(world, "p1")
    assert leases(world)["p5"] == "0a:00:00:00:00:01 10.0.0.3"
    assert warnings(world) == ["logical switch port p6: all addresses of 10.0.0.0/29 are in use"]


def test_bad_configuration_is_said_by_name_and_spoils_nothing_else() -> None:
    config = {**SUBNET, "exclude_ips": "10.0.0.2 junk 11.0.0.1", "ipv6_prefix": "fd00::/80"}
    world = network(config, ("a", "dynamic 10.0.0.255"), ("b", "dynamic junk"), ("c", "00:00:00:00:00:01 10.0.0.3"))
    add(world, "d", "00:00:00:00:00:02 10.0.0.3")
    assert leases(world) == {"a": "0a:00:00:00:01:00 10.0.0.4"}
    assert warnings(world) == [
        "logical port d: 10.0.0.3 is also an address of c",
        "logical switch port a: 10.0.0.255 is not an address to be given in 10.0.0.0/24",
        "logical switch port b: invalid syntax 'dynamic junk' in addresses",
        "logical switch s: 10.0.0.0/24: 'exclude_ips' 11.0.0.1 is not in the subnet",
        "logical switch s: 10.0.0.0/24: bad 'exclude_ips' junk",
        "logical switch s: bad 'ipv6_prefix' fd00::/80: it must be a /64",
    ]


def test_overlapping_subnets_give_different_macs() -> None:
    world = network(SUBNET)
    world.edit(
        lambda txn: [switch(txn, f"s{n}", SUBNET, *((f"p{n}{m}", "dynamic") for m in range(5))) for n in range(9)]
    )
    found = [lease.split() for lease in leases(world).values()]
    assert len({mac for mac, _ in found}) == len(found) == 45
    assert Counter(ip for _, ip in found) == {f"10.0.0.{number}": 9 for number in range(2, 7)}


def test_one_port_more_looks_at_that_port_only() -> None:
    world = network({"subnet": "10.0.0.0/16"}, *((f"p{number:03}", "dynamic") for number in range(300)))
    world.compiler.engine.clear_statistics()
    add(world, "new", "dynamic")
    runs = {name: family.runs for name, family in world.compiler.engine.statistics().items() if family.runs}
    once = {"switches": 1, "special_ports": 2, "switch_views": 1, "ports": 2, "liveness": 1}
    assert runs == once
    assert leases(world)["new"] == "0a:00:00:00:01:2f 10.0.1.46"


def lawful(world: World) -> None:
    """Leases are in the pool of their switch, and nobody else's."""
    given, _ = pool(world.rows(nb.LogicalSwitch)[0].other_config)
    written = [text.split() for each in world.rows(nb.LogicalSwitchPort) for text in each.addresses]
    own = [word for mac, *words in written if ":" in mac for word in words]
    found = [lease.split() for lease in leases(world).values()]
    addresses = [word for _, *words in found for word in words if "." in word]
    assert given is not None or not found
    assert all(given.has(address_int(each)) for each in addresses if given)
    assert max(Counter(addresses).values(), default=0) <= 1
    assert not set(addresses) & set(own)
    macs = [mac for mac, *_ in found]
    assert len(set(macs)) == len(macs)


def carried_out(edits: Sequence[Step]) -> Iterator[World]:
    world = network({})
    for step in edits:
        world.edit(lambda txn, step=step: step(txn, world.rows))  # type: ignore[misc]
        yield world


@settings(max_examples=40, deadline=None)
@given(steps(fixed=2, more=VAIN, configs=POOLS))
def test_after_any_edits_leases_are_lawful_and_those_of_a_fresh_start(edits: list[Step]) -> None:
    for world in carried_out([Step(config=POOLS[0]), *edits]):
        lawful(world)
    assert world.objections() == []


def rows_of(c: Oracle, cls: type[Any]) -> list[Any]:
    """The rows of a northbound table of the C server."""
    replica = Replica(dict(NORTHBOUND))
    replica.apply(Update(c.dump(nb.NORTHBOUND), fresh=True))
    return list(replica.rows(cls).values())


@pytest.fixture(scope="module")
def c() -> Iterator[Oracle]:
    with oracle() as running:
        yield running


@pytest.mark.interop
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps(fixed=40, more=[], configs=[]))
def test_ours_gives_what_the_c_northd_gives(c: Oracle, edits: list[Step]) -> None:
    config = {"subnet": "10.0.0.0/26", "exclude_ips": "10.0.0.6..10.0.0.7", "ipv6_prefix": "fd00::"}

    def clean(txn: Txn) -> None:
        pairs = ["map", [["mac_prefix", PREFIX]]]
        mutations = [["options", "delete", ["set", ["mac_prefix"]]], ["options", "insert", pairs]]
        txn.raw({"op": "mutate", "table": "NB_Global", "where": [], "mutations": mutations})
        txn.insert(nb.LogicalSwitch, name="s", other_config=config)

    c.configure(clean)
    for step, world in zip([Step(config=config), *edits], carried_out([Step(config=config), *edits]), strict=True):
        txn = Txn()
        step(txn, lambda cls: rows_of(c, cls))
        c.transact("OVN_Northbound", txn)
        c.recompute()
        theirs = {each.name: each.dynamic_addresses for each in rows_of(c, nb.LogicalSwitchPort)}
        assert {name: lease for name, lease in theirs.items() if lease} == leases(world)
    assert c.objections() == []


@pytest.mark.interop
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps(fixed=40, more=[], configs=[]))
def test_the_c_northd_keeps_what_ours_gave(c: Oracle, edits: list[Step]) -> None:
    ports = {step.port: step.addresses for step in edits if step.addresses}

    def whole(txn: Txn) -> None:
        rows = [txn.insert(nb.LogicalSwitchPort, name=name, addresses=ports[name]) for name in ports]
        txn.insert(nb.LogicalSwitch, name="s", other_config=POOLS[1], ports=frozenset(rows))

    c.configure(lambda txn: None)
    c.replace(whole)
    before = {each.name: each.dynamic_addresses for each in rows_of(c, nb.LogicalSwitchPort)}
    c.tell("resume")
    c.recompute()
    assert {each.name: each.dynamic_addresses for each in rows_of(c, nb.LogicalSwitchPort)} == before
