"""What each action does to a packet in a trace.

A step gets the place and the action, which is recorded already; it changes the packet and goes on where the
action goes on.  What only a running network knows is taken for granted, with a note that says so.
"""
# ruff: noqa: D103  (every step is described by the action it is for)

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyovn.lang.actions import Action
from pyovn.lang.actions.affinity import CommitLbAff
from pyovn.lang.actions.balance import CtLb, FwdGroup, Select
from pyovn.lang.actions.dhcp import PutDhcpOpts
from pyovn.lang.actions.ecmp import CommitEcmpNh
from pyovn.lang.actions.events import TriggerEvent
from pyovn.lang.actions.fdb import GetFdb, LookupFdb, PutFdb
from pyovn.lang.actions.flow import Clone, Next, Output
from pyovn.lang.actions.limits import CheckPktLarger, SetMeter, SetQueue
from pyovn.lang.actions.log import Log
from pyovn.lang.actions.lookups import FlagLookup, RegisterLookup, Visit
from pyovn.lang.actions.mirror import Mirror
from pyovn.lang.actions.move import DecTtl, Exchange, Load, LoadPort, Move, Pop, Push
from pyovn.lang.actions.names import DnsLookup
from pyovn.lang.actions.neighbours import GetNeighbour, LookupNeighbour, LookupNeighbourIp, PutNeighbour
from pyovn.lang.actions.nests import Nest
from pyovn.lang.actions.punts import BindVport, HandleSvcCheck, Punt
from pyovn.lang.actions.relay import DhcpRelay
from pyovn.lang.actions.router_advert import PutNdRaOpts
from pyovn.lang.actions.sample import Sample
from pyovn.lang.actions.scope import full_name
from pyovn.lang.actions.tracking import (
    CtClear,
    CtCommit,
    CtCommitNat,
    CtCommitToZone,
    CtNat,
    CtNext,
    CtSnatToVip,
)
from pyovn.lang.match.evaluate import read
from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import INPORT, OUTPORT
from pyovn.lang.text import Constant, hex_text
from pyovn.net.ip import ip4_str, ip6_str, ip_str, multicast_mac6, solicited_node
from pyovn.net.mac import BROADCAST, mac_str
from pyovn.openflow.fields import FIELDS, FULL
from pyovn.trace.flow_text import CT_FLAGS, ct_state_text, flow_text
from pyovn.trace.packet import CONNECTION_FIELDS, CONNECTION_TUPLE, Packet, forget
from pyovn.trace.port_security import violates_in, violates_out

if TYPE_CHECKING:
    from pyovn.trace.tracer import Here

IP4, IP6, ARP = 0x800, 0x86DD, 0x806
TCP, UDP, SCTP, ICMP, ICMP6 = 6, 17, 132, 1, 58
_RST = 4
_UNREACHABLE = {4: (3, 1), 6: (1, 1)}  #: ICMP type and code: host, or administratively prohibited
_DEFAULT = " /* default (use --ct to customize) */"
CT_SNAT, CT_DNAT = 1 << CT_FLAGS.index("snat"), 1 << CT_FLAGS.index("dnat")
CT_INVALID = 1 << CT_FLAGS.index("inv")

_PORT_FIELDS = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}
#: the second field of a protocol, which a backend's port goes to; ICMP's code counts as one, as in ovn-trace
_SECOND_FIELDS = {protocol: f"{name}_dst" for protocol, name in _PORT_FIELDS.items()}
_SECOND_FIELDS |= {ICMP: "icmp_code", ICMP6: "icmpv6_code"}


def value_of(part: Part, packet: Packet) -> int:
    """What a packet has in a field or subfield."""
    if part.symbol.is_string:
        return packet.get(part.symbol.openflow, 0)
    return read(part.symbol, packet) >> part.low & (1 << part.width) - 1


def write(part: Part, packet: Packet, value: int, mask: int | None = None) -> None:
    """Write (some bits of) a value into a field or subfield."""
    symbol = part.symbol
    if symbol.is_string:
        packet[symbol.openflow] = value
        return
    base = symbol.base or symbol
    shift = part.low + symbol.shift
    mask = ((1 << part.width) - 1 if mask is None else mask & (1 << part.width) - 1) << shift
    value = value << shift & mask
    for name, width in reversed(base.pieces):
        bits = mask & FULL[name]
        if bits:
            packet[name] = packet.get(name, 0) & ~bits | value & bits
        mask >>= width
        value >>= width


def is_header(part: Part) -> bool:
    """Whether people outside can see it: packet headers and the packet's mark."""
    symbol = part.symbol
    base = symbol.base or symbol
    return not symbol.is_string and not base.name.startswith(("reg", "xreg", "xxreg", "flags", "__", "ct_"))


#: form of an OpenFlow field → its notation
NOTATIONS: dict[str, Callable[[int], str]] = {"mac": mac_str, "ip4": ip4_str, "ip6": ip6_str, "decimal": str}


def constant_text(source: Part, value: int) -> str:
    """A value in the notation of the field it was read from; bits of fields and registers are hexadecimal."""
    base = source.symbol.base or source.symbol
    if source.width == base.width and len(base.pieces) == 1:
        return NOTATIONS.get(FIELDS[base.openflow].form, hex_text)(value)
    return hex_text(value)


def quiet(_here: "Here", _action: Action) -> None:
    """Nothing that a trace can show."""


def load(here: "Here", action: Load) -> None:
    constant: Constant = action.value
    if action.dst.symbol.pieces or action.dst.symbol.base is not None:
        write(action.dst, here.packet, constant.value, constant.mask)
    if is_header(action.dst):
        here.node.add("modify", f"{full_name(action.dst)} = {constant}")


def load_port(here: "Here", action: LoadPort) -> None:
    key = here.keys(action.port) if action.port else 0
    if key is None:
        here.tracer.network.warn(f"{action.port}: unknown logical port")
    write(action.dst, here.packet, key or 0)


def move(here: "Here", action: Move) -> None:
    value = value_of(action.src, here.packet)
    write(action.dst, here.packet, value)
    _show_write(here, action.dst, action.src, value)


def _show_write(here: "Here", part: Part, source: Part, value: int) -> None:
    if is_header(part):
        here.node.add("modify", f"{full_name(part)} = {constant_text(source, value)}")


def exchange(here: "Here", action: Exchange) -> None:
    left, right = value_of(action.left, here.packet), value_of(action.right, here.packet)
    write(action.left, here.packet, right)
    write(action.right, here.packet, left)
    _show_write(here, action.left, action.right, right)
    _show_write(here, action.right, action.left, left)


def push(here: "Here", action: Push) -> None:
    value = value_of(action.src, here.packet)
    here.tracer.stack.append(value)
    here.node.add("modify", f"{str(action)[:-1]} -> {hex_text(value)}")


def pop(here: "Here", action: Pop) -> None:
    if not here.tracer.stack:
        here.node.add("modify", f"{str(action)[:-1]} <- /* empty stack */")
        return
    value = here.tracer.stack.pop()
    write(action.dst, here.packet, value)
    here.node.add("modify", f"{str(action)[:-1]} <- {hex_text(value)}")


def dec_ttl(here: "Here", action: DecTtl) -> None:
    ttl = here.packet.get("ip_ttl", 0)
    if not ttl:
        here.node.add("error", "*** TTL underflow")
        return
    here.packet["ip_ttl"] = ttl - 1
    here.node.add("modify", "ip.ttl--")


def go_next(here: "Here", action: Next) -> None:
    if str(action) != "next;":
        here.node.children[-1].facts["detail"] = True
    if action.pipeline == here.pipeline:
        here.go_on(action.table)
        return
    register, name = (INPORT, "inport") if action.pipeline == "ingress" else (OUTPORT, "outport")
    port = here.datapath.name_of(here.packet.get(register, 0))
    text = f'{action.pipeline}(dp="{here.datapath.friendly}", {name}="{port}")'
    node = here.node.add("pipeline", text, datapath=here.datapath.name, **{name: port})
    here.tracer.visit(here.datapath, action.pipeline, action.table, here.packet, node)


def output(here: "Here", action: Output) -> None:
    here.tracer.output(here)


def clone(here: "Here", action: Clone) -> None:
    here.on_copy(here.node.add("transformation", "clone")).run(action.nested)


def mirror(here: "Here", action: Mirror) -> None:
    copy = here.on_copy(here.node.add("transformation", "clone"))
    copy.packet[OUTPORT] = here.keys(action.port) or 0
    here.tracer.visit(here.datapath, "egress", 0, copy.packet, copy.node)


# Conntrack.


def _tracked(here: "Here", title: str, state: int) -> "Here":
    """A copy of the packet that conntrack has seen."""
    copy = here.on_copy(here.node.add("transformation", title))
    packet = copy.packet
    packet["ct_state"] = state
    if not state & CT_INVALID and packet.get("eth_type") in (IP4, IP6):
        _remember_tuple(packet)
    return copy


def _remember_tuple(packet: Packet) -> None:
    """Addresses, protocol and ports as conntrack knows them."""
    family = ("ip", "ct_nw") if packet["eth_type"] == IP4 else ("ipv6", "ct_ipv6")
    protocol = packet.get("ip_proto", 0)
    for end in ("src", "dst"):
        packet[f"{family[1]}_{end}"] = packet.get(f"{family[0]}_{end}", 0)
        packet[f"ct_tp_{end}"] = _transport(packet, protocol, end)
    packet["ct_nw_proto"] = protocol


def _transport(packet: Packet, protocol: int, end: str) -> int:
    if protocol in _PORT_FIELDS:
        return packet.get(f"{_PORT_FIELDS[protocol]}_{end}", 0)
    kind = "type" if end == "src" else "code"
    return packet.get(f"icmp_{kind}" if protocol == ICMP else f"icmpv6_{kind}", 0) if protocol in (ICMP, ICMP6) else 0


def ct_next(here: "Here", action: CtNext) -> None:
    state, default = here.tracer.next_ct_state()
    copy = _tracked(here, f"ct_next(ct_state={ct_state_text(state)}{_DEFAULT if default else ''})", state)
    if state & CT_INVALID:
        forget(copy.packet, CONNECTION_TUPLE)
    copy.go_on(here.table + 1)


def _translated(here: "Here", title: str, extra: int = 0) -> "Here":
    """The packet after conntrack; what conntrack said of it before still holds."""
    state, default = here.packet.get("ct_state", 0), False
    if not state:
        state, default = here.tracer.next_ct_state()
    return _tracked(here, title + (_DEFAULT if default else ""), state | extra)


def _balanced(here: "Here", title: str, extra: int) -> "Here":
    """The packet after conntrack, which looked at it anew."""
    state, default = here.tracer.next_ct_state()
    return _tracked(here, title + (_DEFAULT if default else ""), here.packet.get("ct_state", 0) | state | extra)


def ct_nat(here: "Here", action: CtNat) -> None:
    # C OVN prints the name of the common-zone variants without their underscore.
    name = f"ct_{action.direction}{'in_czone' if action.in_common_zone else ''}"
    if not action.version:
        if action.direction == "snat" and here.datapath.is_gateway:
            return  # ovn-trace(8): on a gateway router it does nothing
        _translated(here, f"{name} /* assuming no un-{action.direction} entry, so no change */").go_on(here.table + 1)
        return
    end, flag = ("dst", CT_DNAT) if action.direction == "dnat" else ("src", CT_SNAT)
    field = f"ip{action.version}.{end}"
    copy = _translated(here, f"{name}({field}={ip_str(action.version, action.address)})", flag)
    if copy.packet.get("eth_type") == (IP4 if action.version == 4 else IP6):
        copy.packet[f"ip_{end}" if action.version == 4 else f"ipv6_{end}"] = action.address
    copy.go_on(here.table + 1)


def ct_commit_nat(here: "Here", action: CtCommitNat) -> None:
    _translated(here, "ct_commit_nat /* assuming no un-nat entry, so no change */").go_on(here.table + 1)


def ct_commit_to_zone(here: "Here", action: CtCommitToZone) -> None:
    _translated(here, f"ct_commit_to_zone({action.zone})").go_on(here.table + 1)


def ct_clear(here: "Here", action: CtClear) -> None:
    forget(here.packet, CONNECTION_FIELDS)


def ct_lb(here: "Here", action: CtLb) -> None:
    version = {IP4: 4, IP6: 6}.get(here.packet.get("eth_type", 0), 0)
    found = _backend(here, action, version)
    if found is None and action.backends:
        here.node.add("error", "*** no load balancing destination (use --lb-dst)")
    copy = _balanced(here, action.name, CT_DNAT if found else 0)
    if found is not None:
        address, port = found
        copy.packet["ip_dst" if version == 4 else "ipv6_dst"] = address
        protocol = copy.packet.get("ip_proto", 0)
        if port and protocol in _SECOND_FIELDS:
            copy.packet[_SECOND_FIELDS[protocol]] = port
    copy.go_on(here.table + 1)


def _backend(here: "Here", action: CtLb, version: int) -> tuple[int, int] | None:
    """(address, port) that the user prefers, or one of those there are."""
    wanted = here.tracer.options.lb_dst
    fitting = [one for one in action.backends if one.version == version]
    if wanted is not None and wanted[0] == version:
        if not action.backends:
            return wanted[1:]
        for one in fitting:
            if one.address == wanted[1] and one.port == wanted[2]:
                return one.address, one.port
    if not fitting:
        return None
    chosen = fitting[here.tracer.options.choose(len(fitting))]
    return chosen.address, chosen.port


def select(here: "Here", action: Select) -> None:
    numbers = [number for number, _ in action.choices]
    wanted = here.tracer.options.select_id
    comment = ""
    if wanted not in numbers:
        wanted = numbers[here.tracer.options.choose(len(numbers))]
        comment = " /* Randomly selected. Use --select-id to specify. */"
    title = f"select: {full_name(action.result)} = {wanted}{comment}"
    copy = here.on_copy(here.node.add("transformation", title))
    write(action.result, copy.packet, wanted)
    copy.go_on(here.table + 1)


# Packets made from packets.


def nest(here: "Here", action: Nest) -> None:
    if action.name == "reject" and here.packet.get("ip_proto") == TCP and here.packet.get("tcp_flags") == _RST:
        return  # a reset has no answer: two sides that refuse each other's would go on for ever
    name, become = _NESTS[action.name](here.packet)
    copy = here.on_copy(here.node.add("transformation", name, instead_of=dict(here.packet)))
    become(copy.packet)
    copy.run(action.nested)


def _become_arp(packet: Packet) -> None:
    spa, tpa = packet.get("ip_src", 0), packet.get("ip_dst", 0)
    _strip(packet)
    packet.update(eth_type=ARP, arp_op=1, arp_sha=packet.get("eth_src", 0), arp_tha=0, arp_spa=spa, arp_tpa=tpa)


def _become_nd_ns(packet: Packet) -> None:
    target = packet.get("ipv6_dst", 0)
    packet["eth_dst"] = multicast_mac6(solicited_node(target))
    for field in ("tcp_src", "udp_src", "sctp_src", "icmpv6_type"):
        packet[field] = 135
    packet.update(icmpv6_code=0, nd_target=target)


def _become_nd_na(packet: Packet) -> None:
    target = packet.get("nd_target", 0)
    packet.update(
        eth_src=packet.get("eth_dst", 0),
        eth_dst=packet.get("eth_src", 0),
        ipv6_dst=packet.get("ipv6_src", 0),
        ipv6_src=target,
        icmpv6_type=136,
        nd_sll=0,
        nd_tll=packet.get("eth_dst", 0),
    )


def _become_icmp(packet: Packet) -> None:
    version = 4 if packet.get("eth_type") == IP4 else 6
    kind, code = _UNREACHABLE[version]
    packet.update(ip_proto=ICMP if version == 4 else ICMP6, ip_ttl=255, ip_frag=0)
    prefix = "icmp" if version == 4 else "icmpv6"
    packet.update({f"{prefix}_type": kind, f"{prefix}_code": code})


def _become_reset(packet: Packet) -> None:
    packet.update(ip_ttl=255, ip_frag=0, ip_proto=TCP, tcp_flags=_RST)


def _become_abort(packet: Packet) -> None:
    packet.update(ip_ttl=255, ip_frag=0, ip_proto=SCTP)


def _strip(packet: Packet) -> None:
    """Drop what is above the link layer."""
    for field in list(packet):
        if field.startswith(("ip_", "ipv6_", "tcp_", "udp_", "sctp_", "icmp", "nd_")):
            del packet[field]


def _turned(become: "Callable[[Packet], None]") -> "Callable[[Packet], None]":
    """A reply: addresses exchanged first."""

    def turn(packet: Packet) -> None:
        for layer in ("eth", "ip", "ipv6"):
            source, destination = packet.get(f"{layer}_src", 0), packet.get(f"{layer}_dst", 0)
            packet[f"{layer}_src"], packet[f"{layer}_dst"] = destination, source
        become(packet)

    return turn


def _rejection(packet: Packet) -> "tuple[str, Callable[[Packet], None]]":
    protocol = packet.get("ip_proto", 0)
    if protocol == TCP:
        return "tcp_reset", _turned(_become_reset)
    if protocol == SCTP:
        return "sctp_abort", _turned(_become_abort)
    return "icmp4" if packet.get("eth_type") == IP4 else "icmp6", _turned(_become_icmp)


_NESTS: "dict[str, Callable[[Packet], tuple[str, Callable[[Packet], None]]]]" = {
    "arp": lambda _packet: ("arp", _become_arp),
    "nd_ns": lambda _packet: ("nd_ns", _become_nd_ns),
    "nd_na": lambda _packet: ("nd_na", _become_nd_na),
    "nd_na_router": lambda _packet: ("nd_na_router", _become_nd_na),
    "icmp4": lambda _packet: ("icmp4", _become_icmp),
    "icmp4_error": lambda _packet: ("icmp4", _become_icmp),
    "icmp6": lambda _packet: ("icmp6", _become_icmp),
    "icmp6_error": lambda _packet: ("icmp6", _become_icmp),
    "tcp_reset": lambda _packet: ("tcp_reset", _become_reset),
    "sctp_abort": lambda _packet: ("sctp_abort", _become_abort),
    "reject": _rejection,
}


# What the database knows.


def get_neighbour(here: "Here", action: GetNeighbour) -> None:
    mac = _known_mac(here, action.port, action.address, action.version)
    here.say("No MAC binding." if mac is None else f"MAC binding to {mac_str(mac)}.")
    here.packet["eth_dst"] = mac or 0
    here.node.add("modify", f"eth.dst = {mac_str(mac or 0)}")


def _known_mac(here: "Here", port: Part, address: Part, version: int) -> int | None:
    known = here.datapath.neighbours.get(value_of(port, here.packet), {})
    return known.get((version, value_of(address, here.packet)))


def lookup_neighbour(here: "Here", action: LookupNeighbour) -> None:
    mac = _known_mac(here, action.port, action.address, action.version)
    found = mac is not None and mac == value_of(action.mac, here.packet)
    destination = mac_str(here.packet.get("eth_dst", 0))  # the wrong one to name, but C OVN's words
    here.say(f"MAC binding to {destination} found." if found else "lookup failed - No MAC binding.")
    write(action.result, here.packet, int(found))


def lookup_neighbour_ip(here: "Here", action: LookupNeighbourIp) -> None:
    mac = _known_mac(here, action.port, action.address, action.version)
    here.say("lookup failed - No MAC binding." if mac is None else "MAC binding found.")
    write(action.result, here.packet, int(mac is not None))


def get_fdb(here: "Here", action: GetFdb) -> None:
    if action.remote:
        here.node.add("remark", "/* The remote FDB table is different per each chassis. */")
        return
    write(action.result, here.packet, here.datapath.fdb.get(value_of(action.mac, here.packet), 0))


def lookup_fdb(here: "Here", action: LookupFdb) -> None:
    mac = value_of(action.mac, here.packet)
    found = here.datapath.fdb.get(mac) == value_of(action.port, here.packet)
    destination = mac_str(here.packet.get("eth_dst", 0))  # the wrong one to name, but C OVN's words
    here.say(f"MAC lookup for {destination} found in FDB." if found else "lookup mac failed in mac learning table.")
    write(action.result, here.packet, int(found))


# What the tracer answers by itself.


def flag_lookup(here: "Here", action: FlagLookup) -> None:
    key = here.packet.get(INPORT if action.name == "check_in_port_sec" else OUTPORT, 0)
    port = here.datapath.port_of(key)
    answer = 0
    if port is not None and action.name == "check_in_port_sec":
        answer = int(violates_in(port.port_security, here.packet))
    elif port is not None and action.name == "check_out_port_sec":
        answer = int(violates_out(port.port_security, here.packet))
    write(action.result, here.packet, answer)
    if action.name.startswith("chk_lb_hairpin"):
        here.node.add("modify", f"{full_name(action.result)} = {answer}")


def register_lookup(here: "Here", action: RegisterLookup) -> None:
    packet = here.packet
    protocol = packet.get("ip_proto", 0)
    value = {
        "ct_nw_dst": packet.get("ct_nw_dst", 0),
        "ct_ip6_dst": packet.get("ct_ipv6_dst", 0),
        "ct_tp_dst": _transport(packet, protocol, "dst"),
        "ct_proto": protocol,
        "ct_state_save": packet.get("ct_state", 0),
    }[action.name]
    write(action.result, packet, value)
    if action.name == "ct_state_save":
        here.say(f"{full_name(action.result)} = {value & 0xFF};")
    elif action.name in ("ct_tp_dst", "ct_proto"):
        here.node.add("modify", f"{full_name(action.result)} = {value}")


def visit(here: "Here", action: Visit) -> None:
    if action.name == "flood_remote":
        here.node.add("remark", "/* Flood to all remote chassis */")


_REQUEST = "/* We assume that this packet is DHCPDISCOVER or DHCPREQUEST. */"
_RESPONSE = (
    "/* We assume that this packet is DHCPOFFER or DHCPACK and DHCP broadcast flag is set. Dest IP is set to "
    "broadcast. Dest MAC is set to broadcast but in real network this is unicast which is extracted from DHCP "
    "header. */"
)


def put_dhcp_opts(here: "Here", action: PutDhcpOpts) -> None:
    here.node.add("error", _REQUEST)
    write(action.result, here.packet, 1)
    here.node.add("modify", str(action).split(" = ", 1)[1].removesuffix(";"))


def dhcp_relay(here: "Here", action: DhcpRelay) -> None:
    if action.name == "dhcp_relay_req_chk":
        here.node.add("error", _REQUEST)
    else:
        here.node.add("error", _RESPONSE)
        here.packet.update(eth_dst=BROADCAST, ip_dst=0xFFFFFFFF)
    write(action.result, here.packet, 1)


def put_nd_ra_opts(here: "Here", action: PutNdRaOpts) -> None:
    write(action.result, here.packet, 1)
    here.node.add("modify", str(action).split(" = ", 1)[1].removesuffix(";"))


def dns_lookup(here: "Here", action: DnsLookup) -> None:
    here.node.add("error", "*** dns_lookup action not implemented")


def log(here: "Here", action: Log) -> None:
    name = action.name or "<unnamed>"
    direction = "IN" if here.pipeline == "ingress" else "OUT"
    here.node.add(
        "transformation",
        f"LOG: ACL name={name}, direction={direction}, verdict={action.verdict}, severity={action.severity}, "
        f'packet="{flow_text(here.packet)}"',
    )


def check_pkt_larger(here: "Here", action: CheckPktLarger) -> None:
    write(action.result, here.packet, 0)


STEPS: "dict[type, Callable[[Here, Any], None]]" = {
    Load: load,
    LoadPort: load_port,
    Move: move,
    Exchange: exchange,
    Push: push,
    Pop: pop,
    DecTtl: dec_ttl,
    Next: go_next,
    Output: output,
    Clone: clone,
    Mirror: mirror,
    CtNext: ct_next,
    CtCommit: quiet,
    CtCommitNat: ct_commit_nat,
    CtCommitToZone: ct_commit_to_zone,
    CtNat: ct_nat,
    CtClear: ct_clear,
    CtSnatToVip: quiet,
    CtLb: ct_lb,
    Select: select,
    FwdGroup: quiet,
    Nest: nest,
    GetNeighbour: get_neighbour,
    PutNeighbour: quiet,
    LookupNeighbour: lookup_neighbour,
    LookupNeighbourIp: lookup_neighbour_ip,
    GetFdb: get_fdb,
    PutFdb: quiet,
    LookupFdb: lookup_fdb,
    FlagLookup: flag_lookup,
    RegisterLookup: register_lookup,
    Visit: visit,
    PutDhcpOpts: put_dhcp_opts,
    DhcpRelay: dhcp_relay,
    PutNdRaOpts: put_nd_ra_opts,
    DnsLookup: dns_lookup,
    Log: log,
    SetQueue: quiet,
    SetMeter: quiet,
    CheckPktLarger: check_pkt_larger,
    TriggerEvent: quiet,
    BindVport: quiet,
    HandleSvcCheck: quiet,
    Punt: quiet,
    CommitEcmpNh: quiet,
    CommitLbAff: quiet,
    Sample: quiet,
}
