"""Connection tracking and address translation.

    ct_next;                 track, go on in the next table
    ct_commit { … };         remember the connection, with values for ct_mark and ct_label
    ct_dnat(IP[,PORTS]);     rewrite the destination of a new connection; without arguments: undo, or redo
    ct_snat(…);              likewise the source
    ct_clear;                forget what is known about the packet's connection

Zones: a switch's ports have one each (reg13); a router has one for DNAT (reg11) and one for SNAT (reg12).
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass
from typing import Literal

from pyovn.lang.actions.env import IP, NOTHING, Actions, Env, Out, encode, text
from pyovn.lang.actions.scope import Scope, Statements
from pyovn.net.ip import ip_str
from pyovn.openflow.actions import NAT_RANDOM, Ct, Nat, Resubmit, Subfield
from pyovn.openflow.actions import CtClear as OpenFlowCtClear

ZoneName = Literal["dnat", "snat"]

_ALL_ZERO = Nat("src")  #: what a switch makes of `nat(src=0.0.0.0)`, and what it accepts for IPv6 too


@dataclass(frozen=True, slots=True)
class CtNext:
    """Track the packet and go on in the next table."""

    zone: ZoneName

    def __str__(self) -> str:
        return f"ct_next({self.zone});"

    def needs(self) -> tuple[str, ...]:
        return IP

    def encode(self, env: Env, out: Out) -> None:
        out.append(Ct(zone=env.zone(snat=self.zone == "snat"), table=env.next_table))


@dataclass(frozen=True, slots=True)
class CtCommit:
    """Commit the connection, with what the nested assignments say about it."""

    nested: Actions

    def __str__(self) -> str:
        return f"ct_commit {{ {text(self.nested)} }};" if self.nested else "ct_commit;"

    def needs(self) -> tuple[str, ...]:
        return IP

    def encode(self, env: Env, out: Out) -> None:
        nat = _ALL_ZERO if env.all_zero_snat else None
        out.append(Ct(commit=True, zone=env.zone(), nat=nat, exec=encode(self.nested, env)))


@dataclass(frozen=True, slots=True)
class CtCommitToZone:
    """Commit the connection in a zone and go on in the next table."""

    zone: ZoneName

    def __str__(self) -> str:
        return f"ct_commit_to_zone({self.zone});"

    def needs(self) -> tuple[str, ...]:
        return IP

    def encode(self, env: Env, out: Out) -> None:
        out.append(Ct(commit=True, zone=env.zone(snat=self.zone == "snat"), table=env.next_table))


@dataclass(frozen=True, slots=True)
class CtCommitNat:
    """Commit the connection with the translation it is related to, and go on in the next table."""

    zone: ZoneName

    def __str__(self) -> str:
        return f"ct_commit_nat({self.zone});"

    def needs(self) -> tuple[str, ...]:
        return IP

    def encode(self, env: Env, out: Out) -> None:
        out.append(Ct(commit=True, zone=env.zone(snat=self.zone == "snat"), table=env.next_table, nat=Nat()))


@dataclass(frozen=True, slots=True)
class CtNat:
    """Translate an address, and go on in the next table."""

    direction: ZoneName
    in_common_zone: bool
    #: IP version of `address`; 0: no address, only do what the connection's translation says
    version: int = 0
    address: int = 0
    #: lowest and highest port; 0: none given
    port_low: int = 0
    port_high: int = 0

    def __str__(self) -> str:
        name = f"ct_{self.direction}{'_in_czone' if self.in_common_zone else ''}"
        if not self.version:
            return f"{name};"
        ports = f",{self.port_low}" if self.port_low else ""
        if self.port_high:
            ports += f"-{self.port_high}"
        return f"{name}({ip_str(self.version, self.address)}{ports});"

    def needs(self) -> tuple[str, ...]:
        return IP

    def encode(self, env: Env, out: Out) -> None:
        zone: Subfield = ("reg11" if self.direction == "dnat" else "reg12", 0, 16)
        if self.in_common_zone:
            zone = (env.common_zone, 0, 16)
        out.append(Ct(commit=bool(self.version), zone=zone, table=env.next_table, nat=self._nat()))

    def _nat(self) -> Nat:
        if not self.version:
            return Nat()
        return Nat(
            "dst" if self.direction == "dnat" else "src",
            self.address,
            port_lo=self.port_low or None,
            port_hi=self.port_high or None,
            flags=NAT_RANDOM if self.port_high else 0,
            v6=self.version == 6,
        )


@dataclass(frozen=True, slots=True)
class CtClear:
    """Forget what is known about the packet's connection."""

    def __str__(self) -> str:
        return "ct_clear;"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(OpenFlowCtClear())


@dataclass(frozen=True, slots=True)
class CtSnatToVip:
    """Give a hairpinned packet the load balancer's address as source."""

    def __str__(self) -> str:
        return "ct_snat_to_vip;"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(Resubmit(env.tables.snat_to_vip))


def _zone_argument(scope: Scope, name: str) -> ZoneName:
    """`dnat)` or `snat)`."""
    tokens = scope.tokens
    zone: ZoneName = "dnat"
    if tokens.accept_word("snat"):
        zone = "snat"
    elif not tokens.accept_word("dnat"):
        tokens.fault(f'"{name}" action accepts only "dnat" or "snat" parameter.')
    tokens.force(")")
    return zone


def _zone(scope: Scope, name: str) -> ZoneName:
    """`(dnat)`, `(snat)` or nothing, which means dnat."""
    scope.check_not_last(name)
    return _zone_argument(scope, name) if scope.tokens.accept("(") else "dnat"


def parse_ct_next(scope: Scope) -> CtNext:
    return CtNext(_zone(scope, "ct_next"))


def parse_ct_commit_nat(scope: Scope) -> CtCommitNat:
    return CtCommitNat(_zone(scope, "ct_commit_nat"))


def parse_ct_commit_to_zone(scope: Scope) -> CtCommitToZone:
    scope.check_not_last("ct_commit_to_zone")
    scope.tokens.force("(")
    return CtCommitToZone(_zone_argument(scope, "ct_commit_to_zone"))


def parse_ct_commit(scope: Scope) -> CtCommit:
    if scope.tokens.kind != "{":
        return CtCommit(())
    outer, scope.in_commit = scope.in_commit, True
    nested = scope.nested()
    scope.in_commit = outer
    return CtCommit(nested)


def parse_ct_clear(_scope: Scope) -> CtClear:
    return CtClear()


def parse_ct_snat_to_vip(_scope: Scope) -> CtSnatToVip:
    return CtSnatToVip()


def _parse_nat(scope: Scope, direction: ZoneName, *, in_common_zone: bool) -> CtNat:
    tokens = scope.tokens
    scope.check_not_last(f"ct_{direction}{'_in_czone' if in_common_zone else ''}")
    if not tokens.accept("("):
        return CtNat(direction, in_common_zone)
    value, mask, notation = scope.number()
    if notation not in ("ip4", "ip6") or mask is not None:
        tokens.expected("IPv4 or IPv6 address")
    tokens.at += 1
    low, high = _port_range(scope) if tokens.accept(",") else (0, 0)
    tokens.force(")")
    return CtNat(direction, in_common_zone, 4 if notation == "ip4" else 6, value, low, high)


def _port_range(scope: Scope) -> tuple[int, int]:
    tokens = scope.tokens
    if tokens.kind != "num":
        tokens.expected("Integer for port range")
    low = tokens.value.value & 0xFFFF
    if not low:
        tokens.syntax_fault("range can't be 0")
    tokens.at += 1
    if not tokens.accept("-"):
        return low, 0
    if tokens.kind != "num":
        tokens.expected("Integer for port range")
    high = tokens.value.value
    if high <= low:
        tokens.syntax_fault("range high should be greater than range low")
    tokens.at += 1
    return low, high & 0xFFFF


def parse_ct_dnat(scope: Scope) -> CtNat:
    return _parse_nat(scope, "dnat", in_common_zone=False)


def parse_ct_snat(scope: Scope) -> CtNat:
    return _parse_nat(scope, "snat", in_common_zone=False)


def parse_ct_dnat_in_czone(scope: Scope) -> CtNat:
    return _parse_nat(scope, "dnat", in_common_zone=True)


def parse_ct_snat_in_czone(scope: Scope) -> CtNat:
    return _parse_nat(scope, "snat", in_common_zone=True)


STATEMENTS: Statements = {
    "ct_next": parse_ct_next,
    "ct_commit": parse_ct_commit,
    "ct_commit_to_zone": parse_ct_commit_to_zone,
    "ct_commit_nat": parse_ct_commit_nat,
    "ct_dnat": parse_ct_dnat,
    "ct_snat": parse_ct_snat,
    "ct_dnat_in_czone": parse_ct_dnat_in_czone,
    "ct_snat_in_czone": parse_ct_snat_in_czone,
    "ct_clear": parse_ct_clear,
    "ct_snat_to_vip": parse_ct_snat_to_vip,
}
