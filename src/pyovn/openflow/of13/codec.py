"""Messages of OpenFlow 1.3 and 1.4 as bytes, at a switch's end of a connection."""

import struct
from collections.abc import Callable, Mapping

from pyovn.openflow import codec, multipart, oxm
from pyovn.openflow import messages as m
from pyovn.openflow.action_codec import decode_actions
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.match import match
from pyovn.openflow.messages import Message
from pyovn.openflow.of13 import statistics
from pyovn.openflow.of13.actions import encode_instructions
from pyovn.packet.cursor import Cursor

_pack = struct.pack


class OpenFlow14:
    """One connection's OpenFlow 1.4."""

    version = 0x05
    _kinds: Mapping[str, multipart.Kind] = statistics.KINDS_14

    def encode(self, message: Message, xid: int = 0) -> bytes:
        """The bytes of a message; a long reply is several messages in a row."""
        if isinstance(message, m.MultipartReply):
            parts = multipart.encode_reply(message, codec.MAX_MESSAGE - codec.HEADER, self._kinds)
            return b"".join(codec.framed(codec.MULTIPART_REPLY, xid, part, self.version) for part in parts)
        if isinstance(message, m.FlowMod):
            flow_mod = codec.encode_flow_mod(message, xid, _instructions=encode_instructions)
            return bytes((self.version,)) + flow_mod[1:]
        kind, body = self._body(message, xid)
        return codec.framed(kind, xid, body, self.version)

    def _body(self, message: Message, xid: int) -> tuple[int, bytes]:
        if isinstance(message, m.Hello):
            return codec.HELLO, _pack("!HHI", 1, 8, message.versions)
        if isinstance(message, m.FlowRemoved):
            return codec.FLOW_REMOVED, _flow_removed(message)
        kind, _, body = codec.kind_and_body(message, xid)
        return kind, body

    def decode(self, data: bytes) -> tuple[Message, int]:
        """(message, xid) of one whole message; raises BadMessage or Malformed."""
        version, kind, _, xid = struct.unpack_from("!BBHI", data)
        if version != self.version and kind not in (codec.HELLO, codec.ERROR):
            raise BadMessage("OFPBRC_BAD_VERSION", str(version))
        cursor = Cursor(data, codec.HEADER)
        if kind == codec.MULTIPART_REQUEST:
            return multipart.decode_request(cursor, self._kinds), xid
        if kind == codec.BUNDLE_ADD:
            return self._bundle_add(cursor), xid
        read = self._own(kind) or codec.DECODERS.get(kind)
        return (m.Opaque(kind, data[codec.HEADER :]) if read is None else read(cursor)), xid

    def _own(self, kind: int) -> Callable[[Cursor], Message] | None:
        return _DECODERS.get(kind)

    def _bundle_add(self, cursor: Cursor) -> m.BundleAdd:
        bundle = cursor.u32()
        cursor.skip(2)
        flags, head = cursor.u16(), cursor.take(codec.HEADER)
        inner, _ = self.decode(head + cursor.take(int.from_bytes(head[2:4], "big") - codec.HEADER))
        return m.BundleAdd(bundle, inner, flags)


class OpenFlow13(OpenFlow14):
    """One connection's OpenFlow 1.3."""

    version = 0x04
    _kinds = statistics.KINDS_13

    def _body(self, message: Message, xid: int) -> tuple[int, bytes]:
        if isinstance(message, m.PortStatus):
            return codec.PORT_STATUS, _pack("!B7x", message.reason) + statistics.port_13(message.port)
        return super()._body(message, xid)

    def _own(self, kind: int) -> Callable[[Cursor], Message] | None:
        return _read_port_mod if kind == codec.PORT_MOD else super()._own(kind)


def _flow_removed(message: m.FlowRemoved) -> bytes:
    flow, seconds = message.flow, statistics.time(message.duration)
    head = _pack("!QHBBII", flow.cookie, flow.priority, message.reason, flow.table, *seconds)
    times = _pack("!HHQQ", flow.idle_timeout, flow.hard_timeout, message.packets, message.bytes)
    return head + times + oxm.encode_match(flow.match)


def _read_packet_out(cursor: Cursor) -> m.PacketOut:
    buffer_id, in_port, size = cursor.u32(), cursor.u32(), cursor.u16()
    cursor.skip(6)
    actions = decode_actions(cursor.take(size))
    return m.PacketOut(cursor.rest(), actions, match(in_port=in_port), buffer_id)


def _read_port_mod(cursor: Cursor) -> m.PortMod:
    number = cursor.u32()
    cursor.skip(4)
    mac = cursor.u48()
    cursor.skip(2)
    return m.PortMod(number, mac, cursor.u32(), cursor.u32(), cursor.u32() or None)


_DECODERS: dict[int, Callable[[Cursor], Message]] = {
    codec.PACKET_OUT: _read_packet_out,
    codec.GROUP_MOD: statistics.read_group_mod,
}
