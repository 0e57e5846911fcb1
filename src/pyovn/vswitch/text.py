"""Keys, cache entries and datapath operations as ovs-appctl prints them.

flow_text       udp,in_port=2,vlan_tci=0x0000,dl_src=…,dl_dst=…,nw_src=…,…,tp_src=0,tp_dst=0
megaflow_text   recirc_id=0,eth,udp,in_port=2,nw_frag=no
actions_text    set(eth(dst=00:00:00:00:00:99)),ct(commit,zone=5),recirc(0x1),2
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pyovn.net.ip import ip4_str, ip6_str
from pyovn.net.mac import mac_str
from pyovn.openflow.fields import FULL
from pyovn.openflow.match import Match, canonical
from pyovn.openflow.match_text import format_match
from pyovn.vswitch import ops
from pyovn.vswitch.conntrack.nat import Nat
from pyovn.vswitch.conntrack.table import CtAction
from pyovn.vswitch.frame import ETH_ARP, ETH_IP, ETH_IPV6, ETH_RARP, ICMP, ICMPV6, SCTP, TCP, UDP
from pyovn.vswitch.key import CT, FRAME, PIPELINE, PLACES, TUNNEL, get
from pyovn.vswitch.ports import TunnelConfig

NAT_PERSISTENT, NAT_HASH, NAT_RANDOM = 4, 8, 16

_TRANSPORT = {
    (ETH_IP, TCP): ("tcp_src", "tcp_dst", "tcp_flags"), (ETH_IPV6, TCP): ("tcp_src", "tcp_dst", "tcp_flags"),
    (ETH_IP, UDP): ("udp_src", "udp_dst"), (ETH_IPV6, UDP): ("udp_src", "udp_dst"),
    (ETH_IP, SCTP): ("sctp_src", "sctp_dst"), (ETH_IPV6, SCTP): ("sctp_src", "sctp_dst"),
    (ETH_IP, ICMP): ("icmp_type", "icmp_code"), (ETH_IPV6, ICMPV6): ("icmpv6_type", "icmpv6_code"),
}  # fmt: skip
_NETWORK = {
    ETH_IP: ("ip_src", "ip_dst", "ip_proto", "ip_dscp", "ip_ecn", "ip_ttl", "ip_frag"),
    ETH_IPV6: ("ipv6_src", "ipv6_dst", "ipv6_label", "ip_proto", "ip_dscp", "ip_ecn", "ip_ttl", "ip_frag"),
    ETH_ARP: ("arp_spa", "arp_tpa", "arp_op", "arp_sha", "arp_tha"),
    ETH_RARP: ("arp_spa", "arp_tpa", "arp_op", "arp_sha", "arp_tha"),
}
_STATE = tuple(
    name
    for name in FULL
    if name in PLACES
    and not name.startswith(("xreg", "xxreg"))
    and (PIPELINE | CT | TUNNEL) >> PLACES[name][0] & 1 != 0
)


def packet_fields(key: int) -> tuple[str, ...]:
    """The names of the header fields that a packet has."""
    kind, proto = get(key, "eth_type"), get(key, "ip_proto")
    fields = ("eth_src", "eth_dst", "eth_type", "vlan_tci", *_NETWORK.get(kind, ()))
    if not get(key, "ip_frag") & 2:
        fields += _TRANSPORT.get((kind, proto), ())
        if kind == ETH_IPV6 and proto == ICMPV6 and get(key, "icmpv6_type") in (135, 136):
            fields += ("nd_target", "nd_sll", "nd_tll")
    return fields


def match_of(key: int, mask: int, names: Iterable[str]) -> Match:
    """The match on the bits of `key` under `mask`."""
    terms = []
    for name in names:
        offset, width = PLACES[name]
        cover = mask >> offset & (1 << width) - 1
        if cover:
            terms.append((name, key >> offset & cover, min(cover, FULL[name]) if width <= 128 else FULL[name]))
    return canonical(terms)


def flow_text(key: int) -> str:
    """Every field of a packet, and the pipeline state that is not zero."""
    state = tuple(name for name in _STATE if get(key, name))
    kinds = tuple(name for name in packet_fields(key) if name in ("eth_type", "ip_proto"))
    tracked = tuple(name for name in state if name.startswith("ct_"))
    shown = [format_match(match_of(key, -1, tracked)), "eth"] if tracked else []
    shown.append(format_match(match_of(key, -1, (*(name for name in state if name not in tracked), *kinds))))
    shown.append(f"vlan_tci={get(key, 'vlan_tci'):#06x}")
    shown += [f"dl_src={mac_str(get(key, 'eth_src'))}", f"dl_dst={mac_str(get(key, 'eth_dst'))}"]
    for name in packet_fields(key):
        if name in _PLAIN:
            label, show = _PLAIN[name]
            shown.append(f"{label}={show(get(key, name))}")
    return ",".join(part for part in shown if part)


_FRAGMENTS = ("no", "first", "", "later")
#: field -> (name in a flow, how its value is written)
_PLAIN: dict[str, tuple[str, Callable[[int], str]]] = {
    "ip_src": ("nw_src", ip4_str), "ip_dst": ("nw_dst", ip4_str),
    "ipv6_src": ("ipv6_src", ip6_str), "ipv6_dst": ("ipv6_dst", ip6_str),
    "ipv6_label": ("ipv6_label", "{:#07x}".format),
    "ip_dscp": ("nw_tos", lambda value: str(value << 2)), "ip_ecn": ("nw_ecn", str), "ip_ttl": ("nw_ttl", str),
    "ip_frag": ("nw_frag", lambda value: _FRAGMENTS[value]),
    "arp_spa": ("arp_spa", ip4_str), "arp_tpa": ("arp_tpa", ip4_str), "arp_op": ("arp_op", str),
    "arp_sha": ("arp_sha", mac_str), "arp_tha": ("arp_tha", mac_str),
    "nd_target": ("nd_target", ip6_str), "nd_sll": ("nd_sll", mac_str), "nd_tll": ("nd_tll", mac_str),
    **{f"{proto}_{end}": (f"tp_{end}", str) for proto in ("tcp", "udp", "sctp") for end in ("src", "dst")},
    "tcp_flags": ("tcp_flags", lambda value: tcp_flags_text(value)),
    "icmp_type": ("icmp_type", str), "icmp_code": ("icmp_code", str),
    "icmpv6_type": ("icmp_type", str), "icmpv6_code": ("icmp_code", str),
}  # fmt: skip

_TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns")


def tcp_flags_text(value: int) -> str:
    """TCP flags by name."""
    return "|".join(name for bit, name in enumerate(_TCP_FLAGS) if value >> bit & 1) or "0"


def megaflow_text(key: int, consulted: int, recirculation: int) -> str:
    """What a cache entry matches."""
    mask = consulted & (FRAME | CT | (TUNNEL if key & TUNNEL else 0))
    always = ("eth_type", "ip_frag") if get(key, "eth_type") in (ETH_IP, ETH_IPV6) else ("eth_type",)
    for name in always:
        offset, width = PLACES[name]
        mask |= ((1 << width) - 1) << offset
    names = [name for name in _STATE if name not in ("in_port", "recirc_id")]
    early = format_match(match_of(key, mask, [name for name in names if name.startswith("ct_")]))
    mask |= ((1 << 32) - 1) << PLACES["in_port"][0]
    rest = [name for name in names if not name.startswith("ct_")]
    late = format_match(match_of(key, mask, ("in_port", *rest, *packet_fields(key))))
    number = f"{recirculation:#x}" if recirculation else "0"
    return ",".join(part for part in (f"recirc_id={number}", early, "eth", late) if part)


# --- datapath operations ------------------------------------------------------------------------------------------


def actions_text(operations: Iterable[ops.Op], key: int) -> str:
    """Datapath operations on a packet with this key; `drop` if there are none."""
    return ",".join(text for op in operations for text in _SHOWN[type(op)](op, key)) or "drop"


def _out(op: ops.Out, key: int) -> Iterator[str]:
    if op.max_len:
        yield f"trunc({op.max_len})"
    yield str(op.port.number)


def _encap(op: ops.Encap, key: int) -> Iterator[str]:
    config = op.port.tunnel or TunnelConfig()
    parts = [f"tun_id={op.key:#x}"] if op.key is not None else []
    parts += [f"src={op.local}"] if op.local else []
    parts += [f"dst={op.remote}"]
    parts += [f"tos={op.tos:#x}"] if op.tos else []
    parts += [f"ttl={op.ttl}", f"tp_dst={config.udp_port}"]
    if op.options:
        shown = []
        rest = op.options
        while rest:
            length = rest[3] * 4
            value = int.from_bytes(rest[4 : 4 + length], "big")
            shown.append(f"{{class={rest[0] << 8 | rest[1]:#x},type={rest[2]:#x},len={length},{value:#x}}}")
            rest = rest[4 + length :]
        parts.append(f"geneve({''.join(shown)})")
    flags = ["df"] * config.df + ["csum"] * config.csum + ["key"]
    yield f"set(tunnel({','.join(parts)},flags({'|'.join(flags)})))"
    yield str(op.port.number)


#: header in `set(…)` -> ((slot, name, how its value is written), …)
_Shown = tuple[tuple[str, str, Callable[[int], str]], ...]
_LINK_SET: _Shown = (("eth_src", "src", mac_str), ("eth_dst", "dst", mac_str))
_PORT_SET: _Shown = (("tp_src", "src", str), ("tp_dst", "dst", str))
_ICMP_SET: _Shown = (("tp_src", "type", str), ("tp_dst", "code", str))
_ND_SET: _Shown = (("nd_target", "target", ip6_str), ("arp_sha", "sll", mac_str), ("arp_tha", "tll", mac_str))
_NETWORK_SET: dict[int, tuple[str, _Shown]] = {
    ETH_IP: (
        "ipv4",
        (("ip_src", "src", ip4_str), ("ip_dst", "dst", ip4_str), ("ip_tos", "tos", hex), ("ip_ttl", "ttl", str)),
    ),
    ETH_IPV6: (
        "ipv6",
        (("ipv6_src", "src", ip6_str), ("ipv6_dst", "dst", ip6_str), ("ipv6_label", "label", hex),
         ("ip_tos", "tclass", hex), ("ip_ttl", "hlimit", str)),
    ),
    ETH_ARP: (
        "arp",
        (("ip_src", "sip", ip4_str), ("ip_dst", "tip", ip4_str), ("ip_proto", "op", str), ("arp_sha", "sha", mac_str),
         ("arp_tha", "tha", mac_str)),
    ),
}  # fmt: skip
_TRANSPORT_NAMES = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}


def _set(op: ops.SetBits, key: int) -> Iterator[str]:
    kind, proto = get(key, "eth_type"), get(key, "ip_proto")
    yield from _header("eth", _LINK_SET, op)
    if get(op.mask, "vlan_tci"):
        yield f"pop_vlan,push_vlan({_vlan(get(op.value, 'vlan_tpid') or 0x8100, get(op.value, 'vlan_tci'))})"
    yield from _header(*_NETWORK_SET.get(ETH_ARP if kind == ETH_RARP else kind, ("", ())), op)
    if kind in (ETH_IP, ETH_IPV6):
        if proto in _TRANSPORT_NAMES:
            yield from _header(_TRANSPORT_NAMES[proto], _PORT_SET, op)
        else:
            yield from _header("icmp" if kind == ETH_IP else "icmpv6", _ICMP_SET, op)
            yield from _header("nd", _ND_SET, op)


def _header(name: str, fields: _Shown, op: ops.SetBits) -> Iterator[str]:
    parts = []
    for field, label, show in fields:
        width = PLACES[field][1]
        mask = get(op.mask, field)
        if mask:
            shown = show(get(op.value, field))
            parts.append(f"{label}={shown}" if mask == (1 << width) - 1 else f"{label}={shown}/{_mask(show, mask)}")
    if parts:
        yield f"set({name}({','.join(parts)}))"


def _mask(show: Callable[[int], str], mask: int) -> str:
    return hex(mask) if show is str else show(mask)


def _vlan(tpid: int, tci: int) -> str:
    shown = f"vid={tci & 0xFFF},pcp={tci >> 13}"
    return shown if tpid == 0x8100 else f"tpid={tpid:#x},{shown}"


def _push(op: ops.PushVlan, key: int) -> Iterator[str]:
    yield f"push_vlan({_vlan(op.tpid, op.tci)})"


def _pop(op: ops.PopVlan, key: int) -> Iterator[str]:
    yield "pop_vlan"


def _track(op: ops.Track, key: int) -> Iterator[str]:
    yield ct_text(op.action)
    if op.recirc is not None:
        yield f"recirc({op.recirc:#x})"


def ct_text(action: CtAction) -> str:
    """A `ct` of the datapath."""
    parts = (["force_commit"] if action.force else ["commit"]) if action.commit else []
    parts += [f"zone={action.zone}"] if action.zone else []
    parts += [f"mark={action.mark[0]:#x}/{action.mark[1]:#x}"] if action.mark else []
    if action.label:
        value, mask = action.label
        parts.append(f"label={value:#x}" + ("" if mask == (1 << 128) - 1 else f"/{mask:#x}"))
    parts += [f"helper={'ftp' if action.alg == 21 else 'tftp'}"] if action.alg else []
    parts += [nat_text(action.nat)] if action.nat else []
    return f"ct({','.join(parts)})" if parts else "ct"


def nat_text(nat: Nat) -> str:
    """The `nat` of a `ct`."""
    if nat.direction is None:
        return "nat"
    show = ip6_str if (nat.hi or nat.lo or 0) >> 32 else ip4_str
    shown = f"nat({nat.direction}"
    if nat.lo is not None:
        shown += f"={show(nat.lo)}"
        shown += f"-{show(nat.hi)}" if nat.hi not in (None, nat.lo) else ""
    if nat.port_lo is not None:
        shown += f":{nat.port_lo}" + (f"-{nat.port_hi}" if nat.port_hi not in (None, nat.port_lo) else "")
    for flag, name in ((NAT_PERSISTENT, "persistent"), (NAT_HASH, "hash"), (NAT_RANDOM, "random")):
        shown += f",{name}" if nat.flags & flag else ""
    return shown + ")"


def _punt(op: ops.Punt, key: int) -> Iterator[str]:
    yield (
        f"userspace(pid=0,controller(reason={op.reason},dont_send=0,continuation={int(bool(op.continuation))},"
        f"recirc_id=0,rule_cookie={op.cookie:#x},controller_id={op.controller_id},max_len={op.max_len}))"
    )


def _metered(op: ops.Metered, key: int) -> Iterator[str]:
    yield f"meter({op.id})"


def _cloned(op: ops.Cloned, key: int) -> Iterator[str]:
    yield f"clone({actions_text(op.ops, key)})"


def _silent(op: Any, key: int) -> Iterator[str]:
    return iter(())


_SHOWN: dict[type, Callable[[Any, int], Iterator[str]]] = {
    ops.Out: _out,
    ops.Encap: _encap,
    ops.SetBits: _set,
    ops.PushVlan: _push,
    ops.PopVlan: _pop,
    ops.Track: _track,
    ops.Punt: _punt,
    ops.Metered: _metered,
    ops.Cloned: _cloned,
    ops.Learnt: _silent,
    ops.Sampled: _silent,
}
