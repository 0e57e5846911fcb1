"""The forwarding database of a switch: behind which port is a MAC address?

R = get_fdb(A);  R = get_remote_fdb(A);     the port's key, or 0
put_fdb(P, A);                              learn
R = lookup_fdb(P, A);                       is A known on P?
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass

from pyovn.lang.actions.arguments import clear, copy, entering, leaving, with_arguments
from pyovn.lang.actions.env import Env, Out
from pyovn.lang.actions.place import place, whole
from pyovn.lang.actions.scope import Results, Scope, Statements, full_name, needs_of
from pyovn.lang.actions.userdata import Opcode, punt
from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import FLAGS, INPORT, OUTPORT, REMOTE_OUTPORT
from pyovn.openflow.actions import Resubmit

_KNOWN = (FLAGS, 8, 1)  #: flag in which the table answers
_ETH_SRC, _ETH_DST = whole("eth_src"), whole("eth_dst")


@dataclass(frozen=True, slots=True)
class GetFdb:
    """The key of the port behind which a MAC address is."""

    result: Part
    mac: Part
    remote: bool

    def __str__(self) -> str:
        return f"{full_name(self.result)} = get_{'remote_' if self.remote else ''}fdb({full_name(self.mac)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.mac)

    def encode(self, env: Env, out: Out) -> None:
        found = whole(REMOTE_OUTPORT if self.remote else OUTPORT)
        table = env.tables.get_remote_fdb if self.remote else env.tables.get_fdb
        with_arguments(out, ((self.mac, _ETH_DST),), (clear(found), Resubmit(table)))
        if place(self.result) != found:
            out.append(copy(found, place(self.result)))


@dataclass(frozen=True, slots=True)
class PutFdb:
    """Learn that a MAC address is behind a port."""

    port: Part
    mac: Part

    def __str__(self) -> str:
        return f"put_fdb({full_name(self.port)}, {full_name(self.mac)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.port, self.mac)

    def encode(self, env: Env, out: Out) -> None:
        arguments = (self.port, whole(INPORT)), (self.mac, _ETH_SRC)
        with_arguments(out, arguments, (punt(Opcode.PUT_FDB, meter=env.controller_meter),))


@dataclass(frozen=True, slots=True)
class LookupFdb:
    """Whether a MAC address is known to be behind a port."""

    result: Part
    port: Part
    mac: Part

    def __str__(self) -> str:
        return f"{full_name(self.result)} = lookup_fdb({full_name(self.port)}, {full_name(self.mac)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.port, self.mac)

    def encode(self, env: Env, out: Out) -> None:
        arguments = (self.port, whole(INPORT)), (self.mac, _ETH_SRC)
        out += (*entering(arguments), clear(_KNOWN), Resubmit(env.tables.lookup_fdb), *leaving(arguments))
        out.append(copy(_KNOWN, place(self.result)))


def _parse_get(scope: Scope, result: Part, *, remote: bool) -> GetFdb:
    if not result.symbol.is_string:
        scope.check_width(result, 32)
    mac = scope.arguments(48)[0]
    scope.check_writable(result)
    return GetFdb(result, mac, remote)


def parse_get_fdb(scope: Scope, result: Part) -> GetFdb:
    return _parse_get(scope, result, remote=False)


def parse_get_remote_fdb(scope: Scope, result: Part) -> GetFdb:
    return _parse_get(scope, result, remote=True)


def parse_put_fdb(scope: Scope) -> PutFdb:
    return PutFdb(*scope.arguments(0, 48))


def parse_lookup_fdb(scope: Scope, result: Part) -> LookupFdb:
    scope.check_result(result)
    return LookupFdb(result, *scope.arguments(0, 48))


STATEMENTS: Statements = {"put_fdb": parse_put_fdb}
RESULTS: Results = {"get_fdb": parse_get_fdb, "get_remote_fdb": parse_get_remote_fdb, "lookup_fdb": parse_lookup_fdb}
