"""Health checks: the addresses that probes come from are answered for, so that what is probed can reply.

The replies are for `svc_monitor_mac`; `lookup` hands them to the controller.  Reads Load_Balancer.health_check,
.ip_port_mappings, Logical_Switch_Port.health_checks.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import STAGE, Flow

feature = Feature()

RESPOND = STAGE["ls_in_arp_rsp"]
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
