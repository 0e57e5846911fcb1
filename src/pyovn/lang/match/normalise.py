"""Normal form: an OR of *conjuncts*, each an AND over symbols of the values each may have.

    (inport == "a" || inport == "b") && tcp.dst == {1, 2}      on IPv4 and IPv6
        → [{eth.type: {0x800}, inport: {a, b}, ip.proto: {6}, tcp.dst: {1, 2}},
           {eth.type: {0x86dd}, inport: {a, b}, …}]

Values are (value, mask) pairs, or port names for string symbols; none is covered by another of its set.
Symbols marked `crossproduct` have one value per conjunct.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import product
from typing import Any

from pyovn.lang.match.annotate import annotate
from pyovn.lang.match.ast import And, Compare, Expr, IsPort, Literal, Or, conjunction, disjunction
from pyovn.lang.match.parse import parse
from pyovn.lang.match.simplify import simplify
from pyovn.lang.symbols import SYMBOLS, Symbol
from pyovn.openflow.fields import FIELDS

#: Ways in which one symbol may match: (value, mask) pairs or port names.
Values = tuple[Any, ...]
Conjunct = dict[Symbol, Values]


def normalise(expr: Expr) -> Expr:
    """A simplified expression as an OR of ANDs, terms in order of symbol name."""
    return disjunction(
        conjunction(_any_value(symbol, conjunct[symbol]) for symbol in sorted(conjunct, key=lambda symbol: symbol.name))
        for conjunct in conjuncts(expr)
    )


def _any_value(symbol: Symbol, values: Values) -> Expr:
    if symbol.is_string:
        return disjunction(IsPort(symbol, name) for name in sorted(values))
    ordered = sorted(values, key=lambda pair: (pair[1], pair[0]))
    return disjunction(Compare(symbol, "==", value, mask) for value, mask in ordered)


def conjuncts(expr: Expr) -> list[Conjunct]:
    """The conjuncts of a simplified expression; none where it is never true."""
    found = [crossed for conjunct in _distribute(expr) for legal in _legal(conjunct) for crossed in _cross(legal)]
    return found if len(found) < 2 else _distinct(found)


def _distribute(expr: Expr) -> list[Conjunct]:
    kind = type(expr)
    if kind is Compare:
        return [{expr.symbol: ((expr.value, expr.mask),)}]  # type: ignore[union-attr]
    if kind is IsPort:
        return [{expr.symbol: (expr.port,)}]  # type: ignore[union-attr]
    if kind is And:
        return _all(expr.terms)  # type: ignore[union-attr]
    if kind is Or:
        return _any(expr.terms)  # type: ignore[union-attr]
    assert type(expr) is Literal
    return [{}] if expr.value else []


def _any(terms: Sequence[Expr]) -> list[Conjunct]:
    """The conjuncts of an OR; those about one and the same symbol become one."""
    alone: dict[Symbol, list[Any]] = {}
    others: list[Conjunct] = []
    for term in terms:
        kind = type(term)
        if kind is Compare:
            alone.setdefault(term.symbol, []).append((term.value, term.mask))  # type: ignore[union-attr]
        elif kind is IsPort:
            alone.setdefault(term.symbol, []).append(term.port)  # type: ignore[union-attr]
        else:
            for conjunct in _distribute(term):
                if len(conjunct) == 1:
                    ((symbol, values),) = conjunct.items()
                    alone.setdefault(symbol, []).extend(values)
                else:
                    others.append(conjunct)
    united: list[Conjunct] = [{symbol: uncovered(values)} for symbol, values in alone.items()]
    return united + others


def _all(terms: Sequence[Expr]) -> list[Conjunct]:
    """The conjuncts of an AND: what its simple terms say together, times those of every other term."""
    together: Conjunct = {}
    others: list[list[Conjunct]] = []
    for term in terms:
        found = _distribute(term)
        if len(found) == 1:
            if not _narrow(together, found[0]):
                return []
        elif found:
            others.append(found)
        else:
            return []
    return reduce(_times, others, [together])


def _times(left: list[Conjunct], right: list[Conjunct]) -> list[Conjunct]:
    found = []
    for one in left:
        for other in right:
            both = dict(one)
            if _narrow(both, other):
                found.append(both)
    return found


def _narrow(conjunct: Conjunct, other: Conjunct) -> bool:
    """Add the demands of `other` to `conjunct`; False if together they cannot be met."""
    for symbol, values in other.items():
        mine = conjunct.get(symbol)
        if mine is None:
            conjunct[symbol] = values
            continue
        if mine != values:
            both = common_ports(mine, values) if symbol.is_string else common(mine, values)
            if not both:
                return False
            conjunct[symbol] = both
    return True


def common_ports(left: Values, right: Values) -> Values:
    """The names in both."""
    allowed = set(right)
    return tuple(name for name in left if name in allowed)


def common(left: Values, right: Values) -> Values:
    """What matches both some pair of `left` and some pair of `right`."""
    if len(left) == 1 and len(right) == 1:
        (value, mask), (other, other_mask) = left[0], right[0]
        if (value ^ other) & mask & other_mask:
            return ()
        return ((value | other, mask | other_mask),)
    # A hash join on the bits that each pair of masks shares: sets of addresses have thousands of members.
    found = []
    right_by_mask = _by_mask(right)
    for mask, values in _by_mask(left).items():
        for other_mask, others in right_by_mask.items():
            shared, united = mask & other_mask, mask | other_mask
            partners: dict[int, list[int]] = {}
            for other in others:
                partners.setdefault(other & shared, []).append(other)
            found += [(value | other, united) for value in values for other in partners.get(value & shared, ())]
    return uncovered(found)


def uncovered(values: Sequence[Any]) -> Values:
    """The values without repetitions and without those that another one covers."""
    if len(values) < 2:
        return tuple(values)
    distinct = tuple(dict.fromkeys(values))
    if isinstance(distinct[0], str):
        return distinct
    by_mask = {mask: set(members) for mask, members in _by_mask(distinct).items()}
    if len(by_mask) == 1:
        return distinct
    broader = {mask: [other for other in by_mask if other & mask == other and other != mask] for mask in by_mask}
    return tuple(pair for pair in distinct if not any(pair[0] & other in by_mask[other] for other in broader[pair[1]]))


def _by_mask(values: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for value, mask in values:
        found.setdefault(mask, []).append(value)
    return found


_ETHERTYPE = SYMBOLS["eth.type"]


def _legal(conjunct: Conjunct) -> list[Conjunct]:
    """The conjunct with prerequisites where a negated predicate left them out.

    `!ip.is_frag` says nothing about the Ethertype, but a switch knows fragment bits of IP packets only.
    """
    if _ETHERTYPE in conjunct:
        return [conjunct]
    for symbol in conjunct:
        if symbol.prerequisites and FIELDS[symbol.openflow].prerequisite not in _FREE:
            needed = annotate(parse(symbol.prerequisites))
            return _times([conjunct], _distribute(simplify(needed)))
    return [conjunct]


#: OpenFlow prerequisites that every packet meets.
_FREE = frozenset(("", "ct"))


def _cross(conjunct: Conjunct) -> Iterable[Conjunct]:
    """One conjunct per combination of values of the `crossproduct` symbols.

    Bits of a field that a switch can only match whole are no match at all, nor is a field that no packet has.
    """
    wide = []
    for symbol, values in conjunct.items():
        if symbol.level == "nominal" and not symbol.is_string:
            if not symbol.pieces:
                return ()
            whole = tuple(pair for pair in values if pair[1] == symbol.full)
            if not whole:
                return ()
            if len(whole) != len(values):
                conjunct = {**conjunct, symbol: whole}
            if symbol.crossproduct and len(whole) > 1:
                wide.append(symbol)
    if not wide:
        return (conjunct,)
    return (
        {**conjunct, **{symbol: (pair,) for symbol, pair in zip(wide, pairs, strict=True)}}
        for pairs in product(*(conjunct[symbol] for symbol in wide))
    )


def _distinct(found: list[Conjunct]) -> list[Conjunct]:
    seen = set()
    kept = []
    for conjunct in found:
        key = frozenset(conjunct.items())
        if key not in seen:
            seen.add(key)
            kept.append(conjunct)
    return kept
