"""Where OpenFlow keeps a symbol, or some bits of it.

reg1[0..15]     → ("reg1", 0, 16)
xreg0[0..47]    → ("xreg0", 0, 48)          the narrowest register that holds all the bits
eth.mcast       → ("eth_dst", 40, 1)
"""

from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import Symbol
from pyovn.openflow.actions import Pop, Push, SetField, Subfield
from pyovn.openflow.fields import FULL


def place(part: Part) -> Subfield:
    """The OpenFlow field, lowest bit and number of bits."""
    symbol, low, width = part
    if symbol.is_string:
        return symbol.openflow, 0, 32
    base = symbol.base or symbol
    low += symbol.shift
    if len(base.pieces) > 1:
        return _register(base, low, width)
    return base.openflow, low, width


def _register(base: Symbol, low: int, width: int) -> Subfield:
    """Bits of joined registers, as bits of the narrowest register that has them all."""
    first = int(base.pieces[0][0][3:])  # the number of the most significant 32-bit register
    size = 32
    while low // size != (low + width - 1) // size:
        size *= 2
    index = first + (base.width - size - low // size * size) // 32
    name = {32: f"reg{index}", 64: f"xreg{index // 2}", 128: f"xxreg{index // 4}"}[size]
    return name, low % size, width


def whole(field: str) -> Subfield:
    """All of an OpenFlow field."""
    return field, 0, FULL[field].bit_length()


def store(where: Subfield, value: int, mask: int | None = None) -> SetField:
    """The action that writes `value` (or the bits of it that `mask` has) there."""
    field, low, width = where
    mask = (1 << width) - 1 if mask is None else mask
    return SetField(field, (value & mask) << low, mask << low)


def push(where: Subfield) -> Push:
    """The action that pushes it on the packet's stack."""
    return Push(*where)


def pop(where: Subfield) -> Pop:
    """The action that pops it from the packet's stack."""
    return Pop(*where)
