"""Messages of OpenFlow 1.0 as bytes, at a switch's end of a connection.

Types up to 9 are what they are in OpenFlow 1.5, and Nicira's messages travel in type 4 in both.
"""

import struct
from collections.abc import Callable
from typing import Any, TypeVar

from pyovn.net.errors import Malformed
from pyovn.openflow import codec, errors, group_codec, oxm
from pyovn.openflow import messages as m
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.fields import NX_VENDOR
from pyovn.openflow.flows import TABLE_ALL, Flow
from pyovn.openflow.match import match
from pyovn.openflow.messages import Message
from pyovn.openflow.of10 import statistics
from pyovn.openflow.of10.actions import decode_actions
from pyovn.openflow.of10.match import decode_fixed, decode_nxm, encode_fixed, encode_nxm
from pyovn.packet.cursor import Cursor

VERSION = 0x01
# fmt: off
(PACKET_IN, FLOW_REMOVED, PORT_STATUS, PACKET_OUT, FLOW_MOD, PORT_MOD, STATS_REQUEST, STATS_REPLY, BARRIER_REQUEST,
 BARRIER_REPLY) = range(10, 20)
# fmt: on
NXT_FLOW_MOD, NXT_FLOW_REMOVED, NXT_GROUP_MOD = 13, 14, 31
NXET_VENDOR = 0xB0C2  #: type of errors that carry somebody's own numbers
ARP_MATCH_IP = 128  #: a capability
CAPABILITIES = m.FLOW_STATS | m.TABLE_STATS | m.PORT_STATS | m.QUEUE_STATS
KEPT = 1024  #: messages whose answers may be outstanding
NXM = 2  #: the flow format of a controller that understands it
QUOTED = 1024  #: bytes of a message that an error about it quotes

#: (type, code) of an error of OpenFlow 1.5 → in 1.0, where the numbers are others
_ERRORS = {
    errors.CODES["OFPFMFC_TABLE_FULL"]: (3, 0),
    errors.CODES["OFPFMFC_OVERLAP"]: (3, 1),
    errors.CODES["OFPFMFC_EPERM"]: (3, 2),
    errors.CODES["OFPFMFC_BAD_COMMAND"]: (3, 4),
    errors.CODES["OFPPMFC_BAD_PORT"]: (4, 0),
    errors.CODES["OFPPMFC_BAD_HW_ADDR"]: (4, 1),
}
_SAME_ERRORS = (errors.HELLO_FAILED, errors.BAD_REQUEST, errors.BAD_ACTION)
_LAST_SAME_CODE = 8
_pack = struct.pack
T = TypeVar("T")


class OpenFlow10:
    """One connection's OpenFlow 1.0."""

    version = VERSION

    def __init__(self) -> None:
        self._tables_named = False
        self._knows_nxm = False
        self._asked: dict[int, statistics.Asked] = {}
        self._heard: dict[int, bytes] = {}  #: xid → message, for errors to quote

    def encode(self, message: Message, xid: int = 0) -> bytes:
        """The bytes of a message; a long reply is several messages in a row."""
        if isinstance(message, m.MultipartReply):
            asked = self._asked.get(xid) or statistics.assumed(message.kind)
            parts = statistics.encode_reply(asked, message, codec.MAX_MESSAGE - codec.HEADER)
            return b"".join(codec.framed(STATS_REPLY, xid, part, VERSION) for part in parts)
        if isinstance(message, m.Error):
            message = message._replace(data=self._heard.get(xid, message.data))
        if self._knows_nxm and isinstance(message, m.FlowRemoved):
            kind, body = _nxm_flow_removed(message)
        elif own := _ENCODERS.get(type(message)):
            kind, body = own(message)
        else:
            kind, _, body = codec.kind_and_body(message, xid)
        return codec.framed(kind, xid, body, VERSION)

    def decode(self, data: bytes) -> tuple[Message, int]:
        """(message, xid) of one whole message; raises BadMessage or Malformed."""
        version, kind, _, xid = struct.unpack_from("!BBHI", data)
        cursor = Cursor(data, codec.HEADER)
        _keep(self._heard, xid, data[:QUOTED])
        if version != VERSION and kind not in (codec.HELLO, codec.ERROR):
            raise BadMessage("OFPBRC_BAD_VERSION", str(version))
        if kind == STATS_REQUEST:
            asked = statistics.decode_request(cursor)
            _keep(self._asked, xid, asked)
            return asked.request, xid
        if kind == FLOW_MOD or (kind == codec.EXPERIMENTER and data[8:16] == _NX_FLOW_MOD):
            return self._flow_mod(cursor, nxm=kind != FLOW_MOD), xid
        if kind == codec.EXPERIMENTER and data[8:16] == _NX_GROUP_MOD:
            cursor.skip(len(_NX_GROUP_MOD))
            return group_codec.decode_group_mod(cursor, decode_actions), xid
        read = _DECODERS.get(kind) or (codec.DECODERS.get(kind) if kind <= codec.SET_CONFIG else None)
        message = m.Opaque(kind, data[codec.HEADER :]) if read is None else read(cursor)
        if isinstance(message, m.FlowModTableId):
            self._tables_named = message.enabled
        elif isinstance(message, m.SetFlowFormat):
            self._knows_nxm = message.format == NXM
        return message, xid

    def _flow_mod(self, cursor: Cursor, *, nxm: bool) -> m.FlowMod:
        """A flow-mod of either kind; its command says in which table, if the controller has chosen so."""
        cookie_mask = size = 0
        wanted = () if nxm else decode_fixed(cursor)
        if nxm:
            cursor.skip(8)
        cookie, word = cursor.u64(), cursor.u16()
        idle, hard, priority = cursor.u16(), cursor.u16(), cursor.u16()
        buffer_id, out_port, flags = cursor.u32(), oxm.port32(cursor.u16()), cursor.u16()
        if nxm:
            size = cursor.u16()
            cursor.skip(6)
            wanted, old_cookie, cookie_mask = decode_nxm(cursor.take(size))
            cursor.skip(-size & 7)
            cookie = old_cookie if cookie_mask else cookie
        command, table = (word & 0xFF, word >> 8) if self._tables_named else (word, TABLE_ALL)
        if command > m.DELETE_STRICT:
            raise BadMessage("OFPFMFC_BAD_COMMAND", str(command))
        if command == m.ADD and table == TABLE_ALL:
            table = 0
        try:
            actions = decode_actions(cursor.rest(), wanted)
        except Malformed as fault:
            raise BadMessage("OFPBAC_BAD_ARGUMENT", str(fault)) from None
        flow = Flow(table, priority, wanted, actions, cookie, idle, hard, flags & 3)
        return m.FlowMod(command, flow, cookie_mask, out_port, buffer_id=buffer_id)


def _keep(kept: dict[int, T], xid: int, value: T) -> None:
    """Remember something about a message, and forget what is about the oldest."""
    if len(kept) >= KEPT:
        del kept[next(iter(kept))]
    kept[xid] = value


_NX_FLOW_MOD = _pack("!II", NX_VENDOR, NXT_FLOW_MOD)
_NX_GROUP_MOD = _pack("!II", NX_VENDOR, NXT_GROUP_MOD)


# --- encoding -----------------------------------------------------------------------------------------------------


def _error(error: m.Error) -> tuple[int, bytes]:
    """An error by its number in OpenFlow 1.0, or as Nicira's error that carries one of OpenFlow 1.5."""
    numbers = error.type, error.code
    if error.type in _SAME_ERRORS and error.code <= _LAST_SAME_CODE:
        head = _pack("!HH", *numbers)
    elif numbers in _ERRORS:
        head = _pack("!HH", *_ERRORS[numbers])
    else:
        head = _pack("!HHIHH", NXET_VENDOR, 0, NX_VENDOR, *numbers)
    return codec.ERROR, head + error.data


def _features_reply(features: m.FeaturesReply) -> tuple[int, bytes]:
    able = features.capabilities & CAPABILITIES | ARP_MATCH_IP
    head = _pack("!QIB3xII", features.datapath_id, features.n_buffers, features.n_tables, able, statistics.EVERY_ACTION)
    return codec.FEATURES_REPLY, head + b"".join(map(statistics.encode_port, features.ports))


def _flow_removed(message: m.FlowRemoved) -> tuple[int, bytes]:
    flow = message.flow
    head = encode_fixed(flow.match) + _pack("!QHBx", flow.cookie, flow.priority, message.reason)
    tail = _pack("!IIHxxQQ", *_time(message.duration), flow.idle_timeout, message.packets, message.bytes)
    return FLOW_REMOVED, head + tail


def _time(seconds: float) -> tuple[int, int]:
    return divmod(round(seconds * 1_000_000_000), 1_000_000_000)


def _nxm_flow_removed(message: m.FlowRemoved) -> tuple[int, bytes]:
    flow, wanted = message.flow, encode_nxm(message.flow.match)
    body = _pack("!QHBBII", flow.cookie, flow.priority, message.reason, flow.table + 1, *_time(message.duration))
    body += _pack("!HHQQ", flow.idle_timeout, len(wanted), message.packets, message.bytes)
    return codec.EXPERIMENTER, _pack("!II", NX_VENDOR, NXT_FLOW_REMOVED) + body + wanted + bytes(-len(wanted) & 7)


_ENCODERS: dict[type, Callable[[Any], tuple[int, bytes]]] = {
    m.Hello: lambda _: (codec.HELLO, b""),
    m.Error: _error,
    m.FeaturesReply: _features_reply,
    m.FlowRemoved: _flow_removed,
    m.PortStatus: lambda p: (PORT_STATUS, _pack("!B7x", p.reason) + statistics.encode_port(p.port)),
    m.BarrierReply: lambda _: (BARRIER_REPLY, b""),
}


# --- decoding -----------------------------------------------------------------------------------------------------


def _read_packet_out(cursor: Cursor) -> m.PacketOut:
    buffer_id, in_port, size = cursor.u32(), oxm.port32(cursor.u16()), cursor.u16()
    actions = decode_actions(cursor.take(size))
    return m.PacketOut(cursor.rest(), actions, match(in_port=in_port), buffer_id)


def _read_port_mod(cursor: Cursor) -> m.PortMod:
    number, mac = oxm.port32(cursor.u16()), cursor.u48()
    return m.PortMod(number, mac, cursor.u32(), cursor.u32(), cursor.u32() or None)


_DECODERS: dict[int, Callable[[Cursor], Message]] = {
    PACKET_OUT: _read_packet_out,
    PORT_MOD: _read_port_mod,
    BARRIER_REQUEST: lambda _: m.BarrierRequest(),
}
