"""Load balancers on logical routers: connections to a virtual address go to one of its backends.

    in    unsnat      no reply of ours, even if sources are translated to the same address
          defrag      conntrack translates packets of old connections
          ct_extract  protocol and port of a new connection, even of its fragments
          dnat        choose a backend; replies and errors of balanced connections remember how they are translated
          gw_redirect replies of backends go by the gateway that has the connection
    out   undnat      those replies get the virtual address as source
          snat        sources are translated, or not, because of the load balancer

On a router with distributed gateway ports it is the chassis of the gateways that balance, unless the load balancer is
`distributed`.  With several such ports `use_stateless_nat` does without conntrack, for replies may take another way.

Reads Load_Balancer, Load_Balancer_Group, Logical_Router.load_balancer, .load_balancer_group, options:lb_force_snat_ip.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.balancer import Balancer, Vip
from pyovn.northd.model.connections import KNOWN_CLIENT, asked_for, before, empty, learned, noted, sent
from pyovn.northd.model.port import quoted
from pyovn.northd.model.router import Router, Site
from pyovn.northd.pipeline import DROP, NEXT, STAGE, Flow

feature = Feature()

INPUT = STAGE["lr_in_ip_input"]
UNSNAT, DEFRAG, EXTRACT = STAGE["lr_in_unsnat"], STAGE["lr_in_defrag"], STAGE["lr_in_ct_extract"]
CHECK, DNAT, LEARN = STAGE["lr_in_lb_aff_check"], STAGE["lr_in_dnat"], STAGE["lr_in_lb_aff_learn"]
REDIRECT, UNDNAT, SNAT = STAGE["lr_in_gw_redirect"], STAGE["lr_out_undnat"], STAGE["lr_out_snat"]
CHOSEN = "reg1[0..15]"  #: without conntrack: which of the backends
OLD, RELATED = "ct.est && !ct.rel && !ct.new && !ct.rpl && ct_mark.natted", "ct.rel && !ct.est && !ct.new && !ct.rpl"


@feature.router
def follow(router: Router) -> Iterator[Flow]:
    """What belongs to balanced connections has its source translated as their first packet had."""
    if not router.balances:
        return
    ports = f"reg1[16..23] = ct_proto(); {CHOSEN} = ct_tp_dst(); "
    yield Flow(EXTRACT, 100, "ct.new && ip", ports + NEXT)
    for what, then in ((OLD, NEXT), (RELATED, "ct_commit_nat;")):
        yield Flow(DNAT, 50, what, then)
        for how in ("skip_snat", "force_snat"):
            yield Flow(DNAT, 70, f"{what} && ct_mark.{how} == 1", f"{flagged(how)}{then}")


def flagged(how: str) -> str:
    """The action that has sources translated, or not, on the way out."""
    return f"flags.{how}_for_lb = 1; " if how else ""


def sources(site: Site, balancer: Balancer) -> str:
    """What becomes of the sources of balanced connections."""
    if balancer.keeps_source:
        return "skip_snat"
    return "force_snat" if site.forces_source else ""


def stateless(site: Site, balancer: Balancer) -> bool:
    """Is it done without conntrack?"""
    return balancer.stateless and len(site.gateways) > 1


def whereabouts(site: Site, balancer: Balancer) -> Iterator[tuple[str, str, str]]:
    """The gateway ports, the ports that stand for them, and where connections by them are balanced."""
    for name in site.gateways:
        there = quoted(f"cr-{name}")
        anywhere = balancer.distributed and not stateless(site, balancer)
        yield quoted(name), there, "" if anywhere else f"is_chassis_resident({there})"


@feature.router_balancer
def track(site: Site, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Packets of old connections are translated at once, as conntrack knows."""
    to = f"ip && {vip.ip}.dst == {vip.address}"
    if not balancer.stateless:
        yield Flow(DEFRAG, 100, to, "ct_dnat;")
    elif len(vip.backends) < 2:
        yield Flow(EXTRACT, 120, to, NEXT)
    else:
        numbers = ",".join(map(str, range(len(vip.backends))))
        fields = balancer.hash_fields
        among = f'values=({numbers}); hash_fields="{fields}"' if fields else numbers
        yield Flow(EXTRACT, 120, to, f"{CHOSEN} = select({among});")


@feature.router_balancer
def accept(site: Site, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """A virtual address that chassis know may be one of the router's own there."""
    if vip.varies:
        yield Flow(INPUT, 100, f"{vip.ip}.dst == {vip.address}", NEXT)


@feature.router_balancer
def tell(site: Site, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Somebody asks for a virtual address without backends: the cloud may want to start one."""
    if not vip.backends and balancer.tells and not balancer.refuses:
        yield Flow(DNAT, 130, *empty(balancer, vip))


@feature.router_balancer
def balance(site: Site, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Choose a backend for a new connection."""
    if stateless(site, balancer):
        return
    priority = 120 if vip.port else 110
    match = f"ct.new && !ct.rel && {vip.ip} && {asked_for(balancer, vip)}"
    how = sources(site, balancer)
    refuse = f"{flagged(how)}reg0 = 0; reject {{ outport <-> inport; {SNAT.jump()}}};"
    if not vip.backends and balancer.refuses:
        yield Flow(DNAT, priority, match, refuse)
        return
    local = "_local" if balancer.distributed else ""
    fields = f'; hash_fields="{balancer.hash_fields}"' if balancer.hash_fields else ""
    note = noted(vip) if balancer.affinity_s else ""
    mark = f"; {how}" if how else ""
    choose = f"{flagged(how)}{note}ct_lb_mark{local}(backends={vip.choice}{fields}{mark});"
    actions = choose if vip.choice else refuse if balancer.refuses else DROP
    for where in dict.fromkeys(where for _, _, where in whereabouts(site, balancer)) or ("",):
        yield Flow(DNAT, priority, f"{match} && {where}" if where else match, actions)


@feature.router_balancer
def balance_anyhow(site: Site, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Without conntrack each packet finds its backend anew."""
    if not stateless(site, balancer):
        return
    priority = 120 if vip.port else 110
    port = f" && {balancer.protocol} && {balancer.protocol}.dst == {vip.port}" if vip.port else ""
    for name in site.gateways:
        to = f"is_chassis_resident({quoted(f'cr-{name}')}) && {vip.ip} && {vip.ip}.dst == {vip.address}{port}"
        for number, backend in enumerate(vip.backends):
            chosen = f" && {CHOSEN} == {number}" if len(vip.backends) > 1 else ""
            new_port = f"{balancer.protocol}.dst = {backend.port}; " if backend.port else ""
            yield Flow(DNAT, priority, to + chosen, f"{vip.ip}.dst = {backend.address}; {new_port}{NEXT}")


@feature.router_balancer
def affinity(site: Site, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Send a client where it was sent before."""
    if not balancer.affinity_s:
        return
    asked = f"ct.new && !ct.rel && {vip.ip} && {asked_for(balancer, vip)}"
    yield Flow(CHECK, 100, asked, f"{KNOWN_CLIENT} = chk_lb_aff(); {NEXT}")
    how = sources(site, balancer)
    mark = f"; {how}" if how else ""
    for backend in vip.backends:
        yield Flow(DNAT, 150, before(vip, backend), f"{flagged(how)}ct_lb_mark(backends={backend}{mark});")
        yield Flow(LEARN, 100, sent(balancer, vip, backend), learned(balancer, vip, backend))


def from_backends(balancer: Balancer, vip: Vip) -> str:
    """Replies of backends."""
    each = (
        f"({vip.ip}.src == {backend.address}"
        + (f" && {balancer.protocol}.src == {backend.port})" if backend.port else ")")
        for backend in vip.backends
    )
    return f"{vip.ip} && ({' || '.join(each)})"


@feature.router_balancer
def replies(site: Site, balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Replies go by the gateway that balances, and leave as the virtual address."""
    if not vip.backends:
        return
    replies = from_backends(balancer, vip)
    how = sources(site, balancer)
    again = "ct_dnat_in_czone;" if site.common_zone else "ct_dnat;"
    for name, there, where in whereabouts(site, balancer):
        yield Flow(REDIRECT, 200, f"{replies} && outport == {name}", f"outport = {there if where else name}; {NEXT}")
        match = f"{replies} && (inport == {name} || outport == {name})"
        match += f" && {where}" if where else ""
        if not stateless(site, balancer):
            yield Flow(UNDNAT, 120, match, f"{flagged(how)}{NEXT}" if how else again)
            continue
        match += f" && {balancer.protocol}"
        port = f"{balancer.protocol}.src = {vip.port}; " if vip.port else ""
        yield Flow(UNDNAT, 120, match, NEXT)
        yield Flow(SNAT, 160, match, f"{vip.ip}.src = {vip.address}; {port}{NEXT}")


@feature.whole_balancer
def source_kept(balancer: Balancer) -> Iterator[Flow]:
    """Balanced connections whose sources are not translated."""
    if balancer.keeps_source:
        yield Flow(SNAT, 120, "flags.skip_snat_for_lb == 1 && ip", NEXT)


@feature.vip_translated
def no_reply(balancer: Balancer, vip: Vip) -> Iterator[Flow]:
    """Sources are translated to the same address: this is none of the replies."""
    port = f" && {balancer.protocol}.dst == {vip.port}" if vip.port else ""
    yield Flow(UNSNAT, 120, f"{vip.ip} && {vip.ip}.dst == {vip.address} && {balancer.protocol}{port}", NEXT)
