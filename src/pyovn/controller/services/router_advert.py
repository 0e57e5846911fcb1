"""Router advertisements on request: the `put_nd_ra_opts` action.

A router solicitation goes back as the advertisement that northd compiled for the router port, plus one result bit;
the flow that gets it back turns the addresses around (RFC 4861 §6.2.6).
"""

from collections.abc import Iterator

from pyovn.controller.effects import Effect, answered
from pyovn.lang.actions.userdata import read_result_bit
from pyovn.net.errors import Malformed
from pyovn.openflow.messages import PacketIn
from pyovn.packet import ethernet, icmp6, ipv6, nd


def put_nd_ra_opts(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Answer the paused packet, or let it pass unchanged if it is no solicitation."""
    frame = ethernet.parse(pin.packet)
    packet = ipv6.parse(frame.payload)
    upper = ipv6.upper(packet)
    if upper.proto != icmp6.PROTO:
        raise Malformed("not a router solicitation")
    asked = icmp6.parse(upper.payload, packet.src, packet.dst)
    if (asked.type, asked.code, packet.hop_limit) != (icmp6.RS, 0, nd.HOP_LIMIT):
        yield answered(pin, arguments, None)
        return
    # The flow answers to the source; a host without an address hears what all nodes hear.
    src = packet.src or nd.ALL_NODES
    message = icmp6.parse(read_result_bit(arguments)[2], 0, 0, verify=False)
    reply = ipv6.Ipv6(src, packet.dst, icmp6.PROTO, icmp6.build(message, src, packet.dst), nd.HOP_LIMIT)
    yield answered(pin, arguments, ethernet.build(frame._replace(payload=ipv6.build(reply))))
