"""DHCP for IPv6 (RFC 8415).

type 1 │ transaction 3 │ options: code 2 │ length 2 │ value          an IA's value: id 4 │ T1 4 │ T2 4 │ options
"""

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.cursor import Cursor

CLIENT_PORT, SERVER_PORT = 546, 547
ALL_SERVERS: Final = 0xFF02 << 112 | 0x10002  #: ff02::1:2
INFINITE: Final = 0xFFFFFFFF  #: a lifetime
DUID_LINK_LAYER, ETHERNET = 3, 1

_IA = struct.Struct("!III")
_ADDRESS = struct.Struct("!16sII")
_PREFIX = struct.Struct("!IIB16s")

Option = tuple[int, bytes]
Options = tuple[Option, ...]


class Type(IntEnum):
    """Messages between clients and servers."""

    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    RECONFIGURE = 10
    INFORMATION_REQUEST = 11


class Code(IntEnum):
    """Options with a meaning to us."""

    CLIENT_ID = 1
    SERVER_ID = 2
    IA_NA = 3
    IA_TA = 4
    IA_ADDRESS = 5
    OPTION_REQUEST = 6
    PREFERENCE = 7
    ELAPSED_TIME = 8
    STATUS = 13
    RAPID_COMMIT = 14
    USER_CLASS = 15
    DNS_SERVERS = 23
    DOMAIN_SEARCH = 24
    IA_PD = 25
    IA_PREFIX = 26
    FQDN = 39
    BOOTFILE_URL = 59


SUCCESS, NO_ADDRESSES, NO_BINDING, NOT_ON_LINK = 0, 2, 3, 4  #: status codes


class Message(NamedTuple):
    """One message."""

    type: int
    transaction: int
    options: Options = ()

    def option(self, code: int) -> bytes | None:
        """The value of the first option of this kind."""
        return next((value for found, value in self.options if found == code), None)


class Association(NamedTuple):
    """An identity association: what a client calls one of its uses of addresses or prefixes."""

    id: int
    t1: int = 0
    t2: int = 0
    options: Options = ()


class Prefix(NamedTuple):
    """A prefix given to a router."""

    address: int
    length: int
    preferred_s: int
    valid_s: int


def parse(data: bytes) -> Message:
    """Read a message; raises Malformed."""
    cursor = Cursor(data)
    return Message(cursor.u8(), cursor.u24(), parse_options(cursor.rest()))


def build(message: Message) -> bytes:
    """The bytes of a message."""
    return (message.type << 24 | message.transaction).to_bytes(4, "big") + build_options(message.options)


def parse_options(data: bytes) -> Options:
    """Options in order; raises Malformed."""
    cursor, found = Cursor(data), []
    while cursor:
        code, size = cursor.u16(), cursor.u16()
        found.append((code, cursor.take(size)))
    return tuple(found)


def build_options(options: Iterable[Option]) -> bytes:
    """The bytes of options."""
    return b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)


def parse_association(value: bytes) -> Association:
    """The value of an IA_NA or IA_PD option; raises Malformed."""
    if len(value) < _IA.size:
        raise Malformed("truncated identity association")
    id_, t1, t2 = _IA.unpack_from(value)
    return Association(id_, t1, t2, parse_options(value[_IA.size :]))


def build_association(association: Association) -> bytes:
    """The value of an IA_NA or IA_PD option."""
    return _IA.pack(*association[:3]) + build_options(association.options)


def address(value: int, preferred_s: int = INFINITE, valid_s: int = INFINITE) -> Option:
    """An address in an association."""
    return Code.IA_ADDRESS, _ADDRESS.pack(value.to_bytes(16, "big"), preferred_s, valid_s)


def read_address(value: bytes) -> int:
    """The address in the value of an IA address option; raises Malformed."""
    if len(value) < _ADDRESS.size:
        raise Malformed("truncated IA address")
    return int.from_bytes(value[:16], "big")


def prefix(given: Prefix) -> Option:
    """A prefix in an association."""
    value = _PREFIX.pack(given.preferred_s, given.valid_s, given.length, given.address.to_bytes(16, "big"))
    return Code.IA_PREFIX, value


def read_prefix(value: bytes) -> Prefix:
    """The value of an IA prefix option; raises Malformed."""
    if len(value) < _PREFIX.size:
        raise Malformed("truncated IA prefix")
    preferred_s, valid_s, length, network = _PREFIX.unpack_from(value)
    if length > 128:
        raise Malformed(f"IA prefix of {length} bits")
    return Prefix(int.from_bytes(network, "big"), length, preferred_s, valid_s)


def status(code: int, text: str = "") -> Option:
    """How it went."""
    return Code.STATUS, code.to_bytes(2, "big") + text.encode()


def link_layer_id(mac: int) -> bytes:
    """The DUID made of a MAC address (RFC 8415 §11.4)."""
    return struct.pack("!HH", DUID_LINK_LAYER, ETHERNET) + mac.to_bytes(6, "big")
