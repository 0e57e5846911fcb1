"""The machines plugged into a lab's switches: network cards, and the namespaces that hold them.

    ovs-vsctl add-port br-int vm1 -- set Interface vm1 type=internal    a Card, with a guest behind it
    ip netns add vm1; ip link set vm1 netns vm1                         the card is vm1's
    ip netns exec vm1 ping 10.0.0.2                                     the guest behind the card pings
    ovs-vsctl add-port br-ex eth1                                       the hypervisor's NIC on physical network eth1
    ip link set eth1 down                                               its cable is cut; eth0: that of the tunnels

Each hypervisor has its own cards, NICs and namespaces, as kernels have.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from pyovn.lab.guest import Guest
from pyovn.lab.host import Host
from pyovn.lab.segment import FIRST_MAC as FIRST_NIC_MAC
from pyovn.lab.segment import NIC, Segments, Uplink
from pyovn.net.errors import OvnError
from pyovn.net.mac import mac_int

#: Called with each frame that crosses a card, and whether the guest sent it.
Tap = Callable[[bytes, bool], None]

FIRST_MAC = 0x0A5F00000001  #: locally administered
FIRST_INDEX = 10


class NoSuchThing(OvnError):
    """A device or namespace that is not there, in ip(8)'s words."""


class Cable(Protocol):
    """What can be cut."""

    up: bool


class Card:
    """A network card: the switch's end is the protocol `vswitch.ports.Nic`, behind it is a guest."""

    def __init__(self, name: str, mac: int, index: int) -> None:
        self.name, self.ifindex = name, index
        self.on_receive: Callable[[bytes], None] | None = None
        self.guest = Guest(Host(mac), self._from_guest)
        self.taps: list[Tap] = []
        self.on_close: Callable[[], None] = lambda: None

    @property
    def mac(self) -> int:
        """Its hardware address."""
        return self.guest.host.mac

    @property
    def mtu(self) -> int:
        """Its maximum transmission unit."""
        return self.guest.host.mtu

    @property
    def up(self) -> bool:
        """Whether its link is up."""
        return self.guest.host.up

    def transmit(self, frame: bytes) -> None:
        """Take a frame from the switch to the guest."""
        for tap in self.taps:
            tap(frame, False)
        asyncio.get_running_loop().call_soon(self.guest.deliver, frame)

    def close(self) -> None:
        """Unplug the card."""
        self.on_receive = None
        self.on_close()

    def _from_guest(self, frame: bytes) -> None:
        for tap in self.taps:
            tap(frame, True)
        if self.on_receive is not None:
            asyncio.get_running_loop().call_soon(self._hand_over, frame)

    def _hand_over(self, frame: bytes) -> None:
        if self.on_receive is not None:
            self.on_receive(frame)


class Machines:
    """What is plugged into one hypervisor."""

    def __init__(self, hypervisor: str, number: int, segments: Segments | None = None) -> None:
        self.hypervisor, self._number, self._made = hypervisor, number, 0
        self.cards: dict[str, Card] = {}
        self.nics: dict[str, Cable] = {}
        self.namespaces: dict[str, set[str]] = {}
        self._segments = Segments() if segments is None else segments
        self._held = False

    def open(self, name: str, type_: str, mac: int) -> Card | Uplink:
        """The device of the switch's interface `name`; with `mac` 0, with an address of the lab's choice."""
        if NIC.fullmatch(name) and type_ in ("", "system"):
            nic = self.nic(name)
            if not isinstance(nic, Uplink):
                raise NoSuchThing(f"{name}: this is the NIC of the tunnels")
            return nic
        return self.plug(name, mac)

    def plug(self, name: str, mac: int = 0) -> Card:
        """The card `name`, made where it is not there yet."""
        if name in self.cards:
            return self.cards[name]
        card = Card(name, mac or FIRST_MAC + (self._number << 16) + self._made, FIRST_INDEX + self._made)
        card.on_close = lambda: self._removed(card)
        self.cards[name] = card
        self._made += 1
        return card

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While the switch goes away cards stay, as those of guests do when a switch is killed."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def nic(self, name: str) -> Cable:
        """The hypervisor's NIC `name`."""
        if name not in self.nics:
            index = int(name.removeprefix("eth"))
            self.nics[name] = Uplink(self._segments[name], FIRST_NIC_MAC + (self._number << 16) + index, index + 2)
        return self.nics[name]

    def _removed(self, card: Card) -> None:
        if self.cards.get(card.name) is card and not self._held:
            card.guest.close()
            del self.cards[card.name]
            for devices in self.namespaces.values():
                devices.discard(card.name)

    def card(self, name: str, namespace: str | None = None) -> Card:
        """The card `name`, looked for in `namespace` where one is given.  Raises NoSuchThing."""
        card = self.cards.get(name)
        if card is None or (namespace is not None and name not in self.namespace(namespace)):
            raise NoSuchThing(f'Cannot find device "{name}"')
        return card

    def namespace(self, name: str) -> set[str]:
        """The devices of a namespace.  Raises NoSuchThing."""
        if name not in self.namespaces:
            raise NoSuchThing(f'Cannot open network namespace "{name}": No such file or directory')
        return self.namespaces[name]

    def inside(self, namespace: str) -> list[Card]:
        """The cards of a namespace, in name order.  Raises NoSuchThing."""
        return [self.cards[name] for name in sorted(self.namespace(namespace))]

    def set_mac(self, card: Card, text: str) -> None:
        """Give a card another hardware address.  Raises Malformed."""
        card.guest.host.mac = mac_int(text)
