"""DHCPv6 responder: the `put_dhcpv6_opts` action, without state like the one for IPv4.

SOLICIT                                → ADVERTISE, or at once REPLY for a client that wants it (RFC 8415 §18.3.1)
REQUEST, RENEW, REBIND                 → REPLY with the address
CONFIRM, RELEASE, DECLINE              → REPLY: success
INFORMATION-REQUEST                    → REPLY without addresses
anything that names another server     → silence
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pyovn.controller.effects import Effect, answered
from pyovn.lang.actions.dhcp import plain_name, read_offer6
from pyovn.lang.actions.userdata import read_result_bit
from pyovn.openflow.messages import PacketIn
from pyovn.packet import datagram, dhcp6
from pyovn.packet.dhcp6 import SUCCESS, Association, Code, Message, Option, Type, build_association, status

#: A code that is not DHCP's: the boot file of network boot loaders that run already.
IPXE_BOOTFILE: Final = 254
IPXE: Final = b"iPXE"
SERVER_UPDATES: Final = b"\x01"  #: flag S of a client FQDN (RFC 4704 §4.1)

#: message → (reply, whether the address is in it, whether it must name us)
REPLIES: Final[Mapping[int, tuple[Type, bool, bool]]] = {
    Type.SOLICIT: (Type.ADVERTISE, True, False),
    Type.REQUEST: (Type.REPLY, True, True),
    Type.CONFIRM: (Type.REPLY, False, False),
    Type.RENEW: (Type.REPLY, True, True),
    Type.REBIND: (Type.REPLY, True, False),
    Type.RELEASE: (Type.REPLY, False, True),
    Type.DECLINE: (Type.REPLY, False, True),
    Type.INFORMATION_REQUEST: (Type.REPLY, False, False),
}
ABOUT_LEASES: Final = frozenset({Type.CONFIRM, Type.RELEASE, Type.DECLINE})


@dataclass(frozen=True, slots=True)
class Offer:
    """What one port's client is to be told."""

    server: bytes  #: our DUID
    addresses: tuple[int, ...]
    options: tuple[Option, ...]


def offer_of(arguments: tuple[Option, ...], request: Message) -> Offer:
    """The offer that northd compiled, as this client gets it."""
    found = dict(arguments)
    alternative = found.pop(IPXE_BOOTFILE, None)
    if alternative is not None and (IPXE in (request.option(Code.USER_CLASS) or b"") or Code.BOOTFILE_URL not in found):
        found[Code.BOOTFILE_URL] = alternative
    server = dhcp6.link_layer_id(int.from_bytes(found.pop(Code.SERVER_ID, b""), "big"))
    packed = found.pop(Code.IA_ADDRESS, b"")
    addresses = tuple(int.from_bytes(packed[at : at + 16], "big") for at in range(0, len(packed), 16))
    return Offer(server, addresses, tuple((code, _on_wire(code, value)) for code, value in found.items()))


def _on_wire(code: int, value: bytes) -> bytes:
    if code == Code.DOMAIN_SEARCH:
        return b"".join(plain_name(name) for name in value.decode(errors="replace").split(","))
    return SERVER_UPDATES + value if code == Code.FQDN else value


def answer(request: Message, offer: Offer) -> Message | None:
    """The server's reply, or None where the protocol calls for silence."""
    rule = REPLIES.get(request.type)
    named, client = request.option(Code.SERVER_ID), request.option(Code.CLIENT_ID)
    if rule is None or (named is not None and named != offer.server):
        return None
    type_, with_address, must_name_us = rule
    if (must_name_us and named is None) or (client is None and request.type != Type.INFORMATION_REQUEST):
        return None
    if request.type == Type.SOLICIT and request.option(Code.RAPID_COMMIT) is not None:
        type_ = Type.REPLY
    return Message(type_, request.transaction, tuple(_options(request, offer, type_, with_address=with_address)))


def _options(request: Message, offer: Offer, type_: Type, *, with_address: bool) -> Iterator[Option]:
    client = request.option(Code.CLIENT_ID)
    if client is not None:
        yield Code.CLIENT_ID, client
    yield Code.SERVER_ID, offer.server
    if with_address:
        for code, value in request.options:
            if code == Code.IA_NA:
                yield Code.IA_NA, build_association(_association(dhcp6.parse_association(value).id, offer))
    if request.type == Type.SOLICIT and type_ is Type.REPLY:
        yield Code.RAPID_COMMIT, b""
    if request.type in ABOUT_LEASES:
        yield status(SUCCESS, "All addresses still on link" if request.type == Type.CONFIRM else "")
    else:
        yield from offer.options


def _association(id_: int, offer: Offer) -> Association:
    if not offer.addresses:
        return Association(id_, options=(status(dhcp6.NO_ADDRESSES),))
    lease = tuple(dhcp6.address(each) for each in offer.addresses)
    return Association(id_, dhcp6.INFINITE, dhcp6.INFINITE, lease)


def put_dhcpv6_opts(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Answer the paused packet, or let it pass unchanged if it is not ours to answer."""
    asked = datagram.parse(pin.packet)
    request = dhcp6.parse(asked.data)
    response = answer(request, offer_of(read_offer6(read_result_bit(arguments)[2]), request))
    packet = None if response is None else datagram.build(asked.saying(dhcp6.build(response)))
    yield answered(pin, arguments, packet)
