"""Simplification: only `==` remains.

x != v    one bit differs and those above it agree     →  OR over the bits, low to high
x > v     a 0 of v is 1 and the bits above agree        →  OR over the zeros of v
x < v     a 1 of v is 0 and the bits above agree        →  OR over the ones of v
x == 0/0  true      is_chassis_resident("p")  true or false
"""

from collections.abc import Callable, Iterator

from pyovn.lang.match.ast import FALSE, TRUE, And, Compare, Expr, Literal, Or, Resident, conjunction, disjunction

Residence = Callable[[str], bool]


def nowhere(_port: str) -> bool:
    """No port is resident."""
    return False


def simplify(expr: Expr, resident: Residence = nowhere) -> Expr:
    """An annotated expression with `==` comparisons, And and Or only, unless it is a Literal."""
    kind = type(expr)
    if kind is Compare:
        return expr if expr.op == "==" and expr.mask else _simplify_compare(expr)  # type: ignore[union-attr,arg-type]
    if kind is And:
        return _simplify_and(expr, resident)  # type: ignore[arg-type]
    if kind is Or:
        return _simplify_or(expr, resident)  # type: ignore[arg-type]
    if kind is Resident:
        return TRUE if resident(expr.port) == expr.wanted else FALSE  # type: ignore[union-attr]
    return expr


def _simplify_and(expr: And, resident: Residence) -> Expr:
    kept: list[Expr] = []
    for term in expr.terms:
        simple = simplify(term, resident)
        if type(simple) is not Literal:
            kept.append(simple)
        elif not simple.value:
            return FALSE
    return conjunction(kept)


def _simplify_or(expr: Or, resident: Residence) -> Expr:
    kept: list[Expr] = []
    for term in expr.terms:
        simple = simplify(term, resident)
        if type(simple) is not Literal:
            kept.append(simple)
        elif simple.value:
            return TRUE
    return disjunction(kept)


def _simplify_compare(node: Compare) -> Expr:
    op, mask = node.op, node.mask
    if not mask:
        return TRUE if op in ("==", ">=", "<=") else FALSE
    if op == "!=":
        return disjunction(_flips(node, mask))
    if op in (">", ">="):
        if op == ">=" and not node.value:
            return TRUE
        return disjunction((*_exact(node), *_flips(node, mask & ~node.value)))
    if op == "<=" and node.value == mask:
        return TRUE
    return disjunction((*_exact(node), *_flips(node, node.value)))


def _exact(node: Compare) -> Iterator[Compare]:
    """The equality that `>=` and `<=` include."""
    if node.op in (">=", "<="):
        yield Compare(node.symbol, "==", node.value, node.mask)


def _flips(node: Compare, bits: int) -> Iterator[Compare]:
    """For each of `bits`, low to high: that bit inverted, the compared bits above it as in the value."""
    while bits:
        bit = bits & -bits
        mask = node.mask & -bit
        yield Compare(node.symbol, "==", (node.value & mask) ^ bit, mask)
        bits ^= bit
