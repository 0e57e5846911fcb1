"""Statistics and descriptions as bytes: multipart requests and replies, one table row per kind.

    type 2 │ flags 2 (1: more parts follow) │ pad 4 │ body

A reply's body is entries one after another; a long reply goes out in parts, none with a split entry.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pyovn.net.errors import Malformed
from pyovn.openflow import group_codec, oxm
from pyovn.openflow import messages as m
from pyovn.openflow.action_codec import decode_instructions, encode_instructions, properties
from pyovn.openflow.actions import OFPP_ANY
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.flows import METER_ALL, Flow, FlowStats
from pyovn.openflow.messages import MultipartReply, MultipartRequest
from pyovn.packet.cursor import Cursor

MORE = 1
UNKNOWN = 0xFFFFFFFFFFFFFFFF  #: a counter the switch does not keep
UNKNOWN32 = 0xFFFFFFFF

_OXS_CLASS = 0x8002
_DURATION, _IDLE_TIME, _FLOW_COUNT, _PACKETS, _BYTES = 0, 1, 3, 4, 5
_NS = 1_000_000_000

_FLOW = struct.Struct("!HxxBxHHHHHQ")
_USUAL = struct.Struct("!IIIIIIIIQIQ4x")
_USUAL_HEADS = 52, 0x80020008, 0x80020208, 0x80020808, 0x80020A08
_pack = struct.pack


class Kind(NamedTuple):
    """How one kind travels."""

    number: int
    #: body of the request
    ask: Callable[[Any], bytes]
    read_ask: Callable[[Cursor], Any]
    #: one entry of the reply
    encode: Callable[[Any], bytes]
    decode: Callable[[Cursor], Any]


# --- statistics fields (OXS) --------------------------------------------------------------------------------------


def _time(seconds: float) -> tuple[int, int]:
    return divmod(round(seconds * _NS), _NS)


def _seconds(cursor: Cursor) -> float:
    return (cursor.u32() * _NS + cursor.u32()) / _NS


def _oxs(number: int, body: bytes) -> bytes:
    return _pack("!HBB", _OXS_CLASS, number << 1, len(body)) + body


def encode_stats(
    duration: float | None, idle: int | None, packets: int, bytes_: int, flows: int | None = None
) -> bytes:
    """A statistics block: what is None is left out."""
    body = b""
    if duration is not None:
        body += _oxs(_DURATION, _pack("!II", *_time(duration)))
    if idle is not None:
        body += _oxs(_IDLE_TIME, _pack("!II", idle, 0))
    body += _oxs(_PACKETS, _pack("!Q", packets)) + _oxs(_BYTES, _pack("!Q", bytes_))
    if flows is not None:
        body += _oxs(_FLOW_COUNT, _pack("!I", flows))
    size = 4 + len(body)
    return _pack("!HH", 0, size) + body + bytes(-size & 7)


#: packets, bytes, seconds there, seconds unused
Counted = tuple[int, int, float, int | None]


class Stats(NamedTuple):
    """A statistics block."""

    duration: float = 0.0
    idle: int | None = None
    flows: int = 0
    packets: int = 0
    bytes: int = 0

    @property
    def counted(self) -> Counted:
        """What is of interest about a flow."""
        return self.packets, self.bytes, self.duration, self.idle


def decode_stats(cursor: Cursor) -> Stats:
    """Read a statistics block and its padding; raises Malformed."""
    start = cursor.at
    cursor.skip(2)
    block, found = cursor.part(cursor.u16() - 4), Stats()
    while block:
        _, number, size = block.u16(), block.u8() >> 1, block.u8()
        body = block.part(size)
        if number == _DURATION:
            found = found._replace(duration=_seconds(body))
        elif number == _IDLE_TIME:
            found = found._replace(idle=body.u32())
        elif number == _FLOW_COUNT:
            found = found._replace(flows=body.u32())
        elif number == _PACKETS:
            found = found._replace(packets=body.u64())
        elif number == _BYTES:
            found = found._replace(bytes=body.u64())
    cursor.align(8, start)
    return found


# --- flows --------------------------------------------------------------------------------------------------------


def _ask_flows(query: m.FlowQuery | None) -> bytes:
    query = query or m.FlowQuery()
    head = _pack("!B3xII4xQQ", query.table, query.out_port, query.out_group, query.cookie, query.cookie_mask)
    return head + oxm.encode_match(query.match)


def _read_flow_query(cursor: Cursor) -> m.FlowQuery:
    table = cursor.u8()
    cursor.skip(3)
    out_port, out_group = cursor.u32(), cursor.u32()
    cursor.skip(4)
    cookie, mask = cursor.u64(), cursor.u64()
    return m.FlowQuery(table, oxm.decode_match(cursor), cookie, mask, out_port, out_group)


def _encode_flow(stats: FlowStats) -> bytes:
    flow = stats.flow
    body = (
        _pack(
            "!BxHHHHHQ",
            flow.table,
            flow.priority,
            flow.idle_timeout,
            flow.hard_timeout,
            flow.flags,
            flow.importance,
            flow.cookie,
        )
        + oxm.encode_match(flow.match)
        + encode_stats(stats.duration, stats.idle_age or 0, stats.packets, stats.bytes)
        + encode_instructions(flow.actions)
    )
    return _pack("!Hxx", 4 + len(body)) + body


def _decode_flow(cursor: Cursor) -> FlowStats:
    """A flow; read flat because a controller reads back hundreds of thousands of them."""
    data, start = cursor.data, cursor.at
    if cursor.end - start < _FLOW.size:
        raise Malformed("flow statistics: truncated")
    size, table, priority, idle, hard, flags, importance, cookie = _FLOW.unpack_from(data, start)
    body = Cursor(data, start + _FLOW.size, start + size)
    cursor.at = body.end
    match = oxm.decode_match(body)
    packets, count, duration, idle_age = _usual_stats(body) or decode_stats(body).counted
    flow = Flow(table, priority, match, decode_instructions(body.rest()), cookie, idle, hard, flags, importance)
    return FlowStats(flow, packets, count, duration, idle_age)


def _usual_stats(cursor: Cursor) -> Counted | None:
    """The statistics block in the form every switch of today writes; None: it looks different."""
    if cursor.end - cursor.at < _USUAL.size:
        return None
    size, first, seconds, ns, second, idle, _, third, packets, fourth, count = _USUAL.unpack_from(
        cursor.data, cursor.at
    )
    if (size, first, second, third, fourth) != _USUAL_HEADS:
        return None
    cursor.at += _USUAL.size
    return packets, count, (seconds * _NS + ns) / _NS, idle


def _decode_aggregate(cursor: Cursor) -> m.Aggregate:
    stats = decode_stats(cursor)
    return m.Aggregate(stats.packets, stats.bytes, stats.flows)


# --- switch, tables, ports, queues --------------------------------------------------------------------------------


def _encode_desc(desc: m.SwitchDesc) -> bytes:
    return _pack("!256s256s256s32s256s", *(text.encode() for text in desc))


def _decode_desc(cursor: Cursor) -> m.SwitchDesc:
    return m.SwitchDesc(*(_text(cursor, size) for size in (256, 256, 256, 32, 256)))


def _text(cursor: Cursor, size: int) -> str:
    return cursor.take(size).split(b"\0", 1)[0].decode("utf-8", "replace")


def _decode_table(cursor: Cursor) -> m.TableStats:
    table = cursor.u8()
    cursor.skip(3)
    return m.TableStats(table, cursor.u32(), cursor.u64(), cursor.u64())


def _encode_table_features(table: m.TableFeatures) -> bytes:
    number, name, most, match, write, capabilities = table
    return _pack("!HBBI32sQQII", 64, number, 0, 0, name.encode(), match, write, capabilities, most)


def _decode_table_features(cursor: Cursor) -> m.TableFeatures:
    size, number = cursor.u16(), cursor.u8()
    cursor.skip(5)
    body = cursor.part(size - 8)
    name, match, write = _text(body, 32), body.u64(), body.u64()
    capabilities, most = body.u32(), body.u32()
    return m.TableFeatures(number, name, most, match, write, capabilities)


def encode_port(port: m.Port) -> bytes:
    """A port's description."""
    number, mac, name, config, state, *ethernet = port
    head = _pack("!IHxx6sxx16sII", number, 72, mac.to_bytes(6, "big"), name.encode()[:15], config, state)
    return head + _pack("!HH4x6I", 0, 32, *ethernet)


def decode_port(cursor: Cursor) -> m.Port:
    """A port's description; raises Malformed."""
    number, size = cursor.u32(), cursor.u16()
    cursor.skip(2)
    body = cursor.part(size - 8)
    mac = body.u48()
    body.skip(2)
    port = m.Port(number, mac, _text(body, 16), body.u32(), body.u32())
    for kind, value in properties(body):
        if kind == 0:
            value.skip(4)
            port = m.Port(*port[:5], *(value.u32() for _ in range(6)))
    return port


def _counter(value: int | None) -> int:
    return UNKNOWN if value is None else value


def _count(cursor: Cursor) -> int | None:
    value = cursor.u64()
    return None if value == UNKNOWN else value


def _encode_port_stats(stats: m.PortStats) -> bytes:
    number, duration, *counters = stats
    values = [_counter(value) for value in counters]
    head = _pack("!HxxIII8Q", 120, number, *_time(duration), *values[:8])
    return head + _pack("!HH4x4Q", 0, 40, *values[8:])


def _decode_port_stats(cursor: Cursor) -> m.PortStats:
    size = cursor.u16()
    cursor.skip(2)
    body = cursor.part(size - 4)
    stats = m.PortStats(body.u32(), _seconds(body), *(_count(body) for _ in range(8)))
    for kind, value in properties(body):
        if kind == 0:
            value.skip(4)
            stats = m.PortStats(*stats[:10], *(_count(value) for _ in range(4)))
    return stats


def _read_queue_id(cursor: Cursor) -> m.QueueId:
    return m.QueueId(cursor.u32(), cursor.u32())


def _encode_queue_stats(stats: m.QueueStats) -> bytes:
    port, queue, bytes_, packets, errors, duration = stats
    counters = _counter(bytes_), _counter(packets), _counter(errors)
    time = (UNKNOWN32, UNKNOWN32) if duration is None else _time(duration)
    return _pack("!H6xIIQQQII", 48, port, queue, *counters, *time)


def _decode_queue_stats(cursor: Cursor) -> m.QueueStats:
    size = cursor.u16()
    cursor.skip(6)
    body = cursor.part(size - 8)
    port, queue, bytes_, packets, errors = body.u32(), body.u32(), _count(body), _count(body), _count(body)
    duration = _seconds(body)
    return m.QueueStats(port, queue, bytes_, packets, errors, None if duration >= UNKNOWN32 else duration)


# --- groups and meters --------------------------------------------------------------------------------------------


def _ask_number(missing: int, pad: int) -> Callable[[int | None], bytes]:
    return lambda number: _pack("!I", missing if number is None else number) + bytes(pad)


def _read_number(missing: int) -> Callable[[Cursor], int | None]:
    def read(cursor: Cursor) -> int | None:
        number = cursor.u32()
        return None if number == missing else number

    return read


def _encode_group_stats(stats: m.GroupStats) -> bytes:
    buckets = b"".join(_pack("!QQ", *bucket) for bucket in stats.buckets)
    head = _pack("!HxxII4xQQ", 40 + len(buckets), stats.id, stats.references, stats.packets, stats.bytes)
    return head + _pack("!II", *_time(stats.duration)) + buckets


def _decode_group_stats(cursor: Cursor) -> m.GroupStats:
    size = cursor.u16()
    cursor.skip(2)
    body = cursor.part(size - 4)
    id_, references = body.u32(), body.u32()
    body.skip(4)
    packets, bytes_, duration = body.u64(), body.u64(), _seconds(body)
    return m.GroupStats(id_, references, packets, bytes_, duration, _pairs(body))


def _pairs(cursor: Cursor) -> tuple[tuple[int, int], ...]:
    found = []
    while cursor:
        found.append((cursor.u64(), cursor.u64()))
    return tuple(found)


def _decode_group_features(cursor: Cursor) -> m.GroupFeatures:
    def four() -> tuple[int, int, int, int]:
        return cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32()

    return m.GroupFeatures(cursor.u32(), cursor.u32(), four(), four())


def _encode_meter_stats(stats: m.MeterStats) -> bytes:
    bands = b"".join(_pack("!QQ", *band) for band in stats.bands)
    head = _pack("!IH6xIQQ", stats.id, 40 + len(bands), stats.flows, stats.packets, stats.bytes)
    return head + _pack("!II", *_time(stats.duration)) + bands


def _decode_meter_stats(cursor: Cursor) -> m.MeterStats:
    id_, size = cursor.u32(), cursor.u16()
    body = cursor.part(size - 6)
    body.skip(6)
    flows, packets, bytes_, duration = body.u32(), body.u64(), body.u64(), _seconds(body)
    return m.MeterStats(id_, flows, packets, bytes_, duration, _pairs(body))


def _encode_meter_features(features: m.MeterFeatures) -> bytes:
    return _pack("!IIIBBxx", *features)


def _decode_meter_features(cursor: Cursor) -> m.MeterFeatures:
    features = m.MeterFeatures(cursor.u32(), cursor.u32(), cursor.u32(), cursor.u8(), cursor.u8())
    cursor.rest()
    return features


# --- the table ----------------------------------------------------------------------------------------------------


def _ask_nothing(_: None) -> bytes:
    return b""


def _read_nothing(cursor: Cursor) -> None:
    cursor.rest()


_GROUP = _ask_number(0xFFFFFFFC, 4), _read_number(0xFFFFFFFC)
_METER = _ask_number(METER_ALL, 4), _read_number(METER_ALL)
_PORT = _ask_number(OFPP_ANY, 4), _read_number(OFPP_ANY)
_NOTHING = _ask_nothing, _read_nothing
_FLOWS = _ask_flows, _read_flow_query

KINDS: dict[str, Kind] = {
    "desc": Kind(0, *_NOTHING, _encode_desc, _decode_desc),
    "flow": Kind(1, *_FLOWS, _encode_flow, _decode_flow),
    "aggregate": Kind(2, *_FLOWS, lambda a: encode_stats(None, None, a.packets, a.bytes, a.flows), _decode_aggregate),
    "table": Kind(3, *_NOTHING, lambda t: _pack("!B3xIQQ", *t), _decode_table),
    "port_stats": Kind(4, *_PORT, _encode_port_stats, _decode_port_stats),
    "queue_stats": Kind(
        5, lambda q: _pack("!II", *(q or m.QueueId())), _read_queue_id, _encode_queue_stats, _decode_queue_stats
    ),
    "group_stats": Kind(6, *_GROUP, _encode_group_stats, _decode_group_stats),
    "group_desc": Kind(7, *_GROUP, group_codec.encode_group_desc, group_codec.decode_group_desc),
    "group_features": Kind(
        8, *_NOTHING, lambda g: _pack("!II4I4I", *g[:2], *g.max_groups, *g.actions), _decode_group_features
    ),
    "meter_stats": Kind(9, *_METER, _encode_meter_stats, _decode_meter_stats),
    "meter_desc": Kind(10, *_METER, group_codec.encode_meter_desc, group_codec.decode_meter_desc),
    "meter_features": Kind(11, *_NOTHING, _encode_meter_features, _decode_meter_features),
    "table_features": Kind(12, *_NOTHING, _encode_table_features, _decode_table_features),
    "port_desc": Kind(13, *_PORT, encode_port, decode_port),
}
_BY_NUMBER: dict[int, str] = {kind.number: name for name, kind in KINDS.items()}


def encode_request(request: MultipartRequest) -> bytes:
    """The body of a request."""
    kind = KINDS[request.kind]
    return _pack("!HH4x", kind.number, 0) + kind.ask(request.body)


def decode_request(cursor: Cursor, kinds: Mapping[str, Kind] = KINDS) -> MultipartRequest:
    """A request; raises BadMessage for a kind we do not know."""
    number = cursor.u16()
    cursor.skip(6)
    name = _known(number)
    if name not in kinds:
        raise BadMessage("OFPBRC_BAD_MULTIPART", name)
    return MultipartRequest(name, kinds[name].read_ask(cursor))


def _known(number: int) -> str:
    if number not in _BY_NUMBER:
        raise BadMessage("OFPBRC_BAD_MULTIPART", str(number))
    return _BY_NUMBER[number]


def encode_reply(reply: MultipartReply, most: int, kinds: Mapping[str, Kind] = KINDS) -> Iterator[bytes]:
    """The bodies of the messages that carry a reply, each of at most `most` bytes."""
    kind = kinds[reply.kind]
    part, size = list[bytes](), 8
    for entry in map(kind.encode, reply.entries):
        if size + len(entry) > most:
            yield _pack("!HH4x", kind.number, MORE) + b"".join(part)
            part, size = [], 8
        part.append(entry)
        size += len(entry)
    yield _pack("!HH4x", kind.number, MORE if reply.more else 0) + b"".join(part)


def decode_reply(cursor: Cursor) -> MultipartReply:
    """One message of a reply; raises Malformed."""
    name, flags = _known(cursor.u16()), cursor.u16()
    cursor.skip(4)
    decode, entries = KINDS[name].decode, []
    while cursor:
        before = cursor.at
        entries.append(decode(cursor))
        if cursor.at == before:
            raise Malformed(f"{name} reply: empty entry")
    return MultipartReply(name, tuple(entries), bool(flags & MORE))
