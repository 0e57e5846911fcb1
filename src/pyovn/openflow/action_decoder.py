"""Actions and instructions from bytes; the counterpart of `action_encoder`.

One function per kind, in two tables: OpenFlow's own actions and Nicira's.  Forms that only old controllers send are
read too.  Lists read before come from memory, so equal lists are the same tuple.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pyovn.net.errors import Malformed
from pyovn.openflow import action_numbers as n
from pyovn.openflow import actions as ofp
from pyovn.openflow import learn_codec, oxm
from pyovn.openflow.actions import BUNDLE_ALGORITHMS, HASH_FIELDS, MULTIPATH_ALGORITHMS, Action, Actions
from pyovn.openflow.fields import FULL, NX_VENDOR
from pyovn.packet.cursor import Cursor

MEMORY = 1 << 17  #: lists of actions after which the memory starts over


def unpack_ofs_nbits(word: int) -> tuple[int, int]:
    """(lowest bit, number of bits)."""
    return word >> 6, (word & 0x3F) + 1


# --- decoders -----------------------------------------------------------------------------------------------------


def _read_output(cursor: Cursor) -> Action:
    port, max_len = cursor.u32(), cursor.u16()
    return ofp.Controller(max_len) if port == ofp.OFPP_CONTROLLER else ofp.Output(port)


def _read_set_field(cursor: Cursor) -> Action:
    return ofp.SetField(*oxm.decode_tlv(cursor))


def _read_move(cursor: Cursor) -> Action:
    bits, src_ofs, dst_ofs = cursor.u16(), cursor.u16(), cursor.u16()
    cursor.skip(2)
    return _checked_move(oxm.decode_name(cursor), src_ofs, oxm.decode_name(cursor), dst_ofs, bits)


def _read_reg_move(cursor: Cursor) -> Action:
    bits, src_ofs, dst_ofs = cursor.u16(), cursor.u16(), cursor.u16()
    return _checked_move(oxm.decode_name(cursor), src_ofs, oxm.decode_name(cursor), dst_ofs, bits)


def _checked_move(src: str, src_ofs: int, dst: str, dst_ofs: int, bits: int) -> Action:
    _check_subfield(src, src_ofs, bits)
    _check_subfield(dst, dst_ofs, bits)
    return ofp.Move(src, src_ofs, dst, dst_ofs, bits)


def _check_subfield(field: str, ofs: int, bits: int) -> None:
    if not bits or ofs + bits > FULL[field].bit_length():
        raise Malformed(f"{field}[{ofs}..{ofs + bits - 1}]: no such bits")


def _read_reg_load(cursor: Cursor) -> Action:
    ofs, bits = unpack_ofs_nbits(cursor.u16())
    field, value = oxm.decode_name(cursor), cursor.u64()
    _check_subfield(field, ofs, bits)
    if value >> bits:
        raise Malformed(f"{field}: value {value:#x} in {bits} bits")
    if field == "in_port":
        return ofp.SetField(field, oxm.port32(value), FULL[field])
    return ofp.SetField(field, value << ofs, (1 << bits) - 1 << ofs)


def _read_reg_load2(cursor: Cursor) -> Action:
    cursor.skip(6)
    return ofp.SetField(*oxm.decode_tlv(cursor))


def _read_resubmit(table: bool, ct: bool) -> Callable[[Cursor], Action]:
    def read(cursor: Cursor) -> Action:
        port, number = cursor.u16(), cursor.u8()
        in_port = None if port == oxm.port16(ofp.OFPP_IN_PORT) else oxm.port32(port)
        return ofp.Resubmit(number if table else n.THIS_TABLE, in_port, ct)

    return read


def _read_output_reg(cursor: Cursor) -> Action:
    ofs, bits = unpack_ofs_nbits(cursor.u16())
    field, max_len = oxm.decode_name(cursor), cursor.u16()
    _check_subfield(field, ofs, bits)
    return ofp.OutputReg(field, ofs, bits, max_len)


def _read_output_reg2(cursor: Cursor) -> Action:
    ofs, bits = unpack_ofs_nbits(cursor.u16())
    max_len, field = cursor.u16(), oxm.decode_name(cursor)
    _check_subfield(field, ofs, bits)
    return ofp.OutputReg(field, ofs, bits, max_len)


def _read_stack(kind: Callable[[str, int, int], Action]) -> Callable[[Cursor], Action]:
    def read(cursor: Cursor) -> Action:
        ofs, field, bits = cursor.u16(), oxm.decode_name(cursor), cursor.u16()
        _check_subfield(field, ofs, bits)
        return kind(field, ofs, bits)

    return read


def _read_dec_ttl_ids(cursor: Cursor) -> Action:
    size = cursor.u16()
    cursor.skip(4)
    return ofp.DecTtl(tuple(cursor.u16() for _ in range(size)))


def _read_controller(cursor: Cursor) -> Action:
    max_len, controller_id, reason = cursor.u16(), cursor.u16(), cursor.u8()
    return ofp.Controller(max_len, controller_id=controller_id, reason=reason)


_CONTROLLER_PROPERTIES: dict[int, Callable[[Cursor], tuple[str, Any]]] = {
    n.CONTROLLER_MAX_LEN: lambda c: ("max_len", c.u16()),
    n.CONTROLLER_ID: lambda c: ("controller_id", c.u16()),
    n.CONTROLLER_REASON: lambda c: ("reason", c.u8()),
    n.CONTROLLER_USERDATA: lambda c: ("userdata", c.rest()),
    n.CONTROLLER_PAUSE: lambda _: ("pause", True),
    n.CONTROLLER_METER: lambda c: ("meter_id", c.u32()),
}


def _read_controller2(cursor: Cursor) -> Action:
    cursor.skip(6)
    found: dict[str, Any] = {}
    for kind, body in properties(cursor):
        if kind not in _CONTROLLER_PROPERTIES:
            raise Malformed(f"controller action: unknown property {kind}")
        name, value = _CONTROLLER_PROPERTIES[kind](body)
        found[name] = value
    return ofp.Controller(**found)


def properties(cursor: Cursor) -> "list[tuple[int, Cursor]]":
    """(type, body) of the properties to the end, each padded to 8 bytes."""
    found = []
    while cursor:
        start = cursor.at
        kind, size = cursor.u16(), cursor.u16()
        found.append((kind, cursor.part(size - 4)))
        cursor.align(8, start)
    return found


def read_ct(cursor: Cursor, decode_inner: Callable[[bytes], Actions]) -> Action:
    """Conntrack with what it does inside, which `decode_inner` reads."""
    flags, zone_field, zone_word = cursor.u16(), cursor.part(4), cursor.u16()
    table = cursor.u8()
    cursor.skip(3)
    alg = cursor.u16()
    zone: int | ofp.Subfield = zone_word
    if zone_field.data[zone_field.at : zone_field.end] != bytes(4):
        zone = (oxm.decode_name(zone_field), *unpack_ofs_nbits(zone_word))
    inner = decode_inner(cursor.rest())
    nats = [action for action in inner if isinstance(action, ofp.Nat)]
    return ofp.Ct(
        bool(flags & n.CT_COMMIT),
        bool(flags & n.CT_FORCE),
        zone,
        None if table == n.CT_NO_TABLE else table,
        nats[0] if nats else None,
        alg,
        tuple(action for action in inner if not isinstance(action, ofp.Nat)),
    )


def _read_nat(cursor: Cursor) -> Action:
    cursor.skip(2)
    flags, present = cursor.u16(), cursor.u16()
    v6 = bool(present & (n.HAS_IP6_LO | n.HAS_IP6_HI))
    lo = cursor.uint(16 if v6 else 4) if present & (n.HAS_IP4_LO | n.HAS_IP6_LO) else None
    hi = cursor.uint(16 if v6 else 4) if present & (n.HAS_IP4_HI | n.HAS_IP6_HI) else None
    port_lo = cursor.u16() if present & n.HAS_PORT_LO else None
    port_hi = cursor.u16() if present & n.HAS_PORT_HI else None
    direction: Literal["src", "dst"] | None = "src" if flags & n.NAT_SRC else "dst" if flags & n.NAT_DST else None
    return ofp.Nat(direction, lo, hi, port_lo, port_hi, flags & ~(n.NAT_SRC | n.NAT_DST), v6)


def _read_conjunction(cursor: Cursor) -> Action:
    clause, n, id_ = cursor.u8(), cursor.u8(), cursor.u32()
    return ofp.Conjunction(id_, clause + 1, n)


def _read_clone(cursor: Cursor) -> Action:
    cursor.skip(6)
    return ofp.Clone(decode_actions(cursor.rest()))


def _read_check_pkt_larger(cursor: Cursor) -> Action:
    length, bit, field = cursor.u16(), cursor.u16(), oxm.decode_name(cursor)
    _check_subfield(field, bit, 1)
    return ofp.CheckPktLarger(length, field, bit)


def _read_bundle(load: bool) -> Callable[[Cursor], Action]:
    def read(cursor: Cursor) -> Action:
        algorithm, fields, basis = cursor.u16(), cursor.u16(), cursor.u16()
        cursor.skip(4)
        size, word = cursor.u16(), cursor.u16()
        dst = None
        if load:
            ofs, bits = unpack_ofs_nbits(word)
            dst = (oxm.decode_name(cursor), ofs, bits)
            cursor.skip(4)
        else:
            cursor.skip(8)
        ports = tuple(oxm.port32(cursor.u16()) for _ in range(size))
        return ofp.Bundle(_word(HASH_FIELDS, fields), _word(BUNDLE_ALGORITHMS, algorithm), ports, basis, dst)

    return read


def _word(words: tuple[str, ...], number: int) -> str:
    if number >= len(words):
        raise Malformed(f"number {number} is none of {', '.join(words)}")
    return words[number]


def _read_multipath(cursor: Cursor) -> Action:
    fields, basis = cursor.u16(), cursor.u16()
    cursor.skip(2)
    algorithm, max_link, arg = cursor.u16(), cursor.u16(), cursor.u32()
    cursor.skip(2)
    ofs, bits = unpack_ofs_nbits(cursor.u16())
    dst = oxm.decode_name(cursor), ofs, bits
    return ofp.Multipath(
        _word(HASH_FIELDS, fields), basis, _word(MULTIPATH_ALGORITHMS, algorithm), max_link + 1, arg, dst
    )


def _read_metadata_action(cursor: Cursor) -> Action:
    cursor.skip(6)
    return ofp.WriteMetadata(cursor.u64(), cursor.u64())


def _read_sample(cursor: Cursor) -> Action:
    return ofp.Sample(cursor.u16(), cursor.u32(), cursor.u32(), cursor.u32())


def _read_sample3(cursor: Cursor) -> Action:
    head = cursor.u16(), cursor.u32(), cursor.u32(), cursor.u32()
    return ofp.Sample(*head, oxm.port32(cursor.u16()), cursor.u8())


def _read_sample4(cursor: Cursor) -> Action:
    head = cursor.u16(), cursor.u32()
    domain, point = _read_sample_source(cursor.part(8)), _read_sample_source(cursor.part(8))
    return ofp.Sample(*head, domain, point, oxm.port32(cursor.u16()), cursor.u8())


def _read_sample_source(cursor: Cursor) -> int | ofp.Subfield:
    if cursor.data[cursor.at : cursor.at + 4] == bytes(4):
        cursor.skip(4)
        return cursor.u32()
    field = oxm.decode_name(cursor)
    return field, *unpack_ofs_nbits(cursor.u16())


STANDARD: dict[int, Callable[[Cursor], Action]] = {
    0: _read_output,
    15: lambda c: ofp.SetMplsTtl(c.u8()),
    16: lambda _: ofp.DecMplsTtl(),
    17: lambda c: ofp.PushVlan(c.u16()),
    18: lambda _: ofp.PopVlan(),
    19: lambda c: ofp.PushMpls(c.u16()),
    20: lambda c: ofp.PopMpls(c.u16()),
    21: lambda c: ofp.SetQueue(c.u32()),
    22: lambda c: ofp.Group(c.u32()),
    23: lambda c: ofp.SetField("ip_ttl", c.u8(), 0xFF),
    24: lambda _: ofp.DecTtl(),
    25: _read_set_field,
    28: _read_move,
    29: lambda c: ofp.Meter(c.u32()),
}

NICIRA: dict[int, Callable[[Cursor], Action]] = {
    1: _read_resubmit(table=False, ct=False),
    4: lambda c: ofp.SetQueue(c.uint(6) & 0xFFFFFFFF),
    5: lambda _: ofp.PopQueue(),
    6: _read_reg_move,
    7: _read_reg_load,
    8: lambda c: ofp.Note(c.rest()),
    10: _read_multipath,
    12: _read_bundle(load=False),
    13: _read_bundle(load=True),
    14: _read_resubmit(table=True, ct=False),
    15: _read_output_reg,
    16: lambda c: learn_codec.decode(c, limit=False),
    17: lambda _: ofp.Exit(),
    18: lambda _: ofp.DecTtl(),
    19: lambda c: ofp.FinTimeout(c.u16(), c.u16()),
    20: _read_controller,
    21: _read_dec_ttl_ids,
    27: _read_stack(ofp.Push),
    28: _read_stack(ofp.Pop),
    22: _read_metadata_action,
    23: lambda c: ofp.PushMpls(c.u16()),
    24: lambda c: ofp.PopMpls(c.u16()),
    25: lambda c: ofp.SetMplsTtl(c.u8()),
    26: lambda _: ofp.DecMplsTtl(),
    29: _read_sample,
    32: _read_output_reg2,
    33: _read_reg_load2,
    34: _read_conjunction,
    35: lambda c: read_ct(c, decode_actions),
    36: _read_nat,
    37: _read_controller2,
    38: _read_sample3,
    39: lambda c: ofp.OutputTrunc(oxm.port32(c.u16()), c.u32()),
    40: lambda c: ofp.Group(c.uint(6) & 0xFFFFFFFF),
    41: _read_sample3,
    42: _read_clone,
    43: lambda _: ofp.CtClear(),
    44: _read_resubmit(table=True, ct=True),
    45: lambda c: learn_codec.decode(c, limit=True),
    49: _read_check_pkt_larger,
    50: lambda c: ofp.DeleteField(oxm.decode_name(c)),
    51: _read_sample4,
}


Table = Mapping[int, Callable[[Cursor], Action]]


def read_action(cursor: Cursor, standard: Table = STANDARD, of_nicira: Table = NICIRA) -> Action:
    """The next action, by tables of what the kinds mean; raises Malformed."""
    start = cursor.at
    kind, size = cursor.u16(), cursor.u16()
    if size < 8 or size & 7:
        raise Malformed(f"action of {size} bytes")
    body = cursor.part(size - 4)
    decoder = standard.get(kind)
    if kind == n.EXPERIMENTER:
        vendor, subtype = body.u32(), body.u16()
        decoder = of_nicira.get(subtype) if vendor == NX_VENDOR else None
    return decoder(body) if decoder else ofp.Unknown(cursor.data[start : cursor.at])


_DECODED: dict[bytes, Actions] = {}
_SINGLE: dict[bytes, Action] = {}  # lists differ more than what they are made of


def decode_actions(data: bytes) -> Actions:
    """A list of actions; raises Malformed.  Equal bytes give the same tuple."""
    found = _DECODED.get(data)
    if found is None:
        if len(_DECODED) > MEMORY or len(_SINGLE) > MEMORY:
            _DECODED.clear()
            _SINGLE.clear()
        found = _DECODED[data] = tuple(_each_action(data))
    return found


def _each_action(data: bytes) -> Iterator[Action]:
    at, end = 0, len(data)
    while at < end:
        raw = data[at : at + int.from_bytes(data[at + 2 : at + 4], "big")]
        action = _SINGLE.get(raw)
        if action is None:
            action = _SINGLE[raw] = read_action(Cursor(data, at))
        yield action
        at += len(raw)


def _read_metadata(cursor: Cursor) -> Actions:
    cursor.skip(4)
    return (ofp.WriteMetadata(cursor.u64(), cursor.u64()),)


def _read_list(cursor: Cursor) -> Actions:
    cursor.skip(4)
    return decode_actions(cursor.rest())


_INSTRUCTIONS: dict[int, Callable[[Cursor], Actions]] = {
    n.INSTRUCTION_GOTO: lambda c: (ofp.GotoTable(c.u8()),),
    n.INSTRUCTION_METADATA: _read_metadata,
    n.INSTRUCTION_WRITE: lambda c: (ofp.WriteActions(_read_list(c)),),
    n.INSTRUCTION_APPLY: _read_list,
    n.INSTRUCTION_CLEAR: lambda _: (ofp.ClearActions(),),
    6: lambda c: (ofp.Meter(c.u32()),),
}


def decode_instructions(data: bytes) -> Actions:
    """What a flow does; raises Malformed."""
    if len(data) >= 8 and data[:2] == b"\0\4" and int.from_bytes(data[2:4], "big") == len(data):
        return decode_actions(data[8:])
    cursor = Cursor(data)
    found: Actions = ()
    while cursor:
        kind, size = cursor.u16(), cursor.u16()
        if kind not in _INSTRUCTIONS or size < 8 or size & 7:
            raise Malformed(f"instruction of type {kind}, {size} bytes")
        found += _INSTRUCTIONS[kind](cursor.part(size - 4))
    return found
