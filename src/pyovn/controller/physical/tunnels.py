"""What crosses the wire between chassis, and how it becomes logical again.

    Geneve   VNI = datapath key (24)        option 0x0102/0x80: 0 | ingress key (15) | egress key (16)
    VXLAN    VNI = egress key (12) | datapath key (12); groups as 0x800 | low 11 bits; no ingress key

Hardware gateways (RAMP) put only the datapath key in a VXLAN VNI; what they send runs the ingress pipeline.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.physical.steps import FULL_METADATA, WORD, flag, resubmit
from pyovn.openflow.actions import Action, Actions, Move, SetField
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match

#: The Geneve option, and the code under which a switch maps it to one of its `tun_metadata` fields.
OPTION_CLASS: Final = 0x0102
OPTION_TYPE: Final = 0x80
OPTION_LENGTH: Final = 4

TUNNEL_KEY_BITS: Final = 0xFFFFFF
MULTICAST: Final = 0x8000
VXLAN_MULTICAST: Final = 0x800
VXLAN_MULTICAST_TUNNEL: Final = 0x800000

#: Preference between two chassis that have several in common.
TYPES: Final = {"geneve": 2, "vxlan": 1}
#: Bytes that a tunnel adds to a packet, its outer IP header excluded.
OVERHEAD: Final = {"geneve": 38, "vxlan": 30}
OUTER_IPV4: Final = 20
OUTER_IPV6: Final = 40


class Tunnel(NamedTuple):
    """A tunnel port of this bridge."""

    chassis: str
    type: str
    ofport: int
    local_ip: str
    remote_ip: str
    #: a hardware gateway is at the other end
    ramp: bool = False


def option_field(number: int) -> str:
    """The field in which the switch keeps the Geneve option."""
    return f"tun_metadata{number}"


def encapsulate(type_: str, datapath: int, key: int, option: str) -> Actions:
    """The tunnel header for a packet to `key`; what carries it out follows."""
    if type_ == "vxlan":
        short = VXLAN_MULTICAST | key & 0x7FF if key >= MULTICAST else key
        return (SetField("tun_id", short << 12 | datapath, TUNNEL_KEY_BITS),)
    return (
        SetField("tun_id", datapath, TUNNEL_KEY_BITS),
        SetField(option, key, WORD),
        Move(layout.INPORT, 0, option, 16, 15),
    )


def encapsulate_ramp(datapath: int) -> Actions:
    """The tunnel header a hardware gateway understands."""
    return (SetField("tun_id", datapath, TUNNEL_KEY_BITS),)


def arrivals(tunnel: Tunnel, option: str) -> Iterator[Flow]:
    """Packets from a tunnel: their metadata read, then on to local output."""
    unpack = _unpack(tunnel, option)
    local = resubmit(layout.LOCAL_OUTPUT)
    yield _flow(100, (*unpack, local), in_port=tunnel.ofport)
    if tunnel.type == "vxlan":
        yield _flow(105, (*_unpack_group(), local), in_port=tunnel.ofport, tun_id=_is_group())
    if tunnel.ramp:
        return
    too_big = (*unpack, local, flag(layout.TUNNEL_RX), resubmit(layout.CT_ZONE_LOOKUP))
    icmp = {"eth_type": layout.IPV4, "ip_proto": 1, "icmp_type": 3, "icmp_code": 4}
    icmp6 = {"eth_type": layout.IPV6, "ip_proto": 58, "icmpv6_type": 2, "icmpv6_code": 0}
    yield _flow(120, too_big, in_port=tunnel.ofport, **icmp)
    yield _flow(120, too_big, in_port=tunnel.ofport, **icmp6)


def ramp_arrivals(tunnel: Tunnel, datapath: int, key: int, cookie: int) -> Flow:
    """Packets a hardware gateway sends into one datapath, as if they came in at its vtep port."""
    steps = (
        SetField(layout.DATAPATH, datapath, FULL_METADATA),
        SetField(layout.INPORT, key, WORD),
        flag(layout.FROM_RAMP),
        resubmit(layout.INGRESS),
    )
    return _flow(110, steps, cookie=cookie, in_port=tunnel.ofport, tun_id=datapath)


def _unpack(tunnel: Tunnel, option: str) -> tuple[Action, ...]:
    if tunnel.type == "vxlan":
        return (Move("tun_id", 12, layout.OUTPORT, 0, 12), Move("tun_id", 0, layout.DATAPATH, 0, 12))
    return (
        Move("tun_id", 0, layout.DATAPATH, 0, 24),
        Move(option, 16, layout.INPORT, 0, 15),
        Move(option, 0, layout.OUTPORT, 0, 16),
        SetField(layout.TUNNEL_PORT, tunnel.ofport << 16, 0xFFFF0000),
    )


def _unpack_group() -> tuple[Action, ...]:
    return (
        SetField(layout.OUTPORT, MULTICAST, MULTICAST),
        Move("tun_id", 12, layout.OUTPORT, 0, 11),
        Move("tun_id", 0, layout.DATAPATH, 0, 12),
    )


def _is_group() -> tuple[int, int]:
    return VXLAN_MULTICAST_TUNNEL, VXLAN_MULTICAST_TUNNEL


def _flow(priority: int, actions: Actions, cookie: int = 0, **fields: int | tuple[int, int]) -> Flow:
    return Flow(layout.PHY_TO_LOG, priority, match(**fields), actions, cookie)
