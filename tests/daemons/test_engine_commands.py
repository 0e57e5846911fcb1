"""What operators learn from an engine: how long its families take."""

import logging
from collections import Counter
from typing import Any

import pytest

from pyovn.daemons.engine_commands import Watch, engine_commands
from pyovn.incr.engine import Stratum
from pyovn.runtime.clock import ManualClock
from pyovn.runtime.commands import CommandFailed
from pyovn.runtime.counters import Counters
from tests.incr.test_engine import network, port


def slowed(stratum: Stratum, clock: ManualClock, spent: Counter[str]) -> Any:
    """The function of a family, which now takes some milliseconds each time: the later the family, the more."""
    function = stratum.function

    def work(*words: Any) -> Any:
        spent[stratum.name] += 2 * stratum.place
        clock.advance(stratum.place / 500)
        return function(*words)

    return work


def test_slow_families_are_logged_and_all_are_timed(caplog: pytest.LogCaptureFixture) -> None:
    rows, engine = network()
    clock, counters, spent = ManualClock(), Counters(), Counter[str]()
    watch = Watch(counters, clock)
    commands = engine_commands(lambda: engine, watch)
    watch.follow(engine)
    for stratum in engine.strata:
        stratum.function = slowed(stratum, clock, spent)
    commands["inc-engine/compute-log-timeout"].action(["9"])
    with caplog.at_level(logging.INFO):
        engine.run(rows.put(port(1, "green")))
    names = str(commands["inc-engine/list-stopwatches"].action([])).split()
    assert names == [stratum.name for stratum in engine.strata]
    timed = {name for name in names if "Total samples: 1\n" in counters.stopwatch_text(name)}
    assert timed == set(engine.ran())
    assert caplog.messages == [f"node: {name}, compute took {ms}ms" for name, ms in spent.items() if ms > 9]
    assert 0 < len(caplog.messages) < len(timed)


def test_a_limit_is_a_number() -> None:
    _, engine = network()
    with pytest.raises(CommandFailed, match="unsigned integer required"):
        engine_commands(lambda: engine, Watch(Counters()))["inc-engine/compute-log-timeout"].action(["-5"])
