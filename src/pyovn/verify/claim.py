"""Claims: "from these ports nobody can open a connection to those", proved or refuted.

    holds(network, claim)  →  Verdict("proved" | "refuted" | "undecided", …)

What is taken for granted is what a trace takes for granted: every port is plugged in and resident, nothing is in
conntrack yet, packets are untagged and have a time to live of 64.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from pyovn.lang.symbols import INPORT
from pyovn.net.mac import mac_int
from pyovn.openflow.fields import FIELDS
from pyovn.trace.flow_text import flow_text
from pyovn.trace.network import Network, Port
from pyovn.trace.request import deep
from pyovn.trace.steps import NOTATIONS
from pyovn.trace.tracer import Options, Tracer
from pyovn.trace.tree import Node
from pyovn.verify.explore import IP4, IP6, Explorer, TooMuch
from pyovn.verify.space import Space, assignment

ARP, ICMP, ICMP6, TCP, UDP = 0x806, 1, 58, 6, 17
MOST_STEPS = 4_000_000  #: a minute or two
ENOUGH = 64  #: packets that refute, of which the plainest is shown
TRACKINGS = 64  #: more conntrack actions than a packet passes


@dataclass(slots=True)
class Verdict:
    """What came of a claim."""

    outcome: Literal["proved", "refuted", "undecided"]
    steps: int  #: of the exploration
    #: of one that is refuted: the ports, the packet in Open vSwitch's notation and for `ovn-trace`, and its trace
    source: str = ""
    target: str = ""
    packet: str = ""
    microflow: str = ""
    trace: list[Node] = field(default_factory=list)
    why: str = ""  #: it is not decided


class _Refuted(Exception):
    """A packet gets there, and that will do."""


def no_connection(
    network: Network, sources: Collection[str], targets: Collection[str], *, most_steps: int = MOST_STEPS
) -> Verdict:
    """Can no packet of any kind, sent by one of the sources to open a connection, come out at one of the targets?

    Neighbour discovery (ARP, ND) is not a connection, and is left out of account.
    """
    steps, doubts = 0, []
    for name in sorted(sources):
        source = network.find_port(name)
        if source is None:
            continue
        wanted = {port.name for each in targets if (port := network.find_port(each)) and port is not source}

        found: list[tuple[int, Verdict]] = []

        def arrive(
            port: Port, space: Space, source: Port = source, wanted: set[str] = wanted,
            found: list[tuple[int, Verdict]] = found,
        ) -> None:  # fmt: skip
            if port.name not in wanted or not _is_possible(space):
                return
            witness = _witness(network, source, port, space)
            if witness is None:
                doubts.append(f"{source.friendly} → {port.friendly}")
                return
            found.append(witness)
            if not witness[0] or len(found) >= ENOUGH:
                raise _Refuted

        explorer = Explorer(network, arrive, most_steps - steps)
        is_whole = True
        try:
            with deep():
                explorer.run(source)
        except _Refuted:
            pass
        except TooMuch:
            is_whole = False
        steps += explorer.steps
        if found:
            _, verdict = min(found, key=lambda each: each[0])
            verdict.steps = steps
            return verdict
        if not is_whole:
            return Verdict("undecided", steps, why=f"there are too many kinds of packets from {source.friendly}")
    if doubts:
        pairs = ", ".join(dict.fromkeys(doubts))
        return Verdict("undecided", steps, why=f"packets could get there that cannot be made up: {pairs}")
    return Verdict("proved", steps)


def _is_possible(space: Space) -> bool:
    """Is there a packet in the set, and one that is not of neighbour discovery?"""
    if assignment(space, {}) is None:
        return False
    return space.number("eth_type") != ARP and not _is_discovery(space)


def _is_discovery(space: Space) -> bool:
    kind = space.number("icmpv6_type")
    return kind is not None and kind in range(133, 138) and space.number("ip_proto") == ICMP6


def _witness(network: Network, source: Port, target: Port, space: Space) -> tuple[int, Verdict] | None:
    """A packet of the set that a trace delivers to the target, and how much it differs from what people know."""
    best: tuple[int, Verdict] | None = None
    for preferred in _preferences(source, target):
        chosen = assignment(space, preferred)
        if chosen is None:
            continue
        packet = _packet(source, {**preferred, **{name: value for name, value in chosen.items() if "#" not in name}})
        if packet["eth_type"] == ARP:
            continue
        states = [state & 0xFF for state in space.states] or [0x21]
        options = Options(ct_states=[*states, *[states[-1]] * TRACKINGS])
        nodes = Tracer(network, options).run(source.datapath, packet)
        for node in (each for root in nodes for each in root.walk()):
            if node.kind == "output" and node.facts.get("port") == target.name:
                strange = sum(packet.get(name, 0) != value for name, value in preferred.items() if name != "eth_dst")
                text = microflow(source, packet)
                verdict = Verdict("refuted", 0, source.friendly, target.friendly, flow_text(packet), text, nodes)
                if best is None or strange < best[0]:
                    best = strange, verdict
                break
    return best


def _preferences(source: Port, target: Port) -> list[dict[str, int]]:
    """What packets look like that people know: an echo request, a TCP segment; with addresses of the ports."""
    own = _mac(source)
    addresses = {"eth_src": own, "eth_dst": _mac(target)}
    return [
        {**addresses, "eth_type": IP4, "ip_proto": ICMP, "icmp_type": 8},
        {**addresses, "eth_type": IP4, "ip_proto": TCP, "tcp_flags": 2, "tcp_src": 1024, "tcp_dst": 80},
        {**addresses, "eth_type": IP4, "ip_proto": UDP, "udp_src": 1024, "udp_dst": 1024},
        {**addresses, "eth_type": IP6, "ip_proto": ICMP6, "icmpv6_type": 128},
        {**addresses, "eth_type": 0x88B5},
    ]


def _mac(port: Port) -> int:
    for text in port.port_security:
        if text and text.split()[0].count(":") == 5:
            return mac_int(text.split()[0])
    return 0x0A_00_00_00_00_01


#: Ethernet type, protocol → the fields that such a packet has
_LAYERS = {
    IP4: ("ip_src", "ip_dst", "ip_proto", "ip_dscp", "ip_ecn"),
    IP6: ("ipv6_src", "ipv6_dst", "ip_proto", "ip_dscp", "ip_ecn", "ipv6_label"),
}
_ABOVE = {
    TCP: ("tcp_src", "tcp_dst", "tcp_flags"),
    UDP: ("udp_src", "udp_dst"),
    132: ("sctp_src", "sctp_dst"),
    ICMP: ("icmp_type", "icmp_code"),
    ICMP6: ("icmpv6_type", "icmpv6_code"),
}


def _packet(source: Port, chosen: dict[str, int]) -> dict[str, int]:
    """The packet with these values in the fields that it has."""
    kind = chosen.get("eth_type", 0x88B5)
    names = ["eth_src", "eth_dst", *_LAYERS.get(kind, ())]
    packet = {INPORT: source.key, "eth_type": kind}
    if kind in _LAYERS:
        packet["ip_ttl"] = 64
        names += _ABOVE.get(chosen.get("ip_proto", 0), ())
    packet |= {name: chosen[name] for name in names if name in chosen}
    return packet


#: field of packets → as a match has it
_WORDS = {
    "eth_src": "eth.src", "eth_dst": "eth.dst", "eth_type": "eth.type", "ip_src": "ip4.src", "ip_dst": "ip4.dst",
    "ipv6_src": "ip6.src", "ipv6_dst": "ip6.dst", "ip_proto": "ip.proto", "ip_ttl": "ip.ttl", "ip_dscp": "ip.dscp",
    "tcp_src": "tcp.src", "tcp_dst": "tcp.dst", "tcp_flags": "tcp.flags", "udp_src": "udp.src", "udp_dst": "udp.dst",
    "sctp_src": "sctp.src", "sctp_dst": "sctp.dst", "icmp_type": "icmp4.type", "icmp_code": "icmp4.code",
    "icmpv6_type": "icmp6.type", "icmpv6_code": "icmp6.code",
}  # fmt: skip


def microflow(source: Port, packet: dict[str, int]) -> str:
    """The packet as `ovn-trace` wants it."""
    terms = [f'inport == "{source.name}"']
    terms += [
        f"{_WORDS[name]} == {NOTATIONS.get(FIELDS[name].form, hex)(value)}"
        for name, value in packet.items()
        if name in _WORDS
    ]
    return " && ".join(terms)
