"""Text → actions.

actions := "" | "drop" ";" | { action ";" }
action  := NAME …                               by the families' `STATEMENTS`
         | F "=" NAME "(" …                     by the families' `RESULTS`
         | F "=" (constant | F) | F "<->" F
"""

from collections.abc import Callable
from functools import lru_cache

from pyovn.lang.actions import (
    affinity,
    balance,
    dhcp,
    ecmp,
    events,
    fdb,
    flow,
    limits,
    log,
    lookups,
    mirror,
    move,
    names,
    neighbours,
    nests,
    punts,
    relay,
    router_advert,
    sample,
    tracking,
)
from pyovn.lang.actions.env import Action, Actions, Pipeline
from pyovn.lang.actions.scope import Scope
from pyovn.lang.lexer import Tokens
from pyovn.lang.match.parse import Part
from pyovn.lang.options import DEFAULT_OPTIONS, OptionTables
from pyovn.lang.symbols import SYMBOLS, SymbolTable

_STATEMENTS: dict[str, Callable[[Scope], Action]] = {
    **flow.STATEMENTS,
    **move.STATEMENTS,
    **tracking.STATEMENTS,
    **balance.STATEMENTS,
    **nests.STATEMENTS,
    **neighbours.STATEMENTS,
    **fdb.STATEMENTS,
    **lookups.STATEMENTS,
    **punts.STATEMENTS,
    **limits.STATEMENTS,
    **log.STATEMENTS,
    **events.STATEMENTS,
    **ecmp.STATEMENTS,
    **affinity.STATEMENTS,
    **sample.STATEMENTS,
    **mirror.STATEMENTS,
}

_RESULTS: dict[str, Callable[[Scope, Part], Action]] = {
    **neighbours.RESULTS,
    **fdb.RESULTS,
    **lookups.RESULTS,
    **limits.RESULTS,
    **balance.RESULTS,
    **dhcp.RESULTS,
    **relay.RESULTS,
    **router_advert.RESULTS,
    **names.RESULTS,
}


def parse(
    text: str,
    symbols: SymbolTable = SYMBOLS,
    *,
    pipeline: Pipeline = "ingress",
    table: int = 0,
    options: OptionTables = DEFAULT_OPTIONS,
) -> Actions:
    """The actions that `text` means in a logical table.

    Raises:
        SyntaxFault: it means none.
    """
    if symbols is SYMBOLS:
        return _parse_once(text, pipeline, table, options)
    return _parse(text, symbols, pipeline, table, options)


@lru_cache(maxsize=1 << 16)
def _parse_once(text: str, pipeline: Pipeline, table: int, options: OptionTables) -> Actions:
    # Most logical flows share a few hundred action texts.
    return _parse(text, SYMBOLS, pipeline, table, options)


def _parse(text: str, symbols: SymbolTable, pipeline: Pipeline, table: int, options: OptionTables) -> Actions:
    scope = Scope(Tokens(text), symbols, options, pipeline, table, _sequence)
    actions = _sequence(scope, "end")
    if scope.tokens.kind != "end":
        scope.tokens.expected("end of input")
    return actions


def _sequence(scope: Scope, closing: str = "}") -> Actions:
    """Actions up to `closing`, which is left for the caller."""
    tokens = scope.tokens
    if tokens.kind == "id" and tokens.value == "drop" and tokens.kinds[tokens.at + 1] == ";":
        tokens.at += 2
        return ()
    actions: list[Action] = []
    while tokens.kind != closing:
        actions.append(_action(scope))
        tokens.force(";")
    return tuple(actions)


def _action(scope: Scope) -> Action:
    tokens = scope.tokens
    if tokens.kind != "id":
        tokens.syntax_fault()
    if tokens.kinds[tokens.at + 1] in ("=", "[", "<->"):
        return _assignment(scope)
    statement = _STATEMENTS.get(tokens.value)
    if statement is None:
        tokens.expected("action")
    tokens.at += 1
    return statement(scope)


def _assignment(scope: Scope) -> Action:
    tokens = scope.tokens
    dst = scope.field()
    if tokens.accept("<->"):
        return move.parse_copy(scope, dst, exchange=True)
    if not tokens.accept("="):
        tokens.expected("`='")
    if tokens.kind != "id":
        return move.parse_load(scope, dst)
    result = _RESULTS.get(tokens.value) if tokens.kinds[tokens.at + 1] == "(" else None
    if result is None:
        return move.parse_copy(scope, dst, exchange=False)
    tokens.at += 1
    return result(scope, dst)
