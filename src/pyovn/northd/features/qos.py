"""QoS rules: packets are marked, and more than a rate of them is dropped.

Reads QoS, Logical_Switch.qos_rules.  Limits of whole ports (`options:qos_max_rate` …) are in `shaping`.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow
from pyovn.tables.nb import QoS

feature = Feature()

STAGES = {"from-lport": STAGE["ls_in_qos"], "to-lport": STAGE["ls_out_qos"]}


@feature.qos
def treat(switch: Switch, row: QoS) -> Iterator[Flow]:
    """The rule: limit, then mark."""
    actions = ""
    if rate := row.bandwidth.get("rate"):
        burst = row.bandwidth.get("burst")
        actions = f"set_meter({rate}, {burst}); " if burst else f"set_meter({rate}); "
    if "dscp" in row.action:
        actions += f"ip.dscp = {row.action['dscp']}; "
    if "mark" in row.action:
        actions += f"pkt.mark = {row.action['mark']}; "
    yield Flow(STAGES[row.direction], row.priority, row.match, actions + NEXT)
