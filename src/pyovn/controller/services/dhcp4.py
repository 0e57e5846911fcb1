"""DHCPv4 responder: the `put_dhcp_opts` action.

The switch pauses a client's packet and sends it here with the offer that northd compiled for its port.  It goes back
as a server's reply, plus one result bit: did we answer?  All that is needed comes along, so there is no state.

    DISCOVER           → OFFER
    REQUEST            → ACK, or NAK if the client wants an address we do not offer
    INFORM             → ACK without lease terms (RFC 2131 §3.4)
    RELEASE, DECLINE   → silence, and so are requests that name another server
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pyovn.controller.effects import Effect, answered
from pyovn.lang.actions.dhcp import read_offer4
from pyovn.lang.actions.userdata import read_result_bit
from pyovn.net.errors import Malformed
from pyovn.net.ip import ALL4
from pyovn.openflow.messages import PacketIn
from pyovn.packet import datagram, ipv4
from pyovn.packet.dhcp4 import BROADCAST_FLAG, REPLY, REQUEST, Message, Option, Type, build, parse

LEASE_TERMS: Final = frozenset({Option.NETMASK, Option.LEASE_TIME, Option.T1, Option.T2})
#: Codes that are not DHCP's: they change a reply in other ways.
NEXT_SERVER, IPXE_BOOTFILE = 253, 254


@dataclass(frozen=True, slots=True)
class Offer:
    """What one port's client is to be told."""

    address: int
    options: Mapping[int, bytes]

    def for_client(self, request: Message) -> "Offer":
        """What this client is told: network boot loaders that run already get another file."""
        own = dict(self.options)
        alternative = own.pop(IPXE_BOOTFILE, None)
        if alternative is not None and (Option.IPXE in request.options or Option.BOOTFILE_NAME not in own):
            own[Option.BOOTFILE_NAME] = alternative
        return Offer(self.address, own)

    def without_lease(self) -> "Offer":
        """What a client is told that has an address already."""
        lasting = {code: value for code, value in self.options.items() if code not in LEASE_TERMS}
        return Offer(0, lasting)

    def refusal(self) -> "Offer":
        """What a client is told that wants another address: only by whom."""
        return Offer(0, {code: value for code, value in self.options.items() if code == Option.SERVER_ID})


def answer(request: Message, offer: Offer) -> Message | None:
    """The server's reply, or None where the protocol calls for silence."""
    if request.op != REQUEST or _is_for_another(request, offer):
        return None
    match request.type:
        case Type.DISCOVER:
            return reply(request, Type.OFFER, offer)
        case Type.REQUEST if request.wanted_address == offer.address:
            return reply(request, Type.ACK, offer)
        case Type.REQUEST:
            return reply(request, Type.NAK, offer.refusal())
        case Type.INFORM:
            return reply(request, Type.ACK, offer.without_lease())
        case _:
            return None


def _is_for_another(request: Message, offer: Offer) -> bool:
    named = request.options.get(Option.SERVER_ID)
    return named is not None and named != offer.options.get(Option.SERVER_ID, named)


def reply(request: Message, type_: Type, offer: Offer) -> Message:
    """`request` turned around: same transaction, same client, our terms."""
    options = {int(Option.MESSAGE_TYPE): bytes((type_,)), **offer.for_client(request).options}
    next_server = int.from_bytes(options.pop(NEXT_SERVER, b"")[:4], "big")
    if Option.RELAY_INFORMATION in request.options:  # RFC 3046 §2.2
        options[Option.RELAY_INFORMATION] = request.options[Option.RELAY_INFORMATION]
    if type_ is Type.NAK:
        return request._replace(op=REPLY, options=options, ciaddr=0, yiaddr=0, siaddr=0, secs=0, hops=0)
    return request._replace(
        op=REPLY, options=options, yiaddr=offer.address, siaddr=next_server, secs=0, hops=0, sname=b"", file=b""
    )


def destination(response: Message) -> int:
    """The address that a reply goes to (RFC 2131 §4.1); whoever is on this port, there is only one client."""
    if response.giaddr:
        return response.giaddr
    if response.type is Type.NAK or (response.flags & BROADCAST_FLAG and not response.ciaddr):
        return ALL4
    return response.ciaddr or response.yiaddr or ALL4


def put_dhcp_opts(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Answer the paused packet, or let it pass unchanged if it is not ours to answer."""
    address, options = read_offer4(read_result_bit(arguments)[2])
    asked = datagram.parse(pin.packet)
    response = answer(parse(asked.data), Offer(address, dict(options)))
    yield answered(pin, arguments, None if response is None else _packet(asked, response))


def _packet(asked: datagram.Datagram, response: Message) -> bytes:
    """The reply in the frame of the request; whom it comes from, and the ports, are for the flow that gets it back."""
    if not isinstance(asked.packet, ipv4.Ipv4):
        raise Malformed("DHCP for IPv4 over IPv6")
    packet = asked.packet._replace(dst=destination(response))
    return datagram.build(asked._replace(packet=packet).saying(build(response)))
