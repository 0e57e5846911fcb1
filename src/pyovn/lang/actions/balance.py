"""Choosing one of several: load-balancer backends, next hops, ports of a forwarding group.

    ct_lb_mark(backends=10.0.0.1:80,10.0.0.2:80[; hash_fields="…"][; skip_snat|force_snat]);
    R = select(1=100, 2=50);   R = select(values=(1=100, 2=50); hash_fields="…");
    fwd_group(liveness="true", childports="a", "b");

Each becomes an OpenFlow group of type select.
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyovn.lang.actions.env import IP, NOTHING, Env, Out
from pyovn.lang.actions.place import place, store
from pyovn.lang.actions.scope import Results, Scope, Statements, full_name, one_word, ranged_name
from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import OUTPORT
from pyovn.lang.text import quote
from pyovn.net.ip import ip4_str, ip6_str
from pyovn.openflow.actions import OFPP_NONE, Ct, Group, Nat, Resubmit, SetField
from pyovn.openflow.fields import FIELDS
from pyovn.openflow.flows import BUCKET_NONE, Bucket, GroupDef

DEFAULT_WEIGHT = 100

# Bits that a load balancer leaves in the connection's mark (or, for `ct_lb`, label).
NATTED, SKIP_SNAT, FORCE_SNAT = 2, 4, 8
_FLAG_BITS = {"skip_snat": SKIP_SNAT, "force_snat": FORCE_SNAT}

#: dp_hash over the layer-4 ports too, symmetric in both directions
_SYMMETRIC_L4 = 1 << 32

#: name → (field that records the translation, only local backends count)
_LB_KINDS = {"ct_lb": ("ct_label", False), "ct_lb_mark": ("ct_mark", False), "ct_lb_mark_local": ("ct_mark", True)}


class Backend(NamedTuple):
    """A server."""

    #: IP version
    version: int
    address: int
    #: 0: the port stays as it is
    port: int
    #: the port it is behind, where only local backends count
    logical_port: str = ""

    def __str__(self) -> str:
        where = f"{quote(self.logical_port)}:" if self.logical_port else ""
        if self.version == 4:
            return f"{where}{ip4_str(self.address)}" + (f":{self.port}" if self.port else "")
        text = ip6_str(self.address)
        return where + (f"[{text}]:{self.port}" if self.port else text)


@dataclass(frozen=True, slots=True)
class CtLb:
    """Send new connections to one of the backends, known ones to theirs, and go on in the next table."""

    name: str
    backends: tuple[Backend, ...] = ()
    #: None: the switch chooses what to hash
    hash_fields: str | None = None
    #: "skip_snat", "force_snat" or ""
    flag: str = ""

    def __str__(self) -> str:
        if not self.backends:
            return f"{self.name};"
        parts = ["backends=" + ",".join(map(str, self.backends))]
        if self.hash_fields is not None:
            parts.append(f'hash_fields="{self.hash_fields}"')
        if self.flag:
            parts.append(self.flag)
        return f"{self.name}({'; '.join(parts)});"

    def needs(self) -> tuple[str, ...]:
        return IP

    def encode(self, env: Env, out: Out) -> None:
        field, only_local = _LB_KINDS[self.name]
        if not self.backends:
            out.append(Ct(zone=_zone(env), table=env.next_table, nat=Nat()))
            return
        reachable = [one for one in self.backends if not only_local or env.resident(one.logical_port)]
        if reachable:
            marks = [SetField(field, bit, bit) for bit in (NATTED, _FLAG_BITS.get(self.flag, 0)) if bit]
            buckets = (_backend_actions(env, one, marks) for one in reachable)
            out.append(Group(env.group(_select(buckets, self.hash_fields))))


def _zone(env: Env) -> tuple[str, int, int]:
    return env.zone()


def _backend_actions(env: Env, backend: Backend, marks: Sequence[SetField]) -> Bucket:
    nat = Nat("dst", backend.address, port_lo=backend.port or None, v6=backend.version == 6)
    ct = Ct(commit=True, zone=_zone(env), table=env.next_table, nat=nat, exec=tuple(marks))
    return Bucket((ct,), DEFAULT_WEIGHT)


def _select(buckets: Iterable[Bucket], hash_fields: str | None, parameter: int = 0) -> GroupDef:
    """A group of type select; its buckets get numbers as ids."""
    numbered = tuple(bucket._replace(id=index) for index, bucket in enumerate(buckets))
    if hash_fields is None:
        return GroupDef(0, "select", numbered, "dp_hash", parameter)
    names = [_FIELD_NAMES.get(name, name) for name in hash_fields.split(",")]
    fields = tuple((name, FIELDS[name].full, FIELDS[name].full) for name in names if name in FIELDS)
    return GroupDef(0, "select", numbered, "hash", 0, fields)


#: `hash_fields` says ip_src for either version's other names too.
_FIELD_NAMES = {
    "nw_src": "ip_src",
    "nw_dst": "ip_dst",
    "tp_src": "tcp_src",
    "tp_dst": "tcp_dst",
    "nw_proto": "ip_proto",
}


@dataclass(frozen=True, slots=True)
class Select:
    """Write the number of one of several weighted choices, and go on in the next table."""

    result: Part
    #: (number, weight)
    choices: tuple[tuple[int, int], ...]
    #: None: the switch chooses what to hash
    hash_fields: str | None = None

    def __str__(self) -> str:
        choices = ", ".join(f"{number}={weight}" for number, weight in self.choices)
        if self.hash_fields is not None:
            choices = f'values=({choices}); hash_fields="{self.hash_fields}"'
        return f"{full_name(self.result)} = select({choices});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        where = place(self.result)
        buckets = [Bucket((store(where, number), Resubmit(env.next_table)), weight) for number, weight in self.choices]
        parameter = _SYMMETRIC_L4 if env.symmetric_l4_hash else 0
        out.append(Group(env.group(_select(buckets, self.hash_fields, parameter))))


@dataclass(frozen=True, slots=True)
class FwdGroup:
    """Output to one of several ports."""

    ports: tuple[str, ...]
    #: only ports whose tunnel is alive
    liveness: bool = False

    def __str__(self) -> str:
        liveness = 'liveness="true", ' if self.liveness else ""
        return f"fwd_group({liveness}childports={', '.join(map(quote, self.ports))});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        buckets = []
        for port in self.ports:
            key = env.lookup_port(port)
            if key is None:
                return
            watched = env.tunnel_port(port) if self.liveness else None
            outport = store((OUTPORT, 0, 16), key)
            actions = outport, Resubmit(env.output_table)
            buckets.append(Bucket(actions, DEFAULT_WEIGHT, BUCKET_NONE, OFPP_NONE if watched is None else watched))
        out.append(Group(env.group(_select(buckets, None))))


def _lb_parser(name: str) -> Callable[[Scope], CtLb]:
    def parse(scope: Scope) -> CtLb:
        tokens = scope.tokens
        scope.check_not_last(name)
        if not tokens.accept("(") or tokens.accept(")"):
            return CtLb(name)
        if not tokens.accept_word("backends"):
            tokens.expected("backends")
        tokens.force("=")
        backends = _backends(scope, only_local=_LB_KINDS[name][1])
        hash_fields, flag = _lb_options(scope)
        tokens.force(")")
        return CtLb(name, backends, hash_fields, flag)

    return parse


def _backends(scope: Scope, *, only_local: bool) -> tuple[Backend, ...]:
    tokens = scope.tokens
    found = []
    while tokens.kind not in (";", ")"):
        found.append(_backend(scope, only_local=only_local))
        if not tokens.accept(","):
            break
    return tuple(found)


def _backend(scope: Scope, *, only_local: bool) -> Backend:
    tokens = scope.tokens
    logical_port = ""
    if only_local:
        logical_port = tokens.take("str", "logical port name for distributed load balancer")
        tokens.force(":")
    bracketed = tokens.accept("[")
    value, mask, notation = scope.number()
    if mask is not None or notation not in (("ip6",) if bracketed else ("ip4", "ip6")):
        tokens.expected("IPv6 address" if bracketed else "IP address")
    tokens.at += 1
    if bracketed and not tokens.accept("]"):
        tokens.syntax_fault("no closing square bracket")
    port = 0
    if (notation == "ip4" or bracketed) and tokens.accept(":"):
        port = scope.decimal("port number", 1 << 16)
    return Backend(4 if notation == "ip4" else 6, value, port, logical_port)


def _lb_options(scope: Scope) -> tuple[str | None, str]:
    """`; hash_fields="…"` and `; skip_snat`."""
    tokens = scope.tokens
    hash_fields = None
    flag = ""
    while tokens.accept(";"):
        if not flag and hash_fields is None and tokens.accept_word("hash_fields"):
            hash_fields = _hash_fields(scope)
        else:
            flag = _lb_flag(scope)
    return hash_fields, flag


def _lb_flag(scope: Scope) -> str:
    flag = one_word(scope, _FLAG_BITS)
    if flag is None:
        scope.tokens.expected("`;'")
    return flag


def _hash_fields(scope: Scope) -> str:
    tokens = scope.tokens
    tokens.force("=")
    if tokens.kind != "str":
        tokens.syntax_fault("invalid hash_fields")
    found: str = tokens.take("str", "")
    return found


def parse_select(scope: Scope, result: Part) -> Select:
    tokens = scope.tokens
    scope.check_not_last("select")
    if result.width < 16:
        tokens.fault(
            f'cannot use {result.width}-bit field {ranged_name(result)} for "select", which requires at least 16 bits.'
        )
    scope.check_writable(result)
    tokens.force("(")
    hash_fields = None
    if tokens.accept_word("values"):
        tokens.force("=")
        tokens.force("(")
        choices = _choices(scope)
        if not tokens.accept(";"):
            tokens.expected("`;'")
        if not tokens.accept_word("hash_fields"):
            tokens.expected("hash_fields")
        hash_fields = _hash_fields(scope)
        tokens.force(")")
    else:
        choices = _choices(scope)
    if len(choices) < 2:
        tokens.expected("at least 2 group members")
    return Select(result, choices, hash_fields)


def _choices(scope: Scope) -> tuple[tuple[int, int], ...]:
    """`ID[=WEIGHT], …` and the closing parenthesis."""
    tokens = scope.tokens
    found = []
    while not tokens.accept(")"):
        number = scope.decimal("id", 1 << 16)
        weight = DEFAULT_WEIGHT
        if tokens.accept("="):
            weight = scope.decimal("weight", 1 << 16)
            if not weight:
                tokens.syntax_fault("weight can't be 0")
        tokens.accept(",")
        found.append((number, weight))
    return tuple(found)


def parse_fwd_group(scope: Scope) -> FwdGroup:
    tokens = scope.tokens
    tokens.force("(")
    liveness = False
    if tokens.accept_word("liveness"):
        tokens.force("=")
        if tokens.kind not in ("id", "str") or tokens.value not in ("true", "false"):
            tokens.expected("true or false")
        liveness = tokens.value == "true"
        tokens.at += 1
        tokens.force(",")
    if not tokens.accept_word("childports"):
        tokens.expected("`;'")
    tokens.force("=")
    ports = []
    while not tokens.accept(")"):
        ports.append(tokens.take("str", "logical switch port"))
        tokens.accept(",")
    return FwdGroup(tuple(ports), liveness)


STATEMENTS: Statements = {
    **{name: _lb_parser(name) for name in _LB_KINDS},
    "fwd_group": parse_fwd_group,
}
RESULTS: Results = {"select": parse_select}
