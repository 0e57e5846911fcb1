"""What a translation is made of: its scene, its outcome, and a pipeline at rest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyovn.openflow.actions import Action, Actions
from pyovn.vswitch import ops
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.key import compiled
from pyovn.vswitch.tables import Table


class Frozen(NamedTuple):
    """A pipeline at rest: where it goes on when its packet comes back."""

    bridge: str
    table: int | None  #: table to look up first, None: none
    key: int  #: registers, metadata, in_port and the tunnel fields the pipeline set
    own: int  #: tunnel bits it set
    stack: tuple[int, ...] = ()
    #: (actions, table, cookie) still to be run, innermost first
    rest: tuple[tuple[Actions, int, int], ...] = ()
    action_set: tuple[Action, ...] = ()


class Lookup(NamedTuple):
    """One look-up of a translation; tells which flow changes can change its outcome."""

    table: Table
    key: int
    own: int
    priority: int  #: of the flow that was hit, -1: none


@dataclass(slots=True)
class Translation:
    """The outcome of one packet's way through the pipeline."""

    operations: list[ops.Op] = field(default_factory=list)
    consulted: int = 0
    credits: list[Any] = field(default_factory=list)  #: flows, groups, buckets, tables, patch ports it passed
    lookups: list[Lookup] = field(default_factory=list)
    lengths: set[int] = field(default_factory=set)  #: "is the frame longer than …" was asked
    groups: set[tuple[str, int]] = field(default_factory=set)
    learned: list[tuple[Bridge, int, int, int]] = field(default_factory=list)  #: (bridge, vlan, mac, port) for the FDB
    normal: set[str] = field(default_factory=set)  #: bridges whose FDB had a say
    error: str | None = None
    key: int = 0  #: the packet's key at the end


class Scene(NamedTuple):
    """What a translation takes place in."""

    bridges: dict[str, Bridge]
    freeze: Callable[[Frozen], int]  #: a recirculation id for a frozen pipeline
    pause: Callable[[Frozen], bytes]  #: a continuation for a paused one
    now: float
    effects: bool = True  #: learn for real
    report: Callable[[int, str], None] | None = None  #: told (column, line) of every step
    describe: Callable[[Action], str] = lambda action: action.kind


class Stop(Exception):
    """The translation hit a limit."""


def learn(operation: ops.Learnt, now: float) -> bool:
    """Install or refresh a learned flow; False where its limit forbids it."""
    tables, flow = operation.bridge.tables, operation.flow
    mask, value = compiled(flow.match)
    rules = tables.tables[flow.table].rules
    old = rules.find(mask, value, flow.priority)
    if old is not None and old.actions == flow.actions and old.cookie == flow.cookie:
        old.modified = old.used = now
        return True
    if old is None and operation.limit and sum(rule.cookie == flow.cookie for rule in rules) >= operation.limit:
        return False
    tables.add(flow, now)
    return True
