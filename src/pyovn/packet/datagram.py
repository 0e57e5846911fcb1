"""A UDP datagram with the headers around it, for services that answer inside the frame they were asked in.

Ethernet │ [VLAN] │ IPv4 or IPv6 │ UDP │ data
"""

from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet import ethernet, ipv4, ipv6, udp


class Datagram(NamedTuple):
    """A datagram and what it travels in."""

    frame: ethernet.Ethernet
    packet: ipv4.Ipv4 | ipv6.Ipv6
    udp: udp.Udp

    @property
    def data(self) -> bytes:
        """What the application said."""
        return self.udp.data

    def saying(self, data: bytes) -> "Datagram":
        """The same with other data."""
        return self._replace(udp=self.udp._replace(data=data))


def parse(frame: bytes) -> Datagram:
    """Take a frame apart; raises Malformed where it holds no whole UDP datagram."""
    ether = ethernet.parse(frame)
    if ether.type == ethernet.IP4:
        four = ipv4.parse(ether.payload)
        if four.proto != udp.PROTO or four.offset or four.more:
            raise Malformed("not a whole UDP datagram")
        return Datagram(ether, four, udp.parse(four.payload))
    six = ipv6.parse(ether.payload)
    upper = ipv6.upper(six)
    if upper.proto != udp.PROTO or upper.fragment:
        raise Malformed("not a whole UDP datagram")
    return Datagram(ether, six._replace(proto=udp.PROTO), udp.parse(upper.payload))


def build(datagram: Datagram) -> bytes:
    """The bytes of the frame, lengths and checksums filled in."""
    frame, packet, inner = datagram
    if isinstance(packet, ipv4.Ipv4):
        body = ipv4.build(packet._replace(payload=udp.build(inner, 4, packet.src, packet.dst)))
    else:
        body = ipv6.build(packet._replace(payload=udp.build(inner, 6, packet.src, packet.dst)))
    return ethernet.build(frame._replace(payload=body))
