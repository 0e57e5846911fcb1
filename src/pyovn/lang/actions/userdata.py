"""What a punted packet carries to the controller: which service it is for, and that service's arguments.

    4 bytes opcode · 4 bytes 0 · arguments, laid out as each family says

Written by `encode` of the actions, read by the controller's services; both ends are one program.
"""

import struct
from enum import IntEnum

from pyovn.net.errors import Malformed
from pyovn.openflow.actions import Controller, Subfield
from pyovn.openflow.fields import FIELDS


class Opcode(IntEnum):
    """Services."""

    ARP = 0
    PUT_ARP = 1
    PUT_DHCP_OPTS = 2
    ND_NA = 3
    PUT_ND = 4
    PUT_DHCPV6_OPTS = 5
    DNS_LOOKUP = 6
    LOG = 7
    PUT_ND_RA_OPTS = 8
    ND_NS = 9
    ICMP = 10
    TCP_RESET = 11
    ND_NA_ROUTER = 12
    ICMP4_ERROR = 14
    EVENT = 15
    IGMP = 16
    BIND_VPORT = 17
    HANDLE_SVC_CHECK = 18
    DHCP6_SERVER = 19
    ICMP6_ERROR = 20
    REJECT = 22
    BFD_MSG = 23
    SCTP_ABORT = 24
    PUT_FDB = 25
    ACTIVATION_STRATEGY = 26
    DHCP_RELAY_REQ_CHK = 28
    DHCP_RELAY_RESP_CHK = 29


_HEADER = struct.Struct(">I4x")
_RESULT = struct.Struct(">HBBI")  #: class, number and size of the field's OXM header; bit


def punt(opcode: Opcode, arguments: bytes = b"", *, pause: bool = False, meter: int | None = None) -> Controller:
    """The action that sends the packet to a service."""
    return Controller(userdata=_HEADER.pack(opcode) + arguments, pause=pause, meter_id=meter)


def split(userdata: bytes) -> tuple[Opcode, bytes]:
    """The service and its arguments; raises Malformed."""
    if len(userdata) < _HEADER.size:
        raise Malformed("packet-in with truncated userdata")
    try:
        return Opcode(_HEADER.unpack_from(userdata)[0]), userdata[_HEADER.size :]
    except ValueError:
        raise Malformed(f"packet-in for unknown service {_HEADER.unpack_from(userdata)[0]}") from None


def result_bit(where: Subfield) -> bytes:
    """The arguments' first part, where the service has a yes or no to report: which bit to set."""
    field, low, _ = where
    described = FIELDS[field]
    return _RESULT.pack(described.oxm[0], described.oxm[1] << 1, described.size, low)


_BY_CODE = {(field.oxm[0], field.oxm[1]): field.name for field in FIELDS.values() if not field.oxm[2]}


def read_result_bit(arguments: bytes) -> tuple[str, int, bytes]:
    """(field, bit, the other arguments); raises Malformed."""
    if len(arguments) < _RESULT.size:
        raise Malformed("packet-in with truncated userdata")
    oxm_class, number, _, low = _RESULT.unpack_from(arguments)
    name = _BY_CODE.get((oxm_class, number >> 1))
    if name is None:
        raise Malformed("packet-in with an unknown result field")
    return name, low, arguments[_RESULT.size :]
