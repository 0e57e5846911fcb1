"""Work on very many objects at once, without collecting garbage in between.

Python's cyclic garbage collector looks at all objects again and again while their number grows: building or decoding
100,000 rows costs up to five times as much with it.  What is built here mostly stays, and rows hold no cycles.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected(*, keep: bool = True) -> Iterator[None]:
    """Collects no garbage inside; what is there afterwards is never looked at again, if it is to be kept."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        if keep:
            gc.freeze()


def collect_from_now_on() -> None:
    """End a start without collections: what is there now stays, and from now on there is garbage to look for."""
    gc.freeze()
    gc.enable()
