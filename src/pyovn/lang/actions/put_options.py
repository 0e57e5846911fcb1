"""`NAME = VALUE, …` lists of options, as the put_* actions and events have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyovn.lang.actions.scope import Scope
from pyovn.lang.options import Option
from pyovn.lang.text import Constant, quote

_TEXT_KINDS = frozenset(("str", "domain", "domains"))


@dataclass(frozen=True, slots=True)
class Setting:
    """An option and what it is set to."""

    option: Option
    #: `Constant`s or strings
    values: tuple[Any, ...]
    in_curlies: bool

    def __str__(self) -> str:
        texts = ", ".join(quote(value) if isinstance(value, str) else str(value) for value in self.values)
        return f"{self.option.name} = {{{texts}}}" if self.in_curlies else f"{self.option.name} = {texts}"

    @property
    def number(self) -> int:
        """The first value, a number."""
        return int(self.values[0].value)

    @property
    def string(self) -> str:
        """The first value, a string."""
        return str(self.values[0])


def settings(scope: Scope, known: Mapping[str, Option], family: str) -> tuple[Setting, ...]:
    """The list up to and with the closing parenthesis."""
    tokens = scope.tokens
    found = []
    while not tokens.accept(")"):
        found.append(_setting(scope, known, family))
        tokens.accept(",")
    return tuple(found)


def _setting(scope: Scope, known: Mapping[str, Option], family: str) -> Setting:
    tokens = scope.tokens
    if tokens.kind != "id":
        tokens.syntax_fault()
    option = known.get(tokens.value)
    if option is None:
        tokens.expected(f"{family} name")
    tokens.at += 1
    tokens.force("=")
    values, in_curlies = _values(scope)
    is_text = isinstance(values[0], str)
    if option.kind != "host_id" and is_text != (option.kind in _TEXT_KINDS):
        tokens.fault(f"{family} {option.name} requires {'numeric' if is_text else 'string'} value.")
    return Setting(option, values, in_curlies)


def _values(scope: Scope) -> tuple[tuple[Constant | str, ...], bool]:
    tokens = scope.tokens
    if not tokens.accept("{"):
        return (_value(scope),), False
    found = [_value(scope)]
    tokens.accept(",")
    while not tokens.accept("}"):
        found.append(_value(scope))
        if isinstance(found[-1], str) != isinstance(found[0], str):
            tokens.at -= 1
            tokens.expected("string" if isinstance(found[0], str) else "integer")
        tokens.accept(",")
    return tuple(found), True


def _value(scope: Scope) -> Constant | str:
    tokens = scope.tokens
    if tokens.kind not in ("num", "str"):
        tokens.expected("constant")
    tokens.at += 1
    found: Constant | str = tokens.values[tokens.at - 1]
    return found
