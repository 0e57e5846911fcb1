"""Next hops whose MACs are watched: what is forgotten when one changes or goes."""

import pytest

from pyovn.controller.nexthops import old_mac
from pyovn.openflow.messages import CtFlush
from pyovn.ovsdb.model import new
from pyovn.tables.sb import DatapathBinding, ECMPNexthop
from tests.support.chassis_world import World, id_of

OLD, NEW = "00:00:00:00:00:01", "00:00:00:00:00:aa"
ROW = id_of("next hop", "")


def watching(mac: str) -> World:
    """A router that is here because a switch with a guest is, and a next hop."""
    world = World()
    switch, router = world.switch("sw0"), id_of("datapath", "r")
    ids = {"name": "r", "logical-router": str(router)}
    world.put(new(DatapathBinding, router, tunnel_key=9, external_ids=ids, type="logical-router"))
    world.port(switch, "p1", 1)
    world.port(switch, "sw0-r", 2, type="patch", options={"peer": "r-sw0"})
    port = world.port(router, "r-sw0", 1, type="patch", options={"peer": "sw0-r"})
    world.interface("v1", 5, "p1")
    world.put(new(ECMPNexthop, ROW, nexthop="10.0.0.9", port=port, datapath=router, mac=mac))
    return world


def forgotten(core):
    """The connections that are to be forgotten."""
    return [each for each in core.take_flush() if isinstance(each, CtFlush)]


def test_connections_that_answer_to_the_old_mac_are_forgotten():
    world = watching("")
    core = world.core()
    assert forgotten(core) == []
    for mac, stale in ((OLD, []), (OLD.upper(), []), (NEW, [0x01]), ("", [0xAA])):
        world.edit(ECMPNexthop, ROW, mac=mac)
        world.tell(core)
        expected = [CtFlush(zone=core.zones["r_dnat"], label=(old << 32, 0xFFFFFFFFFFFF << 32)) for old in stale]
        assert forgotten(core) == expected
        assert forgotten(core) == []


def test_they_are_when_the_next_hop_goes_too():
    world = watching(OLD)
    core = world.core()
    world.drop(ECMPNexthop, ROW)
    world.tell(core)
    (found,) = forgotten(core)
    assert found.label == (1 << 32, 0xFFFFFFFFFFFF << 32)


@pytest.mark.parametrize(("before", "after"), [("nonsense", NEW), (OLD, "nonsense"), ("", NEW), (OLD, OLD)])
def test_nothing_is_forgotten_without_an_old_mac(before, after):
    rows = (new(ECMPNexthop, ROW, mac=mac) for mac in (before, after))
    assert old_mac(*rows) == 0
