"""Admission and port security: which packets may enter a switch, and leave it for a port.

    check_port_sec   is the packet sane, and may its port send it?  → reg0[15] = 1 if not
    apply_port_sec   drop what may not pass

The rules of `port_security` itself are compiled by the controller of the chassis that has the port; here is only the
question.  Packets too big for a tunnel come back as ICMP errors "from" the tunnel and go to whoever sent the original.
Reads Logical_Switch_Port.enabled, .type, .addresses; other_config:vlan-passthru.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import ANY, DROP, NEXT, OUTPUT, STAGE, Flow, Stage

feature = Feature()

CHECK = STAGE["ls_in_check_port_sec"]
TOO_BIG = "((ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && icmp6.code == 0))"
FROM_TUNNEL = "flags.tunnel_rx == 1"
VIOLATION = "reg0[15]"  #: port security objects


@feature.fills(CHECK)
def sanity(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Drop what no port may send, and ask port security about the rest."""
    yield Flow(stage, 105, f"{TOO_BIG} && {FROM_TUNNEL}", DROP, description="ICMP: packet too big")
    if not switch.passes_vlans:
        why = "VLANs blocked due to vlan-passthru option"
        yield Flow(stage, 100, "vlan.present", DROP, description=why)
    why = "Incoming Broadcast/multicast sourceaddress is invalid"
    yield Flow(stage, 100, "eth.src[40]", DROP, description=why)
    yield Flow(stage, 50, ANY, f"{VIOLATION} = check_in_port_sec(); {NEXT}")


@feature.fills(STAGE["ls_in_apply_port_sec"])
def apply_inbound(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Drop violations at the door."""
    why = "Broadcast/multicast port security invalid"
    yield Flow(stage, 50, f"{VIOLATION} == 1", DROP, description=why)


@feature.fills(STAGE["ls_out_check_port_sec"])
def check_outbound(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Ask port security of the destination, except about packets for everybody."""
    yield Flow(stage, 100, "eth.mcast", f"{VIOLATION} = 0; {NEXT}")
    yield Flow(stage, 0, ANY, f"{VIOLATION} = check_out_port_sec(); {NEXT}")


@feature.fills(STAGE["ls_out_apply_port_sec"])
def apply_outbound(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Deliver what the destination may receive."""
    why = "Packet does not follow port security rules"
    yield Flow(stage, 50, f"{VIOLATION} == 1", DROP, description=why)
    yield Flow(stage, 0, ANY, OUTPUT)


@feature.serves(CHECK, when=lambda shape: not shape.enabled and shape.type != "external")
def disabled(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Whatever a disabled port sends is a violation."""
    yield Flow(stage, 100, f"inport == {port.name}", f"{VIOLATION} = 1; {NEXT}", port.row.name)


@feature.serves(CHECK, when=lambda shape: shape.enabled and shape.type == "router")
def from_router(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Routers need no port security; later stages want to know that one sent the packet."""
    yield Flow(stage, 70, f"inport == {port.name}", f"reg0[18] = 1; {NEXT}", port.row.name)


@feature.serves(CHECK, when=lambda shape: shape.type != "router")
def too_big(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Hand an ICMP error about a tunnelled packet back to the port that sent it."""
    name = port.name
    for mac, _, _ in port.addresses:
        match = f"{TOO_BIG} && eth.src == {mac} && outport == {name} && !is_chassis_resident({name}) && {FROM_TUNNEL}"
        yield Flow(stage, 110, match, f"outport <-> inport; {NEXT}")
