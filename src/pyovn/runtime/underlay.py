"""The underlay on real sockets: UDP between hypervisors.

    send     one socket per (local address, source port bucket); the source port is a hash of the inner flow
    listen   one socket per UDP port, on all addresses; the kernel tells which address a datagram was sent to

The kernel's routing and neighbour tables do the rest; no root is needed.
"""

import asyncio
import contextlib
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable

from pyovn.net.errors import OvnError
from pyovn.runtime import logging as vlog

#: sockets for sending that are kept open
MAX_SENDERS = 256
#: source ports used are these many, so that few sockets are open
SOURCE_PORTS = 64
BATCH = 64
BUFFER = 1 << 22
_IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)

Datagram = Callable[[bytes, str, int, str], None]

log = vlog.module("underlay")


class NoSocket(OvnError):
    """A UDP port that cannot be listened at."""


class SocketUnderlay:
    """UDP through the kernel."""

    def __init__(self) -> None:
        self._senders: OrderedDict[tuple[str, int, bool], socket.socket] = OrderedDict()
        self._listeners: dict[tuple[str, int], list[socket.socket]] = {}
        self.errors = 0

    def send(self, local_ip: str, remote_ip: str, udp_dst_port: int, udp_src_port: int, payload: bytes) -> None:
        """Send one datagram; one that the kernel refuses is lost, as on any network."""
        bucket = udp_src_port % SOURCE_PORTS
        key = (local_ip, bucket, ":" in remote_ip)
        sender = self._senders.get(key) or self._sender(key)
        try:
            sender.sendto(payload, (remote_ip, udp_dst_port))
        except OSError:
            self.errors += 1

    def _sender(self, key: tuple[str, int, bool]) -> socket.socket:
        local, _, six = key
        sender = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        sender.setblocking(False)
        with contextlib.suppress(OSError):
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            sender.bind((local, 0))
        self._senders[key] = sender
        if len(self._senders) > MAX_SENDERS:
            self._senders.popitem(last=False)[1].close()
        return sender

    def listen(self, local_ip: str, port: int, callback: Datagram) -> None:
        """Hand datagrams that arrive at `port` to `callback`; raises NoSocket."""
        if (local_ip, port) in self._listeners:
            return
        found = []
        for family, wildcard in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            if local_ip and (":" in local_ip) != (family == socket.AF_INET6):
                continue
            try:
                found.append(self._receiver(family, local_ip or wildcard, port, callback))
            except OSError as fault:
                if family == socket.AF_INET or local_ip:
                    reason = "in use" if fault.errno == errno.EADDRINUSE else fault.strerror
                    raise NoSocket(f"UDP port {port}: {reason}") from None
        self._listeners[local_ip, port] = found

    def _receiver(self, family: int, address: str, port: int, callback: Datagram) -> socket.socket:
        receiver = socket.socket(family, socket.SOCK_DGRAM)
        try:
            receiver.setblocking(False)
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            if family == socket.AF_INET6:
                receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                receiver.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            receiver.bind((address, port))
        except OSError:
            receiver.close()
            raise
        asyncio.get_running_loop().add_reader(receiver, self._receive, receiver, callback)
        return receiver

    def _receive(self, receiver: socket.socket, callback: Datagram) -> None:
        """Take in what has arrived, but let others have their turn."""
        for _ in range(BATCH):
            try:
                payload, ancillary, _, source = receiver.recvmsg(65535, 128)
            except OSError:
                return
            callback(payload, source[0].partition("%")[0], source[1], _target(ancillary))

    def close(self) -> None:
        """Close every socket."""
        for receivers in self._listeners.values():
            for receiver in receivers:
                with contextlib.suppress(RuntimeError):
                    asyncio.get_running_loop().remove_reader(receiver)
                receiver.close()
        for sender in self._senders.values():
            sender.close()
        self._listeners.clear()
        self._senders.clear()


def _target(ancillary: list[tuple[int, int, bytes]]) -> str:
    """The address a datagram was sent to."""
    for level, _, content in ancillary:
        if level == socket.IPPROTO_IP:
            return socket.inet_ntop(socket.AF_INET, content[8:12])
        if level == socket.IPPROTO_IPV6:
            return socket.inet_ntop(socket.AF_INET6, content[:16])
    return ""
