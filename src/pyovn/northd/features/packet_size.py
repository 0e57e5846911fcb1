"""Packets too big for the network beyond a port with `gateway_mtu`: their senders are told.

chk_pkt_len    does it fit?  → reg9[1]; and what conntrack knew → reg4[0..7]
larger_pkts    an ICMP error; for translated connections its inner addresses are translated too
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

CHECK, LARGER = STAGE["lr_in_chk_pkt_len"], STAGE["lr_in_larger_pkts"]
TRANSLATED = "reg4[5] && reg4[3] && reg4[7]"  #: what ct_state_save saved: a reply, and its destination was changed
ERRORS = {
    "ip4": (
        "icmp4_error",
        "icmp4.type = 3; /* Destination Unreachable. */ icmp4.code = 4; /* Frag Needed and DF was Set. */ "
        "icmp4.frag_mtu",
    ),
    "ip6": ("icmp6_error", "icmp6.type = 2; /* Packet Too Big. */ icmp6.code = 0; icmp6.frag_mtu"),
}


@feature.router_port
def check(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Measure what leaves by the port."""
    if not port.mtu:
        return
    save = f"reg4[0..7] = ct_state_save(); {NEXT}" if router.settings.saves_state else NEXT
    bypass = port.options.get("gateway_mtu_bypass")
    exempt = f"arp || {bypass}" if bypass else "arp"
    yield Flow(CHECK, 55, f"outport == {port.name} && ({exempt})", save)
    yield Flow(CHECK, 50, f"outport == {port.name}", f"reg9[1] = check_pkt_larger({port.longest}); {save}")


@feature.router
def translate_errors(router: Router) -> Iterator[Flow]:
    """The errors' own translation."""
    if router.measures:
        yield Flow(STAGE["lr_out_post_snat"], 100, "icmp && flags.icmp_snat == 1", "ct_commit_nat(snat);")


@feature.passage
def too_big(router: Router, entry: RouterPort, way_out: RouterPort) -> Iterator[Flow]:
    """Tell senders behind another port."""
    for ip, networks in (("ip4", entry.ip4), ("ip6", entry.ip6)):
        if networks:
            match = f"inport == {entry.name} && outport == {way_out.name} && {ip} && reg9[1] && reg9[0] == 0"
            error = refusal(entry, ip, networks[0].address, way_out.mtu)
            yield Flow(LARGER, 150, match, error)
            if router.settings.saves_state:
                marked = refusal(entry, ip, networks[0].address, way_out.mtu, "flags.icmp_snat = 1; ")
                yield Flow(LARGER, 160, f"{match} && {TRANSLATED}", marked)


def refusal(entry: RouterPort, ip: str, source: str, mtu: int, first: str = "") -> str:
    """The ICMP error, from the port where the packet came in."""
    name, kind = ERRORS[ip]
    return (
        f"{name} {{{first}reg9[0] = 1; reg9[1] = 0; eth.dst = {entry.mac}; {ip}.dst = {ip}.src; {ip}.src = {source}; "
        f"ip.ttl = 255; {kind} = {mtu}; next(pipeline=ingress, table=0); }};"
    )
