"""DNS messages (RFC 1035).

id 2 │ flags 2 │ counts 4 × 2 │ questions: name, type 2, class 2 │ records: name, type 2, class 2, ttl 4, length 2, data

Names are text without the final dot, in the case they came in; labels with dots inside are not for us.
"""

import struct
from typing import Final, NamedTuple

from pyovn.net.errors import Malformed
from pyovn.packet.cursor import Cursor

PORT: Final = 53
A, CNAME, PTR, AAAA, ANY = 1, 5, 12, 28, 255  #: types
INTERNET: Final = 1  #: class
RESPONSE, AUTHORITATIVE, RECURSION_DESIRED, RECURSION_AVAILABLE = 0x8000, 0x0400, 0x0100, 0x0080  #: flags
OPCODE: Final = 0x7800  #: flag bits; 0: a plain query
NO_ERROR, REFUSED = 0, 5  #: response codes, in the low bits of the flags
#: Names are at most this long (§3.1), which also ends chains of pointers.
MAX_NAME: Final = 255

_POINTER = 0xC0
_FIRST_QUESTION = 12

_HEAD = struct.Struct("!HHHHHH")


class Question(NamedTuple):
    """What is asked."""

    name: str
    type: int
    cls: int = INTERNET


class Record(NamedTuple):
    """One answer, or what goes with it; names inside `data` are as they came, compressed or not."""

    name: str
    type: int
    data: bytes
    ttl: int = 0
    cls: int = INTERNET


class Message(NamedTuple):
    """A query or a response."""

    id: int
    flags: int
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authorities: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()


def parse(data: bytes) -> Message:
    """Read a message; raises Malformed."""
    cursor = Cursor(data)
    id_, flags, *counts = (cursor.u16() for _ in range(6))
    questions = tuple(Question(_name(cursor), cursor.u16(), cursor.u16()) for _ in range(counts[0]))
    sections = [tuple(_record(cursor) for _ in range(count)) for count in counts[1:]]
    return Message(id_, flags, questions, *sections)


def _record(cursor: Cursor) -> Record:
    name, type_, cls, ttl = _name(cursor), cursor.u16(), cursor.u16(), cursor.u32()
    return Record(name, type_, cursor.take(cursor.u16()), ttl, cls)


def _name(cursor: Cursor) -> str:
    labels: list[str] = []
    where, length = cursor, 0
    while size := where.u8():
        if size >= _POINTER:
            target = (size & 0x3F) << 8 | where.u8()
            if target >= where.at - 2:
                raise Malformed("DNS name pointer that does not lead backwards")
            where = Cursor(where.data, target)
            continue
        label = where.take(size)
        length += size + 1
        if size > 63 or b"." in label or length > MAX_NAME:
            raise Malformed("DNS name")
        labels.append(label.decode("latin-1"))
    return ".".join(labels)


def build(message: Message) -> bytes:
    """The bytes of a message; the name of the first question is not repeated."""
    sections = message.answers, message.authorities, message.additional
    head = _HEAD.pack(message.id, message.flags, len(message.questions), *map(len, sections))
    asked = b"".join(name(each.name) + struct.pack("!HH", each.type, each.cls) for each in message.questions)
    first = message.questions[0].name if message.questions else ""
    records = b"".join(_built(record, first) for section in sections for record in section)
    return head + asked + records


def _built(record: Record, first: str) -> bytes:
    owner = struct.pack("!H", _POINTER << 8 | _FIRST_QUESTION) if record.name and record.name == first else None
    tail = struct.pack("!HHIH", record.type, record.cls, record.ttl, len(record.data)) + record.data
    return (owner or name(record.name)) + tail


def name(text: str) -> bytes:
    """A name on the wire; raises Malformed."""
    labels = [label.encode("latin-1", "replace") for label in text.split(".") if label]
    if any(len(label) > 63 for label in labels) or sum(map(len, labels)) + len(labels) > MAX_NAME:
        raise Malformed(f"{text}: DNS name too long")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
