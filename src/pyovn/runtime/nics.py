"""Network devices of this machine, and stand-ins for them.

    ""  system     an existing device (veth, physical), through a packet socket         needs root
    internal tap   a tap device that the kernel sees as a card of its own               needs root
    dummy          nothing behind it; the control socket can put frames in

Where we are not root, internal ports are stand-ins too, so that the switch starts; existing devices are errors.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from pyovn.net.errors import OvnError

BATCH = 64
LARGEST = 65536
ETH_P_ALL = 3
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFHWADDR, SIOCGIFHWADDR = 0x8913, 0x8914, 0x8924, 0x8927
IFF_UP, IFF_RUNNING, IFF_PROMISC = 0x1, 0x40, 0x100
ARPHRD_ETHER = 1
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 1, 1, 8, 23
#: tp_status bits of PACKET_AUXDATA
STATUS_VLAN_VALID, STATUS_VLAN_TPID_VALID = 1 << 4, 1 << 6

Receive = Callable[[bytes], None]


class NoDevice(OvnError):
    """A device that cannot be opened."""


class DummyNic:
    """A device with nothing behind it; it counts what it is given."""

    def __init__(self, name: str, mac: int, mtu: int = 1500) -> None:
        self.name = name
        self.mac = mac
        self.mtu = mtu
        self.up = True
        self.ifindex = 0
        self.on_receive: Receive | None = None
        self.on_transmit: Receive | None = None  #: what shows frames that leave

    def transmit(self, frame: bytes) -> None:
        """Send `frame` to whoever looks."""
        if self.on_transmit is not None:
            self.on_transmit(frame)

    def inject(self, frame: bytes) -> None:
        """Receive `frame`."""
        if self.on_receive is not None:
            self.on_receive(frame)

    def close(self) -> None:
        """Nothing to let go of."""


class SystemNic:
    """An existing device, through a packet socket."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.on_receive: Receive | None = None
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        except PermissionError:
            raise NoDevice(f"could not open network device {name} (Operation not permitted)") from None
        try:
            self._socket.setblocking(False)
            self._socket.bind((name, ETH_P_ALL))
            self.ifindex = socket.if_nametoindex(name)
            membership = struct.pack("iHH8s", self.ifindex, PACKET_MR_PROMISC, 0, b"")
            self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
            self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self._socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        except OSError as fault:
            self._socket.close()
            raise NoDevice(f"could not open network device {name} ({fault.strerror})") from None
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    @property
    def mac(self) -> int:
        """Its hardware address."""
        return _mac_of(self.name)

    @property
    def mtu(self) -> int:
        """Its maximum transmission unit."""
        return _mtu_of(self.name)

    @property
    def up(self) -> bool:
        """True if its link has a carrier."""
        return _flags_of(self.name) & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    def transmit(self, frame: bytes) -> None:
        """Send `frame`; a full queue drops it, as a card would."""
        with contextlib.suppress(OSError):
            self._socket.send(frame)

    def _receive(self) -> None:
        for _ in range(BATCH):
            try:
                frame, ancillary, _, _ = self._socket.recvmsg(LARGEST, 64)
            except OSError:
                return
            if self.on_receive is not None:
                self.on_receive(_retagged(frame, ancillary))

    def close(self) -> None:
        """Close the socket; the device stays."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


class TapNic:
    """A tap device of our own; it goes when it is closed."""

    def __init__(self, name: str, mac: int) -> None:
        self.name = name
        self.mac = mac
        self.on_receive: Receive | None = None
        try:
            self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        except OSError as fault:
            raise NoDevice(f"could not open network device {name} ({fault.strerror})") from None
        try:
            fcntl.ioctl(self._file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
            _request(SIOCSIFHWADDR, name, struct.pack("H6s", ARPHRD_ETHER, mac.to_bytes(6, "big")))
            self.ifindex = socket.if_nametoindex(name)
        except OSError as fault:
            os.close(self._file)
            raise NoDevice(f"could not open network device {name} ({fault.strerror})") from None
        asyncio.get_running_loop().add_reader(self._file, self._receive)

    @property
    def mtu(self) -> int:
        """Its maximum transmission unit."""
        return _mtu_of(self.name)

    @property
    def up(self) -> bool:
        """Taps always have a carrier; whether the host uses it is the host's matter."""
        return True

    def transmit(self, frame: bytes) -> None:
        """Hand `frame` to the kernel."""
        with contextlib.suppress(OSError):
            os.write(self._file, frame)

    def _receive(self) -> None:
        for _ in range(BATCH):
            try:
                frame = os.read(self._file, LARGEST)
            except OSError:
                return
            if self.on_receive is not None:
                self.on_receive(frame)

    def close(self) -> None:
        """Remove the device."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)


Nic = DummyNic | SystemNic | TapNic


class SystemNics:
    """Opens the devices that interface rows name; keeps the dummy ones by name."""

    def __init__(self, *, devices: bool | None = None) -> None:
        #: real devices are used; otherwise all but existing ones are stand-ins
        self.devices = os.geteuid() == 0 if devices is None else devices
        self.dummies: dict[str, DummyNic] = {}

    def open(self, name: str, type_: str, mac: int) -> Nic:
        """The device of an interface; raises NoDevice."""
        if type_ in ("internal", "tap") and self.devices:
            return TapNic(name, mac)
        if type_ in ("", "system"):
            if not self.devices:
                raise NoDevice(f"could not open network device {name} (Operation not permitted)")
            return SystemNic(name)
        nic = self.dummies[name] = DummyNic(name, mac)
        return nic


def _retagged(frame: bytes, ancillary: list[tuple[int, int, bytes]]) -> bytes:
    """`frame` with the VLAN tag that the kernel took out."""
    for level, kind, content in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA and len(content) >= 20:
            status, _, _, _, _, tci, tpid = struct.unpack_from("IIIHHHH", content)
            if status & STATUS_VLAN_VALID:
                kept = tpid if status & STATUS_VLAN_TPID_VALID else 0x8100
                return frame[:12] + struct.pack("!HH", kept, tci) + frame[12:]
    return frame


def _request(number: int, name: str, argument: bytes = b"") -> bytes:
    """An ioctl on a device."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return fcntl.ioctl(any_socket, number, struct.pack("16s24s", name.encode(), argument))


def _flags_of(name: str) -> int:
    try:
        flags: int = struct.unpack_from("H", _request(SIOCGIFFLAGS, name), 16)[0]
    except OSError:
        return 0
    return flags


def _mac_of(name: str) -> int:
    try:
        return int.from_bytes(_request(SIOCGIFHWADDR, name)[18:24], "big")
    except OSError:
        return 0


def _mtu_of(name: str) -> int:
    try:
        return int(Path(f"/sys/class/net/{name}/mtu").read_text())
    except (OSError, ValueError):
        return 1500
