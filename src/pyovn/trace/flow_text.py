"""A packet in Open vSwitch's flow notation, as the first line of a trace has it.

    tcp,reg14=0x1,vlan_tci=0x0000,dl_src=…,nw_src=1.1.1.1,…,tp_src=1000,tp_dst=80,tcp_flags=0

Header fields are all there; metadata only where it is not zero.
"""

from collections.abc import Iterator, Mapping

from pyovn.net.ip import ip4_str, ip6_str
from pyovn.net.mac import mac_str

Packet = Mapping[str, int]

IP4, IP6, ARP, RARP = 0x800, 0x86DD, 0x806, 0x8035
TCP, UDP, SCTP, ICMP, ICMP6, IGMP = 6, 17, 132, 1, 58, 2

CT_FLAGS = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")
_TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns")
_FRAGMENTS = {0: "no", 1: "first", 3: "later"}
_PROTOCOLS = {
    (IP4, TCP): "tcp",
    (IP4, UDP): "udp",
    (IP4, SCTP): "sctp",
    (IP4, ICMP): "icmp",
    (IP6, TCP): "tcp6",
    (IP6, UDP): "udp6",
    (IP6, SCTP): "sctp6",
    (IP6, ICMP6): "icmp6",
}
_ETHERTYPES = {IP4: "ip", IP6: "ipv6", ARP: "arp", RARP: "rarp"}
_PORTS = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}


def flow_text(packet: Packet) -> str:
    """The packet's fields, comma-separated."""
    return ",".join(_terms(packet))


def _terms(packet: Packet) -> Iterator[str]:
    ethertype, protocol = packet.get("eth_type", 0), packet.get("ip_proto", 0)
    if packet.get("pkt_mark"):
        yield f"pkt_mark={packet['pkt_mark']:#x}"
    yield from _connection(packet)
    name = _PROTOCOLS.get((ethertype, protocol)) or _ETHERTYPES.get(ethertype)
    if name:
        yield name
    for number in range(16):
        if packet.get(f"reg{number}"):
            yield f"reg{number}={packet[f'reg{number}']:#x}"
    yield from _link_layer(packet)
    if not name:
        yield f"dl_type=0x{ethertype:04x}"
    if ethertype in (IP4, IP6):
        yield from _ip(packet, ethertype, protocol)
    elif ethertype in (ARP, RARP):
        yield from _arp(packet)


def ct_state_text(state: int) -> str:
    """`est|trk`."""
    return "|".join(name for bit, name in enumerate(CT_FLAGS) if state >> bit & 1)


def _connection(packet: Packet) -> Iterator[str]:
    if not packet.get("ct_state"):
        return
    yield f"ct_state={ct_state_text(packet['ct_state'])}"
    if packet.get("ct_mark"):
        yield f"ct_mark={packet['ct_mark']:#x}"
    if packet.get("ct_label"):
        yield f"ct_label={packet['ct_label']:#x}"
    if packet.get("ct_nw_proto"):
        if packet.get("eth_type") == IP6:
            if _is_neighbour_discovery(packet):
                yield from _ports_of_connection(packet)
                return
            yield f"ct_ipv6_src={ip6_str(packet.get('ct_ipv6_src', 0))}"
            yield f"ct_ipv6_dst={ip6_str(packet.get('ct_ipv6_dst', 0))}"
        else:
            yield f"ct_nw_src={ip4_str(packet.get('ct_nw_src', 0))}"
            yield f"ct_nw_dst={ip4_str(packet.get('ct_nw_dst', 0))}"
        yield from _ports_of_connection(packet)


def _ports_of_connection(packet: Packet) -> Iterator[str]:
    yield f"ct_nw_proto={packet['ct_nw_proto']}"
    yield f"ct_tp_src={packet.get('ct_tp_src', 0)}"
    yield f"ct_tp_dst={packet.get('ct_tp_dst', 0)}"


def _is_neighbour_discovery(packet: Packet) -> bool:
    """Open vSwitch keeps no original IPv6 addresses for these: the target has their place."""
    return packet.get("ip_proto") == ICMP6 and packet.get("icmpv6_type", 0) in (135, 136)


def _link_layer(packet: Packet) -> Iterator[str]:
    tci = packet.get("vlan_tci", 0)
    if tci & 0x1000:
        yield f"dl_vlan={tci & 0xFFF}"
        yield f"dl_vlan_pcp={tci >> 13}"
        yield "vlan_tci1=0x0000"
    else:
        yield f"vlan_tci=0x{tci:04x}"
    yield f"dl_src={mac_str(packet.get('eth_src', 0))}"
    yield f"dl_dst={mac_str(packet.get('eth_dst', 0))}"


def _ip(packet: Packet, ethertype: int, protocol: int) -> Iterator[str]:
    if ethertype == IP4:
        yield f"nw_src={ip4_str(packet.get('ip_src', 0))}"
        yield f"nw_dst={ip4_str(packet.get('ip_dst', 0))}"
    else:
        yield f"ipv6_src={ip6_str(packet.get('ipv6_src', 0))}"
        yield f"ipv6_dst={ip6_str(packet.get('ipv6_dst', 0))}"
        yield f"ipv6_label=0x{packet.get('ipv6_label', 0):05x}"
    if (ethertype, protocol) not in _PROTOCOLS:
        yield f"nw_proto={protocol}"
    yield f"nw_tos={packet.get('ip_dscp', 0) << 2}"
    yield f"nw_ecn={packet.get('ip_ecn', 0)}"
    yield f"nw_ttl={packet.get('ip_ttl', 0)}"
    fragment = packet.get("ip_frag", 0)
    yield f"nw_frag={_FRAGMENTS.get(fragment, '<error>')}"
    if fragment & 2 == 0:
        yield from _transport(packet, ethertype, protocol)


def _transport(packet: Packet, ethertype: int, protocol: int) -> Iterator[str]:
    if protocol in _PORTS:
        name = _PORTS[protocol]
        yield f"tp_src={packet.get(f'{name}_src', 0)}"
        yield f"tp_dst={packet.get(f'{name}_dst', 0)}"
        if protocol == TCP:
            yield f"tcp_flags={_tcp_flags(packet.get('tcp_flags', 0))}"
    elif (ethertype, protocol) == (IP4, ICMP):
        yield f"icmp_type={packet.get('icmp_type', 0)}"
        yield f"icmp_code={packet.get('icmp_code', 0)}"
    elif (ethertype, protocol) == (IP6, ICMP6):
        yield from _icmp6(packet)
    elif (ethertype, protocol) == (IP4, IGMP):
        yield "tp_src=0"
        yield "tp_dst=0"


def _icmp6(packet: Packet) -> Iterator[str]:
    kind = packet.get("icmpv6_type", 0)
    yield f"icmp_type={kind}"
    yield f"icmp_code={packet.get('icmpv6_code', 0)}"
    if kind in (135, 136):
        yield f"nd_target={ip6_str(packet.get('nd_target', 0))}"
        yield f"nd_sll={mac_str(packet.get('nd_sll', 0))}"
        yield f"nd_tll={mac_str(packet.get('nd_tll', 0))}"


def _tcp_flags(flags: int) -> str:
    return "|".join(name for bit, name in enumerate(_TCP_FLAGS) if flags >> bit & 1) or "0"


def _arp(packet: Packet) -> Iterator[str]:
    yield f"arp_spa={ip4_str(packet.get('arp_spa', 0))}"
    yield f"arp_tpa={ip4_str(packet.get('arp_tpa', 0))}"
    yield f"arp_op={packet.get('arp_op', 0)}"
    yield f"arp_sha={mac_str(packet.get('arp_sha', 0))}"
    yield f"arp_tha={mac_str(packet.get('arp_tha', 0))}"
