"""Logical ports of this chassis: how packets come in from a wire and go out to it.

0   in_port [vlan]      → zones, datapath, inport → 8
46  outport             → its zones → 47
47  back where it came from, unless that is allowed → drop
64  loopback allowed    → forget in_port, so that OVS sends it back
65  outport             → wire (through a VLAN tag), or the other side of a patch
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pyovn.controller import layout
from pyovn.controller.physical.steps import (
    FORGET_IN_PORT,
    FULL_MAC,
    FULL_METADATA,
    RESTORE_IN_PORT,
    SAVE_IN_PORT,
    Zones,
    clear_scratch,
    enter,
    flag,
    load_zones,
    outport,
    register,
    resubmit,
)
from pyovn.openflow.actions import (
    Action,
    Actions,
    Clone,
    CtClear,
    Output,
    PopVlan,
    PushVlan,
    SetField,
)
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import Match, match

DOT1Q: Final = 0x8100
DOT1AD: Final = 0x88A8

TO_SENDER: Final[Actions] = (SAVE_IN_PORT, FORGET_IN_PORT, resubmit(layout.LOG_TO_PHY), RESTORE_IN_PORT)
BACK: Final[Actions] = (resubmit(layout.INGRESS),)


@dataclass(frozen=True, slots=True)
class LogicalPort:
    """What every port of a local datapath has."""

    cookie: int
    datapath: int
    key: int
    zones: Zones

    def there(self, **more: int | tuple[int, int]) -> Match:
        """The match on packets whose output port this is."""
        return match(metadata=self.datapath, reg15=self.key, **more)

    def flow(self, table: int, priority: int, where: Match, actions: Actions) -> Flow:
        """A flow on behalf of this port."""
        return Flow(table, priority, where, actions, self.cookie)


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a port is attached: an OpenFlow port, perhaps a VLAN on it, and the encapsulation it asked for."""

    ofport: int
    vlan: int | None = None
    ethertype: int = DOT1Q
    encap: int = 0

    def around(self, steps: Actions) -> Actions:
        """`steps` done to the packet as the wire wants it."""
        if self.vlan is None:
            return steps
        vid = self.vlan | layout.VLAN_PRESENT
        tag = SetField("vlan_vid", vid, layout.VLAN_VID | layout.VLAN_PRESENT)
        return (PushVlan(self.ethertype), tag, *steps, PopVlan())


def common_flows(port: LogicalPort, *, nested: bool = False, parent: bool = False) -> Iterator[Flow]:
    """What leads to a local port, for all types; `nested` is a container, `parent` a port that has some."""
    yield port.flow(layout.LOCAL_OUTPUT, 100, port.there(), (*load_zones(port.zones), resubmit(layout.CHECK_LOOPBACK)))
    yield port.flow(layout.CHECK_LOOPBACK, 100, port.there(reg14=port.key, reg10=(0, layout.LOOPBACK)), ())
    allowed = {} if nested else {"reg10": (layout.LOOPBACK, layout.LOOPBACK)}
    yield port.flow(layout.SAVE_INPORT, 100, port.there(**allowed), TO_SENDER)
    if parent:
        from_container = (layout.NESTED_CONTAINER, layout.NESTED_CONTAINER)
        yield port.flow(layout.SAVE_INPORT, 100, port.there(reg10=from_container), TO_SENDER)


def interface_flows(port: LogicalPort, wire: Wire, *, localport: bool = False, nested: bool = False) -> Iterator[Flow]:
    """In and out of a VIF, a localport, or a container behind a VLAN of its parent."""
    arrive = enter(port.zones, port.datapath, port.key, wire.encap)
    if nested:
        where = match(in_port=wire.ofport, vlan_tci=_tagged(wire.vlan or 0))
        yield port.flow(layout.PHY_TO_LOG, 150, where, (flag(layout.NESTED_CONTAINER), PopVlan(), *arrive, *BACK))
    else:
        mark = (flag(layout.FROM_LOCALPORT),) if localport else ()
        yield port.flow(layout.PHY_TO_LOG, 100, match(in_port=wire.ofport), (*arrive, *mark, *BACK))
    yield port.flow(layout.LOG_TO_PHY, 100, port.there(), wire.around((Output(wire.ofport),)))


def copy_flows(port: LogicalPort, wire: Wire) -> Iterator[Flow]:
    """Out to the interface that gets a mirror's copies, even of what came in there; nothing comes in from it."""
    yield from common_flows(port, nested=True)
    yield port.flow(layout.LOG_TO_PHY, 100, port.there(), wire.around((Output(wire.ofport),)))


def bridged_flows(port: LogicalPort, wire: Wire) -> Iterator[Flow]:
    """In and out of a localnet or l2gateway port: a patch to a physical network."""
    arrive = (*enter(port.zones, port.datapath, port.key, wire.encap), *BACK)
    if wire.vlan is None:
        yield port.flow(layout.PHY_TO_LOG, 100, match(in_port=wire.ofport, vlan_tci=(0, layout.VLAN_PRESENT)), arrive)
        where = match(in_port=wire.ofport, vlan_tci=_tagged(0))
        yield port.flow(layout.PHY_TO_LOG, 100, where, (PopVlan(), *arrive))
    else:
        where = match(in_port=wire.ofport, vlan_tci=_tagged(wire.vlan))
        yield port.flow(layout.PHY_TO_LOG, 150, where, (PopVlan(), *arrive))
    yield port.flow(layout.LOG_TO_PHY, 100, port.there(), wire.around((Output(wire.ofport),)))


def localnet_guards(port: LogicalPort, external: Iterable[int] = ()) -> Iterator[Flow]:
    """What must not reach a physical network: a localport's packets, and those meant for this chassis only.

    `external` are the MACs of external ports this chassis answers for: their localport traffic may leave.
    """
    from_localport = (layout.FROM_LOCALPORT, layout.FROM_LOCALPORT)
    confined = (layout.LOCAL_ONLY, layout.LOCAL_ONLY | layout.OVERRIDE_LOCAL_ONLY)
    for restriction in (from_localport, confined):
        yield port.flow(layout.CHECK_LOOPBACK, 160, port.there(reg10=restriction), ())
    for mac in external:
        where = port.there(reg10=from_localport, eth_dst=mac)
        yield port.flow(layout.CHECK_LOOPBACK, 170, where, (*clear_scratch(), resubmit(layout.EGRESS)))


def patch_flows(port: LogicalPort, peer: LogicalPort) -> Iterator[Flow]:
    """Across a patch: the packet starts afresh as one that arrived at `peer`."""
    steps: tuple[Action, ...] = (
        CtClear(),
        register(layout.DNAT_ZONE, 0),
        register(layout.SNAT_ZONE, 0),
        SetField(layout.PORT_ZONE, 0, layout.ZONE_BITS),
        *load_zones(peer.zones),
        SetField(layout.DATAPATH, peer.datapath, FULL_METADATA),
        register(layout.INPORT, peer.key),
        register(layout.FLAGS, 0),
        outport(0),
        *clear_scratch(),
        *BACK,
    )
    yield port.flow(layout.LOG_TO_PHY, 100, port.there(), (Clone(steps),))


def via_localnet(port: LogicalPort, localnet_key: int) -> Flow:
    """A port elsewhere that the physical network reaches: out through this chassis' localnet port."""
    return port.flow(layout.LOCAL_OUTPUT, 100, port.there(), (outport(localnet_key), resubmit(layout.LOCAL_OUTPUT)))


def via_physical_network(port: LogicalPort, router_mac: int, switch: int, localnet_key: int) -> Flow:
    """A gateway elsewhere that the physical network of the switch behind it reaches: out there, from the router."""
    steps = (
        SetField("eth_src", router_mac, FULL_MAC),
        SetField(layout.DATAPATH, switch, FULL_METADATA),
        outport(localnet_key),
        resubmit(layout.LOG_TO_PHY),
    )
    return port.flow(layout.LOCAL_OUTPUT, 100, port.there(), steps)


def redirected(port: LogicalPort, distributed: LogicalPort) -> Flow:
    """A chassisredirect port that is active here: its packets belong to the distributed port."""
    steps = (
        outport(distributed.key),
        *load_zones(distributed.zones),
        FORGET_IN_PORT,
        resubmit(layout.CHECK_LOOPBACK),
    )
    return port.flow(layout.LOCAL_OUTPUT, 100, port.there(), steps)


def zone_lookup(port: LogicalPort) -> Flow:
    """A tunnelled "packet too big" re-enters its sender's pipeline with the sender's zones."""
    where = match(metadata=port.datapath, reg14=port.key)
    return port.flow(layout.CT_ZONE_LOOKUP, 100, where, (*load_zones(port.zones), *BACK))


def chassis_mac(port: LogicalPort, wire: Wire, router_mac: int, own_mac: int) -> Flow:
    """A distributed router's MAC never shows on the physical network: each chassis uses its own."""
    out = (Output(wire.ofport),)
    tagged = wire.around((*out, SetField("eth_src", router_mac, FULL_MAC)))
    return port.flow(
        layout.LOG_TO_PHY, 150, port.there(eth_src=router_mac), (SetField("eth_src", own_mac, FULL_MAC), *tagged)
    )


def restore_source(router_mac: int) -> SetField:
    """The router's MAC in place of a chassis'."""
    return SetField("eth_src", router_mac, FULL_MAC)


def _tagged(vlan: int) -> tuple[int, int]:
    return vlan | layout.VLAN_PRESENT, layout.VLAN_VID | layout.VLAN_PRESENT
