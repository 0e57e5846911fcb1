"""The rows in a large answer to `monitor_cond`, decoded a few at a time.

    {"id":7,"result":{"Logical_Flow":{"UUID":{"initial":{…}},"UUID":{"initial":{…}},…}},"error":null}
                                     └──── one dict ───────────────┘ └─ the next ─┘

Decoded all at once, 100,000 rows take 140 MB, and are out of the processor's cache before anybody looks at them.  The
bytes `":{"initial":{` stand only between a row's UUID and its columns: within a string, quotes would be escaped.
"""

from pyovn.ovsdb import jsonrpc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Rows = dict[Any, Any]  # a row's UUID → its contents

PART = 2**16  #: bytes decoded at once, at least
_ROW = b'":{"initial":{'
_END = b'}},"error":null}'
_KEY = len(b',"01234567-89ab-cdef-0123-456789abcdef')


def is_answer(text: bytes, id: int, table: str) -> bool:
    """Are these the rows of `table`, as servers spell them, in answer to request `id` for no other table?"""
    return text.startswith(_head(id, table)) and text.endswith(_END)


def parts(text: bytes, id: int, table: str, loads: "jsonrpc.Loads") -> "Iterator[Rows]":
    """The rows in such an answer, by UUID, as {"initial": columns}; raises `ProtocolFault` for what is not JSON."""
    place, end = len(_head(id, table)), len(text) - len(_END)
    while place < end:
        found = text.find(_ROW, place + _KEY + PART, end)
        cut = end if found < 0 else found - _KEY
        yield jsonrpc.parse(loads, b"{%b}" % text[place:cut])
        place = cut + 1


def _head(id: int, table: str) -> bytes:
    return b'{"id":%d,"result":{"%b":{' % (id, table.encode())
