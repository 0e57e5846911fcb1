"""Bidirectional forwarding detection: the control packet (RFC 5880 §4.1).

version 3 bits, diagnostic 5 │ state 2, flags 6 │ multiplier 1 │ length 1 │ my discriminator 4 │ yours 4
desired min tx 4 │ required min rx 4 │ required min echo rx 4          intervals in microseconds
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from pyovn.net.errors import Malformed

PORT: Final = 3784  #: single hop (RFC 5881 §4)
HOP_LIMIT: Final = 255  #: of packets that crossed no router (RFC 5881 §5)
POLL, FINAL, CONTROL_PLANE_INDEPENDENT, AUTHENTICATION, DEMAND, MULTIPOINT = 32, 16, 8, 4, 2, 1
VERSION: Final = 1

_BODY = struct.Struct("!BBBBIIIII")
LENGTH: Final = _BODY.size


class State(IntEnum):
    """How a session stands."""

    ADMIN_DOWN = 0
    DOWN = 1
    INIT = 2
    UP = 3


class Diagnostic(IntEnum):
    """Why a session went down."""

    NONE = 0
    TIME_EXPIRED = 1
    ECHO_FAILED = 2
    NEIGHBOUR_DOWN = 3
    FORWARDING_RESET = 4
    PATH_DOWN = 5
    CONCATENATED_DOWN = 6
    ADMINISTRATIVELY_DOWN = 7
    REVERSE_CONCATENATED_DOWN = 8


class Control(NamedTuple):
    """A control packet."""

    state: State
    my_discriminator: int
    your_discriminator: int = 0
    desired_min_tx_us: int = 1_000_000
    required_min_rx_us: int = 1_000_000
    required_min_echo_rx_us: int = 0
    multiplier: int = 3
    flags: int = 0
    diagnostic: int = 0


def parse(data: bytes) -> Control:
    """Read a packet and hold it to the rules of reception (RFC 5880 §6.8.6); raises Malformed."""
    if len(data) < LENGTH:
        raise Malformed(f"BFD packet of {len(data)} bytes")
    first, second, multiplier, length, mine, yours, tx, rx, echo = _BODY.unpack_from(data)
    state, flags = State(second >> 6), second & 0x3F
    if first >> 5 != VERSION or not LENGTH <= length <= len(data):
        raise Malformed("BFD version or length")
    if not multiplier or not mine or flags & (MULTIPOINT | AUTHENTICATION):
        raise Malformed("BFD packet without multiplier or discriminator, or multipoint, or authenticated")
    if not yours and state > State.DOWN:
        raise Malformed("BFD packet that does not say for whom it is")
    return Control(state, mine, yours, tx, rx, echo, multiplier, flags, first & 0x1F)


def build(control: Control) -> bytes:
    """The bytes of a packet."""
    c = control
    first, second = VERSION << 5 | c.diagnostic, c.state << 6 | c.flags
    intervals = c.desired_min_tx_us, c.required_min_rx_us, c.required_min_echo_rx_us
    return _BODY.pack(first, second, c.multiplier, LENGTH, c.my_discriminator, c.your_discriminator, *intervals)
