"""One side of an OpenFlow connection, without I/O: framing, the hello handshake, echo, and complaints about bytes.

    HELLO ──hello with a version we share──► UP ──impossible length──► FAILED
      └────────no version in common────────────────────────────────────► FAILED

Both roles are alike here.  Bytes go into `receive`, events come out; `Send` is for the shell to write.
"""

import enum
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from pyovn.net.errors import Malformed
from pyovn.openflow import codec, errors
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.messages import VERSION, EchoReply, EchoRequest, Error, Hello, Message
from pyovn.openflow.of10.codec import OpenFlow10
from pyovn.openflow.of13.codec import OpenFlow13, OpenFlow14

QUOTED = 64  #: bytes of a message that an error about it quotes


class Dialect(Protocol):
    """A version of OpenFlow: messages as bytes, and back."""

    version: int

    def encode(self, message: Message, xid: int = 0) -> bytes:
        """The bytes of a message, or of several in a row."""

    def decode(self, data: bytes) -> tuple[Message, int]:
        """(message, xid) of one whole message; raises BadMessage or Malformed."""


class OpenFlow15:
    """What we speak with everybody who can."""

    version = VERSION
    encode = staticmethod(codec.encode)
    decode = staticmethod(codec.decode)


#: what controllers of ours speak, and what our switch does, which others' tools talk to
CONTROLLERS: tuple[type[Dialect], ...] = (OpenFlow15,)
SWITCHES: tuple[type[Dialect], ...] = (OpenFlow15, OpenFlow14, OpenFlow13, OpenFlow10)


class State(enum.Enum):
    """Where the connection is."""

    HELLO = "waiting for hello"
    UP = "up"
    FAILED = "failed"


class Up(NamedTuple):
    """Both sides speak a version of OpenFlow."""


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

    def __init__(self, dialects: tuple[type[Dialect], ...] = CONTROLLERS) -> None:
        """Wait for the peer's hello; ours, which offers `dialects`, is `greeting`."""
        self.state = State.HELLO
        self.dialect: Dialect = OpenFlow15()
        self._dialects = {dialect.version: dialect for dialect in dialects}
        self._versions = sum(1 << version for version in self._dialects)
        self._rest = b""

    @property
    def greeting(self) -> bytes:
        """What to send first."""
        return codec.encode(Hello(self._versions))

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
            message, _ = self.dialect.decode(raw)
        except BadMessage as fault:
            yield self._complain(fault, raw, xid)
            return
        except Malformed as fault:
            yield self._complain(BadMessage("OFPBRC_BAD_LEN", str(fault)), raw, xid)
            return
        if type(message) is EchoRequest:
            yield Send(self.dialect.encode(EchoReply(message.data), xid))
        elif self.state is State.HELLO:
            yield from self._hello(message, xid)
        elif type(message) is not Hello:
            yield Received(message, xid)

    def _hello(self, message: Message, xid: int) -> Iterator[Event]:
        match message:
            case Hello(versions) if shared := [each for each in self._dialects if versions >> each & 1]:
                self.dialect = self._dialects[max(shared)]()
                self.state = State.UP
                yield Up()
            case Hello(versions):
                ours = ", ".join(f"1.{version - 1} ({version:#04x})" for version in sorted(self._dialects))
                why = f"we speak OpenFlow {ours}, the peer none of it (versions {versions:#x})"
                yield Send(codec.encode(Error(errors.HELLO_FAILED, 0, why.encode()), xid))
                yield from self._fail(why)
            case Error(kind, code, _):
                yield from self._fail(f"the peer refused us: {errors.error_name(kind, code)}")
            case _:
                yield from self._fail(f"{type(message).__name__} before hello")

    def _complain(self, fault: BadMessage, raw: bytes, xid: int) -> Send:
        """Tell the peer what is wrong about `raw`."""
        return Send(self.dialect.encode(Error(*fault.numbers, raw[:QUOTED]), xid))

    def _fail(self, reason: str) -> Iterator[Event]:
        self.state = State.FAILED
        yield Failed(reason)
