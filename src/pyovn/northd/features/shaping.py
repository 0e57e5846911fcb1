"""Egress shaping: packets of a port with QoS options go through its queue on the way to the physical network.

Reads Logical_Switch_Port.options:qos_*; the queue numbers are handed out in `model.queues`.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port, Shape, quoted
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, OUTPUT, STAGE, Flow, Stage

feature = Feature()

NOT_QUEUED = frozenset(("vtep", "external", "router"))


def may_queue(shape: Shape) -> bool:
    """Can a port of this shape have a queue?"""
    return shape.options and shape.type not in NOT_QUEUED


@feature.serves(STAGE["ls_in_check_port_sec"], when=lambda shape: may_queue(shape) and shape.enabled)
def enqueue(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Choose the queue as soon as the packet enters."""
    if port.queue is not None:
        actions = f"set_queue({port.queue}); reg0[15] = check_in_port_sec(); {NEXT}"
        yield Flow(stage, 70, f"inport == {port.name}", actions, port.row.name)


@feature.serves(STAGE["ls_out_apply_port_sec"], when=lambda shape: may_queue(shape) and shape.type != "localnet")
def enqueue_towards_localnet(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Choose it again where the packet leaves for the physical network."""
    if port.queue is not None and switch.localnets:
        way_out = switch.localnets[0]
        match = f"outport == {quoted(way_out)} && inport == {port.name}"
        yield Flow(stage, 110, match, f"set_queue({port.queue}); {OUTPUT}", way_out)


@feature.serves(STAGE["ls_out_apply_port_sec"], when=lambda shape: shape.options and shape.type == "localnet")
def enqueue_at_localnet(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """All that leaves by a shaped localnet port."""
    if port.queue is not None:
        yield Flow(stage, 100, f"outport == {port.name}", f"set_queue({port.queue}); {OUTPUT}", port.row.name)
