"""Control plane protection: beside the C northd neither has anything to do after the other; meters come and go."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from pyovn.northd.model.spelling import PROTOCOLS, protocol
from pyovn.northd.pipeline import STAGE, Flow
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd.oracle import Oracle
from tests.northd.protected import ProtectedSpec, protected_networks
from tests.northd.world import World


@pytest.mark.interop
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=protected_networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: ProtectedSpec) -> None:
    assert c.disagreements(network) == []


@pytest.mark.interop
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(network=protected_networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: ProtectedSpec) -> None:
    c.must_leave(network)


def protected(txn: Txn) -> None:
    """A router and a switch of which the router alone is protected, by a meter that is there and one that is not."""
    port = txn.insert(
        nb.LogicalRouterPort, name="rp", mac="00:00:00:00:ff:01", networks=frozenset(["10.0.0.254/24", "fd00::fe/64"])
    )
    way = txn.insert(
        nb.LogicalSwitchPort, name="to-r", type="router", addresses=frozenset(["router"]), options={"router-port": "rp"}
    )
    txn.insert(nb.LogicalSwitch, name="s", ports=frozenset([way]))
    copp = txn.insert(nb.Copp, name="c", meters={"arp": "m", "arp-resolve": "later", "nonsense": "m"})
    band = txn.insert(nb.MeterBand, action="drop", rate=5)
    txn.insert(nb.Meter, name="m", unit="pktps", bands=frozenset([band]))
    txn.insert(nb.LogicalRouter, name="r", ports=frozenset([port]), copp=copp)


def limited(world: World) -> dict[str, str]:
    """The flows that have meters."""
    return {flow["actions"].split("(")[0].split(" {")[0]: flow["controller_meter"] for flow in world.flows()
            if "controller_meter" in flow}  # fmt: skip


def stages(world: World) -> list[str]:
    """The stages of the flows that have meters."""
    return [dict(flow["external_ids"][1])["stage-name"] for flow in world.flows() if "controller_meter" in flow]


def test_meters_and_protections_come_and_go() -> None:
    world = World()
    world.edit(protected)
    assert limited(world) == {"put_arp": "m"}
    assert sorted(text for _, text in world.compiler.problems()) == [
        "copp c: there is no meter 'later' for arp-resolve",
        "copp c: unknown protocol 'nonsense'",
    ]
    band = frozenset(row.uuid for row in world.rows(nb.MeterBand))
    world.edit(lambda txn: txn.insert(nb.Meter, name="later", unit="pktps", bands=band))
    assert limited(world) == {"put_arp": "m", "arp": "later"}
    (copp,) = world.rows(nb.Copp)
    (switch,) = world.rows(nb.LogicalSwitch)
    world.edit(lambda txn: txn.update(copp, meters={"nd-na": "m"}))
    assert limited(world) == {"put_nd": "m", "nd_na_router": "m"}
    assert list(world.compiler.problems()) == world.objections() == []
    world.edit(lambda txn: txn.update(switch, copp=copp.uuid))
    assert Counter(stages(world)) == {"lr_in_learn_neighbor": 2, "lr_in_ip_input": 2, "ls_in_arp_rsp": 2}
    (router,), (switch,) = world.rows(nb.LogicalRouter), world.rows(nb.LogicalSwitch)
    world.edit(lambda txn: (txn.update(switch, copp=None), txn.update(router, copp=None)))
    assert limited(world) == {}
    assert world.objections() == []


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("next;", None),
        ("put_fdb(inport, eth.src); next;", None),
        ('log(name="reject {"); next;', None),
        ("flags.igmp_loopback = 1; arp.op = 2; icmp4.type = 3; output;", None),
        ("reg0 = 0; reject { outport <-> inport; next(pipeline=egress,table=10);};", "reject"),
        *((f"{action} {{ output; }};", to) for action, to in PROTOCOLS.items()),
    ],
)
def test_what_reaches_the_controller_is_seen_from_the_actions(actions: str, expected: str | None) -> None:
    assert protocol(Flow(STAGE["lr_in_ip_input"], 1, "1", actions)) == expected
