"""Match expressions as values, and as text.

    And((Compare(ip4.src, "==", 0x01020304, 0xffffffff), Or((…, …))))

Negation is always pushed down to the comparisons.  Nodes are immutable by convention; they are plain
slotted classes because the compiler makes millions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal as Choice

from pyovn.lang.symbols import Symbol
from pyovn.lang.text import hex_text, quote

Relop = Choice["==", "!=", "<", "<=", ">", ">="]

OPPOSITE: dict[Relop, Relop] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(slots=True, unsafe_hash=True)
class Compare:
    """A number compared with some bits of a symbol; `value` is zero outside `mask`."""

    symbol: Symbol
    op: Relop
    value: int
    mask: int

    def __str__(self) -> str:
        return _compare_text(self)


@dataclass(slots=True, unsafe_hash=True)
class IsPort:
    """A string symbol compared with a port name."""

    symbol: Symbol
    port: str

    def __str__(self) -> str:
        return f"{self.symbol.name} == {quote(self.port)}"


@dataclass(slots=True, unsafe_hash=True)
class Resident:
    """Whether a port is (`wanted`) or is not bound to this chassis."""

    port: str
    wanted: bool

    def __str__(self) -> str:
        return f"{'' if self.wanted else '!'}is_chassis_resident({quote(self.port)})"


@dataclass(slots=True, unsafe_hash=True)
class Literal:
    """True or false."""

    value: bool

    def __str__(self) -> str:
        return "1" if self.value else "0"


@dataclass(slots=True, unsafe_hash=True)
class And:
    """All of two or more terms, none of them an And."""

    terms: "tuple[Expr, ...]"

    def __str__(self) -> str:
        return " && ".join(f"({term})" if type(term) is Or else str(term) for term in self.terms)


@dataclass(slots=True, unsafe_hash=True)
class Or:
    """Any of two or more terms, none of them an Or."""

    terms: "tuple[Expr, ...]"

    def __str__(self) -> str:
        return " || ".join(f"({term})" if type(term) is And else str(term) for term in self.terms)


Expr = Compare | IsPort | Resident | Literal | And | Or

TRUE, FALSE = Literal(True), Literal(False)


def conjunction(terms: Iterable[Expr]) -> Expr:
    """All of the terms, nested Ands made flat; one term is itself, none is true."""
    return _join(And, terms, TRUE)


def disjunction(terms: Iterable[Expr]) -> Expr:
    """Any of the terms, nested Ors made flat; one term is itself, none is false."""
    return _join(Or, terms, FALSE)


def _join(kind: type[And] | type[Or], terms: Iterable[Expr], empty: Expr) -> Expr:
    flat: list[Expr] = []
    for term in terms:
        if type(term) is kind:
            flat.extend(term.terms)
        else:
            flat.append(term)
    return kind(tuple(flat)) if len(flat) > 1 else flat[0] if flat else empty


def leaves(expr: Expr) -> Iterator[Compare | IsPort | Resident | Literal]:
    """Every node that is neither And nor Or, in order."""
    if isinstance(expr, And | Or):
        for term in expr.terms:
            yield from leaves(term)
    else:
        yield expr


def _compare_text(node: Compare) -> str:
    """`x[lo..hi] == 0x5`, `x`, `!x[3]` or, where the mask has holes, `x == 0x5/0x25`."""
    symbol, mask = node.symbol, node.mask
    low = (mask & -mask).bit_length() - 1 if mask else 0
    bits = mask.bit_count()
    if not mask or mask >> low != (1 << bits) - 1:
        return f"{symbol.name} {node.op} {hex_text(node.value)}/{hex_text(mask)}"
    name = symbol.name
    if bits < symbol.width:
        name += f"[{low}]" if bits == 1 else f"[{low}..{low + bits - 1}]"
    value = node.value >> low
    if bits == 1 and node.op in ("==", "!="):
        return name if (node.op == "==") == bool(value) else f"!{name}"
    return f"{name} {node.op} {hex_text(value)}"
