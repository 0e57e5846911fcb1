"""DHCP, DNS and external ports: beside the C northd, and against a fresh start."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.oracle import Oracle
from tests.northd.served import Served, networks
from tests.northd.world import World

V4 = {"server_id": "10.0.0.1", "server_mac": "c0:ff:ee:00:00:01", "lease_time": "60"}


@pytest.mark.interop
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: Served) -> None:
    assert c.disagreements(network) == []


@pytest.mark.interop
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: Served) -> None:
    c.configure(lambda txn: None)
    c.replace(network)
    before = c.dump(sb.SOUTHBOUND)
    c.tell("resume")
    c.recompute()
    after = c.dump(sb.SOUTHBOUND)
    for tables in (before, after):
        del tables["SB_Global"]
    assert after == before


@settings(max_examples=25, deadline=None)
@given(networks, networks)
def test_after_any_change_everything_is_as_from_a_fresh_start(first: Served, second: Served) -> None:
    world = World()
    world.edit(first)

    def exchange(txn: Txn) -> None:
        for row in world.rows(nb.LogicalSwitchPort):
            txn.update(row, ha_chassis_group=None)
        for row in world.rows(nb.LogicalRouterPort):
            txn.update(row, dhcp_relay=None)
        for cls in (nb.LogicalSwitch, nb.LogicalRouter, nb.DHCPRelay, nb.DHCPOptions, nb.DNS, nb.HAChassisGroup):
            for row in world.rows(cls):
                txn.delete(row)
        second(txn)

    world.edit(exchange)
    assert world.objections() == []


def served(options: dict[str, str], addresses: str, **columns: Any) -> World:
    """A switch with a port that has DHCP options."""
    world = World()

    def build(txn: Txn) -> None:
        chosen = txn.insert(nb.DHCPOptions, cidr="10.0.0.0/24", options=options)
        port = {"name": "a", "addresses": frozenset([addresses]), "dhcpv4_options": chosen, **columns}
        ports = frozenset([txn.insert(nb.LogicalSwitchPort, **port)])
        txn.insert(nb.LogicalSwitch, name="s", ports=ports, other_config={"subnet": "10.0.0.0/24"})

    world.edit(build)
    return world


def offers(world: World) -> list[str]:
    return sorted(flow["actions"] for flow in world.flows() if "put_dhcp" in flow["actions"])


def test_a_dynamic_address_is_what_dhcp_offers() -> None:
    world = served(V4, "dynamic")
    terms = "offerip = 10.0.0.2, lease_time = 60, netmask = 255.255.255.0, server_id = 10.0.0.1"
    assert offers(world) == [f"reg0[3] = put_dhcp_opts({terms}); next;"]


def test_changed_options_change_the_offer() -> None:
    world = served(V4, "00:00:00:00:00:01 10.0.0.5")
    world.edit(lambda txn: txn.update(world.rows(nb.DHCPOptions)[0], options={**V4, "mtu": "1400"}))
    assert ["mtu = 1400" in offer for offer in offers(world)] == [True]
    world.edit(lambda txn: txn.delete(world.rows(nb.DHCPOptions)[0]))
    assert offers(world) == world.objections() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lease_time": ""}, "DHCPv4 options without lease_time"),
        ({"server_mac": "junk"}, "DHCPv4 options: junk: invalid Ethernet address"),
        ({"server_id": "junk"}, "DHCPv4 options: junk: invalid IPv4 address"),
    ],
)
def test_bad_options_are_said_by_name_and_offer_nothing(change: dict[str, str], said: str) -> None:
    world = served({**V4, **change}, "00:00:00:00:00:01 10.0.0.5")
    assert offers(world) == []
    assert [text for _, text in world.compiler.problems()] == [f"logical switch port a: {said}"]


def test_names_follow_their_switches() -> None:
    world = World()

    def build(txn: Txn) -> None:
        names = frozenset([txn.insert(nb.DNS, records={"a": "10.0.0.1"})])
        for name in ("s", "t"):
            txn.insert(nb.LogicalSwitch, name=name, dns_records=names)

    world.edit(build)
    (own,), (row,) = world.rows(nb.DNS), world.rows(sb.DNS)
    assert row.uuid == own.uuid
    assert row.datapaths == {each.uuid for each in world.rows(sb.DatapathBinding)}
    world.edit(lambda txn: txn.update(own, records={"b": "10.0.0.2"}, options={"ovn-owned": "true"}))
    (row,) = world.rows(sb.DNS)
    assert (row.records, row.options) == ({"b": "10.0.0.2"}, {"ovn-owned": "true"})
    world.edit(lambda txn: [txn.delete(each) for each in world.rows(nb.LogicalSwitch)])
    assert world.rows(sb.DNS) == world.objections() == []


def test_a_relay_counts_as_long_as_switch_and_router_want_it() -> None:
    world = served(V4, "00:00:00:00:00:01 10.0.0.5")

    def attach(txn: Txn) -> None:
        relay = txn.insert(nb.DHCPRelay, name="relay", servers="172.16.0.9")
        way = {"name": "rp", "mac": "00:00:00:00:01:01", "networks": frozenset(["10.0.0.1/24"]), "dhcp_relay": relay}
        txn.insert(nb.LogicalRouter, name="r", ports=frozenset([txn.insert(nb.LogicalRouterPort, **way)]))
        link = {"type": "router", "addresses": frozenset(["router"]), "options": {"router-port": "rp"}}
        (switch,) = world.rows(nb.LogicalSwitch)
        txn.mutate(switch, "ports", "insert", txn.insert(nb.LogicalSwitchPort, name="to-r", **link))
        txn.update(switch, other_config={"dhcp_relay_port": "to-r"})

    def relayed() -> int:
        return sum("DHCP_RELAY" in flow["actions"] for flow in world.flows())

    world.edit(attach)
    assert (relayed(), offers(world)) == (8, [])
    text = "logical switch port a: DHCP options have no effect: its switch relays DHCP"
    assert [found for _, found in world.compiler.problems()] == [text]
    world.edit(lambda txn: txn.update(world.rows(nb.DHCPRelay)[0], servers="junk"))
    text = "logical router port rp: DHCP relay relay: 'junk' is no IPv4 address of a server"
    assert text in [found for _, found in world.compiler.problems()]
    assert relayed() == 0
    world.edit(lambda txn: txn.update(world.rows(nb.LogicalSwitch)[0], other_config={}))
    assert len(offers(world)) == 1
    assert world.objections() == []
