"""Router advertisements, on request: hosts learn their prefix, MTU and name servers (RFC 4861, RFC 8106).

nd_ra_options    build the options from `ipv6_ra_configs`, the controller does it → reg0[5]
nd_ra_response   send them back
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

MODES = ("slaac", "dhcpv6_stateful", "dhcpv6_stateless")
LEAST_MTU = 1280
PREFERENCES = frozenset(("HIGH", "LOW"))  #: MEDIUM is what is said without


@feature.router_port
def advertise(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Answer router solicitations."""
    mode = port.advertises.get("address_mode", "")
    if mode not in MODES or len(port.ip6) < 2 or port.link is None:
        return
    asked = f"inport == {port.name} && ip6.dst == ff02::2"
    options = f"reg0[5] = put_nd_ra_opts({', '.join(contents(port, mode))}); {NEXT}"
    yield Flow(STAGE["lr_in_nd_ra_options"], 50, f"{asked} && nd_rs", options)
    back = (
        f"eth.dst = eth.src; eth.src = {port.mac}; ip6.dst = ip6.src; ip6.src = {port.link_local.address}; "
        "outport = inport; flags.loopback = 1; output;"
    )
    yield Flow(STAGE["lr_in_nd_ra_response"], 50, f"{asked} && nd_ra && reg0[5]", back)


def contents(port: RouterPort, mode: str) -> Iterator[str]:
    """What the advertisement says."""
    configured = port.advertises
    yield f'addr_mode = "{mode}"'
    yield f"slla = {port.mac}"
    mtu = configured.get("mtu", "")
    if mtu.isdigit() and int(mtu) >= LEAST_MTU:
        yield f"mtu = {mtu}"
    if (preference := configured.get("router_preference")) in PREFERENCES:
        yield f'router_preference = "{preference}"'
    for key in ("rdnss", "dnssl", "route_info"):
        if value := configured.get(key):
            yield f"{key} = {value}" if key == "rdnss" else f'{key} = "{value}"'
    for network in port.ip6[:-1]:
        if not network.is_link_local:
            yield f"prefix = {network.prefix}"
