"""A frame in one line, as tcpdump would put it, tunnels unwrapped.

    40:44:00:00:00:01 > 40:44:00:00:00:02, IPv4 192.168.0.11 > 192.168.0.12: ICMP echo request, id 1, seq 1, length 64
    …, UDP 42113 > 6081: Geneve, vni 0x1, OVN ingress 1 egress 2 | 40:44:… > …

Made for people; nothing parses it.  What cannot be decoded is named and left as a length.
"""

from collections.abc import Callable

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_str, ip6_str, ip_str
from pyovn.net.mac import mac_str
from pyovn.packet import arp, ethernet, geneve, icmp4, icmp6, ipv4, ipv6, nd, tcp, udp, vxlan

TCP_FLAGS = ((tcp.SYN, "S"), (tcp.FIN, "F"), (tcp.RST, "R"), (tcp.PSH, "P"), (tcp.ACK, "."))
ICMP4 = {
    icmp4.ECHO_REQUEST: "echo request",
    icmp4.ECHO_REPLY: "echo reply",
    icmp4.UNREACHABLE: "unreachable",
    icmp4.TIME_EXCEEDED: "time exceeded",
    icmp4.REDIRECT: "redirect",
}
ICMP6 = {
    icmp6.ECHO_REQUEST: "echo request",
    icmp6.ECHO_REPLY: "echo reply",
    icmp6.UNREACHABLE: "unreachable",
    icmp6.TOO_BIG: "packet too big",
    icmp6.TIME_EXCEEDED: "time exceeded",
    icmp6.RS: "router solicitation",
    icmp6.RA: "router advertisement",
    icmp6.NS: "neighbor solicitation",
    icmp6.NA: "neighbor advertisement",
    icmp6.MLD2_REPORT: "multicast listener report v2",
}
ECHOES = {"echo request", "echo reply"}


def describe(frame: bytes) -> str:
    """The frame in one line."""
    try:
        ether = ethernet.parse(frame)
    except Malformed as fault:
        return f"{fault}"
    tag = f"vlan {ether.vid}, " if ether.tci is not None else ""
    return f"{mac_str(ether.src)} > {mac_str(ether.dst)}, {tag}{_payload(ether)}"


def _payload(ether: ethernet.Ethernet) -> str:
    decoder = ETHERNET.get(ether.type)
    if decoder is None:
        return f"ethertype 0x{ether.type:04x}, length {len(ether.payload)}"
    try:
        return decoder(ether.payload)
    except Malformed as fault:
        return f"ethertype 0x{ether.type:04x}, malformed ({fault})"


def _arp(data: bytes) -> str:
    message = arp.parse(data)
    if message.op == arp.REQUEST:
        asked = f"ARP, request who-has {ip4_str(message.tpa)}"
        return f"{asked} (announcement)" if message.spa == message.tpa else f"{asked} tell {ip4_str(message.spa)}"
    if message.op == arp.REPLY:
        return f"ARP, reply {ip4_str(message.spa)} is-at {mac_str(message.sha)}"
    return f"ARP, op {message.op}"


def _rarp(data: bytes) -> str:
    message = arp.parse(data)
    return f"RARP, op {message.op} who-is {mac_str(message.tha)} tell {mac_str(message.sha)}"


def _ip4(data: bytes) -> str:
    packet = ipv4.parse(data, verify=False)
    ends = f"IPv4 {ip4_str(packet.src)} > {ip4_str(packet.dst)}"
    if packet.offset:
        return f"{ends}: fragment at {packet.offset}, proto {packet.proto}, length {len(packet.payload)}"
    return f"{ends}: {_transport(4, packet.proto, packet.src, packet.dst, packet.payload)}"


def _ip6(data: bytes) -> str:
    packet = ipv6.parse(data)
    upper = ipv6.upper(packet)
    ends = f"IPv6 {ip6_str(packet.src)} > {ip6_str(packet.dst)}"
    if upper.fragment and upper.fragment[0]:
        return f"{ends}: fragment at {upper.fragment[0]}, proto {upper.proto}, length {len(upper.payload)}"
    return f"{ends}: {_transport(6, upper.proto, packet.src, packet.dst, upper.payload)}"


def _transport(version: int, proto: int, src: int, dst: int, data: bytes) -> str:
    if proto == tcp.PROTO:
        return _tcp(data)
    if proto == udp.PROTO:
        return _udp(data)
    if proto == ipv4.ICMP and version == 4:
        message = icmp4.parse(data, verify=False)
        return _icmp("ICMP", ICMP4, message.type, message.code, message.rest, len(data))
    if proto == icmp6.PROTO:
        return _icmp6(icmp6.parse(data, src, dst, verify=False), len(data))
    return f"proto {proto}, length {len(data)}"


def _icmp(name: str, names: dict[int, str], type_: int, code: int, rest: int, length: int) -> str:
    what = names.get(type_, f"type {type_} code {code}")
    if what in ECHOES:
        return f"{name} {what}, id {rest >> 16}, seq {rest & 0xFFFF}, length {length}"
    return f"{name} {what}{f' code {code}' if code else ''}, length {length}"


def _icmp6(message: icmp6.Icmp6, length: int) -> str:
    if message.type not in (icmp6.NS, icmp6.NA):
        return _icmp("ICMP6", ICMP6, message.type, message.code, message.rest, length)
    neighbor = nd.parse(message)
    told = f", {'source' if message.type == icmp6.NS else 'target'} {mac_str(neighbor.lla)}" if neighbor.lla else ""
    verb = "who has" if message.type == icmp6.NS else "tgt is"
    return f"ICMP6 {ICMP6[message.type]}, {verb} {ip_str(6, neighbor.target)}{told}"


def _tcp(data: bytes) -> str:
    segment = tcp.parse(data)
    flags = "".join(letter for bit, letter in TCP_FLAGS if segment.flags & bit) or "none"
    acknowledged = f", ack {segment.ack}" if segment.flags & tcp.ACK else ""
    numbers = f"seq {segment.seq}{acknowledged}, length {len(segment.data)}"
    return f"TCP {segment.src_port} > {segment.dst_port} [{flags}] {numbers}"


def _udp(data: bytes) -> str:
    datagram = udp.parse(data)
    ports = f"UDP {datagram.src_port} > {datagram.dst_port}"
    decoder = TUNNELS.get(datagram.dst_port)
    if decoder is None:
        return f"{ports}, length {len(datagram.data)}"
    try:
        return f"{ports}: {decoder(datagram.data)}"
    except Malformed as fault:
        return f"{ports}, malformed tunnel ({fault})"


def _geneve(data: bytes) -> str:
    packet = geneve.parse(data)
    keys = geneve.ovn_keys(packet)
    ports = f", OVN ingress {keys[0]} egress {keys[1]}" if keys else ""
    return f"Geneve, vni 0x{packet.vni:x}{ports} | {describe(packet.payload)}"


def _vxlan(data: bytes) -> str:
    packet = vxlan.parse(data)
    return f"VXLAN, vni 0x{packet.vni:x} | {describe(packet.payload)}"


Decoder = Callable[[bytes], str]
ETHERNET: dict[int, Decoder] = {ethernet.ARP: _arp, ethernet.RARP: _rarp, ethernet.IP4: _ip4, ethernet.IP6: _ip6}
TUNNELS: dict[int, Decoder] = {geneve.PORT: _geneve, vxlan.PORT: _vxlan}
