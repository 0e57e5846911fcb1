"""QoS rules and forwarding groups: beside the C northd neither has anything to do after the other."""

import pytest
from hypothesis import HealthCheck, given, settings

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd.oracle import Oracle
from tests.northd.parts import PartsSpec, parts_networks
from tests.northd.world import World


@pytest.mark.interop
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=parts_networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: PartsSpec) -> None:
    assert c.disagreements(network) == []


def marked(txn: Txn) -> None:
    """A switch that marks TCP."""
    rule = txn.insert(
        nb.QoS, direction="to-lport", priority=3, match="tcp", action={"dscp": 46}, bandwidth={"rate": 9, "burst": 2}
    )
    txn.insert(nb.LogicalSwitch, name="s", qos_rules=frozenset([rule]))


def test_a_rule_comes_changes_and_goes() -> None:
    world = World()
    world.edit(marked)

    def rules() -> list[tuple[str, str]]:
        return [(flow["match"], flow["actions"]) for flow in world.flows() if flow.get("priority") == 3]

    assert rules() == [("tcp", "set_meter(9, 2); ip.dscp = 46; next;")]
    (rule,) = world.rows(nb.QoS)
    world.edit(lambda txn: txn.update(rule, match="udp", bandwidth={}))
    assert rules() == [("udp", "ip.dscp = 46; next;")]
    assert world.objections() == []
    (switch,) = world.rows(nb.LogicalSwitch)
    world.edit(lambda txn: txn.update(switch, qos_rules=frozenset()))
    assert rules() == []
