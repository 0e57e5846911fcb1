"""DNS: the network itself answers for names that it knows.

    dns_lookup       a query is paused; the controller makes an answer of it if it knows the name: reg0[4]
    dns_response     the answer goes back to where the query came from
    acl_eval (out)   and passes whatever ACLs say

Reads Logical_Switch.dns_records, DNS.records.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow, Stage

feature = Feature()

ANSWERED = "reg0[4]"
QUERY = "udp.dst == 53"
BACK = "udp.dst = udp.src; udp.src = 53; outport = inport; flags.loopback = 1; output;"


@feature.fills(STAGE["ls_in_dns_lookup"])
def look_up(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Have an answer made of the query."""
    if switch.resolves:
        yield Flow(stage, 100, QUERY, f"{ANSWERED} = dns_lookup(); {NEXT}")


@feature.fills(STAGE["ls_in_dns_response"])
def send_back(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Return the answer."""
    for ip in ("ip4", "ip6") if switch.resolves else ():
        swapped = f"eth.dst <-> eth.src; {ip}.src <-> {ip}.dst;"
        yield Flow(stage, 100, f"{QUERY} && {ANSWERED}", f"{swapped} {BACK}")


@feature.fills(STAGE["ls_out_acl_eval"])
def let_through(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """No ACL keeps the answer from the guest."""
    if switch.resolves:
        commit = "ct_commit; " if switch.tracks else ""
        yield Flow(stage, 34000, "flags.from_ctrl && udp.src == 53", f"reg8[16] = 1; {commit}{NEXT}")
