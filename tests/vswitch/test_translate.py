"""The pipeline: actions do what ovs-actions(7) says."""

import pytest

from pyovn.openflow import actions as act
from pyovn.openflow.flows import Bucket, Flow, GroupDef, MeterBand, MeterDef
from pyovn.openflow.match import match
from pyovn.vswitch.frame import extract
from pyovn.vswitch.key import get, place
from pyovn.vswitch.ports import Port, Vlans
from tests.vswitch.frames import IPS, MACS, ethernet, icmp, ip4, tcp, udp, udp_frame
from tests.vswitch.worlds import RecordingNic, World

FULL48 = (1 << 48) - 1


def field(frame: bytes, name: str) -> int:
    return get(extract(frame)[0], name)


def test_no_flow_drops():
    assert World().send(udp_frame()) == []


def test_set_field_changes_only_what_leaves_later():
    world = World()
    world.add(act.Output(2), act.SetField("eth_dst", 7, FULL48), act.Output(3))
    (two, first), (three, second) = world.send(udp_frame())
    assert (two, three) == (2, 3)
    assert (field(first, "eth_dst"), field(second, "eth_dst")) == (MACS[1], 7)


def test_output_to_the_input_port_needs_in_port():
    world = World()
    world.add(act.Output(1), act.Output(act.OFPP_IN_PORT))
    assert world.send(udp_frame()) == [(1, udp_frame())]


def test_an_input_port_set_to_none_may_be_output_to():
    world = World()
    world.add(
        act.Push("in_port", 0, 32),
        act.SetField("in_port", act.OFPP_NONE, 0xFFFFFFFF),
        act.Output(1),
        act.Pop("in_port", 0, 32),
    )
    assert [number for number, _ in world.send(udp_frame())] == [1]


def test_resubmit_with_a_port_looks_up_by_it_and_keeps_the_field():
    world = World()
    world.add(act.Resubmit(1, 3))
    world.add(
        act.Move("in_port", 0, "reg0", 0, 32),
        act.OutputReg("reg0", 0, 32),
        act.Output(2),
        table=1,
        match=match(in_port=3),
    )
    assert [number for number, _ in world.send(udp_frame())] == [2]


def test_an_endless_resubmit_is_stopped_and_drops():
    world = World()
    world.add(act.Output(2), act.Resubmit(0))
    assert world.send(udp_frame()) == []


def test_long_pipelines_need_no_stack():
    world = World()
    for table in range(254):
        world.add(act.Resubmit(table + 1), table=table)
    world.add(act.Output(2), table=254)
    assert len(world.send(udp_frame())) == 1


def test_ttl_of_one_goes_to_the_controller_and_stops_the_list():
    world = World()
    world.add(act.DecTtl(), act.Output(2))
    assert world.send(ethernet(ip4(udp(), 17, ttl=1), 0x800)) == []
    assert world.punted[0].reason == act.OFPR_INVALID_TTL
    ((_, frame),) = world.send(udp_frame())
    assert field(frame, "ip_ttl") == 63


def test_vlan_tags_are_pushed_set_and_popped():
    world = World()
    world.add(
        act.PushVlan(0x8100), act.SetField("vlan_vid", 0x1000 | 42, 0x1FFF), act.Output(2), act.PopVlan(), act.Output(3)
    )
    (_, tagged), (_, plain) = world.send(udp_frame())
    assert tagged[12:16] == bytes.fromhex("8100002a")
    assert plain == udp_frame()


def test_a_clone_leaves_no_trace():
    world = World()
    world.add(act.Clone((act.SetField("eth_dst", 7, FULL48), act.Push("reg0", 0, 32), act.Output(2))), act.Output(3))
    (_, first), (_, second) = world.send(udp_frame())
    assert (field(first, "eth_dst"), field(second, "eth_dst")) == (7, MACS[1])


def test_exit_ends_everything():
    world = World()
    world.add(act.Resubmit(1), act.Output(3))
    world.add(act.Output(2), act.Exit(), table=1)
    assert [number for number, _ in world.send(udp_frame())] == [2]


def test_long_packets_are_told_from_short_ones():
    world = World()
    world.add(act.CheckPktLarger(100, "reg0", 0), act.Resubmit(1))
    world.add(act.Output(2), table=1, match=match(reg0=1))
    world.add(act.Output(3), table=1, match=match(reg0=0))
    long = ethernet(ip4(udp(data=bytes(100)), 17), 0x800)
    assert [world.send(frame)[0][0] for frame in (udp_frame(), long, udp_frame(), long)] == [3, 2, 3, 2]


def test_note_sample_and_queues_do_no_harm():
    world = World()
    world.add(act.Note(b"x"), act.Sample(65535, 1, 1, 1), act.SetQueue(3), act.PopQueue(), act.Output(2))
    assert len(world.send(udp_frame())) == 1
    assert world.bridge.samples == 1


def test_all_groups_send_every_bucket_its_own_copy():
    world = World()
    world.group(1, "all", (act.SetField("eth_dst", 7, FULL48), act.Output(2)), (act.Output(3),))
    world.add(act.Group(1))
    assert [(number, field(frame, "eth_dst")) for number, frame in world.send(udp_frame())] == [(2, 7), (3, MACS[1])]


def test_select_groups_keep_a_connection_on_its_bucket_and_use_all():
    world = World()
    world.group(1, "select", (act.Output(2),), (act.Output(3),))
    world.add(act.Group(1))
    frames = [ethernet(ip4(udp(port), 17), 0x800) for port in range(1, 60)]
    chosen = [world.send(frame)[0][0] for frame in frames]
    assert chosen == [world.send(frame)[0][0] for frame in frames]
    assert set(chosen) == {2, 3}


def test_symmetric_hashing_gives_both_directions_one_bucket():
    world = World()
    buckets = tuple(Bucket((act.Output(port),), 100, port) for port in (2, 3))
    world.bridge.groups.apply("add", GroupDef(1, "select", buckets, "dp_hash", 1 << 32), 0.0)
    world.add(act.Group(1))
    for port in range(1, 30):
        there = world.send(ethernet(ip4(udp(port, 9, src=IPS[0], dst=IPS[1]), 17, IPS[0], IPS[1]), 0x800))
        back = world.send(ethernet(ip4(udp(9, port, src=IPS[1], dst=IPS[0]), 17, IPS[1], IPS[0]), 0x800))
        assert there[0][0] == back[0][0]


def test_failover_takes_the_first_live_bucket():
    world = World()
    buckets = tuple(Bucket((act.Output(port),), 0, port, watch_port=port) for port in (2, 3))
    world.bridge.groups.apply("add", GroupDef(1, "ff", buckets), 0.0)
    world.add(act.Group(1))
    assert world.send(udp_frame())[0][0] == 2
    world.bridge.ports[2].up = False
    world.datapath.invalidate()
    assert world.send(udp_frame())[0][0] == 3


def test_active_backup_bundles_follow_bfd():
    world = World()
    world.add(act.Bundle("eth_src", "active_backup", (2, 3)))
    assert world.send(udp_frame())[0][0] == 2
    world.bridge.ports[2].bfd_up = False
    world.datapath.invalidate()
    assert world.send(udp_frame())[0][0] == 3


def test_bucket_counters_count():
    world = World()
    world.group(1, "indirect", (act.Output(2),))
    world.add(act.Group(1))
    for _ in range(3):
        world.send(udp_frame())
    world.datapath.credit_all()
    group = world.bridge.groups.groups[1]
    assert (group.packets, group.buckets[0].packets) == (3, 3)


def test_meters_drop_what_is_too_much():
    world = World()
    world.bridge.meters.apply("add", MeterDef(1, (MeterBand(2),), pktps=True), 0.0)
    world.add(act.Meter(1), act.Output(2))
    assert [len(world.send(udp_frame())) for _ in range(4)] == [1, 1, 0, 0]
    world.datapath.now = 1.0
    assert len(world.send(udp_frame())) == 1


def learning() -> act.Learn:
    return act.Learn(
        1,
        (
            act.LearnSpec("match", ("eth_src", 0), 0, ("eth_dst", 0), 48),
            act.LearnSpec("load", ("in_port", 0), 0, ("reg0", 0), 16),
        ),
        idle_timeout=10, priority=7, cookie=5, flags=2,
    )  # fmt: skip


def test_learned_flows_steer_what_comes_back():
    world = World()
    world.add(learning(), act.Resubmit(1))
    world.add(act.Resubmit(2), table=1, priority=0)
    world.add(act.OutputReg("reg0", 0, 16), table=2)
    (rule,) = (world.send(udp_frame(), 2), [rule for rule in world.bridge.tables if rule.cookie == 5])[1]
    assert rule.match == match(eth_dst=MACS[0])
    assert rule.actions == (act.SetField("reg0", 2, 0xFFFF),)


def test_packets_keep_learned_flows_alive_and_they_go_with_their_teacher():
    world = World()
    world.add(learning(), cookie=1)
    for now in (0.0, 8.0, 16.0):
        world.datapath.now = now
        world.send(udp_frame())
        world.datapath.sweep(now)
    assert sum(rule.cookie == 5 for rule in world.bridge.tables) == 1
    world.bridge.tables.remove(next(rule for rule in world.bridge.tables if rule.cookie == 1), 2)
    assert list(world.bridge.tables) == []


def test_learned_flows_expire_when_nobody_comes():
    world = World()
    world.add(learning(), cookie=1)
    world.send(udp_frame())
    world.datapath.sweep(11.0)
    assert [rule.cookie for rule in world.bridge.tables] == [1]


def switched(*vlans: Vlans) -> World:
    world = World([Flow(0, 0, (), (act.Output(act.OFPP_NORMAL),))])
    for port, membership in zip((1, 2, 3), vlans, strict=False):
        world.bridge.ports[port].vlans = membership
    return world


def test_normal_floods_then_learns():
    world = switched()
    assert [number for number, _ in world.send(udp_frame(src=1, dst=2), 1)] == [2, 3]
    assert [number for number, _ in world.send(udp_frame(src=2, dst=1), 2)] == [1]
    assert [number for number, _ in world.send(udp_frame(src=1, dst=2), 1)] == [2]


def test_normal_follows_a_station_that_moves():
    world = switched()
    world.send(udp_frame(src=1, dst=2), 1)
    world.send(udp_frame(src=2, dst=1), 2)
    world.send(udp_frame(src=1, dst=9), 3)
    assert [number for number, _ in world.send(udp_frame(src=2, dst=1), 2)] == [3]


def test_access_ports_and_trunks_translate_tags():
    world = switched(Vlans("access", 5), Vlans("access", 6), Vlans())
    ((number, frame),) = world.send(udp_frame(), 1)
    assert (number, frame[12:16]) == (3, bytes.fromhex("81000005"))
    ((number, frame),) = world.send(ethernet(ip4(udp(), 17), 0x800, vlan=6), 3)
    assert (number, frame[12:14]) == (2, b"\x08\0")


def test_patch_ports_lead_to_the_other_bridge():
    world = World([Flow(0, 1, match(in_port=1), (act.SetField("reg0", 1, 1), act.Output(8)))])
    other = world.add_bridge("br1", 1)
    for bridge, name, peer in ((world.bridge, "a", ("br1", "b")), (other, "b", ("br0", "a"))):
        port = bridge.ports[8] = Port(name, 8, 8, "patch")
        port.peer = peer
    other.tables.add(Flow(0, 1, match(in_port=8, reg0=0), (act.SetField("eth_dst", 7, FULL48), act.Output(1))), 0.0)
    world.send(udp_frame())
    assert isinstance(other.ports[1].nic, RecordingNic)
    assert field(other.ports[1].nic.sent[0], "eth_dst") == 7


def test_conntrack_brings_the_packet_back_and_keeps_registers():
    world = World()
    world.add(act.SetField("reg3", 9, 0xFFFFFFFF), act.Ct(zone=4, table=1), match=match(eth_type=0x800))
    commit = act.Ct(commit=True, zone=4, exec=(act.SetField("ct_mark", 6, 0xFFFFFFFF),))
    world.add(commit, act.Output(2), table=1, match=match(reg3=9, ct_state=(0x21, 0x21), ct_zone=4))
    world.add(act.OutputReg("ct_mark", 0, 16), table=1, match=match(ct_state=(0x22, 0x22)))
    assert [number for number, _ in world.send(ethernet(ip4(tcp(flags=2), 6), 0x800))] == [2]
    reply = ethernet(ip4(tcp(80, 1024, 18, src=IPS[1], dst=IPS[0], ack=101), 6, IPS[1], IPS[0]), 0x800)
    assert world.send(reply, 2) == []
    (connection,) = world.datapath.conntrack.connections(0.0)
    assert connection.mark == 6


@pytest.mark.parametrize("zone", [("reg13", 0, 16), 7])
def test_the_zone_may_come_from_a_register(zone):
    world = World()
    world.add(act.SetField("reg13", 7, 0xFFFFFFFF), act.Ct(commit=True, zone=zone))
    world.send(ethernet(ip4(icmp(), 1), 0x800))
    assert [connection.zone for connection in world.datapath.conntrack.connections(0.0)] == [7]


def test_tunnel_metadata_survives_conntrack():
    world = World()
    world.add(act.Ct(zone=1, table=1), match=match(in_port=1, eth_type=0x800, tun_id=5))
    world.add(act.Output(2), table=1, match=match(tun_id=5, ct_state=(0x20, 0x20)))
    assert len(world.send(udp_frame(), 1, place("tun_id", 5))) == 1
    assert world.send(udp_frame(), 1, place("tun_id", 6)) == []
