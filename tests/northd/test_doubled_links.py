"""Two switch ports that lead to one router port: the router port leads to one of them, both switches know it."""

from itertools import combinations, product
from typing import Any, NamedTuple

import pytest

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd.oracle import Oracle
from tests.northd.world import World

NAT = {"type": "dnat_and_snat", "external_ip": "10.0.0.50", "logical_ip": "10.9.0.1"}
NAMES = tuple(combinations("abcdefgh", 2))


class Doubled(NamedTuple):
    """A router port, two switch ports that lead to it, and a second router beside it."""

    gateway: bool  #: is it a distributed gateway port?
    two: bool  #: are the switch ports on switches of their own?
    options: dict[str, str]  #: of the router
    names: tuple[str, str] = ("a", "b")  #: of the switch ports

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        own: dict[str, Any] = {}
        if self.gateway:
            own["gateway_chassis"] = frozenset([txn.insert(nb.GatewayChassis, name="g", chassis_name="ch1")])
        shared, other = (
            txn.insert(nb.LogicalRouterPort, name=name, mac=f"00:00:00:00:00:0{index}", networks=networks, **columns)
            for index, (name, networks, columns) in enumerate(
                (
                    ("rp", frozenset(["10.0.0.1/24", "fd00::1/64"]), own),
                    ("rq", frozenset(["10.0.0.2/24"]), {}),
                )
            )
        )
        balancer = txn.insert(nb.LoadBalancer, name="lb", vips={"10.0.0.60:80": "10.9.0.1:80"})
        txn.insert(
            nb.LogicalRouter,
            name="r",
            ports=frozenset([shared]),
            nat=frozenset([txn.insert(nb.NAT, **NAT)]),
            load_balancer=frozenset([balancer]),
            options=self.options,
        )
        txn.insert(nb.LogicalRouter, name="q", ports=frozenset([other]))
        members = [self._members(txn, name, index) for index, name in enumerate(self.names)]
        members[1].append(link(txn, "to-rq", "rq"))
        for index, each in enumerate(members if self.two else [members[0] + members[1]]):
            txn.insert(nb.LogicalSwitch, name=f"s{index}", ports=frozenset(each))

    def _members(self, txn: Txn, name: str, index: int) -> list[Any]:
        addresses = frozenset([f"00:00:00:00:01:0{index} 10.0.0.1{index} fd00::1{index}"])
        return [link(txn, name, "rp"), txn.insert(nb.LogicalSwitchPort, name=f"s{index}p0", addresses=addresses)]


def link(txn: Txn, name: str, to: str) -> Any:
    """A switch port that leads to a router port."""
    options = {"router-port": to, "nat-addresses": "router"}
    return txn.insert(nb.LogicalSwitchPort, name=name, type="router", addresses=frozenset(["router"]), options=options)


doubled = pytest.mark.parametrize(
    "network", [Doubled(*each) for each in product((False, True), (False, True), ({}, {"chassis": "ch1"}))]
)


@pytest.mark.interop
@doubled
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: Doubled) -> None:
    """Which of the two the router port leads to depends in C on a hash of names: until it is the first, as in ours."""
    for names in NAMES:
        found = c.disagreements(network._replace(names=names))
        if not any("'peer'" in each for each in found):
            break
    assert found == []


@doubled
def test_incremental_is_from_scratch(network: Doubled) -> None:
    world = World()
    world.edit(network)
    told = [text for _, text in world.compiler.problems()]
    assert "logical router port rp: several switch ports lead to it: a, b" in told
    rows = {row.name: row.uuid for row in world.rows(nb.LogicalSwitchPort)}
    for name in ("a", "b"):
        for leads_to in ("nobody", "rp"):
            options = {"router-port": leads_to}
            world.edit(
                lambda txn, port=rows[name], options=options: txn.set(nb.LogicalSwitchPort, port, options=options)
            )
            assert world.objections() == []


def test_both_switches_have_the_way_to_the_router_and_it_knows_the_guests_of_both() -> None:
    world = World()
    world.edit(Doubled(gateway=False, two=True, options={}))
    to_router = {flow["actions"] for flow in world.flows() if flow["match"] == "eth.dst == 00:00:00:00:00:00"}
    assert to_router == {'outport = "a"; output;', 'outport = "b"; output;'}
    resolved = {flow["match"] for flow in world.flows() if flow["match"].startswith('outport == "rp" && reg0 ==')}
    assert {f'outport == "rp" && reg0 == 10.0.0.1{each}' for each in (0, 1)} <= resolved
