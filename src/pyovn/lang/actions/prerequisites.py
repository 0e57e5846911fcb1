"""What a packet must be for actions to make sense; the compiler ANDs it to the flow's match."""

from functools import lru_cache

from pyovn.lang.actions.env import Actions
from pyovn.lang.match.annotate import prerequisites as prerequisites_of
from pyovn.lang.match.ast import Expr, conjunction
from pyovn.lang.match.parse import parse
from pyovn.lang.symbols import SYMBOLS, SymbolTable


def prerequisites(actions: Actions, symbols: SymbolTable = SYMBOLS) -> Expr | None:
    """The condition, or None where there is none."""
    needs = tuple(need for action in actions for need in action.needs())
    if not needs:
        return None
    return _condition(needs) if symbols is SYMBOLS else _join(needs, symbols)


@lru_cache(maxsize=4096)
def _condition(needs: tuple[str, ...]) -> Expr:
    return _join(needs, SYMBOLS)


def _join(needs: tuple[str, ...], symbols: SymbolTable) -> Expr:
    return conjunction(_one(need, symbols) for need in needs)


def _one(need: str, symbols: SymbolTable) -> Expr:
    if not need.startswith("="):
        return parse(need, symbols)
    found = prerequisites_of(symbols[need[1:]], symbols)
    assert found is not None, f"{need[1:]} was said to have prerequisites"
    return found
