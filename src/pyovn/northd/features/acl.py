"""ACLs: which packets a logical switch lets through.

acl_hint     what conntrack knows about the packet → which ACL outcomes are still possible
acl_eval     the ACLs themselves → a verdict bit; a packet that no ACL matches gets none
acl_action   the verdict is carried out
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import ANY, NEXT, STAGE, Flow, Stage

feature = Feature()

HIGHEST = 65535
ALLOWED = "reg8[16]"
NEIGHBOURS = "nd || nd_ra || nd_rs || mldv1 || mldv2"


@feature.fills(STAGE["ls_in_acl_hint"], STAGE["ls_in_acl_eval"], STAGE["ls_out_acl_hint"], STAGE["ls_out_acl_eval"])
def unfiltered(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """A switch without ACLs and load balancers has nothing to evaluate."""
    yield Flow(stage, HIGHEST, ANY, NEXT)


@feature.fills(STAGE["ls_in_acl_eval"], STAGE["ls_out_acl_eval"], STAGE["ls_in_acl_after_lb_eval"])
def neighbours(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Neighbour discovery and group membership always pass."""
    yield Flow(stage, 65532, NEIGHBOURS, f"{ALLOWED} = 1; {NEXT}")


@feature.fills(STAGE["ls_in_acl_action"], STAGE["ls_in_acl_after_lb_action"], STAGE["ls_out_acl_action"])
def unjudged(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """What got no verdict passes."""
    yield Flow(stage, 0, ANY, NEXT)
