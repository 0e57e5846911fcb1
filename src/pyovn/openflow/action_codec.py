"""Actions and instructions as bytes, OpenFlow 1.5 with the Nicira extensions, both ways.

    action        type 2 │ length 2 │ body                                     padded to 8 bytes
    Nicira's      0xffff │ length 2 │ vendor 0x00002320 │ subtype 2 │ body     padded to 8 bytes
    instructions  apply-actions holds the actions; goto_table and the like follow

`encode_actions` and `decode_actions` are for a plain list of actions; `encode_instructions` and
`decode_instructions` for what a flow does.  Lists seen before come from memory.
"""

import struct
from collections.abc import Callable
from typing import Any, Literal, cast

from pyovn.net.errors import Malformed
from pyovn.openflow import actions as ofp
from pyovn.openflow import learn_codec, oxm
from pyovn.openflow.actions import Action, Actions
from pyovn.openflow.fields import FULL, NX_VENDOR
from pyovn.packet.cursor import Cursor

EXPERIMENTER = 0xFFFF
INSTRUCTION_GOTO, INSTRUCTION_METADATA, INSTRUCTION_WRITE, INSTRUCTION_APPLY, INSTRUCTION_CLEAR = 1, 2, 3, 4, 5
MEMORY = 1 << 17  #: lists of actions after which a memory starts over

HASH_FIELDS = (
    "eth_src",
    "symmetric_l4",
    "symmetric_l3l4",
    "symmetric_l3l4+udp",
    "nw_src",
    "nw_dst",
    "symmetric_l3",
)
MULTIPATH_ALGORITHMS = ("modulo_n", "hash_threshold", "hrw", "iter_hash")
BUNDLE_ALGORITHMS = ("active_backup", "hrw")

_NAT_SRC, _NAT_DST = 1, 2
_HAS_IP4_LO, _HAS_IP4_HI, _HAS_IP6_LO, _HAS_IP6_HI, _HAS_PORT_LO, _HAS_PORT_HI = (1 << bit for bit in range(6))
_CT_COMMIT, _CT_FORCE = 1, 2
_CT_NO_TABLE = 0xFF
_CONTROLLER_MAX_LEN, _CONTROLLER_ID, _CONTROLLER_REASON, _CONTROLLER_USERDATA, _CONTROLLER_PAUSE, _CONTROLLER_METER = (
    range(6)
)
_PORT_MEMBER = 0x00000002  #: what the members of a bundle are: OpenFlow ports (NXM_OF_IN_PORT's header)
_THIS_TABLE = 0xFF

_pack = struct.pack


# --- building blocks ----------------------------------------------------------------------------------------------


def _padded(body: bytes) -> bytes:
    return body + bytes(-len(body) & 7)


def _standard(kind: int, body: bytes) -> bytes:
    """A standard action or an instruction around `body`."""
    size = (len(body) + 11) & ~7
    return _pack("!HH", kind, size) + body + bytes(size - 4 - len(body))


def _nicira(subtype: int, body: bytes) -> bytes:
    """A Nicira action around `body`."""
    size = (len(body) + 17) & ~7
    return _pack("!HHIH", EXPERIMENTER, size, NX_VENDOR, subtype) + body + bytes(size - 10 - len(body))


def ofs_nbits(ofs: int, bits: int) -> int:
    """Lowest bit and number of bits in 16 bits."""
    return ofs << 6 | bits - 1


def unpack_ofs_nbits(word: int) -> tuple[int, int]:
    """(lowest bit, number of bits)."""
    return word >> 6, (word & 0x3F) + 1


# --- encoders -----------------------------------------------------------------------------------------------------


def _output(action: ofp.Output) -> bytes:
    return _pack("!HHIH6x", 0, 16, action.port, action.max_len)


def _output_reg(action: ofp.OutputReg) -> bytes:
    place = ofs_nbits(action.ofs, action.bits)
    header = oxm.name_header(action.field, action.bits)
    if len(header) == 4:
        return _nicira(15, _pack("!H", place) + header + _pack("!H6x", action.max_len))
    return _nicira(32, _pack("!HH", place, action.max_len) + header)


def _resubmit(action: ofp.Resubmit) -> bytes:
    in_port = oxm.port16(ofp.OFPP_IN_PORT if action.in_port is None else action.in_port)
    return _nicira(44 if action.ct else 14, _pack("!HB3x", in_port, action.table))


def _set_field(action: ofp.SetField) -> bytes:
    return _standard(25, oxm.encode_set(action.field, action.value, action.mask))


def _move(action: ofp.Move) -> bytes:
    names = oxm.copy_header(action.src, action.bits) + oxm.copy_header(action.dst, action.bits)
    return _standard(28, _pack("!HHHxx", action.bits, action.src_ofs, action.dst_ofs) + names)


def _stack(subtype: int) -> Callable[[ofp.Push | ofp.Pop], bytes]:
    def encode(action: ofp.Push | ofp.Pop) -> bytes:
        header = oxm.name_header(action.field, action.bits)
        return _nicira(subtype, _pack("!H", action.ofs) + header + _pack("!H6x", action.bits))

    return encode


def _dec_ttl(action: ofp.DecTtl) -> bytes:
    if action.controllers == (0,):
        return _standard(24, b"")
    ids = action.controllers
    return _nicira(21, _pack(f"!H4x{len(ids)}H", len(ids), *ids))


def _controller(action: ofp.Controller) -> bytes:
    plain = not action.userdata and not action.pause and action.meter_id is None
    if plain and not action.controller_id and action.reason == ofp.OFPR_ACTION:
        return _pack("!HHIH6x", 0, 16, ofp.OFPP_CONTROLLER, action.max_len)
    if plain:
        return _nicira(20, _pack("!HHBx", action.max_len, action.controller_id, action.reason))
    found = b""
    if action.max_len != ofp.MAX_LEN_ALL:
        found += _property(_CONTROLLER_MAX_LEN, _pack("!Hxx", action.max_len))
    if action.controller_id:
        found += _property(_CONTROLLER_ID, _pack("!Hxx", action.controller_id))
    if action.reason != ofp.OFPR_ACTION:
        found += _property(_CONTROLLER_REASON, _pack("!B", action.reason))
    if action.userdata:
        found += _property(_CONTROLLER_USERDATA, action.userdata)
    if action.pause:
        found += _property(_CONTROLLER_PAUSE, b"")
    if action.meter_id is not None:
        found += _property(_CONTROLLER_METER, _pack("!I", action.meter_id))
    return _nicira(37, bytes(6) + found)


def _property(kind: int, data: bytes) -> bytes:
    return _padded(_pack("!HH", kind, 4 + len(data)) + data)


def _ct(action: ofp.Ct) -> bytes:
    zone = (
        _pack("!IH", 0, action.zone)
        if isinstance(action.zone, int)
        else oxm.name_header(action.zone[0], action.zone[2]) + _pack("!H", ofs_nbits(*action.zone[1:]))
    )
    flags = (_CT_COMMIT if action.commit else 0) | (_CT_FORCE if action.force else 0)
    table = _CT_NO_TABLE if action.table is None else action.table
    inner = ((action.nat,) if action.nat else ()) + action.exec
    body = _pack("!H", flags) + zone + _pack("!B3xH", table, action.alg) + encode_actions(inner)
    return _nicira(35, body)


def _nat(action: ofp.Nat) -> bytes:
    flags = action.flags | {"src": _NAT_SRC, "dst": _NAT_DST, None: 0}[action.direction]
    size, lo_bit, hi_bit = (16, _HAS_IP6_LO, _HAS_IP6_HI) if action.v6 else (4, _HAS_IP4_LO, _HAS_IP4_HI)
    present, ranges = 0, b""
    for value, bit, width in (
        (action.lo, lo_bit, size),
        (action.hi, hi_bit, size),
        (action.port_lo, _HAS_PORT_LO, 2),
        (action.port_hi, _HAS_PORT_HI, 2),
    ):
        if value is not None:
            present |= bit
            ranges += value.to_bytes(width, "big")
    return _nicira(36, _pack("!xxHH", flags, present) + ranges)


def _check_pkt_larger(action: ofp.CheckPktLarger) -> bytes:
    return _nicira(49, _pack("!HH", action.length, action.bit) + oxm.name_header(action.field, 1) + bytes(6))


def _bundle(action: ofp.Bundle) -> bytes:
    ports = [oxm.port16(port) for port in action.ports]
    head = BUNDLE_ALGORITHMS.index(action.algorithm), HASH_FIELDS.index(action.hash_fields), action.basis
    fixed = _pack("!HHHIH", *head, _PORT_MEMBER, len(ports))
    if action.dst is None:
        place = bytes(10)
    else:
        field, ofs, bits = action.dst
        place = _pack("!H", ofs_nbits(ofs, bits)) + oxm.name_header(field, bits) + bytes(4)
    return _nicira(12 if action.dst is None else 13, fixed + place + _pack(f"!{len(ports)}H", *ports))


def _multipath(action: ofp.Multipath) -> bytes:
    field, ofs, bits = action.dst
    algorithm = MULTIPATH_ALGORITHMS.index(action.algorithm)
    head = HASH_FIELDS.index(action.hash_fields), action.basis, algorithm, action.n_links - 1, action.arg
    return _nicira(10, _pack("!HHxxHHIxxH", *head, ofs_nbits(ofs, bits)) + oxm.name_header(field, bits))


def _sample(action: ofp.Sample) -> bytes:
    head = _pack("!HI", action.probability, action.collector_set_id)
    domain, point = action.obs_domain_id, action.obs_point_id
    port = _pack("!HB", oxm.port16(action.sampling_port), action.direction)
    if not isinstance(domain, int) or not isinstance(point, int):
        return _nicira(51, head + _sample_source(domain) + _sample_source(point) + port + bytes(5))
    head += _pack("!II", domain, point)
    if action.sampling_port == ofp.OFPP_NONE and not action.direction:
        return _nicira(29, head)
    return _nicira(41, head + port + bytes(5))


def _sample_source(source: int | ofp.Subfield) -> bytes:
    if isinstance(source, int):
        return _pack("!II", 0, source)
    field, ofs, bits = source
    return oxm.name_header(field, bits) + _pack("!Hxx", ofs_nbits(ofs, bits))


def _goto_table(action: ofp.GotoTable) -> bytes:
    return _pack("!HHB3x", INSTRUCTION_GOTO, 8, action.table)


def _write_metadata(action: ofp.WriteMetadata) -> bytes:
    return _pack("!HH4xQQ", INSTRUCTION_METADATA, 24, action.value, action.mask)


def _write_actions(action: ofp.WriteActions) -> bytes:
    return _standard(INSTRUCTION_WRITE, bytes(4) + encode_actions(action.actions))


def _clear_actions(_action: ofp.ClearActions) -> bytes:
    return _pack("!HH4x", INSTRUCTION_CLEAR, 8)


_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "output": _output,
    "output_reg": _output_reg,
    "output_trunc": lambda a: _nicira(39, _pack("!HI", oxm.port16(a.port), a.max_len)),
    "resubmit": _resubmit,
    "set_field": _set_field,
    "move": _move,
    "push": _stack(27),
    "pop": _stack(28),
    "push_vlan": lambda a: _standard(17, _pack("!Hxx", a.ethertype)),
    "pop_vlan": lambda _: _standard(18, b""),
    "push_mpls": lambda a: _standard(19, _pack("!Hxx", a.ethertype)),
    "pop_mpls": lambda a: _standard(20, _pack("!Hxx", a.ethertype)),
    "dec_ttl": _dec_ttl,
    "dec_mpls_ttl": lambda _: _standard(16, b""),
    "set_mpls_ttl": lambda a: _standard(15, _pack("!Bxxx", a.ttl)),
    "group": lambda a: _standard(22, _pack("!I", a.id)),
    "meter": lambda a: _standard(29, _pack("!I", a.id)),
    "set_queue": lambda a: _standard(21, _pack("!I", a.id)),
    "pop_queue": lambda _: _nicira(5, b""),
    "controller": _controller,
    "ct": _ct,
    "nat": _nat,
    "ct_clear": lambda _: _nicira(43, b""),
    "conjunction": lambda a: _nicira(34, _pack("!BBI", a.clause - 1, a.n, a.id)),
    "learn": lambda a: _nicira(learn_codec.subtype(a), learn_codec.encode(a)),
    "note": lambda a: _nicira(8, a.data),
    "clone": lambda a: _nicira(42, bytes(6) + encode_actions(a.actions)),
    "check_pkt_larger": _check_pkt_larger,
    "bundle": _bundle,
    "multipath": _multipath,
    "sample": _sample,
    "fin_timeout": lambda a: _nicira(19, _pack("!HH", a.idle_timeout, a.hard_timeout)),
    "exit": lambda _: _nicira(17, b""),
    "delete_field": lambda a: _nicira(50, oxm.name_header(a.field, 32) + bytes(10)),
    "unknown": lambda a: a.data,
    "goto_table": _goto_table,
    "write_metadata": _write_metadata,
    "write_actions": _write_actions,
    "clear_actions": _clear_actions,
}

#: Kinds that are instructions beside apply-actions, not actions.
INSTRUCTIONS = frozenset(("goto_table", "write_metadata", "write_actions", "clear_actions"))


class _Encoded(dict[Action, bytes]):
    """Action → bytes, filled as actions come up."""

    def __missing__(self, action: Action) -> bytes:
        if len(self) > MEMORY:
            self.clear()
        encoded = self[action] = _ENCODERS[action.kind](action)
        return encoded


class _EncodedInstructions(dict[Actions, bytes]):
    """What a flow does → bytes, filled as lists come up."""

    def __missing__(self, actions: Actions) -> bytes:
        if len(self) > MEMORY:
            self.clear()
        encoded = self[actions] = _instructions(actions)
        return encoded


_ACTION_BYTES = _Encoded()
_INSTRUCTION_BYTES = _EncodedInstructions()

#: The instructions that do `actions`.
encode_instructions: Callable[[Actions], bytes] = _INSTRUCTION_BYTES.__getitem__


def encode_actions(actions: Actions) -> bytes:
    """A list of actions, each padded to 8 bytes."""
    return b"".join(map(_ACTION_BYTES.__getitem__, actions))


def _instructions(actions: Actions) -> bytes:
    plain = tuple(action for action in actions if action.kind not in INSTRUCTIONS)
    others = b"".join(_ACTION_BYTES[action] for action in actions if action.kind in INSTRUCTIONS)
    if not plain:
        return others
    body = encode_actions(plain)
    return _pack("!HH4x", INSTRUCTION_APPLY, 8 + len(body)) + body + others


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
        return ofp.Resubmit(number if table else _THIS_TABLE, in_port, ct)

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
    n = cursor.u16()
    cursor.skip(4)
    return ofp.DecTtl(tuple(cursor.u16() for _ in range(n)))


def _read_controller(cursor: Cursor) -> Action:
    max_len, controller_id, reason = cursor.u16(), cursor.u16(), cursor.u8()
    return ofp.Controller(max_len, controller_id=controller_id, reason=reason)


_CONTROLLER_PROPERTIES: dict[int, Callable[[Cursor], tuple[str, Any]]] = {
    _CONTROLLER_MAX_LEN: lambda c: ("max_len", c.u16()),
    _CONTROLLER_ID: lambda c: ("controller_id", c.u16()),
    _CONTROLLER_REASON: lambda c: ("reason", c.u8()),
    _CONTROLLER_USERDATA: lambda c: ("userdata", c.rest()),
    _CONTROLLER_PAUSE: lambda _: ("pause", True),
    _CONTROLLER_METER: lambda c: ("meter_id", c.u32()),
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


def _read_ct(cursor: Cursor) -> Action:
    flags, zone_field, zone_word = cursor.u16(), cursor.part(4), cursor.u16()
    table = cursor.u8()
    cursor.skip(3)
    alg = cursor.u16()
    zone: int | ofp.Subfield = zone_word
    if zone_field.data[zone_field.at : zone_field.end] != bytes(4):
        zone = (oxm.decode_name(zone_field), *unpack_ofs_nbits(zone_word))
    inner = decode_actions(cursor.rest())
    nats = [action for action in inner if isinstance(action, ofp.Nat)]
    return ofp.Ct(
        bool(flags & _CT_COMMIT),
        bool(flags & _CT_FORCE),
        zone,
        None if table == _CT_NO_TABLE else table,
        nats[0] if nats else None,
        alg,
        tuple(action for action in inner if not isinstance(action, ofp.Nat)),
    )


def _read_nat(cursor: Cursor) -> Action:
    cursor.skip(2)
    flags, present = cursor.u16(), cursor.u16()
    v6 = bool(present & (_HAS_IP6_LO | _HAS_IP6_HI))
    lo = cursor.uint(16 if v6 else 4) if present & (_HAS_IP4_LO | _HAS_IP6_LO) else None
    hi = cursor.uint(16 if v6 else 4) if present & (_HAS_IP4_HI | _HAS_IP6_HI) else None
    port_lo = cursor.u16() if present & _HAS_PORT_LO else None
    port_hi = cursor.u16() if present & _HAS_PORT_HI else None
    direction: Literal["src", "dst"] | None = "src" if flags & _NAT_SRC else "dst" if flags & _NAT_DST else None
    return ofp.Nat(direction, lo, hi, port_lo, port_hi, flags & ~(_NAT_SRC | _NAT_DST), v6)


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
        n, word = cursor.u16(), cursor.u16()
        dst = None
        if load:
            ofs, bits = unpack_ofs_nbits(word)
            dst = (oxm.decode_name(cursor), ofs, bits)
            cursor.skip(4)
        else:
            cursor.skip(8)
        ports = tuple(oxm.port32(cursor.u16()) for _ in range(n))
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


_STANDARD: dict[int, Callable[[Cursor], Action]] = {
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

_NICIRA: dict[int, Callable[[Cursor], Action]] = {
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
    29: _read_sample,
    32: _read_output_reg2,
    33: _read_reg_load2,
    34: _read_conjunction,
    35: _read_ct,
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


def _read_action(cursor: Cursor) -> Action:
    start = cursor.at
    kind, size = cursor.u16(), cursor.u16()
    if size < 8 or size & 7:
        raise Malformed(f"action of {size} bytes")
    body = cursor.part(size - 4)
    decoder = _STANDARD.get(kind)
    if kind == EXPERIMENTER:
        vendor, subtype = body.u32(), body.u16()
        decoder = _NICIRA.get(subtype) if vendor == NX_VENDOR else None
    return decoder(body) if decoder else ofp.Unknown(cursor.data[start : cursor.at])


_DECODED: dict[bytes, Actions] = {}


def decode_actions(data: bytes) -> Actions:
    """A list of actions; raises Malformed.  Equal bytes give the same tuple."""
    found = _DECODED.get(data)
    if found is None:
        if len(_DECODED) > MEMORY:
            _DECODED.clear()
        cursor, actions = Cursor(data), []
        while cursor:
            actions.append(_read_action(cursor))
        found = _DECODED[data] = tuple(actions)
    return found


def _read_metadata(cursor: Cursor) -> Actions:
    cursor.skip(4)
    return (ofp.WriteMetadata(cursor.u64(), cursor.u64()),)


def _read_list(cursor: Cursor) -> Actions:
    cursor.skip(4)
    return decode_actions(cursor.rest())


_INSTRUCTIONS: dict[int, Callable[[Cursor], Actions]] = {
    INSTRUCTION_GOTO: lambda c: (ofp.GotoTable(c.u8()),),
    INSTRUCTION_METADATA: _read_metadata,
    INSTRUCTION_WRITE: lambda c: (ofp.WriteActions(_read_list(c)),),
    INSTRUCTION_APPLY: _read_list,
    INSTRUCTION_CLEAR: lambda _: (ofp.ClearActions(),),
    6: lambda c: (ofp.Meter(c.u32()),),
}


def decode_instructions(data: bytes) -> Actions:
    """What a flow does; raises Malformed."""
    if len(data) >= 8 and data[:2] == b"\0\4" and int.from_bytes(data[2:4], "big") == len(data):
        return decode_actions(data[8:])
    cursor, found = Cursor(data), cast(Actions, ())
    while cursor:
        kind, size = cursor.u16(), cursor.u16()
        if kind not in _INSTRUCTIONS or size < 8 or size & 7:
            raise Malformed(f"instruction of type {kind}, {size} bytes")
        found += _INSTRUCTIONS[kind](cursor.part(size - 4))
    return found
