"""Health checks: the addresses that probes come from are answered for, so that what is probed can reply.

The replies are for `svc_monitor_mac`; `lookup` hands them to the controller.  Where the probes come from the address of
a router, it answers for itself, and its MAC is what tells replies to probes.  Reads Load_Balancer.health_check,
.ip_port_mappings, Logical_Switch_Port.health_checks.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import ip_of
from pyovn.northd.model.monitor import Probe, Target
from pyovn.northd.model.port import quoted
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import STAGE, Flow

feature = Feature()

RESPOND, LOOKUP = STAGE["ls_in_arp_rsp"], STAGE["ls_in_l2_lkup"]
UNREACHABLE = {"ip4": "icmp4.type == 3", "ip6": "icmp6.type == 1"}  #: how a port without a service answers UDP
BACK = "outport = inport; flags.loopback = 1; output;"


@feature.probe
def answer(switch: Switch, address: str, mac: str) -> Iterator[Flow]:
    """Say who probes from this address."""
    if ":" in address:
        advert = f"ip6.src = {address}; nd.target = {address}; nd.tll = {mac}"
        actions = f"nd_na {{ eth.dst = eth.src; eth.src = {mac}; {advert}; {BACK} }};"
        yield Flow(RESPOND, 110, f"nd_ns && nd.target == {address}", actions)
        return
    actions = (
        f"eth.dst = eth.src; eth.src = {mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = {mac}; "
        f"arp.tpa = arp.spa; arp.spa = {address}; {BACK}"
    )
    yield Flow(RESPOND, 110, f"arp.tpa == {address} && arp.op == 1", actions)


@feature.probe_reply
def reply(target: Target, probe: Probe) -> Iterator[Flow]:
    """What is probed replies to the router, but it is the health checker that wants to know."""
    ip = ip_of(target.ip)
    ends = f"{ip}.dst == {probe.src_ip} && {ip}.src == {target.ip} && eth.dst == {probe.src_mac}"
    kind = UNREACHABLE[ip] if target.protocol == "udp" else f"{target.protocol}.src == {target.port}"
    match = f"inport == {quoted(target.logical_port)} && {ends} && {kind}"
    yield Flow(LOOKUP, 110, match, "handle_svc_check(inport);")
