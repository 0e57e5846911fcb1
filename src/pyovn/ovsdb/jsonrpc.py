"""JSON-RPC 1.0 as OVSDB speaks it: messages cut out of a byte stream, and the shapes of messages.

    bytes ──► Splitter ──► the bytes of one message each ──► loads ──► dict ──► kind()

OVSDB puts no separator between messages.  Two observations make cutting fast: the bytes `}{"x` never occur inside a
valid message (within a string the quote would be escaped, or end the string, and then no `x` may follow), so one
regular expression finds all ends but the last; and whether the last message is whole is a question about bytes only,
asked only when the last byte is `}`: are all braces outside of strings closed?
"""

import re

from pyovn.ovsdb.errors import ProtocolFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Json = Any
    Message = dict[str, Any]
    Loads = Callable[[bytes], Any]

LARGEST = 2**31  #: bytes in one message beyond which a peer is taken to be mad

_NEXT = re.compile(rb'\}\s*\{\s*"[A-Za-z_]')
_SPACE = b" \t\r\n"
_RARE_ESCAPE = re.compile(rb'\\[^"]')
_KEPT = b'"{}\\'
_DROPPED = bytes(byte for byte in range(256) if byte not in _KEPT)


class Splitter:
    """Cuts a stream of bytes, arriving in pieces of any size, into messages."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._buffer = bytearray()
        self._largest = largest
        self._searched = 0  # no message ends before here
        self._counted = 0  # `_depth` and `_in_string` hold at this place
        self._depth = 0
        self._in_string = False

    def feed(self, piece: "bytes | bytearray | memoryview") -> "Iterator[bytes]":
        """The messages that `piece` completes; raises `ProtocolFault` once the stream makes no sense."""
        buffer = self._buffer
        buffer += piece
        start = self._start()
        while start < len(buffer) and (found := _NEXT.search(buffer, max(start, self._searched))):
            end = found.start() + 1
            yield bytes(memoryview(buffer)[start:end])
            start = self._restart(buffer.index(b"{", end))
        if start:
            del buffer[:start]
            self._restart(0)
        if len(buffer) > self._largest:
            raise ProtocolFault(f"message longer than {self._largest} bytes")
        self._searched = max(0, buffer.rfind(b"}"))
        if self._is_whole():
            yield bytes(buffer)
            buffer.clear()
            self._restart(0)

    @property
    def pending(self) -> int:
        """How many bytes of an incomplete message are held."""
        return len(self._buffer)

    def _start(self) -> int:
        """Where the first message begins, after any white space."""
        buffer = self._buffer
        if not buffer or buffer[0] == 0x7B:
            return 0
        start = len(buffer) - len(buffer.lstrip(_SPACE))
        if start < len(buffer) and buffer[start] != 0x7B:
            raise ProtocolFault(f"stray byte {bytes(buffer[start : start + 1])!r} between messages")
        return start

    def _restart(self, place: int) -> int:
        """Forget what is known about the bytes before `place`, where a message begins."""
        self._searched = self._counted = place
        self._depth, self._in_string = 0, False
        return place

    def _is_whole(self) -> bool:
        """True where the buffer ends with the last byte of a message."""
        buffer = self._buffer
        end = len(buffer)
        if not end or (buffer[-1] != 0x7D and not self._ends_in_space_after_brace()):
            return False
        self._count(buffer[self._counted : end])
        self._counted = end
        if self._depth < 0:
            raise ProtocolFault("closing brace without an opening one")
        return self._depth == 0 and not self._in_string

    def _ends_in_space_after_brace(self) -> bool:
        tail = self._buffer[-64:].rstrip(_SPACE)
        return (tail or self._buffer.rstrip(_SPACE)).endswith(b"}")

    def _count(self, piece: bytearray) -> None:
        """Follow braces and quotes through `piece`, which does not end within an escape."""
        if _RARE_ESCAPE.search(piece):
            for escape in (b"\\\\", b'\\"', b"\\"):
                piece = piece.replace(escape, b"")
        marks = piece.translate(None, _DROPPED).replace(b'\\"', b"").replace(b'""', b"")
        outside = marks.split(b'"')[self._in_string :: 2]
        self._depth += sum(part.count(b"{") - part.count(b"}") for part in outside)
        self._in_string ^= bool(marks.count(b'"') & 1)


def parse(loads: "Loads", text: bytes) -> "Message":
    """The message that `text` writes; raises `ProtocolFault` for what is not JSON, or not an object."""
    try:
        message = loads(text)
    except (ValueError, RecursionError) as fault:
        raise ProtocolFault(f"invalid JSON: {fault}") from None
    if not isinstance(message, dict):
        raise ProtocolFault("message is not a JSON object")
    return message


def request(method: str, params: "Json", id: "Json") -> "Message":
    """A call that wants an answer."""
    return {"id": id, "method": method, "params": params}


def notification(method: str, params: "Json") -> "Message":
    """A call that wants no answer."""
    return {"id": None, "method": method, "params": params}


def reply(result: "Json", id: "Json") -> "Message":
    """The answer to a request."""
    return {"id": id, "result": result, "error": None}


def error(fault: "Json", id: "Json") -> "Message":
    """The answer to a request that failed."""
    return {"id": id, "result": None, "error": fault}


def kind(message: "Message") -> str:
    """One of request, notification, reply, error; raises `ProtocolFault` for what is none of them (RFC 7047 §4)."""
    method = message.get("method")
    if method is not None:
        if not isinstance(method, str):
            raise ProtocolFault("method is not JSON string")
        if not isinstance(message.get("params"), list):
            raise ProtocolFault(f"{method}: params must be JSON array")
        return "notification" if message.get("id") is None else "request"
    if message.get("id") is None:
        raise ProtocolFault("message has neither method nor id")
    if "result" not in message and "error" not in message:
        raise ProtocolFault("message has neither method nor result")
    return "reply" if message.get("error") is None else "error"
