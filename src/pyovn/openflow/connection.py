"""One side of an OpenFlow connection, without I/O: framing, the hello handshake, echo, and complaints about bytes.

    HELLO ──hello with a version we share──► UP ──impossible length──► FAILED
      └────────no version in common────────────────────────────────────► FAILED

Both roles are alike here.  Bytes go into `receive`, events come out; `Send` is for the shell to write.
"""

import enum
from collections.abc import Iterator
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.openflow import codec, errors
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.messages import VERSION, EchoReply, EchoRequest, Error, Hello, Message

QUOTED = 64  #: bytes of a message that an error about it quotes
MY_VERSIONS = 1 << VERSION


class State(enum.Enum):
    """Where the connection is."""

    HELLO = "waiting for hello"
    UP = "up"
    FAILED = "failed"


class Up(NamedTuple):
    """Both sides speak OpenFlow 1.5."""


class Received(NamedTuple):
    """A message for the user; hello and echo requests are dealt with here."""

    message: Message
    xid: int


class Send(NamedTuple):
    """Bytes for the peer."""

    data: bytes


class Failed(NamedTuple):
    """Close the connection."""

    reason: str


Event = Up | Received | Send | Failed


class Connection:
    """The state of one side."""

    def __init__(self) -> None:
        """Wait for the peer's hello; ours is `greeting`."""
        self.state = State.HELLO
        self._rest = b""

    @property
    def greeting(self) -> bytes:
        """What to send first."""
        return codec.encode(Hello(MY_VERSIONS))

    def receive(self, data: bytes) -> Iterator[Event]:
        """What follows from more bytes."""
        buffer = self._rest + data if self._rest else data
        used = 0
        try:
            for raw in codec.split(buffer):
                used += len(raw)
                yield from self._message(raw)
                if self.state is State.FAILED:
                    return
        except BadMessage as fault:
            yield from self._fail(str(fault))
        self._rest = buffer[used:]

    def _message(self, raw: bytes) -> Iterator[Event]:
        """What follows from one whole message."""
        xid = int.from_bytes(raw[4:8], "big")
        try:
            message, _ = codec.decode(raw)
        except BadMessage as fault:
            yield Send(complaint(fault, raw, xid))
            return
        except Malformed as fault:
            yield Send(complaint(BadMessage("OFPBRC_BAD_LEN", str(fault)), raw, xid))
            return
        if type(message) is EchoRequest:
            yield Send(codec.encode(EchoReply(message.data), xid))
        elif self.state is State.HELLO:
            yield from self._hello(message, xid)
        elif type(message) is not Hello:
            yield Received(message, xid)

    def _hello(self, message: Message, xid: int) -> Iterator[Event]:
        match message:
            case Hello(versions) if versions & MY_VERSIONS:
                self.state = State.UP
                yield Up()
            case Hello(versions):
                why = f"we speak OpenFlow 1.5 (0x06), the peer none of it (versions {versions:#x})"
                yield Send(codec.encode(Error(errors.HELLO_FAILED, 0, why.encode()), xid))
                yield from self._fail(why)
            case Error(kind, code, _):
                yield from self._fail(f"the peer refused us: {errors.error_name(kind, code)}")
            case _:
                yield from self._fail(f"{type(message).__name__} before hello")

    def _fail(self, reason: str) -> Iterator[Event]:
        self.state = State.FAILED
        yield Failed(reason)


def complaint(fault: BadMessage, raw: bytes, xid: int) -> bytes:
    """The error message about `raw`."""
    return codec.encode(Error(*fault.numbers, raw[:QUOTED]), xid)
