"""Sockets inside network namespaces, and what comes back through them.

    with inside(guest): …                          sockets made in the block belong to the guest, for good
    talk(guest, "10.0.2.11", server)               a TCP connection; the address that the server saw
    probe(guest, "10.0.2.11", ttl=1)               a UDP datagram; who complained, and how
    frames = listening(machine)                    what arrives at an interface, VLAN tags included

Linux only: namespaces are entered by thread (setns(2)), errors come from the error queue (ip(7)), VLAN tags from
PACKET_AUXDATA (packet(7)).
"""

import contextlib
import ctypes
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyovn.net.ip import ip4_int
from pyovn.net.mac import mac_int
from pyovn.packet import arp
from tests.support.netns import Guest, Namespace

NEW_NETWORK: Final = 0x40000000
LIBC: Final = ctypes.CDLL(None, use_errno=True)
PATIENCE_S: Final = 5.0
GREETING: Final = b"hello, " * 600
IP_RECVERR, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IPV6_RECVERR, PMTUDISC_DO = 11, 10, 23, 25, 2
IP_RECVTTL, IPV6_RECVHOPLIMIT = 12, 51
SOL_PACKET, PACKET_AUXDATA, ETH_P_ALL, TAG_IS_THERE, OUTGOING = 263, 8, 3, 1 << 4, 4
DOT1Q: Final = 0x8100
ARP_REPLY: Final = bytes.fromhex("0806 0001 0800 06 04 0002")
#: How long answers to an ARP request are collected.
ANSWER_S: Final = 0.5
#: sock_extended_err: errno, origin, type, code, pad, info, data
COMPLAINT: Final = struct.Struct("=IBBBBII")
#: tpacket_auxdata: status, length, captured length, offsets of layers 2 and 3, VLAN tag, VLAN protocol
AUXILIARY: Final = struct.Struct("=IIIHHHH")


@contextlib.contextmanager
def inside(namespace: Namespace) -> Iterator[None]:
    """Be in a namespace; sockets stay in the one they were made in."""
    with open("/proc/thread-self/ns/net", "rb") as here, open(f"/run/netns/{namespace.name}", "rb") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(here.fileno())


def _enter(descriptor: int) -> None:
    if LIBC.setns(descriptor, NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def family_of(address: str) -> socket.AddressFamily:
    """The family of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@contextlib.contextmanager
def serving(guest: Namespace, address: str, port: int = 8080) -> Iterator[socket.socket]:
    """A TCP socket that listens."""
    with inside(guest):
        server = socket.socket(family_of(address))
    with server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.settimeout(PATIENCE_S)
        server.bind((address, port))
        server.listen()
        yield server


def greet(client: Namespace, target: str, server: socket.socket, port: int = 8080) -> tuple[str, int]:
    """Send a large greeting over TCP, and hear it back; the address and the port that the server saw."""
    with inside(client):
        caller = socket.socket(family_of(target))
    with caller:
        caller.settimeout(PATIENCE_S)
        if isinstance(client, Guest) and ":" in target:  # not by one that it made of a router's advertisement
            own = (each.partition("/")[0] for each in client.address.split(","))
            caller.bind((next(each for each in own if ":" in each), 0))
        caller.connect((target, port))
        called, peer = server.accept()
        with called:
            called.settimeout(PATIENCE_S)
            for speaker, listener in ((caller, called), (called, caller)):
                speaker.sendall(GREETING)
                assert _heard(listener, len(GREETING)) == GREETING
        return str(peer[0]), int(peer[1])


def talk(client: Namespace, target: str, server: Namespace, address: str | None = None) -> str:
    """A conversation over TCP with a server, which listens at `target` or at an address of its own; whom it saw."""
    with serving(server, address or target) as listener:
        return greet(client, target, listener)[0]


def seen(client: Namespace, target: str, server: Namespace) -> tuple[str, int]:
    """The address and the port that a server at `target` sees."""
    with serving(server, target) as listener:
        return greet(client, target, listener)


def _heard(listener: socket.socket, length: int) -> bytes:
    heard = b""
    while len(heard) < length and (more := listener.recv(length - len(heard))):
        heard += more
    return heard


def refused(client: Namespace, target: str, port: int) -> str:
    """How a TCP connection fails."""
    with inside(client):
        caller = socket.socket(family_of(target))
    with caller:
        caller.settimeout(PATIENCE_S)
        try:
            caller.connect((target, port))
        except OSError as fault:
            return type(fault).__name__
    return "connected"


@dataclass(frozen=True)
class Complaint:
    """An ICMP error."""

    who: str
    type: int
    code: int
    info: int  #: for "too big", the MTU


def probe(
    guest: Namespace, target: str, *, ttl: int = 64, port: int = 33434, size: int = 8, patience_s: float = PATIENCE_S
) -> Complaint | None:
    """Send a UDP datagram (never to be fragmented), and wait for a complaint about it."""
    with inside(guest):
        sender = socket.socket(family_of(target), socket.SOCK_DGRAM)
    with sender:
        if ":" in target:
            for option, value in ((IPV6_RECVERR, 1), (IPV6_MTU_DISCOVER, PMTUDISC_DO), (socket.IPV6_UNICAST_HOPS, ttl)):
                sender.setsockopt(socket.IPPROTO_IPV6, option, value)
        else:
            for option, value in ((IP_RECVERR, 1), (IP_MTU_DISCOVER, PMTUDISC_DO), (socket.IP_TTL, ttl)):
                sender.setsockopt(socket.IPPROTO_IP, option, value)
        sender.sendto(bytes(size), (target, port))
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                return _complaint(sender)
            time.sleep(0.01)
    return None


def _complaint(sender: socket.socket) -> Complaint:
    _, ancillary, _, _ = sender.recvmsg(2000, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    data = ancillary[-1][2]
    _, _, kind, code, _, info, _ = COMPLAINT.unpack_from(data)
    offender = data[COMPLAINT.size :]
    (family,) = struct.unpack_from("=H", offender)
    if family == socket.AF_INET6:
        return Complaint(socket.inet_ntop(family, offender[8:24]), kind, code, info)
    return Complaint(socket.inet_ntoa(offender[4:8]), kind, code, info)


def route_to(guest: Namespace, target: str, most: int = 5) -> list[str]:
    """Who complains as the time to live grows: a traceroute."""
    hops: list[str] = []
    for ttl in range(1, most + 1):
        complaint = probe(guest, target, ttl=ttl, port=33434 + ttl)
        hops.append(complaint.who if complaint is not None else "*")
        if hops[-1] == target:
            break
    return hops


class Ear:
    """What arrives at a machine's interface; it can speak too."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        with inside(guest):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._socket.bind((f"{guest.name}i", 0))
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)

    def __enter__(self) -> "Ear":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, frame: bytes) -> None:
        """Send a frame."""
        self._socket.send(frame)

    def who_has(self, address: str, *, own: str, vlan: int | None = None) -> set[str]:
        """The MACs that answer an ARP request from an address, in a VLAN or in none."""
        question = arp.request(mac_int(self._guest.mac), ip4_int(own), ip4_int(address))
        self.send(question if vlan is None else question[:12] + struct.pack("!HH", DOT1Q, vlan) + question[12:])
        head = (b"" if vlan is None else struct.pack("!HH", DOT1Q, vlan)) + ARP_REPLY
        answers = (frame[12 + len(head) :] for frame in self.frames(ANSWER_S) if frame[12:].startswith(head))
        wanted = ip4_int(address).to_bytes(4, "big")
        return {answer[:6].hex(":") for answer in answers if answer[6:10] == wanted}

    def announce(self, address: str) -> None:
        """Say with a gratuitous ARP that an address is here."""
        self.send(arp.gratuitous(mac_int(self._guest.mac), ip4_int(address)))

    def frames(self, patience_s: float = 15.0) -> Iterator[bytes]:
        """Frames as they come, for that long."""
        deadline = time.monotonic() + patience_s
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                frame, ancillary, _, address = self._socket.recvmsg(65536, 256)
            except TimeoutError:
                return
            if address[2] != OUTGOING:
                yield _with_tag(frame, ancillary)


def _with_tag(frame: bytes, ancillary: list[tuple[int, int, bytes]]) -> bytes:
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, *_, tag, protocol = AUXILIARY.unpack_from(data)
            if status & TAG_IS_THERE:
                return frame[:12] + struct.pack("!HH", protocol or 0x8100, tag) + frame[12:]
    return frame


class Listener:
    """A machine that has joined a multicast group."""

    def __init__(self, guest: Guest, group: str, port: int = 5000) -> None:
        with inside(guest):
            self._socket = socket.socket(family_of(group), socket.SOCK_DGRAM)
            self._index = socket.if_nametoindex(f"{guest.name}i")
        self._socket.settimeout(PATIENCE_S)
        self._socket.bind((group, port))
        if ":" in group:
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
            joining = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", self._index)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, joining)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
            joining = socket.inet_aton(group) + bytes(4) + struct.pack("=I", self._index)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joining)

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def hears(self) -> tuple[bytes, int]:
        """The next datagram, and its time to live."""
        data, ancillary, _, _ = self._socket.recvmsg(2000, 256)
        return data, struct.unpack("=i", ancillary[0][2])[0]


def tell(guest: Guest, group: str, data: bytes, ttl: int = 8, port: int = 5000) -> None:
    """Send a datagram to a multicast group, or to one machine."""
    with inside(guest):
        sender = socket.socket(family_of(group), socket.SOCK_DGRAM)
        index = socket.if_nametoindex(f"{guest.name}i")
    with sender:
        if ":" in group:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4sI", b"", b"", index))
        sender.sendto(data, (group, port))
