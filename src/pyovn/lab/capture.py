"""Captures in a lab: frames that cross a card, and the datagrams between hypervisors as whole packets.

Capture(taps)      frames since it began, at most `limit`
datagram_frame     a tunnel's UDP payload → the Ethernet frame that a wire would carry
"""

from collections import deque

from pyovn.net.ip import ip_parse
from pyovn.packet import ethernet, ipv4, ipv6, udp
from pyovn.packet.describe import describe
from pyovn.packet.pcap import Captured

LIMIT = 10_000
#: Underlay MACs are made from the last 32 bits of the address.
UNDERLAY_MAC = 0x0AFE00000000


def underlay_mac(address: str) -> int:
    """The hardware address that a capture shows for a hypervisor's tunnel address."""
    return UNDERLAY_MAC | ip_parse(address)[1] & 0xFFFFFFFF


def datagram_frame(source: str, source_port: int, destination: str, port: int, payload: bytes) -> bytes:
    """A UDP datagram between hypervisors as the frame that carries it."""
    version, src = ip_parse(source)
    _, dst = ip_parse(destination)
    segment = udp.build(udp.Udp(source_port, port, payload), version, src, dst)
    if version == 4:
        header = ipv4.Ipv4(src, dst, udp.PROTO, segment, fragment=ipv4.DONT_FRAGMENT)
        kind, body = ethernet.IP4, ipv4.build(header)
    else:
        kind, body = ethernet.IP6, ipv6.build(ipv6.Ipv6(src, dst, udp.PROTO, segment))
    return ethernet.build(ethernet.Ethernet(underlay_mac(destination), underlay_mac(source), kind, body))


class Capture:
    """The last frames that were seen at one place."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.frames: deque[Captured] = deque(maxlen=limit)

    def add(self, frame: bytes, time_s: float) -> None:
        """Note a frame."""
        self.frames.append(Captured(time_s, frame))

    def lines(self) -> list[str]:
        """The frames, one line each."""
        return [f"{captured.time_s:.6f} {describe(captured.frame)}" for captured in self.frames]
