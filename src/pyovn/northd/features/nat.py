"""NAT: addresses of the inside and those the outside knows them by.

    in    unsnat  replies get their inside address back        dnat  new connections to an outside address
    out   undnat  replies to those                             snat  new connections of the inside
          post_undnat, post_snat  for connections between both at the gateway      egr_loop  from inside to itself

On a gateway router all of it is on one chassis.  On another router it is at a distributed gateway port: on the chassis
of its gateway, or, for a distributed address (`external_mac`, `logical_port`), on that of the port behind it.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.addresses import ip_of
from pyovn.northd.model.nat import Translation
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import DROP, NEXT, STAGE, Flow

feature = Feature()

ADMISSION, RESOLVE = STAGE["lr_in_admission"], STAGE["lr_in_arp_resolve"]
UNSNAT, DNAT = STAGE["lr_in_unsnat"], STAGE["lr_in_dnat"]
UNDNAT, POST_UNDNAT = STAGE["lr_out_undnat"], STAGE["lr_out_post_undnat"]
LOCAL = STAGE["lr_out_chk_dnat_local"]
SNAT, POST_SNAT = STAGE["lr_out_snat"], STAGE["lr_out_post_snat"]
NEW_WAY = "(!ct.trk || !ct.rpl)"
AGAIN = (
    'clone { ct_clear; inport = outport; outport = ""; eth.dst <-> eth.src; flags = 0; flags.loopback = 1; '
    "reg0 = 0; reg1 = 0; reg2 = 0; reg3 = 0; reg4 = 0; reg5 = 0; reg6 = 0; reg7 = 0; reg8 = 0; reg9 = 0; "
    "reg9[0] = 1; next(pipeline=ingress, table=0); };"
)
AGAIN_IN_ZONE = AGAIN.replace("flags.loopback = 1; ", "flags.loopback = 1; flags.use_snat_zone = reg9[4]; ")
WITH_MATCH = 300  #: priority of a translation that has a `match`, plus its own
AT_GATEWAY = 128  #: what a distributed gateway port adds to the priority of a prefix
BOTH_WAYS = 5  #: what `dnat_and_snat` adds, against `snat` of the same length


def inward(nat: Translation) -> bool:
    """Can the outside open connections?"""
    return nat.type != "snat"


def outward(nat: Translation) -> bool:
    """Do connections of the inside get the outside address?"""
    return nat.type != "dnat"


def logical(nat: Translation) -> str:
    """The inside addresses."""
    bits = 32 if nat.ip == "ip4" else 128
    return nat.logical if nat.length == bits else f"{nat.logical}/{nat.length}"


def changed(router: Router, nat: Translation, kind: str, address: str) -> str:
    """The action that translates."""
    if nat.stateless:
        return f"{nat.ip}.{kind}={address}; {NEXT}"
    with_range = f"{address},{nat.range}" if nat.range else address
    return f"{tracked(router, 'dnat' if kind == 'dst' else 'snat')}({with_range});"


def tracked(router: Router, kind: str) -> str:
    """The action that has conntrack translate, in the zone for it."""
    return f"ct_{kind}_in_czone" if router.common_zone else f"ct_{kind}"


@feature.nat
def from_outside(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """Packets for the outside address."""
    ip = nat.ip
    match = f"ip && {ip}.dst == {nat.external}{at(nat, port, 'inport')}"
    if outward(nat) and router.common_zone and port and not nat.stateless:
        yield Flow(UNSNAT, 100, f"{match} && flags.loopback == 0", "ct_snat_in_czone;")
        yield Flow(UNSNAT, 100, f"{match} && flags.loopback == 1 && flags.use_snat_zone == 1", "ct_snat;")
    elif outward(nat):
        yield Flow(UNSNAT, 100 if port else 90, match, NEXT if nat.stateless else "ct_snat;")
    if not inward(nat):
        return
    flags = "" if port else "flags.loopback = 1; "
    if not port and router.force_for_dnat:
        flags = f"flags.force_snat_for_dnat = 1; {flags}"
    priority = 100
    allowed = f" && {ip}.src == ${nat.allowed}" if nat.allowed else ""
    priority = WITH_MATCH + nat.priority if nat.match else priority
    if nat.exempted:
        yield Flow(DNAT, priority + 2, f"{match} && {ip}.src == ${nat.exempted}", NEXT)
    match += allowed + (f" && ({nat.match})" if nat.match else "")
    yield Flow(DNAT, priority, match, flags + changed(router, nat, "dst", nat.logical))


def at(nat: Translation, port: RouterPort | None, side: str) -> str:
    """At the gateway port: anywhere for a distributed address, else on the chassis of the gateway."""
    if port is None:
        return ""
    return f" && {side} == {port.name}" + ("" if nat.mac else f" && {port.resident}")


def near(nat: Translation, port: RouterPort) -> str:
    """On the chassis that translates."""
    return f"is_chassis_resident({nat.port})" if nat.mac else port.resident


@feature.nat
def replies(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """Replies to the outside."""
    if port is None or not inward(nat):
        return
    match = f"ip && {nat.ip}.src == {logical(nat)}{at(nat, port, 'outport')}"
    mac = f"eth.src = {nat.mac}; " if nat.mac else ""
    yield Flow(UNDNAT, 100, match, f"{mac}{NEXT if nat.stateless else tracked(router, 'dnat') + ';'}")


@feature.nat
def to_outside(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """Connections of the inside."""
    if not outward(nat):
        return
    ip, inside = nat.ip, logical(nat)
    match = f"ip && {ip}.src == {inside}"
    priority = nat.length + 1
    if port is not None:
        match += f" && outport == {port.name} && {near(nat, port)}"
        priority += AT_GATEWAY
    priority = WITH_MATCH + nat.priority if nat.match else priority
    if nat.exempted:
        yield Flow(SNAT, priority + 2, f"{match} && {ip}.dst == ${nat.exempted}", NEXT)
    match += f" && {ip}.dst == ${nat.allowed}" if nat.allowed else ""
    match += f" && ({nat.match})" if nat.match else ""
    mac = f"eth.src = {nat.mac}; " if nat.mac and port is not None else ""
    new_way = "" if nat.stateless else f" && {NEW_WAY}"
    yield Flow(SNAT, priority, match + new_way, mac + changed(router, nat, "src", nat.external))
    if router.common_zone and port is not None and not nat.stateless:
        address = f"{nat.external},{nat.range}" if nat.range else nat.external
        actions = f"{mac}reg9[4] = 0; ct_snat({address});"
        yield Flow(SNAT, priority + 1, f"{match}{new_way} && reg9[4] == 1", actions)


@feature.nat
def both_ends_inside(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """At a gateway port, remember the connection in the other zone too."""
    if port is None or not outward(nat) or nat.stateless or not router.commits_both_zones:
        return
    ip, both = nat.ip, inward(nat)
    zone = "dnat" if both else "snat"
    only = f" && ({nat.match})" if nat.match else ""
    where = near(nat, port)
    there, here = (f" && {ip}.{side} == ${nat.allowed}" if nat.allowed else "" for side in ("dst", "src"))
    out = f"ip && {ip}.src == {logical(nat)} && outport == {port.name} && {where}{there}{only} && {NEW_WAY}"
    yield Flow(POST_UNDNAT, 75 if both else 70, out, f"ct_next({zone});")
    priority = nat.length + 1 + AT_GATEWAY + (BOTH_WAYS if both else 0)
    if nat.match:
        priority = WITH_MATCH + nat.priority + (BOTH_WAYS if both else 0)
    back = f"ip && {ip}.dst == {logical(nat)} && inport == {port.name} && {where}"
    yield Flow(SNAT, priority, f"{back}{here}{only} && {NEW_WAY}", f"ct_{zone};")
    yield Flow(POST_SNAT, priority, f"{back}{here}{only} && ct.new", f"ct_commit_to_zone({zone});")


@feature.nat
def exempted(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """What comes from exempted addresses is no reply to a translated connection."""
    if port is not None and outward(nat) and nat.exempted and not nat.stateless and router.commits_both_zones:
        back = f"ip && {nat.ip}.dst == {logical(nat)} && inport == {port.name} && {near(nat, port)}"
        priority = WITH_MATCH + nat.priority if nat.match else 100
        yield Flow(DNAT, priority + 2, f"{back} && {nat.ip}.src == ${nat.exempted}", NEXT)


@feature.nat
def to_itself(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """From inside to an outside address of the same router."""
    if port is None:
        return
    ip, loop = nat.ip, f"inport == {port.name} && outport == {port.name}"
    yield Flow(RESOLVE, 150, f"{loop} && {ip}.dst == {nat.external}", DROP)
    register = "reg0" if ip == "ip4" else "xxreg0"
    mac = nat.mac or port.mac
    known = f"outport == {port.name} && {register} == {nat.external}"
    if nat.first:
        yield Flow(RESOLVE, 100, known, f"eth.dst = {mac}; {NEXT}")
    again = f"{ip}.dst == {nat.external} && outport == {port.name} && {near(nat, port)}"
    yield Flow(STAGE["lr_out_egr_loop"], 100, again, AGAIN_IN_ZONE if router.common_zone else AGAIN)
    if router.common_zone:
        local = f"ip && {ip}.dst == {nat.external} && {near(nat, port)}"
        yield Flow(LOCAL, 50, local, f"reg9[4] = 1; {NEXT}")


@feature.nat
def distributed(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """A distributed address comes and goes where its port is."""
    if port is None or not nat.mac:
        return
    admit = f"eth.dst == {nat.mac} && inport == {port.name} && is_chassis_resident({nat.port})"
    for priority, match, actions in port.measured(admit, f"xreg0[0..47] = {port.mac}; {NEXT}"):
        yield Flow(ADMISSION, priority, match, actions)
    source = "reg5" if nat.ip == "ip4" else "xxreg1"
    if router.bridges:
        ask = "get_arp(outport, reg0)" if nat.ip == "ip4" else "get_nd(outport, xxreg0)"
        bridged = f"outport == {port.name} && {nat.ip}.src == {nat.logical} && is_chassis_resident({nat.port})"
        yield Flow(RESOLVE, 90, bridged, f"{ask}; {NEXT}")
    here = f"{nat.ip}.src == {nat.logical} && outport == {port.name} && is_chassis_resident({nat.port})"
    actions = f"eth.src = {nat.mac}; {source} = {nat.external}; {NEXT}"
    yield Flow(STAGE["lr_in_gw_redirect"], 100, here, actions)
    if nat.virtual:
        anywhere = f"{nat.ip}.src == {nat.logical} && outport == {port.name}"
        yield Flow(STAGE["lr_in_gw_redirect"], 80, anywhere, DROP)


@feature.router
def local(router: Router) -> Iterator[Flow]:
    """In a common zone, connections between two outside addresses here are told apart (reg9[4])."""
    if router.settings.common_zone and router.translates and not router.distributed:
        yield Flow(LOCAL, 50, "ip && ct_mark.natted == 1", f"reg9[4] = 1; {NEXT}")


@feature.router
def gateway_router(router: Router) -> Iterator[Flow]:
    """Replies on a gateway router; new connections are remembered."""
    if not router.chassis or not (router.translates or router.balances):
        return
    yield Flow(UNDNAT, 100, "nd || nd_rs || nd_ra", NEXT)
    yield Flow(UNDNAT, 50, "ip", "flags.loopback = 1; ct_dnat;")
    if not router.commits_all:
        yield Flow(POST_UNDNAT, 50, "ip && ct.new", f"ct_commit {{ }} ; {NEXT} ")


@feature.router
def forced(router: Router) -> Iterator[Flow]:
    """Connections that came in through the gateway router get its own address, so that replies come back."""
    if not router.chassis:
        return
    for what, addresses in (("dnat", router.force_for_dnat), ("lb", router.force_for_lb)):
        for address in addresses:
            ip = ip_of(address)
            yield Flow(UNSNAT, 110, f"{ip} && {ip}.dst == {address}", "ct_snat;")
            yield Flow(SNAT, 100, f"flags.force_snat_for_{what} == 1 && {ip}", f"ct_snat({address});")


@feature.router_port
def forced_own(router: Router, port: RouterPort) -> Iterator[Flow]:
    """The same, with the address of the port that it leaves by."""
    if not router.chassis or not router.force_own or (port.link is None and port.peer is None):
        return
    flag = "flags.force_snat_for_lb == 1"
    for ip, networks in (("ip4", port.ip4), ("ip6", port.ip6)):
        own = [each for each in networks if each != port.link_local]
        for index, each in enumerate(own):
            yield Flow(UNSNAT, 110, f"inport == {port.name} && {ip}.dst == {each.address}", "ct_snat;")
            match = f"{flag} && flags.network_id == {index} && {ip} && outport == {port.name}"
            yield Flow(SNAT, 110, match, f"ct_snat({each.address});")
        if own:
            yield Flow(SNAT, 105, f"{flag} && {ip} && outport == {port.name}", f"ct_snat({own[0].address});")


@feature.nat
def too_big(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """Errors about packets too big for a distributed address come from that address."""
    if port is None or not nat.mac or not port.mtu:
        return
    ip = nat.ip
    match = f"inport == {port.name} && reg9[1] && reg9[0] == 0 && {ip} && {ip}.dst == {nat.external}"
    icmp, kind = (
        ("icmp4", "icmp4.type = 3; /* Destination Unreachable. */ icmp4.code = 4; /* Frag Needed and DF was Set. */ ")
        if ip == "ip4"
        else ("icmp6", "icmp6.type = 2; /* Packet Too Big. */ icmp6.code = 0; ")
    )
    actions = (
        f"{icmp}_error {{reg9[0] = 1; reg9[1] = 0; eth.dst = eth.src; eth.src = {nat.mac}; {ip}.dst = {ip}.src; "
        f"{ip}.src = {nat.external}; ip.ttl = 254; {kind}{icmp}.frag_mtu = {port.mtu}; outport = {port.name}; "
        "flags.loopback = 1; output; };"
    )
    yield Flow(STAGE["lr_in_ip_input"], 160, match, actions)


@feature.nat
def selected(router: Router, nat: Translation, port: RouterPort | None) -> Iterator[Flow]:
    """A stateless translation for some of the outside only: what the inside sends to its outside address."""
    if port is None or not nat.stateless:
        return
    ip = nat.ip
    match = f"{ip}.dst == {nat.external} && outport == {port.name} && {near(nat, port)} && {ip}.src =="
    if nat.allowed:
        yield Flow(STAGE["lr_in_gw_redirect"], 75, f"{match} ${nat.allowed}", AGAIN)
        yield Flow(STAGE["lr_in_gw_redirect"], 70, f"ip && {ip}.dst == {nat.external}", DROP)
    if nat.exempted:
        yield Flow(STAGE["lr_in_gw_redirect"], 75, f"{match} ${nat.exempted}", DROP)
