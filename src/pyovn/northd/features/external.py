"""External ports: machines on the physical network that one chassis serves as if they were its guests.

check_port_sec   what a localnet port brings from an external port's MAC is that port's
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port, of_type, quoted
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow, Stage

feature = Feature()


@feature.serves(STAGE["ls_in_check_port_sec"], when=of_type("external"))
def recognise(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Give the packet the input port it belongs to."""
    for localnet in switch.localnets:
        for mac, _, _ in port.addresses:
            match = f"inport == {quoted(localnet)} && eth.src == {mac}"
            yield Flow(stage, 75, match, f"flags.localnet = 1; inport = {port.name}; {NEXT}")
