"""Logical flows that differ only in addresses and port names, compiled once.

    eth.dst == 50:54:00:00:00:01 → outport = "p1"; output;      shape  eth.dst == ⟨m⟩ → outport = ⟨p⟩; output;
    eth.dst == 50:54:00:00:00:02 → outport = "p2"; output;      the same shape: only the constants are put in

A shape is *learned* by compiling its first flow twice, the second time with other constants, and looking where the
two results differ.  A place that differs must hold exactly one of the constants as it is; anything else, and the shape
is compiled each time.  What the result may depend on besides is kept out of the constants: addresses that predicates
ask about (multicast, broadcast, unspecified, link-local) stay in the shape, and so do masks, ranges and sets; a field
that is compared with more than one thing makes the shape unfit.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pyovn.lang.match.compile import Clause
from pyovn.net.ip import ip4_int, ip4_str, ip6_int, ip6_str
from pyovn.net.mac import mac_int, mac_str
from pyovn.openflow.actions import Action, Actions, SetField
from pyovn.openflow.fields import ORDER
from pyovn.openflow.match import Match

_METADATA_ORDER: Final = ORDER["metadata"]


class Pattern(NamedTuple):
    """One compiled match: what it matches, where the datapath's key belongs in it, its conjunction clauses."""

    match: Match
    at: int
    clauses: tuple[Clause, ...]


class Compiled(NamedTuple):
    """A logical flow as OpenFlow, but for the datapath."""

    patterns: tuple[Pattern, ...]
    actions: Actions


def pattern(match: Match, clauses: tuple[Clause, ...]) -> Pattern:
    """A compiled match with the place of the datapath's key."""
    at = sum(ORDER[name] < _METADATA_ORDER for name, *_ in match)
    return Pattern(match, at, clauses)


# -- shapes --------------------------------------------------------------------------------------------------------

#: Constants stand after a space, a brace or a comma, which rules most places out at once; ports after their field.
_CONSTANT: Final = re.compile(
    r"""(?:(?<=port\ ==\ )|(?<=port\ =\ ))"(?P<p>[^"]*)"
      | (?<=[ ({,])(?:
          (?P<m>[0-9a-f]{2}(?::[0-9a-f]{2}){5})(?![\w:/.])
        | (?P<i>\d{1,3}(?:\.\d{1,3}){3})(?![\w/.:-])
        | (?P<j>(?:[0-9a-f]{1,4})?(?::[0-9a-f]{0,4}){2,7})(?![\w:/.-]) )""",
    re.VERBOSE,
)

#: (kind, text) of a constant; kinds: p port, m MAC, i IPv4, j IPv6, n solicited-node multicast
Constant = tuple[str, str]


class Shape(NamedTuple):
    """A logical flow's text without its constants."""

    text: str
    constants: tuple[Constant, ...]


def shape(text: str) -> Shape | None:
    """The shape of a text; None where it holds strings that are not simply a port."""
    constants: list[Constant] = []

    def cut(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        constant = found[kind]
        kind = _kind(kind, constant)
        if not kind:
            return found[0]
        constants.append((kind, constant))
        return f"\0{kind}"

    rest = _CONSTANT.sub(cut, text)
    return None if '"' in rest else Shape(rest, tuple(constants))


def _kind(kind: str, text: str) -> str:
    """The kind of a constant, or "" for one that predicates may ask about."""
    match kind:
        case "m":
            return "" if int(text[1], 16) & 1 or text == "00:00:00:00:00:00" else kind
        case "i":
            first = int(text.partition(".")[0])
            return kind if 0 < first < 224 else ""
        case "j":
            if text.startswith("ff02::1:ff"):
                return "n"
            return "" if text.startswith(("ff", "fe", "::")) else kind
    return kind


def value_of(constant: Constant) -> int:
    """The number that a constant (not a port) stands for; raises Malformed."""
    kind, text = constant
    return mac_int(text) if kind == "m" else ip4_int(text) if kind == "i" else ip6_int(text)


def _other(constant: Constant, place: int) -> str:
    """Another constant of the same kind, different for each place."""
    kind, text = constant
    if kind == "p":
        return text
    write = mac_str if kind == "m" else ip4_str if kind == "i" else ip6_str
    return write(value_of(constant) ^ (place + 1))


def filled(text: str, constants: Iterable[str]) -> str:
    """A shape's text with constants in it."""
    rest = iter(constants)
    pieces = text.split("\0")
    out = [pieces[0]]
    for piece in pieces[1:]:
        kind, tail = piece[0], piece[1:]
        constant = next(rest)
        out.append(f'"{constant}"{tail}' if kind == "p" else constant + tail)
    return "".join(out)


# -- learning ------------------------------------------------------------------------------------------------------

#: Compiles a whole text, names looked up so; also gives the fields that it compares with more than one thing.
Compile = Callable[[str, Callable[[str], int | None]], tuple[Compiled, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled shape: the first flow's result, and which constant is where in it."""

    compiled: Compiled
    #: (pattern, term, constant)
    terms: tuple[tuple[int, int, int], ...]
    #: (action, constant)
    steps: tuple[tuple[int, int], ...]

    def instance(self, values: Sequence[int]) -> Compiled:
        """The flow with these values of its constants.  Runs for most logical flows: plain loops over short lists."""
        patterns, actions = self.compiled
        if self.terms:
            changed: dict[int, list[Any]] = {}
            for which, place, constant in self.terms:
                terms = changed.get(which)
                if terms is None:
                    terms = changed[which] = list(patterns[which][0])
                name, _, mask = terms[place]
                terms[place] = (name, values[constant], mask)
            patterns = tuple(
                [
                    Pattern(tuple(changed[which]), at, clauses) if which in changed else each
                    for which, each in enumerate(patterns)
                    for _, at, clauses in (each,)
                ]
            )
        if self.steps:
            steps: list[Action] = list(actions)
            for which, constant in self.steps:
                old = steps[which]
                assert type(old) is SetField
                steps[which] = SetField(old.field, values[constant], old.mask)
            actions = tuple(steps)
        return Compiled(patterns, actions)


def learn(found: Shape, compile_text: Compile) -> Template | None:
    """The template of a shape, or None where it is unfit for one."""
    ports = [place for place, (kind, _) in enumerate(found.constants) if kind == "p"]
    names = [found.constants[place][1] for place in ports]
    if len(set(names)) < len(names):
        return None
    first = _values(found.constants, [text for _, text in found.constants], names, 0x1111)
    texts = [_other(constant, place) for place, constant in enumerate(found.constants)]
    second = _values(found.constants, texts, names, 0x2222)
    one, contested = compile_text(filled(found.text, (text for _, text in found.constants)), _keys(names, 0x1111))
    two, _ = compile_text(filled(found.text, texts), _keys(names, 0x2222))
    found_template = _difference(one, two, list(zip(first, second, strict=True)))
    if found_template is None:
        return None
    fields = {one.patterns[which].match[place][0] for which, place, _ in found_template.terms}
    return found_template if fields.isdisjoint(contested) else None


def _keys(names: Sequence[str], base: int) -> Callable[[str], int | None]:
    keys = {name: base + place for place, name in enumerate(names)}
    return keys.get


def _values(constants: Sequence[Constant], texts: Sequence[str], names: Sequence[str], base: int) -> list[int]:
    return [
        base + names.index(constant[1]) if constant[0] == "p" else value_of((constant[0], text))
        for constant, text in zip(constants, texts, strict=True)
    ]


def _difference(one: Compiled, two: Compiled, pairs: list[tuple[int, int]]) -> Template | None:
    """Where two results differ, each place explained by one constant; None where that fails."""
    if len(one.patterns) != len(two.patterns) or len(one.actions) != len(two.actions):
        return None
    terms: list[tuple[int, int, int]] = []
    for which, (left, right) in enumerate(zip(one.patterns, two.patterns, strict=True)):
        if left.clauses != right.clauses or len(left.match) != len(right.match):
            return None
        for place, (a, b) in enumerate(zip(left.match, right.match, strict=True)):
            if a == b:
                continue
            constant = _explained(a, b, pairs)
            if constant is None:
                return None
            terms.append((which, place, constant))
    steps: list[tuple[int, int]] = []
    for which, (x, y) in enumerate(zip(one.actions, two.actions, strict=True)):
        if x == y:
            continue
        constant = _explained(x, y, pairs) if type(x) is SetField and type(y) is SetField else None
        if constant is None:
            return None
        steps.append((which, constant))
    return Template(one, tuple(terms), tuple(steps)) if _all_used(terms, steps, len(pairs)) else None


def _explained(a: Sequence[Any], b: Sequence[Any], pairs: list[tuple[int, int]]) -> int | None:
    """The constant that accounts for the difference of two (field, value, mask …)."""
    if a[0] != b[0] or a[2:] != b[2:]:
        return None
    found = [place for place, pair in enumerate(pairs) if pair == (a[1], b[1])]
    return found[0] if len(found) == 1 else None


def _all_used(terms: list[tuple[int, int, int]], steps: list[tuple[int, int]], number: int) -> bool:
    """True if every constant showed up, and none twice among the terms of one pattern."""
    used = {constant for *_, constant in terms} | {constant for _, constant in steps}
    places = [(which, constant) for which, _, constant in terms]
    return len(used) == number and len(set(places)) == len(places)


def rivals(fields: Iterable[Sequence[str]]) -> Iterator[str]:
    """Fields that more than one comparison is about."""
    seen: set[str] = set()
    for names in fields:
        for name in names:
            if name in seen:
                yield name
            seen.add(name)
