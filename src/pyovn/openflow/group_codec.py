"""Groups and meters as bytes.

    group-mod   command 2 │ type 1 │ pad 1 │ id 4 │ bytes of buckets 2 │ pad 2 │ bucket id 4 │ buckets │ properties
    bucket      length 2 │ bytes of actions 2 │ id 4 │ actions │ weight, watch port, watch group
    meter-mod   command 2 │ flags 2 │ id 4 │ bands
    band        type 2 │ length 2 │ rate 4 │ burst 4 │ drop: pad 4; dscp_remark: level 1, pad 3
The way a select group chooses travels in an experimenter property (vendor 0x0000154d).
"""

import struct
from collections.abc import Callable

from pyovn.openflow import oxm
from pyovn.openflow.action_codec import decode_actions, encode_actions, properties
from pyovn.openflow.actions import OFPP_NONE, Actions
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.flows import GROUP_ANY, Bucket, GroupDef, GroupType, MeterBand, MeterDef
from pyovn.openflow.match import Match, order
from pyovn.openflow.messages import GROUP_DELETE, GroupMod, MeterMod
from pyovn.packet.cursor import Cursor

GROUP_TYPES: tuple[GroupType, ...] = ("all", "select", "indirect", "ff")
_WEIGHT, _WATCH_PORT, _WATCH_GROUP = range(3)
_EXPERIMENTER = 0xFFFF
_NTR_VENDOR, _NTR_SELECTION = 0x0000154D, 1
_KBPS, _PKTPS, _BURST, _STATS = 1, 2, 4, 8
_DROP, _DSCP_REMARK = 1, 2

_pack = struct.pack
Encode = Callable[[Actions], bytes]
Decode = Callable[[bytes], Actions]


def _encode_bucket(bucket: Bucket, kind: GroupType, encode: Encode) -> bytes:
    actions = encode(bucket.actions)
    tail = _pack("!HHHxx", _WEIGHT, 8, bucket.weight) if kind == "select" else b""
    if bucket.watch_port != OFPP_NONE:
        tail += _pack("!HHI", _WATCH_PORT, 8, bucket.watch_port)
    if bucket.watch_group != GROUP_ANY:
        tail += _pack("!HHI", _WATCH_GROUP, 8, bucket.watch_group)
    return _pack("!HHI", 8 + len(actions) + len(tail), len(actions), bucket.id) + actions + tail


def _decode_buckets(cursor: Cursor, decode: Decode) -> tuple[Bucket, ...]:
    found = []
    while cursor:
        size, n_actions, id_ = cursor.u16(), cursor.u16(), cursor.u32()
        body = cursor.part(size - 8)
        bucket = Bucket(decode(body.take(n_actions)), id=id_)
        for kind, value in properties(body):
            if kind == _WEIGHT:
                bucket = bucket._replace(weight=value.u16())
            elif kind == _WATCH_PORT:
                bucket = bucket._replace(watch_port=value.u32())
            elif kind == _WATCH_GROUP:
                bucket = bucket._replace(watch_group=value.u32())
        found.append(bucket)
    return tuple(found)


def encode_buckets(group: GroupDef, encode: Encode = encode_actions) -> bytes:
    """The buckets of a group, whose actions `encode` writes."""
    return b"".join(_encode_bucket(bucket, group.type, encode) for bucket in group.buckets)


def encode_selection(group: GroupDef) -> bytes:
    """The property that says how a select group chooses, if it says so."""
    if not group.selection_method:
        return b""
    head = _pack(
        "!II4x16sQ", _NTR_VENDOR, _NTR_SELECTION, group.selection_method.encode(), group.selection_method_param
    )
    body = head + oxm.encode_terms(group.fields)
    body = _pack("!HH", _EXPERIMENTER, 4 + len(body)) + body
    return body + bytes(-len(body) & 7)


def _with_selection(group: GroupDef, cursor: Cursor) -> GroupDef:
    for kind, body in properties(cursor):
        if kind == _EXPERIMENTER and (body.u32(), body.u32()) == (_NTR_VENDOR, _NTR_SELECTION):
            body.skip(4)
            method = body.take(16).rstrip(b"\0").decode("ascii", "replace")
            group = group._replace(selection_method=method, selection_method_param=body.u64())
            group = group._replace(fields=_hash_fields(body))
    return group


def _hash_fields(cursor: Cursor) -> Match:
    """Fields whose values say which bits count."""
    terms = []
    while cursor:
        terms.append(oxm.decode_tlv(cursor))
    return tuple(sorted(terms, key=order))


def group_type(number: int) -> GroupType:
    """The type that a number stands for; raises BadMessage."""
    if number >= len(GROUP_TYPES):
        raise BadMessage("OFPGMFC_BAD_TYPE", str(number))
    return GROUP_TYPES[number]


def encode_group_mod(mod: GroupMod) -> bytes:
    """The body of a group-mod; one that deletes carries nothing but type and id."""
    group = mod.group
    if mod.command == GROUP_DELETE:
        group = GroupDef(group.id, group.type, ())
    buckets = encode_buckets(group)
    kind = GROUP_TYPES.index(group.type)
    head = _pack("!HBxIHxxI", mod.command, kind, group.id, len(buckets), mod.bucket_id)
    return head + buckets + encode_selection(group)


def decode_group_mod(cursor: Cursor, decode: Decode = decode_actions) -> GroupMod:
    """A group-mod, whose actions `decode` reads; raises Malformed."""
    command, kind = cursor.u16(), cursor.u8()
    cursor.skip(1)
    id_, size = cursor.u32(), cursor.u16()
    cursor.skip(2)
    bucket_id = cursor.u32()
    group = GroupDef(id_, group_type(kind), _decode_buckets(cursor.part(size), decode))
    return GroupMod(command, _with_selection(group, cursor), bucket_id)


def encode_group_desc(group: GroupDef, encode: Encode = encode_actions) -> bytes:
    """A group in a description reply."""
    buckets = encode_buckets(group, encode)
    tail = buckets + encode_selection(group)
    return _pack("!HBxIH6x", 16 + len(tail), GROUP_TYPES.index(group.type), group.id, len(buckets)) + tail


def decode_group_desc(cursor: Cursor) -> GroupDef:
    """A group in a description reply; raises Malformed."""
    size, kind = cursor.u16(), cursor.u8()
    cursor.skip(1)
    id_, n_buckets = cursor.u32(), cursor.u16()
    cursor.skip(6)
    body = cursor.part(size - 16)
    return _with_selection(GroupDef(id_, group_type(kind), _decode_buckets(body.part(n_buckets), decode_actions)), body)


def _encode_meter(meter: MeterDef) -> bytes:
    """Flags, id and bands."""
    flags = (_PKTPS if meter.pktps else _KBPS) | (_BURST if meter.burst else 0) | (_STATS if meter.stats else 0)
    return _pack("!HI", flags, meter.id) + b"".join(map(_encode_band, meter.bands))


def _encode_band(band: MeterBand) -> bytes:
    if band.precedence is None:
        return _pack("!HHII4x", _DROP, 16, band.rate, band.burst)
    return _pack("!HHIIB3x", _DSCP_REMARK, 16, band.rate, band.burst, band.precedence)


def _decode_meter(cursor: Cursor, id_: int, flags: int) -> MeterDef:
    bands = []
    while cursor:
        kind, _, rate, burst, level = cursor.u16(), cursor.u16(), cursor.u32(), cursor.u32(), cursor.u8()
        cursor.skip(3)
        bands.append(MeterBand(rate, burst, level if kind == _DSCP_REMARK else None))
    return MeterDef(id_, tuple(bands), bool(flags & _PKTPS), bool(flags & _BURST), bool(flags & _STATS))


def encode_meter_mod(mod: MeterMod) -> bytes:
    """The body of a meter-mod."""
    return _pack("!H", mod.command) + _encode_meter(mod.meter)


def decode_meter_mod(cursor: Cursor) -> MeterMod:
    """A meter-mod; raises Malformed."""
    command, flags, id_ = cursor.u16(), cursor.u16(), cursor.u32()
    return MeterMod(command, _decode_meter(cursor, id_, flags))


def encode_meter_desc(meter: MeterDef) -> bytes:
    """A meter in a description reply."""
    body = _encode_meter(meter)
    return _pack("!H", 2 + len(body)) + body


def decode_meter_desc(cursor: Cursor) -> MeterDef:
    """A meter in a description reply; raises Malformed."""
    size, flags, id_ = cursor.u16(), cursor.u16(), cursor.u32()
    return _decode_meter(cursor.part(size - 8), id_, flags)
