"""Tracer = switch: what a trace says becomes of a packet is what the switch and its controller do with it."""

from collections import Counter
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from pyovn.packet.compose import compose
from pyovn.tables import sb
from pyovn.trace.network import Network
from pyovn.trace.request import Request, run
from pyovn.trace.tables import read_tables
from pyovn.trace.tracer import Options
from pyovn.trace.tree import Node
from pyovn.vswitch.frame import extract
from pyovn.vswitch.key import PLACES, get
from tests.support.one_chassis import OneChassis
from tests.trace.routed_networks import RoutedNetwork, Traffic, routed
from tests.trace.test_routed import central, choices

#: What of a packet is compared, by EtherType.  Of resets not the ports, which C's tracer and so ours leave as they
#: were, and of ICMP that begins no connection not the source, since conntrack does not translate it.
LINK = ("eth_src", "eth_dst", "eth_type", "vlan_tci")
IP4, IP6, ARP = 0x800, 0x86DD, 0x806
HEADERS = {
    ARP: ("arp_op", "arp_spa", "arp_tpa", "arp_sha", "arp_tha"),
    IP4: ("ip_src", "ip_dst", "ip_proto", "ip_ttl"),
    IP6: ("ipv6_src", "ipv6_dst", "ip_proto", "ip_ttl"),
}
TCP, RST = 6, 4
ICMP, ECHO, ICMP6, ECHO6 = 1, 8, 58, 128
PORTS = {
    TCP: ("tcp_src", "tcp_dst"),
    17: ("udp_src", "udp_dst"),
    ICMP: ("icmp_type", "icmp_code"),
    ICMP6: ("icmpv6_type",),
}
NEW = 1 << 0
MOST_HOPS = 8
SELECTIONS = range(1, 5)  #: of more equal routes than a random network has
Fate = Counter[tuple[str, tuple[tuple[str, int], ...]]]


def header(field: Any) -> tuple[tuple[str, int], ...]:
    """What is compared of a packet, given its fields."""
    kind, protocol = field("eth_type"), field("ip_proto")
    names = [*LINK, *HEADERS.get(kind, ())]
    if kind in (IP4, IP6) and not (protocol == TCP and field("tcp_flags") & RST):
        names += PORTS.get(protocol, ())
    if begins_nothing(field):
        names = [name for name in names if name not in ("ip_src", "ipv6_src")]
    return tuple((name, field(name)) for name in names)


def begins_nothing(field: Any) -> bool:
    """Whether conntrack has no use for the packet, by itself: ICMP other than echo requests."""
    protocol = field("ip_proto")
    kind, begins = {ICMP: ("icmp_type", ECHO), ICMP6: ("icmpv6_type", ECHO6)}.get(protocol, ("", 0))
    return bool(kind) and field(kind) != begins


def settled(fate: Fate, *, stateful: bool) -> Fate:
    """What is compared: where ACLs track connections, nothing that conntrack has no use for."""
    if not stateful:
        return fate
    fields = {end: dict(end[1]) for end in fate}
    return Counter(
        {
            end: count
            for end, count in fate.items()
            if not begins_nothing(lambda name, end=end: fields[end].get(name, 0))
        }
    )


def traced(network: Network, microflow: str, selection: int) -> Fate:
    """Where a trace says a new connection's packet comes out, and how.

    After asking for a neighbour a trace goes on, to nobody; a real packet waits for the answer.
    """
    options = Options(ct_states=[NEW] * 64, select_id=selection)
    nodes = run(network, Request(microflow, options=options)).nodes
    outputs = (node for root in nodes for node in root.walk() if node.kind == "output" and not node.facts["crosses"])
    packets = ((node.facts["port"], node.facts["packet"]) for node in outputs)
    return Counter(
        (port, header(lambda name, packet=packet: packet.get(name, 0))) for port, packet in packets if packet["eth_dst"]
    )


def is_comparable(network: Network, microflow: str) -> bool:
    """Whether a trace can tell what happens.

    Not of fragments, of TCP without flags (conntrack has no use for it), of ICMP errors in reply to ICMP errors, of
    neighbour solicitations (C's tracer, and so ours, makes other packets than they are), where it matters on which
    chassis a patch port is (on all, says a trace; on none, says a controller), where a packet or the answer to it meets
    a translation that it has just made, and where routers send it round in circles (a switch gives up before the hop
    limit does).
    """
    if "ip.frag" in microflow or microflow.endswith("tcp") or "icmp4.type == 3" in microflow:
        return False
    roots = run(network, Request(microflow, options=Options(ct_states=[NEW] * 64))).nodes
    nodes = [node for root in roots for node in root.walk()]
    hops = sum(node.text == "ip.ttl--" for node in nodes)
    return hops <= MOST_HOPS and not any(map(_is_beyond, nodes)) and not _meets_itself(nodes)


def _is_beyond(node: Node) -> bool:
    return node.text == "nd_ns" or 'is_chassis_resident("to-' in node.facts.get("match", "")


def _meets_itself(nodes: list[Node]) -> bool:
    texts = (node.text for node in nodes if node.kind == "transformation")
    is_translated = False
    for text in texts:
        if is_translated and "assuming no un-" in text:
            return True
        is_translated |= text.startswith(("ct_snat(", "ct_dnat("))
    return False


def switched(chassis: OneChassis, port: str, frame: bytes) -> Fate:
    """Where the switch sends a frame, and how."""
    chassis.forget()
    keys = ((where, extract(out)[0]) for where, out in chassis.send(port, frame))
    return Counter((where, header(lambda name, key=key: get(key, name))) for where, key in keys)


def frame_of(network: Network, microflow: str) -> bytes:
    """The frame that a microflow describes."""
    packet = run(network, Request(microflow)).packet
    return compose({name: value for name, value in packet.items() if name in PLACES and "reg" not in name})


@seed(11)
@settings(deadline=None, max_examples=6, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(network=routed().map(RoutedNetwork.predictable), choices=choices)
def test_a_packet_fares_as_its_trace_says(network: RoutedNetwork, choices: Random) -> None:
    world = central(network)
    chassis = OneChassis(world.dump(sb.SOUTHBOUND), [each.port for each in network.guests()[:-1]], ["ln"])
    logical, traffic = Network(read_tables(world.call)), Traffic(network, choices)
    for _ in range(40):
        microflow = traffic.microflow()
        if not is_comparable(logical, microflow):
            continue
        found = switched(chassis, microflow.split('"')[1], frame_of(logical, microflow))
        possible = [traced(logical, microflow, selection) for selection in SELECTIONS]
        compared = (settled(each, stateful=network.stateful) for each in possible)
        assert settled(found, stateful=network.stateful) in compared, microflow
