"""Mirrors: beside the C northd neither has anything to do after the other; changes, and what the flows say."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.mirrored import MirroredSpec, mirrored_networks
from tests.northd.oracle import Oracle
from tests.northd.world import World

Edit = Callable[[World], None]


@pytest.mark.interop
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=mirrored_networks)
def test_ours_changes_nothing_that_the_c_northd_wrote(c: Oracle, network: MirroredSpec) -> None:
    """But for `up`: C takes a port for down, or up, when the port that stands for its mirror's end is."""
    assert [each for each in c.disagreements(network) if "Logical_Switch_Port" not in each] == []


@pytest.mark.interop
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=mirrored_networks)
def test_the_c_northd_changes_nothing_that_ours_wrote(c: Oracle, network: MirroredSpec) -> None:
    c.must_leave(network)


def end_at(choice: int, sink: str) -> Edit:
    """Another end for a mirror."""

    def edit(world: World) -> None:
        if rows := world.rows(nb.Mirror):
            world.edit(lambda txn: txn.update(rows[choice % len(rows)], sink=sink, type="lport"))

    return edit


def attach(choice: int, number: int) -> Edit:
    """Another mirror for a port, or one less."""

    def edit(world: World) -> None:
        ports, mirrors = world.rows(nb.LogicalSwitchPort), world.rows(nb.Mirror)
        if ports and mirrors:
            port, mirror = ports[choice % len(ports)], mirrors[number % len(mirrors)]
            how = "delete" if mirror.uuid in port.mirror_rules else "insert"
            world.edit(lambda txn: txn.mutate(port, "mirror_rules", how, {mirror.uuid}))

    return edit


def remove(cls: type[nb.Mirror | nb.LogicalSwitch], choice: int) -> Edit:
    """A mirror, or a switch, less."""

    def edit(world: World) -> None:
        if rows := world.rows(cls):
            world.edit(lambda txn: txn.delete(rows[choice % len(rows)]))

    return edit


few = st.integers(0, 3)
edits = st.one_of(
    st.builds(end_at, few, st.sampled_from(["s0p0", "s1p0", "nobody"])),
    st.builds(attach, few, few),
    st.builds(remove, st.sampled_from([nb.Mirror, nb.LogicalSwitch]), few),
)


@settings(max_examples=30, deadline=None)
@given(mirrored_networks, st.lists(edits, max_size=5))
def test_incremental_is_from_scratch(network: MirroredSpec, history: list[Edit]) -> None:
    world = World()
    world.edit(network)
    for edit in history:
        edit(world)
        assert world.objections() == []


def test_a_mirror_ends_at_a_port_of_another_switch() -> None:
    world = World()

    def build(txn: Txn) -> None:
        skip = txn.insert(nb.MirrorRule, priority=7, match="tcp", action="skip")
        mirror = txn.insert(nb.Mirror, name="m", type="lport", filter="both", sink="t1", index=-1, mirror_rules={skip})
        source = txn.insert(nb.LogicalSwitchPort, name="s1", mirror_rules={mirror})
        txn.insert(nb.LogicalSwitch, name="s", ports={source})
        txn.insert(nb.LogicalSwitch, name="t", ports={txn.insert(nb.LogicalSwitchPort, name="t1")})

    world.edit(build)
    (row,) = [row for row in world.rows(sb.PortBinding) if row.type == "mirror"]
    assert (row.logical_port, row.mirror_port) == ("mp-s-t1", "t1")
    (mirror,) = world.rows(sb.Mirror)
    assert [row.logical_port for row in world.rows(sb.PortBinding) if mirror.uuid in row.mirror_rules] == ["s1"]
    flows = {(each["match"], each["actions"]) for each in world.flows() if "mp-s" in str(each) or "(tcp)" in str(each)}
    assert flows == {
        ('inport == "s1"', 'mirror("mp-s-t1"); next;'),
        ('outport == "s1"', 'mirror("mp-s-t1"); next;'),
        ('inport == "s1" && (tcp)', "next;"),
        ('outport == "s1" && (tcp)', "next;"),
        ('outport == "mp-s-t1"', "next(pipeline=egress, table=15);"),
    }


def test_a_mirror_that_ends_nowhere_is_told() -> None:
    world = World()

    def build(txn: Txn) -> None:
        mirror = txn.insert(nb.Mirror, name="m", type="lport", filter="both", sink="nobody", index=-1)
        source = txn.insert(nb.LogicalSwitchPort, name="s1", mirror_rules={mirror})
        txn.insert(nb.LogicalSwitch, name="s", ports={source})

    world.edit(build)
    said = [text for _, text in world.compiler.problems()]
    assert said == ["logical switch port s1: mirror m: there is no port 'nobody' for its copies"]
    (mirror,) = world.rows(nb.Mirror)
    world.edit(lambda txn: txn.update(mirror, sink="s1"))
    assert list(world.compiler.problems()) == []
