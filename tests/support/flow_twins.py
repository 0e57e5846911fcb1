"""Flows of two controllers on one network, made comparable.

What a controller may choose freely is replaced by what it stands for: port numbers by names, conntrack zones by their
users, meters by their rates, conjunction ids by the logical flow (clauses may be numbered as one likes); what OpenFlow
can say in several ways is said in one: parts of wide registers, the order of copies to the members of a group, moves
that do nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from pyovn.openflow.actions import (
    Bundle,
    Clone,
    Conjunction,
    Controller,
    Ct,
    DecTtl,
    Group,
    Move,
    Output,
    Pop,
    Push,
    Resubmit,
    SetField,
)
from pyovn.openflow.flows import Flow, MeterDef

Key = tuple[int, int, frozenset[Any]]
COPIES = frozenset({44, 46})
MAC_BINDINGS = 66


def comparable(
    flows: Iterable[Flow], ports: Mapping[int, str], zones: Mapping[int, str], meters: Iterable[MeterDef] = ()
) -> dict[Key, tuple[Any, ...]]:
    """(table, priority, match) → (cookie, actions) of each flow, in words."""
    known = list(flows)
    conjunctions = {
        term[1]: flow.cookie for flow in known for term in flow.match if term[0] == "conj_id" and term[1] != 100
    }
    words = _Words(ports, zones, conjunctions, {meter.id: meter._replace(id=0) for meter in meters})
    found = {}
    for flow in known:
        actions = list(_tidy(words.actions(flow.actions)))
        if flow.table in COPIES and any(name == "reg15" and value >= 0x8000 for name, value, _ in flow.match):
            actions.sort(key=repr)
        found[flow.table, flow.priority, words.match(flow)] = (flow.cookie, tuple(actions))
    return found


def _tidy(words: Iterable[Any]) -> Iterator[Any]:
    """One order for neighbouring assignments; nothing saved around a look-up that C saves needlessly."""
    found = list(words)
    looks_up = any(isinstance(word, Resubmit) and word.table == MAC_BINDINGS for word in found)
    for is_set, group in groupby(found, lambda word: word[0] == "set"):
        if is_set:
            yield from sorted(group)
        else:
            yield from (word for word in group if not (looks_up and word[0] in {"push", "pop"}))


class _Words:
    def __init__(
        self,
        ports: Mapping[int, str],
        zones: Mapping[int, str],
        conjunctions: Mapping[int, int],
        meters: Mapping[int, MeterDef],
    ) -> None:
        self.ports, self.zones, self.conjunctions, self.meters = ports, zones, conjunctions, meters

    def match(self, flow: Flow) -> frozenset[Any]:
        return frozenset(self._term(*term) for term in flow.match)

    def _term(self, name: str, value: int, mask: int) -> Any:
        if name == "in_port":
            return name, self.ports.get(value, value)
        if name == "conj_id":
            return name, self.conjunctions.get(value, value)
        return name, value, mask

    def actions(self, actions: Iterable[Any]) -> Iterator[Any]:
        last: Any = None
        for action in actions:
            for word in self._action(action):
                if word != last or not isinstance(action, Move):
                    yield word
                last = word

    def _action(self, action: Any) -> Iterator[Any]:
        """What a controller may choose freely, by what it stands for."""
        match action:
            case SetField("reg13", value, 0xFFFF):
                yield "zone", self.zones.get(value, value)
            case SetField("reg11" | "reg12" as name, value) if value:
                yield name, self.zones.get(value, value)
            case SetField("reg5", value, 0xFFFF0000):
                yield "tunnel", self.ports.get(value >> 16, value)
            case Output(port):
                yield "output", self.ports.get(port, port)
            case Bundle(ports=members):
                yield "bundle", tuple(self.ports.get(port, port) for port in members)
            case Conjunction(number, _, n):
                yield "conjunction", self.conjunctions.get(number, number), n
            case Controller(userdata=data, meter_id=meter):
                yield "controller", data[:4], None if meter is None else self.meters[meter]
            case Group():
                yield ("group",)
            case _:
                yield from self._notation(action)

    def _notation(self, action: Any) -> Iterator[Any]:
        """What can be said in several ways, in one."""
        match action:
            case SetField(name, value, mask):
                yield from _set(name, value, mask)
            case Move(source, low, target, at, bits):
                pair = _place(source, low), _place(target, at)
                if pair[0] != pair[1]:
                    yield "move", *pair, bits
            case Push(name, low, bits) | Pop(name, low, bits):
                yield action.kind, _place(name, low), bits
            case Clone(inner):
                yield "clone", tuple(self.actions(inner))
            case Ct(exec=inner):
                yield "ct", action._replace(exec=()), tuple(self.actions(inner))
            case DecTtl():
                yield ("dec_ttl",)
            case _:
                yield action


def _place(name: str, low: int) -> tuple[str, int]:
    """A bit of a register as one of the narrowest register."""
    for prefix, parts in (("xxreg", 4), ("xreg", 2)):
        if name.startswith(prefix):
            number = int(name.removeprefix(prefix)) * parts + parts - 1 - low // 32
            return f"reg{number}", low % 32
    return name, low


def _set(name: str, value: int, mask: int) -> Iterator[Any]:
    for prefix, parts in (("xxreg", 4), ("xreg", 2)):
        if name.startswith(prefix):
            first = int(name.removeprefix(prefix)) * parts
            for place in range(parts):
                shift = 32 * (parts - 1 - place)
                if mask >> shift & 0xFFFFFFFF:
                    yield "set", f"reg{first + place}", value >> shift & 0xFFFFFFFF, mask >> shift & 0xFFFFFFFF
            return
    yield "set", name, value, mask
