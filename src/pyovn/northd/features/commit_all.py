"""`ct-commit-all`: a router remembers all connections, so that hardware can take over the untranslated ones too.

post_unsnat    was the connection known to the zone of SNAT?  → flags.unsnat_new, flags.unsnat_not_tracked
defrag, dnat   the zone of DNAT, on the way in        post_undnat, snat   the zone of SNAT, on the way out

On a gateway router everywhere; on another at its distributed gateway ports.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

NEW_WAY = "(!ct.trk || !ct.rpl)"
NEW, NOT_TRACKED = "flags.unsnat_new", "flags.unsnat_not_tracked"


@feature.router
def everywhere(router: Router) -> Iterator[Flow]:
    """On a gateway router."""
    if router.chassis and router.commits_all:
        yield from commits("", "")


@feature.router_port
def at_gateway(router: Router, port: RouterPort) -> Iterator[Flow]:
    """At a distributed gateway port."""
    if port.gateway and router.commits_all:
        here = f"{port.name} && {port.resident}"
        yield from commits(f" && inport == {here}", f" && outport == {here}")


def commits(coming: str, leaving: str) -> Iterator[Flow]:
    """Both zones, for packets that satisfy these conditions on the way in and out."""
    yield Flow(STAGE["lr_in_post_unsnat"], 10, f"ip && ct.new{coming}", f"{NEW} = 1; {NEXT}")
    yield Flow(STAGE["lr_in_post_unsnat"], 10, f"ip && !ct.trk{coming}", f"{NOT_TRACKED} = 1; {NEXT}")
    yield Flow(STAGE["lr_in_defrag"], 10, f"ip && {NEW_WAY}{coming}", "ct_next(dnat);")
    yield Flow(STAGE["lr_in_dnat"], 10, f"ip && ct.new{coming}", "ct_commit_to_zone(dnat);")
    untracked = f"ip && {NEW_WAY} && {NOT_TRACKED} == 1{leaving}"
    yield Flow(STAGE["lr_out_post_undnat"], 10, untracked, "ct_next(snat);")
    yield Flow(STAGE["lr_out_post_undnat"], 10, f"ip && {NEW} == 1{leaving}", NEXT)
    yield Flow(STAGE["lr_out_snat"], 10, f"ip && {NEW_WAY} && {NEW} == 1{leaving}", "ct_commit_to_zone(snat);")
    yield Flow(STAGE["lr_out_snat"], 10, f"ip && ct.new{leaving}", "ct_commit_to_zone(snat);")
