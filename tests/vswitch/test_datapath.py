"""The datapath's cache never changes what happens to a packet."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.openflow import actions as act
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from pyovn.vswitch.key import place
from pyovn.vswitch.tables import FlowMod
from tests.vswitch.frames import MACS, distinct, ethernet, flows, frames, ip4, udp, udp_frame
from tests.vswitch.worlds import World


def grouped(world: World) -> World:
    world.group(1, "all", (act.SetField("eth_dst", MACS[0], (1 << 48) - 1), act.Output(2)), (act.Output(3),))
    world.group(2, "select", (act.Output(2),), (act.SetField("reg0", 1, 0xFFFFFFFF), act.Output(3)))
    return world


@settings(max_examples=250, deadline=None)
@given(st.lists(flows(), min_size=1, max_size=14), st.lists(st.tuples(frames(), st.integers(1, 3)), max_size=12))
def test_a_cached_result_is_the_uncached_one(candidates, packets):
    cached, uncached = grouped(World(distinct(candidates))), grouped(World(distinct(candidates)))
    for frame, port in packets + packets:
        uncached.datapath.flush()
        assert cached.send(frame, port) == uncached.send(frame, port)
    assert len(cached.punted) == len(uncached.punted)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(flows(), min_size=4, max_size=14),
    st.lists(st.tuples(st.integers(0, 13), st.booleans(), frames(), st.integers(1, 3)), max_size=16),
)
def test_a_changed_flow_is_obeyed_at_once(candidates, edits):
    pool = distinct(candidates)
    cached, uncached = grouped(World(pool[::2])), grouped(World(pool[::2]))
    for index, add, frame, port in edits:
        flow = pool[index % len(pool)]
        for world in (cached, uncached):
            world.bridge.tables.apply(FlowMod("add" if add else "delete_strict", flow), 0.0)
        uncached.datapath.invalidate()
        for _ in range(2):
            assert cached.send(frame, port) == uncached.send(frame, port)
    cached.datapath.credit_all()
    uncached.datapath.credit_all()
    assert counters(cached) == counters(uncached)


def counters(world: World) -> dict[object, tuple[int, int]]:
    return {rule.flow.key: (rule.packets, rule.bytes) for rule in world.bridge.tables}


def test_the_second_packet_of_a_kind_touches_no_table():
    world = World([Flow(0, 1, (), (act.Output(2),))])
    world.send(udp_frame())
    world.send(udp_frame(src=MACS[2]))
    assert (world.datapath.misses, world.datapath.hits) == (1, 1)


def test_hits_are_credited_to_every_flow_on_the_way():
    world = World([Flow(0, 1, (), (act.Resubmit(5),), 1), Flow(5, 1, (), (act.Output(2),), 2)])
    for _ in range(7):
        world.send(udp_frame())
    world.datapath.credit_all()
    assert [(rule.cookie, rule.packets, rule.bytes) for rule in world.bridge.tables] == [(1, 7, 329), (2, 7, 329)]
    assert world.bridge.tables.tables[5].matched == 7


def test_an_unrelated_flow_change_keeps_the_entry():
    world = World([Flow(0, 5, match(in_port=1), (act.Output(2),))])
    world.send(udp_frame())
    world.add(act.Output(3), priority=9, match=match(in_port=2))
    world.send(udp_frame())
    assert world.datapath.hits == 1


def test_frames_that_arrive_while_one_is_handled_wait():
    world = World(
        [Flow(0, 1, match(in_port=1), (act.Output(2), act.Output(3))), Flow(0, 1, match(in_port=2), (act.Output(3),))]
    )
    echoing = world.bridge.ports[2].nic
    kept = echoing.transmit
    echoing.transmit = lambda frame: (
        kept(frame),
        world.datapath.receive(world.bridge, world.bridge.ports[2], b"\1" * 60),
    )
    world.send(udp_frame())
    assert world.bridge.ports[3].nic.sent == [udp_frame(), b"\1" * 60]


def test_a_paused_packet_goes_on_where_it_stopped():
    outer = (act.Push("reg0", 0, 32), act.Resubmit(1), act.Pop("reg1", 0, 32), act.OutputReg("reg1", 0, 32))
    inner = (act.Controller(pause=True, userdata=b"x"), act.SetField("reg5", 1, 1), act.OutputReg("reg2", 0, 32))
    world = World([Flow(0, 1, (), outer), Flow(1, 1, (), inner)])
    assert world.send(udp_frame()) == []
    (packet,) = world.punted
    assert packet.userdata == b"x"
    answer = ethernet(ip4(udp(data=b"answer"), 17), 0x800)
    assert world.datapath.resume(world.bridge, packet.continuation, answer, packet.key | place("reg2", 3))
    assert world.bridge.ports[3].nic.sent == [answer]


def test_packet_out_runs_its_actions():
    world = World([Flow(0, 1, match(in_port=act.OFPP_CONTROLLER), (act.Output(3),))])
    world.datapath.execute(world.bridge, act.OFPP_CONTROLLER, (act.Output(1), act.Output(act.OFPP_TABLE)), udp_frame())
    assert [len(world.bridge.ports[n].nic.sent) for n in (1, 2, 3)] == [1, 0, 1]
