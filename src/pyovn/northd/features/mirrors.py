"""Mirrors that end at a logical port: copies of what enters and leaves by a port.

    mirror (switch, both ways)   100 everything · 100 + priority: what a rule copies, or leaves out
    pre_acl (egress)             copies go straight out

Reads Logical_Switch_Port.mirror_rules, Mirror, Mirror_Rule; mirrors of other types are the switch's own work.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.mirror import Copying
from pyovn.northd.model.port import Port
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

LEAST = 100
OUT = f"next(pipeline=egress, table={STAGE['ls_out_apply_port_sec'].table});"


@feature.mirrored
def copy(port: Port, mirror: Copying) -> Iterator[Flow]:
    """Copies, by the mirror's rules."""
    copied = f"mirror({mirror.target}); {NEXT}"
    ways = (("ls_in_mirror", "inport", mirror.enters), ("ls_out_mirror", "outport", mirror.leaves))
    for stage, way in ((STAGE[stage], way) for stage, way, is_wanted in ways if is_wanted):
        yield Flow(stage, LEAST, f"{way} == {port.name}", copied)
        for priority, match, is_copied in mirror.rules:
            yield Flow(stage, LEAST + priority, f"{way} == {port.name} && ({match})", copied if is_copied else NEXT)


@feature.mirrored
def deliver(port: Port, mirror: Copying) -> Iterator[Flow]:
    """No filter holds copies up."""
    yield Flow(STAGE["ls_out_pre_acl"], 65535, f"outport == {mirror.target}", OUT)
