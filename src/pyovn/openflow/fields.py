"""The fields that flows match and actions write: one table.

    name        the internal name, used by lang, controller, vswitch and trace
    text        the name in `ovs-ofctl` matches (`dl_src`, `nw_dst`, `tp_src` forms are its aliases)
    nxm         the name in `move:`, `load:`, `push:` and `learn(…)`
    oxm         (class, number[, experimenter]) as Open vSwitch 3 writes it in OpenFlow 1.5
    also        other code points that mean the same field on input

The order of the table is the canonical order of a `Match` and satisfies OpenFlow's rule that a field
follows its prerequisites.  Facts: ovs-fields(7).
"""

from typing import NamedTuple

NXM_OF, NXM_NX, ERIC, OXM_OF, PKT_REG, EXPERIMENTER = 0, 1, 0x1000, 0x8000, 0x8001, 0xFFFF
NX_VENDOR, ONF_VENDOR, NSH_VENDOR = 0x00002320, 0x4F4E4600, 0x005AD650

ETH_IP4, ETH_ARP, ETH_RARP, ETH_IP6, ETH_VLAN, ETH_QINQ = 0x0800, 0x0806, 0x8035, 0x86DD, 0x8100, 0x88A8


class Field(NamedTuple):
    """One field."""

    name: str
    #: significant bits
    width: int
    #: arbitrary bitwise masks are allowed
    maskable: bool
    #: how its values are written: "hex" "decimal" "mac" "ip4" "ip6" "port" "frag" "ct_state" "tcp_flags" "tun_flags"
    #: "packet_type"
    form: str
    #: class, number and experimenter id (0: none)
    oxm: tuple[int, int, int]
    #: what a match must have already: "" or a key of `PREREQUISITES`
    prerequisite: str
    #: actions may write it
    writable: bool
    text: str
    nxm: str
    #: more code points that mean this field
    also: tuple[tuple[int, int, int], ...] = ()
    #: place in the table
    order: int = 0

    @property
    def size(self) -> int:
        """Bytes of its value on the wire."""
        return _WIRE_SIZE.get(self.name) or (self.width + 7) // 8

    @property
    def full(self) -> int:
        """The mask of an exact match."""
        return (1 << self.width) - 1


#: Fields whose value travels in more bytes than its significant bits need.
_WIRE_SIZE = {"ipv6_label": 4, "mpls_label": 4, "tun_erspan_idx": 4, "nsh_spi": 4, "vlan_vid": 2}

#: prerequisite → what it means, as ((field, value), …) alternatives
PREREQUISITES: dict[str, tuple[tuple[tuple[str, int], ...], ...]] = {
    "vlan": ((("vlan_tci", 0x1000),),),
    "ip4": ((("eth_type", ETH_IP4),),),
    "ip6": ((("eth_type", ETH_IP6),),),
    "ip": ((("eth_type", ETH_IP4),), (("eth_type", ETH_IP6),)),
    "arp": ((("eth_type", ETH_ARP),), (("eth_type", ETH_RARP),)),
    "mpls": ((("eth_type", 0x8847),), (("eth_type", 0x8848),)),
    "nsh": ((("eth_type", 0x894F),),),
    "tcp": ((("ip_proto", 6),),),
    "udp": ((("ip_proto", 17),),),
    "sctp": ((("ip_proto", 132),),),
    "icmp4": ((("eth_type", ETH_IP4), ("ip_proto", 1)),),
    "icmp6": ((("eth_type", ETH_IP6), ("ip_proto", 58)),),
    "nd": ((("icmpv6_type", 135), ("icmpv6_code", 0)), (("icmpv6_type", 136), ("icmpv6_code", 0))),
    "nd_ns": ((("icmpv6_type", 135), ("icmpv6_code", 0)),),
    "nd_na": ((("icmpv6_type", 136), ("icmpv6_code", 0)),),
    "ct": ((),),
}

RW, RO = True, False
MASK, EXACT = True, False
_REG = range(16)


def _nx(number: int) -> tuple[int, int, int]:
    return NXM_NX, number, 0


def _nxm(number: int) -> tuple[int, int, int]:
    return NXM_OF, number, 0


def _of(number: int) -> tuple[int, int, int]:
    return OXM_OF, number, 0


def _et(number: int) -> tuple[int, int, int]:
    return EXPERIMENTER, number, NX_VENDOR


def _onf(number: int) -> tuple[int, int, int]:
    return EXPERIMENTER, number, ONF_VENDOR


# fmt: off
_TABLE: tuple[Field, ...] = (
    Field("conj_id",      32, EXACT, "decimal", _nx(37), "", RO, "conj_id", "NXM_NX_CONJ_ID"),
    Field("recirc_id",    32, EXACT, "decimal", _nx(36), "", RO, "recirc_id", "NXM_NX_RECIRC_ID"),
    Field("dp_hash",      32, MASK,  "hex", _nx(35), "", RO, "dp_hash", "NXM_NX_DP_HASH"),
    Field("packet_type",  32, EXACT, "packet_type", _of(44), "", RO, "packet_type", "OXM_OF_PACKET_TYPE"),
    Field("in_port",      32, EXACT, "port", _of(0), "", RW, "in_port", "OXM_OF_IN_PORT", (_nxm(0),)),
    Field("actset_output", 32, EXACT, "port", _of(43), "", RO, "actset_output", "OXM_OF_ACTSET_OUTPUT",
          (_onf(43),)),
    Field("tun_id",       64, MASK,  "hex", _of(38), "", RW, "tun_id", "NXM_NX_TUN_ID", (_nx(16),)),
    Field("tun_src",      32, MASK,  "ip4", _nx(31), "", RW, "tun_src", "NXM_NX_TUN_IPV4_SRC"),
    Field("tun_dst",      32, MASK,  "ip4", _nx(32), "", RW, "tun_dst", "NXM_NX_TUN_IPV4_DST"),
    Field("tun_ipv6_src", 128, MASK, "ip6", _nx(109), "", RW, "tun_ipv6_src", "NXM_NX_TUN_IPV6_SRC"),
    Field("tun_ipv6_dst", 128, MASK, "ip6", _nx(110), "", RW, "tun_ipv6_dst", "NXM_NX_TUN_IPV6_DST"),
    Field("tun_gbp_id",   16, MASK,  "decimal", _nx(38), "", RW, "tun_gbp_id", "NXM_NX_TUN_GBP_ID"),
    Field("tun_gbp_flags", 8, MASK,  "hex", _nx(39), "", RW, "tun_gbp_flags", "NXM_NX_TUN_GBP_FLAGS"),
    Field("tun_erspan_idx", 20, MASK, "hex", _et(11), "", RW, "tun_erspan_idx", "NXOXM_ET_ERSPAN_IDX"),
    Field("tun_erspan_ver", 4, MASK, "decimal", _et(12), "", RW, "tun_erspan_ver", "NXOXM_ET_ERSPAN_VER"),
    Field("tun_erspan_dir", 1, MASK, "decimal", _et(13), "", RW, "tun_erspan_dir", "NXOXM_ET_ERSPAN_DIR"),
    Field("tun_erspan_hwid", 6, MASK, "hex", _et(14), "", RW, "tun_erspan_hwid", "NXOXM_ET_ERSPAN_HWID"),
    Field("tun_gtpu_flags", 8, MASK, "hex", _et(15), "", RO, "tun_gtpu_flags", "NXOXM_ET_GTPU_FLAGS"),
    Field("tun_gtpu_msgtype", 8, MASK, "decimal", _et(16), "", RO, "tun_gtpu_msgtype", "NXOXM_ET_GTPU_MSGTYPE"),
    *(Field(f"tun_metadata{i}", 32, MASK, "hex", _nx(40 + i), "", RW, f"tun_metadata{i}", f"NXM_NX_TUN_METADATA{i}")
      for i in range(64)),
    Field("tun_flags",    16, MASK,  "tun_flags", _nx(104), "", RW, "tun_flags", "NXM_NX_TUN_FLAGS"),
    Field("metadata",     64, MASK,  "hex", _of(2), "", RW, "metadata", "OXM_OF_METADATA"),
    *(Field(f"reg{i}",    32, MASK,  "hex", _nx(i), "", RW, f"reg{i}", f"NXM_NX_REG{i}") for i in _REG),
    *(Field(f"xreg{i}",   64, MASK,  "hex", (PKT_REG, i, 0), "", RW, f"xreg{i}", f"OXM_OF_PKT_REG{i}")
      for i in range(8)),
    *(Field(f"xxreg{i}",  128, MASK, "hex", _nx(111 + i), "", RW, f"xxreg{i}", f"NXM_NX_XXREG{i}") for i in range(4)),
    Field("pkt_mark",     32, MASK,  "hex", _nx(33), "", RW, "pkt_mark", "NXM_NX_PKT_MARK"),
    Field("ct_state",     32, MASK,  "ct_state", _nx(105), "", RO, "ct_state", "NXM_NX_CT_STATE"),
    Field("ct_zone",      16, EXACT, "hex", _nx(106), "", RO, "ct_zone", "NXM_NX_CT_ZONE"),
    Field("ct_mark",      32, MASK,  "hex", _nx(107), "", RW, "ct_mark", "NXM_NX_CT_MARK"),
    Field("ct_label",     128, MASK, "hex", _nx(108), "", RW, "ct_label", "NXM_NX_CT_LABEL"),
    Field("eth_src",      48, MASK,  "mac", _of(4), "", RW, "dl_src", "NXM_OF_ETH_SRC", (_nxm(2),)),
    Field("eth_dst",      48, MASK,  "mac", _of(3), "", RW, "dl_dst", "NXM_OF_ETH_DST", (_nxm(1),)),
    Field("eth_type",     16, EXACT, "hex", _of(5), "", RO, "dl_type", "NXM_OF_ETH_TYPE", (_nxm(3),)),
    Field("vlan_tci",     16, MASK,  "hex", _nxm(4), "", RW, "vlan_tci", "NXM_OF_VLAN_TCI"),
    Field("vlan_vid",     13, MASK,  "decimal", _of(6), "", RW, "vlan_vid", "OXM_OF_VLAN_VID"),
    Field("vlan_pcp",      3, EXACT, "decimal", _of(7), "vlan", RW, "vlan_pcp", "OXM_OF_VLAN_PCP"),
    Field("mpls_label",   20, EXACT, "decimal", _of(34), "mpls", RW, "mpls_label", "OXM_OF_MPLS_LABEL"),
    Field("mpls_tc",       3, EXACT, "decimal", _of(35), "mpls", RW, "mpls_tc", "OXM_OF_MPLS_TC"),
    Field("mpls_bos",      1, EXACT, "decimal", _of(36), "mpls", RO, "mpls_bos", "OXM_OF_MPLS_BOS"),
    Field("mpls_ttl",      8, EXACT, "decimal", _nx(30), "mpls", RW, "mpls_ttl", "NXM_NX_MPLS_TTL"),
    Field("ip_src",       32, MASK,  "ip4", _of(11), "ip4", RW, "nw_src", "NXM_OF_IP_SRC", (_nxm(7),)),
    Field("ip_dst",       32, MASK,  "ip4", _of(12), "ip4", RW, "nw_dst", "NXM_OF_IP_DST", (_nxm(8),)),
    Field("ipv6_src",     128, MASK, "ip6", _of(26), "ip6", RW, "ipv6_src", "NXM_NX_IPV6_SRC", (_nx(19),)),
    Field("ipv6_dst",     128, MASK, "ip6", _of(27), "ip6", RW, "ipv6_dst", "NXM_NX_IPV6_DST", (_nx(20),)),
    Field("ipv6_label",   20, MASK,  "hex", _of(28), "ip6", RW, "ipv6_label", "NXM_NX_IPV6_LABEL", (_nx(27),)),
    Field("ip_proto",      8, EXACT, "decimal", _of(10), "ip", RO, "nw_proto", "NXM_OF_IP_PROTO", (_nxm(6),)),
    Field("ip_ttl",        8, EXACT, "decimal", _nx(29), "ip", RW, "nw_ttl", "NXM_NX_IP_TTL"),
    Field("ip_frag",       2, MASK,  "frag", _nx(26), "ip", RO, "nw_frag", "NXM_NX_IP_FRAG"),
    Field("ip_dscp",       6, EXACT, "decimal", _of(8), "ip", RW, "ip_dscp", "OXM_OF_IP_DSCP"),
    Field("ip_ecn",        2, EXACT, "decimal", _of(9), "ip", RW, "nw_ecn", "NXM_NX_IP_ECN", (_nx(28),)),
    Field("arp_op",       16, EXACT, "decimal", _of(21), "arp", RW, "arp_op", "NXM_OF_ARP_OP", (_nxm(15),)),
    Field("arp_spa",      32, MASK,  "ip4", _of(22), "arp", RW, "arp_spa", "NXM_OF_ARP_SPA", (_nxm(16),)),
    Field("arp_tpa",      32, MASK,  "ip4", _of(23), "arp", RW, "arp_tpa", "NXM_OF_ARP_TPA", (_nxm(17),)),
    Field("arp_sha",      48, MASK,  "mac", _of(24), "arp", RW, "arp_sha", "NXM_NX_ARP_SHA", (_nx(17),)),
    Field("arp_tha",      48, MASK,  "mac", _of(25), "arp", RW, "arp_tha", "NXM_NX_ARP_THA", (_nx(18),)),
    Field("tcp_src",      16, MASK,  "decimal", _of(13), "tcp", RW, "tcp_src", "NXM_OF_TCP_SRC", (_nxm(9),)),
    Field("tcp_dst",      16, MASK,  "decimal", _of(14), "tcp", RW, "tcp_dst", "NXM_OF_TCP_DST", (_nxm(10),)),
    Field("tcp_flags",    12, MASK,  "tcp_flags", _of(42), "tcp", RO, "tcp_flags", "NXM_NX_TCP_FLAGS",
          (_nx(34), _onf(42))),
    Field("udp_src",      16, MASK,  "decimal", _of(15), "udp", RW, "udp_src", "NXM_OF_UDP_SRC", (_nxm(11),)),
    Field("udp_dst",      16, MASK,  "decimal", _of(16), "udp", RW, "udp_dst", "NXM_OF_UDP_DST", (_nxm(12),)),
    Field("sctp_src",     16, MASK,  "decimal", _of(17), "sctp", RW, "sctp_src", "OXM_OF_SCTP_SRC"),
    Field("sctp_dst",     16, MASK,  "decimal", _of(18), "sctp", RW, "sctp_dst", "OXM_OF_SCTP_DST"),
    Field("icmp_type",     8, EXACT, "decimal", _of(19), "icmp4", RW, "icmp_type", "NXM_OF_ICMP_TYPE", (_nxm(13),)),
    Field("icmp_code",     8, EXACT, "decimal", _of(20), "icmp4", RW, "icmp_code", "NXM_OF_ICMP_CODE", (_nxm(14),)),
    Field("icmpv6_type",   8, EXACT, "decimal", _of(29), "icmp6", RW, "icmpv6_type", "NXM_NX_ICMPV6_TYPE",
          (_nx(21),)),
    Field("icmpv6_code",   8, EXACT, "decimal", _of(30), "icmp6", RW, "icmpv6_code", "NXM_NX_ICMPV6_CODE",
          (_nx(22),)),
    Field("nd_target",    128, MASK, "ip6", _of(31), "nd", RW, "nd_target", "NXM_NX_ND_TARGET", (_nx(23),)),
    Field("nd_sll",       48, MASK,  "mac", _of(32), "nd_ns", RW, "nd_sll", "NXM_NX_ND_SLL", (_nx(24),)),
    Field("nd_tll",       48, MASK,  "mac", _of(33), "nd_na", RW, "nd_tll", "NXM_NX_ND_TLL", (_nx(25),)),
    Field("nd_reserved",  32, EXACT, "decimal", (ERIC, 1, 0), "nd", RW, "nd_reserved",
          "ERICOXM_OF_ICMPV6_ND_RESERVED"),
    Field("nd_options_type", 8, EXACT, "decimal", (ERIC, 2, 0), "nd", RW, "nd_options_type",
          "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE"),
    Field("ct_nw_proto",   8, EXACT, "decimal", _nx(119), "ct", RO, "ct_nw_proto", "NXM_NX_CT_NW_PROTO"),
    Field("ct_nw_src",    32, MASK,  "ip4", _nx(120), "ct", RO, "ct_nw_src", "NXM_NX_CT_NW_SRC"),
    Field("ct_nw_dst",    32, MASK,  "ip4", _nx(121), "ct", RO, "ct_nw_dst", "NXM_NX_CT_NW_DST"),
    Field("ct_ipv6_src",  128, MASK, "ip6", _nx(122), "ct", RO, "ct_ipv6_src", "NXM_NX_CT_IPV6_SRC"),
    Field("ct_ipv6_dst",  128, MASK, "ip6", _nx(123), "ct", RO, "ct_ipv6_dst", "NXM_NX_CT_IPV6_DST"),
    Field("ct_tp_src",    16, MASK,  "decimal", _nx(124), "ct", RO, "ct_tp_src", "NXM_NX_CT_TP_SRC"),
    Field("ct_tp_dst",    16, MASK,  "decimal", _nx(125), "ct", RO, "ct_tp_dst", "NXM_NX_CT_TP_DST"),
)
# fmt: on

#: Every field by its internal name, in canonical order.
FIELDS: dict[str, Field] = {field.name: field._replace(order=order) for order, field in enumerate(_TABLE)}
#: The exact-match mask of every field.
FULL: dict[str, int] = {name: field.full for name, field in FIELDS.items()}
#: The place of every field in canonical order.
ORDER: dict[str, int] = {name: field.order for name, field in FIELDS.items()}
