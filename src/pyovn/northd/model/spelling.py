"""How flows are written that drop packets, or hand them to the controller.

    drop;                                → sample(…); /* drop */           where dropped packets are sampled
    put_arp(…); next;                    → the same, with the meter for ARP  where a Copp protects the controller

Rules know nothing of that: what a flow hands to the controller is seen from its actions.  The protocols are those of
`Copp.meters`, ovn-nb(5).
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from pyovn.northd.pipeline import DROP, NEXT, STAGE, Flow

Limits = tuple[tuple[str, str], ...]  #: protocols with the meters of their packets


class Spelling(NamedTuple):
    """How the flows of a datapath are written."""

    drop: str = DROP
    limits: Limits = ()


PLAIN: Final = Spelling()

#: the action that hands a packet to the controller → the protocol whose meter limits it
PROTOCOLS: Final[Mapping[str, str]] = {
    "arp": "arp-resolve",
    "dhcp_relay_req_chk": "dhcpv4-relay",
    "dhcp_relay_resp_chk": "dhcpv4-relay",
    "dns_lookup": "dns",
    "handle_bfd_msg": "bfd",
    "handle_svc_check": "svc-monitor",
    "icmp4": "icmp4-error",
    "icmp4_error": "icmp4-error",
    "icmp6": "icmp6-error",
    "icmp6_error": "icmp6-error",
    "igmp": "igmp",
    "nd_na": "nd-na",
    "nd_na_router": "nd-na",
    "nd_ns": "nd-ns-resolve",
    "put_arp": "arp",
    "put_dhcp_opts": "dhcpv4-opts",
    "put_dhcpv6_opts": "dhcpv6-opts",
    "put_nd": "nd-na",  # unless it learns from a solicitation
    "put_nd_ra_opts": "nd-ra-opts",
    "reject": "reject",
    "sctp_abort": "tcp-reset",
    "tcp_reset": "tcp-reset",
    "trigger_event": "event-elb",
}
SOLICITATIONS: Final = "nd-ns"
#: all that a Copp can name
KNOWN: Final = frozenset(PROTOCOLS.values()) | {SOLICITATIONS}

_PUNT = re.compile(rf'"(?:[^"\\]|\\.)*"|\b({"|".join(PROTOCOLS)})\s*[({{;]')  # texts in quotes are passed over
_ANSWERS = STAGE["ls_in_arp_rsp"]
#: solicitations for the addresses that health checks come from are answered without a limit
_FOR_CHECKS = 110
#: those that a port sends for its own address go on, with the meter of the answers that others get
_OWN = 50


def spelled(flows: tuple[Flow, ...], spelling: Spelling) -> tuple[Flow, ...]:
    """The flows, as they are to be written."""
    if spelling is PLAIN:
        return flows
    drop, limits = spelling.drop, dict(spelling.limits)
    if drop != DROP:
        flows = tuple(flow._replace(actions=drop) if flow.actions == DROP else flow for flow in flows)
    return tuple(_limited(flow, limits) for flow in flows) if limits else flows


def protocol(flow: Flow) -> str | None:
    """As what a flow's packets reach the controller, if they do."""
    if flow.stage is _ANSWERS and flow.priority == _FOR_CHECKS:
        return None
    if flow.stage is _ANSWERS and flow.priority == _OWN and flow.actions == NEXT:
        return "nd-na" if flow.match.startswith("nd_ns") else None
    action = next((found[1] for found in _PUNT.finditer(flow.actions) if found[1]), None)
    if action == "put_nd" and flow.match.startswith("nd_ns"):
        return SOLICITATIONS
    return None if action is None else PROTOCOLS[action]


def _limited(flow: Flow, limits: Mapping[str, str]) -> Flow:
    meter = limits.get(protocol(flow) or "")
    return flow if meter is None else flow._replace(meter=meter)
