"""A match on a set of packets: which of them match, and which do not."""

from collections.abc import Callable, Iterator, Sequence

from pyovn.lang.match import Expr
from pyovn.lang.match.annotate import expansion, prerequisites
from pyovn.lang.match.ast import And, Compare, IsPort, Literal, Or, Resident
from pyovn.lang.symbols import SymbolTable
from pyovn.verify.space import Space

Ports = Callable[[str], int | None]
Parts = Iterator[tuple[Space, bool]]


def decide(expr: Expr, space: Space, ports: Ports, symbols: SymbolTable) -> Parts:
    """The parts of the set, and whether they match; every port is taken to be resident, as in a trace."""
    match expr:
        case Compare():
            return _compare(expr, space, ports, symbols)
        case And(terms):
            return _all(terms, space, ports, symbols)
        case Or(terms):
            return _any(terms, space, ports, symbols)
        case IsPort(symbol, port):
            key = ports(port)
            return iter(((space, False),)) if key is None else space.tested(symbol.openflow, 0xFFFFFFFF, key)
        case Resident(_, wanted):
            return iter(((space, wanted),))
        case Literal(value):
            return iter(((space, value),))
    raise TypeError(expr)


def _all(terms: Sequence[Expr], space: Space, ports: Ports, symbols: SymbolTable) -> Parts:
    if not terms:
        yield space, True
        return
    for part, holds in decide(terms[0], space, ports, symbols):
        if holds:
            yield from _all(terms[1:], part, ports, symbols)
        else:
            yield part, False


def _any(terms: Sequence[Expr], space: Space, ports: Ports, symbols: SymbolTable) -> Parts:
    if not terms:
        yield space, False
        return
    for part, holds in decide(terms[0], space, ports, symbols):
        if holds:
            yield part, True
        else:
            yield from _any(terms[1:], part, ports, symbols)


def _compare(node: Compare, space: Space, ports: Ports, symbols: SymbolTable) -> Parts:
    symbol = node.symbol
    if symbol.kind == "predicate":
        positive = bool(node.value) == (node.op == "==")
        for part, holds in decide(expansion(symbol, symbols), space, ports, symbols):
            yield part, holds == positive
        return
    needed = prerequisites(symbol, symbols) if symbol.prerequisites else None
    if needed is None:
        yield from _tested(node, space)
        return
    # What is needed comes first, which is the same and keeps fields that a packet does not have out of it.
    for part, holds in decide(needed, space, ports, symbols):
        if holds:
            yield from _tested(node, part)
        else:
            yield part, False


def _tested(node: Compare, space: Space) -> Parts:
    if node.op in ("==", "!="):
        for part, holds in _equal(node, space, node.mask, node.value):
            yield part, holds == (node.op == "==")
        return
    # below or at least some number: a union of prefixes
    limit = node.value + (node.op in ("<=", ">"))
    waiting = [space]
    for mask, value in below(limit, node.mask):
        rest = []
        for each in waiting:
            for part, holds in _equal(node, each, mask, value):
                if holds:
                    yield part, node.op in ("<", "<=")
                else:
                    rest.append(part)
        waiting = rest
    for each in waiting:
        yield each, node.op not in ("<", "<=")


def below(limit: int, mask: int) -> Iterator[tuple[int, int]]:
    """The prefixes, as masks and values, of the numbers (under a mask without holes) that are below a limit."""
    if limit > mask:
        yield 0, 0
        return
    for bit in range(mask.bit_length() - 1, -1, -1):
        one = 1 << bit
        if limit & one:
            higher = mask & ~(one * 2 - 1)
            yield higher | one, limit & higher


def _equal(node: Compare, space: Space, mask: int, value: int) -> Parts:
    """The parts whose field has that value, piece by piece."""
    base = node.symbol.base or node.symbol
    mask, value = mask << node.symbol.shift, value << node.symbol.shift
    tests = []
    for name, width in reversed(base.pieces):
        full = (1 << width) - 1
        if mask & full:
            tests.append((name, mask & full, value & full))
        mask, value = mask >> width, value >> width
    here: Space | None = space
    for name, bits, want in tests:
        assert here is not None
        then: Space | None = None
        for part, holds in here.tested(name, bits, want):
            if holds:
                then = part
            else:
                yield part, False
        if then is None:
            return
        here = then
    assert here is not None
    yield here, True
