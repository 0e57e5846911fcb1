"""The parser of actions: what all families share.

A family's parse function gets the scope with the tokens just behind the action's name and gives the
action; functions of actions that give a result get the destination too.  The semicolon is the caller's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from pyovn.lang.actions.env import LENGTHS, Action, Actions, Pipeline
from pyovn.lang.lexer import Tokens
from pyovn.lang.match.parse import Part, parse_part
from pyovn.lang.options import OptionTables
from pyovn.lang.symbols import SymbolTable
from pyovn.lang.text import Constant

MAX_DEPTH = 32


@dataclass(slots=True)
class Scope:
    """One run over the text of one sequence of actions."""

    tokens: Tokens
    symbols: SymbolTable
    options: OptionTables
    pipeline: Pipeline
    #: the logical table the actions are in
    table: int
    #: parses `{ … }`'s inside up to the closing bracket
    block: Callable[["Scope"], Actions]
    depth: int = 0
    #: inside `ct_commit { }`, where ct_mark and ct_label alone can be written
    in_commit: bool = False

    @property
    def length(self) -> int:
        """Number of tables of this pipeline."""
        return LENGTHS[self.pipeline]

    def field(self) -> Part:
        """A field, subfield or string field."""
        part = parse_part(self.tokens, self.symbols)
        if part.symbol.kind == "predicate":
            self.tokens.fault(f"Predicate symbol {part.symbol.name} used where lvalue required.")
        return part

    def check_writable(self, part: Part) -> None:
        """Complain if actions cannot write it here."""
        symbol = part.symbol
        base = symbol.base or symbol
        of_connection = base.openflow in ("ct_mark", "ct_label")
        if not symbol.writable or of_connection != self.in_commit:
            self.tokens.fault(f"Field {symbol.name} is not modifiable.")

    def check_width(self, part: Part, width: int) -> None:
        """Complain if it is not `width` bits; 0 stands for a string field."""
        symbol = part.symbol
        if part.width == width:
            return
        if not width:
            self.tokens.fault(f"Cannot use numeric field {full_name(part)} where string field is required.")
        if symbol.is_string:
            self.tokens.fault(f"Cannot use string field {symbol.name} where numeric field is required.")
        self.tokens.fault(f"Cannot use {part.width}-bit field {ranged_name(part)} where {width}-bit field is required.")

    def field_of(self, width: int) -> Part:
        """A field of a given width; 0: a string field."""
        part = self.field()
        self.check_width(part, width)
        return part

    def check_result(self, part: Part, width: int = 1) -> None:
        """Complain if a result of `width` bits cannot be written there."""
        self.check_width(part, width)
        self.check_writable(part)

    def arguments(self, *widths: int) -> tuple[Part, ...]:
        """Fields of given widths, in parentheses, between commas."""
        self.tokens.force("(")
        found = []
        for index, width in enumerate(widths):
            if index:
                self.tokens.force(",")
            found.append(self.field_of(width))
        self.tokens.force(")")
        return tuple(found)

    def no_arguments(self, name: str) -> None:
        """`()`."""
        self.tokens.force("(")
        if not self.tokens.accept(")"):
            self.tokens.fault(f"{name} doesn't take any parameters")

    def nested(self) -> Actions:
        """`{ actions }`."""
        self.tokens.force("{")
        if self.depth + 1 >= MAX_DEPTH:
            self.tokens.fault("maximum depth of nested actions reached")
        self.depth += 1
        actions = self.block(self)
        self.depth -= 1
        self.tokens.force("}")
        return actions

    def check_not_last(self, name: str) -> None:
        """Complain if there is no next table for the packet to go on in."""
        if self.table + 1 >= self.length:
            self.tokens.fault(f'"{name}" action not allowed in last table.')

    def decimal(self, what: str, below: int) -> int:
        """A decimal integer below a limit."""
        value, mask, notation = self.number()
        if notation != "decimal" or mask is not None or value >= below:
            self.tokens.expected(what)
        self.tokens.at += 1
        return value

    def number(self) -> Constant:
        """The constant that is next (not stepped over), or a hexadecimal zero where none is."""
        tokens = self.tokens
        return cast("Constant", tokens.value) if tokens.kind == "num" else Constant(0, 0, "hex")


#: What a family offers: the parse function of each action, by name.
Statements = Mapping[str, Callable[[Scope], Action]]
#: … and of those that give a result.
Results = Mapping[str, Callable[[Scope, Part], Action]]


def one_word(scope: Scope, words: Iterable[str]) -> str | None:
    """Step over the next token if it is one of these identifiers, and give it."""
    for word in words:
        if scope.tokens.accept_word(word):
            return word
    return None


def full_name(part: Part) -> str:
    """`reg0`, `reg0[3]` or `reg0[0..7]`."""
    symbol, low, width = part
    if width == symbol.width:
        return symbol.name
    return f"{symbol.name}[{low}]" if width == 1 else ranged_name(part)


def ranged_name(part: Part) -> str:
    """`reg0[0..31]`, the range always spelled out."""
    return f"{part.symbol.name}[{part.low}..{part.low + part.width - 1}]"


def needs_of(*parts: Part) -> tuple[str, ...]:
    """The prerequisites of fields, as `Action.needs` names them."""
    return tuple(f"={part.symbol.name}" for part in parts if part.symbol.prerequisites)
