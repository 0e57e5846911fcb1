"""The action sequences that physical flows are made of.

enter(port)   zones, datapath, inport, encapsulation → the first ingress table
deliver(key)  outport, then the loopback check of the egress side
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.openflow.actions import Action, Actions, Pop, Push, Resubmit, SetField

WORD: Final = 0xFFFFFFFF
FULL_METADATA: Final = 0xFFFFFFFFFFFFFFFF
FULL_MAC: Final = 0xFFFFFFFFFFFF


class Zones(NamedTuple):
    """Conntrack zones a packet at one logical port uses; 0 where the port has none of that kind."""

    port: int
    dnat: int
    snat: int


NO_ZONES: Final = Zones(0, 0, 0)


#: `output` never sends a packet back where it came from; with no `in_port` it does.
FORGET_IN_PORT: Final = SetField("in_port", 0xFFFFFFFF, 0xFFFFFFFF)
SAVE_IN_PORT: Final = Push("in_port", 0, 16)
RESTORE_IN_PORT: Final = Pop("in_port", 0, 16)


def register(name: str, value: int) -> SetField:
    """A whole 32-bit register set to `value`."""
    return SetField(name, value, WORD)


def flag(bit: int, *, on: bool = True) -> SetField:
    """One flag bit of `reg10` set or cleared."""
    return SetField(layout.FLAGS, bit if on else 0, bit)


def resubmit(table: int) -> Resubmit:
    """Go on in `table`."""
    return Resubmit(table)


def load_port_zone(zone: int) -> SetField:
    """The logical port's own zone, beside the encapsulation in the same register."""
    return SetField(layout.PORT_ZONE, zone, layout.ZONE_BITS)


def load_zones(zones: Zones) -> tuple[Action, ...]:
    """The zones a packet at a port uses; kinds the port lacks keep what was there."""
    steps: list[Action] = []
    if zones.port:
        steps.append(load_port_zone(zones.port))
    if zones.dnat:
        steps.append(register(layout.DNAT_ZONE, zones.dnat))
    if zones.snat:
        steps.append(register(layout.SNAT_ZONE, zones.snat))
    return tuple(steps)


def enter(zones: Zones, datapath: int, key: int, encap: int = 0) -> tuple[Action, ...]:
    """What makes a packet one that has just arrived at a logical port."""
    return (
        *load_zones(zones),
        SetField(layout.DATAPATH, datapath, FULL_METADATA),
        register(layout.INPORT, key),
        SetField(layout.PORT_ZONE, encap << layout.ENCAP_SHIFT, layout.ENCAP_BITS),
    )


def outport(key: int) -> SetField:
    """The logical output port or multicast group."""
    return register(layout.OUTPORT, key)


def deliver(keys: Sequence[tuple[int, int]], restore: int) -> Actions:
    """A copy for every (port key, port zone), and the group key put back for what comes after."""
    steps: list[Action] = []
    for key, zone in keys:
        if zone:
            steps.append(load_port_zone(zone))
        steps += (outport(key), resubmit(layout.CHECK_LOOPBACK))
    return (*steps, outport(restore))


def clear_scratch() -> tuple[Action, ...]:
    """Every logical register back to 0."""
    return tuple(register(name, 0) for name in layout.SCRATCH)
