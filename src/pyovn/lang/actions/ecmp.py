"""Symmetric ECMP replies: `commit_ecmp_nh(ipv6 = true, proto = tcp);` learns where a connection came from.

table 76   from the same next hop: the packet matches again with its MAC
table 77   replies: addresses and ports the other way round
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Iterator
from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.scope import Scope, Statements, one_word
from pyovn.lang.symbols import FLAGS
from pyovn.openflow.actions import LEARN_DELETE_LEARNED, Learn, LearnSpec
from pyovn.openflow.fields import FIELDS

_IDLE_S, _HARD_S = 20, 30
_RESULT_BIT = 13
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}


@dataclass(frozen=True, slots=True)
class CommitEcmpNh:
    """Remember the next hop of a connection."""

    ipv6: bool
    protocol: str

    def __str__(self) -> str:
        return f"commit_ecmp_nh(ipv6 = {str(self.ipv6).lower()}, proto = {self.protocol});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        for table, specs in (
            (env.tables.ecmp_next_hop_mac, (*self._forward(),)),
            (env.tables.ecmp_next_hop, (*self._reverse(),)),
        ):
            out.append(Learn(table, specs, idle_timeout=_IDLE_S, hard_timeout=_HARD_S, flags=LEARN_DELETE_LEARNED))

    def _forward(self) -> Iterator[LearnSpec]:
        yield same("metadata")
        yield same("eth_src")
        yield exactly("eth_type", 0x86DD if self.ipv6 else 0x800)
        for end in ("src", "dst"):
            yield same(f"ipv6_{end}" if self.ipv6 else f"ip_{end}")
        yield exactly("ip_proto", PROTOCOLS[self.protocol])
        for end in ("src", "dst"):
            yield same(f"{self.protocol}_{end}")
        yield set_bit(FLAGS, _RESULT_BIT)

    def _reverse(self) -> Iterator[LearnSpec]:
        yield same("metadata")
        yield exactly("eth_type", 0x86DD if self.ipv6 else 0x800)
        family = "ipv6" if self.ipv6 else "ip"
        yield crossed(f"{family}_src", f"{family}_dst")
        yield crossed(f"{family}_dst", f"{family}_src")
        yield exactly("ip_proto", PROTOCOLS[self.protocol])
        yield crossed(f"{self.protocol}_src", f"{self.protocol}_dst")
        yield crossed(f"{self.protocol}_dst", f"{self.protocol}_src")
        yield set_bit(FLAGS, _RESULT_BIT)


def same(field: str) -> LearnSpec:
    """The learned flow matches what this packet has in `field`."""
    return crossed(field, field)


def crossed(field: str, other: str) -> LearnSpec:
    """The learned flow matches in `field` what this packet has in `other`."""
    return LearnSpec("match", (other, 0), 0, (field, 0), FIELDS[field].width)


def exactly(field: str, value: int) -> LearnSpec:
    """The learned flow matches this value."""
    return LearnSpec("match", None, value, (field, 0), FIELDS[field].width)


def set_bit(field: str, bit: int) -> LearnSpec:
    """The learned flow sets this bit."""
    return LearnSpec("load", None, 1, (field, bit), 1)


def parse_commit_ecmp_nh(scope: Scope) -> CommitEcmpNh:
    tokens = scope.tokens
    tokens.force("(")
    if not tokens.accept_word("ipv6"):
        tokens.syntax_fault("invalid parameter")
    tokens.force("=")
    ipv6 = tokens.accept_word("true")
    if not ipv6 and not tokens.accept_word("false"):
        tokens.expected("true or false")
    tokens.force(",")
    if not tokens.accept_word("proto"):
        tokens.syntax_fault("invalid parameter")
    tokens.force("=")
    protocol = parse_protocol(scope)
    tokens.force(")")
    return CommitEcmpNh(ipv6, protocol)


def parse_protocol(scope: Scope) -> str:
    """tcp, udp or sctp."""
    protocol = one_word(scope, PROTOCOLS)
    if protocol is None:
        scope.tokens.syntax_fault("invalid protocol")
    return protocol


STATEMENTS: Statements = {"commit_ecmp_nh": parse_commit_ecmp_nh}
