"""The flow key: everything a packet can be matched on, packed into one integer.

    bit 0                                                                        …
    ├ in_port ┼ eth_src eth_dst ┼ eth_type ┼ vlan ┼ IPv4/ARP ┼ L4 ┼ metadata ┼ reg3 reg2 reg1 reg0 … ┼ ct ┼ tun ┼ IPv6 …

A match is then a pair of integers (mask, value), looking a packet up in a subtable is `key & mask`, and the set of
bits a translation has consulted is one more integer.  Python ints are as long as their highest set bit, so what is
rare (IPv6, tunnel options) sits on top.  Fields that share header bytes share bits: `tcp_src`, `udp_src` and
`icmp_type` are one slot, as are `ip_src` and `arp_spa`; `xxreg0` spans `reg0`–`reg3` with `reg0` most significant.
"""

from functools import lru_cache

from pyovn.openflow.fields import FIELDS
from pyovn.openflow.match import Match

ONES32 = (1 << 32) - 1

#: width of one Geneve option slot: 124 bytes, the largest an option can be
TUN_METADATA_BITS = 992
TUN_METADATA_FIELDS = 64

_REGISTERS = tuple((f"reg{group * 4 + index}", 32) for group in range(4) for index in (3, 2, 1, 0))

#: (slot, bits) from bit 0 upwards; neighbours that are read from a frame together stand together
SLOTS: tuple[tuple[str, int], ...] = (
    ("in_port", 32),
    ("eth_src", 48), ("eth_dst", 48), ("eth_type", 16),
    ("vlan_tci", 16), ("vlan_tpid", 16), ("vlan2_tci", 16), ("vlan2_tpid", 16),
    ("ip_dst", 32), ("ip_src", 32),
    ("ip_proto", 16), ("ip_tos", 8), ("ip_ttl", 8), ("ip_frag", 8),
    ("tp_dst", 16), ("tp_src", 16), ("tcp_flags", 16),
    ("metadata", 64), *_REGISTERS,
    ("ct_state", 32), ("ct_zone", 16), ("ct_mark", 32), ("ct_label", 128),
    ("ct_nw_proto", 8), ("ct_tp_dst", 16), ("ct_tp_src", 16), ("ct_nw_dst", 32), ("ct_nw_src", 32),
    ("pkt_mark", 32), ("conj_id", 32), ("recirc_id", 32), ("skb_priority", 32), ("actset_output", 32),
    ("tun_id", 64), ("tun_dst", 32), ("tun_src", 32), ("tun_flags", 16), ("tun_ttl", 8), ("tun_tos", 8),
    ("ipv6_dst", 128), ("ipv6_src", 128), ("ipv6_label", 32), ("nd_target", 128),
    ("arp_sha", 48), ("arp_tha", 48), ("nd_reserved", 32), ("nd_options_type", 8),
    ("ct_ipv6_dst", 128), ("ct_ipv6_src", 128), ("tun_ipv6_dst", 128), ("tun_ipv6_src", 128),
)  # fmt: skip


def _places() -> dict[str, tuple[int, int]]:
    """Bit offset and width of every slot."""
    places, offset = {}, 0
    for name, bits in SLOTS:
        places[name] = (offset, bits)
        offset += bits
    for index in range(TUN_METADATA_FIELDS):
        places[f"tun_metadata{index}"] = (offset + index * TUN_METADATA_BITS, TUN_METADATA_BITS)
    offset += TUN_METADATA_FIELDS * TUN_METADATA_BITS
    for name, field in FIELDS.items():
        if name not in places and name not in _PARTS and not name.startswith(("xreg", "xxreg")):
            places[name] = (offset, field.width)
            offset += field.width
    return places


#: fields that are another slot under a second name
_SHARED = {
    "arp_spa": "ip_src", "arp_tpa": "ip_dst", "arp_op": "ip_proto", "nd_sll": "arp_sha", "nd_tll": "arp_tha",
    "tcp_src": "tp_src", "udp_src": "tp_src", "sctp_src": "tp_src", "icmp_type": "tp_src", "icmpv6_type": "tp_src",
    "tcp_dst": "tp_dst", "udp_dst": "tp_dst", "sctp_dst": "tp_dst", "icmp_code": "tp_dst", "icmpv6_code": "tp_dst",
}  # fmt: skip
#: field -> (slot, lowest bit, bits): fields that are some bits of a slot
_PARTS = {name: (slot, 0, FIELDS[name].width) for name, slot in _SHARED.items()} | {
    "ip_proto": ("ip_proto", 0, 8), "tcp_flags": ("tcp_flags", 0, 12), "ip_ecn": ("ip_tos", 0, 2),
    "ip_dscp": ("ip_tos", 2, 6), "ip_frag": ("ip_frag", 0, 2), "ipv6_label": ("ipv6_label", 0, 20),
    "vlan_vid": ("vlan_tci", 0, 13), "vlan_pcp": ("vlan_tci", 13, 3),
}  # fmt: skip


def _aliases(places: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Bit offset and width of every field that is a part of a slot, or a span of slots."""
    found = {name: (places[slot][0] + low, width) for name, (slot, low, width) in _PARTS.items()}
    found |= {f"xreg{n}": (places[f"reg{2 * n + 1}"][0], 64) for n in range(8)}
    found |= {f"xxreg{n}": (places[f"reg{4 * n + 3}"][0], 128) for n in range(4)}
    return found


_SLOT_PLACES = _places()
#: field or slot -> (offset, bits)
PLACES: dict[str, tuple[int, int]] = _SLOT_PLACES | _aliases(_SLOT_PLACES)


def bits(*fields: str) -> int:
    """The mask that covers `fields` wholly."""
    mask = 0
    for field in fields:
        offset, width = PLACES[field]
        mask |= ((1 << width) - 1) << offset
    return mask


def get(key: int, field: str) -> int:
    """The value of `field` in `key`."""
    offset, width = PLACES[field]
    return key >> offset & (1 << width) - 1


def put(key: int, field: str, value: int) -> int:
    """`key` with `field` set to `value`."""
    offset, width = PLACES[field]
    return key & ~(((1 << width) - 1) << offset) | value << offset


def place(field: str, value: int) -> int:
    """`value` at the position of `field` in a key that is otherwise zero."""
    return value << PLACES[field][0]


@lru_cache(maxsize=65536)
def compiled(match: Match) -> tuple[int, int]:
    """`match` as (mask, value) over keys."""
    mask = value = 0
    for field, wanted, cover in match:
        offset = PLACES[field][0]
        mask |= cover << offset
        value |= wanted << offset
    return mask, value


_REGS = tuple(f"reg{n}" for n in range(16))
_TUNNEL = (
    "tun_id", "tun_src", "tun_dst", "tun_flags", "tun_ttl", "tun_tos", "tun_ipv6_src", "tun_ipv6_dst",
    *(f"tun_metadata{n}" for n in range(TUN_METADATA_FIELDS)),
)  # fmt: skip
#: conntrack's verdict on the packet
CT = bits(*(name for name, _ in SLOTS if name.startswith("ct_")))
#: the original tuple as conntrack reports it
CT_TUPLE = bits("ct_nw_proto", "ct_nw_src", "ct_nw_dst", "ct_tp_src", "ct_tp_dst", "ct_ipv6_src", "ct_ipv6_dst")
TUNNEL = bits(*_TUNNEL)
#: state that lives only while a packet is in the pipeline
PIPELINE = bits("in_port", "metadata", *_REGS, "pkt_mark", "conj_id", "recirc_id", "skb_priority", "actset_output")
REGISTERS = bits(*_REGS)
LINK = bits("eth_src", "eth_dst", "eth_type", "vlan_tci", "vlan_tpid", "vlan2_tci", "vlan2_tpid")
VLAN = bits("vlan_tci", "vlan_tpid", "vlan2_tci", "vlan2_tpid")
NETWORK = bits("ip_src", "ip_dst", "ip_proto", "ip_tos", "ip_ttl", "ip_frag", "ipv6_src", "ipv6_dst", "ipv6_label")
TRANSPORT = bits("tp_src", "tp_dst", "tcp_flags", "nd_target", "arp_sha", "arp_tha", "nd_reserved", "nd_options_type")
#: what is read from the frame itself
FRAME = LINK | NETWORK | TRANSPORT
#: what identifies a transport connection
FIVE_TUPLE = bits("ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "ip_proto", "tp_src", "tp_dst", "eth_type")
