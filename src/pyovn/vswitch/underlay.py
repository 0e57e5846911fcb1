"""The underlay in memory: UDP between the hypervisors of a lab, without sockets.

    Fabric                one network; knows who listens where, shows every datagram to its taps
      └ MemoryUnderlay    one hypervisor's attachment, with its addresses

A datagram is delivered at once; a receiver that is busy lets it wait.
"""

from collections.abc import Callable

from pyovn.vswitch.ports import Datagram

#: (source address, source port, target address, target port, payload)
Tap = Callable[[str, int, str, int, bytes], None]


class Fabric:
    """One underlay network."""

    def __init__(self) -> None:
        self.listeners: dict[tuple[str, int], Datagram] = {}
        self.taps: list[Tap] = []
        #: addresses that are cut off
        self.down: set[str] = set()
        self.lost = 0

    def deliver(self, source: str, source_port: int, target: str, port: int, payload: bytes) -> None:
        """Carry one datagram."""
        for tap in self.taps:
            tap(source, source_port, target, port, payload)
        receiver = self.listeners.get((target, port))
        if receiver is None or source in self.down or target in self.down:
            self.lost += 1
        else:
            receiver(payload, source, source_port, target)


class MemoryUnderlay:
    """One hypervisor's attachment to a fabric; the first address is the default one."""

    def __init__(self, fabric: Fabric, *addresses: str) -> None:
        self.fabric = fabric
        self.addresses = addresses

    @property
    def up(self) -> bool:
        """Whether its cable is good."""
        return not self.fabric.down.issuperset(self.addresses)

    @up.setter
    def up(self, up: bool) -> None:
        if up:
            self.fabric.down.difference_update(self.addresses)
        else:
            self.fabric.down.update(self.addresses)

    def send(self, local_ip: str, remote_ip: str, udp_dst_port: int, udp_src_port: int, payload: bytes) -> None:
        """Send one datagram."""
        self.fabric.deliver(local_ip or self.addresses[0], udp_src_port, remote_ip, udp_dst_port, payload)

    def listen(self, local_ip: str, port: int, callback: Datagram) -> None:
        """Hand datagrams that arrive at `port` to `callback`."""
        for address in (local_ip,) if local_ip else self.addresses:
            self.fabric.listeners[address, port] = callback

    def close(self) -> None:
        """Stop listening."""
        for place in [place for place in self.fabric.listeners if place[0] in self.addresses]:
            del self.fabric.listeners[place]
