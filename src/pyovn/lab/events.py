"""What reaches the applications of a simulated host, and why something could not be sent."""

from typing import NamedTuple

from pyovn.net.errors import OvnError
from pyovn.net.ip import ip_str

#: (version, address)
Ip = tuple[int, int]


class NoRoute(OvnError):
    """A destination that no address or route of the host reaches."""

    def __init__(self, destination: Ip) -> None:
        super().__init__(f"{ip_str(*destination)}: Network is unreachable")


class TooLong(OvnError):
    """A packet that does not fit on the way."""

    def __init__(self, mtu: int) -> None:
        self.mtu = mtu
        super().__init__(f"message too long, mtu={mtu}")


class Echoed(NamedTuple):
    """An echo reply came."""

    source: Ip
    id: int
    sequence: int
    ttl: int
    size: int


class Refused(NamedTuple):
    """An ICMP error came for a packet of ours; `quoted` is its beginning."""

    source: Ip
    type: int
    code: int
    quoted: bytes
    mtu: int = 0  #: of the next hop, where the packet was too long for it


class Received(NamedTuple):
    """A UDP datagram came to a port that was bound."""

    source: Ip
    source_port: int
    port: int
    data: bytes


class Unresolved(NamedTuple):
    """No neighbour answered for this address."""

    address: Ip


Event = Echoed | Refused | Received | Unresolved
