import pytest

from pyovn.runtime.clock import SYSTEM, ManualClock
from pyovn.runtime.counters import Counters, NoSuchCounter


def test_events_are_counted_with_their_rates() -> None:
    clock = ManualClock()
    counters = Counters(clock)
    for _ in range(60):
        counters.count("txn", 2)
        clock.advance(1)
    assert counters.counter_text("txn") == "120\n"
    (line,) = [line for line in counters.coverage_text().splitlines() if line.startswith("txn ")]
    assert line.split() == ["txn", "2.0/sec", "2.000/sec", "0.0333/sec", "total:", "120"]


def test_what_is_timed_is_summed_up() -> None:
    clock = ManualClock()
    counters = Counters(clock)
    for milliseconds in (10, 20, 30):
        with counters.stopwatch("loop"):
            clock.advance(milliseconds / 1000)
    assert counters.stopwatch_text(None).splitlines() == [
        "Statistics for 'loop'",
        "  Total samples: 3",
        "  Maximum: 30 msec",
        "  Minimum: 10 msec",
        "  95th percentile: 30.000000 msec",
        "  Short term average: 22.500000 msec",
        "  Long term average: 10.299000 msec",
    ]
    counters.reset("loop")
    assert "Total samples: 0" in counters.stopwatch_text("loop")
    counters.reset(None)


def test_what_is_held_is_shown_on_one_line() -> None:
    counters = Counters()
    counters.sizes = lambda: {"rows": 7}
    assert counters.memory_text().startswith("peak-rss-kB:")
    assert counters.memory_text().endswith(" rows:7\n")


def test_what_nobody_counts_is_refused() -> None:
    counters = Counters()
    for ask in (counters.counter_text, counters.stopwatch_text):
        with pytest.raises(NoSuchCounter):
            ask("x")
    counters.expect(["x"])
    assert "Total samples: 0\n" in counters.stopwatch_text("x")


def test_the_clocks_go_forward() -> None:
    assert SYSTEM.now() <= SYSTEM.now()
    clock = ManualClock(wall_ms=5)
    clock.advance(1.5)
    assert (clock.now(), clock.wall_ms()) == (1.5, 1505)
    assert SYSTEM.wall_ms() > 1_700_000_000_000
