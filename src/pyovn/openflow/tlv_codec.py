"""The Geneve option table and the connection tracking flush as bytes (Nicira extensions).

NXT_TLV_TABLE_MOD    command 2 │ pad 6 │ {class 2 │ type 1 │ length 1 │ index 2 │ pad 2}…
NXT_TLV_TABLE_REPLY  max space 4 │ max fields 2 │ pad 10 │ {…}…
NXT_CT_FLUSH         protocol 1 │ pad 7 │ properties: original, reply, zone, mark, label
"""

import struct
from collections.abc import Iterable
from typing import Any

from pyovn.openflow.action_codec import properties
from pyovn.openflow.messages import CtFlush, CtTuple, TlvMap, TlvTableMod, TlvTableReply
from pyovn.packet.cursor import Cursor

ORIGINAL, REPLY, ZONE, MARK, MARK_MASK, LABEL, LABEL_MASK = range(7)

_pack = struct.pack
#: CtTuple field → bytes of its value, in order of property type
_TUPLE_SIZES = (16, 16, 2, 2, 2, 1, 1)


def _encode_maps(maps: Iterable[TlvMap]) -> bytes:
    return b"".join(_pack("!HBBHxx", *each) for each in maps)


def _decode_maps(cursor: Cursor) -> tuple[TlvMap, ...]:
    found = []
    while cursor:
        found.append(TlvMap(cursor.u16(), cursor.u8(), cursor.u8(), cursor.u16()))
        cursor.skip(2)
    return tuple(found)


def encode_mod(mod: TlvTableMod) -> bytes:
    """The body of a change."""
    return _pack("!H6x", mod.command) + _encode_maps(mod.maps)


def decode_mod(cursor: Cursor) -> TlvTableMod:
    """A change; raises Malformed."""
    command = cursor.u16()
    cursor.skip(6)
    return TlvTableMod(command, _decode_maps(cursor))


def encode_reply(reply: TlvTableReply) -> bytes:
    """The body of a reply."""
    return _pack("!IH10x", reply.max_space, reply.max_fields) + _encode_maps(reply.maps)


def decode_reply(cursor: Cursor) -> TlvTableReply:
    """A reply; raises Malformed."""
    space, fields = cursor.u32(), cursor.u16()
    cursor.skip(10)
    return TlvTableReply(_decode_maps(cursor), space, fields)


def _property(kind: int, value: bytes) -> bytes:
    body = _pack("!HH", kind, 4 + len(value)) + value
    return body + bytes(-len(body) & 7)


def _number(kind: int, value: int, size: int) -> bytes:
    """A property with a number; one of 16 bits counts its padding."""
    if size == 2:
        return _property(kind, _pack("!Hxx", value))
    return _property(kind, value.to_bytes(size, "big"))


def _read_number(cursor: Cursor, size: int) -> int:
    if size == 16 and len(cursor) > 16:
        cursor.skip(4)
    return cursor.uint(size)


def _encode_tuple(kind: int, wanted: CtTuple) -> bytes:
    body = b"".join(
        _number(number, value, size)
        for number, (value, size) in enumerate(zip(wanted, _TUPLE_SIZES, strict=True))
        if value is not None
    )
    return _pack("!HH4x", kind, 8 + len(body)) + body if body else b""


def _decode_tuple(cursor: Cursor) -> CtTuple:
    cursor.skip(4)
    found: list[Any] = [None] * len(_TUPLE_SIZES)
    for kind, body in properties(cursor):
        if kind < len(found):
            found[kind] = _read_number(body, _TUPLE_SIZES[kind])
    return CtTuple(*found)


def encode_ct_flush(flush: CtFlush) -> bytes:
    """The body of a flush."""
    found = _pack("!B7x", flush.proto)
    found += _encode_tuple(ORIGINAL, flush.original) + _encode_tuple(REPLY, flush.reply)
    if flush.zone is not None:
        found += _number(ZONE, flush.zone, 2)
    if flush.mark is not None:
        found += _number(MARK, flush.mark[0], 4) + _number(MARK_MASK, flush.mark[1], 4)
    if flush.label is not None:
        found += _number(LABEL, flush.label[0], 16) + _number(LABEL_MASK, flush.label[1], 16)
    return found


def decode_ct_flush(cursor: Cursor) -> CtFlush:
    """A flush; raises Malformed."""
    proto = cursor.u8()
    cursor.skip(7)
    flush, values = CtFlush(proto=proto), dict[int, int]()
    for kind, body in properties(cursor):
        if kind == ORIGINAL:
            flush = flush._replace(original=_decode_tuple(body))
        elif kind == REPLY:
            flush = flush._replace(reply=_decode_tuple(body))
        elif kind <= LABEL_MASK:
            values[kind] = _read_number(body, {ZONE: 2, MARK: 4, MARK_MASK: 4}.get(kind, 16))
    if MARK in values:
        flush = flush._replace(mark=(values[MARK], values.get(MARK_MASK, 0xFFFFFFFF)))
    if LABEL in values:
        flush = flush._replace(label=(values[LABEL], values.get(LABEL_MASK, (1 << 128) - 1)))
    return flush._replace(zone=values.get(ZONE))
