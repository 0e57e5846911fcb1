"""Entries of replies of OpenFlow 1.3 and 1.4, ports and buckets."""

import struct
from collections.abc import Iterable

from pyovn.openflow import messages as m
from pyovn.openflow import oxm
from pyovn.openflow.action_codec import decode_actions
from pyovn.openflow.actions import OFPP_NONE
from pyovn.openflow.fields import FIELDS
from pyovn.openflow.flows import GROUP_ANY, Bucket, FlowStats, GroupDef
from pyovn.openflow.group_codec import GROUP_TYPES, group_type
from pyovn.openflow.multipart import KINDS, UNKNOWN, UNKNOWN32, Kind
from pyovn.openflow.of13.actions import encode_actions, encode_instructions
from pyovn.packet.cursor import Cursor

_NS = 1_000_000_000
_pack = struct.pack


def time(seconds: float) -> tuple[int, int]:
    """Seconds and nanoseconds."""
    return divmod(round(seconds * _NS), _NS)


def _counter(value: int | None) -> int:
    return UNKNOWN if value is None else value


def _flow(stats: FlowStats) -> bytes:
    flow = stats.flow
    body = _pack("!BxIIHHHHHxx", flow.table, *time(stats.duration), flow.priority, flow.idle_timeout,
                 flow.hard_timeout, flow.flags, flow.importance)  # fmt: skip
    body += _pack("!QQQ", flow.cookie, stats.packets, stats.bytes)
    body += oxm.encode_match(flow.match) + encode_instructions(flow.actions)
    return _pack("!H", 2 + len(body)) + body


def _flow_13(stats: FlowStats) -> bytes:
    return _flow(stats._replace(flow=stats.flow._replace(importance=0)))


def _aggregate(sums: m.Aggregate) -> bytes:
    return _pack("!QQI4x", sums.packets, sums.bytes, sums.flows)


def port_13(port: m.Port) -> bytes:
    """A port's description in OpenFlow 1.3."""
    number, mac, name, config, state, *ethernet = port
    return _pack("!I4x6sxx16sII6I", number, mac.to_bytes(6, "big"), name.encode()[:15], config, state, *ethernet)


def _port_stats_13(stats: m.PortStats) -> bytes:
    number, duration, *counters = stats
    return _pack("!I4x12QII", number, *map(_counter, counters), *time(duration))


def _queue_stats_13(stats: m.QueueStats) -> bytes:
    counters = stats.tx_bytes, stats.tx_packets, stats.tx_errors
    age = (UNKNOWN32, UNKNOWN32) if stats.duration is None else time(stats.duration)
    return _pack("!IIQQQII", stats.port, stats.queue, *map(_counter, counters), *age)


def _bucket(bucket: Bucket, kind: str) -> bytes:
    actions, weight = encode_actions(bucket.actions), bucket.weight if kind == "select" else 0
    return _pack("!HHII4x", 16 + len(actions), weight, bucket.watch_port, bucket.watch_group) + actions


def _group_desc(group: GroupDef) -> bytes:
    buckets = b"".join(_bucket(bucket, group.type) for bucket in group.buckets)
    return _pack("!HBxI", 8 + len(buckets), GROUP_TYPES.index(group.type), group.id) + buckets


def read_group_mod(cursor: Cursor) -> m.GroupMod:
    """A group-mod; raises Malformed."""
    command, kind = cursor.u16(), cursor.u8()
    cursor.skip(1)
    number, buckets = cursor.u32(), list[Bucket]()
    while cursor:
        body = cursor.part(cursor.u16() - 2)
        weight, watch_port, watch_group = body.u16(), body.u32(), body.u32()
        body.skip(4)
        actions = decode_actions(body.rest())
        buckets.append(Bucket(actions, weight, len(buckets), watch_port or OFPP_NONE, watch_group or GROUP_ANY))
    return m.GroupMod(command, GroupDef(number, group_type(kind), tuple(buckets)))


def _property(kind: int, body: bytes) -> bytes:
    found = _pack("!HH", kind, 4 + len(body)) + body
    return found + bytes(-len(found) & 7)


def _ids(numbers: Iterable[int]) -> bytes:
    return b"".join(_pack("!HH", number, 4) for number in numbers)


def _headers(*, masked: bool = False, written: bool = False) -> bytes:
    """Fields that can be matched, matched in part, or written."""
    fields = [field for field in FIELDS.values() if field.writable] if written else FIELDS.values()
    return b"".join(oxm.header(field.oxm, field.size, masked=masked and field.maskable) for field in fields)


def _table_features(table: m.TableFeatures) -> bytes:
    number, name, most, match, write, capabilities = table
    following = bytes(range(number + 1, TABLES))
    body = _property(0, _ids(range(1, 7))) + _property(2, following) + _WHAT_FITS
    head = _pack("!HB5x32sQQII", 64 + len(body), number, name.encode(), match, write, capabilities, most)
    return head + body


TABLES = 254
_ACTIONS = _ids((0, *range(15, 26)))  #: output, TTLs, tags, queues, groups, constants
#: of every table: actions, fields to match, in full and in part, and to write; in action sets and at once
_WHAT_FITS = b"".join(
    (
        _property(4, _ACTIONS),
        _property(6, _ACTIONS),
        _property(8, _headers(masked=True)),
        _property(10, _headers()),
        _property(12, _headers(written=True)),
        _property(14, _headers(written=True)),
    )
)


def _read_nothing(cursor: Cursor) -> None:
    cursor.rest()


def _encoding(name: str, encode: "Kind | object") -> Kind:
    return KINDS[name]._replace(encode=encode)  # type: ignore[arg-type]


KINDS_14: dict[str, Kind] = {
    **KINDS,
    "flow": _encoding("flow", _flow),
    "aggregate": _encoding("aggregate", _aggregate),
    "group_desc": KINDS["group_desc"]._replace(encode=_group_desc, read_ask=_read_nothing),
    "port_desc": KINDS["port_desc"]._replace(read_ask=_read_nothing),
    "table_features": _encoding("table_features", _table_features),
}
KINDS_13: dict[str, Kind] = {
    **KINDS_14,
    "flow": _encoding("flow", _flow_13),
    "port_stats": _encoding("port_stats", _port_stats_13),
    "queue_stats": _encoding("queue_stats", _queue_stats_13),
    "port_desc": KINDS_14["port_desc"]._replace(encode=port_13),
}
