"""Forwarding groups: an address of its own for several ports of a switch, among which its packets are spread.

Reads Forwarding_Group, Logical_Switch.forwarding_groups.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import quoted
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import STAGE, Flow
from pyovn.tables.nb import ForwardingGroup

feature = Feature()

ANSWER = (
    "eth.dst = eth.src; eth.src = {mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = {mac}; "
    "arp.tpa = arp.spa; arp.spa = {ip}; outport = inport; flags.loopback = 1; output;"
)


@feature.forwarding
def answer(switch: Switch, row: ForwardingGroup) -> Iterator[Flow]:
    """Say who has the address."""
    asked = f"arp.tpa == {row.vip} && arp.op == 1"
    yield Flow(STAGE["ls_in_arp_rsp"], 50, asked, ANSWER.format(mac=row.vmac, ip=row.vip))


@feature.forwarding
def spread(switch: Switch, row: ForwardingGroup) -> Iterator[Flow]:
    """Choose a port; with `liveness`, one behind a tunnel that is alive."""
    liveness = 'liveness="true",' if row.liveness else ""
    ports = ",".join(quoted(name) for name in sorted(row.child_port))
    yield Flow(STAGE["ls_in_l2_lkup"], 50, f"eth.dst == {row.vmac}", f"fwd_group({liveness}childports={ports});")
