"""DHCP: the network itself answers its guests, wherever they are.

    dhcp_options     the request is paused; the controller makes a reply of it, or not: reg0[3]
    dhcp_response    the reply goes back to where the request came from
    acl_eval (out)   and passes whatever ACLs say

For IPv6 as for IPv4.  An external port is answered for on its own chassis.  Reads DHCP_Options, the ports' addresses
(dynamic ones too), options:hostname.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.offers import Offer
from pyovn.northd.model.port import Port
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

ANSWERED = "reg0[3]"
ALLOWED = "reg8[16]"
BACK = "outport = inport; flags.loopback = 1; output;"
CLIENT, SERVER = {4: 68, 6: 546}, {4: 67, 6: 547}  #: UDP ports (RFC 2131, RFC 8415)
PUT = {4: "put_dhcp_opts", 6: "put_dhcpv6_opts"}
TO_SERVERS = "ip6.mcast && ip6.dst == ff02::1:2"


def asks(port: Port, offer: Offer, addressed: str) -> str:
    """The match of a request of a guest."""
    version = offer.version
    ports = f"udp.src == {CLIENT[version]} && udp.dst == {SERVER[version]}"
    return f"inport == {port.name} && eth.src == {offer.mac} && {addressed} && {ports}"


def resident(port: Port, offer: Offer) -> str:
    """Where the request is answered, if not everywhere."""
    return f" && is_chassis_resident({port.name})" if offer.resident else ""


@feature.offer
def answer(port: Port, offer: Offer) -> Iterator[Flow]:
    """Have a reply made of the request."""
    addressed = TO_SERVERS
    if offer.version == 4:
        addressed = f"(ip4.src == {{{offer.address}, 0.0.0.0}} && ip4.dst == {{{offer.server}, 255.255.255.255}})"
    match = asks(port, offer, addressed) + resident(port, offer)
    action = f"{ANSWERED} = {PUT[offer.version]}({offer.terms}); {NEXT}"
    yield Flow(STAGE["ls_in_dhcp_options"], 100, match, action, port.row.name)


@feature.offer
def send_back(port: Port, offer: Offer) -> Iterator[Flow]:
    """Return the reply."""
    conditions = (f" && {ANSWERED}", resident(port, offer))
    if offer.version == 4:
        match = asks(port, offer, "ip4") + "".join(conditions)
        source = f"ip4.src = {offer.server}"
    else:
        match = asks(port, offer, TO_SERVERS) + "".join(reversed(conditions))
        source = f"ip6.dst = ip6.src; ip6.src = {offer.server}"
    ports = f"udp.src = {SERVER[offer.version]}; udp.dst = {CLIENT[offer.version]};"
    actions = f"eth.dst = eth.src; eth.src = {offer.server_mac}; {source}; {ports} {BACK}"
    yield Flow(STAGE["ls_in_dhcp_response"], 100, match, actions, port.row.name)


@feature.offer
def let_through(port: Port, offer: Offer) -> Iterator[Flow]:
    """No ACL keeps the reply from the guest."""
    if not offer.resident:
        version = offer.version
        server = f"eth.src == {offer.server_mac} && ip{version}.src == {offer.server}"
        ports = f"udp && udp.src == {SERVER[version]} && udp.dst == {CLIENT[version]}"
        match = f"outport == {port.name} && {server} && {ports}"
        yield Flow(STAGE["ls_out_acl_eval"], 34000, match, f"{ALLOWED} = 1; {NEXT}", port.row.name)
