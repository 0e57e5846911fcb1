"""Hairpin through a load balancer: a backend that is sent its own packet must see it come from the VIP.

68  load-balanced to the sender itself → hairpin, and learn in 69 what the answer will look like
70  hairpin → source NAT to the VIP, or to hairpin_snat_ip on the switches that have the balancer
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pyovn.controller import layout
from pyovn.controller.physical.steps import flag
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.openflow.actions import LEARN_DELETE_LEARNED, Actions, Ct, Learn, LearnSpec, Nat
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import Match, match

PROTOCOLS: Final = {"tcp": 6, "udp": 17, "sctp": 132}
#: Bit of ct_mark: the connection was load-balanced.
NATTED: Final = 2
VIP_PORT: Final = "reg2"
VIP_PORT_BITS: Final = 0xFFFF
HAIRPIN_BIT: Final = 7


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address, perhaps with a port (0: none)."""

    version: int
    address: int
    port: int = 0


@dataclass(frozen=True, slots=True)
class Vip:
    """A virtual address and what is behind it."""

    virtual: Endpoint
    backends: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer on local switches."""

    cookie: int
    protocol: str
    vips: tuple[Vip, ...]
    #: version → address to translate hairpins to, in place of the VIP
    snat: Mapping[int, int]
    #: keys of the local switches that have it
    switches: tuple[int, ...]
    #: where pipelines keep the original IPv4 destination: reg4, or reg1 from an older northd
    vip4_register: str = "reg4"


def endpoint(text: str) -> Endpoint:
    """`1.2.3.4`, `1.2.3.4:80`, `fd00::1` or `[fd00::1]:80`; raises Malformed."""
    address, port = text, ""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    if port and not port.isdecimal():
        raise Malformed(f"{text}: invalid port")
    return Endpoint(*ip_parse(address), int(port or 0))


def vips_of(texts: Mapping[str, str], problems: list[str]) -> Iterator[Vip]:
    """The VIPs of a Load_Balancer row; those that make no sense are told."""
    for virtual, backends in sorted(texts.items()):
        try:
            behind = tuple(endpoint(each.strip()) for each in backends.split(",") if each.strip())
            yield Vip(endpoint(virtual), behind)
        except Malformed as fault:
            problems.append(f"load balancer VIP {virtual}: {fault}")


def hairpin_flows(balancer: Balancer) -> Iterator[Flow]:
    """All flows of one balancer."""
    for vip in balancer.vips:
        for backend in vip.backends:
            yield _check(balancer, vip.virtual, backend)
        yield from _translations(balancer, vip.virtual)


def _check(balancer: Balancer, virtual: Endpoint, backend: Endpoint) -> Flow:
    source, destination = _address_fields(backend.version)
    fields: dict[str, int | tuple[int, int]] = {
        "ct_mark": (NATTED, NATTED),
        **_to_vip(balancer, virtual),
        source: backend.address,
        destination: backend.address,
    }
    if virtual.port:
        fields[f"{balancer.protocol}_dst"] = backend.port
    steps: Actions = (flag(layout.HAIRPIN), _learn(balancer, virtual))
    return Flow(layout.CHECK_HAIRPIN, 100, match(**fields), steps, balancer.cookie)


def _learn(balancer: Balancer, virtual: Endpoint) -> Learn:
    source, destination = _address_fields(virtual.version)
    bits = 32 if virtual.version == 4 else 128
    seen_from = balancer.snat.get(virtual.version, virtual.address)
    specs = [
        LearnSpec("match", ("metadata", 0), 0, ("metadata", 0), 64),
        LearnSpec("match", None, _eth_type(virtual.version), ("eth_type", 0), 16),
        LearnSpec("match", (source, 0), 0, (source, 0), bits),
        LearnSpec("match", None, seen_from, (destination, 0), bits),
    ]
    if virtual.port:
        ports = f"{balancer.protocol}_src", f"{balancer.protocol}_dst"
        specs.append(LearnSpec("match", None, PROTOCOLS[balancer.protocol], ("ip_proto", 0), 8))
        specs.append(LearnSpec("match", (ports[1], 0), 0, (ports[0], 0), 16))
    else:
        specs.append(LearnSpec("match", ("ip_proto", 0), 0, ("ip_proto", 0), 8))
    specs.append(LearnSpec("load", None, 1, (layout.FLAGS, HAIRPIN_BIT), 1))
    return Learn(layout.CHECK_HAIRPIN_REPLY, tuple(specs), cookie=balancer.cookie, flags=LEARN_DELETE_LEARNED)


def _translations(balancer: Balancer, virtual: Endpoint) -> Iterator[Flow]:
    priority = 100 if virtual.port else 90
    forced = balancer.snat.get(virtual.version)
    fields = _to_vip(balancer, virtual)
    if forced is None:
        yield _translation(balancer, priority, match(**fields), virtual)
        return
    for switch in balancer.switches:
        where = match(metadata=switch, **fields)
        yield _translation(balancer, priority + 100, where, Endpoint(virtual.version, forced))


def _translation(balancer: Balancer, priority: int, where: Match, to: Endpoint) -> Flow:
    nat = Nat("src", to.address, v6=to.version == 6)
    steps = (Ct(commit=True, zone=(layout.SNAT_ZONE, 0, 16), nat=nat),)
    return Flow(layout.SNAT_HAIRPIN, priority, where, steps, balancer.cookie)


def _to_vip(balancer: Balancer, virtual: Endpoint) -> dict[str, int | tuple[int, int]]:
    fields: dict[str, int | tuple[int, int]] = {"eth_type": _eth_type(virtual.version)}
    if virtual.version == 4:
        fields[balancer.vip4_register] = virtual.address
    else:
        fields |= wide("xxreg1", virtual.address)
    if virtual.port:
        fields["ip_proto"] = PROTOCOLS[balancer.protocol]
        fields[VIP_PORT] = (virtual.port, VIP_PORT_BITS)
    return fields


def wide(register: str, value: int) -> dict[str, int]:
    """A 128-bit register as the four that switches report it as."""
    first = 4 * int(register.removeprefix("xxreg"))
    return {f"reg{first + place}": value >> 32 * (3 - place) & 0xFFFFFFFF for place in range(4)}


def _eth_type(version: int) -> int:
    return layout.IPV4 if version == 4 else layout.IPV6


def _address_fields(version: int) -> tuple[str, str]:
    return ("ip_src", "ip_dst") if version == 4 else ("ipv6_src", "ipv6_dst")


def snat_addresses(texts: Iterable[str]) -> dict[int, int]:
    """The addresses of options:hairpin_snat_ip by version; what makes no sense is left out."""
    found: dict[int, int] = {}
    for text in texts:
        try:
            version, value = ip_parse(text)
        except Malformed:
            continue
        found.setdefault(version, value)
    return found
