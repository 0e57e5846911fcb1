"""Router policies: rules that decide before the routing table's decision is carried out.

    policy        allow · drop · reroute · jump to another chain (reg9[16..31])
    policy_ecmp   of several next hops, the one that `select` chose

Reads Logical_Router_Policy.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.policies import Policy
from pyovn.northd.model.router import Router
from pyovn.northd.model.routes import Hop
from pyovn.northd.pipeline import DROP, NEXT, STAGE, Flow

feature = Feature()

POLICY, ECMP = STAGE["lr_in_policy"], STAGE["lr_in_policy_ecmp"]
NO_GROUP = "reg8[0..15] = 0; "


@feature.router
def no_group(router: Router) -> Iterator[Flow]:
    """Most packets are in no group."""
    yield Flow(ECMP, 150, "reg8[0..15] == 0", NEXT)


@feature.policy
def decide(router: Router, policy: Policy) -> Iterator[Flow]:
    """The policy, in its chain."""
    match = f"reg9[16..31] == {policy.chain} && ({policy.match})" if policy.chained else policy.match
    mark = f"pkt.mark = {policy.mark}; " if policy.mark else ""
    if policy.action == "reroute":
        yield from reroute(policy, match, mark)
    elif policy.action == "drop":
        yield Flow(POLICY, policy.priority, match, DROP)
    elif policy.action == "allow":
        yield Flow(POLICY, policy.priority, match, f"{mark}{NO_GROUP}{NEXT}")
    else:
        again = f"next(pipeline=ingress, table={POLICY.table});"
        yield Flow(POLICY, policy.priority, match, f"reg9[16..31]={policy.jump}; {again}")


def reroute(policy: Policy, match: str, mark: str) -> Iterator[Flow]:
    """Another next hop, or one of several."""
    if not policy.group:
        (hop,) = policy.hops
        actions = f"{mark}{towards(hop)}flags.loopback = 1; {NO_GROUP}reg9[9] = {int(hop.is_ip4)}; {NEXT}"
        yield Flow(POLICY, policy.priority, match, actions)
        return
    members = ", ".join(str(number) for number in range(1, len(policy.hops) + 1))
    choice = f"select({members});" if len(policy.hops) > 1 else f"1; {NEXT}"
    choose = f"reg8[0..15] = {policy.group}; reg8[16..31] = {choice}"
    yield Flow(POLICY, policy.priority, policy.match, choose)
    for member, hop in enumerate(policy.hops, 1):
        chosen = f"reg8[0..15] == {policy.group} && reg8[16..31] == {member}"
        actions = f"{mark}{towards(hop)}flags.loopback = 1; reg9[9] = {int(hop.is_ip4)}; {NEXT}"
        yield Flow(ECMP, 100, chosen, actions)


def towards(hop: Hop) -> str:
    """Note the next hop."""
    to, source = ("reg0", "reg5") if hop.is_ip4 else ("xxreg0", "xxreg1")
    return f"{to} = {hop.address}; {source} = {hop.source}; eth.src = {hop.mac}; outport = {hop.port}; "
