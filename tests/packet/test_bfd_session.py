"""BFD sessions: the standard's state machine, against itself and against packets that never come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.packet.bfd import FINAL, POLL, Control, Diagnostic, State
from pyovn.packet.bfd_session import Session, Timers

TIMERS = Timers(11, 100_000, 100_000, 3)


def session(**changes):
    return Session(TIMERS._replace(**changes), 0.0, lambda low, high: high)


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
    one_side, other = (
        Session(TIMERS, 0.0, random.uniform),
        Session(TIMERS._replace(discriminator=22), 0.0, random.uniform),
    )
    now = 0.0
    for _ in range(400):
        now += 0.02
        for here, there in ((one_side, other), (other, one_side)):
            for said in list(here.handle(now)):
                for reply in list(there.heard(said, now)):
                    list(here.heard(reply, now))
    assert (one_side.state, other.state) == (State.UP, State.UP)


def test_other_intervals_are_asked_about_and_hold_at_once():
    machine = session()
    one(machine, State.INIT)
    list(machine.handle(0.0))
    one(machine, State.UP, now=0.1, flags=FINAL)
    machine.retime(TIMERS._replace(min_tx_us=300_000), 0.15)
    said = next(machine.handle(0.15))
    assert (said.desired_min_tx_us, said.flags, machine.send_at) == (300_000, POLL, pytest.approx(0.45))
