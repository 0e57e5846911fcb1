"""All the flows that units want: what the switch should hold, and which of it changed.

Several units may want a flow with the same table, priority and match.  Conjunction clauses are merged; of other
flows the one with the lowest cookie is taken, so that the outcome does not depend on who came first.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from pyovn.incr.relation import Facts, Relation
from pyovn.net.uuids import Uuid
from pyovn.openflow.actions import Conjunction
from pyovn.openflow.flows import Flow, FlowKey

Flows = Sequence[Flow]


class FlowFacts(Facts[FlowKey, Flow | None, Flows]):
    """Wanted flows by key: the flow itself, or a list where several units want one."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: dict[FlowKey, Flow | list[Flow]] = {}

    def replace(self, unit: Hashable, old: Flows | None, new: Flows | None) -> Iterable[FlowKey]:
        """Exchange what one unit wants.  A first fill spends much of its time here: one dict access per flow."""
        if old and new:
            before, after = frozenset(old), frozenset(new)
            gone: Iterable[Flow] = [flow for flow in old if flow not in after]
            come: Iterable[Flow] = [flow for flow in new if flow not in before]
        else:
            gone, come = old or (), new or ()
        wanted = self._wanted
        for flow in gone:
            self._remove(flow)
        for flow in come:
            key = flow[:3]
            if self.followed:
                self.touched[key] = None
            known = wanted.setdefault(key, flow)
            if known is not flow:
                wanted[key] = [*known, flow] if type(known) is list else [known, flow]  # type: ignore[list-item]
        return ()

    def _remove(self, flow: Flow) -> None:
        key = flow[:3]
        if self.followed:
            self.touched[key] = None
        known = self._wanted[key]
        if type(known) is not list:
            del self._wanted[key]
            return
        known = list(known)
        known.remove(flow)
        self._wanted[key] = known[0] if len(known) == 1 else known

    def get(self, key: FlowKey) -> Flow | None:
        """The flow that should be in the switch under this key."""
        known = self._wanted.get(key)
        return merged(known) if type(known) is list else known  # type: ignore[return-value]

    def everything(self) -> dict[FlowKey, Flow]:
        """All that should be in the switch; a copied dict, so that no key is hashed again."""
        flows: dict[FlowKey, Any] = self._wanted.copy()
        for key, known in self._wanted.items():
            if type(known) is list:
                flows[key] = merged(known)
        return flows

    def take(self) -> dict[FlowKey, None]:
        """The keys touched since the last call; all there are, the first time."""
        if not self.followed:
            self.followed = True
            return dict.fromkeys(self._wanted)
        return super().take()

    def __contains__(self, key: FlowKey) -> bool:
        return key in self._wanted

    def __iter__(self) -> Iterator[FlowKey]:
        return iter(self._wanted)

    def __len__(self) -> int:
        return len(self._wanted)


def merged(flows: Sequence[Flow]) -> Flow:
    """What becomes of flows with one key."""
    clauses = [flow for flow in flows if flow.actions and type(flow.actions[0]) is Conjunction]
    if len(clauses) < len(flows):
        return min((flow for flow in flows if flow not in clauses), key=_order)
    together = sorted({action for flow in clauses for action in flow.actions})
    return clauses[0]._replace(actions=tuple(together), cookie=0)


def _order(flow: Flow) -> tuple[int, str]:
    return flow.cookie, repr(flow.actions)


class FlowTable(Relation[FlowKey, Flow | None, Flows]):
    """The relation of wanted flows."""

    def facts(self) -> FlowFacts:
        """An empty table."""
        return FlowFacts()


FLOWS = FlowTable("flows")


def cookie_of(uuid: Uuid) -> int:
    """The flow cookie that names a row."""
    return int(uuid[:8], 16)


def as_flow_facts(facts: Facts[Any, Any, Any]) -> FlowFacts:
    """The facts of FLOWS, as what they are."""
    assert isinstance(facts, FlowFacts)
    return facts
