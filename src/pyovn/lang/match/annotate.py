"""Annotation: every symbol replaced by the fields it stands for, with its prerequisites.

tcp.dst == 80        →  tcp.dst == 0x50 && ip.proto == 0x6 && (eth.type == 0x800 || eth.type == 0x86dd)
ct.est               →  ct_state[1] && ct_state[5]
x == 1 || x == 2     →  (x == 1 || x == 2) && prerequisites of x, once
"""

from pyovn.lang.match.ast import OPPOSITE, And, Compare, Expr, IsPort, Literal, Or, Resident, conjunction, disjunction
from pyovn.lang.match.parse import parse
from pyovn.lang.symbols import SYMBOLS, Symbol, SymbolTable


def annotate(expr: Expr, symbols: SymbolTable = SYMBOLS) -> Expr:
    """The same expression over whole fields, with all prerequisites spelled out."""
    if isinstance(expr, And | Or):
        symbol = sole_symbol(expr)
        needed = prerequisites(symbol, symbols) if symbol is not None else None
        if needed is not None:
            return conjunction((_place(expr), needed))
        join = conjunction if type(expr) is And else disjunction
        return join(annotate(term, symbols) for term in expr.terms)
    if type(expr) is Compare:
        return _annotate_compare(expr, symbols)
    return expr


def _annotate_compare(node: Compare, symbols: SymbolTable) -> Expr:
    symbol = node.symbol
    if symbol.kind == "predicate":
        return expansion(symbol, symbols, positive=bool(node.value) == (node.op == "=="))
    placed = _place_compare(node)
    needed = prerequisites(symbol, symbols)
    return placed if needed is None else conjunction((placed, needed))


def _place(expr: Expr) -> Expr:
    """`expr`, all of whose comparisons are on one field, with subfields as bits of their parent."""
    if isinstance(expr, And | Or):
        return type(expr)(tuple(_place(term) for term in expr.terms))
    return _place_compare(expr) if type(expr) is Compare else expr


def _place_compare(node: Compare) -> Compare:
    symbol = node.symbol
    if symbol.base is None:
        return node
    return Compare(symbol.base, node.op, node.value << symbol.shift, node.mask << symbol.shift)


def sole_symbol(expr: Expr) -> Symbol | None:
    """The only symbol that an And or Or mentions, or None where there are several or other terms."""
    if isinstance(expr, And | Or):
        first = sole_symbol(expr.terms[0])
        if first is None:
            return None
        return first if all(sole_symbol(term) is first for term in expr.terms[1:]) else None
    return expr.symbol if type(expr) is Compare and expr.symbol.kind != "predicate" else None


def prerequisites(symbol: Symbol, symbols: SymbolTable) -> Expr | None:
    """What must hold for `symbol` to have a meaning; None: nothing."""
    if not symbol.prerequisites:
        return None
    found: Expr | None = symbols.prerequisites.get(symbol.name)
    if found is None:
        found = annotate(parse(symbol.prerequisites, symbols), symbols)
        symbols.prerequisites[symbol.name] = found
    return found


def expansion(symbol: Symbol, symbols: SymbolTable, *, positive: bool = True) -> Expr:
    """What a predicate, or its opposite, stands for."""
    key = symbol.name, positive
    found: Expr | None = symbols.expansions.get(key)
    if found is None:
        found = annotate(parse(symbol.expansion, symbols), symbols)
        found = symbols.expansions[key] = found if positive else negate(found)
    return found


def negate(expr: Expr) -> Expr:
    """The opposite of an annotated expression without port names."""
    match expr:
        case And(terms):
            return disjunction(map(negate, terms))
        case Or(terms):
            return conjunction(map(negate, terms))
        case Literal(value):
            return Literal(not value)
        case Resident(port, wanted):
            return Resident(port, not wanted)
        case Compare(symbol, op, value, mask):
            if op == "==" and mask.bit_count() == 1:
                return Compare(symbol, op, value ^ mask, mask)
            return Compare(symbol, OPPOSITE[op], value, mask)
        case IsPort():
            raise AssertionError("port names are nominal: no expansion negates them")
