"""Actions that make another packet of this one and run nested actions on it.

    arp { … }   nd_ns { … }   nd_na { … }   icmp4 { … }   tcp_reset { … }   reject { … }   …

The controller makes the packet; the nested actions travel with the punt, as OpenFlow 1.5.
"""
# ruff: noqa: D102  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pyovn.lang.actions.env import Actions, Env, Out, encode, text
from pyovn.lang.actions.scope import Scope, Statements
from pyovn.lang.actions.userdata import Opcode, punt
from pyovn.openflow.actions import Resubmit


class Kind(NamedTuple):
    """What is special about one such action."""

    opcode: Opcode
    #: what the packet must be
    needs: str
    #: the switch keeps the packet's place in the pipeline
    pause: bool = False


KINDS = {
    "arp": Kind(Opcode.ARP, "ip", pause=True),
    "nd_ns": Kind(Opcode.ND_NS, "ip", pause=True),
    "nd_na": Kind(Opcode.ND_NA, "nd_ns"),
    "nd_na_router": Kind(Opcode.ND_NA_ROUTER, "nd_ns"),
    "icmp4": Kind(Opcode.ICMP, "ip4"),
    "icmp4_error": Kind(Opcode.ICMP4_ERROR, "ip4"),
    "icmp6": Kind(Opcode.ICMP, "ip6"),
    "icmp6_error": Kind(Opcode.ICMP6_ERROR, "ip6"),
    "tcp_reset": Kind(Opcode.TCP_RESET, "tcp"),
    "sctp_abort": Kind(Opcode.SCTP_ABORT, "sctp"),
    "reject": Kind(Opcode.REJECT, ""),
}


@dataclass(frozen=True, slots=True)
class Nest:
    """Turn the packet into another and run the nested actions on that."""

    name: str
    nested: Actions

    def __str__(self) -> str:
        return f"{self.name} {{ {text(self.nested)} }};"

    def needs(self) -> tuple[str, ...]:
        needed = KINDS[self.name].needs
        return (needed,) if needed else ()

    def encode(self, env: Env, out: Out) -> None:
        kind = KINDS[self.name]
        nested = encode(self.nested, env)
        if kind.pause and not env.explicit_output:
            nested += (Resubmit(env.output_table),)
        out.append(punt(kind.opcode, env.wire(nested), pause=kind.pause, meter=env.controller_meter))


def _parser(name: str) -> Callable[[Scope], Nest]:
    def parse(scope: Scope) -> Nest:
        return Nest(name, scope.nested())

    return parse


STATEMENTS: Statements = {name: _parser(name) for name in KINDS}
