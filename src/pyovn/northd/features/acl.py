"""ACLs: which packets a logical switch lets through.

    pre_acl      a packet that `allow-stateless` lets through is not tracked: reg0[16]
    acl_hint     what conntrack knows about the packet → which ACL outcomes are still possible: reg0[7..10]
    acl_eval     the ACLs themselves → a verdict: reg8[16] allow, reg8[17] drop, reg8[18] reject; most match nothing
    acl_action   the verdict is carried out; without one the next tier is asked, reg8[30..31], or the default is done

ACLs on what enters are judged before load balancing, or after it (`apply-after-lb`) in stages of the same shape.  Where
any ACL of a switch is `allow-related`, all of them are judged by connection.  Reads ACL, Logical_Switch.acls,
Port_Group.acls, NB_Global.options:default_acl_drop, use_ct_inv_match, acl_ct_translation.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.acl import AFTER, ALLOWING, EVALUATE, FROM, RELATED, TO, Acl
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import ANY, NEXT, STAGE, Flow, Stage, Tags

feature = Feature()

ABOVE = 1000  #: what is added to the priority of an ACL
HIGHEST = 65535
ALWAYS = 65532  #: above all ACLs
ALLOWED, DROPPED, REJECTED = (f"reg8[{bit}]" for bit in (16, 17, 18))
VERDICT = {"allow": ALLOWED, RELATED: ALLOWED, "allow-stateless": ALLOWED, "drop": DROPPED, "reject": REJECTED}
TIER = "reg8[30..31]"
MAY_ALLOW_NEW, MAY_ALLOW, MAY_DROP, MAY_BLOCK = (f"reg0[{bit}]" for bit in (7, 8, 9, 10))  #: hints
COMMIT = "reg0[1]"  #: remember the connection
LABELLED = "reg0[13]"  #: with what is observed about it
BEFORE_LB = ("reg0[17]", "reg0[21]")  #: allowed before load balancing: a reply, or an old connection
NEIGHBOURS = "nd || nd_ra || nd_rs || mldv1 || mldv2"
REDIRECTED = "reg8[21] = ct_label.nf; "  #: a network function wants the reply too
RELATED_NEW = "!ct.est && ct.rel && !ct.new && ct_mark.blocked == 0"
REPLY = "ct.est && !ct.rel && ct.rpl && ct_mark.blocked == 0"

PRE = {FROM: STAGE["ls_in_pre_acl"], AFTER: STAGE["ls_in_pre_acl"], TO: STAGE["ls_out_pre_acl"]}
HINT = (STAGE["ls_in_acl_hint"], STAGE["ls_out_acl_hint"])
ACT = {
    STAGE["ls_in_acl_action"]: (FROM, STAGE["ls_out_qos"]),
    STAGE["ls_in_acl_after_lb_action"]: (AFTER, STAGE["ls_out_qos"]),
    STAGE["ls_out_acl_action"]: (TO, STAGE["ls_in_l2_lkup"]),
}  #: stage → (which ACLs, where a refusal goes on)
TRANSLATED: Tags = (("acl_ct_translation", "true"),)  #: ports are those of the connection: fragments have none

HINTS = (
    (7, "ct.new && !ct.est", (MAY_ALLOW_NEW, MAY_DROP, COMMIT)),
    (6, "!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 1", (MAY_ALLOW_NEW, MAY_DROP, COMMIT)),
    (5, "!ct.trk", (MAY_ALLOW, MAY_DROP)),
    (4, "!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 0", (MAY_ALLOW, MAY_BLOCK)),
    (3, "!ct.est", (MAY_DROP,)),
    (2, "ct.est && ct_mark.blocked == 1", (MAY_DROP,)),
    (1, "ct.est && ct_mark.blocked == 0", (MAY_BLOCK,)),
)


def bits(names: tuple[str, ...], value: int = 1) -> str:
    """The actions that set some bits."""
    return "".join(f"{name} = {value}; " for name in names)


@feature.fills(*HINT)
def hints(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """What may still come of the packet."""
    yield Flow(stage, 0 if switch.filtered or switch.tracks else HIGHEST, ANY, NEXT)
    for priority, match, possible in HINTS if switch.tracks else ():
        yield Flow(stage, priority, match, bits(possible) + NEXT)


@feature.fills(EVALUATE[FROM], EVALUATE[TO])
def undecided(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Most packets match no ACL; on a switch without any, none is asked for."""
    yield Flow(stage, 0 if switch.filtered or switch.tracks else HIGHEST, ANY, NEXT)


@feature.fills(EVALUATE[FROM], EVALUATE[TO])
def connections(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Replies and what belongs to a connection pass; what cannot belong to one does not."""
    if not switch.tracks:
        return
    before_lb = bits(BEFORE_LB[:1]) if stage.is_ingress else ""
    judged = bits((MAY_DROP, MAY_BLOCK), 0) if stage.is_ingress else ""
    old = bits(BEFORE_LB[1:]) if stage.is_ingress else ""
    blocked = "(ct.est && ct.rpl && ct_mark.blocked == 1)"
    trusts = switch.settings.trusts_invalid and not switch.mixes
    invalid = f"ct.inv || {blocked}" if trusts else blocked
    yield Flow(stage, ALWAYS, invalid, f"{DROPPED} = 1; {NEXT}")
    yield Flow(stage, ALWAYS, REPLY, f"{judged}{before_lb}{REDIRECTED}{ALLOWED} = 1; {NEXT}")
    yield Flow(stage, ALWAYS, RELATED_NEW, f"{before_lb}{REDIRECTED}{ALLOWED} = 1; ct_commit_nat;")
    yield Flow(stage, ALWAYS, "ct.est && ct_mark.allow_established == 1", f"{old}{REDIRECTED}{ALLOWED} = 1; {NEXT}")
    yield Flow(stage, 1, "ip && !ct.est", NEXT)
    yield Flow(stage, 1, "ip && ct.est && ct_mark.blocked == 1", f"{ALLOWED} = 1; {NEXT}")


@feature.fills(EVALUATE[AFTER])
def known(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """What passed as part of a connection before load balancing passes after it."""
    if switch.tracks:
        for bit in BEFORE_LB:
            yield Flow(stage, ALWAYS, f"{bit} == 1", f"{ALLOWED} = 1; {NEXT}")


@feature.fills(*EVALUATE)
def neighbours(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Neighbour discovery and group membership always pass."""
    yield Flow(stage, ALWAYS, NEIGHBOURS, f"{ALLOWED} = 1; {NEXT}")


@feature.fills(*EVALUATE)
def health_checks(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """So does the health checker, wherever somebody might forget to let it."""
    if (switch.filtered or switch.tracks) and stage is not EVALUATE[AFTER]:
        field = "dst" if stage.is_ingress else "src"
        yield Flow(stage, 34000, f"eth.{field} == $svc_monitor_mac", f"{ALLOWED} = 1; {NEXT}")


@feature.fills(*ACT)
def act(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Carry the verdict out, or ask the next tier."""
    if not switch.filtered:
        yield Flow(stage, 0, ANY, NEXT)
        return
    judged, refused = ACT[stage]
    last = switch.tiers[judged]
    done = bits((ALLOWED, DROPPED, REJECTED), 0) + (f"{TIER} = 0; " if last else "")
    yield Flow(stage, 1000, f"{ALLOWED} == 1", done + NEXT)
    yield Flow(stage, 1000, f"{DROPPED} == 1", done + switch.settings.drop_after)
    implied = "/* eth.dst <-> eth.src; ip.dst <-> ip.src; is implicit. */"
    refuse = f"reg0 = 0; reject {{ {implied} outport <-> inport; {refused.jump()} }};"
    yield Flow(stage, 1000, f"{REJECTED} == 1", done + refuse)
    for tier in range(last):
        again = EVALUATE[judged].jump()
        yield Flow(stage, 500, f"{TIER} == {tier}", f"{TIER} = {tier + 1}; {again}")
    yield Flow(stage, 0, ANY, done + (switch.settings.drop_after if switch.settings.drops_by_default else NEXT))


@feature.acl
def untracked(switch: Switch, acl: Acl) -> Iterator[Flow]:
    """What passes without being tracked says so before anything is."""
    if acl.action == "allow-stateless" and switch.tracks:
        yield Flow(PRE[acl.place], acl.priority + ABOVE, acl.match, f"reg0[16] = 1; {NEXT}")


@feature.acl
def judge(switch: Switch, acl: Acl) -> Iterator[Flow]:
    """The ACL itself."""
    stage, priority = acl.stage, acl.priority + ABOVE
    tier = f"{TIER} == {acl.tier} && " if switch.tiers[acl.place] else ""
    match = f"({acl.match})"
    verdict = VERDICT.get(acl.action)
    decide = acl.log + (f"{verdict} = 1; " if verdict else "")
    note = observe(acl)
    if not switch.tracks or acl.action in ("pass", "allow-stateless"):
        yield Flow(stage, priority, tier + match, decide + note + NEXT)
        return
    tags = TRANSLATED if switch.settings.translates_fragments else None
    new, old = (MAY_ALLOW_NEW, MAY_ALLOW) if acl.action in ALLOWING else (MAY_DROP, MAY_BLOCK)
    keep, again = "", ""
    if acl.action not in ALLOWING:
        again = "ct_commit { ct_mark.blocked = 1; ct_label.obs_point_id = 0; }; "
    else:
        keep = f"reg2[16..31] = {acl.number}; reg0[20] = 1; " if acl.number else ""
    remember = bits((COMMIT,)) if acl.action in ALLOWING and note else ""
    yield Flow(stage, priority, f"{tier}{new} == 1 && {match}", decide + keep + note + NEXT, tags)
    yield Flow(stage, priority, f"{tier}{old} == 1 && {match}", decide + remember + note + again + NEXT, tags)


def observe(acl: Acl) -> str:
    """Note what the connection is to be labelled with."""
    if not acl.label:
        return ""
    registers = f"reg3 = {acl.label}; reg9 = {acl.label}; reg8[0..7] = 0; reg8[8..15] = 0; reg8[19..20] = {acl.place}; "
    return f"{LABELLED} = 1; {registers}"


@feature.acl
def replies(switch: Switch, acl: Acl) -> Iterator[Flow]:
    """Log what belongs to the connections that a logged ACL allowed: it is known by its label."""
    if not (switch.tracks and acl.log and acl.label and acl.follows_replies and acl.action in ALLOWING):
        return
    stage = EVALUATE[FROM if acl.place == TO else TO]
    for match in (REPLY, RELATED_NEW):
        actions = f"{acl.log}{REDIRECTED}{ALLOWED} = 1; {NEXT}"
        yield Flow(stage, ALWAYS + 1, f"{match} && ct_label.label == {acl.label}", actions)
