"""Destination look-up: which port, or which group of ports, a packet leaves by.

    l2_lkup      known unicast address → its port · broadcast and multicast → a flooding group · else ask the FDB
    l2_unknown   the FDB knew nothing → the ports that take `unknown`, or nobody

    _MC_flood      all ports          _MC_flood_l2   all but routers          _MC_unknown   those that take `unknown`

Reads Logical_Switch_Port.addresses, .enabled, options:force_fdb_lookup, pkt_clone_type.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import ANY, DROP, NEXT, OUTPUT, STAGE, Flow, Stage

feature = Feature()

LOOKUP, REST = STAGE["ls_in_l2_lkup"], STAGE["ls_in_l2_unknown"]


def to(port: str) -> str:
    """Send the packet there."""
    return f'outport = "{port}"; {OUTPUT}'


@feature.fills(LOOKUP)
def flood(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Packets for everybody, and those the FDB must decide about."""
    yield Flow(stage, 110, "eth.dst == $svc_monitor_mac && (tcp || icmp || icmp6)", "handle_svc_check(inport);")
    if not switch.arps_to_all_routers:
        yield Flow(stage, 72, "eth.mcast && (arp.op == 1 || nd_ns)", to("_MC_flood_l2"))
    yield Flow(stage, 72, "eth.mcast && (nd_na || nd_rs || nd_ra)", to("_MC_flood"))
    yield Flow(stage, 71, "eth.mcast && arp", to("_MC_flood"))
    yield Flow(stage, 70, "eth.mcast", to("_MC_flood_l2"))
    yield Flow(stage, 0, ANY, f"outport = get_fdb(eth.dst); {NEXT}")


@feature.fills(REST)
def unknown(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Flood what nobody is known to have, or drop it."""
    if switch.floods_unknown:
        yield Flow(stage, 50, 'outport == "none"', to("_MC_unknown"))
    else:
        yield Flow(stage, 50, 'outport == "none"', DROP, description="No L2 destination")
    yield Flow(stage, 0, ANY, OUTPUT)


@feature.serves(LOOKUP, when=lambda shape: shape.type != "external")
def deliver(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Each configured address leads to its port; a router's own to the port that leads there."""
    if port.linked:
        return
    actions = delivery(switch, port)
    if actions:
        for mac, _, _ in port.addresses:
            yield Flow(stage, 50, f"eth.dst == {mac}", actions)


def delivery(switch: Switch, port: Port) -> str:
    """What is to be done with packets to a port's addresses; nothing where the FDB is to decide."""
    if not port.shape.options:
        return f"outport = {port.name}; {OUTPUT}" if port.shape.enabled else DROP
    if port.options.get("force_fdb_lookup") == "true" and port.shape.unknown and port.row.type == "":
        return ""
    if not port.shape.enabled:
        return DROP
    if port.options.get("pkt_clone_type") == "mc_unknown" and switch.floods_unknown and port.row.type == "":
        return f"clone {{outport = {port.name}; {OUTPUT} }};{to('_MC_unknown')}"
    return f"outport = {port.name}; {OUTPUT}"


@feature.serves(REST, when=lambda shape: not shape.enabled and shape.type != "external")
def closed(switch: Switch, port: Port, stage: Stage) -> Iterator[Flow]:
    """Nothing reaches a disabled port by way of the FDB either."""
    yield Flow(stage, 50, f"outport == {port.name}", DROP, port.row.name)
