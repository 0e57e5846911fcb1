"""Fail-over of a gateway on real Open vSwitch: the longest time without an answer, with our controllers and with C's.

Guests ping the world and the world pings a floating IP, 50 times a second; the longer of the two gaps counts.
"""

from bench import Figure

#: BFD's timers: as they are, and as one who is in a hurry sets them.
TIMERS = {"": "", "100 ms × 3: ": "set NB_Global . options:bfd-min-rx=100 options:bfd-min-tx=100 options:bfd-mult=3"}
#: What only BFD notices.
SILENT = ("network card down", "ovs-vswitchd killed")


def main() -> list[Figure] | None:
    """Measure; needs root and Open vSwitch."""
    from _pytest.outcomes import Skipped
    from tests.support.c_programs import find

    try:
        ours = gaps("ours")
    except Skipped as reason:
        print(f"  {reason}")
        return None
    theirs = gaps("26.03") if find("ovn-controller", "26.03") else {}
    return [Figure(what, gap, theirs.get(what), "s") for what, gap in ours.items()]


def gaps(kind: str) -> dict[str, float]:
    """What happens, and the time without an answer, with one kind of controller everywhere."""
    from tests.support.failover import MISHAPS, ordeal
    from tests.support.routed_rig import routed

    found: dict[str, float] = {}
    with routed("ours", (kind,) * 4) as net:
        for timers, command in TIMERS.items():
            if command:
                net.type(command)
            for mishap in MISHAPS:
                if not command or mishap.name in SILENT:
                    lost, mended = ordeal(net, mishap)
                    found[f"{timers}{mishap.name}"] = max(lost)
                    found[f"{timers}{mishap.name}, undone"] = max(mended)
    return found
