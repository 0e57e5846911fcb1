"""Virtual ports: an address that several guests share, and that is where it was last announced from.

Reads Logical_Switch_Port.options:virtual-ip and virtual-parents of ports of type `virtual`.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import address6, is_address
from pyovn.northd.model.port import Port, of_type, quoted
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import NEXT, STAGE, Flow, Stage

feature = Feature()


@feature.serves(STAGE["ls_in_arp_rsp"], when=of_type("virtual"))
def bind(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Move the port to the parent that announces its address."""
    ip = port.options.get("virtual-ip")
    if ip is None or not is_address(ip):
        return
    for parent in port.parents:
        match = f"inport == {quoted(parent)} && {announces(ip)}"
        yield Flow(stage, 100, match, f"bind_vport({port.name}, inport); {NEXT}", parent)


def announces(ip: str) -> str:
    """Does the packet tell the world that its sender has `ip`?"""
    if ":" in ip:
        asks = f"nd_ns && ip6.dst == {{{ip}, {address6(ip).group}}} && nd.target == {ip}"
        return f"(({asks}) ||(nd_na && nd.target == {ip}))"
    return f"((arp.op == 1 && arp.spa == {ip} && arp.tpa == {ip}) || (arp.op == 2 && arp.spa == {ip}))"
