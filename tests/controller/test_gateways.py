"""Which chassis of an HA group serves, as one of them sees it."""

import pytest

from pyovn.controller import layout
from pyovn.controller.core import Core
from pyovn.openflow.actions import Resubmit, SetField
from pyovn.openflow.match import match
from pyovn.ovsdb.model import new
from pyovn.tables.sb import HAChassis, HAChassisGroup, PortBinding
from pyovn.tables.vswitch import Interface
from tests.support.chassis_world import World, flows, id_of

OTHERS = {"gw": "10.0.0.2", "worker": "10.0.0.3"}


def gateways(*members):
    """A router port that any of `members`, best first, may serve; `worker` depends on it."""
    world = World()
    for name, ip in OTHERS.items():
        world.chassis(name, ip)
    rows = [
        world.put(new(HAChassis, id_of("member", name), chassis=id_of("chassis", name), priority=priority))
        for priority, name in enumerate(reversed(members), 1)
    ]
    referenced = frozenset({id_of("chassis", "worker")})
    group = new(HAChassisGroup, id_of("ha", "g"), name="g", ha_chassis=frozenset(rows), ref_chassis=referenced)
    world.put(group)
    world.port(world.switch("r"), "cr-out", 3, type="chassisredirect", ha_chassis_group=group.uuid)
    return world


def hears(world, *names):
    """BFD hears these chassis and no others."""
    for name in OTHERS:
        status = {"state": "up" if name in names else "down"}
        world.edit(Interface, id_of("interface", f"ovn-{name}-0"), local=True, bfd_status=status)


def serves(core):
    return any(
        isinstance(edit.row, PortBinding) and getattr(edit, "columns", {}).get("chassis") == id_of("chassis", "ch1")
        for edit in core.southbound_edits(0.0)
        if hasattr(edit, "row")
    )


@pytest.mark.parametrize(
    ("heard", "takes_over"),
    [(("gw", "worker"), False), (("worker",), True), (("gw",), False), ((), False)],
    ids=["all well", "the better one is gone", "nobody else", "we are cut off"],
)
def test_the_second_best_serves_when_it_alone_hears_others(heard, takes_over):
    world = gateways("gw", "ch1")
    core = world.core()
    hears(world, *heard)
    world.tell(core)
    assert serves(core) is takes_over


def test_the_best_serves_while_it_hears_anyone():
    world = gateways("ch1", "gw")
    hears(world, "worker")
    assert serves(world.core())


@pytest.mark.parametrize(("options", "told"), [({"dynamic-routing": "true"}, 1), ({}, 0)])
def test_a_chassis_says_that_it_exchanges_no_routes_of_its_gateways(options, told):
    world = gateways("ch1")
    world.edit(PortBinding, id_of("port", "cr-out"), options=options, chassis=id_of("chassis", "ch1"))
    text = "port cr-out: dynamic routing has no effect here: no routes are exchanged with the kernel"
    assert world.core().take_problems() == [text] * told


def test_one_whose_switch_has_ended_gives_its_gateways_up():
    world = gateways("ch1", "gw")
    hears(world, "gw", "worker")
    world.edit(PortBinding, id_of("port", "cr-out"), chassis=id_of("chassis", "ch1"))
    core = world.core()
    core.switch_is_gone()
    core.update({})
    assert releases(core)
    core.switch_is(option_field=0, features=frozenset())
    core.update({})
    assert not releases(core)


def releases(core):
    return [
        edit
        for edit in core.southbound_edits(0.0)
        if isinstance(getattr(edit, "row", None), PortBinding) and edit.columns["chassis"] is None
    ]


def test_the_only_one_needs_to_hear_nobody():
    assert serves(gateways("ch1").core())


def test_bfd_waits_until_our_flows_are_in_force():
    world = gateways("ch1", "gw")
    core = Core(world.southbound, world.local, chassis="ch1", hostname="h", bridge_mac="02:00:00:00:00:01", now_ms=1)
    core.switch_is(option_field=0, features=frozenset())
    core.update({**world.southbound.changes(), **world.local.changes()})
    core.settle()

    def asks_for_bfd():
        core.update({})
        return any("bfd" in getattr(edit, "columns", {}) for edit in core.switch_edits())

    assert not asks_for_bfd()
    core.is_ready(1)
    assert asks_for_bfd()


def test_bfd_runs_between_gateways_and_those_who_depend_on_them():
    core = gateways("ch1", "gw").core()
    watched = {
        edit.row.name: edit.columns["bfd"]
        for edit in core.switch_edits()
        if isinstance(getattr(edit, "row", None), Interface) and "bfd" in getattr(edit, "columns", {})
    }
    assert {name for name, bfd in watched.items() if bfd["enable"] == "true"} == {"ovn-gw-0", "ovn-worker-0"}


def test_a_gateway_elsewhere_can_be_reached_by_the_physical_network():
    world = gateways("gw", "ch1")
    public = world.switch("pub")
    world.port(public, "ln", 7, type="localnet", options={"network_name": "physnet"})
    world.port(public, "pub-r", 8, type="patch", options={"peer": "out"})
    world.port(id_of("datapath", "r"), "out", 4, type="patch", options={"peer": "pub-r"})
    options = {"distributed-port": "out", "redirect-type": "bridged"}
    mac = frozenset({"0a:00:00:00:00:99 172.16.0.1/24"})
    world.edit(PortBinding, id_of("port", "cr-out"), options=options, mac=mac)
    found = [flow for flow in flows(world.core()).values() if flow.match == match(metadata=1, reg15=3)]
    assert [(flow.table, flow.actions) for flow in found] == [
        (
            layout.LOCAL_OUTPUT,
            (
                SetField("eth_src", 0x0A0000000099, (1 << 48) - 1),
                SetField("metadata", 2, (1 << 64) - 1),
                SetField("reg15", 7, (1 << 32) - 1),
                Resubmit(layout.LOG_TO_PHY),
            ),
        )
    ]
