"""Actions that are one packet-in and take no arguments, or one port.

igmp; handle_svc_check(P); handle_dhcpv6_reply; handle_bfd_msg(); bind_vport("V", P);
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

import struct
from dataclasses import dataclass

from pyovn.lang.actions.arguments import with_arguments
from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.place import whole
from pyovn.lang.actions.scope import Scope, Statements, full_name, needs_of
from pyovn.lang.actions.userdata import Opcode, punt
from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import INPORT
from pyovn.lang.text import quote

_PORT_KEY = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Punt:
    """Hand the packet to a service."""

    name: str
    opcode: Opcode

    def __str__(self) -> str:
        return f"{self.name};"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(punt(self.opcode, meter=env.controller_meter))


@dataclass(frozen=True, slots=True)
class HandleSvcCheck:
    """Hand a service monitor's reply to the controller."""

    port: Part

    def __str__(self) -> str:
        return f"handle_svc_check({full_name(self.port)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.port)

    def encode(self, env: Env, out: Out) -> None:
        body = (punt(Opcode.HANDLE_SVC_CHECK, meter=env.controller_meter),)
        with_arguments(out, ((self.port, whole(INPORT)),), body)


@dataclass(frozen=True, slots=True)
class BindVport:
    """Bind a virtual port to the port that announced its address."""

    virtual: str
    parent: Part

    def __str__(self) -> str:
        return f"bind_vport({quote(self.virtual)}, {full_name(self.parent)});"

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.parent)

    def encode(self, env: Env, out: Out) -> None:
        key = env.lookup_port(self.virtual)
        if key is not None:
            body = (punt(Opcode.BIND_VPORT, _PORT_KEY.pack(key), meter=env.controller_meter),)
            with_arguments(out, ((self.parent, whole(INPORT)),), body)


def read_bind_vport(arguments: bytes) -> int:
    """The virtual port's key."""
    return int(_PORT_KEY.unpack_from(arguments)[0])


def parse_igmp(_scope: Scope) -> Punt:
    return Punt("igmp", Opcode.IGMP)


def parse_handle_dhcpv6_reply(_scope: Scope) -> Punt:
    return Punt("handle_dhcpv6_reply", Opcode.DHCP6_SERVER)


def parse_handle_bfd_msg(scope: Scope) -> Punt:
    scope.tokens.force("(")
    scope.tokens.force(")")
    return Punt("handle_bfd_msg()", Opcode.BFD_MSG)


def parse_handle_svc_check(scope: Scope) -> HandleSvcCheck:
    return HandleSvcCheck(*scope.arguments(0))


def parse_bind_vport(scope: Scope) -> BindVport:
    tokens = scope.tokens
    tokens.force("(")
    virtual = tokens.take("str", "port name string")
    tokens.force(",")
    parent = scope.field_of(0)
    tokens.force(")")
    return BindVport(virtual, parent)


STATEMENTS: Statements = {
    "igmp": parse_igmp,
    "handle_dhcpv6_reply": parse_handle_dhcpv6_reply,
    "handle_bfd_msg": parse_handle_bfd_msg,
    "handle_svc_check": parse_handle_svc_check,
    "bind_vport": parse_bind_vport,
}
