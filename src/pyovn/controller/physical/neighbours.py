"""What the network has learned: MAC_Binding, Static_MAC_Binding and FDB rows as look-up tables.

66  (router port, IP)       → eth.dst, found        79  used by its owner: counts only, for ageing
67  (router port, IP, MAC)  → found
71  (switch, MAC)           → outport               72  (switch, MAC, inport) → found
"""

from collections.abc import Iterator
from typing import Final

from pyovn.controller import layout
from pyovn.controller.physical import balancers
from pyovn.controller.physical.steps import FULL_MAC, flag, outport
from pyovn.openflow.actions import SetField
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match

LEARNED: Final = 100
#: A static binding wins over learned ones only when it says so.
STATIC: Final = 50
STATIC_OVERRIDING: Final = 150
ARP_REPLY: Final = 2
FOUND: Final = flag(layout.MAC_FOUND)


def binding_flows(
    datapath: int, key: int, address: tuple[int, int], mac: int, *, priority: int, cookie: int
) -> Iterator[Flow]:
    """Look-ups of one neighbour; `address` is (version, value)."""
    version, value = address
    target = _registers(version, value, "reg0", "xxreg1")
    where = match(metadata=datapath, reg15=key, **target)
    yield Flow(layout.MAC_BINDING, priority, where, (SetField("eth_dst", mac, FULL_MAC), FOUND), cookie)
    known = _registers(version, value, "reg0", "xxreg0")
    asked = {"eth_type": layout.ARP} if version == 4 else {"eth_type": layout.IPV6, "ip_proto": 58, "icmpv6_code": 0}
    where = match(metadata=datapath, reg14=key, eth_src=mac, **known, **asked)
    yield Flow(layout.MAC_LOOKUP, priority, where, (FOUND,), cookie)


def usage_flows(datapath: int, key: int, address: tuple[int, int], mac: int, cookie: int) -> Iterator[Flow]:
    """Packets that prove a learned neighbour is still there."""
    version, value = address
    field, eth_type = ("ip_src", layout.IPV4) if version == 4 else ("ipv6_src", layout.IPV6)
    sender = {"metadata": datapath, "reg14": key, "eth_src": mac}
    yield Flow(layout.MAC_CACHE_USE, LEARNED, match(eth_type=eth_type, **{field: value}, **sender), (), cookie)
    if version == 4:
        where = match(eth_type=layout.ARP, arp_op=ARP_REPLY, arp_spa=value, **sender)
        yield Flow(layout.MAC_CACHE_USE, LEARNED, where, (), cookie)


def forwarding_flows(datapath: int, mac: int, key: int, *, beside_localnet: bool, cookie: int) -> Iterator[Flow]:
    """Look-ups of one learned station behind port `key`."""
    yield Flow(layout.GET_FDB, LEARNED, match(metadata=datapath, eth_dst=mac), (outport(key),), cookie)
    found = (flag(layout.FDB_FOUND),)
    yield Flow(layout.LOOKUP_FDB, LEARNED, match(metadata=datapath, eth_src=mac, reg14=key), found, cookie)
    if beside_localnet:
        where = match(metadata=datapath, eth_src=mac, reg10=(layout.LOCALNET, layout.LOCALNET))
        yield Flow(layout.LOOKUP_FDB, LEARNED, where, found, cookie)


def _registers(version: int, value: int, narrow: str, wide: str) -> dict[str, int]:
    """The address in the registers a look-up action puts it in."""
    return {narrow: value} if version == 4 else balancers.wide(wide, value)
