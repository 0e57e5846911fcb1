"""The symbols of the logical-flow language and where each is kept.

    field       a whole OpenFlow field (or several registers joined)    eth.src  xxreg0
    string      a port name, kept as its key in a register              inport
    subfield    some bits of another symbol                             reg0[…] of xxreg0, ct.est of ct_state
    predicate   a shorthand for an expression                           ip4, nd, eth.bcast

`prerequisites` is what a packet must be for the symbol to mean anything; it is ANDed to every use.
Level: *ordinal* symbols take every operator and bit selection, *nominal* ones only positive `==`,
*boolean* ones `==` and `!=`.  Facts: docs of Logical_Flow in ovn-sb(5).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pyovn.openflow.fields import FIELDS

Kind = Literal["field", "string", "subfield", "predicate"]
Level = Literal["ordinal", "nominal", "boolean"]

#: 128- and 64-bit symbols that are several registers, most significant first.
JOINED_REGISTERS = {
    "xxreg0": ("reg0", "reg1", "reg2", "reg3"),
    "xxreg1": ("reg4", "reg5", "reg6", "reg7"),
    "xreg4": ("reg8", "reg9"),
}

# Registers that are no symbols, and registers as OpenFlow fields (physical.md: field allocation).
INPORT, OUTPORT, REMOTE_OUTPORT = "reg14", "reg15", "reg1"
FLAGS = "reg10"
DNAT_ZONE, SNAT_ZONE, PORT_ZONE = "reg11", "reg12", "reg13"


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """One symbol; compared by identity."""

    name: str
    width: int
    kind: Kind
    level: Level
    prerequisites: str
    #: several values are multiplied out instead of becoming a dimension of a conjunction
    crossproduct: bool
    writable: bool
    #: the OpenFlow field of a "field" or "string", "" for joined registers and OVN's own fields
    openflow: str
    #: "subfield": the symbol it is part of, down to a field, and its lowest bit there
    base: "Symbol | None"
    shift: int
    #: "predicate": what it stands for
    expansion: str
    #: OpenFlow fields that hold its value and their widths, most significant first; empty: it has no place in a packet
    pieces: tuple[tuple[str, int], ...]

    @property
    def full(self) -> int:
        """The mask of an exact comparison."""
        return (1 << self.width) - 1

    @property
    def is_string(self) -> bool:
        """Values are port names."""
        return self.kind == "string"

    def __repr__(self) -> str:
        return f"Symbol({self.name})"


@dataclass(slots=True)
class SymbolTable:
    """Symbols by name, with room for what `match` derives from them once."""

    by_name: dict[str, Symbol] = field(default_factory=dict)
    #: symbol name → its annotated prerequisites (kept by match.annotate)
    prerequisites: dict[str, Any] = field(default_factory=dict)
    #: predicate name → its annotated expansion and the opposite (kept by match.annotate)
    expansions: dict[tuple[str, bool], Any] = field(default_factory=dict)

    def get(self, name: str) -> Symbol | None:
        """The symbol of this name."""
        return self.by_name.get(name)

    def __getitem__(self, name: str) -> Symbol:
        return self.by_name[name]


def _field(
    name: str, openflow: str = "", prerequisites: str = "", *, writable: bool = True, crossproduct: bool = False
) -> Symbol:
    described = FIELDS[openflow or name]
    joined = JOINED_REGISTERS.get(described.name)
    pieces = tuple((register, 32) for register in joined) if joined else ((described.name, described.width),)
    level: Level = "ordinal" if described.maskable else "nominal"
    return Symbol(
        name, described.width, "field", level, prerequisites, crossproduct, writable and described.writable,
        described.name, None, 0, "", pieces,
    )  # fmt: skip


def _string(name: str, openflow: str) -> Symbol:
    return Symbol(name, 0, "string", "nominal", "", False, True, openflow, None, 0, "", ((openflow, 32),))


def _own_field(name: str, width: int) -> Symbol:
    """A field that exists only in OVN's `note` actions."""
    return Symbol(name, width, "field", "nominal", "", False, True, "", None, 0, "", ())


def _bits(parent: Symbol, name: str, low: int, high: int | None = None, prerequisites: str = "") -> Symbol:
    high = low if high is None else high
    shift = low + parent.shift
    base = parent.base or parent
    return Symbol(
        name, high - low + 1, "subfield", parent.level, prerequisites, False, parent.writable,
        "", base, shift, "", _pieces_of_bits(base, shift, high - low + 1),
    )  # fmt: skip


def _pieces_of_bits(base: Symbol, shift: int, width: int) -> tuple[tuple[str, int], ...]:
    """The whole registers that these bits of `base` are, or nothing where they are part of one field."""
    if len(base.pieces) < 2 or shift % 32 or width % 32:
        return ()
    top = len(base.pieces)
    return base.pieces[top - (shift + width) // 32 : top - shift // 32]


def _predicate(name: str, expansion: str, level: Level = "nominal") -> Symbol:
    return Symbol(name, 1, "predicate", level, "", False, False, "", None, 0, expansion, ())


def _registers() -> Iterable[Symbol]:
    for xxreg in (0, 1):
        whole = _field(f"xxreg{xxreg}")
        yield whole
        for half in (0, 1):
            yield _bits(whole, f"xreg{xxreg * 2 + half}", 64 - half * 64, 127 - half * 64)
        for quarter in range(4):
            yield _bits(whole, f"reg{xxreg * 4 + quarter}", 96 - quarter * 32, 127 - quarter * 32)
    xreg4 = _field("xreg4")
    yield xreg4
    yield _bits(xreg4, "reg8", 32, 63)
    yield _bits(xreg4, "reg9", 0, 31)


#: flags.* → bits of the flags register
_FLAGS = {
    "loopback": 0, "force_snat_for_dnat": 2, "force_snat_for_lb": 3, "skip_snat_for_lb": 9, "use_snat_zone": 11,
    "localnet": 15, "tunnel_rx": 16, "icmp_snat": 17, "from_ctrl": 19, "unsnat_new": 20, "unsnat_not_tracked": 21,
    "igmp_loopback": 22, "pkt_sampled": 23, "network_id": (28, 31),
}  # fmt: skip
#: ct.* → bits of ct_state; all but ct.trk need ct.trk
_CT_STATE = {"new": 0, "est": 1, "rel": 2, "rpl": 3, "inv": 4, "trk": 5, "snat": 6, "dnat": 7}
_CT_MARK = {
    "blocked": 0, "natted": 1, "skip_snat": 2, "force_snat": 3, "obs_stage": (4, 5), "allow_established": 6,
    "obs_collector_id": (16, 23), "ecmp_reply_port": (16, 31),
}  # fmt: skip
_CT_LABEL = {
    "nf": 7, "tun_if": 8, "nf_id": (17, 24), "ecmp_reply_eth": (32, 79), "acl_id": (80, 95), "tun_if_id": (80, 95),
    "label": (96, 127), "obs_point_id": (96, 127), "obs_unused": (0, 95),
}  # fmt: skip


def _parts(whole: Symbol, prefix: str, bits: dict[str, Any]) -> Iterable[Symbol]:
    for name, place in bits.items():
        low, high = place if isinstance(place, tuple) else (place, place)
        needs = "ct.trk" if prefix == "ct" and name != "trk" else ""
        yield _bits(whole, f"{prefix}.{name}", low, high, needs)


def _metadata() -> Iterable[Symbol]:
    yield _string("inport", INPORT)
    yield _string("outport", OUTPORT)
    yield _string("remote_outport", REMOTE_OUTPORT)
    yield _field("__inport", INPORT)
    yield _field("__outport", OUTPORT)
    yield _predicate("from_evpn_vtep", "__inport[31]", "boolean")
    yield _predicate("to_evpn_vtep", "__outport[31]", "boolean")
    yield from _registers()
    for whole, openflow, prefix, parts in (
        ("flags", FLAGS, "flags", _FLAGS),
        ("ct_state", "ct_state", "ct", _CT_STATE),
        ("ct_mark", "ct_mark", "ct_mark", _CT_MARK),
        ("ct_label", "ct_label", "ct_label", _CT_LABEL),
    ):
        symbol = _field(whole, openflow)
        yield symbol
        yield from _parts(symbol, prefix, parts)
    yield _field("pkt.mark", "pkt_mark")


def _link_layer() -> Iterable[Symbol]:
    yield _field("eth.src", "eth_src")
    destination = _field("eth.dst", "eth_dst")
    yield destination
    yield _field("eth.type", "eth_type", crossproduct=True)
    yield _predicate("eth.bcast", "eth.dst == ff:ff:ff:ff:ff:ff", "boolean")
    yield _bits(destination, "eth.mcast", 40)
    yield _predicate("eth.mcastv6", "eth.dst[32..47] == 0x3333", "boolean")
    tci = _field("vlan.tci", "vlan_tci")
    yield tci
    yield _predicate("vlan.present", "vlan.tci[12]", "boolean")
    yield _bits(tci, "vlan.pcp", 13, 15, "vlan.present")
    yield _bits(tci, "vlan.vid", 0, 11, "vlan.present")
    for protocol, ethertype in (("arp", "0x806"), ("rarp", "0x8035")):
        yield _predicate(protocol, f"eth.type == {ethertype}")
        for name in ("op", "spa", "tpa", "sha", "tha"):
            yield _field(f"{protocol}.{name}", f"arp_{name}", protocol)


_IP_PREDICATES = {
    "ip4": "eth.type == 0x800",
    "ip6": "eth.type == 0x86dd",
    "ip": "ip4 || ip6",
    "icmp4": "ip4 && ip.proto == 1",
    "icmp6": "ip6 && ip.proto == 58",
    "icmp": "icmp4 || icmp6",
    "igmp": "ip4.mcast && ip.proto == 2",
    "mldv1": "eth.mcastv6 && ip6.src == fe80::/10 && icmp6.type == {130, 131, 132}",
    "mldv2": "eth.mcastv6 && ip6.dst == ff02::16 && icmp6.type == 143",
    "nd": "icmp6.type == {135, 136} && icmp6.code == 0 && ip.ttl == 255",
    "nd_ns": "icmp6.type == 135 && icmp6.code == 0 && ip.ttl == 255",
    "nd_na": "icmp6.type == 136 && icmp6.code == 0 && ip.ttl == 255",
    "nd_rs": "icmp6.type == 133 && icmp6.code == 0 && ip.ttl == 255",
    "nd_ra": "icmp6.type == 134 && icmp6.code == 0 && ip.ttl == 255",
    "nd_ns_mcast": "ip6.mcast && icmp6.type == 135 && icmp6.code == 0 && ip.ttl == 255",
}
#: Predicates on IP packets built from ordinal fields alone (prerequisites do not count): they may be negated.
_IP_BOOLEANS = {
    "ip.is_frag": "ip.frag[0]",
    "ip.later_frag": "ip.frag[1]",
    "ip.first_frag": "ip.is_frag && !ip.later_frag",
    "ip4.src_mcast": "ip4.src[28..31] == 0xe",
    "ip4.mcast": "eth.mcast && ip4.dst[28..31] == 0xe",
    "ip6.mcast": "eth.mcastv6 && ip6.dst[120..127] == 0xff",
    "ip6.mcast_rsvd": "ip6.dst == {" + ", ".join(f"ff0{digit:x}::" for digit in range(16)) + "}",
    "ip6.mcast_all_nodes": "ip6.dst == {ff01::1, ff02::1}",
    "ip6.mcast_all_rtrs": "ip6.dst == {ff01::2, ff02::2, ff05::2}",
    "ip6.mcast_sol_node": "ip6.dst == ff02::1:ff00:0000/104",
    "ip6.mcast_flood": "eth.mcastv6 && "
    "(ip6.mcast_rsvd || ip6.mcast_all_nodes || ip6.mcast_all_rtrs || ip6.mcast_sol_node)",
}


def _network_layer() -> Iterable[Symbol]:
    for name, expansion in _IP_PREDICATES.items():
        yield _predicate(name, expansion)
    for name, expansion in _IP_BOOLEANS.items():
        yield _predicate(name, expansion, "boolean")
    yield _field("ip.proto", "ip_proto", "ip", crossproduct=True)
    for name in ("dscp", "ecn", "ttl", "frag"):
        yield _field(f"ip.{name}", f"ip_{name}", "ip")
    yield _field("ip4.src", "ip_src", "ip4")
    yield _field("ip4.dst", "ip_dst", "ip4")
    yield _field("ip6.src", "ipv6_src", "ip6")
    yield _field("ip6.dst", "ipv6_dst", "ip6")
    yield _field("ip6.label", "ipv6_label", "ip6")
    yield _field("icmp4.type", "icmp_type", "icmp4")
    yield _field("icmp4.code", "icmp_code", "icmp4")
    yield _field("icmp6.type", "icmpv6_type", "icmp6", crossproduct=True)
    yield _field("icmp6.code", "icmpv6_code", "icmp6", crossproduct=True)
    yield _own_field("icmp4.frag_mtu", 16)
    yield _own_field("icmp6.frag_mtu", 32)
    yield _field("nd.target", "nd_target", "nd")
    yield _field("nd.sll", "nd_sll", "nd_ns")
    yield _field("nd.tll", "nd_tll", "nd_na")


_TRANSPORTS = (("tcp", 6), ("udp", 17), ("sctp", 132))


def _transport_layer() -> Iterable[Symbol]:
    for protocol, number in _TRANSPORTS:
        yield _predicate(protocol, f"ip.proto == {number}")
        for end in ("src", "dst"):
            yield _field(f"{protocol}.{end}", f"{protocol}_{end}", protocol)
    yield _field("tcp.flags", "tcp_flags", "tcp")


def _tracked_transport_layer() -> Iterable[Symbol]:
    """Protocols and ports as conntrack knows them: later fragments have them too."""
    yield _field("ct_proto", "ct_nw_proto", "ct.trk", crossproduct=True)
    for protocol, number in _TRANSPORTS:
        yield _predicate(protocol, f"ct.trk && !ct.inv && ct_proto == {number}")
        for end in ("src", "dst"):
            yield _field(f"{protocol}.{end}", f"ct_tp_{end}", protocol)
    yield _field("tcp.flags", "tcp_flags", "ip.proto == 6")


def _table(*groups: Iterable[Symbol]) -> SymbolTable:
    return SymbolTable({symbol.name: symbol for group in groups for symbol in group})


#: The language's symbols.
SYMBOLS = _table(_metadata(), _link_layer(), _network_layer(), _transport_layer())

#: The symbols of flows tagged `acl_ct_translation`.
TRACKED_SYMBOLS = _table(_metadata(), _link_layer(), _network_layer(), _tracked_transport_layer())
