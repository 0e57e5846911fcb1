from hypothesis import given
from hypothesis import strategies as st

from pyovn.runtime.reconnect import Do, Reconnect, State


def fail(machine: Reconnect, now: float) -> float:
    """Try to connect when it is time, in vain; gives the pause that follows."""
    assert machine.due(now) is Do.CONNECT
    machine.connecting(now)
    machine.lost(now)
    return machine.backoff_s


def test_every_remote_is_tried_at_once_and_then_ever_more_slowly() -> None:
    machine = Reconnect(["a", "b", "c"], 0.0)
    tried, pauses, now = [], [], 0.0
    for _ in range(8):
        tried.append(machine.remote)
        pauses.append(fail(machine, now))
        now += pauses[-1]
    assert "".join(tried) == "abcabcab"
    assert pauses == [0, 0, 1, 2, 4, 8, 8, 8]


def connected(**options: float) -> Reconnect:
    machine = Reconnect(["a"], 0.0, **options)
    machine.connecting(0.0)
    machine.connected(0.0)
    return machine


def test_a_connection_that_held_makes_the_next_pause_short() -> None:
    machine = Reconnect(["a"], 0.0)
    now = 0.0
    for _ in range(5):
        now += fail(machine, now)
    machine.connecting(now)
    machine.connected(now)
    machine.lost(now + 100)
    assert machine.backoff_s == 1
    assert machine.deadline == now + 101
    assert (machine.attempts, machine.connections) == (6, 1)


def test_a_connection_that_ends_at_once_counts_as_failed() -> None:
    machine = connected()
    machine.lost(0.1)
    machine.connecting(1.1)
    machine.connected(1.1)
    machine.lost(1.2)
    assert machine.backoff_s == 2


def test_a_connection_that_is_not_made_in_time_is_given_up() -> None:
    machine = Reconnect(["a"], 0.0, connect_timeout_s=3)
    machine.connecting(0.0)
    assert machine.due(2.9) is Do.NOTHING
    assert machine.due(3.0) is Do.DISCONNECT


def test_a_silent_peer_is_probed_and_then_given_up() -> None:
    machine = connected(probe_s=5)
    machine.received(2.0)
    assert machine.due(6.9) is Do.NOTHING
    assert machine.due(7.0) is Do.PROBE
    machine.probed(7.0)
    assert machine.state is State.IDLE
    assert machine.due(11.9) is Do.NOTHING
    assert machine.due(12.0) is Do.DISCONNECT


def test_a_sign_of_life_is_enough() -> None:
    machine = connected(probe_s=5)
    machine.probed(5.0)
    machine.received(6.0)
    assert (machine.state, machine.deadline) == (State.ACTIVE, 11.0)


def test_without_probes_silence_does_not_matter() -> None:
    machine = connected(probe_s=0)
    assert machine.deadline is None
    assert machine.due(1e9) is Do.NOTHING


def test_other_remotes_can_be_used_under_way() -> None:
    machine = connected()
    machine.use(["x", "a"])
    assert (machine.remote, machine.state) == ("a", State.ACTIVE)
    machine.use(["y", "z"])
    assert machine.remote == "y"


@given(st.lists(st.sampled_from(["lost", "received", "wait"]), max_size=40))
def test_the_shell_can_always_do_what_it_is_told(events: list[str]) -> None:
    machine, now = Reconnect(["a", "b"], 0.0), 0.0
    for event in events:
        match machine.due(now):
            case Do.CONNECT:
                machine.connecting(now)
                machine.connected(now)
            case Do.PROBE:
                machine.probed(now)
            case Do.DISCONNECT:
                machine.lost(now)
        if event == "wait":
            now += 2.5
        elif machine.state is not State.BACKOFF:
            getattr(machine, event)(now)
        assert 0 <= machine.backoff_s <= 8
