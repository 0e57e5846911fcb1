"""DHCP for IPv4 (RFC 2131), with options (RFC 2132).

op 1 │ htype 1 │ hlen 1 │ hops 1 │ xid 4 │ secs 2 │ flags 2 │ ciaddr 4 │ yiaddr 4 │ siaddr 4 │ giaddr 4 │ chaddr 16
sname 64 │ file 128 │ cookie 4 │ options: code 1 │ length 1 │ value … │ 255
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from pyovn.net.errors import Malformed

CLIENT_PORT, SERVER_PORT = 68, 67
REQUEST, REPLY = 1, 2  #: values of `op`
BROADCAST_FLAG: Final = 0x8000  #: the client cannot take unicast before it has an address
COOKIE: Final = 0x63825363
MIN_LENGTH: Final = 300  #: of BOOTP messages (RFC 951), which some clients insist on

_HEAD = struct.Struct("!BBBBIHHIIII16s64s128sI")
_PAD, _END = 0, 255
_NOTHING: Final[Mapping[int, bytes]] = MappingProxyType({})


class Type(IntEnum):
    """Messages."""

    NONE = 0
    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """Options with a meaning to us."""

    NETMASK = 1
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_ID = 54
    T1 = 58
    T2 = 59
    BOOTFILE_NAME = 67
    RELAY_INFORMATION = 82
    IPXE = 175


class Message(NamedTuple):
    """One message; options are in the order in which they are sent, the type among them."""

    op: int
    xid: int
    chaddr: bytes
    options: Mapping[int, bytes] = _NOTHING
    flags: int = 0
    ciaddr: int = 0
    yiaddr: int = 0
    siaddr: int = 0
    giaddr: int = 0
    htype: int = 1
    hlen: int = 6
    hops: int = 0
    secs: int = 0
    sname: bytes = b""
    file: bytes = b""

    @property
    def type(self) -> Type:
        """What is said; NONE for BOOTP and unknown types."""
        value = self.options.get(Option.MESSAGE_TYPE, b"\0")
        return Type(value[0]) if len(value) == 1 and value[0] in _TYPES else Type.NONE

    def address(self, code: int) -> int:
        """An option that is an address; 0 where it is missing."""
        value = self.options.get(code, b"")
        return int.from_bytes(value, "big") if len(value) == 4 else 0

    @property
    def wanted_address(self) -> int:
        """The address a client asks for, or has already; 0: any."""
        return self.address(Option.REQUESTED_ADDRESS) or self.ciaddr


_TYPES = frozenset(Type)


def parse(data: bytes) -> Message:
    """Read a message; raises Malformed."""
    if len(data) < _HEAD.size:
        raise Malformed(f"DHCP message of {len(data)} bytes")
    op, htype, hlen, hops, xid, secs, flags, *rest = _HEAD.unpack_from(data)
    ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file, cookie = rest
    if cookie != COOKIE:
        raise Malformed("BOOTP without DHCP options")
    options: dict[int, bytes] = {}
    _collect(options, data[_HEAD.size :])
    overload = options.pop(Option.OVERLOAD, b"\0")[:1]
    if overload in (b"\1", b"\3"):
        _collect(options, file)
        file = b""
    if overload in (b"\2", b"\3"):
        _collect(options, sname)
        sname = b""
    names = sname.rstrip(b"\0"), file.rstrip(b"\0")
    return Message(op, xid, chaddr, options, flags, ciaddr, yiaddr, siaddr, giaddr, htype, hlen, hops, secs, *names)


def _collect(options: dict[int, bytes], data: bytes) -> None:
    """Read options; parts of one are joined (RFC 3396)."""
    for code, value in _options(data):
        options[code] = options.get(code, b"") + value


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        start = at + 2
        if start > len(data) or start + data[at + 1] > len(data):
            raise Malformed("truncated DHCP option")
        yield data[at], data[start : start + data[at + 1]]
        at = start + data[at + 1]


def build(message: Message) -> bytes:
    """The bytes of a message, padded as BOOTP wants it."""
    m = message
    head = (m.op, m.htype, m.hlen, m.hops, m.xid, m.secs, m.flags, m.ciaddr, m.yiaddr, m.siaddr, m.giaddr, m.chaddr)
    options = b"".join(_parts(m.options.items()))
    return (_HEAD.pack(*head, m.sname, m.file, COOKIE) + options + bytes((_END,))).ljust(MIN_LENGTH, b"\0")


def _parts(options: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    for code, value in options:
        for start in range(0, len(value) or 1, 255):
            part = value[start : start + 255]
            yield bytes((code, len(part))) + part
