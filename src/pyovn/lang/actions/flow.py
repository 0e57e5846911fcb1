"""Where the packet goes: `output`, `next`, `clone` and its like."""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass

from pyovn.lang.actions.env import LENGTHS, NOTHING, Actions, Env, Out, Pipeline, encode, text
from pyovn.lang.actions.scope import Scope, Statements
from pyovn.openflow.actions import Clone as OpenFlowClone
from pyovn.openflow.actions import Resubmit


@dataclass(frozen=True, slots=True)
class Output:
    """Deliver the packet to `outport`."""

    def __str__(self) -> str:
        return "output;"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(Resubmit(env.output_table))


@dataclass(frozen=True, slots=True)
class Next:
    """Go on in a logical table."""

    pipeline: Pipeline
    table: int
    #: the pipeline and table it was said in; going on to the next one there is plain `next;`
    from_pipeline: Pipeline
    from_table: int

    def __str__(self) -> str:
        if self.pipeline != self.from_pipeline:
            return f"next(pipeline={self.pipeline}, table={self.table});"
        return "next;" if self.table == self.from_table + 1 else f"next({self.table});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(Resubmit(env.openflow_table(self.pipeline, self.table)))


@dataclass(frozen=True, slots=True)
class Clone:
    """Do something to a copy of the packet."""

    nested: Actions

    def __str__(self) -> str:
        return f"clone {{ {text(self.nested)} }};"

    def needs(self) -> tuple[str, ...]:
        return tuple(need for action in self.nested for need in action.needs())

    def encode(self, env: Env, out: Out) -> None:
        out.append(OpenFlowClone(encode(self.nested, env)))


def parse_output(_scope: Scope) -> Output:
    return Output()


def parse_clone(scope: Scope) -> Clone:
    return Clone(scope.nested())


def parse_next(scope: Scope) -> Next:
    tokens = scope.tokens
    pipeline, table = scope.pipeline, scope.table + 1
    if tokens.accept("("):
        if tokens.kind == "num":
            table = _small(scope)
        else:
            pipeline, table = _named_arguments(scope, table)
        tokens.force(")")
    if table >= LENGTHS[pipeline]:
        tokens.fault(f'"next" action cannot advance beyond table {LENGTHS[pipeline]}.')
    return Next(pipeline, table, scope.pipeline, scope.table)


def _small(scope: Scope) -> int:
    return scope.decimal("small integer", 1 << 31)


def _named_arguments(scope: Scope, table: int) -> tuple[Pipeline, int]:
    tokens = scope.tokens
    pipeline = scope.pipeline
    while True:
        if tokens.accept_word("pipeline"):
            tokens.force("=")
            if tokens.accept_word("ingress"):
                pipeline = "ingress"
            elif tokens.accept_word("egress"):
                pipeline = "egress"
            else:
                tokens.expected('"ingress" or "egress"')
        elif tokens.accept_word("table"):
            tokens.force("=")
            table = _small(scope)
        else:
            tokens.expected('"pipeline" or "table"')
        if not tokens.accept(","):
            return pipeline, table


STATEMENTS: Statements = {"output": parse_output, "next": parse_next, "clone": parse_clone}
