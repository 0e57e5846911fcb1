"""Load balancers on logical switches: connections to a virtual address go to one of its backends.

    pre_lb         track all IP: reg0[2]
    pre_stateful   note the virtual address and port before conntrack translates old connections
    ct_extract     protocol and port of a new connection, even of its fragments
    lb_aff_check   has the client been sent somewhere before?   → reg9[6]
    lb             choose: where the client was before, or any backend
    lb_aff_learn   remember where the client was sent
    pre_hairpin …  a backend that reached itself gets its own packets with the virtual address as source

Reads Load_Balancer, Load_Balancer_Group, Logical_Switch.load_balancer, .load_balancer_group,
.other_config:enable-stateless-acl-with-lb.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.balancer import Balancer, Vip
from pyovn.northd.model.connections import KNOWN_CLIENT, PORT, asked_for, before, empty, learned, noted, sent
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import DROP, NEXT, STAGE, Flow, Stage

feature = Feature()

PRE_LB, PRE_STATEFUL = (STAGE["ls_in_pre_lb"], STAGE["ls_out_pre_lb"]), STAGE["ls_in_pre_stateful"]
EXTRACT, BALANCE = STAGE["ls_in_ct_extract"], STAGE["ls_in_lb"]
CHECK, LEARN = STAGE["ls_in_lb_aff_check"], STAGE["ls_in_lb_aff_learn"]
LOOK, TRANSLATE, BACK = STAGE["ls_in_pre_hairpin"], STAGE["ls_in_nat_hairpin"], STAGE["ls_in_hairpin"]
WANTED = "reg0[2] == 1"
ITSELF, ITS_REPLY = "reg0[6]", "reg0[12]"


@feature.fills(*PRE_LB)
def want(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """All IP may belong to a balanced connection."""
    if switch.balanced:
        yield Flow(stage, 100, "ip", f"reg0[2] = 1; {NEXT}")
    if switch.balances_untracked and not stage.is_ingress:
        yield Flow(stage, 115, "reg0[16] == 1", f"reg0[2] = 1; {NEXT}")


@feature.fills(STAGE["ls_out_stateful"])
def untracked(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """What no ACL wants tracked is not remembered on the way out."""
    if switch.balances_untracked:
        yield Flow(stage, 110, "reg0[16] == 1 && ct.new", NEXT)


@feature.fills(EXTRACT)
def extract(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Later fragments of a connection's first packet have no ports; conntrack knows them."""
    if switch.balanced:
        yield Flow(stage, 100, "ct.new && ip", f"reg1[16..23] = ct_proto(); reg1[0..15] = ct_tp_dst(); {NEXT}")


@feature.fills(BALANCE)
def fragments(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Fragments of an old connection get the virtual address from conntrack."""
    if switch.balanced:
        old = "ct.trk && ct.est && !ct.rpl && reg0[19] == 1"
        yield Flow(stage, 110, f"{old} && ip4", f"reg4 = ct_nw_dst(); {PORT} = ct_tp_dst(); {NEXT}")
        yield Flow(stage, 110, f"{old} && ip6", f"xxreg1 = ct_ip6_dst(); {PORT} = ct_tp_dst(); {NEXT}")


@feature.fills(LOOK, TRANSLATE, BACK)
def hairpin(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Connections of a backend to itself."""
    if not switch.balanced:
        return
    if stage is LOOK:
        look = f"{ITSELF} = chk_lb_hairpin(); {ITS_REPLY} = chk_lb_hairpin_reply(); {NEXT}"
        yield Flow(stage, 100, "ip && ct.trk", look)
    elif stage is TRANSLATE:
        yield Flow(stage, 100, f"ip && ct.new && ct.trk && {ITSELF} == 1", f"ct_snat_to_vip; {NEXT}")
        yield Flow(stage, 100, f"ip && ct.est && ct.trk && {ITSELF} == 1", "ct_snat;")
        yield Flow(stage, 90, f"ip && {ITS_REPLY} == 1", "ct_snat;")
    else:
        back = "eth.dst <-> eth.src; outport = inport; flags.loopback = 1; output;"
        yield Flow(stage, 1, f"({ITSELF} == 1 || {ITS_REPLY} == 1)", back)


@feature.balancer
def note(switch: Switch, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Remember what was asked for: conntrack translates packets of old connections at once."""
    port = f" && {balancer.protocol}.dst == {vip.port}" if vip.port else ""
    to = f"{vip.ip}.dst == {vip.address}{port}"
    yield Flow(PRE_STATEFUL, 120, f"{WANTED} && {to}", f"{noted(vip)}ct_lb_mark;")
    if switch.balances_untracked:
        yield Flow(PRE_STATEFUL, 150, to, f"{noted(vip)}ct_lb_mark;")
        if vip.port:
            yield Flow(PRE_STATEFUL, 105, f"{balancer.protocol} && {vip.ip}.dst == {vip.address}", "ct_lb_mark;")


@feature.balancer
def tell(switch: Switch, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Somebody asks for a virtual address without backends: the cloud may want to start one."""
    if vip.backends or not balancer.tells or balancer.refuses:
        return
    yield Flow(PRE_LB[0], 130, *empty(balancer, vip))


@feature.balancer
def balance(switch: Switch, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Choose a backend for a new connection."""
    priority = 120 if vip.port else 110
    match = f"ct.new && {asked_for(balancer, vip)}"
    if not vip.choice:
        refuse = f"reg0 = 0; reject {{ outport <-> inport; {STAGE['ls_out_qos'].jump()}}};"
        yield Flow(BALANCE, priority, match, refuse if balancer.refuses else DROP)
        return
    local = "_local" if balancer.distributed else ""
    fields = f'; hash_fields="{balancer.hash_fields}"' if balancer.hash_fields else ""
    yield Flow(BALANCE, priority, match, f"{noted(vip)}ct_lb_mark{local}(backends={vip.choice}{fields});")


@feature.balancer
def affinity(switch: Switch, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Send a client where it was sent before."""
    if not balancer.affinity_s:
        return
    asked = f"ct.new && {vip.ip} && {asked_for(balancer, vip)}"
    yield Flow(CHECK, 100, asked, f"{KNOWN_CLIENT} = chk_lb_aff(); {NEXT}")
    for backend in vip.backends:
        yield Flow(BALANCE, 150, before(vip, backend), f"{noted(vip)}ct_lb_mark(backends={backend});")
        yield Flow(LEARN, 100, sent(balancer, vip, backend), learned(balancer, vip, backend))
