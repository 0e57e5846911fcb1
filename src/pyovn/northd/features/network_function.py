"""Network functions: packets that an ACL sends through a bump in the wire.

pre_network_function   group → the member that is active
network_function       the detour itself; what should have made it and could not is dropped
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import DROP, NEXT, OUTPUT, STAGE, Flow, Stage

feature = Feature()

REDIRECTED = "reg8[21] == 1"
FORWARD = "reg8[22] == 1"  #: in the direction of the connection's first packet


@feature.fills(STAGE["ls_in_pre_network_function"], STAGE["ls_out_pre_network_function"])
def no_member(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """A group that nobody serves."""
    yield Flow(stage, 1, f"{REDIRECTED} && {FORWARD}", f"reg0[22..29] = 0; {NEXT}")


@feature.fills(STAGE["ls_in_network_function"], STAGE["ls_out_network_function"])
def stranded(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Packets for everybody make no detours; others that found no way are dropped."""
    yield Flow(stage, 100, f"{REDIRECTED} && eth.mcast", NEXT)
    yield Flow(stage, 1, REDIRECTED, DROP)


@feature.fills(STAGE["ls_in_l2_lkup"])
def back(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """A detour that began in egress knows its way."""
    yield Flow(stage, 100, "reg8[23] == 1", OUTPUT)
