"""Flow sampling: `sample(probability=65535,collector_set=1,obs_domain=0,obs_point=$cookie);`"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Callable
from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.place import place
from pyovn.lang.actions.scope import Scope, Statements, full_name, needs_of
from pyovn.lang.match.parse import Part
from pyovn.openflow.actions import Sample as OpenFlowSample

COOKIE = "$cookie"

#: IPFIX observation domains are this byte above the datapath's key.
_DOMAIN_SHIFT = 24


@dataclass(frozen=True, slots=True)
class Sample:
    """Report a fraction of the packets to a set of collectors."""

    #: of 65535
    probability: int
    collector_set: int = 0
    obs_domain: int = 0
    #: a number, a field, or "$cookie": the first part of the logical flow's UUID
    obs_point: int | str | Part = 0

    def __str__(self) -> str:
        point = full_name(self.obs_point) if isinstance(self.obs_point, Part) else self.obs_point
        return (
            f"sample(probability={self.probability},collector_set={self.collector_set},"
            f"obs_domain={self.obs_domain},obs_point={point});"
        )

    def needs(self) -> tuple[str, ...]:
        return needs_of(self.obs_point) if isinstance(self.obs_point, Part) else NOTHING

    def encode(self, env: Env, out: Out) -> None:
        if env.collector_sets is not None and self.collector_set not in env.collector_sets:
            return
        point = self.obs_point
        value = place(point) if isinstance(point, Part) else env.cookie if isinstance(point, str) else point
        domain = self.obs_domain << _DOMAIN_SHIFT | env.datapath
        out.append(OpenFlowSample(self.probability, self.collector_set, domain, value))


def _probability(scope: Scope) -> int:
    return scope.decimal("probability", 1 << 16)


def _collector_set(scope: Scope) -> int:
    return scope.decimal("collector_set", 1 << 64) & 0xFFFFFFFF


def _obs_domain(scope: Scope) -> int:
    tokens = scope.tokens
    if scope.number().value >= 1 << 8:
        tokens.syntax_fault("obs_domain must be 8-bit long")
    return scope.decimal("obs_domain", 1 << 8)


def _obs_point(scope: Scope) -> int | str | Part:
    tokens = scope.tokens
    if tokens.kind == "$" and tokens.value == "cookie":
        tokens.at += 1
        return COOKIE
    if tokens.kind == "num":
        return scope.decimal("obs_point", 1 << 64) & 0xFFFFFFFF
    return scope.field_of(32)


_READERS: dict[str, Callable[[Scope], int | str | Part]] = {
    "probability": _probability,
    "collector_set": _collector_set,
    "obs_domain": _obs_domain,
    "obs_point": _obs_point,
}


def parse_sample(scope: Scope) -> Sample:
    tokens = scope.tokens
    tokens.force("(")
    found: dict[str, int | str | Part] = {"probability": 0}
    while not tokens.accept(")"):
        key = tokens.value if tokens.kind == "id" else ""
        if key not in _READERS:
            tokens.syntax_fault("unknown argument")
        tokens.at += 1
        tokens.force("=")
        found[key] = _READERS[key](scope)
        tokens.accept(",")
    if not found["probability"]:
        tokens.fault("probability must be greater than zero")
    return Sample(**found)  # type: ignore[arg-type]  # the readers know the types


STATEMENTS: Statements = {"sample": parse_sample}
