"""What an operator can ask of a daemon's engine, the same for every daemon that has one.

inc-engine/show-stats               Node: port                 a family of functions
                                    - recompute:            0  never: nothing starts over here
                                    - compute:             12  how often one of its functions ran
                                    - cancel:               0  never: no change is too much
inc-engine/list-stopwatches         the families, each of which is timed: `stopwatch/show port`
inc-engine/compute-log-timeout 50   a family that takes more than 50 ms is logged
"""

from collections.abc import Callable, Mapping, Sequence

from pyovn.incr.engine import Engine, Statistics
from pyovn.runtime import logging as vlog
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.commands import Command, CommandFailed
from pyovn.runtime.counters import Counters

SLOW_MS = 500  #: a family that takes longer is logged, unless an operator says otherwise

log = vlog.module("inc_proc_eng")


class Watch:
    """Times the families of an engine, and logs those that take long."""

    def __init__(self, counters: Counters, clock: Clock = SYSTEM) -> None:
        self.slow_ms = SLOW_MS
        self._counters, self._clock = counters, clock

    def follow(self, engine: Engine) -> None:
        """Time this engine."""
        self._counters.expect(engine.statistics())
        engine.watch(self._clock.now, self._took)

    def _took(self, name: str, seconds: float) -> None:
        milliseconds = seconds * 1000
        self._counters.took(name, milliseconds)
        if milliseconds > self.slow_ms:
            log.info("node: %s, compute took %dms", name, round(milliseconds))


def engine_commands(engine: Callable[[], Engine], watch: Watch) -> dict[str, Command]:
    """The commands about an engine; `engine` gives the present one."""

    def log_timeout(words: list[str]) -> None:
        if not words[0].isdecimal():
            raise CommandFailed("unsigned integer required")
        watch.slow_ms = int(words[0])

    def statistics(words: list[str]) -> str:
        return statistics_text(engine().statistics(), words)

    return {
        "inc-engine/show-stats": Command(statistics, "[NODE [COUNTER]]", 0, 2),
        "inc-engine/clear-stats": Command(lambda _: engine().clear_statistics()),
        "inc-engine/list-stopwatches": Command(lambda _: "".join(f"{name}\n" for name in engine().statistics())),
        "inc-engine/compute-log-timeout": Command(log_timeout, "MILLISECONDS", 1, 1),
    }


def statistics_text(found: Mapping[str, Statistics], words: Sequence[str]) -> str:
    """The counters of all families, of one, or one counter; a family that there is not has none."""
    chosen = {name: each for name, each in found.items() if not words or name == words[0]}
    counters = {name: {"recompute": 0, "compute": each.runs, "cancel": 0} for name, each in chosen.items()}
    if len(words) > 1:
        return "".join(f"{each.get(words[1], f'Invalid stat type : {words[1]}')}\n" for each in counters.values())
    return "".join(
        f"Node: {name}\n" + "".join(f"- {counter + ':':<10}{number:13d}\n" for counter, number in each.items())
        for name, each in counters.items()
    )
