"""IP input: what a router itself answers, and what it must not route.

    150 too big · 110 BFD · 100 impossible senders · 90 ARP, ND and echo for its addresses · 85-82 other neighbour
    discovery and multicast · 80, 70 nobody listens · 60 its own addresses · 50 broadcasts · 32-29 hop limits

Reads Logical_Router_Port.networks, .mac, options:gateway_mtu; Logical_Router.options:mcast_relay.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.networks import Network, braced
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import DROP, NEXT, STAGE, Flow

feature = Feature()

INPUT, RESOLVE = STAGE["lr_in_ip_input"], STAGE["lr_in_arp_resolve"]
MARTIANS = (
    "ip4.src_mcast ||ip4.src == 255.255.255.255 || ip4.src == 127.0.0.0/8 || ip4.dst == 127.0.0.0/8 || "
    "ip4.src == 0.0.0.0/8 || ip4.dst == 0.0.0.0/8"
)
ANSWER_ARP = (
    "eth.dst = eth.src; eth.src = xreg0[0..47]; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = xreg0[0..47]; "
    "arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;"
)
ANSWER_ND = (
    "nd_na_router { eth.src = xreg0[0..47]; ip6.src = nd.target; nd.tll = xreg0[0..47]; outport = inport; "
    "flags.loopback = 1; output; };"
)
EXPIRED = "ip.ttl == {0, 1}"
WHOLE = "!ip.later_frag"
MULTICAST = "ip4.mcast || ip6.mcast"

#: by IP version: ICMP type and code of echo requests, of "port unreachable" and "protocol unreachable"
ECHO = {"ip4": ("icmp4", 8, 0), "ip6": ("icmp6", 128, 129)}
NO_PORT = {"ip4": (3, 3), "ip6": (1, 4)}
NO_PROTOCOL = {"ip4": (3, 2), "ip6": (1, 3)}


@feature.router
def never_routed(router: Router) -> Iterator[Flow]:
    """What no router passes on."""
    yield Flow(INPUT, 100, MARTIANS, DROP)
    yield Flow(INPUT, 85, "arp || nd", DROP)
    yield Flow(INPUT, 84, "nd_rs || nd_ra", NEXT)
    yield Flow(INPUT, 83, "ip6.mcast_rsvd", DROP)
    yield Flow(INPUT, 82, MULTICAST, NEXT if router.relays else DROP)
    yield Flow(INPUT, 50, "eth.bcast", DROP)
    yield Flow(INPUT, 32, f"{EXPIRED} && {WHOLE} && ({MULTICAST})", DROP)
    yield Flow(INPUT, 29, EXPIRED, DROP)
    if router.floods:
        for reports in ("igmp", "(mldv1 || mldv2)"):
            yield Flow(INPUT, 120, f"{reports} && ip.ttl == 1", NEXT)


@feature.router_port
def impostors(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Nobody else sends from our addresses; what we send ourselves comes with reg9[0]."""
    if port.ip4:
        ours = [address for each in port.ip4 for address in (each.address, each.broadcast)]
        yield Flow(INPUT, 100, f"ip4.src == {{{', '.join(ours)}}} && reg9[0] == 0", DROP)


@feature.router_port
def neighbours(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Answer who asks for our addresses."""
    where = f" && {port.resident}" if port.gateway and not port.spread else ""
    confined = port.confined(router.only_gateway)
    asked = f"inport == {port.name}"
    for each in port.ip4:
        match = f"{asked} && arp.op == 1 && arp.tpa == {each.address} && arp.spa == {each.prefix}{confined}"
        yield Flow(INPUT, 90, match, ANSWER_ARP)
    for each in port.ip6:
        address = each.address
        match = f"{asked} && ip6.dst == {{{address}, {each.group}}} && nd_ns && nd.target == {address}{where}"
        yield Flow(INPUT, 90, match, ANSWER_ND)


@feature.router_port
def monitors(router: Router, port: RouterPort) -> Iterator[Flow]:
    """BFD packets of the port's sessions are for the controller."""
    if port.label not in router.monitored:
        return
    for ip, ours in (("ip4", port.ip4), ("ip6", port.ip6)):
        if ours:
            addresses = braced([each.address for each in ours])
            yield Flow(INPUT, 110, f"{ip}.src == {addresses} && udp.dst == 3784", f"{NEXT} ")
            yield Flow(INPUT, 110, f"{ip}.dst == {addresses} && udp.dst == 3784", "handle_bfd_msg(); ")


@feature.router_port
def echo(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Answer pings."""
    for ip, ours in (("ip4", port.ip4), ("ip6", port.ip6)):
        if not ours:
            continue
        icmp, request, reply = ECHO[ip]
        to = braced([each.address for each in ours])
        match = f"{ip}.dst == {to} && {icmp}.type == {request} && {icmp}.code == 0"
        actions = f"{ip}.dst <-> {ip}.src; ip.ttl = 255; {icmp}.type = {reply}; flags.loopback = 1; {NEXT} "
        yield Flow(INPUT, 90, match, actions)


@feature.router_port
def unreachable(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Nobody listens on a router; one that is nowhere in particular can say so."""
    if not router.distributed:
        return
    for ip, each in port.networks():
        swap = f"eth.dst <-> eth.src; {ip}.dst <-> {ip}.src; "
        to = f"{ip} && {ip}.dst == {each.address} && {WHOLE}"
        yield Flow(INPUT, 80, f"{to} && udp", icmp(ip, swap, *NO_PORT[ip]))
        yield Flow(INPUT, 80, f"{to} && tcp", f"tcp_reset {{{swap}{NEXT} }};")
        yield Flow(INPUT, 80, f"{to} && sctp", f"sctp_abort {{{swap}{NEXT} }};")
        yield Flow(INPUT, 70, to, icmp(ip, swap, *NO_PROTOCOL[ip]))


def icmp(ip: str, swap: str, kind: int, code: int) -> str:
    """An ICMP error back to the sender."""
    name = ECHO[ip][0]
    return f"{name} {{{swap}ip.ttl = 255; {name}.type = {kind}; {name}.code = {code}; {NEXT} }};"


@feature.router_port
def own(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Drop what is for us and was not answered; replies to translated connections are known as such only later."""
    for ip, ours in (("ip4", port.ip4), ("ip6", port.ip6)):
        plain = [each.address for each in ours if each.address not in router.translated | router.forced]
        shared = [each.address for each in ours if each.address in router.translated]
        if plain:
            yield Flow(INPUT, 60, f"{ip}.dst == {{{', '.join(plain)}}}", DROP)
        if shared:
            yield Flow(RESOLVE, 2, f"{ip}.dst == {{{', '.join(shared)}}}", DROP)


@feature.router_port
def expired(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Tell senders that the hop limit was reached."""
    for ip, ours in (("ip4", port.ip4), ("ip6", port.ip6)):
        for each in ours:
            if each == port.link_local:
                continue
            near = f"inport == {port.name} && {ip} && {ip}.src == {each.prefix} && {EXPIRED} && {WHOLE}"
            back = f"{ip}.dst <-> {ip}.src ; " if port.gateway else f"{ip}.dst = {ip}.src; {ip}.src = {each.address} ; "
            yield Flow(INPUT, 31, near, exceeded(port, ip, back))
        if ours:
            far = f"inport == {port.name} && {ip} && {EXPIRED} && {WHOLE}"
            back = f"{ip}.dst = {ip}.src; {ip}.src = {ours[0].address}; "
            yield Flow(INPUT, 30, far, exceeded(port, ip, back))


def exceeded(port: RouterPort, ip: str, back: str) -> str:
    """The ICMP error "time exceeded"."""
    out = f"outport = {port.name}; flags.loopback = 1; output; }};"
    if ip == "ip4":
        kind = "icmp4.type = 11; /* Time exceeded */ icmp4.code = 0; /* TTL exceeded in transit */ "
        return f"icmp4 {{eth.dst <-> eth.src; {kind}{back}ip.ttl = 254; {out}"
    kind = "icmp6.type = 3; /* Time exceeded */ icmp6.code = 0; /* TTL exceeded in transit */ "
    return f"icmp6 {{eth.dst <-> eth.src; {back}ip.ttl = 254; {kind}{out}"


@feature.router_port
def too_big(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Tell senders how large packets into this port may be."""
    if not port.mtu:
        return
    for ip, source in own_sources(port):
        match = f"inport == {port.name} && {ip} && reg9[1] && reg9[0] == 0"
        yield Flow(INPUT, 150, match, too_big_error(port, ip, source, port.mtu))


def own_sources(port: RouterPort) -> Iterator[tuple[str, Network]]:
    """The address that errors come from, by IP version."""
    if port.ip4:
        yield "ip4", port.ip4[0]
    if port.ip6:
        yield "ip6", port.ip6[0]


def too_big_error(port: RouterPort, ip: str, source: Network, mtu: int) -> str:
    """The ICMP error "packet too big"."""
    name = ECHO[ip][0]
    kind = (
        "icmp4.type = 3; /* Destination Unreachable. */ icmp4.code = 4; /* Frag Needed and DF was Set. */ "
        if ip == "ip4"
        else "icmp6.type = 2; /* Packet Too Big. */ icmp6.code = 0; "
    )
    return (
        f"{name}_error {{reg9[0] = 1; reg9[1] = 0; eth.dst = {port.mac}; {ip}.dst = {ip}.src; "
        f"{ip}.src = {source.address}; ip.ttl = 255; {kind}{name}.frag_mtu = {mtu}; "
        "next(pipeline=ingress, table=0); };"
    )
