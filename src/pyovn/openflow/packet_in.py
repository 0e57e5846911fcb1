"""Packet-ins and resumed packets as bytes: NXT_PACKET_IN2 and NXT_RESUME share one body of properties.

type 2 │ length 2 │ value, padded to 8        packet, full length, buffer, table, cookie, reason, metadata,
                                              userdata, continuation
"""

import struct

from pyovn.net.errors import Malformed
from pyovn.openflow import oxm
from pyovn.openflow.action_codec import properties
from pyovn.openflow.actions import OFPR_ACTION
from pyovn.openflow.messages import ALL_COOKIES, NO_BUFFER, PacketIn, Resume
from pyovn.packet.cursor import Cursor

PACKET, FULL_LEN, BUFFER_ID, TABLE_ID, COOKIE, REASON, METADATA, USERDATA, CONTINUATION = range(9)

_pack = struct.pack


def _property(kind: int, value: bytes, size: int = 0) -> bytes:
    """A property that counts at least `size` bytes."""
    body = _pack("!HH", kind, max(4 + len(value), size)) + value
    return body + bytes(-len(body) & 7)


def encode(message: PacketIn | Resume) -> bytes:
    """The properties."""
    packet, match, reason, table, cookie, total_len, userdata, continuation, buffer_id = message
    found = [_property(PACKET, packet)] if packet else []
    if total_len is not None and total_len != len(packet):
        found.append(_property(FULL_LEN, _pack("!I", total_len)))
    if buffer_id is not None:
        found.append(_property(BUFFER_ID, _pack("!I", buffer_id)))
    if table:
        found.append(_property(TABLE_ID, _pack("!B", table)))
    if cookie is not None:
        found.append(_property(COOKIE, _pack("!4xQ", cookie)))
    if reason != OFPR_ACTION or isinstance(message, PacketIn):
        found.append(_property(REASON, _pack("!B", reason)))
    if match:
        found.append(_property(METADATA, oxm.encode_terms(match)))
    if userdata:
        found.append(_property(USERDATA, userdata))
    if continuation is not None:
        found.append(_property(CONTINUATION, _pack("!4x") + continuation))
    return b"".join(found)


def decode(cursor: Cursor) -> PacketIn:
    """The packet-in whose properties `cursor` holds; raises Malformed."""
    found = PacketIn(b"")
    for kind, body in properties(cursor):
        match kind:
            case 0:
                found = found._replace(packet=body.rest())
            case 1:
                found = found._replace(total_len=body.u32())
            case 2:
                found = found._replace(buffer_id=body.u32())
            case 3:
                found = found._replace(table=body.u8())
            case 4:
                body.skip(4)
                found = found._replace(cookie=body.u64())
            case 5:
                found = found._replace(reason=body.u8())
            case 6:
                found = found._replace(match=oxm.decode_terms(body.rest()))
            case 7:
                found = found._replace(userdata=body.rest())
            case 8:
                body.skip(4)
                found = found._replace(continuation=body.rest())
    return _counted(found)


def _counted(found: PacketIn) -> PacketIn:
    """The packet-in with the length that its packet had, which is no less than what came of it."""
    if found.total_len is None:
        return found._replace(total_len=len(found.packet))
    if found.total_len < len(found.packet):
        raise Malformed(f"packet of {len(found.packet)} bytes that counts {found.total_len}")
    return found


def decode_standard(cursor: Cursor) -> PacketIn:
    """OpenFlow's own packet-in; raises Malformed."""
    buffer_id, total_len, reason, table, cookie = (
        cursor.u32(),
        cursor.u16(),
        cursor.u8(),
        cursor.u8(),
        cursor.u64(),
    )
    match = oxm.decode_match(cursor)
    cursor.skip(2)
    return PacketIn(
        cursor.rest(),
        match,
        reason,
        table,
        None if cookie == ALL_COOKIES else cookie,
        total_len,
        buffer_id=None if buffer_id == NO_BUFFER else buffer_id,
    )
