"""`inc-engine/show-stats`, the same for every daemon with an engine, as the C programs print it.

Node: port                       a family of functions
- recompute:            0        never: nothing starts over here
- compute:             12        how often one of its functions ran
- cancel:               0        never: no change is too much
"""

from collections.abc import Mapping, Sequence

from pyovn.incr.engine import Statistics


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
