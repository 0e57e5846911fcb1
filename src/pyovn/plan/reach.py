"""Who can talk to whom, by tracing packets between guests: the part of a plan's effects that people mean.

    Network, ports ─ probes ─▶ Probe: a packet of a new connection ─ fate ─▶ "delivered to …", "dropped by …: because …"

All pairs of all guests would be too many: those whose switches change come first, and of each switch only some.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pyovn.net.ip import ip_parse
from pyovn.trace.endings import endings
from pyovn.trace.network import Network
from pyovn.trace.reasons import reason
from pyovn.trace.request import Request, deep, run
from pyovn.trace.tracer import Options

#: what a guest may send besides an echo request, where flows that change match on it
_SERVICE = re.compile(r"\b(tcp|udp|sctp)\.dst *== *(\{[^}]*\}|\d+)")
MOST_SERVICES = 6
NEW = 1 << 0 | 1 << 5  #: ct_state: new, tracked
TRACKINGS = 64  #: more conntrack actions than a packet passes


class Guest(NamedTuple):
    """A port with its addresses."""

    port: str
    switch: str  #: UUID of its datapath
    mac: str
    ip: str


#: UUID of a switch → the router ports on it: MAC, networks
Routers = dict[str, list[tuple[str, Sequence[str]]]]


class Probe(NamedTuple):
    """A packet from one guest to another."""

    source: Guest
    target: Guest
    service: str  #: icmp4, icmp6, or `tcp.dst == 80`
    gateway: str  #: the MAC that it is sent to

    @property
    def microflow(self) -> str:
        """As the tracer wants it."""
        version = "ip6" if ":" in self.source.ip else "ip4"
        echo = {"icmp4": "icmp4.type == 8", "icmp6": "icmp6.type == 128"}.get(self.service, self.service)
        return (
            f'inport == "{self.source.port}" && eth.src == {self.source.mac} && eth.dst == {self.gateway}'
            f" && {version}.src == {self.source.ip} && {version}.dst == {self.target.ip} && ip.ttl == 64 && {echo}"
        )


def services(matches: Iterable[str]) -> list[str]:
    """The services that matches tell apart, the first few."""
    found: dict[str, None] = {}
    for match in matches:
        for protocol, ports in _SERVICE.findall(match):
            for port in ports.strip("{}").split(","):
                if port.strip().isdigit():
                    found[f"{protocol}.dst == {port.strip()}"] = None
    return list(found)[:MOST_SERVICES]


def probes(guests: Sequence[Guest], routers: Routers, wanted: Sequence[str]) -> Iterator[Probe]:
    """Packets between all of these guests: echo requests, and of the services that are wanted."""
    for source in guests:
        for target in guests:
            same = ":" in source.ip, ":" in target.ip
            if source is target or same[0] != same[1]:
                continue
            gateway = target.mac if source.switch == target.switch else next_hop(source, routers)
            if gateway:
                for service in ("icmp6" if same[0] else "icmp4", *wanted):
                    yield Probe(source, target, service, gateway)


def next_hop(guest: Guest, routers: Routers) -> str:
    """The MAC of the router port in a guest's network."""
    version, value = ip_parse(guest.ip)
    for mac, networks in routers.get(guest.switch, ()):
        for network in networks:
            address, _, length = network.partition("/")
            if ip_parse(address)[0] == version:
                shift = (32 if version == 4 else 128) - int(length or 0)
                if ip_parse(address)[1] >> shift == value >> shift:
                    return mac
    return ""


def fate(network: Network, probe: Probe) -> str:
    """What becomes of a probe, as the first packet of a connection."""
    request = Request(probe.microflow, options=Options(ct_states=[NEW] * TRACKINGS))
    with deep():
        trace = run(network, request)
        if trace.problem:
            return trace.problem.strip()
        told = []
        for ending in endings(trace.nodes):
            if ending.fate == "delivered":
                there = ending.node.facts["port"] == probe.target.port
                told.append("delivered" if there else f'delivered to "{ending.node.text}"')
            else:
                told.append(f"{ending.fate}: {reason(ending, network).text}")
    return "; ".join(dict.fromkeys(told))
