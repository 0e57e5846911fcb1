"""Measurements, each beside the C program where that is installed.

    python -m bench [NAME…]      every module of this package has a `main()`, which gives figures or prints its own

A `Figure` is one line of the table: what, ours, theirs in the same run, and how many times as good as theirs ours is.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(__file__).parent.parent / "src"


@contextmanager
def environment(*modules: str) -> Iterator[dict[str, str]]:
    """The environment of programs to measure: modules are compiled once, as where pyovn is installed; these now."""
    with tempfile.TemporaryDirectory() as cache:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        found = kept | {"PYTHONPATH": str(SOURCES), "PYTHONPYCACHEPREFIX": cache}
        for module in modules:
            subprocess.run([sys.executable, "-c", f"import {module}"], env=found, check=True)
        yield found


class Figure(NamedTuple):
    """One measurement."""

    what: str
    ours: float
    theirs: float | None  #: None where the C program is missing
    unit: str  #: "/s" and the like mean that more is better, "s" and "MB" that less is

    @property
    def ratio(self) -> float | None:
        """How many times as good as the C program: 2.0 is twice as fast, or half as large."""
        if not self.theirs or not self.ours:
            return None
        return self.ours / self.theirs if self.unit.endswith("/s") else self.theirs / self.ours


def table(figures: Iterable[Figure]) -> str:
    """Figures as lines of text."""
    lines = [f"  {'':<44}{'ours':>14}{'C':>14}{'ratio':>9}"]
    for figure in figures:
        theirs = "—" if figure.theirs is None else _number(figure.theirs, figure.unit)
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}×"
        lines.append(f"  {figure.what:<44}{_number(figure.ours, figure.unit):>14}{theirs:>14}{ratio:>9}")
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
