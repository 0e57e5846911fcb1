"""Fields as variables: assignment, exchange, the stack and the time to live.

F = constant;    F1 = F2;    F1 <-> F2;    push(F);    pop(F);    ip.ttl--;
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

import struct
from dataclasses import dataclass

from pyovn.lang.actions.env import IP, Env, Out
from pyovn.lang.actions.place import place, pop, push, store
from pyovn.lang.actions.scope import Scope, Statements, full_name, needs_of
from pyovn.lang.match.parse import Part
from pyovn.lang.text import Constant, quote
from pyovn.openflow.actions import DecTtl as OpenFlowDecTtl
from pyovn.openflow.actions import Move as OpenFlowMove
from pyovn.openflow.actions import Note

#: OVN's own fields as the controller finds them in a note: magic, number, padding, value.
_NOTE_MAGIC = b"ovn\0"
_OWN_FIELDS = {"icmp4.frag_mtu": (0, ">4sH2xH"), "icmp6.frag_mtu": (1, ">4sH2xI")}


@dataclass(frozen=True, slots=True)
class Load:
    """Write a number, or the bits of it that its mask has."""

    dst: Part
    value: Constant

    def __str__(self) -> str:
        return f"{full_name(self.dst)} = {self.value};"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.dst)

    def encode(self, env: Env, out: Out) -> None:
        if self.dst.symbol.name in _OWN_FIELDS:
            out.append(own_field_note(self.dst.symbol.name, self.value.value))
            return
        out.append(store(place(self.dst), self.value.value, _within(self.value.mask, self.dst.width)))


@dataclass(frozen=True, slots=True)
class LoadPort:
    """Write the key of a port; an unknown one is 0."""

    dst: Part
    port: str

    def __str__(self) -> str:
        return f"{self.dst.symbol.name} = {quote(self.port)};"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.dst)

    def encode(self, env: Env, out: Out) -> None:
        out.append(store(place(self.dst), env.lookup_port(self.port) or 0))


@dataclass(frozen=True, slots=True)
class Move:
    """Copy one field to another."""

    dst: Part
    src: Part

    def __str__(self) -> str:
        return f"{full_name(self.dst)} = {full_name(self.src)};"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.dst, self.src)

    def encode(self, env: Env, out: Out) -> None:
        src, low, width = place(self.src)
        dst, dst_low, _ = place(self.dst)
        out.append(OpenFlowMove(src, low, dst, dst_low, width))


@dataclass(frozen=True, slots=True)
class Exchange:
    """Swap two fields."""

    left: Part
    right: Part

    def __str__(self) -> str:
        return f"{full_name(self.left)} <-> {full_name(self.right)};"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.left, self.right)

    def encode(self, env: Env, out: Out) -> None:
        left, right = place(self.left), place(self.right)
        out += (push(right), push(left), pop(right), pop(left))


@dataclass(frozen=True, slots=True)
class Push:
    """Push a field on the packet's stack."""

    src: Part

    def __str__(self) -> str:
        return f"push({full_name(self.src)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.src)

    def encode(self, env: Env, out: Out) -> None:
        out.append(push(place(self.src)))


@dataclass(frozen=True, slots=True)
class Pop:
    """Pop a field from the packet's stack."""

    dst: Part

    def __str__(self) -> str:
        return f"pop({full_name(self.dst)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.dst)

    def encode(self, env: Env, out: Out) -> None:
        out.append(pop(place(self.dst)))


@dataclass(frozen=True, slots=True)
class DecTtl:
    """Take one from the time to live; a packet that has none left goes no further."""

    def __str__(self) -> str:
        return "ip.ttl--;"

    def needs(self) -> tuple[str, ...]:
        return IP

    def encode(self, env: Env, out: Out) -> None:
        out.append(OpenFlowDecTtl(()))


def own_field_note(name: str, value: int) -> Note:
    """The note that carries a value for one of OVN's own fields."""
    number, layout = _OWN_FIELDS[name]
    return Note(struct.pack(layout, _NOTE_MAGIC, number, value))


def read_note(data: bytes) -> tuple[str, int] | None:
    """The own field and value in a note, or None for other notes."""
    for name, (number, layout) in _OWN_FIELDS.items():
        if len(data) >= struct.calcsize(layout):
            magic, found, value = struct.unpack_from(layout, data)
            if (magic, found) == (_NOTE_MAGIC, number):
                return name, value
    return None


def _within(mask: int | None, width: int) -> int | None:
    return None if mask is None else mask & (1 << width) - 1


def parse_load(scope: Scope, dst: Part) -> Load | LoadPort:
    """What follows `F =` where that is a constant."""
    tokens = scope.tokens
    kind = tokens.kind
    if kind not in ("num", "str"):
        tokens.expected("constant")
    constant = tokens.value
    tokens.at += 1
    scope.check_writable(dst)
    symbol = dst.symbol
    if symbol.is_string != (kind == "str"):
        mine, other = ("String", "integer") if symbol.is_string else ("Integer", "string")
        tokens.fault(f"{mine} field {symbol.name} is not compatible with {other} constant.")
    if symbol.is_string:
        return LoadPort(dst, constant)
    if constant.width > symbol.width:
        tokens.fault(f"{constant.width}-bit constant is not compatible with {symbol.width}-bit field {symbol.name}.")
    return Load(dst, constant)


def parse_copy(scope: Scope, dst: Part, *, exchange: bool) -> Move | Exchange:
    """What follows `F =` or `F <->` where that is a field."""
    src = _in_packet(scope)
    _check_in_packet(scope, dst)
    scope.check_writable(dst)
    if exchange:
        scope.check_writable(src)
    _check_alike(scope, dst, src, exchange=exchange)
    return Exchange(dst, src) if exchange else Move(dst, src)


def _check_alike(scope: Scope, dst: Part, src: Part, *, exchange: bool) -> None:
    if dst.symbol.is_string != src.symbol.is_string:
        kinds = {True: "string", False: "integer"}
        mine = f"{kinds[dst.symbol.is_string]} field ({full_name(dst)})"
        other = f"{kinds[src.symbol.is_string]} field ({full_name(src)})"
        scope.tokens.fault(f"Can't exchange {mine} with {other}." if exchange else f"Can't assign {other} to {mine}.")
    if dst.width != src.width:
        scope.tokens.fault(
            f"Can't exchange {dst.width}-bit field with {src.width}-bit field."
            if exchange
            else f"Can't assign {src.width}-bit value to {dst.width}-bit destination."
        )


def _in_packet(scope: Scope) -> Part:
    """A field that packets have."""
    part = scope.field()
    _check_in_packet(scope, part)
    return part


def _check_in_packet(scope: Scope, part: Part) -> None:
    if part.symbol.name in _OWN_FIELDS:
        scope.tokens.fault(f"Field {part.symbol.name} may only be assigned a constant.")


def parse_push(scope: Scope) -> Push:
    scope.tokens.force("(")
    src = _in_packet(scope)
    scope.tokens.force(")")
    return Push(src)


def parse_pop(scope: Scope) -> Pop:
    scope.tokens.force("(")
    dst = _in_packet(scope)
    scope.check_writable(dst)
    scope.tokens.force(")")
    return Pop(dst)


def parse_dec_ttl(scope: Scope) -> DecTtl:
    scope.tokens.force("--")
    return DecTtl()


STATEMENTS: Statements = {"push": parse_push, "pop": parse_pop, "ip.ttl": parse_dec_ttl}
