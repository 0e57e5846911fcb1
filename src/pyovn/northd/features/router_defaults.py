"""What a router's stage does with packets that nothing else in it matches.

every stage    0: next        but for those that end otherwise
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.pipeline import ANY, DROP, NEXT, OUTPUT, STAGES, Flow

feature = Feature()

OTHERWISE = {
    "lr_in_ip_routing_pre": f"reg7 = 0; {NEXT}",
    "lr_in_ip_routing": DROP,
    "lr_in_ip_routing_ecmp": DROP,
    "lr_in_policy": f"reg8[0..15] = 0; {NEXT}",
    "lr_in_policy_ecmp": DROP,
    "lr_in_arp_resolve": DROP,
    "lr_in_ecmp_stateful_egr": OUTPUT,
    "lr_out_chk_dnat_local": f"reg9[4] = 0; {NEXT}",
    "lr_out_delivery": DROP,
}
ELSEWHERE = frozenset(("lr_in_admission", "lr_in_lookup_neighbor", "lr_in_learn_neighbor"))


@feature.router
def default(router: Router) -> Iterator[Flow]:
    """Go on, or whatever the stage does."""
    for stage in STAGES:
        if stage.datapath == "router" and stage.name not in ELSEWHERE:
            yield Flow(stage, 0, ANY, OTHERWISE.get(stage.name, NEXT))
