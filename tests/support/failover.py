"""What can happen to a gateway, and how long nobody is answered meanwhile.

    for mishap in MISHAPS: gaps = ordeal(net, mishap)        on the network of `routed_rig`, gateway hv3 before hv4

Each mishap is done and undone; each time guests' pings to the world and the world's to a floating IP go on.
"""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from pyovn.runtime.control import send
from tests.support.netns import Host, listens, until
from tests.support.routed_rig import BEYOND, CENTRAL, Net

FIRST, SECOND = "hv3", "hv4"
PORT = "r1-public"
#: How long after a mishap answers have to come again.
PATIENCE_S = 30.0
#: How long it is watched whether they go on coming.
QUIET_S = 1.0


class Mishap(NamedTuple):
    """Something that happens to the first gateway."""

    name: str
    happen: Callable[[Net, Host], object]
    mend: Callable[[Net, Host], object]
    moves: bool = True  #: the other gateway takes over


def unplug(net: Net, host: Host) -> None:
    """The network card of a gateway fails."""
    host.ip("link", "set", host.nic, "down")


def plug(net: Net, host: Host) -> None:
    """The network card works again."""
    host.ip("link", "set", host.nic, "up")


def leave(net: Net, host: Host) -> None:
    """`ovn-appctl exit`."""
    until(lambda: listens(host.directory / "oc.ctl"), "the controller's control socket")
    asyncio.run(send(str(host.directory / "oc.ctl"), "exit", timeout_s=10))
    assert host.controller is not None
    host.controller.wait(10)
    (host.directory / "oc.ctl").unlink(missing_ok=True)


def prefer(priority: int) -> Callable[[Net, Host], object]:
    """The second gateway gets a priority."""
    return lambda net, host: net.rig.nbctl("lrp-set-gateway-chassis", PORT, SECOND, str(priority))


MISHAPS = (
    Mishap("network card down", unplug, plug),
    Mishap("priorities swapped", prefer(30), prefer(10)),
    Mishap("controller killed", lambda _, host: host.kill_controller(), lambda _, host: host.start_controller(), False),
    Mishap("controller exits", leave, lambda _, host: host.start_controller()),
    Mishap("ovs-vswitchd killed", lambda _, host: host.kill_switch(), lambda _, host: host.revive_switch()),
)


def served_by(net: Net, name: str) -> None:
    """Wait until a chassis serves the gateway port."""
    until(lambda: net.gateway() == name, f"{name} as the gateway", PATIENCE_S)


def gap(net: Net, act: Callable[[], object], serves: str) -> tuple[float, float]:
    """The longest time without an answer (outwards, inwards) while something is done and `serves` takes over."""
    with net["a2"].watching(BEYOND) as out, net.machine.watching(CENTRAL) as into:
        until(lambda: out.answers and into.answers, "answers")
        act()
        served_by(net, serves)
        quiet = time.time() + QUIET_S
        until(lambda: out.answered(quiet) and into.answered(quiet), "answers again", PATIENCE_S)
    return out.gap, into.gap


def ordeal(net: Net, mishap: Mishap) -> tuple[tuple[float, float], tuple[float, float]]:
    """The longest times without an answer while a mishap happens, and while it is mended."""
    host = next(each for each in net.rig.hosts if each.chassis == FIRST)
    served_by(net, FIRST)
    try:
        lost = gap(net, lambda: mishap.happen(net, host), SECOND if mishap.moves else FIRST)
    except AssertionError:
        mishap.mend(net, host)  # others use the network after us
        raise
    return lost, gap(net, lambda: mishap.mend(net, host), FIRST)
