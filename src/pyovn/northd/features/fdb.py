"""Learning: where addresses that nobody configured were last seen.

    lookup_fdb   is eth.src where it was?   → reg0[11]
    put_fdb      if not, remember that it is here now

Ports that take `unknown` and have no port security learn; remote ones when the packet comes out of the tunnel, localnet
ports only if asked to.  Reads Logical_Switch_Port.addresses, .port_security, options:localnet_learn_fdb.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port, Shape, of_type
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow, Stage

feature = Feature()

LOOKUP, PUT = STAGE["ls_in_lookup_fdb"], STAGE["ls_in_put_fdb"]
KNOWN = "reg0[11]"
FROM_OUTSIDE = "flags.localnet = 1; "


def learns(shape: Shape) -> bool:
    """May senders behind a port of this shape be anybody?"""
    return shape.unknown and not shape.secured


def seen(port: Port, stage: Stage, also: str = "") -> Flow:
    """Look the sender up."""
    actions = f"{also}{KNOWN} = lookup_fdb(inport, eth.src); {NEXT}"
    return Flow(stage, 100, f"inport == {port.name}", actions, port.row.name)


def learn(port: Port, stage: Stage) -> Flow:
    """Remember the sender."""
    match = f"inport == {port.name} && {KNOWN} == 0"
    return Flow(stage, 100, match, f"put_fdb(inport, eth.src); {NEXT}", port.row.name)


@feature.serves(LOOKUP, STAGE["ls_in_put_fdb"], when=lambda shape: shape.type in ("", "switch") and learns(shape))
def inbound(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Learn behind guests' ports and links to other switches."""
    yield seen(port, stage) if stage is LOOKUP else learn(port, stage)


@feature.serves(
    STAGE["ls_out_lookup_fdb"],
    STAGE["ls_out_put_fdb"],
    when=lambda shape: shape.type == "remote" and learns(shape),
)
def remote(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Learn behind ports of other availability zones, whose packets enter with the egress pipeline."""
    yield seen(port, stage) if stage.name == "ls_out_lookup_fdb" else learn(port, stage)


@feature.serves(LOOKUP, when=of_type("localnet"))
def from_localnet(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Remember that the packet came from the physical network."""
    yield Flow(stage, 50, f"inport == {port.name}", FROM_OUTSIDE + NEXT, port.row.name)


@feature.serves(LOOKUP, PUT, when=lambda shape: shape.type == "localnet" and shape.options and learns(shape))
def localnet(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Learn what is on the physical network."""
    if port.options.get("localnet_learn_fdb") == "true":
        yield seen(port, stage, FROM_OUTSIDE) if stage is LOOKUP else learn(port, stage)
