"""`NORMAL`: a bridge that behaves like a plain learning switch with VLANs.

access port   frames of its VLAN, untagged            trunk   all (or its) VLANs, tagged
known address → its port      unknown, broadcast, multicast → every other port of the VLAN
"""

from typing import Protocol

from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.frame import ETH_VLAN
from pyovn.vswitch.key import PLACES, VLAN, bits, get
from pyovn.vswitch.ports import CONFIG_DOWN, CONFIG_NO_FLOOD, CONFIG_NO_FWD, Port

_TCI = PLACES["vlan_tci"][0]
_TAGGED = 0x1000
#: frames to 01:80:c2:00:00:0x are for the bridge itself and are not forwarded (IEEE 802.1D)
_RESERVED = 0x0180C2000000
_CONSULTED = bits("eth_src", "eth_dst", "vlan_tci")


class Packet(Protocol):
    """What `normal` needs of a packet in translation."""

    bridge: Bridge
    in_port: int
    key: int

    def consult(self, mask: int) -> None:
        """Note that bits of the key were looked at."""

    def overwrite(self, value: int, mask: int) -> None:
        """Write bits of the key."""

    def learn_address(self, vlan: int, mac: int) -> None:
        """Note that `mac` sits on the packet's port."""

    def emit(self, number: int) -> None:
        """Send the packet to a port."""

    def say(self, line: str) -> None:
        """Tell the trace."""


def normal(packet: Packet) -> None:
    """Forward `packet` by its destination address."""
    bridge, key = packet.bridge, packet.key
    packet.consult(_CONSULTED)
    tci = get(key, "vlan_tci")
    source = bridge.ports.get(packet.in_port)
    vlan = source.vlans.enters(tci & 0xFFF, bool(tci & _TAGGED)) if source else tci & 0xFFF
    target = get(key, "eth_dst")
    if vlan is None:
        packet.say(" >> VLAN not allowed on input port, dropping")
        return
    if target & ~0xF == _RESERVED:
        packet.say(" >> reserved destination address, dropping")
        return
    packet.learn_address(vlan, get(key, "eth_src"))
    found = None if target >> 40 & 1 else bridge.fdb.port_of(vlan, target)
    if found is None:
        packet.say(" -> no learned MAC for destination, flooding")
        chosen = [port for port in flood_ports(bridge, all_ports=False) if port.vlans.carries(vlan) or not vlan]
    else:
        packet.say(" -> forwarding to learned port")
        chosen = [port for port in (bridge.ports.get(found),) if port is not None]
    for port in chosen:
        if port.ofport != packet.in_port:
            _send(packet, port, vlan, tci, key)


def _send(packet: Packet, port: Port, vlan: int, tci: int, key: int) -> None:
    """Send `packet` to `port` with the tag that the port's VLAN membership asks for."""
    if port.vlans.tags(vlan):
        tpid = get(key, "vlan_tpid") or ETH_VLAN
        packet.overwrite((tpid << 16 | _TAGGED | tci & 0xE000 | vlan) << _TCI, VLAN)
    elif tci & _TAGGED:
        packet.overwrite(0, VLAN)
    packet.emit(port.ofport)
    packet.overwrite(key & VLAN, VLAN)


def flood_ports(bridge: Bridge, *, all_ports: bool) -> list[Port]:
    """The ports that a flooded packet leaves by."""
    barred = CONFIG_DOWN | CONFIG_NO_FWD | (0 if all_ports else CONFIG_NO_FLOOD)
    return [port for _, port in sorted(bridge.ports.items()) if not port.config & barred]
