"""Statistics of OpenFlow 1.0: requests in, entries of replies out.

type 2 │ flags 2 (1: more parts follow) │ body                                    OpenFlow's own
0xffff │ flags 2 │ vendor 0x00002320 │ subtype 4 │ pad 4 │ body                   Nicira's: flows as NXM tells them
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from pyovn.net.errors import Malformed
from pyovn.openflow import group_codec, oxm
from pyovn.openflow import messages as m
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.fields import NX_VENDOR
from pyovn.openflow.flows import FlowStats
from pyovn.openflow.multipart import KINDS as SINCE_15
from pyovn.openflow.of10.actions import encode_actions
from pyovn.openflow.of10.match import decode_fixed, decode_nxm, encode_fixed, encode_nxm
from pyovn.packet.cursor import Cursor

VENDOR = 0xFFFF
MORE = 1
UNKNOWN = 0xFFFFFFFFFFFFFFFF
LARGEST_TABLE = 1000000
EVERYTHING = 0x3FFFFF  #: all wildcards
EVERY_ACTION = 0xFFF  #: one bit for each kind
#: bits of a port's state and configuration that mean the same since
PORT_CONFIG, PORT_STATE = 0x7F, 1
OFPP_NONE_16 = 0xFFFF

_NS = 1_000_000_000
_pack = struct.pack


class Kind(NamedTuple):
    """How one kind travels."""

    name: str
    read_ask: Callable[[Cursor], Any]
    encode: Callable[[Any], bytes]


def _time(seconds: float) -> tuple[int, int]:
    return divmod(round(seconds * _NS), _NS)


def _counter(value: int | None) -> int:
    return UNKNOWN if value is None else value


# --- flows --------------------------------------------------------------------------------------------------------


def _read_fixed_query(cursor: Cursor) -> m.FlowQuery:
    match, table = decode_fixed(cursor), cursor.u8()
    cursor.skip(1)
    return m.FlowQuery(table, match, out_port=oxm.port32(cursor.u16()))


def _read_nxm_query(cursor: Cursor) -> m.FlowQuery:
    out_port, size, table = oxm.port32(cursor.u16()), cursor.u16(), cursor.u8()
    cursor.skip(3)
    wanted = decode_nxm(cursor.take(size))
    return m.FlowQuery(table, *wanted, out_port)


def _encode_fixed_flow(stats: FlowStats) -> bytes:
    flow, actions = stats.flow, encode_actions(stats.flow.actions)
    head = _pack("!HBx", 88 + len(actions), flow.table) + encode_fixed(flow.match)
    times = _pack("!IIHHH6x", *_time(stats.duration), flow.priority, flow.idle_timeout, flow.hard_timeout)
    return head + times + _pack("!QQQ", flow.cookie, stats.packets, stats.bytes) + actions


def _encode_nxm_flow(stats: FlowStats) -> bytes:
    flow, match = stats.flow, encode_nxm(stats.flow.match)
    ages = (0 if age is None else min(age + 1, 0xFFFF) for age in (stats.idle_age, stats.hard_age))
    body = _pack("!Bx", flow.table) + _pack("!II", *_time(stats.duration))
    body += _pack("!HHHHHH", flow.priority, flow.idle_timeout, flow.hard_timeout, len(match), *ages)
    body += _pack("!QQQ", flow.cookie, stats.packets, stats.bytes)
    body += match + bytes(-len(match) & 7) + encode_actions(flow.actions)
    return _pack("!H", 2 + len(body)) + body


def _encode_aggregate(sums: m.Aggregate) -> bytes:
    return _pack("!QQI4x", sums.packets, sums.bytes, sums.flows)


# --- tables, ports, queues ----------------------------------------------------------------------------------------


def _encode_table(stats: m.TableStats) -> bytes:
    counts = stats.active, stats.lookups, stats.matched
    return _pack("!B3x32xIIIQQ", stats.table, EVERYTHING, LARGEST_TABLE, *counts)


def encode_port(port: m.Port) -> bytes:
    """A port's description."""
    number, mac, name, config, state, *ethernet = port
    head = _pack("!H6s16s", oxm.port16(number), mac.to_bytes(6, "big"), name.encode()[:15])
    return head + _pack("!II4I", config & PORT_CONFIG, state & PORT_STATE, *ethernet[:4])


def _read_port(cursor: Cursor) -> int | None:
    number = cursor.u16()
    cursor.rest()
    return None if number == OFPP_NONE_16 else oxm.port32(number)


def _encode_port_stats(stats: m.PortStats) -> bytes:
    number, _, *counters = stats
    return _pack("!H6x12Q", oxm.port16(number), *map(_counter, counters))


def _read_queue(cursor: Cursor) -> m.QueueId:
    port = oxm.port32(cursor.u16())
    cursor.skip(2)
    return m.QueueId(port, cursor.u32())


def _encode_queue_stats(stats: m.QueueStats) -> bytes:
    counters = stats.tx_bytes, stats.tx_packets, stats.tx_errors
    return _pack("!HxxIQQQ", oxm.port16(stats.port), stats.queue, *map(_counter, counters))


def _encode_group_features(features: m.GroupFeatures) -> bytes:
    return SINCE_15["group_features"].encode(features._replace(actions=(EVERY_ACTION,) * 4))


def _read_nothing(cursor: Cursor) -> None:
    cursor.rest()


OWN: dict[int, Kind] = {
    0: Kind("desc", _read_nothing, SINCE_15["desc"].encode),
    1: Kind("flow", _read_fixed_query, _encode_fixed_flow),
    2: Kind("aggregate", _read_fixed_query, _encode_aggregate),
    3: Kind("table", _read_nothing, _encode_table),
    4: Kind("port_stats", _read_port, _encode_port_stats),
    5: Kind("queue_stats", _read_queue, _encode_queue_stats),
    13: Kind("port_desc", _read_nothing, encode_port),
}
NICIRA: dict[int, Kind] = {
    0: Kind("flow", _read_nxm_query, _encode_nxm_flow),
    1: Kind("aggregate", _read_nxm_query, _encode_aggregate),
    7: Kind("group_stats", SINCE_15["group_stats"].read_ask, SINCE_15["group_stats"].encode),
    8: Kind("group_desc", SINCE_15["group_desc"].read_ask, lambda g: group_codec.encode_group_desc(g, encode_actions)),
    9: Kind("group_features", _read_nothing, _encode_group_features),
}


class Asked(NamedTuple):
    """A request, and how its answer is to travel."""

    request: m.MultipartRequest
    kind: Kind
    #: (type, flags) and what follows them, up to the entries
    number: int
    head: bytes


def assumed(name: str) -> Asked:
    """A request of a kind, in Nicira's form where there is one."""
    for number, kind in NICIRA.items():
        if kind.name == name:
            return Asked(m.MultipartRequest(name), kind, VENDOR, _pack("!II4x", NX_VENDOR, number))
    number, kind = next((number, kind) for number, kind in OWN.items() if kind.name == name)
    return Asked(m.MultipartRequest(name), kind, number, b"")


def decode_request(cursor: Cursor) -> Asked:
    """What is asked; raises BadMessage for a kind we do not know."""
    number = cursor.u16()
    cursor.skip(2)
    kinds, head, which = OWN, b"", number
    if number == VENDOR:
        vendor, which = cursor.u32(), cursor.u32()
        cursor.skip(4)
        kinds, head = (NICIRA if vendor == NX_VENDOR else {}), _pack("!II4x", vendor, which)
    kind = kinds.get(which)
    if kind is None:
        raise BadMessage("OFPBRC_BAD_MULTIPART", str(which))
    try:
        body = kind.read_ask(cursor)
    except BadMessage:
        raise
    except Malformed as fault:
        raise BadMessage("OFPBRC_BAD_LEN", str(fault)) from None
    return Asked(m.MultipartRequest(kind.name, body), kind, number, head)


def encode_reply(asked: Asked, reply: m.MultipartReply, most: int) -> list[bytes]:
    """The bodies of the messages that carry a reply, each of at most `most` bytes."""
    room = most - 4 - len(asked.head)
    parts, entries, size = list[bytes](), list[bytes](), 0
    for entry in map(asked.kind.encode, reply.entries):
        if size + len(entry) > room:
            parts.append(_pack("!HH", asked.number, MORE) + asked.head + b"".join(entries))
            entries, size = [], 0
        entries.append(entry)
        size += len(entry)
    return [*parts, _pack("!HH", asked.number, 0) + asked.head + b"".join(entries)]
