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

#: What may be a constant: a string, or digits with colons or dots after a space, a brace or a comma.
_TOKEN: Final = re.compile(r'("[^"]*"|[ ({,](?:[0-9a-f]{1,4}[:.]|:)[0-9a-f:.]*+(?![\w/-]))')
_ADDRESS: Final = re.compile(
    r"""(?P<m>[0-9a-f]{2}(?::[0-9a-f]{2}){5})
      | (?P<i>\d{1,3}(?:\.\d{1,3}){3})
      | (?P<j>(?:[0-9a-f]{1,4})?(?::[0-9a-f]{0,4}){2,7})""",
    re.VERBOSE,
)
#: What stands before a string that is a port.
_PORT_AFTER: Final = ("port == ", "port = ")

#: (kind, text) of a constant; kinds: p port, m MAC, i IPv4, j IPv6, n solicited-node multicast
Constant = tuple[str, str]


class Shape(NamedTuple):
    """A logical flow's text without its constants."""

    text: str
    constants: tuple[Constant, ...]


def shape(text: str) -> Shape | None:
    """The shape of a text; None where it holds strings that are not simply a port."""
    pieces = _TOKEN.split(text)
    constants: list[Constant] = []
    for place in range(1, len(pieces), 2):
        token = pieces[place]
        if token[0] == '"':
            if not pieces[place - 1].endswith(_PORT_AFTER):
                return None
            constants.append(("p", token[1:-1]))
            pieces[place] = "\0p"
        elif kind := _kind(token[1:]):
            constants.append((kind, token[1:]))
            pieces[place] = f"{token[0]}\0{kind}"
    rest = "".join(pieces)
    return None if '"' in rest else Shape(rest, tuple(constants))


def _kind(text: str) -> str:
    """The kind of a constant, or "" for what is none, or one that predicates may ask about."""
    found = _ADDRESS.fullmatch(text)
    match found and found.lastgroup:
        case "m":
            return "" if int(text[1], 16) & 1 or text == "00:00:00:00:00:00" else "m"
        case "i":
            first = int(text.partition(".")[0])
            return "i" if 0 < first < 224 else ""
        case "j":
            if text.startswith("ff02::1:ff"):
                return "n"
            return "" if text.startswith(("ff", "fe", "::")) else "j"
    return ""


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
    #: (term, constant) of each pattern
    terms: tuple[tuple[tuple[int, int], ...], ...]
    #: (action, constant)
    steps: tuple[tuple[int, int], ...]

    def instance(self, values: Sequence[int]) -> Compiled:
        """The flow with these values of its constants.  Runs for most logical flows: plain loops over short lists."""
        patterns, actions = self.compiled
        changed: list[Pattern] = []
        for each, places in zip(patterns, self.terms, strict=True):
            if not places:
                changed.append(each)
                continue
            terms = list(each.match)
            for place, constant in places:
                name, _, mask = terms[place]
                terms[place] = (name, values[constant], mask)
            changed.append(Pattern(tuple(terms), each.at, each.clauses))
        if self.steps:
            steps: list[Action] = list(actions)
            for which, constant in self.steps:
                old = steps[which]
                assert type(old) is SetField
                steps[which] = SetField(old.field, values[constant], old.mask)
            actions = tuple(steps)
        return Compiled(tuple(changed), actions)


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
    pairs = zip(one.patterns, found_template.terms, strict=True)
    fields = {each.match[place][0] for each, places in pairs for place, _ in places}
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
    terms: list[tuple[tuple[int, int], ...]] = []
    for left, right in zip(one.patterns, two.patterns, strict=True):
        if left.clauses != right.clauses or len(left.match) != len(right.match):
            return None
        places: list[tuple[int, int]] = []
        for place, (a, b) in enumerate(zip(left.match, right.match, strict=True)):
            if a == b:
                continue
            constant = _explained(a, b, pairs)
            if constant is None:
                return None
            places.append((place, constant))
        terms.append(tuple(places))
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


def _all_used(terms: list[tuple[tuple[int, int], ...]], steps: list[tuple[int, int]], number: int) -> bool:
    """True if every constant showed up, and none twice among the terms of one pattern."""
    in_patterns = [[constant for _, constant in places] for places in terms]
    used = {constant for constants in in_patterns for constant in constants} | {constant for _, constant in steps}
    return len(used) == number and all(len(set(constants)) == len(constants) for constants in in_patterns)


def rivals(fields: Iterable[Sequence[str]]) -> Iterator[str]:
    """Fields that more than one comparison is about."""
    seen: set[str] = set()
    for names in fields:
        for name in names:
            if name in seen:
                yield name
            seen.add(name)
