"""The log format: records that carry their length and hash, so that a torn or damaged end is found.

    OVSDB JSON <length> <sha1>\\n
    <json>\\n                        length and hash include the newline

`build` makes a record, `head` the first line of a long one that is written in pieces, `scan` reads records up to the
first that is not whole.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAGIC = b"OVSDB JSON "
LONGEST_HEADER = 128
_HEADER = re.compile(rb"OVSDB JSON ([0-9]+) ([0-9a-f]{40})\n")


class Record(NamedTuple):
    """One record: where it begins and ends in the file, and the JSON in it."""

    start: int
    end: int
    json: bytes


class Damage(NamedTuple):
    """Why reading stopped before the end of the file."""

    offset: int  #: where the last whole record ends
    reason: str


def build(json: bytes) -> bytes:
    """The record for a piece of JSON."""
    body = json + b"\n"
    return b"%b%d %b\n%b" % (MAGIC, len(body), hashlib.sha1(body, usedforsecurity=False).hexdigest().encode(), body)


def head(pieces: Iterable[bytes]) -> bytes:
    """The first line of the record whose body, newline and all, is these pieces."""
    hash, length = hashlib.sha1(usedforsecurity=False), 0
    for piece in pieces:
        hash.update(piece)
        length += len(piece)
    return b"%b%d %b\n" % (MAGIC, length, hash.hexdigest().encode())


def scan(file: bytes | memoryview, start: int = 0) -> Iterator[Record | Damage]:
    """The whole records of a file, and then the damage if there is any."""
    view = memoryview(file)
    while start < len(view):
        header = _HEADER.match(bytes(view[start : start + LONGEST_HEADER]))
        if header is None:
            line = bytes(view[start : start + LONGEST_HEADER]).split(b"\n")[0].decode(errors="replace")
            yield Damage(start, f'parse error at offset {start} in header line "{line}"')
            return
        length, hash = int(header[1]), header[2].decode()
        begin = start + header.end()
        body = view[begin : begin + length]
        if len(body) < length:
            yield Damage(start, f"error reading {length} bytes starting at offset {begin} (End of file)")
            return
        found = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        if found != hash:
            what = f"{length} bytes starting at offset {begin} have SHA-1 hash {found} but should have hash {hash}"
            yield Damage(start, what)
            return
        yield Record(start, begin + length, bytes(body))
        start = begin + length
