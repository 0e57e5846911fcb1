"""Session affinity: `commit_lb_aff(vip = "IP:PORT", backend = "IP:PORT", proto = tcp, timeout = S);`

The learned flow (table 78) recognises the client's next connection to the virtual address and names the backend.
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pyovn.lang.actions.ecmp import PROTOCOLS, exactly, parse_protocol, same, set_bit
from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.scope import Scope, Statements
from pyovn.lang.symbols import FLAGS
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, ip_str
from pyovn.openflow.actions import LEARN_DELETE_LEARNED, Learn, LearnSpec

_HIT_BIT = 14
_BACKEND = {4: ("reg4", 32), 6: ("xxreg1", 128)}  #: where the backend's address goes
_BACKEND_PORT = ("reg2", 0)


class Endpoint(NamedTuple):
    """An address and perhaps a port."""

    version: int
    address: int
    #: 0: none
    port: int

    def __str__(self) -> str:
        text = ip_str(self.version, self.address)
        if self.version == 6:
            text = f"[{text}]"
        return f"{text}:{self.port}" if self.port else text


@dataclass(frozen=True, slots=True)
class CommitLbAff:
    """Send the client's next connections to the same backend."""

    vip: Endpoint
    backend: Endpoint
    #: "" where the virtual address has no port
    protocol: str
    #: seconds
    timeout: int

    def __str__(self) -> str:
        protocol = f", proto = {self.protocol}" if self.protocol else ""
        return f'commit_lb_aff(vip = "{self.vip}", backend = "{self.backend}"{protocol}, timeout = {self.timeout});'

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(
            Learn(
                env.tables.affinity,
                tuple(self._specs()),
                idle_timeout=self.timeout,
                cookie=env.cookie,
                flags=LEARN_DELETE_LEARNED,
            )
        )

    def _specs(self) -> Iterator[LearnSpec]:
        family = "ipv6" if self.vip.version == 6 else "ip"
        yield same("metadata")
        yield exactly("eth_type", 0x86DD if self.vip.version == 6 else 0x800)
        yield same(f"{family}_src")
        yield exactly(f"{family}_dst", self.vip.address)
        if self.protocol:
            yield exactly("ip_proto", PROTOCOLS[self.protocol])
            yield exactly(f"{self.protocol}_dst", self.vip.port)
        yield set_bit(FLAGS, _HIT_BIT)
        register, width = _BACKEND[self.backend.version]
        yield LearnSpec("load", None, self.backend.address, (register, 0), width)
        if self.backend.port:
            yield LearnSpec("load", None, self.backend.port, _BACKEND_PORT, 16)


def _endpoint(text: str) -> Endpoint:
    """`IP`, `IP:PORT`, `[IP6]` or `[IP6]:PORT`; raises Malformed."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        port = rest[1:]
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    else:
        address, port = text, ""
    if port and not (port.isdigit() and int(port) < 1 << 16):
        raise Malformed(f"{text}: invalid port")
    return Endpoint(*ip_parse(address), int(port or 0))


def _parse_endpoint(scope: Scope, name: str) -> Endpoint:
    tokens = scope.tokens
    if not tokens.accept_word(name):
        tokens.syntax_fault("invalid parameter")
    tokens.force("=")
    try:
        found = _endpoint(tokens.value if tokens.kind == "str" else "")
    except Malformed:
        tokens.syntax_fault("invalid parameter")
    tokens.at += 1
    return found


def parse_commit_lb_aff(scope: Scope) -> CommitLbAff:
    tokens = scope.tokens
    tokens.force("(")
    vip = _parse_endpoint(scope, "vip")
    tokens.force(",")
    backend = _parse_endpoint(scope, "backend")
    if backend.version != vip.version:
        tokens.at -= 1
        tokens.syntax_fault("invalid protocol family")
    tokens.force(",")
    protocol = ""
    if vip.port:
        if not tokens.accept_word("proto"):
            tokens.syntax_fault("invalid parameter")
        tokens.force("=")
        protocol = parse_protocol(scope)
        tokens.force(",")
    if not tokens.accept_word("timeout"):
        tokens.syntax_fault("invalid parameter")
    tokens.force("=")
    timeout = scope.decimal("affinity timeout", 1 << 16)
    tokens.force(")")
    return CommitLbAff(vip, backend, protocol, timeout)


STATEMENTS: Statements = {"commit_lb_aff": parse_commit_lb_aff}
