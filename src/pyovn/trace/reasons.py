"""Why a packet ended where it did, in words.

    Ending ─ reason ─▶ Reason: a sentence, and the northbound row that is behind it

What a table is for decides what it means to end there, so the sentences are by stage; both northds name stages alike.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from pyovn.net.ip import ip4_str, ip6_str
from pyovn.net.mac import mac_str
from pyovn.trace.endings import Ending
from pyovn.trace.flow_text import IP4
from pyovn.trace.network import Network
from pyovn.trace.tree import Node


class Reason(NamedTuple):
    """A sentence, and how the UUID of the northbound row behind it begins."""

    text: str
    hint: str = ""


Explain = Callable[[Ending, Network], Reason]


def reason(ending: Ending, network: Network) -> Reason:
    """Why the packet ended there."""
    if ending.node.kind == "error":
        return Reason(ending.node.text.removeprefix("*** "))
    if ending.node.kind == "remark":
        return Reason("it would leave by the port where it came in")
    if ending.is_alone:
        return Reason("it is for everybody, and there is nobody else")
    explain = REASONS.get(ending.stage)
    return explain(ending, network) if explain is not None else plainly(ending, network)


def plainly(ending: Ending, _network: Network) -> Reason:
    """What can be said of any table."""
    table = ending.table
    if table is None or "flow" not in table.facts:
        return Reason(f"no flow of {ending.stage or 'the table'} is for it")
    return Reason(f"that is what {ending.stage} does with: {table.facts['match']}", table.facts["hint"])


def destination(ending: Ending) -> str:
    """The address that a packet is for, in words."""
    packet = ending.packet
    if "ip_dst" in packet:
        return ip4_str(packet["ip_dst"])
    return ip6_str(packet["ipv6_dst"]) if "ipv6_dst" in packet else mac_str(packet.get("eth_dst", 0))


def senders(ending: Ending) -> str:
    """The addresses that a packet came from, in words."""
    packet = ending.packet
    found = [mac_str(packet.get("eth_src", 0))]
    for field, text in (("ip_src", ip4_str), ("ipv6_src", ip6_str), ("arp_spa", ip4_str), ("nd_target", ip6_str)):
        if packet.get(field):
            found.append(text(packet[field]))
    return " ".join(found)


def _security(end: str) -> Explain:
    def explain(ending: Ending, network: Network) -> Reason:
        name = ending.place.get(end, "")
        port = network.find_port(name)
        allowed = ", ".join(port.port_security) if port is not None else ""
        if end == "inport":
            return Reason(f'port security of "{name}" lets in {allowed}; this is from {senders(ending)}')
        packet = ending.packet
        target = f"{mac_str(packet.get('eth_dst', 0))} {destination(ending)}"
        return Reason(f'port security of "{name}" lets out what is for {allowed}; this is for {target}')

    return explain


def _entry(ending: Ending, _network: Network) -> Reason:
    match = ending.table.facts.get("match", "") if ending.table is not None else ""
    name = ending.place.get("inport", "")
    for part, text in (
        ("eth.src[40]", "its source is a multicast address"),
        ("vlan.present", "it has a VLAN tag, and its switch does not pass those on (other_config:vlan-passthru)"),
    ):
        if match.startswith(part) or match.endswith(part):
            return Reason(text)
    if f'"{name}"' in match:
        return Reason(f'port "{name}" is disabled')
    return plainly(ending, _network)


def _acl(ending: Ending, network: Network) -> Reason:
    evaluation = ending.stage.replace("_action", "_eval")
    verdicts = [node for node in ending.tables if node.facts.get("stage") == evaluation and node.facts.get("hint")]
    if verdicts:
        return Reason("an ACL says so", verdicts[-1].facts["hint"])
    decided = [node for node in ending.tables if node.facts.get("stage") == evaluation and "flow" in node.facts]
    if decided and "ct.inv" in decided[-1].facts["match"]:
        return Reason("conntrack takes it for invalid, and there are stateful ACLs")
    if ending.stage.endswith("_eval"):
        return plainly(ending, network)
    return Reason("no ACL lets it pass, and NB_Global options:default_acl_drop is set")


def _unknown_mac(ending: Ending, network: Network) -> Reason:
    datapath = network.find_datapath(ending.place.get("datapath", ""))
    name = "the switch" if datapath is None else f"switch {datapath.friendly}"
    mac = mac_str(ending.packet.get("eth_dst", 0))
    return Reason(f'no port of {name} has the address {mac}, and none takes unknown ones (addresses "unknown")')


def _look_up(ending: Ending, network: Network) -> Reason:
    table = ending.table
    hint = "" if table is None else table.facts.get("hint", "")
    if table is not None and "eth.dst ==" in table.facts.get("match", ""):
        return Reason("the port that has the address is disabled", hint)
    return plainly(ending, network)


def _admission(ending: Ending, network: Network) -> Reason:
    port = ending.place.get("inport", "")
    mac = mac_str(ending.packet.get("eth_dst", 0))
    if ending.table is not None and ending.table.facts.get("match") == "1":
        return Reason(f'its destination {mac} is not an address that router port "{port}" receives here')
    return plainly(ending, network)


#: what a router's flow matches on → why it does not route
_TO_ROUTER = (
    (r"ip\.ttl == \{0, 1\}", "its time to live ends at this router"),
    (r"ip4\.src == \{|ip6\.src == \{", "its source is an address of the router itself, or a broadcast address"),
    (r"arp \|\| nd", "it asks for an address that is not the router's"),
    (r"arp\.op == 1", "another chassis answers for that address"),
    (r"eth\.bcast|ip6\.mcast_rsvd", "routers do not pass on broadcasts"),
    (r"ip4\.mcast|ip6\.mcast", "the router does not pass on multicast (options:mcast_relay)"),
    (r"ip[46]\.dst == .*(tcp|udp)", "it is for the router itself, which has no such service"),
    (r"ip[46]\.dst == .*later_frag", "it is for the router itself, which has no such protocol"),
    (r"ip[46]\.dst == \{", "it is for the router itself"),
)


def _router_input(ending: Ending, network: Network) -> Reason:
    match = ending.table.facts.get("match", "") if ending.table is not None else ""
    for pattern, text in _TO_ROUTER:
        if re.search(pattern, match):
            return Reason(text)
    return plainly(ending, network)


def _route(ending: Ending, network: Network) -> Reason:
    table = ending.table
    if table is not None and table.facts.get("match", "1") != "1":
        if "nd_r" in table.facts["match"] or "igmp" in table.facts["match"]:
            return Reason("routers do not pass on what neighbours say to each other")
        return Reason(f"a route discards what is for {destination(ending)}", table.facts.get("hint", ""))
    return Reason(f"the router has no route to {destination(ending)}")


def _translated(ending: Ending, _network: Network) -> Reason:
    hint = "" if ending.table is None else ending.table.facts.get("hint", "")
    return Reason(f"{destination(ending)} is what others are translated to: only answers to them get further", hint)


def _policy(ending: Ending, _network: Network) -> Reason:
    return Reason("a routing policy says so", "" if ending.table is None else ending.table.facts.get("hint", ""))


def _next_hop(ending: Ending, network: Network) -> Reason:
    match = "1" if ending.table is None else ending.table.facts.get("match", "1")
    if "inport ==" in match:
        return Reason(f"{destination(ending)} is a translated address of this router, and nobody asked for it here")
    if match != "1":
        return Reason(f"the next hop {destination(ending)} is an address of the router itself")
    return Reason("nobody is known at the next hop")


def _asked(ending: Ending, _network: Network) -> Reason:
    packet = ending.packet
    registers = [packet.get(f"reg{number}", 0) for number in range(4)]  # the next hop: reg0 or xxreg0
    is_ip4 = packet.get("eth_type") == IP4
    hop = ip4_str(registers[0]) if is_ip4 else ip6_str(sum(each << 96 - 32 * n for n, each in enumerate(registers)))
    return Reason(f"the MAC address of {hop} is not known yet: the router asks for it, and keeps the packet so long")


def _no_backend(ending: Ending, _network: Network) -> Reason:
    hint = "" if ending.table is None else ending.table.facts.get("hint", "")
    return Reason(f"the load balancer for {destination(ending)} has no backend", hint)


REASONS: dict[str, Explain] = {
    "ls_in_check_port_sec": _entry,
    "ls_in_apply_port_sec": _security("inport"),
    "ls_out_apply_port_sec": _security("outport"),
    "ls_in_acl_eval": _acl,
    "ls_in_acl_action": _acl,
    "ls_in_acl_after_lb_eval": _acl,
    "ls_in_acl_after_lb_action": _acl,
    "ls_out_acl_eval": _acl,
    "ls_out_acl_action": _acl,
    "ls_in_lb": _no_backend,
    "ls_in_l2_lkup": _look_up,
    "ls_in_l2_unknown": _unknown_mac,
    "lr_in_admission": _admission,
    "lr_in_ip_input": _router_input,
    "lr_in_unsnat": _translated,
    "lr_in_dnat": _no_backend,
    "lr_in_ip_routing": _route,
    "lr_in_ip_routing_ecmp": _route,
    "lr_in_policy": _policy,
    "lr_in_arp_resolve": _next_hop,
    "lr_in_arp_request": _asked,
}


def decisions(ending: Ending) -> list[Node]:
    """The tables before the last where a northbound row had its say."""
    last = ending.table
    return [node for node in ending.tables if node is not last and node.facts.get("hint")]
