"""What a feature is made of: rules, each a generator of flows for some stages.

    feature = Feature()

    @feature.fills(Stage, …)          rule(switch, stage)          for each switch
    @feature.serves(Stage, …)         rule(switch, port, stage)    for each port, or those whose `Shape` it wants

A rule is a pure function of the views it is given.  The place where it is written becomes `external_ids:source` of the
flows it makes.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import PurePath
from typing import NamedTuple

from pyovn.northd.model.port import Port, Shape
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import DROP, Flow, Stage

SwitchRule = Callable[[Switch, Stage], Iterator[Flow]]
PortRule = Callable[[Switch, Port, Stage], Iterator[Flow]]
Wanted = Callable[[Shape], bool]


class Origin(NamedTuple):
    """Where flows come from: a datapath, a row (the first 8 digits of its UUID; none if all of it), a rule."""

    datapath: str
    hint: str
    source: str


class PortEntry(NamedTuple):
    """A rule about ports."""

    rule: PortRule
    stages: tuple[Stage, ...]
    source: str
    wanted: Wanted


class SwitchEntry(NamedTuple):
    """A rule about switches."""

    rule: SwitchRule
    stages: tuple[Stage, ...]
    source: str


class Feature:
    """The rules of one file."""

    def __init__(self) -> None:
        self.switch_rules: list[SwitchEntry] = []
        self.port_rules: list[PortEntry] = []

    def fills(self, *stages: Stage) -> Callable[[SwitchRule], SwitchRule]:
        """Makes the decorated function a rule about switches."""

        def decorate(rule: SwitchRule) -> SwitchRule:
            self.switch_rules.append(SwitchEntry(rule, stages, source(rule)))
            return rule

        return decorate

    def serves(self, *stages: Stage, when: Wanted) -> Callable[[PortRule], PortRule]:
        """Makes the decorated function a rule about the ports whose shape satisfies `when`."""

        def decorate(rule: PortRule) -> PortRule:
            self.port_rules.append(PortEntry(rule, stages, source(rule), when))
            return rule

        return decorate


def source(rule: Callable[..., object]) -> str:
    """File and line of a rule."""
    code = rule.__code__
    return f"{PurePath(code.co_filename).name}:{code.co_firstlineno}"


class RuleBook:
    """The rules of several features, ready to be applied."""

    def __init__(self, features: Iterable[Feature]) -> None:
        listed = tuple(features)
        self._switch = tuple(entry for feature in listed for entry in feature.switch_rules)
        self._port = tuple(entry for feature in listed for entry in feature.port_rules)
        self.for_switch = lru_cache(maxsize=4096)(self._for_switch)
        self._for_shape = lru_cache(maxsize=4096)(self._select)

    def _for_switch(self, switch: Switch) -> tuple[tuple[str, tuple[Flow, ...]], ...]:
        """(source, flows) of all rules about a switch; computed once for all switches that look alike."""
        made = []
        for rule, stages, written in self._switch:
            flows = tuple(flow for stage in stages for flow in rule(switch, stage))
            if flows:
                made.append((written, spelled(flows, switch.settings.drop)))
        return tuple(made)

    def _select(self, shape: Shape) -> tuple[tuple[PortRule, Stage, str], ...]:
        chosen = [entry for entry in self._port if entry.wanted(shape)]
        return tuple((entry.rule, stage, entry.source) for entry in chosen for stage in entry.stages)

    def for_port(self, switch: Switch, port: Port, datapath: str) -> "Provenance":
        """(origin, flows) of all rules about a port."""
        hint = port.row.uuid[:8]
        drop = switch.settings.drop
        plain = drop == DROP
        made = []
        for rule, stage, written in self._for_shape(port.shape):
            flows = tuple(rule(switch, port, stage))
            if flows:
                made.append((Origin(datapath, hint, written), flows if plain else spelled(flows, drop)))
        return tuple(made)


def spelled(flows: tuple[Flow, ...], drop: str) -> tuple[Flow, ...]:
    """The flows, those that drop packets in the way that is wanted."""
    if drop == DROP:
        return flows
    return tuple(flow._replace(actions=drop) if flow.actions == DROP else flow for flow in flows)


Provenance = tuple[tuple[Origin, tuple[Flow, ...]], ...]
