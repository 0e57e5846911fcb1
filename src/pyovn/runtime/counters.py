"""What a daemon counts and times about itself, for its operators.

counters.count("txn_success")             events                coverage/show
with counters.stopwatch("northd-loop"):   how long things take  stopwatch/show
counters.sizes = lambda: {"rows": 7}      what is held now      memory/show
"""

from __future__ import annotations

import contextlib
import resource
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from pyovn.net.errors import OvnError
from pyovn.runtime.clock import SYSTEM, Clock

KEPT = 50_000  #: samples of a stopwatch that its percentile looks back at
_ALPHAS = (0.5, 0.01)  #: weight of the newest sample in the short-term and the long-term average
_RATE_WINDOWS_S = (5, 60, 3600)


class NoSuchCounter(OvnError):
    """Nothing of this name is counted."""


class Counters:
    """Counters and stopwatches by name."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self.sizes: Callable[[], Mapping[str, int]] = dict
        self._clock = clock
        self._started = clock.now()
        self._counts: dict[str, int] = {}
        self._history: deque[tuple[float, dict[str, int]]] = deque(maxlen=720)
        self._stopwatches: dict[str, Stopwatch] = {}

    def count(self, event: str, times: int = 1) -> None:
        """An event happened."""
        now = self._clock.now()
        if not self._history or now - self._history[-1][0] >= _RATE_WINDOWS_S[0]:
            self._history.append((now, dict(self._counts)))
        self._counts[event] = self._counts.get(event, 0) + times

    @contextlib.contextmanager
    def stopwatch(self, name: str) -> Iterator[None]:
        """Times what is done inside."""
        began = self._clock.now()
        try:
            yield
        finally:
            self.took(name, (self._clock.now() - began) * 1000)

    def took(self, name: str, milliseconds: float) -> None:
        """Something took this long."""
        self._stopwatches.setdefault(name, Stopwatch()).add(milliseconds)

    def expect(self, names: Iterable[str]) -> None:
        """There are stopwatches of these names, though nothing may have been timed yet."""
        for name in names:
            self._stopwatches.setdefault(name, Stopwatch())

    def memory_text(self) -> str:
        """What is held now, and the most memory ever used."""
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        parts = [f"{name}:{size}" for name, size in sorted({**self.sizes(), "peak-rss-kB": peak_kb}.items())]
        return " ".join(parts) + "\n"

    def coverage_text(self) -> str:
        """All counters with their rates."""
        lines = ["Event coverage, avg rate over last: 5 seconds, last minute, last hour:"]
        lines += [
            "{:<24} {:5.1f}/sec {:9.3f}/sec {:13.4f}/sec   total: {}".format(name, *self._rates(name), total)
            for name, total in sorted(self._counts.items())
        ]
        return "\n".join([*lines, "0 events never hit"]) + "\n"

    def counter_text(self, name: str) -> str:
        """The value of one counter; raises `NoSuchCounter`."""
        if name not in self._counts:
            raise NoSuchCounter("No such counter")
        return f"{self._counts[name]}\n"

    def stopwatch_text(self, name: str | None) -> str:
        """Statistics of one stopwatch, or of all; raises `NoSuchCounter`."""
        if name is not None and name not in self._stopwatches:
            raise NoSuchCounter("No such stopwatch")
        chosen = sorted(self._stopwatches) if name is None else [name]
        return "".join(f"Statistics for '{each}'\n{self._stopwatches[each].text()}" for each in chosen)

    def reset(self, name: str | None) -> None:
        """Start one stopwatch, or all, from nothing; one that there is not is not missed, as with C's daemons."""
        for each in self._stopwatches:
            if name in (None, each):
                self._stopwatches[each] = Stopwatch()

    def _rates(self, name: str) -> Iterator[float]:
        now = self._clock.now()
        for window in _RATE_WINDOWS_S:
            before = [counts for at, counts in self._history if at <= now - window]
            since = before[-1].get(name, 0) if before else 0
            yield (self._counts[name] - since) / window


class Stopwatch:
    """How long something took, each time it was done."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=KEPT)
        self._count = 0
        self._largest = self._smallest = 0.0
        self._averages = [0.0, 0.0]

    def add(self, milliseconds: float) -> None:
        """It took this long now."""
        self._samples.append(milliseconds)
        self._largest = max(self._largest, milliseconds)
        self._smallest = milliseconds if not self._count else min(self._smallest, milliseconds)
        self._averages = [
            milliseconds if not self._count else average + alpha * (milliseconds - average)
            for average, alpha in zip(self._averages, _ALPHAS, strict=True)
        ]
        self._count += 1

    def text(self) -> str:
        """The statistics, a line each."""
        ordered = sorted(self._samples)
        percentile = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else 0.0
        short, long = self._averages
        return (
            f"  Total samples: {self._count}\n"
            f"  Maximum: {self._largest:.0f} msec\n"
            f"  Minimum: {self._smallest:.0f} msec\n"
            f"  95th percentile: {percentile:.6f} msec\n"
            f"  Short term average: {short:.6f} msec\n"
            f"  Long term average: {long:.6f} msec\n"
        )
