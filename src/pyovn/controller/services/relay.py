"""DHCP relay (RFC 1542 §4, RFC 3046): checks, and what a relay writes into messages on their way.

dhcp_relay_req_chk(RELAY, SERVER)    a client's request   giaddr = RELAY, one hop more
dhcp_relay_resp_chk(RELAY, SERVER)   a server's reply     to the client, on the way it can take
"""

from collections.abc import Iterator
from typing import Final

from pyovn.controller.effects import Effect, answered
from pyovn.lang.actions.relay import read_relay
from pyovn.lang.actions.userdata import read_result_bit
from pyovn.net.errors import Malformed
from pyovn.net.ip import ALL4
from pyovn.net.mac import BROADCAST
from pyovn.openflow.messages import PacketIn
from pyovn.packet import datagram, dhcp4, ipv4

#: Requests that came through so many relays go in circles (RFC 1542 §4.1.1).
MOST_HOPS: Final = 16
ETHERNET: Final = 1


def request(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """A client's request on its way to the server."""
    relay, _ = read_relay(read_result_bit(arguments)[2])
    came, message = _message(pin)
    fits = message.op == dhcp4.REQUEST and message.type is not dhcp4.Type.NONE and message.hops < MOST_HOPS
    if not fits or message.giaddr not in (0, relay):
        yield answered(pin, arguments, None)
        return
    forwarded = message._replace(giaddr=relay, hops=message.hops + 1)
    yield answered(pin, arguments, datagram.build(came.saying(dhcp4.build(forwarded))))


def response(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """A server's reply on its way to the client."""
    relay, server = read_relay(read_result_bit(arguments)[2])
    came, message = _message(pin)
    named = message.address(dhcp4.Option.SERVER_ID)
    known_client = (message.htype, message.hlen) == (ETHERNET, 6)
    if message.op != dhcp4.REPLY or message.giaddr != relay or not named or not known_client:
        yield answered(pin, arguments, None)
        return
    if server and named != server:
        yield answered(pin, arguments, None)
        return
    everyone = message.flags & dhcp4.BROADCAST_FLAG or not (message.ciaddr or message.yiaddr)
    mac = BROADCAST if everyone else int.from_bytes(message.chaddr[:6], "big")
    address = ALL4 if everyone else message.ciaddr or message.yiaddr
    turned = came._replace(frame=came.frame._replace(dst=mac), packet=came.packet._replace(dst=address))
    yield answered(pin, arguments, datagram.build(turned))


def _message(pin: PacketIn) -> tuple[datagram.Datagram, dhcp4.Message]:
    came = datagram.parse(pin.packet)
    if not isinstance(came.packet, ipv4.Ipv4):
        raise Malformed("DHCP for IPv4 over IPv6")
    return came, dhcp4.parse(came.data)
