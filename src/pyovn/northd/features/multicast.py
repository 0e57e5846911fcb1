"""Multicast: where packets for IP groups go, with or without snooping.

    snooping      membership reports go to the controller · link-local groups are flooded · others only to members
    no snooping   all groups are flooded

Ports may ask for all multicast (`mcast_flood`, the group _MC_static).
Reads other_config:mcast_snoop, mcast_flood_unregistered; Logical_Switch_Port.options:mcast_flood.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import ip_of
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import DROP, OUTPUT, STAGE, Flow, Stage

feature = Feature()

TO_STATIC = f'clone {{ outport = "_MC_static"; {OUTPUT} }}; '
TO_ROUTERS = f'clone {{ outport = "_MC_mrouter_flood"; {OUTPUT} }}; '
TO_STATIC_TOO = f'clone {{ outport ="_MC_static"; {OUTPUT} }};'
TO_ALL = f'outport = "_MC_flood"; {OUTPUT}'
TO_PORTS = f'outport = "_MC_flood_l2"; {OUTPUT}'


@feature.fills(STAGE["ls_in_l2_lkup"])
def flood(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Groups that nobody keeps track of."""
    routers = TO_ROUTERS if switch.relayed else ""
    yield Flow(stage, 71, "eth.mcast && ip", routers + (TO_STATIC if switch.has_static else "") + TO_PORTS)


@feature.fills(STAGE["ls_in_l2_lkup"])
def snoop(switch: Switch, stage: Stage) -> Iterator[Flow]:
    """Learn who is in which group, and keep groups from those who are not."""
    if not switch.snoops:
        return
    for reports in ("igmp", "(mldv1 || mldv2)"):
        yield Flow(stage, 100, f"flags.igmp_loopback == 0 && {reports}", "igmp;")
    yield Flow(stage, 85, "ip4.mcast && ip4.dst == 224.0.0.0/24", TO_PORTS)
    yield Flow(stage, 85, "ip6.mcast_flood", TO_ALL)
    if not switch.floods_unregistered:
        routers = TO_ROUTERS if switch.relayed else ""
        others = f'outport ="_MC_static"; {OUTPUT}' if switch.has_static else "" if switch.relayed else DROP
        actions = routers + others
        yield Flow(stage, 80, "ip4.mcast || ip6.mcast", actions)


@feature.heard
def listeners(switch: Switch, address: str) -> Iterator[Flow]:
    """To those who listen, and to those who get all multicast."""
    version = ip_of(address)
    before = (TO_ROUTERS.strip() if switch.relayed else "") + (TO_STATIC_TOO if switch.has_static else "")
    match = f"eth.mcast && {version} && {version}.dst == {address} "
    yield Flow(STAGE["ls_in_l2_lkup"], 90, match, f'{before}outport = "{address}"; {OUTPUT} ')
