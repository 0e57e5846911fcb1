"""External ports: machines on the physical network that one chassis serves as if they were its guests.

check_port_sec   what a localnet port brings from an external port's MAC is that port's
external_port    other chassis leave it to that one what the port sends to routers
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import Addresses
from pyovn.northd.model.port import Port, of_type, quoted
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import DROP, NEXT, STAGE, Flow, Stage

feature = Feature()

ARP, ND = "Drop ARP for unknown router ports", "Drop ND for unbound router ports"
OTHER = "Packet does not come from a chassis resident"


@feature.serves(STAGE["ls_in_check_port_sec"], when=of_type("external"))
def recognise(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Give the packet the input port it belongs to."""
    for localnet in switch.localnets:
        for mac, _, _ in port.addresses:
            match = f"inport == {quoted(localnet)} && eth.src == {mac}"
            yield Flow(stage, 75, match, f"flags.localnet = 1; inport = {port.name}; {NEXT}")


@feature.outside
def leave_alone(switch: Switch, port: Port, router: Addresses) -> Iterator[Flow]:
    """Elsewhere, drop what an external port wants of a router."""
    if not switch.localnets:
        return
    stage, tag = STAGE["ls_in_external_port"], switch.localnets[0]
    elsewhere = f"!is_chassis_resident({port.name})"
    for mac, _, _ in port.addresses:
        comes = f"inport == {port.name} && eth.src == {mac}"
        for ip4 in router.ip4:
            asked = f"arp.tpa == {ip4} && arp.op == 1"
            yield Flow(stage, 100, f"{comes} && {elsewhere} && {asked}", DROP, tag, description=ARP)
        for ip6, group in router.ip6:
            asked = f"nd_ns && ip6.dst == {{{ip6}, {group}}} && nd.target == {ip6}"
            yield Flow(stage, 100, f"{comes} && {elsewhere} && {asked}", DROP, tag, description=ND)
        yield Flow(stage, 100, f"{comes} && eth.dst == {router.mac} && {elsewhere}", DROP, tag, description=OTHER)
