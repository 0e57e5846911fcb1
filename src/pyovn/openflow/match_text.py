"""Matches in ovs-ofctl's notation, both ways.

    (("eth_type", 0x800, …), ("ip_proto", 6, …), ("tcp_dst", 80, …), ("metadata", 1, …))  ⇄  tcp,metadata=0x1,tp_dst=80

Printing follows the order and the abbreviations of `ovs-ofctl dump-flows`; parsing takes any order and any name that
ovs-ofctl takes.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from pyovn.net.errors import Malformed
from pyovn.openflow.fields import FIELDS, FULL
from pyovn.openflow.match import UNTAGGED_MASK, VLAN_PRESENT, Match, canonical
from pyovn.openflow.values import FIELD_NAMES, PortNames, number, parse_value, value_text

_NUMBERED = tuple(f"tun_metadata{n}" for n in range(64))
_REGISTERS = tuple(f"reg{n}" for n in range(16))
_L3 = "ip_src ipv6_src ip_dst ipv6_dst ipv6_label arp_spa arp_tpa ip_proto arp_op arp_sha arp_tha"
_FIRST = (
    "pkt_mark recirc_id dp_hash conj_id actset_output ct_state ct_zone ct_mark ct_label ct_nw_src ct_ipv6_src "
    "ct_nw_dst ct_ipv6_dst ct_nw_proto ct_tp_src ct_tp_dst packet_type"
).split()
_MIDDLE = (
    *_REGISTERS,
    *"tun_id tun_src tun_dst tun_ipv6_src tun_ipv6_dst tun_gbp_id tun_gbp_flags tun_erspan_ver tun_erspan_idx".split(),
    *"tun_erspan_dir tun_erspan_hwid tun_gtpu_flags tun_gtpu_msgtype tun_flags".split(),
    *_NUMBERED,
    *("metadata", "in_port"),
)
_LAST = (
    *("eth_src", "eth_dst", "eth_type", *_L3.split()),
    *"ip_dscp ip_ecn ip_ttl mpls_label mpls_tc mpls_ttl mpls_bos ip_frag".split(),
    *"tcp_src udp_src sctp_src tcp_dst udp_dst sctp_dst tcp_flags icmp_type icmpv6_type icmp_code icmpv6_code".split(),
    *"nd_target nd_sll nd_tll nd_reserved nd_options_type".split(),
)

_BY_TYPE = {0x800: "ip", 0x86DD: "ipv6", 0x806: "arp", 0x8035: "rarp", 0x8847: "mpls", 0x8848: "mplsm"}
_BY_PROTO = {
    (0x800, 1): "icmp",
    (0x86DD, 58): "icmp6",
    (0x800, 6): "tcp",
    (0x86DD, 6): "tcp6",
    (0x800, 17): "udp",
    (0x86DD, 17): "udp6",
    (0x800, 132): "sctp",
    (0x86DD, 132): "sctp6",
}
#: our name → what the printed form calls it
_PRINTED = {name: info.text for name, info in FIELDS.items()} | {
    **{f"{proto}_{end}": f"tp_{end}" for proto in ("tcp", "udp", "sctp") for end in ("src", "dst")},
    "icmpv6_type": "icmp_type",
    "icmpv6_code": "icmp_code",
    "ip_dscp": "nw_tos",
}


# --- printing -----------------------------------------------------------------------------------------------------


def format_match(match: Match, names: PortNames | None = None) -> str:
    """The match as `ovs-ofctl dump-flows` prints it; ports by name where `names` knows one."""
    return ",".join(_parts({name: (value, mask) for name, value, mask in match}, names or {}))


def _parts(terms: dict[str, tuple[int, int]], names: PortNames) -> Iterator[str]:
    eth_type, proto = terms.get("eth_type", (0, 0))[0], terms.get("ip_proto", (0, 0))[0]
    abbreviation = _BY_PROTO.get((eth_type, proto)) if "ip_proto" in terms else None
    if abbreviation:
        del terms["ip_proto"]
    abbreviation = abbreviation or _BY_TYPE.get(eth_type)
    if abbreviation:
        del terms["eth_type"]
    yield from _plain(_FIRST, terms, names)
    if abbreviation:
        yield abbreviation
    yield from _plain(_MIDDLE, terms, names)
    if "vlan_tci" in terms:
        yield from _vlan(*terms["vlan_tci"])
    yield from _plain(_LAST, terms, names)


def _plain(order: "tuple[str, ...] | list[str]", terms: dict[str, tuple[int, int]], names: PortNames) -> Iterator[str]:
    for name in order:
        if name in terms:
            value, mask = terms[name]
            yield (
                f"{_PRINTED[name]}={_shown(name, value, mask, names)}" if name != "ip_dscp" else f"nw_tos={value << 2}"
            )


def _shown(name: str, value: int, mask: int, names: PortNames) -> str:
    if mask != FULL[name] and FIELDS[name].form == "decimal":
        return f"{value:#x}/{mask:#x}"
    if name == "eth_type":
        return f"{value:#06x}"
    if name == "ct_zone":
        return str(value)
    if name == "ip_dscp":
        return str(value << 2)
    if name == "ipv6_label":
        return f"{value:#07x}" if mask == FULL[name] else f"{value:#07x}/{mask:#07x}"
    return value_text(name, value, mask, names)


def _vlan(value: int, mask: int) -> Iterator[str]:
    """Id and priority apart where each is given whole."""
    vid_given = mask & UNTAGGED_MASK == UNTAGGED_MASK
    pcp_given = mask & 0xE000 == 0xE000
    whole = mask in (UNTAGGED_MASK, 0xFFFF, 0xF000)
    if not value & VLAN_PRESENT or not whole:
        yield f"vlan_tci={value:#06x}/{mask:#06x}" if mask != 0xFFFF else f"vlan_tci={value:#06x}"
        return
    if vid_given:
        yield f"dl_vlan={value & 0xFFF}"
    if pcp_given:
        yield f"dl_vlan_pcp={value >> 13}"


# --- parsing ------------------------------------------------------------------------------------------------------

_KEYWORDS: dict[str, dict[str, int]] = {
    "ip": {"eth_type": 0x800},
    "ipv6": {"eth_type": 0x86DD},
    "ip6": {"eth_type": 0x86DD},
    "arp": {"eth_type": 0x806},
    "rarp": {"eth_type": 0x8035},
    "mpls": {"eth_type": 0x8847},
    "mplsm": {"eth_type": 0x8848},
    "eth": {},
    **{word: {"eth_type": eth_type, "ip_proto": proto} for (eth_type, proto), word in _BY_PROTO.items()},
}
_TP_PROTOS = {6: "tcp", 17: "udp", 132: "sctp"}
_SEPARATE = re.compile(r"[,\s]+(?![^(]*\))")


def split_terms(text: str) -> list[str]:
    """The comma- or space-separated parts of a match, parentheses kept together."""
    return [part for part in _SEPARATE.split(text.strip()) if part]


def parse_match(text: str, ports: Mapping[str, int] | None = None) -> Match:
    """The match that `text` describes; raises Malformed."""
    return match_of(split_terms(text), ports or {})


def match_of(parts: list[str], ports: Mapping[str, int]) -> Match:
    """The match of `name=value` parts and keywords; raises Malformed."""
    found: dict[str, tuple[int, int]] = {}
    later: list[tuple[str, str]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals:
            if name not in _KEYWORDS:
                raise Malformed(f"{name}: unknown keyword in match")
            found |= {field: (code, FULL[field]) for field, code in _KEYWORDS[name].items()}
        elif name in _CONTEXT:
            later.append((name, value))
        else:
            _add(found, name, value, ports)
    proto = found.get("ip_proto", (0, 0))[0]
    for name, value in later:
        field = _CONTEXT[name](proto, name)
        found[field] = parse_value(field, value, ports)
    return canonical((name, *term) for name, term in found.items())


def _transport(proto: int, name: str) -> str:
    if proto not in _TP_PROTOS:
        raise Malformed(f"{name}: needs tcp, udp or sctp")
    return f"{_TP_PROTOS[proto]}_{name[3:]}"


def _icmp(proto: int, name: str) -> str:
    return name.replace("icmp_", "icmpv6_") if proto == 58 else name


#: names whose field depends on the protocol
_CONTEXT = {"tp_src": _transport, "tp_dst": _transport, "icmp_type": _icmp, "icmp_code": _icmp}


def _add(found: dict[str, tuple[int, int]], name: str, text: str, ports: Mapping[str, int]) -> None:
    """Note one `name=value`."""
    if name in _VLAN_TERMS:
        value, mask = _VLAN_TERMS[name](text)
        old, old_mask = found.get("vlan_tci", (0, 0))
        found["vlan_tci"] = old | value, old_mask | mask
    elif name in ("nw_tos", "ip_tos"):
        found["ip_dscp"] = number(text) >> 2, FULL["ip_dscp"]
    elif name in FIELD_NAMES:
        field = FIELD_NAMES[name]
        found[field] = parse_value(field, text, ports)
    else:
        raise Malformed(f"{name}: unknown field")


def _dl_vlan(text: str) -> tuple[int, int]:
    vid = number(text)
    return (0, UNTAGGED_MASK) if vid == 0xFFFF else (VLAN_PRESENT | vid, UNTAGGED_MASK)


def _dl_vlan_pcp(text: str) -> tuple[int, int]:
    return VLAN_PRESENT | number(text) << 13, VLAN_PRESENT | 0xE000


_VLAN_TERMS: dict[str, Callable[[str], tuple[int, int]]] = {
    "dl_vlan": _dl_vlan,
    "dl_vlan_pcp": _dl_vlan_pcp,
    "vlan_pcp": _dl_vlan_pcp,
    "vlan_vid": lambda text: parse_value("vlan_vid", text, {}),
    "vlan_tci": lambda text: parse_value("vlan_tci", text, {}),
}
