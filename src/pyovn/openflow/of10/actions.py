"""Actions of OpenFlow 1.0: twelve of its own, and Nicira's.

There are no instructions: `goto_table` travels as a resubmission, action sets and meters cannot be told at all.
Constants go into a few fields by actions of their own, into all others by loads of at most 64 bits.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

from pyovn.openflow import action_decoder, action_encoder, oxm
from pyovn.openflow import actions as ofp
from pyovn.openflow.action_encoder import ENCODERS, nicira, ofs_nbits
from pyovn.openflow.actions import Action, Actions
from pyovn.openflow.fields import FULL
from pyovn.openflow.match import VLAN_PRESENT, Match
from pyovn.packet.cursor import Cursor

_pack = struct.pack
#: which bits of vlan_tci OpenFlow 1.0's own actions write
_VID, _PCP = VLAN_PRESENT | 0xFFF, VLAN_PRESENT | 0xE000
_LOAD_BITS = 64
ENQUEUE = b"\x00\x0b\x00\x10"  #: type and length of the one action that stands for several of ours


# --- to bytes -----------------------------------------------------------------------------------------------------


def encode_actions(actions: Actions) -> bytes:
    """A list of actions; those that OpenFlow 1.0 cannot say are left out."""
    return b"".join(_ENCODERS[action.kind](action) for action in actions)


def _plain(kind: int, body: bytes) -> bytes:
    return _pack("!HH", kind, 4 + len(body)) + body


def _output(action: ofp.Output) -> bytes:
    return _plain(0, _pack("!HH", oxm.port16(action.port), action.max_len))


def _controller(action: ofp.Controller) -> bytes:
    if action == ofp.Controller(action.max_len):
        return _plain(0, _pack("!HH", oxm.port16(ofp.OFPP_CONTROLLER), action.max_len))
    return ENCODERS["controller"](action)


#: field → its action's kind and body, where the whole field is written
_OWN: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "vlan_vid": (1, lambda value: _pack("!Hxx", value & 0xFFF)),
    "vlan_pcp": (2, lambda value: _pack("!Bxxx", value)),
    "eth_src": (4, lambda value: value.to_bytes(6, "big") + bytes(6)),
    "eth_dst": (5, lambda value: value.to_bytes(6, "big") + bytes(6)),
    "ip_src": (6, lambda value: _pack("!I", value)),
    "ip_dst": (7, lambda value: _pack("!I", value)),
    "ip_dscp": (8, lambda value: _pack("!Bxxx", value << 2)),
    **{f"{protocol}_src": (9, lambda value: _pack("!Hxx", value)) for protocol in ("tcp", "udp", "sctp")},
    **{f"{protocol}_dst": (10, lambda value: _pack("!Hxx", value)) for protocol in ("tcp", "udp", "sctp")},
}


def _set_field(action: ofp.SetField) -> bytes:
    field, value, mask = action.field, action.value, action.mask
    if field == "vlan_tci" and mask == _VID and value & VLAN_PRESENT:
        return _plain(1, _pack("!Hxx", value & 0xFFF))
    if field == "vlan_tci" and mask == _PCP and value & VLAN_PRESENT:
        return _plain(2, _pack("!Bxxx", value >> 13))
    if field in _OWN and mask == FULL[field]:
        kind, body = _OWN[field]
        return _plain(kind, body(value))
    return loads(action)


def loads(action: ofp.SetField) -> bytes:
    """A constant as loads, one for each run of bits."""
    field, value, mask = action.field, action.value, action.mask
    if field == "in_port":
        return _load(field, 0, 16, oxm.port16(value))
    return b"".join(_load(field, at, bits, value >> at & (1 << bits) - 1) for at, bits in _runs(mask))


def _load(field: str, at: int, bits: int, value: int) -> bytes:
    return nicira(7, _pack("!H", ofs_nbits(at, bits)) + oxm.name_header(field, bits) + _pack("!Q", value))


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """(lowest bit, bits) of each run of ones, none over a border between 64 bits and the next."""
    at = 0
    while mask >> at:
        if not mask >> at & 1:
            at += 1
            continue
        bits = 1
        while mask >> at + bits & 1 and (at + bits) % _LOAD_BITS:
            bits += 1
        yield at, bits
        at += bits


def move(action: ofp.Move) -> bytes:
    """A copy as Nicira's action."""
    names = oxm.name_header(action.src, action.bits) + oxm.name_header(action.dst, action.bits)
    return nicira(6, _pack("!HHH", action.bits, action.src_ofs, action.dst_ofs) + names)


def _dec_ttl(action: ofp.DecTtl) -> bytes:
    return nicira(18, b"") if action.controllers == (0,) else ENCODERS["dec_ttl"](action)


def _nothing(_: Action) -> bytes:
    return b""


_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    **ENCODERS,
    "output": _output,
    "controller": _controller,
    "set_field": _set_field,
    "move": move,
    "push_vlan": _nothing,  # the tag comes with its number
    "pop_vlan": lambda _: _plain(3, bytes(4)),
    "push_mpls": lambda a: nicira(23, _pack("!H4x", a.ethertype)),
    "pop_mpls": lambda a: nicira(24, _pack("!H4x", a.ethertype)),
    "set_mpls_ttl": lambda a: nicira(25, _pack("!B5x", a.ttl)),
    "dec_mpls_ttl": lambda _: nicira(26, bytes(6)),
    "dec_ttl": _dec_ttl,
    "group": lambda a: nicira(40, _pack("!xxI", a.id)),
    "set_queue": lambda a: nicira(4, _pack("!xxI", a.id)),
    "ct": lambda a: action_encoder.ct(a, encode_actions),
    "clone": lambda a: nicira(42, bytes(6) + encode_actions(a.actions)),
    "goto_table": lambda a: ENCODERS["resubmit"](ofp.Resubmit(a.table)),
    "write_metadata": lambda a: _set_field(ofp.SetField("metadata", a.value, a.mask)),  # `ovs-ofctl` wants it last
    "meter": _nothing,
    "write_actions": _nothing,
    "clear_actions": _nothing,
}


# --- from bytes ---------------------------------------------------------------------------------------------------


def decode_actions(data: bytes, match: Match = ()) -> Actions:
    """A list of actions of a flow with `match`, which says what ports are ports of; raises Malformed."""
    protocol = next((_PROTOCOLS.get(value, "tcp") for name, value, _ in match if name == "ip_proto"), "tcp")
    cursor, found = Cursor(data), list[Action]()
    while cursor:
        if data.startswith(ENQUEUE, cursor.at):
            found += _read_enqueue(cursor)
        else:
            found.append(action_decoder.read_action(cursor, _STANDARD[protocol], _NICIRA))
    return tuple(found)


_PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp"}


def _read_output(cursor: Cursor) -> Action:
    port, max_len = oxm.port32(cursor.u16()), cursor.u16()
    return ofp.Controller(max_len) if port == ofp.OFPP_CONTROLLER else ofp.Output(port)


def _read_enqueue(cursor: Cursor) -> Actions:
    cursor.skip(len(ENQUEUE))
    port = oxm.port32(cursor.u16())
    cursor.skip(6)
    return ofp.SetQueue(cursor.u32()), ofp.Output(port), ofp.PopQueue()


def _into(field: str, read: Callable[[Cursor], int]) -> Callable[[Cursor], Action]:
    return lambda cursor: ofp.SetField(field, read(cursor), FULL[field])


def _standard(protocol: str) -> action_decoder.Table:
    return {
        0: _read_output,
        1: lambda c: ofp.SetField("vlan_tci", VLAN_PRESENT | c.u16() & 0xFFF, _VID),
        2: lambda c: ofp.SetField("vlan_tci", VLAN_PRESENT | (c.u8() & 7) << 13, _PCP),
        3: lambda _: ofp.PopVlan(),
        4: _into("eth_src", Cursor.u48),
        5: _into("eth_dst", Cursor.u48),
        6: _into("ip_src", Cursor.u32),
        7: _into("ip_dst", Cursor.u32),
        8: _into("ip_dscp", lambda c: c.u8() >> 2),
        9: _into(f"{protocol}_src", Cursor.u16),
        10: _into(f"{protocol}_dst", Cursor.u16),
    }


_STANDARD = {protocol: _standard(protocol) for protocol in _PROTOCOLS.values()}


def _read_clone(cursor: Cursor) -> Action:
    cursor.skip(6)
    return ofp.Clone(decode_actions(cursor.rest()))


_NICIRA: action_decoder.Table = {
    **action_decoder.NICIRA,
    35: lambda c: action_decoder.read_ct(c, decode_actions),
    42: _read_clone,
}
