"""Which packets go through connection tracking, and what is remembered about their connections.

    pre_acl, pre_lb   a reason to track?  → reg0[0] (ACLs that judge by connection), reg0[2] (load balancers)
    pre_stateful      track
    stateful          commit: reg0[1] says do, reg0[13] whether for sampling too

Packets to and from routers, physical networks and other switches are tracked there, not here.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import PEERS, Port, of_type
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow, Stage

feature = Feature()

ERROR = "(ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && icmp6.code == 0)"
TOO_BIG = "((ip4 && icmp4.type == 3 && icmp4.code == 4) ||(ip6 && icmp6.type == 2 && icmp6.code == 0))"
NEIGHBOURS = "nd || nd_rs || nd_ra || mldv1 || mldv2"
FOR_LB = "reg0[2]"
FOR_ACL = "reg0[0]"
STATELESS = "reg0[16]"  #: an ACL said that this packet is not to be tracked
UNTRACK = f"flags.pkt_sampled = 0; ct_clear; {NEXT}"

DHCP6 = "(udp && udp.src == 546 && udp.dst == 547)"  #: a client's; the answer comes from another address
PRE_ACL = (STAGE["ls_in_pre_acl"], STAGE["ls_out_pre_acl"])
PRE_LB = (STAGE["ls_in_pre_lb"], STAGE["ls_out_pre_lb"])
STATEFUL = (STAGE["ls_in_stateful"], STAGE["ls_out_stateful"])


@feature.fills(*PRE_ACL, *PRE_LB)
def health_checks(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Probes of the health checker are not tracked."""
    field = "dst" if stage.is_ingress else "src"
    yield Flow(stage, 110, f"eth.{field} == $svc_monitor_mac", NEXT)


@feature.fills(*PRE_ACL)
def for_acls(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Where ACLs judge by connection, all IP is tracked but what has none."""
    if not switch.related:
        return
    if stage.is_ingress:
        yield Flow(stage, 110, f"({ERROR}) && flags.tunnel_rx == 1", NEXT)
    if not switch.settings.translates_fragments:
        yield Flow(stage, 110, "eth.mcast", NEXT)
    yield Flow(stage, 110, f"{NEIGHBOURS} || {DHCP6}", NEXT)
    yield Flow(stage, 100, "ip", f"{FOR_ACL} = 1; {NEXT}")


@feature.fills(*PRE_LB)
def exempt(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """What has no connection is not tracked."""
    yield Flow(stage, 110, NEIGHBOURS, NEXT)
    yield Flow(stage, 110, "eth.mcast", NEXT)
    yield Flow(stage, 110, f"{STATELESS} == 1", NEXT)
    if stage.is_ingress:
        yield Flow(stage, 110, f"{TOO_BIG} && flags.tunnel_rx == 1", NEXT)


@feature.serves(*PRE_ACL, *PRE_LB, when=of_type(*PEERS))
def beyond(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """What comes from or goes to other networks is tracked there."""
    if port.row.type == "localnet" and switch.balanced and stage in PRE_LB:
        return  # the physical network may ask for a virtual address
    if (port.row.type == "router" and not port.linked) or (stage in PRE_ACL and not switch.related):
        return
    if stage.is_ingress:
        yield Flow(stage, 110, f"ip && inport == {port.name}", NEXT, port.row.name)
    else:
        actions = NEXT if port.row.type == "switch" or switch.related else UNTRACK
        yield Flow(stage, 110, f"ip && outport == {port.name}", actions, port.row.name)


@feature.fills(STAGE["ls_in_pre_stateful"], STAGE["ls_out_pre_stateful"])
def track(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Track for whoever asked."""
    if stage.is_ingress:
        yield Flow(stage, 115, f"{FOR_LB} == 1 && ip.is_frag", "reg0[19] = 1; ct_lb_mark;")
    yield Flow(stage, 110, f"{FOR_LB} == 1", "ct_lb_mark;")
    yield Flow(stage, 100, f"{FOR_ACL} == 1", "ct_next;")


@feature.fills(*STATEFUL)
def commit(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Remember the connection, with what ACLs, sampling and network functions want remembered."""
    for sampled in (0, 1):
        base = f"reg0[1] == 1 && reg0[13] == {sampled}"
        yield Flow(stage, 110, f"{base} && reg8[21] == 1", remember(sampled, "1", "reg0[22..29]"))
        yield Flow(stage, 100, base, remember(sampled, "0", "0"))


def remember(sampled: int, redirected: str, function: str) -> str:
    """The commit with all that goes into mark and label."""
    sampling = (
        "ct_mark.obs_stage = reg8[19..20]; ct_mark.obs_collector_id = reg8[8..15]; ct_label.obs_point_id = reg9; "
    )
    return (
        "ct_commit { ct_mark.blocked = 0; ct_mark.allow_established = reg0[20]; "
        f"{sampling if sampled else ''}"
        "ct_label.acl_id = reg2[16..31]; "
        f"ct_label.nf = {redirected}; ct_label.nf_id = {function}; }}; {NEXT}"
    )
