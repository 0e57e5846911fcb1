"""Physical networks: switching, VLANs, cut cables."""

import asyncio

import pytest

from pyovn.lab.segment import NIC, Segments, Uplink
from pyovn.net.mac import BROADCAST
from pyovn.packet import ethernet, vlan


def frame(src, dst=BROADCAST):
    return ethernet.build(ethernet.Ethernet(dst, src, ethernet.ARP, bytes(46)))


def heard_by(act, *vlans):
    """What each plug, in these VLANs, hears while `act` has the plugs."""

    async def scene():
        segment, heard = Segments()["eth1"], [[] for _ in vlans]
        plugs = [segment.attach(ears.append, vid) for ears, vid in zip(heard, vlans, strict=True)]
        act(plugs)
        await asyncio.sleep(0)
        return heard

    return asyncio.run(scene())


def test_broadcasts_reach_all_others():
    assert heard_by(lambda plugs: plugs[0].send(frame(1)), None, None, 0) == [[], [frame(1)], [frame(1)]]


def test_what_was_heard_is_not_flooded():
    def act(plugs):
        plugs[1].send(frame(2))
        plugs[0].send(frame(1, 2))

    heard = heard_by(act, None, None, None)
    assert heard[1:] == [[frame(1, 2)], [frame(2)]]


def test_an_address_that_moves_is_found_where_it_was_heard_last():
    def act(plugs):
        plugs[1].send(frame(2))
        plugs[2].send(frame(2))
        plugs[0].send(frame(1, 2))

    assert frame(1, 2) in heard_by(act, None, None, None)[2]


def test_a_host_in_a_vlan_sees_no_tags_and_nothing_else():
    tagged = vlan.push(frame(1), vlan.tci(20))

    def act(plugs):
        plugs[0].send(tagged)
        plugs[0].send(frame(1))
        plugs[1].send(frame(2))

    heard = heard_by(act, None, 20, 30, 0, None)
    assert heard == [[vlan.push(frame(2), vlan.tci(20))], [frame(1)], [], [frame(1)], [tagged, frame(1), heard[4][2]]]


def test_a_cut_cable_carries_nothing_and_is_forgotten():
    def act(plugs):
        plugs[1].send(frame(2))
        plugs[1].up = False
        plugs[0].send(frame(1, 2))
        plugs[1].send(frame(2))

    assert heard_by(act, None, None, None) == [[frame(2)], [], [frame(2), frame(1, 2)]]


def test_nics_of_the_same_name_share_a_network():
    async def scene():
        segments = Segments()
        one, other, elsewhere = (Uplink(segments[name], 1, 1) for name in ("eth1", "eth1", "eth2"))
        heard = []
        other.on_receive = elsewhere.on_receive = heard.append
        one.transmit(frame(1))
        await asyncio.sleep(0)
        other.close()
        one.transmit(frame(1))
        await asyncio.sleep(0)
        return heard

    assert asyncio.run(scene()) == [frame(1)]


@pytest.mark.parametrize(("name", "nic"), [("eth0", True), ("eth12", True), ("vm1", False), ("eth", False)])
def test_nics_are_called_eth(name, nic):
    assert bool(NIC.fullmatch(name)) is nic
