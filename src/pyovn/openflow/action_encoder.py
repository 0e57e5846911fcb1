"""Actions and instructions to bytes; the counterpart of `action_decoder`.

    action        type 2 │ length 2 │ body                                     padded to 8 bytes
    Nicira's      0xffff │ length 2 │ vendor 0x00002320 │ subtype 2 │ body     padded to 8 bytes
    instructions  apply-actions holds the actions; goto_table and the like follow

One function per kind, in one table.  What was encoded before comes from memory.
"""

import struct
from collections.abc import Callable
from typing import Any

from pyovn.openflow import action_numbers as n
from pyovn.openflow import actions as ofp
from pyovn.openflow import learn_codec, oxm
from pyovn.openflow.actions import BUNDLE_ALGORITHMS, HASH_FIELDS, INSTRUCTIONS, MULTIPATH_ALGORITHMS, Action, Actions
from pyovn.openflow.fields import NX_VENDOR

MEMORY = 1 << 17  #: lists of actions after which a memory starts over

_pack = struct.pack


# --- building blocks ----------------------------------------------------------------------------------------------


def _padded(body: bytes) -> bytes:
    return body + bytes(-len(body) & 7)


def _standard(kind: int, body: bytes) -> bytes:
    """A standard action or an instruction around `body`."""
    size = (len(body) + 11) & ~7
    return _pack("!HH", kind, size) + body + bytes(size - 4 - len(body))


def nicira(subtype: int, body: bytes) -> bytes:
    """A Nicira action around `body`."""
    size = (len(body) + 17) & ~7
    return _pack("!HHIH", n.EXPERIMENTER, size, NX_VENDOR, subtype) + body + bytes(size - 10 - len(body))


def ofs_nbits(ofs: int, bits: int) -> int:
    """Lowest bit and number of bits in 16 bits."""
    return ofs << 6 | bits - 1


# --- encoders -----------------------------------------------------------------------------------------------------


def _output(action: ofp.Output) -> bytes:
    return _pack("!HHIH6x", 0, 16, action.port, action.max_len)


def _output_reg(action: ofp.OutputReg) -> bytes:
    place = ofs_nbits(action.ofs, action.bits)
    header = oxm.name_header(action.field, action.bits)
    if len(header) == 4:
        return nicira(15, _pack("!H", place) + header + _pack("!H6x", action.max_len))
    return nicira(32, _pack("!HH", place, action.max_len) + header)


def _resubmit(action: ofp.Resubmit) -> bytes:
    in_port = oxm.port16(ofp.OFPP_IN_PORT if action.in_port is None else action.in_port)
    return nicira(44 if action.ct else 14, _pack("!HB3x", in_port, action.table))


def _set_field(action: ofp.SetField) -> bytes:
    return _standard(25, oxm.encode_set(action.field, action.value, action.mask))


def _move(action: ofp.Move) -> bytes:
    names = oxm.copy_header(action.src, action.bits) + oxm.copy_header(action.dst, action.bits)
    return _standard(28, _pack("!HHHxx", action.bits, action.src_ofs, action.dst_ofs) + names)


def _stack(subtype: int) -> Callable[[ofp.Push | ofp.Pop], bytes]:
    def encode(action: ofp.Push | ofp.Pop) -> bytes:
        header = oxm.name_header(action.field, action.bits)
        return nicira(subtype, _pack("!H", action.ofs) + header + _pack("!H6x", action.bits))

    return encode


def _dec_ttl(action: ofp.DecTtl) -> bytes:
    if action.controllers == (0,):
        return _standard(24, b"")
    ids = action.controllers
    return nicira(21, _pack(f"!H4x{len(ids)}H", len(ids), *ids))


def _controller(action: ofp.Controller) -> bytes:
    plain = not action.userdata and not action.pause and action.meter_id is None
    if plain and not action.controller_id and action.reason == ofp.OFPR_ACTION:
        return _pack("!HHIH6x", 0, 16, ofp.OFPP_CONTROLLER, action.max_len)
    if plain:
        return nicira(20, _pack("!HHBx", action.max_len, action.controller_id, action.reason))
    found = b""
    if action.max_len != ofp.MAX_LEN_ALL:
        found += _property(n.CONTROLLER_MAX_LEN, _pack("!Hxx", action.max_len))
    if action.controller_id:
        found += _property(n.CONTROLLER_ID, _pack("!Hxx", action.controller_id))
    if action.reason != ofp.OFPR_ACTION:
        found += _property(n.CONTROLLER_REASON, _pack("!B", action.reason))
    if action.userdata:
        found += _property(n.CONTROLLER_USERDATA, action.userdata)
    if action.pause:
        found += _property(n.CONTROLLER_PAUSE, b"")
    if action.meter_id is not None:
        found += _property(n.CONTROLLER_METER, _pack("!I", action.meter_id))
    return nicira(37, bytes(6) + found)


def _property(kind: int, data: bytes) -> bytes:
    return _padded(_pack("!HH", kind, 4 + len(data)) + data)


def ct(action: ofp.Ct, encode_inner: Callable[[Actions], bytes]) -> bytes:
    """Conntrack with what it does inside, which `encode_inner` writes."""
    zone = (
        _pack("!IH", 0, action.zone)
        if isinstance(action.zone, int)
        else oxm.name_header(action.zone[0], action.zone[2]) + _pack("!H", ofs_nbits(*action.zone[1:]))
    )
    flags = (n.CT_COMMIT if action.commit else 0) | (n.CT_FORCE if action.force else 0)
    table = n.CT_NO_TABLE if action.table is None else action.table
    inner = ((action.nat,) if action.nat else ()) + action.exec
    body = _pack("!H", flags) + zone + _pack("!B3xH", table, action.alg) + encode_inner(inner)
    return nicira(35, body)


def _nat(action: ofp.Nat) -> bytes:
    flags = action.flags | {"src": n.NAT_SRC, "dst": n.NAT_DST, None: 0}[action.direction]
    size, lo_bit, hi_bit = (16, n.HAS_IP6_LO, n.HAS_IP6_HI) if action.v6 else (4, n.HAS_IP4_LO, n.HAS_IP4_HI)
    present, ranges = 0, b""
    for value, bit, width in (
        (action.lo, lo_bit, size),
        (action.hi, hi_bit, size),
        (action.port_lo, n.HAS_PORT_LO, 2),
        (action.port_hi, n.HAS_PORT_HI, 2),
    ):
        if value is not None:
            present |= bit
            ranges += value.to_bytes(width, "big")
    return nicira(36, _pack("!xxHH", flags, present) + ranges)


def _check_pkt_larger(action: ofp.CheckPktLarger) -> bytes:
    return nicira(49, _pack("!HH", action.length, action.bit) + oxm.name_header(action.field, 1) + bytes(6))


def _bundle(action: ofp.Bundle) -> bytes:
    ports = [oxm.port16(port) for port in action.ports]
    head = BUNDLE_ALGORITHMS.index(action.algorithm), HASH_FIELDS.index(action.hash_fields), action.basis
    fixed = _pack("!HHHIH", *head, n.PORT_MEMBER, len(ports))
    if action.dst is None:
        place = bytes(10)
    else:
        field, ofs, bits = action.dst
        place = _pack("!H", ofs_nbits(ofs, bits)) + oxm.name_header(field, bits) + bytes(4)
    return nicira(12 if action.dst is None else 13, fixed + place + _pack(f"!{len(ports)}H", *ports))


def _multipath(action: ofp.Multipath) -> bytes:
    field, ofs, bits = action.dst
    algorithm = MULTIPATH_ALGORITHMS.index(action.algorithm)
    head = HASH_FIELDS.index(action.hash_fields), action.basis, algorithm, action.n_links - 1, action.arg
    return nicira(10, _pack("!HHxxHHIxxH", *head, ofs_nbits(ofs, bits)) + oxm.name_header(field, bits))


def _sample(action: ofp.Sample) -> bytes:
    head = _pack("!HI", action.probability, action.collector_set_id)
    domain, point = action.obs_domain_id, action.obs_point_id
    port = _pack("!HB", oxm.port16(action.sampling_port), action.direction)
    if not isinstance(domain, int) or not isinstance(point, int):
        return nicira(51, head + _sample_source(domain) + _sample_source(point) + port + bytes(5))
    head += _pack("!II", domain, point)
    if action.sampling_port == ofp.OFPP_NONE and not action.direction:
        return nicira(29, head)
    return nicira(41, head + port + bytes(5))


def _sample_source(source: int | ofp.Subfield) -> bytes:
    if isinstance(source, int):
        return _pack("!II", 0, source)
    field, ofs, bits = source
    return oxm.name_header(field, bits) + _pack("!Hxx", ofs_nbits(ofs, bits))


def _goto_table(action: ofp.GotoTable) -> bytes:
    return _pack("!HHB3x", n.INSTRUCTION_GOTO, 8, action.table)


def _write_metadata(action: ofp.WriteMetadata) -> bytes:
    return _pack("!HH4xQQ", n.INSTRUCTION_METADATA, 24, action.value, action.mask)


def _write_actions(action: ofp.WriteActions) -> bytes:
    return _standard(n.INSTRUCTION_WRITE, bytes(4) + encode_actions(action.actions))


def _clear_actions(_action: ofp.ClearActions) -> bytes:
    return _pack("!HH4x", n.INSTRUCTION_CLEAR, 8)


ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "output": _output,
    "output_reg": _output_reg,
    "output_trunc": lambda a: nicira(39, _pack("!HI", oxm.port16(a.port), a.max_len)),
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
    "pop_queue": lambda _: nicira(5, b""),
    "controller": _controller,
    "ct": lambda a: ct(a, encode_actions),
    "nat": _nat,
    "ct_clear": lambda _: nicira(43, b""),
    "conjunction": lambda a: nicira(34, _pack("!BBI", a.clause - 1, a.n, a.id)),
    "learn": lambda a: nicira(learn_codec.subtype(a), learn_codec.encode(a)),
    "note": lambda a: nicira(8, a.data),
    "clone": lambda a: nicira(42, bytes(6) + encode_actions(a.actions)),
    "check_pkt_larger": _check_pkt_larger,
    "bundle": _bundle,
    "multipath": _multipath,
    "sample": _sample,
    "fin_timeout": lambda a: nicira(19, _pack("!HH", a.idle_timeout, a.hard_timeout)),
    "exit": lambda _: nicira(17, b""),
    "delete_field": lambda a: nicira(50, oxm.name_header(a.field, 32) + bytes(10)),
    "unknown": lambda a: a.data,
    "goto_table": _goto_table,
    "write_metadata": _write_metadata,
    "write_actions": _write_actions,
    "clear_actions": _clear_actions,
}


class _Encoded(dict[Action, bytes]):
    """Action → bytes, filled as actions come up."""

    def __missing__(self, action: Action) -> bytes:
        if len(self) > MEMORY:
            self.clear()
        encoded = self[action] = ENCODERS[action.kind](action)
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
    return _pack("!HH4x", n.INSTRUCTION_APPLY, 8 + len(body)) + body + others
