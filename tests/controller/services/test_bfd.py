"""BFD sessions: the standard's state machine, against itself and against packets that never come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib.bfd import BFD
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pyovn.controller.effects import Judge, Send
from pyovn.controller.services.bfd import STATUS, Path, Session, Sessions, message
from pyovn.net.ip import ip4_int, ip6_int
from pyovn.openflow.match import match
from pyovn.openflow.messages import PacketIn
from pyovn.packet.bfd import FINAL, POLL, Control, Diagnostic, State

PATH = Path(2, 3, 0x0000FF01, 4, ip4_int("10.0.0.1"), ip4_int("10.0.0.2"), 49152, 11, 100_000, 100_000, 3)


def session(**changes):
    return Session(PATH._replace(**changes), 0.0, lambda low, high: high)


def one(machine, state, now=0.0, **fields):
    """A packet of the other side arrives."""
    return list(machine.heard(Control(state, 22, 11, 100_000, 100_000, **fields), now))


@pytest.mark.parametrize(
    ("heard", "state"),
    [
        ([State.DOWN], State.INIT),
        ([State.DOWN, State.INIT], State.UP),
        ([State.DOWN, State.UP], State.UP),
        ([State.INIT], State.UP),
        ([State.UP], State.DOWN),
        ([State.INIT, State.UP], State.UP),
        ([State.INIT, State.DOWN], State.DOWN),
        ([State.INIT, State.ADMIN_DOWN], State.DOWN),
        ([State.DOWN, State.ADMIN_DOWN], State.DOWN),
        ([State.ADMIN_DOWN], State.DOWN),
    ],
)
def test_after_hearing_the_session_is(heard, state):
    machine = session()
    for each in heard:
        one(machine, each)
    assert machine.state is state


def test_silence_takes_a_session_down():
    machine = session()
    one(machine, State.INIT, now=1.0)
    assert list(machine.handle(1.29))
    assert machine.state is State.UP
    (said,) = machine.handle(1.31)
    assert (machine.state, said.diagnostic, said.your_discriminator) == (State.DOWN, Diagnostic.TIME_EXPIRED, 0)


def test_a_session_that_is_not_up_is_slow():
    machine = session()
    assert [len(list(machine.handle(now))) for now in (0.0, 0.5, 0.99, 1.0)] == [1, 0, 0, 1]


def test_a_session_that_is_up_is_as_fast_as_both_can():
    machine = session()
    list(machine.heard(Control(State.INIT, 22, 11, 100_000, 300_000), 0.0))
    list(machine.handle(0.0))
    assert machine.deadline == pytest.approx(0.3)


def test_coming_up_asks_whether_the_other_side_has_noticed():
    machine = session()
    one(machine, State.INIT)
    assert next(machine.handle(0.0)).flags == POLL
    one(machine, State.UP, flags=FINAL)
    assert next(machine.handle(0.2)).flags == 0


def test_questions_are_answered_at_once():
    assert [each.flags for each in one(session(), State.DOWN, flags=POLL)] == [FINAL]


def test_who_wants_no_packets_gets_none():
    machine = session()
    list(machine.heard(Control(State.INIT, 22, 11, 100_000, 0), 0.0))
    assert list(machine.handle(0.2)) == []


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_two_sessions_find_each_other(random):
    one_side, other = Session(PATH, 0.0, random.uniform), Session(PATH._replace(discriminator=22), 0.0, random.uniform)
    now = 0.0
    for _ in range(400):
        now += 0.02
        for here, there in ((one_side, other), (other, one_side)):
            for said in list(here.handle(now)):
                for reply in list(there.heard(said, now)):
                    list(here.heard(reply, now))
    assert (one_side.state, other.state) == (State.UP, State.UP)


@pytest.mark.parametrize("version", [4, 6])
def test_scapy_reads_what_a_session_sends(version):
    path = PATH if version == 4 else PATH._replace(version=6, src=ip6_int("fd00::1"), dst=ip6_int("fd00::2"))
    found = Ether(message(path, Control(State.DOWN, 11)).message.packet)
    packet = found[IP if version == 4 else IPv6]
    assert (packet.ttl if version == 4 else packet.hlim) == 255
    assert (found[UDP].dport, found[UDP].sport, BFD(bytes(found[UDP].payload)).my_discriminator) == (3784, 49152, 11)


def packet_in(state=1, ttl=255, src="10.0.0.2", yours=11):
    packet = Ether() / IP(src=src, dst="10.0.0.1", ttl=ttl) / UDP(dport=3784)
    packet /= BFD(sta=state, my_discriminator=22, your_discriminator=yours, min_tx_interval=100_000)
    return PacketIn(bytes(packet), match(metadata=2, reg14=3))


def running():
    machines = Sessions(lambda low, high: high)
    machines.follow({"row": PATH}, 0.0)
    return machines


def test_the_database_hears_of_every_state():
    machines = running()
    assert list(machines.packet(packet_in(), 0.0)) == [Judge("row", "init")]
    assert list(machines.packet(packet_in(2), 0.0)) == [Judge("row", "up")]
    assert [each for each in machines.handle(9.0) if isinstance(each, Judge)] == [Judge("row", "down")]
    assert machines.status("row") == STATUS[State.DOWN]


@pytest.mark.parametrize(
    "fields", [{"ttl": 254}, {"src": "10.0.0.9"}, {"yours": 99}], ids=["routed", "who", "for whom"]
)
def test_strange_packets_are_not_heard(fields):
    machines = running()
    assert list(machines.packet(packet_in(**fields), 0.0)) == []
    assert machines.status("row") == "down"


def test_sessions_begin_with_a_packet_and_end_with_their_row():
    machines = running()
    assert [type(each) for each in machines.handle(0.0)] == [Send]
    machines.follow({}, 0.0)
    assert (machines.deadline, machines.status("row")) == (None, None)


def test_a_session_whose_path_stays_goes_on():
    machines = running()
    list(machines.packet(packet_in(), 0.0))
    machines.follow({"row": PATH}, 0.0)
    assert machines.status("row") == "init"
    machines.follow({"row": PATH._replace(multiplier=5)}, 0.0)
    assert machines.status("row") == "down"
