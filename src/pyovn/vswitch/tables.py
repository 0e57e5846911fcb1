"""Flow tables 0–254 of one bridge: what flow-mods do to them, and what they count.

    ADD              put; an equal (match, priority) is replaced
    MODIFY[_STRICT]  new actions for all flows within the match (exactly this match and priority)
    DELETE[_STRICT]  …

Every change is kept in `changes` until the datapath has thrown out the cached results it touches, and in an undo log
while a bundle is being applied.  Time comes in as an argument, in seconds.  OpenFlow 1.5 §6.4.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from pyovn.openflow.actions import (
    LEARN_DELETE_LEARNED,
    OFPP_ANY,
    Actions,
    Conjunction,
    Group,
    Learn,
    Meter,
    Output,
    walk,
)
from pyovn.openflow.flows import (
    CHECK_OVERLAP,
    GROUP_ANY,
    RESET_COUNTS,
    SEND_FLOW_REM,
    TABLE_ALL,
    Flow,
)
from pyovn.openflow.match import Match
from pyovn.vswitch.classifier import Classifier
from pyovn.vswitch.errors import Refused
from pyovn.vswitch.key import compiled

TABLES = 255
ALL_COOKIES = 0
#: flow-mod failures: (type, code)
FLOW_MOD_FAILED, TABLE_FULL, BAD_TABLE_ID, OVERLAP, BAD_COMMAND = 5, 1, 2, 3, 6

Command = Literal["add", "modify", "modify_strict", "delete", "delete_strict"]
#: OFPRR_: why a flow was removed
Reason = Literal[0, 1, 2, 3, 4]
IDLE_TIMEOUT, HARD_TIMEOUT, DELETE, GROUP_DELETE, METER_DELETE = 0, 1, 2, 3, 4


class Rule:
    """An installed flow and its counters."""

    __slots__ = (
        "actions", "bytes", "conjunctions", "cookie", "created", "flags", "hard_timeout", "heir", "idle_timeout",
        "importance", "learned", "mask", "match", "modified", "packets", "priority", "table", "used", "value",
    )  # fmt: skip

    def __init__(self, flow: Flow, now: float) -> None:
        self.table = flow.table
        self.priority = flow.priority
        self.match = flow.match
        self.mask, self.value = compiled(flow.match)
        self.cookie = flow.cookie
        self.flags = flow.flags
        self.importance = flow.importance
        self.idle_timeout = flow.idle_timeout
        self.hard_timeout = flow.hard_timeout
        self.created = self.modified = self.used = now
        self.packets = self.bytes = 0
        self.heir: Rule | None = None  #: the flow that took its place, and its counters
        self.act(flow.actions)

    def act(self, actions: Actions) -> None:
        """Take over `actions`."""
        self.actions = actions
        self.conjunctions = (
            tuple(action for action in actions if isinstance(action, Conjunction))
            if actions and isinstance(actions[0], Conjunction)
            else ()
        )
        self.learned = tuple(
            (action.table, action.cookie)
            for action in (walk(actions) if any(action.kind in _NESTING for action in actions) else ())
            if isinstance(action, Learn) and action.flags & LEARN_DELETE_LEARNED
        )

    @property
    def flow(self) -> Flow:
        """The flow as it was asked for."""
        return Flow(
            self.table, self.priority, self.match, self.actions, self.cookie, self.idle_timeout, self.hard_timeout,
            self.flags, self.importance,
        )  # fmt: skip

    def sends_to(self, port: int) -> bool:
        """True if an action outputs to `port`."""
        return any(isinstance(action, Output) and action.port == port for action in walk(self.actions))

    def uses_group(self, group: int) -> bool:
        """True if an action applies `group`."""
        return any(isinstance(action, Group) and action.id == group for action in walk(self.actions))

    def uses_meter(self, meter: int) -> bool:
        """True if an action applies `meter`."""
        return any(isinstance(action, Meter) and action.id == meter for action in walk(self.actions))


_NESTING = frozenset(("learn", "clone", "write_actions"))


class FlowMod(NamedTuple):
    """A change of the flow tables."""

    command: Command
    flow: Flow
    cookie_mask: int = ALL_COOKIES
    out_port: int = OFPP_ANY
    out_group: int = GROUP_ANY
    #: the cookie of a matching flow is replaced (the request's cookie is not a filter only)
    new_cookie: bool = True


class Removed(NamedTuple):
    """A flow that has gone and wanted its going told."""

    rule: Rule
    reason: int


class Table:
    """One flow table."""

    __slots__ = ("id", "lookups", "matched", "rules")

    def __init__(self, id_: int) -> None:
        self.id = id_
        self.rules: Classifier[Rule] = Classifier()
        self.lookups = self.matched = 0


class FlowTables:
    """All flow tables of a bridge."""

    def __init__(self) -> None:
        self.tables = [Table(id_) for id_ in range(TABLES)]
        #: flows added, changed or removed that the datapath's cache does not know of yet
        self.changes: list[Rule] = []
        #: flows with a timeout
        self._mortal: set[Rule] = set()
        #: (table, cookie) -> how many flows learn such flows and take them along when they go
        self._learners: Counter[tuple[int, int]] = Counter()
        self._undo: list[Callable[[], None]] | None = None
        #: told of every flow that goes, unless a bundle is being rolled back
        self.on_removed: Callable[[Removed], None] = lambda removed: None
        #: told of every change: ("added" | "modified" | "deleted", flow, reason)
        self.on_change: Callable[[str, Rule, int], None] = lambda event, rule, reason: None

    def __iter__(self) -> Iterator[Rule]:
        for table in self.tables:
            yield from table.rules

    def apply(self, mod: FlowMod, now: float) -> None:
        """Carry out `mod`; raises Refused."""
        if mod.flow.table >= TABLES and not (mod.flow.table == TABLE_ALL and mod.command.startswith("delete")):
            raise Refused(FLOW_MOD_FAILED, BAD_TABLE_ID, f"no table {mod.flow.table}")
        if mod.command == "add":
            self.add(mod.flow, now)
        elif mod.command.startswith("modify"):
            for rule in self.selected(mod):
                self._modify(rule, mod, now)
        else:
            for rule in self.selected(mod):
                self.remove(rule, DELETE)

    def selected(self, mod: FlowMod) -> list[Rule]:
        """The flows that a modify, delete or statistics request is about."""
        flow = mod.flow
        mask, value = compiled(flow.match)
        tables = self.tables if flow.table == TABLE_ALL else (self.tables[flow.table],)
        found: list[Rule] = []
        for table in tables:
            if not table.rules.count:
                continue
            if mod.command.endswith("_strict"):
                rule = table.rules.find(mask, value, flow.priority)
                found += (rule,) if rule else ()
            else:
                found += table.rules.within(mask, value)
        return [rule for rule in found if self._wanted(rule, mod)]

    def _wanted(self, rule: Rule, mod: FlowMod) -> bool:
        return (
            not (rule.cookie ^ mod.flow.cookie) & mod.cookie_mask
            and (mod.out_port == OFPP_ANY or rule.sends_to(mod.out_port))
            and (mod.out_group == GROUP_ANY or rule.uses_group(mod.out_group))
        )

    def add(self, flow: Flow, now: float) -> Rule:
        """Install `flow`, replacing one of the same match and priority; raises Refused."""
        rule = Rule(flow, now)
        rules = self.tables[flow.table].rules
        old = rules.find(rule.mask, rule.value, rule.priority)
        if flow.flags & CHECK_OVERLAP:
            clash = rules.overlapping(rule.mask, rule.value, rule.priority)
            if clash is not None and clash is not old:
                raise Refused(FLOW_MOD_FAILED, OVERLAP, "overlapping flow")
        if old is not None:
            if not flow.flags & RESET_COUNTS:
                rule.packets, rule.bytes = old.packets, old.bytes
                old.heir = rule
            self._drop(old)
        self._insert(rule)

        def back() -> None:
            self._drop(rule)
            if old is not None:
                old.heir = None
                self._insert(old)

        self._remember(back)
        self.on_change("added" if old is None else "modified", rule, DELETE)
        return rule

    def remove(self, rule: Rule, reason: int) -> None:
        """Take `rule` out of its table."""
        self._drop(rule)
        self._remember(lambda: self._insert(rule))
        self.on_change("deleted", rule, reason)
        if rule.flags & SEND_FLOW_REM:
            self.on_removed(Removed(rule, reason))
        for table, cookie in rule.learned:
            self._forget(table, cookie)

    def _forget(self, table: int, cookie: int) -> None:
        """Remove what a vanished `learn` action learned, unless another one still claims it."""
        if not self._learners[table, cookie]:
            for learned in [each for each in self.tables[table].rules if each.cookie == cookie]:
                self.remove(learned, DELETE)

    def _modify(self, rule: Rule, mod: FlowMod, now: float) -> None:
        before = rule.actions, rule.cookie, rule.flags, rule.packets, rule.bytes, rule.modified
        classifier = self.tables[rule.table].rules
        classifier.remove(rule)
        self._learners.subtract(rule.learned)
        rule.act(mod.flow.actions)
        self._learners.update(rule.learned)
        classifier.add(rule)
        if mod.new_cookie:
            rule.cookie = mod.flow.cookie
        rule.modified = now
        if mod.flow.flags & RESET_COUNTS:
            rule.packets = rule.bytes = 0
        self.changes.append(rule)

        def back() -> None:
            classifier.remove(rule)
            self._learners.subtract(rule.learned)
            rule.act(before[0])
            self._learners.update(rule.learned)
            classifier.add(rule)
            rule.cookie, rule.flags, rule.packets, rule.bytes, rule.modified = before[1:]
            self.changes.append(rule)

        self._remember(back)
        self.on_change("modified", rule, DELETE)

    def _insert(self, rule: Rule) -> None:
        self.tables[rule.table].rules.add(rule)
        self.changes.append(rule)
        self._learners.update(rule.learned)
        if rule.idle_timeout or rule.hard_timeout:
            self._mortal.add(rule)

    def _drop(self, rule: Rule) -> None:
        self.tables[rule.table].rules.remove(rule)
        self.changes.append(rule)
        self._mortal.discard(rule)
        self._learners.subtract(rule.learned)

    def _remember(self, undo: Callable[[], None]) -> None:
        if self._undo is not None:
            self._undo.append(undo)

    def begin(self) -> None:
        """Start remembering how to undo what follows."""
        self._undo = []

    def commit(self) -> None:
        """Keep everything since `begin`."""
        self._undo = None

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        undo, self._undo = self._undo or [], None
        for step in reversed(undo):
            step()

    def expire(self, now: float) -> None:
        """Remove the flows whose time is over."""
        for rule in list(self._mortal):
            if rule.hard_timeout and now >= rule.modified + rule.hard_timeout:
                self.remove(rule, HARD_TIMEOUT)
            elif rule.idle_timeout and now >= rule.used + rule.idle_timeout:
                self.remove(rule, IDLE_TIMEOUT)

    @property
    def deadline(self) -> float | None:
        """When the first flow may have to go."""
        return min((_end(rule) for rule in self._mortal), default=None)


def _end(rule: Rule) -> float:
    ends = []
    if rule.hard_timeout:
        ends.append(rule.modified + rule.hard_timeout)
    if rule.idle_timeout:
        ends.append(rule.used + rule.idle_timeout)
    return min(ends)


def loose(match: Match = (), table: int = TABLE_ALL) -> FlowMod:
    """The selection of all flows of `table` within `match`."""
    return FlowMod("delete", Flow(table, 0, match, ()))
