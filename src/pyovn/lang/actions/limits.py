"""Queues, meters and packet length.

set_queue(N);   set_meter(RATE[, BURST]);   R = check_pkt_larger(L);
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, MeterRequest, Out
from pyovn.lang.actions.place import place
from pyovn.lang.actions.scope import Results, Scope, Statements, full_name
from pyovn.lang.match.parse import Part
from pyovn.openflow.actions import CheckPktLarger as OpenFlowCheckPktLarger
from pyovn.openflow.actions import Meter
from pyovn.openflow.actions import SetQueue as OpenFlowSetQueue

MAX_QUEUE = 61440


@dataclass(frozen=True, slots=True)
class SetQueue:
    """Choose the queue of the output; 0 is the default one."""

    queue: int

    def __str__(self) -> str:
        return f"set_queue({self.queue});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(OpenFlowSetQueue(self.queue))


@dataclass(frozen=True, slots=True)
class SetMeter:
    """Drop what exceeds a rate in kb/s."""

    rate: int
    burst: int

    def __str__(self) -> str:
        return f"set_meter({self.rate}, {self.burst});" if self.burst else f"set_meter({self.rate});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(Meter(env.meter(MeterRequest(self.rate, self.burst))))


@dataclass(frozen=True, slots=True)
class CheckPktLarger:
    """Whether the packet is longer than a number of bytes."""

    result: Part
    length: int

    def __str__(self) -> str:
        return f"{full_name(self.result)} = check_pkt_larger({self.length});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        field, bit, _ = place(self.result)
        out.append(OpenFlowCheckPktLarger(self.length, field, bit))


def parse_set_queue(scope: Scope) -> SetQueue:
    tokens = scope.tokens
    tokens.force("(")
    queue = _decimal(scope)
    if queue > MAX_QUEUE:
        tokens.fault(f"Queue ID {queue} for set_queue is not in valid range 0 to {MAX_QUEUE}.")
    tokens.force(")")
    return SetQueue(queue)


def _decimal(scope: Scope) -> int:
    """A decimal integer; anything else is said to lack the statement's end."""
    return scope.decimal("`;'", 1 << 31)


def parse_set_meter(scope: Scope) -> SetMeter:
    tokens = scope.tokens
    tokens.force("(")
    if tokens.accept(")"):
        tokens.expected("`)'")
    rate, _, notation = scope.number()
    if not rate or notation != "decimal":
        tokens.fault(f"Rate {rate if notation == 'decimal' else 0} for set_meter is not in valid.")
    tokens.at += 1
    burst = scope.decimal("integer", 1 << 64) if tokens.accept(",") else 0
    tokens.force(")")
    return SetMeter(rate, burst)


def parse_check_pkt_larger(scope: Scope, result: Part) -> CheckPktLarger:
    scope.check_result(result)
    scope.tokens.force("(")
    length = _decimal(scope)
    scope.tokens.force(")")
    return CheckPktLarger(result, length & 0xFFFF)


STATEMENTS: Statements = {"set_queue": parse_set_queue, "set_meter": parse_set_meter}
RESULTS: Results = {"check_pkt_larger": parse_check_pkt_larger}
