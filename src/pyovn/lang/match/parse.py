"""Text → match expression.

    match    := not { "&&" not } | not { "||" not }
    not      := [ "!" ] primary
    primary  := "(" match ")" | is_chassis_resident(STRING) | 0 | 1
              | field [ relop constants ] | constants relop field [ relop constants ]
    field    := SYMBOL [ "[" LOW [ ".." HIGH ] "]" ]

`!` is pushed down while parsing.  Sentences about faults are the ones OVN users know.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.lexer import Tokens
from pyovn.lang.match.ast import (
    FALSE,
    OPPOSITE,
    TRUE,
    Compare,
    Expr,
    IsPort,
    Relop,
    Resident,
    conjunction,
    disjunction,
)
from pyovn.lang.symbols import SYMBOLS, Symbol, SymbolTable
from pyovn.lang.text import Constant, parse_number

MAX_NESTING = 100

RELOPS = frozenset(OPPOSITE)
_RISING, _FALLING = frozenset(("<", "<=")), frozenset((">", ">="))
_MIRRORED: dict[Relop, Relop] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
Names = Mapping[str, Sequence[str]]


class Part(NamedTuple):
    """A symbol, or a range of its bits."""

    symbol: Symbol
    low: int
    width: int


class Constants(NamedTuple):
    """What a symbol is compared with."""

    values: Sequence[Any]
    #: port names rather than numbers
    are_strings: bool
    in_curlies: bool
    #: a lone decimal constant, which may turn out to be a Boolean
    is_plain: bool


def parse(
    text: str,
    symbols: SymbolTable = SYMBOLS,
    address_sets: Names | None = None,
    port_groups: Names | None = None,
) -> Expr:
    """The expression that `text` means.

    Raises:
        SyntaxFault: it means none.
    """
    tokens = Tokens(text)
    expr = parse_tokens(tokens, symbols, address_sets or {}, port_groups or {})
    if tokens.kind != "end":
        tokens.expected("end of input")
    return expr


def parse_tokens(tokens: Tokens, symbols: SymbolTable, address_sets: Names, port_groups: Names) -> Expr:
    """The longest expression that the next tokens are."""
    return _Parser(tokens, symbols, address_sets, port_groups).expression(False)


def parse_part(tokens: Tokens, symbols: SymbolTable) -> Part:
    """The field or subfield that the next tokens are (actions use it too)."""
    if tokens.kinds[tokens.at] != "id":
        tokens.expected("field name")
    symbol = symbols.by_name.get(tokens.values[tokens.at])
    if symbol is None:
        tokens.expected("field name")
    tokens.at += 1
    if tokens.kinds[tokens.at] != "[":
        return Part(symbol, 0, symbol.width)
    tokens.at += 1
    if symbol.is_string:
        tokens.fault(f"Cannot select subfield of string field {symbol.name}.")
    low = small_integer(tokens)
    high = small_integer(tokens) if tokens.accept("..") else low
    tokens.force("]")
    _check_bits(tokens, symbol, low, high)
    return Part(symbol, low, high - low + 1)


def _check_bits(tokens: Tokens, symbol: Symbol, low: int, high: int) -> None:
    if low > high:
        tokens.fault(f"Invalid bit range {low} to {high}.")
    if high >= symbol.width:
        tokens.fault(f"Cannot select bits {low} to {high} of {symbol.width}-bit field {symbol.name}.")
    if symbol.level == "nominal" and (low or high + 1 != symbol.width):
        tokens.fault(f"Cannot select subfield of nominal field {symbol.name}.")


def small_integer(tokens: Tokens) -> int:
    """A decimal below 2**31."""
    value, mask, notation = tokens.value if tokens.kind == "num" else (0, None, "")
    if notation != "decimal" or mask is not None or value >= 1 << 31:
        tokens.expected("small integer")
    tokens.at += 1
    return int(value)


class _Parser:
    """One run over the tokens of one text; nothing in it outlives the run."""

    __slots__ = ("address_sets", "depth", "port_groups", "symbols", "tokens")

    def __init__(self, tokens: Tokens, symbols: SymbolTable, address_sets: Names, port_groups: Names) -> None:
        self.tokens = tokens
        self.symbols = symbols
        self.address_sets = address_sets
        self.port_groups = port_groups
        self.depth = 0

    def expression(self, negated: bool) -> Expr:
        """`not { op not }` with one operator throughout."""
        first = self.negation(negated)
        tokens = self.tokens
        operator = tokens.kinds[tokens.at]
        if operator != "&&" and operator != "||":
            return first
        terms = [first]
        while tokens.accept(operator):
            terms.append(self.negation(negated))
        if tokens.kind in ("&&", "||"):
            tokens.fault("&& and || must be parenthesized when used together.")
        return conjunction(terms) if (operator == "&&") != negated else disjunction(terms)

    def negation(self, negated: bool) -> Expr:
        if self.tokens.accept("!"):
            return self.primary(not negated, bare=True)
        return self.primary(negated, bare=False)

    def primary(self, negated: bool, *, bare: bool) -> Expr:
        """One operand; after a `!` (`bare`) a comparison needs parentheses."""
        tokens = self.tokens
        kind = tokens.kinds[tokens.at]
        if kind == "id":
            return self.starting_with_name(negated, bare=bare)
        if kind == "(":
            return self.parenthesised(negated)
        return self.starting_with_constants(negated, bare=bare)

    def parenthesised(self, negated: bool) -> Expr:
        self.depth += 1
        self.tokens.at += 1
        if self.depth > MAX_NESTING:
            self.tokens.fault("Parentheses nested too deeply.")
        expr = self.expression(negated)
        self.tokens.force(")")
        self.depth -= 1
        return expr

    def starting_with_name(self, negated: bool, *, bare: bool) -> Expr:
        """A function, a comparison or a lone field."""
        tokens = self.tokens
        if tokens.kinds[tokens.at + 1] == "(":
            return self.resident(negated)
        part = parse_part(tokens, self.symbols)
        relop = tokens.kinds[tokens.at]
        if relop not in RELOPS:
            return self.lone(part, negated)
        tokens.at += 1
        expr = self.compare(part, relop, self.constants(), negated)
        self.check_parentheses(bare=bare)
        return expr

    def resident(self, negated: bool) -> Expr:
        tokens = self.tokens
        known = tokens.value == "is_chassis_resident"
        tokens.at += 1 + known
        if not known:
            tokens.fault("parsing function name")
        port = tokens.take("str", "string")
        tokens.force(")")
        return Resident(port, not negated)

    def starting_with_constants(self, negated: bool, *, bare: bool) -> Expr:
        """A Boolean literal, or a comparison or range written with the constant first."""
        tokens = self.tokens
        constants = self.constants()
        relop = tokens.kinds[tokens.at]
        if relop not in RELOPS:
            if constants.is_plain and constants.values[0][0] in (0, 1):
                return TRUE if bool(constants.values[0][0]) != negated else FALSE
            tokens.expected("relational operator")
        tokens.at += 1
        part = parse_part(tokens, self.symbols)
        second = tokens.kinds[tokens.at]
        if second in RELOPS:
            return self.range(constants, relop, part, second, negated, bare=bare)
        expr = self.compare(part, _MIRRORED[relop], constants, negated)
        self.check_parentheses(bare=bare)
        return expr

    def check_parentheses(self, *, bare: bool) -> None:
        if bare:
            self.tokens.fault("Missing parentheses around operand of !.")

    def range(self, lower: Constants, relop: Relop, part: Part, second: Relop, negated: bool, *, bare: bool) -> Expr:
        """`x < field <= y` or `x > field >= y`."""
        tokens = self.tokens
        if not ({relop, second} <= _RISING or {relop, second} <= _FALLING):
            tokens.fault(
                "Range expressions must have the form `x < field < y' or `x > field > y', "
                "with each `<' optionally replaced by `<=' or `>' by `>=')."
            )
        tokens.at += 1
        upper = self.constants()
        ends = (
            self.compare(part, _MIRRORED[relop], lower, negated),
            self.compare(part, second, upper, negated),
        )
        self.check_parentheses(bare=bare)
        return disjunction(ends) if negated else conjunction(ends)

    def lone(self, part: Part, negated: bool) -> Expr:
        """A field or predicate with no operator: `!= 0`, or under `!` `== 0`."""
        symbol, _, width = part
        tokens = self.tokens
        if symbol.is_string or tokens.kind == "=":
            tokens.expected("relational operator")
        if not negated and width > 1:
            tokens.fault("Explicit `!= 0' is required for inequality test of multibit field against 0.")
        if width > 1:
            mask = ((1 << width) - 1) << part.low
            return Compare(symbol, "==", 0, mask)
        self.check_negation(symbol, positive=not negated)
        return Compare(symbol, "==", 0 if negated else 1 << part.low, 1 << part.low)

    def check_negation(self, symbol: Symbol, *, positive: bool) -> None:
        """Nominal symbols may only be tested positively."""
        if positive or symbol.level != "nominal":
            return
        if symbol.kind == "predicate":
            name = symbol.name
            self.tokens.fault(
                f"Nominal predicate {name} may only be tested positively, "
                f"e.g. `{name}' or `{name} == 1' but not `!{name}' or `{name} == 0'."
            )
        self.tokens.fault(
            f"Nominal field {symbol.name} may only be tested for equality "
            "(taking enclosing `!' operators into account)."
        )

    def constants(self) -> Constants:
        """One constant, a set of them in curly brackets, or a named set."""
        tokens = self.tokens
        kind = tokens.kinds[tokens.at]
        if kind == "num":
            tokens.at += 1
            constant = tokens.values[tokens.at - 1]
            return Constants((constant,), False, False, constant[2] == "decimal" and constant[1] is None)
        if kind == "str":
            tokens.at += 1
            return Constants((tokens.values[tokens.at - 1],), True, False, False)
        if kind != "{":
            values = self.named_set()
            if values is None:
                self.no_constant()
            return Constants(values, kind == "@", False, False)
        return self.in_curlies()

    def no_constant(self) -> NoReturn:
        if self.tokens.kind == "^":
            self.tokens.fault("Unexpanded template.")
        self.tokens.expected("constant")

    def in_curlies(self) -> Constants:
        tokens = self.tokens
        tokens.at += 1
        values: list[Constant | str] = []
        are_strings: bool | None = None
        while True:
            kind = tokens.kinds[tokens.at]
            if kind in ("num", "str", "$", "@"):
                if are_strings is None:
                    are_strings = kind in ("str", "@")
                elif are_strings != (kind in ("str", "@")):
                    tokens.expected("string" if are_strings else "integer")
            if kind in ("num", "str"):
                values.append(tokens.value)
                tokens.at += 1
            else:
                members = self.named_set()
                if members is None:
                    self.no_constant()
                values.extend(members)
            tokens.accept(",")
            if tokens.accept("}"):
                return Constants(values, bool(are_strings), True, False)

    def named_set(self) -> Sequence[Constant | str] | None:
        """The members of the address set or port group that is next, or None where neither is."""
        tokens = self.tokens
        kind = tokens.kinds[tokens.at]
        if kind == "$":
            texts = self.address_sets.get(tokens.value)
            if texts is None:
                tokens.expected("address set name")
            tokens.at += 1
            return list(addresses(texts))
        if kind == "@":
            ports = self.port_groups.get(tokens.value)
            if ports is None:
                tokens.expected("port group name")
            tokens.at += 1
            return list(ports)
        return None

    def compare(self, part: Part, relop: Relop, constants: Constants, negated: bool) -> Expr:
        """The comparison of one part with every constant, after all of its type checks."""
        symbol = part.symbol
        self.check_types(part, relop, constants)
        relop = OPPOSITE[relop] if negated else relop
        make = self.port_terms if symbol.is_string else self.number_terms
        terms = make(part, relop, constants)
        if not terms:
            return FALSE if (relop == "==") else TRUE
        if len(terms) == 1:
            return terms[0]
        # The way a set of constants is joined follows the operator as written; `!` turns it round.
        as_written = OPPOSITE[relop] if negated else relop
        return disjunction(terms) if (as_written == "==") != negated else conjunction(terms)

    def check_types(self, part: Part, relop: Relop, constants: Constants) -> None:
        tokens, symbol = self.tokens, part.symbol
        if symbol.is_string != constants.are_strings:
            kind, other = ("String", "integer") if symbol.is_string else ("Integer", "string")
            tokens.fault(f"{kind} field {symbol.name} is not compatible with {other} constant.")
        if not constants.are_strings:
            for constant in constants.values:
                if constant.width > symbol.width:
                    tokens.fault(
                        f"{constant.width}-bit constant is not compatible with {symbol.width}-bit field {symbol.name}."
                    )
        if relop != "==" and relop != "!=":
            self.check_order(symbol, constants)

    def check_order(self, symbol: Symbol, constants: Constants) -> None:
        """`<` and its kin need an ordinal field and a plain number."""
        tokens = self.tokens
        if constants.in_curlies:
            tokens.fault("Only == and != operators may be used with value sets.")
        if symbol.level != "ordinal":
            level = "Boolean" if symbol.level == "boolean" else "nominal"
            tokens.fault(f"Only == and != operators may be used with {level} field {symbol.name}.")
        if any(constant[1] is not None for constant in constants.values):
            tokens.fault(
                "Only == and != operators may be used with masked constants.  Consider using subfields instead "
                "(e.g. eth.src[0..15] > 0x1111 in place of eth.src > 00:00:00:00:11:11/00:00:00:00:ff:ff)."
            )

    def port_terms(self, part: Part, relop: Relop, constants: Constants) -> list[Expr]:
        self.check_negation(part.symbol, positive=relop == "==")
        return [IsPort(part.symbol, name) for name in constants.values]

    def number_terms(self, part: Part, relop: Relop, constants: Constants) -> list[Expr]:
        symbol, low, width = part
        full = (1 << width) - 1
        if symbol.level == "nominal":
            self.check_positive(symbol, relop, constants)
        terms: list[Expr] = []
        for value, mask, _ in constants.values:
            mask = full if mask is None else mask & full
            value, op = value << low, relop
            if op == "!=" and mask.bit_count() == 1:
                # One bit has just two values, so it is always tested with `==`.
                value, op = (value ^ mask << low) & mask << low, "=="
            terms.append(Compare(symbol, op, value & mask << low, mask << low))
        return terms

    def check_positive(self, symbol: Symbol, relop: Relop, constants: Constants) -> None:
        """A nominal predicate may be compared with 1 only, a nominal field only with `==`."""
        if symbol.kind != "predicate":
            self.check_negation(symbol, positive=relop == "==")
            return
        for value, _, _ in constants.values:
            self.check_negation(symbol, positive=bool(value) == (relop == "=="))


def addresses(texts: Sequence[str]) -> list[Constant]:
    """The constants of an address set; members that are no addresses are left out."""
    found = []
    for text in texts:
        try:
            found.append(parse_number(text.strip()))
        except SyntaxFault:
            continue
    return found
