"""The learn action as bytes: a fixed part, then one specification per field of the learned flow.

idle 2 │ hard 2 │ priority 2 │ cookie 8 │ flags 2 │ table 1 │ pad 1 │ fin idle 2 │ fin hard 2
       │ [limit 4 │ result bit 2 │ pad 2 │ [result field]]                    learn with a limit
       │ specifications … │ zeros
specification: header 2 (bits 0-10 width, 11-12 use, 13 constant) │ source │ destination
"""

import struct
from typing import Literal

from pyovn.openflow import oxm
from pyovn.openflow.actions import LEARN_WRITE_RESULT, Learn, LearnSpec
from pyovn.packet.cursor import Cursor

LEARN, LEARN2 = 16, 45

_HEAD = struct.Struct("!HHHQHBxHH")
_CONSTANT = 1 << 13
_USES: tuple[Literal["match", "load", "output"], ...] = ("match", "load", "output")
_WIDTH = 0x7FF


def subtype(action: Learn) -> int:
    """Which of the two forms carries this action."""
    return LEARN2 if action.limit or action.result else LEARN


def encode(action: Learn) -> bytes:
    """The body after the subtype, not padded."""
    head = _HEAD.pack(
        action.idle_timeout,
        action.hard_timeout,
        action.priority,
        action.cookie,
        action.flags | (LEARN_WRITE_RESULT if action.result else 0),
        action.table,
        action.fin_idle_timeout,
        action.fin_hard_timeout,
    )
    if subtype(action) == LEARN2:
        field, bit = action.result or ("", 0)
        head += struct.pack("!IHxx", action.limit, bit) + (oxm.name_header(field, 1) if field else b"")
    return head + b"".join(map(_encode_spec, action.specs))


def _encode_spec(spec: LearnSpec) -> bytes:
    word = _USES.index(spec.use) << 11 | spec.bits
    if spec.src is None:
        encoded = struct.pack("!H", word | _CONSTANT) + spec.value.to_bytes((spec.bits + 15) // 16 * 2, "big")
    else:
        encoded = struct.pack("!H", word) + _place(spec.src, spec.bits)
    return encoded + _place(spec.dst, spec.bits) if spec.dst else encoded


def _place(place: tuple[str, int], bits: int) -> bytes:
    return oxm.name_header(place[0], bits) + struct.pack("!H", place[1])


def decode(cursor: Cursor, *, limit: bool) -> Learn:
    """The action whose body `cursor` holds; raises Malformed."""
    idle, hard, priority, cookie = cursor.u16(), cursor.u16(), cursor.u16(), cursor.u64()
    flags, table = cursor.u16(), cursor.u8()
    cursor.skip(1)
    fin_idle, fin_hard = cursor.u16(), cursor.u16()
    most, result = 0, None
    if limit:
        most, bit = cursor.u32(), cursor.u16()
        cursor.skip(2)
        result = (oxm.decode_name(cursor), bit) if flags & LEARN_WRITE_RESULT else None
    specs = tuple(_decode_specs(cursor))
    flags &= ~LEARN_WRITE_RESULT
    return Learn(table, specs, idle, hard, priority, cookie, flags, fin_idle, fin_hard, most, result)


def _decode_specs(cursor: Cursor) -> list[LearnSpec]:
    specs = []
    while len(cursor) >= 2 and (word := cursor.u16()):
        use, bits = _USES[min(word >> 11 & 3, 2)], word & _WIDTH
        src, value = None, 0
        if word & _CONSTANT:
            value = cursor.uint((bits + 15) // 16 * 2)
        else:
            src = oxm.decode_name(cursor), cursor.u16()
        dst = None if use == "output" else (oxm.decode_name(cursor), cursor.u16())
        specs.append(LearnSpec(use, src, value, dst, bits))
    return specs
