"""A DHCP client, as a function of messages: what a host says, and what it makes of the answers.

    IPv4 (RFC 2131)   DISCOVER → OFFER → REQUEST → ACK          options: RFC 2132, 3442
    IPv6 (RFC 8415)   SOLICIT → ADVERTISE → REQUEST → REPLY, or INFORMATION-REQUEST → REPLY

Leases are not renewed: OVN's never end.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_str, ip6_str, mask4, prefix_length
from pyovn.packet import dhcp4, dhcp6
from pyovn.packet.cursor import Cursor

NETMASK, ROUTER, SERVERS, MTU, ROUTES = 1, 3, 6, 26, 121  #: options of IPv4
WANTED = bytes((NETMASK, ROUTER, SERVERS, 12, 15, MTU, 119, ROUTES))
PARAMETERS = 55  #: the option that lists them
HOST = 128


class Lease(NamedTuple):
    """What a host was told."""

    server: str
    address: str  #: with the length of its network; none where only other things were asked for
    routes: tuple[tuple[str, str], ...] = ()  #: (prefix or "default", gateway)
    name_servers: tuple[str, ...] = ()
    mtu: int | None = None
    seconds: int = 0


def discover(mac: int, transaction: int) -> dhcp4.Message:
    """Is there a server?  It is to answer to everybody, for we have no address."""
    options = {dhcp4.Option.MESSAGE_TYPE: bytes((dhcp4.Type.DISCOVER,)), PARAMETERS: WANTED}
    hardware = mac.to_bytes(6, "big") + bytes(10)
    return dhcp4.Message(dhcp4.REQUEST, transaction, hardware, options, flags=dhcp4.BROADCAST_FLAG)


def accept(question: dhcp4.Message, offer: dhcp4.Message) -> dhcp4.Message:
    """We take what the server offers."""
    options = {
        dhcp4.Option.MESSAGE_TYPE: bytes((dhcp4.Type.REQUEST,)),
        dhcp4.Option.SERVER_ID: offer.options.get(dhcp4.Option.SERVER_ID, b""),
        dhcp4.Option.REQUESTED_ADDRESS: offer.yiaddr.to_bytes(4, "big"),
        PARAMETERS: WANTED,
    }
    return question._replace(options=options)


def lease(message: dhcp4.Message) -> Lease:
    """What an offer or an acknowledgement says.  Raises Malformed."""
    mask = message.address(NETMASK)
    length = prefix_length(mask, 32) if mask else 32
    told = message.options
    mtu = int.from_bytes(told[MTU], "big") if MTU in told else None
    routes = list(_classless(told[ROUTES])) if ROUTES in told else []
    if not routes:
        routes = [("default", gateway) for gateway in _addresses(told.get(ROUTER, b""))[:1]]
    seconds = message.address(dhcp4.Option.LEASE_TIME)
    server = ip4_str(message.address(dhcp4.Option.SERVER_ID))
    address = f"{ip4_str(message.yiaddr)}/{length}"
    return Lease(server, address, tuple(routes), _addresses(told.get(SERVERS, b"")), mtu, seconds)


def _addresses(value: bytes) -> tuple[str, ...]:
    return tuple(ip4_str(int.from_bytes(value[at : at + 4], "big")) for at in range(0, len(value) - 3, 4))


def _classless(value: bytes) -> Iterator[tuple[str, str]]:
    """The value of option 121; routes without a gateway are for neighbours that our network has anyway."""
    cursor = Cursor(value)
    while cursor:
        length = cursor.u8()
        if length > 32:
            raise Malformed(f"route to a prefix of {length} bits")
        network = int.from_bytes(cursor.take((length + 7) // 8).ljust(4, b"\0"), "big") & mask4(length)
        gateway = cursor.u32()
        if gateway:
            yield f"{ip4_str(network)}/{length}" if length else "default", ip4_str(gateway)


def solicit(mac: int, transaction: int) -> dhcp6.Message:
    """Is there a server with an address for us?"""
    association = dhcp6.build_association(dhcp6.Association(mac & 0xFFFFFFFF))
    return dhcp6.Message(dhcp6.Type.SOLICIT, transaction, (*_ourselves(mac), (dhcp6.Code.IA_NA, association)))


def inquire(mac: int, transaction: int) -> dhcp6.Message:
    """Is there anything to know?  Our address we have already."""
    return dhcp6.Message(dhcp6.Type.INFORMATION_REQUEST, transaction, _ourselves(mac))


def _ourselves(mac: int) -> dhcp6.Options:
    wanted = b"".join(code.to_bytes(2, "big") for code in (dhcp6.Code.DNS_SERVERS, dhcp6.Code.DOMAIN_SEARCH))
    return (
        (dhcp6.Code.CLIENT_ID, dhcp6.link_layer_id(mac)),
        (dhcp6.Code.ELAPSED_TIME, bytes(2)),
        (dhcp6.Code.OPTION_REQUEST, wanted),
    )


def accept6(question: dhcp6.Message, offer: dhcp6.Message) -> dhcp6.Message:
    """We take what the server offers."""
    given = tuple(each for each in offer.options if each[0] in (dhcp6.Code.SERVER_ID, dhcp6.Code.IA_NA))
    asked = tuple(each for each in question.options if each[0] != dhcp6.Code.IA_NA)
    return dhcp6.Message(dhcp6.Type.REQUEST, question.transaction, asked + given)


def lease6(message: dhcp6.Message, server: str) -> Lease:
    """What a reply says.  Raises Malformed."""
    association = message.option(dhcp6.Code.IA_NA)
    inside = () if association is None else dhcp6.parse_association(association).options
    found = [dhcp6.read_address(value) for code, value in inside if code == dhcp6.Code.IA_ADDRESS]
    servers = message.option(dhcp6.Code.DNS_SERVERS) or b""
    names = tuple(ip6_str(int.from_bytes(servers[at : at + 16], "big")) for at in range(0, len(servers) - 15, 16))
    return Lease(server, f"{ip6_str(found[0])}/{HOST}" if found else "", name_servers=names)
