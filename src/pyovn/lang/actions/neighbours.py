"""IP neighbours: what MAC address an IP address has on a router port.

get_arp(P, A);  get_nd(P, A);               eth.dst = the MAC, or 0
put_arp(P, A, E);  put_nd(P, A, E);         learn
R = lookup_arp(P, A, E);  R = lookup_nd(…)  is exactly that known?
R = lookup_arp_ip(P, A);  …                 is anything known for A?
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass

from pyovn.lang.actions.arguments import Argument, clear, copy, entering, leaving, with_arguments
from pyovn.lang.actions.env import Env, Out
from pyovn.lang.actions.place import place, pop, push, whole
from pyovn.lang.actions.scope import Results, Scope, Statements, full_name, needs_of
from pyovn.lang.actions.userdata import Opcode, punt
from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import FLAGS, INPORT, OUTPORT
from pyovn.openflow.actions import Resubmit

_KNOWN = (FLAGS, 6, 1)  #: flag in which the tables answer
_WIDTH = {4: 32, 6: 128}
_ETH_SRC, _ETH_DST = whole("eth_src"), whole("eth_dst")
_SUFFIX = {4: "arp", 6: "nd"}


@dataclass(frozen=True, slots=True)
class GetNeighbour:
    """Set eth.dst to the MAC address that an IP address has."""

    version: int
    port: Part
    address: Part

    def __str__(self) -> str:
        return f"get_{_SUFFIX[self.version]}({full_name(self.port)}, {full_name(self.address)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.port, self.address)

    def encode(self, env: Env, out: Out) -> None:
        arguments = _outport_arguments(self.version, self.port, self.address)
        with_arguments(out, arguments, (clear(_ETH_DST), Resubmit(env.tables.mac_binding)))


@dataclass(frozen=True, slots=True)
class PutNeighbour:
    """Learn the MAC address that an IP address has."""

    version: int
    port: Part
    address: Part
    mac: Part

    def __str__(self) -> str:
        arguments = f"{full_name(self.port)}, {full_name(self.address)}, {full_name(self.mac)}"
        return f"put_{_SUFFIX[self.version]}({arguments});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.port, self.address, self.mac)

    def encode(self, env: Env, out: Out) -> None:
        opcode = Opcode.PUT_ARP if self.version == 4 else Opcode.PUT_ND
        arguments = _inport_arguments(self.version, self.port, self.address, self.mac)
        with_arguments(out, arguments, (punt(opcode, meter=env.controller_meter),))


@dataclass(frozen=True, slots=True)
class LookupNeighbour:
    """Whether an IP address is known to have a MAC address."""

    version: int
    result: Part
    port: Part
    address: Part
    mac: Part

    def __str__(self) -> str:
        arguments = f"{full_name(self.port)}, {full_name(self.address)}, {full_name(self.mac)}"
        return f"{full_name(self.result)} = lookup_{_SUFFIX[self.version]}({arguments});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.port, self.address, self.mac)

    def encode(self, env: Env, out: Out) -> None:
        arguments = _inport_arguments(self.version, self.port, self.address, self.mac)
        answer = copy(_KNOWN, place(self.result))
        with_arguments(out, arguments, (clear(_KNOWN), Resubmit(env.tables.mac_lookup), answer))


@dataclass(frozen=True, slots=True)
class LookupNeighbourIp:
    """Whether anything is known about an IP address."""

    version: int
    result: Part
    port: Part
    address: Part

    def __str__(self) -> str:
        arguments = f"{full_name(self.port)}, {full_name(self.address)}"
        return f"{full_name(self.result)} = lookup_{_SUFFIX[self.version]}_ip({arguments});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.port, self.address)

    def encode(self, env: Env, out: Out) -> None:
        arguments = _outport_arguments(self.version, self.port, self.address)
        out += entering(arguments)
        out += (push(_ETH_DST), clear(_KNOWN), Resubmit(env.tables.mac_binding), copy(_KNOWN, place(self.result)))
        out += (pop(_ETH_DST), *leaving(arguments))


def _outport_arguments(version: int, port: Part, address: Part) -> tuple[Argument, ...]:
    return (port, whole(OUTPORT)), (address, whole("reg0" if version == 4 else "xxreg1"))


def _inport_arguments(version: int, port: Part, address: Part, mac: Part) -> tuple[Argument, ...]:
    return (port, whole(INPORT)), (address, whole("reg0" if version == 4 else "xxreg0")), (mac, _ETH_SRC)


def parse_get_arp(scope: Scope) -> GetNeighbour:
    return GetNeighbour(4, *scope.arguments(0, _WIDTH[4]))


def parse_get_nd(scope: Scope) -> GetNeighbour:
    return GetNeighbour(6, *scope.arguments(0, _WIDTH[6]))


def parse_put_arp(scope: Scope) -> PutNeighbour:
    return PutNeighbour(4, *scope.arguments(0, _WIDTH[4], 48))


def parse_put_nd(scope: Scope) -> PutNeighbour:
    return PutNeighbour(6, *scope.arguments(0, _WIDTH[6], 48))


def parse_lookup_arp(scope: Scope, result: Part) -> LookupNeighbour:
    scope.check_result(result)
    return LookupNeighbour(4, result, *scope.arguments(0, _WIDTH[4], 48))


def parse_lookup_nd(scope: Scope, result: Part) -> LookupNeighbour:
    scope.check_result(result)
    return LookupNeighbour(6, result, *scope.arguments(0, _WIDTH[6], 48))


def parse_lookup_arp_ip(scope: Scope, result: Part) -> LookupNeighbourIp:
    scope.check_result(result)
    return LookupNeighbourIp(4, result, *scope.arguments(0, _WIDTH[4]))


def parse_lookup_nd_ip(scope: Scope, result: Part) -> LookupNeighbourIp:
    scope.check_result(result)
    return LookupNeighbourIp(6, result, *scope.arguments(0, _WIDTH[6]))


STATEMENTS: Statements = {
    "get_arp": parse_get_arp,
    "get_nd": parse_get_nd,
    "put_arp": parse_put_arp,
    "put_nd": parse_put_nd,
}
RESULTS: Results = {
    "lookup_arp": parse_lookup_arp,
    "lookup_nd": parse_lookup_nd,
    "lookup_arp_ip": parse_lookup_arp_ip,
    "lookup_nd_ip": parse_lookup_nd_ip,
}
