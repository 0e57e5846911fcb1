"""What a stage does with packets that nothing else in it matches.

every stage    0: next        but for the last of egress, whose end is output
where a stage's own feature ends otherwise, its default is there and not here
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import ANY, NEXT, STAGE, STAGES, Flow, Stage

feature = Feature()

OWN_DEFAULT = {
    STAGE[name]
    for name in (
        "ls_in_check_port_sec",
        "ls_in_acl_hint",
        "ls_in_acl_eval",
        "ls_in_acl_action",
        "ls_in_acl_after_lb_action",
        "ls_in_l2_lkup",
        "ls_in_l2_unknown",
        "ls_out_acl_hint",
        "ls_out_acl_eval",
        "ls_out_acl_action",
        "ls_out_check_port_sec",
        "ls_out_apply_port_sec",
    )
}


@feature.fills(*(stage for stage in STAGES if stage.datapath == "switch" and stage not in OWN_DEFAULT))
def default(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Go on."""
    yield Flow(stage, 0, ANY, NEXT)
