"""Wanted against installed: what to tell the switch, and nothing else.

first      the switch's own flows are read back; the difference to the wanted ones is one bundle, so that
           packets meet either the old flows or the new ones
then       only keys that were touched since
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyovn.controller.flowtable import FlowFacts
from pyovn.openflow.flows import Flow, FlowKey, GroupDef, MeterDef


@dataclass(slots=True)
class Difference:
    """What makes the switch hold what is wanted, in the order in which it must happen."""

    meters: list[MeterDef] = field(default_factory=list)
    groups: list[GroupDef] = field(default_factory=list)
    #: strictly deleted
    gone: list[Flow] = field(default_factory=list)
    #: added, or overwritten where table, priority and match are known
    come: list[Flow] = field(default_factory=list)
    stale_groups: list[int] = field(default_factory=list)
    stale_meters: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.meters or self.groups or self.gone or self.come or self.stale_groups or self.stale_meters)


class Installed:
    """What the switch holds, as far as we were told or told it ourselves."""

    def __init__(self) -> None:
        self.flows: dict[FlowKey, Flow] = {}
        self.groups: dict[int, GroupDef] = {}
        self.meters: dict[int, MeterDef] = {}
        self._complete = False

    def read_back(
        self, flows: Iterable[Flow], groups: Iterable[GroupDef] = (), meters: Iterable[MeterDef] = ()
    ) -> None:
        """Take what a switch reports it holds; learned flows are its own business."""
        self.flows = {flow.key: flow for flow in flows}
        self.groups = {group.id: group for group in groups}
        self.meters = {meter.id: meter for meter in meters}
        self._complete = False

    def difference(
        self, wanted: FlowFacts, groups: Mapping[int, GroupDef], meters: Mapping[int, MeterDef]
    ) -> Difference:
        """What is to be told; afterwards the switch counts as told."""
        found = Difference()
        self._meters(found, meters)
        self._groups(found, groups)
        touched = wanted.take()
        if self._complete:
            self._touched(found, wanted, touched)
        else:
            self._everything(found, wanted.everything())
            self._complete = True
        return found

    def _everything(self, found: Difference, wanted: dict[FlowKey, Flow]) -> None:
        flows, self.flows = self.flows, wanted
        if not flows:
            found.come += wanted.values()
            return
        found.gone += [flow for key, flow in flows.items() if key not in wanted]
        for key, want in wanted.items():
            have = flows.get(key)
            if have is None or _differ(have, want):
                found.come.append(want)

    def _touched(self, found: Difference, wanted: FlowFacts, touched: Iterable[FlowKey]) -> None:
        flows = self.flows
        for key in touched:
            want, have = wanted.get(key), flows.get(key)
            if want is None:
                if have is not None:
                    found.gone.append(flows.pop(key))
            elif have is None or _differ(have, want):
                found.come.append(want)
                flows[key] = want

    def _groups(self, found: Difference, wanted: Mapping[int, GroupDef]) -> None:
        found.groups = [group for id_, group in wanted.items() if self.groups.get(id_) != group]
        found.stale_groups = [id_ for id_ in self.groups if id_ not in wanted]
        self.groups = dict(wanted)

    def _meters(self, found: Difference, wanted: Mapping[int, MeterDef]) -> None:
        found.meters = [meter for id_, meter in wanted.items() if self.meters.get(id_) != meter]
        found.stale_meters = [id_ for id_ in self.meters if id_ not in wanted]
        self.meters = dict(wanted)


def _differ(have: Flow, want: Flow) -> bool:
    return have.actions != want.actions or have.cookie != want.cookie
