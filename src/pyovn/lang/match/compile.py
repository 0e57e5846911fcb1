"""Compilation: a match expression to the OpenFlow matches of its flows.

    one value per symbol            one flow
    one symbol with k values        k flows
    n > 1 symbols with several      a conjunction: for each value a flow with `Clause(id, i, n)`,
                                    and one flow that matches `conj_id = id`

A `Template` is compiled once and instantiated for any assignment of port names to keys; a comparison
with a name that has no key is false.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from pyovn.lang.match.annotate import annotate
from pyovn.lang.match.ast import Expr, IsPort, Resident, leaves
from pyovn.lang.match.normalise import Conjunct, conjuncts
from pyovn.lang.match.simplify import simplify
from pyovn.lang.symbols import SYMBOLS, Symbol, SymbolTable
from pyovn.openflow.fields import FULL, ORDER
from pyovn.openflow.match import Match

_KEY_MASK = 0xFFFFFFFF


class Clause(NamedTuple):
    """Membership of a flow in clause `k` (from 1) of the `n` of conjunction `conj` (from 1 within the expression)."""

    conj: int
    k: int
    n: int


#: A flow's match and its conjunction clauses; none: it carries the actions.
Compiled = tuple[Match, tuple[Clause, ...]]

Ports = Callable[[str], int | None]

#: (field, value or port name, mask)
Term = tuple[str, Any, int]


class _Plan(NamedTuple):
    """One conjunct, ready to be instantiated."""

    #: in canonical order
    fixed: tuple[Term, ...]
    #: for each symbol with several values, the terms of each value
    dimensions: tuple[tuple[tuple[Term, ...], ...], ...]
    #: `fixed` is all there is, each field is in it once, and its port names are few
    is_plain: bool


class Template(NamedTuple):
    """The flows of an expression, but for the keys of ports."""

    plans: tuple[_Plan, ...]
    #: the port names compared with
    ports: frozenset[str]

    def instantiate(self, ports: Ports) -> list[Compiled]:
        """The flows where `ports` gives the keys."""
        if len(self.plans) == 1 and self.plans[0].is_plain:
            match = _filled(self.plans[0].fixed, ports)
            return [(match, ())] if match is not None else []
        return _merged(self._flows(ports))

    def _flows(self, ports: Ports) -> Iterator[Compiled]:
        conj = 0
        for plan in self.plans:
            if plan.is_plain:
                match = _filled(plan.fixed, ports)
                if match is not None:
                    yield match, ()
                continue
            resolved = _resolve(plan, ports)
            if resolved is None:
                continue
            fixed, dimensions = resolved
            if len(dimensions) < 2:
                yield from _expanded(fixed, dimensions)
            else:
                conj += 1
                yield from _conjunctive(fixed, dimensions, conj)


def compile_match(
    expr: Expr,
    ports: Ports,
    resident: Callable[[str], bool],
    symbols: SymbolTable = SYMBOLS,
) -> list[Compiled]:
    """The flows of a parsed expression."""
    return template(expr, resident, symbols).instantiate(ports)


def template(expr: Expr, resident: Callable[[str], bool], symbols: SymbolTable = SYMBOLS) -> Template:
    """The flows of a parsed expression, but for the keys of ports.

    It depends on `resident` only for the ports in `residents(expr)`.
    """
    found = conjuncts(simplify(annotate(expr, symbols), resident))
    plans = tuple(plan for conjunct in found if (plan := _plan(conjunct)) is not None)
    names = frozenset(
        name for conjunct in found for symbol, values in conjunct.items() if symbol.is_string for name in values
    )
    return Template(plans, names)


def _names(found: list[Conjunct]) -> Iterator[str]:
    for conjunct in found:
        for symbol, values in conjunct.items():
            if symbol.is_string:
                yield from values


def residents(expr: Expr) -> frozenset[str]:
    """The ports on whose residence the expression depends."""
    return frozenset(node.port for node in leaves(expr) if type(node) is Resident)


def port_names(expr: Expr) -> frozenset[str]:
    """The ports that the expression compares with."""
    return frozenset(node.port for node in leaves(expr) if type(node) is IsPort)


def _plan(conjunct: Conjunct) -> _Plan | None:
    fixed: list[Term] = []
    dimensions = []
    for symbol, values in conjunct.items():
        if len(values) == 1:
            fixed.extend(_terms(symbol, values[0]))
        else:
            dimensions.append(tuple(_terms(symbol, value) for value in values))
    fields = {term[0] for term in fixed}
    if len(fields) == len(fixed):
        fixed.sort(key=_order)
        return _Plan(tuple(fixed), tuple(dimensions), not dimensions)
    return _Plan(tuple(fixed), tuple(dimensions), False)


def _order(term: Term) -> int:
    return ORDER[term[0]]


def _terms(symbol: Symbol, value: Any) -> tuple[Term, ...]:
    """What a field must hold for the symbol to have this value."""
    if symbol.is_string:
        return ((symbol.openflow, value, _KEY_MASK),)
    number, mask = value
    pieces = symbol.pieces
    if len(pieces) == 1:
        return ((symbol.openflow, number, mask),)
    terms = []
    shift = symbol.width
    for field, width in pieces:
        shift -= width
        part = mask >> shift & FULL[field]
        if part:
            terms.append((field, number >> shift & FULL[field], part))
    return tuple(terms)


def _filled(terms: tuple[Term, ...], ports: Ports) -> Match | None:
    """Terms in canonical order with keys for names, or None where a name has none."""
    filled = []
    for term in terms:
        if type(term[1]) is str:
            key = ports(term[1])
            if key is None:
                return None
            term = (term[0], key, term[2])
        filled.append(term)
    return tuple(filled)


_Fixed = dict[str, tuple[int, int]]


def _resolve(plan: _Plan, ports: Ports) -> tuple[_Fixed, list[list[Match]]] | None:
    """The plan with keys for names: what always holds, and the alternatives of each dimension left."""
    fixed: _Fixed = {}
    known = _filled(plan.fixed, ports)
    if known is None or not _add(fixed, known):
        return None
    dimensions = []
    for alternatives in plan.dimensions:
        left = [match for terms in alternatives if (match := _filled(terms, ports)) is not None]
        if not left or (len(left) == 1 and not _add(fixed, left[0])):
            return None
        if len(left) > 1:
            dimensions.append(left)
    return fixed, dimensions


def _add(fixed: _Fixed, terms: Iterable[tuple[str, int, int]]) -> bool:
    """Narrow `fixed` by the terms; False if nothing can match both."""
    for field, value, mask in terms:
        if field in fixed:
            other, other_mask = fixed[field]
            if (value ^ other) & mask & other_mask:
                return False
            value, mask = value | other, mask | other_mask
        fixed[field] = value, mask
    return True


def _match(fixed: _Fixed) -> Match:
    return tuple(sorted(((field, *pair) for field, pair in fixed.items()), key=_order))


def _expanded(fixed: _Fixed, dimensions: list[list[Match]]) -> Iterator[Compiled]:
    if not dimensions:
        yield _match(fixed), ()
        return
    for alternative in dimensions[0]:
        both = dict(fixed)
        if _add(both, alternative):
            yield _match(both), ()


def _conjunctive(fixed: _Fixed, dimensions: list[list[Match]], conj: int) -> Iterator[Compiled]:
    yield _match({**fixed, "conj_id": (conj, FULL["conj_id"])}), ()
    for k, alternatives in enumerate(dimensions, 1):
        clause = (Clause(conj, k, len(dimensions)),)
        for alternative in alternatives:
            both = dict(fixed)
            if _add(both, alternative):
                yield _match(both), clause


def _merged(flows: Iterable[Compiled]) -> list[Compiled]:
    """One flow per match: clauses of several conjunctions together, and none where the actions follow anyway."""
    found: dict[Match, tuple[Clause, ...]] = {}
    for match, clauses in flows:
        known = found.get(match)
        if known is None:
            found[match] = clauses
        elif known and clauses:
            found[match] = (*known, *clauses)
        else:
            found[match] = ()
    return list(found.items())
