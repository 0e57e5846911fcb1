"""Matches and field names as bytes: OXM/NXM type-length-values.

    class 2 │ field 7 bits, has-mask 1 bit │ length 1 │ [experimenter 4] │ value │ [mask]

A match on the wire is type 1, its length, the TLVs and padding.  Both directions keep what they have seen: the same
terms come up in thousands of flows, and a dictionary look-up is several times cheaper than packing.
"""

import struct
from operator import lt

from pyovn.net.errors import Malformed
from pyovn.openflow.fields import (
    EXPERIMENTER,
    FIELDS,
    FULL,
    NXM_NX,
    NXM_OF,
    ORDER,
    Field,
)
from pyovn.openflow.match import VLAN_PRESENT, WIDE, Match, order, parts
from pyovn.packet.cursor import Cursor

Code = tuple[int, int, int]
Term = tuple[str, int, int]

IN_PORT_16: Code = (NXM_OF, 0, 0)
IP_TOS: Code = (NXM_OF, 5, 0)
OFPMT_OXM = 1
MEMORY = 1 << 18  #: entries after which a memory of encodings starts over

_VID_MASK, _PCP_MASK, _PCP_SHIFT = 0x1FFF, 0xE000, 13
_MATCH_HEAD = struct.Struct("!HH")
_HEADER = struct.Struct("!I")


class _Memory(dict[Term, bytes]):
    """Term → bytes, filled as terms come up."""

    def __missing__(self, term: Term) -> bytes:
        if len(self) > MEMORY:
            self.clear()
        encoded = self[term] = encode_term(*term)
        return encoded


def header(code: Code, size: int, *, masked: bool = False) -> bytes:
    """The header of a TLV whose value has `size` bytes, experimenter id included."""
    cls, number, vendor = code
    length = (size * 2 if masked else size) + (4 if cls == EXPERIMENTER else 0)
    word = _HEADER.pack(cls << 16 | number << 9 | masked << 8 | length)
    return word + _HEADER.pack(vendor) if cls == EXPERIMENTER else word


def port16(port: int) -> int:
    """An OpenFlow 1.1+ port number in 16 bits."""
    return port & 0xFFFF


def port32(port: int) -> int:
    """An OpenFlow 1.0 port number in 32 bits: the reserved ones move up."""
    return port | 0xFFFF0000 if port >= 0xFF00 else port


def tlv(code: Code, size: int, value: int, mask: int, full: int) -> bytes:
    """A whole TLV; the mask is left out where it is exact."""
    if mask == full:
        return header(code, size) + value.to_bytes(size, "big")
    return header(code, size, masked=True) + value.to_bytes(size, "big") + mask.to_bytes(size, "big")


def encode_term(name: str, value: int, mask: int) -> bytes:
    """The TLVs of one term of a match."""
    field = FIELDS[name]
    if name == "vlan_tci":
        return _encode_vlan(field, value, mask)
    size = _tunnel_size(mask) if name.startswith("tun_metadata") else field.size
    return tlv(field.oxm, size, value, mask, (1 << size * 8) - 1 if size > 4 and size != field.size else field.full)


def _tunnel_size(mask: int) -> int:
    return max(4, (mask.bit_length() + 31) // 32 * 4)


def _encode_vlan(field: Field, value: int, mask: int) -> bytes:
    """VLAN id and priority apart, as OpenFlow has them; other bits only as one field."""
    pcp_mask = mask & _PCP_MASK
    if pcp_mask not in (0, _PCP_MASK) or (pcp_mask and not value & mask & VLAN_PRESENT):
        return tlv(field.oxm, 2, value, mask, field.full)
    encoded = tlv(FIELDS["vlan_vid"].oxm, 2, value & _VID_MASK, mask & _VID_MASK, _VID_MASK)
    if pcp_mask:
        encoded += tlv(FIELDS["vlan_pcp"].oxm, 1, value >> _PCP_SHIFT, 7, 7)
    return encoded


_ENCODED = _Memory()


def encode_terms(match: Match) -> bytes:
    """The TLVs of a match, no header, no padding."""
    return b"".join(map(_ENCODED.__getitem__, match))


def encode_match(match: Match) -> bytes:
    """A match with its header, padded to 8 bytes."""
    body = b"".join(map(_ENCODED.__getitem__, match))
    size = len(body) + 4
    return _MATCH_HEAD.pack(OFPMT_OXM, size) + body + bytes(-size & 7)


# --- field names in actions ---------------------------------------------------------------------------------------


def _name_code(field: Field) -> Code:
    """The code point its `nxm` name stands for."""
    cls = NXM_OF if field.nxm.startswith("NXM_OF") else NXM_NX if field.nxm.startswith("NXM_NX") else field.oxm[0]
    return next(code for code in (field.oxm, *field.also) if code[0] == cls)


#: field → header in `move`, `push`, `learn` and the like
_NAME_HEADER: dict[str, bytes] = {name: header(_name_code(field), field.size) for name, field in FIELDS.items()}
#: field → header in `copy_field`
_COPY_HEADER: dict[str, bytes] = {name: header(field.oxm, field.size) for name, field in FIELDS.items()}
_IN_PORT_16_HEADER = header(IN_PORT_16, 2)

_BY_CODE: dict[Code, str] = {code: name for name, field in FIELDS.items() for code in (field.oxm, *field.also)}
_BY_CODE[IP_TOS] = "ip_dscp"


def name_header(name: str, bits: int) -> bytes:
    """The header that stands for a field in an action that takes `bits` bits of it."""
    return _IN_PORT_16_HEADER if name == "in_port" and bits <= 16 else _NAME_HEADER[name]


def copy_header(name: str, bits: int) -> bytes:
    """The header that stands for a field in OpenFlow's own copy-field."""
    return _IN_PORT_16_HEADER if name == "in_port" and bits <= 16 else _COPY_HEADER[name]


def decode_header(cursor: Cursor) -> tuple[Code, bool, int]:
    """(code, has mask, bytes of body); raises Malformed."""
    word = cursor.u32()
    size = word & 0xFF
    code = word >> 16, word >> 9 & 0x7F, 0
    if code[0] == EXPERIMENTER:
        code, size = (*code[:2], cursor.u32()), size - 4
    return code, bool(word & 0x100), size


def decode_name(cursor: Cursor) -> str:
    """The field that a header in an action stands for; raises Malformed."""
    code, _, _ = decode_header(cursor)
    return field_of(code)


def field_of(code: Code) -> str:
    """The field with a code point; raises Malformed."""
    name = _BY_CODE.get(code)
    if name is None:
        raise Malformed(f"unknown field: class {code[0]:#06x} number {code[1]} experimenter {code[2]:#x}")
    return name


def decode_tlv(cursor: Cursor) -> Term:
    """One field with value and mask, wide registers and VLAN fields as they are; raises Malformed."""
    code, masked, size = decode_header(cursor)
    name = field_of(code)
    if masked:
        size, odd = divmod(size, 2)
        if odd:
            raise Malformed(f"{name}: mask and value differ in length")
    full, expected = FULL[name], 2 if code == IN_PORT_16 else FIELDS[name].size
    if size != expected and not name.startswith("tun_metadata"):
        raise Malformed(f"{name}: {size} bytes")
    value = cursor.uint(size)
    mask = cursor.uint(size) if masked else max(full, (1 << size * 8) - 1) if size > 4 and size != expected else full
    if code == IN_PORT_16:
        return name, port32(value), full
    if code == IP_TOS:
        return name, value >> 2, full
    if value & ~mask:
        raise Malformed(f"{name}: value has bits outside its mask")
    return name, value, mask


def _canonical_terms(term: Term) -> list[Term]:
    """A term as a match keeps it."""
    name, value, mask = term
    if name == "vlan_vid":
        return [("vlan_tci", value, mask)]
    if name == "vlan_pcp":
        return [("vlan_tci", value << _PCP_SHIFT, mask << _PCP_SHIFT)]
    return parts(term) if mask else []


_DECODED: dict[bytes, list[Term]] = {}


#: header of an exact TLV → (field, bytes of value, mask); only where the value is the term as it stands
_PLAIN: dict[bytes, tuple[str, int, int]] = {
    header(code, field.size): (name, field.size, field.full)
    for code, name in _BY_CODE.items()
    for field in (FIELDS[name],)
    if code[0] != EXPERIMENTER
    and code not in (IN_PORT_16, IP_TOS)
    and name not in ("vlan_tci", "vlan_vid", "vlan_pcp", *WIDE)
    and field.size * 8 == field.width
}


def _remember(raw: bytes) -> list[Term]:
    if len(_DECODED) > MEMORY:
        _DECODED.clear()
    plain = _PLAIN.get(raw[:4])
    if plain and len(raw) == plain[1] + 4:
        terms = [(plain[0], int.from_bytes(raw[4:], "big"), plain[2])]
    else:
        terms = _canonical_terms(decode_tlv(Cursor(raw)))
    _DECODED[raw] = terms
    return terms


def decode_terms(data: bytes) -> Match:
    """The canonical match of bare TLVs; raises Malformed."""
    terms: list[Term] = []
    at, end = 0, len(data)
    while at < end:
        if end - at < 4:
            raise Malformed("match ends inside a field")
        following = at + 4 + data[at + 3]
        raw = data[at:following]
        terms += _DECODED.get(raw) or _remember(raw)
        at = following
    places = [ORDER[name] for name, _, _ in terms]
    return tuple(terms) if all(map(lt, places, places[1:])) else _canonical(terms)


def _canonical(terms: list[Term]) -> Match:
    """Terms in any order, some perhaps on parts of one field; raises Malformed."""
    found: dict[str, Term] = {}
    for term in terms:
        name = term[0]
        found[name] = _joined(found[name], term) if name in found else term
    return tuple(sorted(found.values(), key=order))


def _joined(left: Term, right: Term) -> Term:
    """Two terms on parts of one field; raises Malformed if they overlap."""
    name, value, mask = left
    if mask & right[2]:
        raise Malformed(f"{name}: given twice")
    return name, value | right[1], mask | right[2]


def decode_match(cursor: Cursor) -> Match:
    """A match with header and padding; raises Malformed."""
    data, start = cursor.data, cursor.at
    if cursor.end - start < 4:
        raise Malformed("no match")
    kind, size = _MATCH_HEAD.unpack_from(data, start)
    end = start + size
    if kind != OFPMT_OXM or size < 4 or end > cursor.end:
        raise Malformed(f"match of type {kind}, length {size}")
    cursor.at = min(end + (-size & 7), cursor.end)
    return decode_terms(data[start + 4 : end])


def encode_set(name: str, value: int, mask: int) -> bytes:
    """The TLV of a set-field action."""
    if name == "in_port":
        return _IN_PORT_16_HEADER + port16(value).to_bytes(2, "big")
    field = FIELDS[name]
    size = _tunnel_size(mask) if name.startswith("tun_metadata") else field.size
    return tlv(field.oxm, size, value, mask, field.full)
