"""Messages as bytes: OpenFlow 1.5 and Nicira's extensions, for controller and switch alike.

    version 1 │ type 1 │ length 2 │ xid 4 │ body

Two tables, one per direction, hold a function per message; bodies of multipart messages are in `multipart`.
`encode` may return several messages in a row (a long multipart reply in parts).
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

from pyovn.net.errors import Malformed
from pyovn.openflow import action_codec, group_codec, multipart, oxm, packet_in, tlv_codec
from pyovn.openflow import messages as m
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.fields import NX_VENDOR
from pyovn.openflow.flows import Flow
from pyovn.openflow.messages import VERSION, Message
from pyovn.packet.cursor import Cursor

HEADER = 8
MAX_MESSAGE = 0xFFFF

_HEAD = struct.Struct("!BBHI")
_FLOW_MOD = struct.Struct("!BBHIQQBBHHHIIIHH")
_BUNDLE_ADD = struct.Struct("!BBHIIxxH")
_pack = struct.pack
_FLOW_MOD_SIZE = _FLOW_MOD.size

# fmt: off
(HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER, FEATURES_REQUEST, FEATURES_REPLY, GET_CONFIG_REQUEST,
 GET_CONFIG_REPLY, SET_CONFIG, PACKET_IN, FLOW_REMOVED, PORT_STATUS, PACKET_OUT, FLOW_MOD, GROUP_MOD, PORT_MOD,
 TABLE_MOD, MULTIPART_REQUEST, MULTIPART_REPLY, BARRIER_REQUEST, BARRIER_REPLY) = range(22)
(ROLE_REQUEST, ROLE_REPLY, GET_ASYNC_REQUEST, GET_ASYNC_REPLY, SET_ASYNC, METER_MOD) = range(24, 30)
BUNDLE_CONTROL, BUNDLE_ADD = 33, 34

(NXT_SET_FLOW_FORMAT, NXT_FLOW_MOD_TABLE_ID) = 12, 15
(NXT_SET_PACKET_IN_FORMAT, NXT_SET_CONTROLLER_ID, NXT_TLV_TABLE_MOD, NXT_TLV_TABLE_REQUEST, NXT_TLV_TABLE_REPLY,
 NXT_RESUME, NXT_CT_FLUSH_ZONE, NXT_PACKET_IN2, NXT_CT_FLUSH) = 16, 20, 24, 25, 26, 28, 29, 30, 32
# fmt: on


def framed(kind: int, xid: int, body: bytes, version: int = VERSION) -> bytes:
    """A message around `body`."""
    return _HEAD.pack(version, kind, HEADER + len(body), xid) + body


def _nicira(subtype: int, body: bytes = b"") -> tuple[int, bytes]:
    return EXPERIMENTER, _pack("!II", NX_VENDOR, subtype) + body


# --- encoding -----------------------------------------------------------------------------------------------------


def encode_flow_mod(
    mod: m.FlowMod,
    xid: int = 0,
    *,
    _match: Callable[..., bytes] = oxm.encode_match,
    _instructions: Callable[..., bytes] = action_codec.encode_instructions,
) -> bytes:
    """A flow-mod; written out flat because a controller sends hundreds of thousands of them."""
    command, flow, cookie_mask, out_port, out_group, buffer_id = mod
    table, priority, wanted, actions, cookie, idle, hard, flags, importance = flow
    body = _match(wanted) + _instructions(actions)
    return (
        _FLOW_MOD.pack(
            VERSION,
            FLOW_MOD,
            _FLOW_MOD_SIZE + len(body),
            xid,
            cookie,
            cookie_mask,
            table,
            command,
            idle,
            hard,
            priority,
            buffer_id,
            out_port,
            out_group,
            flags,
            importance,
        )
        + body
    )


def _hello(message: m.Hello) -> tuple[int, bytes]:
    return HELLO, _pack("!HHI", 1, 8, message.versions)


def _packet_out(message: m.PacketOut) -> tuple[int, bytes]:
    actions = action_codec.encode_actions(message.actions)
    head = _pack("!IHxx", message.buffer_id, len(actions))
    return PACKET_OUT, head + oxm.encode_match(message.match) + actions + message.packet


def _features_reply(message: m.FeaturesReply) -> tuple[int, bytes]:
    dpid, buffers, tables, auxiliary, capabilities, _ = message
    return FEATURES_REPLY, _pack("!QIBBxxII", dpid, buffers, tables, auxiliary, capabilities, 0)


def _flow_removed(message: m.FlowRemoved) -> tuple[int, bytes]:
    flow = message.flow
    head = _pack(
        "!BBHHHQ", flow.table, message.reason, flow.priority, flow.idle_timeout, flow.hard_timeout, flow.cookie
    )
    stats = multipart.encode_stats(message.duration, None, message.packets, message.bytes)
    return FLOW_REMOVED, head + oxm.encode_match(flow.match) + stats


def _port_mod(message: m.PortMod) -> tuple[int, bytes]:
    head = _pack("!I4x6sxxII", message.number, message.mac.to_bytes(6, "big"), message.config, message.mask)
    return PORT_MOD, head + (b"" if message.advertise is None else _pack("!HHI", 0, 8, message.advertise))


def _role(kind: int) -> Callable[[m.RoleRequest | m.RoleReply], tuple[int, bytes]]:
    return lambda message: (kind, _pack("!IIQ", message.role, message.short_id, message.generation_id))


def _masks(kind: int) -> Callable[[m.SetAsync | m.GetAsyncReply], tuple[int, bytes]]:
    return lambda message: (kind, b"".join(_pack("!HHI", type_, 8, mask) for type_, mask in message.masks))


def encode_bundle_add(bundle: int, flags: int, message: Message, xid: int) -> bytes:
    """`message` inside a bundle-add, both with `xid`."""
    inner = encode_flow_mod(message, xid) if type(message) is m.FlowMod else encode(message, xid)
    return _BUNDLE_ADD.pack(VERSION, BUNDLE_ADD, _BUNDLE_ADD.size + len(inner), xid, bundle, flags) + inner


_ENCODERS: dict[type, Callable[[Any], tuple[int, bytes]]] = {
    m.Hello: _hello,
    m.Error: lambda e: (ERROR, _pack("!HH", e.type, e.code) + e.data),
    m.EchoRequest: lambda e: (ECHO_REQUEST, e.data),
    m.EchoReply: lambda e: (ECHO_REPLY, e.data),
    m.FeaturesRequest: lambda _: (FEATURES_REQUEST, b""),
    m.FeaturesReply: _features_reply,
    m.GetConfigRequest: lambda _: (GET_CONFIG_REQUEST, b""),
    m.GetConfigReply: lambda c: (GET_CONFIG_REPLY, _pack("!HH", *c)),
    m.SetConfig: lambda c: (SET_CONFIG, _pack("!HH", *c)),
    m.PacketIn: lambda p: _nicira(NXT_PACKET_IN2, packet_in.encode(p)),
    m.Resume: lambda p: _nicira(NXT_RESUME, packet_in.encode(p)),
    m.FlowRemoved: _flow_removed,
    m.PortStatus: lambda p: (PORT_STATUS, _pack("!B7x", p.reason) + multipart.encode_port(p.port)),
    m.PortMod: _port_mod,
    m.TableMod: lambda t: (TABLE_MOD, _pack("!B3xI", t.table, t.config)),
    m.PacketOut: _packet_out,
    m.GroupMod: lambda g: (GROUP_MOD, group_codec.encode_group_mod(g)),
    m.MeterMod: lambda x: (METER_MOD, group_codec.encode_meter_mod(x)),
    m.BarrierRequest: lambda _: (BARRIER_REQUEST, b""),
    m.BarrierReply: lambda _: (BARRIER_REPLY, b""),
    m.RoleRequest: _role(ROLE_REQUEST),
    m.RoleReply: _role(ROLE_REPLY),
    m.GetAsyncRequest: lambda _: (GET_ASYNC_REQUEST, b""),
    m.GetAsyncReply: _masks(GET_ASYNC_REPLY),
    m.SetAsync: _masks(SET_ASYNC),
    m.BundleControl: lambda b: (BUNDLE_CONTROL, _pack("!IHH", b.id, b.type, b.flags)),
    m.SetControllerId: lambda c: _nicira(NXT_SET_CONTROLLER_ID, _pack("!6xH", c.id)),
    m.SetPacketInFormat: lambda p: _nicira(NXT_SET_PACKET_IN_FORMAT, _pack("!I", p.format)),
    m.SetFlowFormat: lambda f: _nicira(NXT_SET_FLOW_FORMAT, _pack("!I", f.format)),
    m.FlowModTableId: lambda t: _nicira(NXT_FLOW_MOD_TABLE_ID, _pack("!B7x", t.enabled)),
    m.TlvTableMod: lambda t: _nicira(NXT_TLV_TABLE_MOD, tlv_codec.encode_mod(t)),
    m.TlvTableRequest: lambda _: _nicira(NXT_TLV_TABLE_REQUEST),
    m.TlvTableReply: lambda t: _nicira(NXT_TLV_TABLE_REPLY, tlv_codec.encode_reply(t)),
    m.CtFlushZone: lambda z: _nicira(NXT_CT_FLUSH_ZONE, _pack("!6xH", z.zone)),
    m.CtFlush: lambda f: _nicira(NXT_CT_FLUSH, tlv_codec.encode_ct_flush(f)),
    m.MultipartRequest: lambda r: (MULTIPART_REQUEST, multipart.encode_request(r)),
    m.Experimenter: lambda e: (EXPERIMENTER, _pack("!II", e.vendor, e.type) + e.data),
    m.Opaque: lambda o: (o.type, o.data),
}


def encode(message: Message, xid: int = 0) -> bytes:
    """The bytes of a message; a long multipart reply is several messages in a row."""
    if type(message) is m.FlowMod:
        return encode_flow_mod(message, xid)
    if type(message) is m.BundleAdd:
        return encode_bundle_add(message.id, message.flags, message.message, xid)
    if type(message) is m.MultipartReply:
        parts = multipart.encode_reply(message, MAX_MESSAGE - HEADER)
        return b"".join(framed(MULTIPART_REPLY, xid, part) for part in parts)
    return framed(*kind_and_body(message, xid))


def kind_and_body(message: Message, xid: int) -> tuple[int, int, bytes]:
    """Type, xid and body of a message that is neither a flow-mod nor part of a bundle nor a multipart reply."""
    kind, body = _ENCODERS[type(message)](message)
    return kind, xid, body


# --- decoding -----------------------------------------------------------------------------------------------------


def _read_hello(cursor: Cursor) -> m.Hello:
    version = cursor.data[cursor.at - HEADER]
    versions = (2 << version) - 1 & ~1
    while len(cursor) >= 4:
        start, kind, size = cursor.at, cursor.u16(), cursor.u16()
        body = cursor.part(size - 4)
        if kind == 1:
            versions = body.u32()
        cursor.align(8, start)
    return m.Hello(versions, version)


def _read_packet_out(cursor: Cursor) -> m.PacketOut:
    buffer_id, size = cursor.u32(), cursor.u16()
    cursor.skip(2)
    match = oxm.decode_match(cursor)
    actions = action_codec.decode_actions(cursor.take(size))
    return m.PacketOut(cursor.rest(), actions, match, buffer_id)


def _read_flow_mod(cursor: Cursor) -> m.FlowMod:
    """A flow-mod; read flat because a switch gets hundreds of thousands of them."""
    data, start = cursor.data, cursor.at - HEADER
    if cursor.end - start < _FLOW_MOD_SIZE + 8:
        raise BadMessage("OFPBRC_BAD_LEN", f"flow-mod of {cursor.end - start} bytes")
    head = _FLOW_MOD.unpack_from(data, start)
    cookie, cookie_mask, table, command, idle, hard, priority, buffer_id, out_port, out_group, flags, importance = head[
        4:
    ]
    if command > m.DELETE_STRICT:
        raise BadMessage("OFPFMFC_BAD_COMMAND", str(command))
    cursor.at = start + _FLOW_MOD_SIZE
    try:
        match = oxm.decode_match(cursor)
    except Malformed as fault:
        raise BadMessage("OFPBMC_BAD_FIELD", str(fault)) from None
    try:
        actions = action_codec.decode_instructions(data[cursor.at : cursor.end])
    except Malformed as fault:
        raise BadMessage("OFPBAC_BAD_ARGUMENT", str(fault)) from None
    flow = Flow(table, priority, match, actions, cookie, idle, hard, flags, importance)
    return m.FlowMod(command, flow, cookie_mask, out_port, out_group, buffer_id)


def _read_features_reply(cursor: Cursor) -> m.FeaturesReply:
    dpid, buffers, tables, auxiliary = cursor.u64(), cursor.u32(), cursor.u8(), cursor.u8()
    cursor.skip(2)
    return m.FeaturesReply(dpid, buffers, tables, auxiliary, cursor.u32())


def _read_flow_removed(cursor: Cursor) -> m.FlowRemoved:
    table, reason, priority = cursor.u8(), cursor.u8(), cursor.u16()
    idle, hard, cookie = cursor.u16(), cursor.u16(), cursor.u64()
    flow = Flow(table, priority, oxm.decode_match(cursor), (), cookie, idle, hard)
    stats = multipart.decode_stats(cursor)
    return m.FlowRemoved(flow, reason, stats.duration, stats.packets, stats.bytes)


def _read_port_status(cursor: Cursor) -> m.PortStatus:
    reason = cursor.u8()
    cursor.skip(7)
    return m.PortStatus(reason, multipart.decode_port(cursor))


def _read_port_mod(cursor: Cursor) -> m.PortMod:
    number = cursor.u32()
    cursor.skip(4)
    mac = cursor.u48()
    cursor.skip(2)
    config, mask = cursor.u32(), cursor.u32()
    advertise = next((body.u32() for kind, body in action_codec.properties(cursor) if kind == 0), None)
    return m.PortMod(number, mac, config, mask, advertise)


def _read_table_mod(cursor: Cursor) -> m.TableMod:
    table = cursor.u8()
    cursor.skip(3)
    return m.TableMod(table, cursor.u32())


def _read_role(kind: Callable[[int, int, int], Message]) -> Callable[[Cursor], Message]:
    def read(cursor: Cursor) -> Message:
        role, short_id, generation_id = cursor.u32(), cursor.u32(), cursor.u64()
        return kind(role, generation_id, short_id)

    return read


def _read_masks(cursor: Cursor) -> tuple[tuple[int, int], ...]:
    return tuple((kind, body.u32()) for kind, body in action_codec.properties(cursor) if len(body) == 4)


def _read_bundle_add(cursor: Cursor) -> m.BundleAdd:
    data, start = cursor.data, cursor.at + 8
    if cursor.end - start < HEADER:
        raise BadMessage("OFPBFC_MSG_BAD_LEN", f"{cursor.end - start} bytes inside")
    *_, bundle, flags = _BUNDLE_ADD.unpack_from(data, start - _BUNDLE_ADD.size)
    size = int.from_bytes(data[start + 2 : start + 4], "big")
    inner, _ = decode(data[start : start + size])
    return m.BundleAdd(bundle, inner, flags)


def _read_zone(cursor: Cursor) -> m.CtFlushZone:
    cursor.skip(6)
    return m.CtFlushZone(cursor.u16())


def _read_controller_id(cursor: Cursor) -> m.SetControllerId:
    cursor.skip(6)
    return m.SetControllerId(cursor.u16())


_NICIRA: dict[int, Callable[[Cursor], Message]] = {
    NXT_SET_PACKET_IN_FORMAT: lambda c: m.SetPacketInFormat(c.u32()),
    NXT_SET_CONTROLLER_ID: _read_controller_id,
    NXT_SET_FLOW_FORMAT: lambda c: m.SetFlowFormat(c.u32()),
    NXT_FLOW_MOD_TABLE_ID: lambda c: m.FlowModTableId(bool(c.u8())),
    NXT_TLV_TABLE_MOD: tlv_codec.decode_mod,
    NXT_TLV_TABLE_REQUEST: lambda _: m.TlvTableRequest(),
    NXT_TLV_TABLE_REPLY: tlv_codec.decode_reply,
    NXT_RESUME: lambda c: m.Resume(*packet_in.decode(c)),
    NXT_CT_FLUSH_ZONE: _read_zone,
    NXT_PACKET_IN2: packet_in.decode,
    NXT_CT_FLUSH: tlv_codec.decode_ct_flush,
}


def _read_experimenter(cursor: Cursor) -> Message:
    vendor, subtype = cursor.u32(), cursor.u32()
    if vendor == NX_VENDOR and subtype in _NICIRA:
        return _NICIRA[subtype](cursor)
    return m.Experimenter(vendor, subtype, cursor.rest())


DECODERS: dict[int, Callable[[Cursor], Message]] = {
    HELLO: _read_hello,
    ERROR: lambda c: m.Error(c.u16(), c.u16(), c.rest()),
    ECHO_REQUEST: lambda c: m.EchoRequest(c.rest()),
    ECHO_REPLY: lambda c: m.EchoReply(c.rest()),
    EXPERIMENTER: _read_experimenter,
    FEATURES_REQUEST: lambda _: m.FeaturesRequest(),
    FEATURES_REPLY: _read_features_reply,
    GET_CONFIG_REQUEST: lambda _: m.GetConfigRequest(),
    GET_CONFIG_REPLY: lambda c: m.GetConfigReply(c.u16(), c.u16()),
    SET_CONFIG: lambda c: m.SetConfig(c.u16(), c.u16()),
    PACKET_IN: packet_in.decode_standard,
    FLOW_REMOVED: _read_flow_removed,
    PORT_STATUS: _read_port_status,
    PACKET_OUT: _read_packet_out,
    FLOW_MOD: _read_flow_mod,
    GROUP_MOD: group_codec.decode_group_mod,
    PORT_MOD: _read_port_mod,
    TABLE_MOD: _read_table_mod,
    MULTIPART_REQUEST: multipart.decode_request,
    MULTIPART_REPLY: multipart.decode_reply,
    BARRIER_REQUEST: lambda _: m.BarrierRequest(),
    BARRIER_REPLY: lambda _: m.BarrierReply(),
    ROLE_REQUEST: _read_role(m.RoleRequest),
    ROLE_REPLY: _read_role(m.RoleReply),
    GET_ASYNC_REQUEST: lambda _: m.GetAsyncRequest(),
    GET_ASYNC_REPLY: lambda c: m.GetAsyncReply(_read_masks(c)),
    SET_ASYNC: lambda c: m.SetAsync(_read_masks(c)),
    METER_MOD: group_codec.decode_meter_mod,
    BUNDLE_CONTROL: lambda c: m.BundleControl(c.u32(), c.u16(), c.u16()),
    BUNDLE_ADD: _read_bundle_add,
}


def decode(data: bytes) -> tuple[Message, int]:
    """(message, xid) of one whole message; raises BadMessage or Malformed."""
    version, kind, size, xid = _HEAD.unpack_from(data)
    if size != len(data):
        raise BadMessage("OFPBRC_BAD_LEN", f"{size} in {len(data)} bytes")
    if version != VERSION and kind not in (HELLO, ERROR):
        raise BadMessage("OFPBRC_BAD_VERSION", str(version))
    decoder = DECODERS.get(kind)
    if decoder is None:
        return m.Opaque(kind, data[HEADER:]), xid
    return decoder(Cursor(data, HEADER)), xid


def split(data: bytes) -> Iterator[bytes]:
    """The whole messages at the beginning of `data`; raises BadMessage where a length is impossible."""
    at, end = 0, len(data)
    while end - at >= HEADER:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < HEADER:
            raise BadMessage("OFPBRC_BAD_LEN", str(size))
        if size > end - at:
            return
        yield data[at : at + size]
        at += size
