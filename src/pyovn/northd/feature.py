"""What a feature is made of: rules, each a generator of flows for some stages.

    feature = Feature()

    @feature.fills(Stage, …)          rule(switch, stage)          for each switch
    @feature.serves(Stage, …)         rule(switch, port, stage)    for each port, or those whose `Shape` it wants
    @feature.router                   rule(router)                 for each logical router, and so on: see `Feature`

A rule is a pure function of the views it is given.  The place where it is written becomes `external_ids:source` of the
flows it makes.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache, reduce
from operator import xor
from pathlib import PurePath
from typing import Generic, NamedTuple, ParamSpec

from pyovn.net.uuids import Uuid, uuid_int
from pyovn.northd.model.acl import Acl
from pyovn.northd.model.addresses import Addresses
from pyovn.northd.model.balancer import Balancer, Vip
from pyovn.northd.model.mirror import Copying
from pyovn.northd.model.monitor import Probe, Target
from pyovn.northd.model.nat import Translation
from pyovn.northd.model.offers import Offer
from pyovn.northd.model.policies import Policy
from pyovn.northd.model.port import Port, Shape
from pyovn.northd.model.router import Router, Site
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.model.routes import Destination, Route
from pyovn.northd.model.spelling import Spelling, spelled
from pyovn.northd.model.switch import Switch
from pyovn.northd.pipeline import Flow, Stage
from pyovn.tables.nb import ForwardingGroup, QoS

SwitchRule = Callable[[Switch, Stage], Iterator[Flow]]
PortRule = Callable[[Switch, Port, Stage], Iterator[Flow]]
Wanted = Callable[[Shape], bool]
P = ParamSpec("P")


class Datapaths(frozenset[Uuid]):
    """Several datapaths that flows are on together; to be made once for all of these flows."""

    @cached_property
    def signature(self) -> int:
        """The exclusive or of the datapaths' numbers."""
        return reduce(xor, map(uuid_int, self), 0)


class Common(tuple[Flow, ...]):
    """Flows, each once, that many datapaths have; to be made once, and this one object given for each of them."""

    __slots__ = ()


class Origin(NamedTuple):
    """Where flows come from: datapaths, a row (the first 8 digits of its UUID; none if all of it), a rule."""

    datapath: str | Datapaths
    hint: str
    source: str


class Place(NamedTuple):
    """For what flows are made: datapaths, a row (or a part of its UUID), and how flows are written there."""

    datapath: str | Datapaths
    hint: str
    spelling: Spelling


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


class Rules(Generic[P]):
    """Rules about one kind of thing; a rule names the stages itself, in its flows."""

    def __init__(self) -> None:
        self.rules: list[tuple[Callable[P, Iterator[Flow]], str]] = []

    def __call__(self, rule: Callable[P, Iterator[Flow]]) -> Callable[P, Iterator[Flow]]:
        """Makes the decorated function a rule."""
        self.rules.append((rule, source(rule)))
        return rule

    def apply(self, place: "Place", *views: P.args, **named: P.kwargs) -> "Provenance":
        """(origin, flows) of all the rules."""
        made = []
        for rule, written in self.rules:
            flows = tuple(rule(*views, **named))
            if flows:
                made.append((Origin(place.datapath, place.hint, written), spelled(flows, place.spelling)))
        return tuple(made)


class Feature:
    """The rules of one file."""

    def __init__(self) -> None:
        self.router: Rules[[Router]] = Rules()  #: for each router
        self.router_port: Rules[[Router, RouterPort]] = Rules()  #: for each of its ports
        self.link: Rules[[Switch, Port, Router, RouterPort]] = Rules()  #: for each switch port that leads to a router
        self.route: Rules[[Router, Destination, tuple[Route, ...], int]] = Rules()  #: for each destination of routes
        self.next_hop: Rules[[str]] = Rules()  #: for each next hop of a static route
        self.policy: Rules[[Router, Policy]] = Rules()  #: for each policy
        #: for each translation, with the distributed gateway port that it is done at
        self.nat: Rules[[Router, Translation, RouterPort | None]] = Rules()
        self.nat_anywhere: Rules[[Translation]] = Rules()  #: for each translation on a router without any gateway
        #: for each translation and each switch that its router is attached to
        self.nat_link: Rules[[Switch, Router, RouterPort, Translation, str]] = Rules()
        #: for each translation that neighbouring routers know, and each of their ports on the same switch
        self.nat_route: Rules[[Router, Translation, RouterPort]] = Rules()
        self.peer: Rules[[RouterPort, RouterPort]] = Rules()  #: for each other router's port that one can reach
        self.offer: Rules[[Port, Offer]] = Rules()  #: for each MAC of a port that is answered by DHCP
        self.relay: Rules[[RouterPort, str]] = Rules()  #: for each router port that relays DHCP, and the server
        self.relayed: Rules[[Port, str, str]] = Rules()  #: for each port whose DHCP goes to a port with that MAC
        self.outside: Rules[[Switch, Port, Addresses]] = Rules()  #: for each external port and router address
        self.acl: Rules[[Switch, Acl]] = Rules()  #: for each ACL and each switch that it is on
        #: for each virtual address of a load balancer, and each switch that it is on
        self.balancer: Rules[[Switch, Balancer, Vip]] = Rules()
        self.router_balancer: Rules[[Site, Balancer, Vip]] = Rules()  #: likewise each router
        self.whole_balancer: Rules[[Balancer]] = Rules()  #: for each load balancer and each router that it is on
        self.vip_translated: Rules[[Balancer, Vip]] = Rules()  #: likewise a router that translates the same address
        #: for each virtual address and each switch where it is in a network of a router that balances it
        self.vip_link: Rules[[Switch, RouterPort, Vip, str]] = Rules()
        #: for each virtual address that neighbouring routers know, and each of their ports on the same switch
        self.vip_route: Rules[[Router, Vip, RouterPort]] = Rules()
        #: for two ports of routers on one switch, if the second's is known to have addresses beyond its networks
        self.beyond: Rules[[RouterPort, RouterPort, tuple[str, ...]]] = Rules()
        self.qos: Rules[[Switch, QoS]] = Rules()  #: for each QoS rule of a switch
        self.mirrored: Rules[[Port, Copying]] = Rules()  #: for each mirror of a port with its end at a logical port
        self.heard: Rules[[Switch, str]] = Rules()  #: for each multicast address that somebody on a switch listens to
        self.relayed_group: Rules[[Router, str]] = Rules()  #: likewise on a switch of a router that relays multicast
        self.forwarding: Rules[[Switch, ForwardingGroup]] = Rules()  #: for each forwarding group of a switch
        #: for each address that probes come from, with their MAC, and each switch where something is probed from it
        self.probe: Rules[[Switch, str, str]] = Rules()
        self.probe_reply: Rules[[Target, Probe]] = Rules()  #: for each service probed from a router port's address
        self.direct: Rules[[RouterPort, RouterPort]] = Rules()  #: for the port of another router at its other end
        self.passage: Rules[[Router, RouterPort, RouterPort]] = Rules()  #: for two ports, if the second has an MTU
        self.neighbour: Rules[[RouterPort, Port]] = Rules()  #: for each switch port that a router port can reach
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


def together(rules: Iterable[Rules[P]]) -> Rules[P]:
    """The rules of several features."""
    found: Rules[P] = Rules()
    for each in rules:
        found.rules += each.rules
    return found


class RuleBook:
    """The rules of several features, ready to be applied."""

    def __init__(self, features: Iterable[Feature]) -> None:
        listed = tuple(features)
        self.router = together(feature.router for feature in listed)
        self.router_port = together(feature.router_port for feature in listed)
        self.link = together(feature.link for feature in listed)
        self.route = together(feature.route for feature in listed)
        self.next_hop = together(feature.next_hop for feature in listed)
        self.policy = together(feature.policy for feature in listed)
        self.nat = together(feature.nat for feature in listed)
        self.nat_anywhere = together(feature.nat_anywhere for feature in listed)
        self.nat_link = together(feature.nat_link for feature in listed)
        self.nat_route = together(feature.nat_route for feature in listed)
        self.peer = together(feature.peer for feature in listed)
        self.offer = together(feature.offer for feature in listed)
        self.relay = together(feature.relay for feature in listed)
        self.relayed = together(feature.relayed for feature in listed)
        self.outside = together(feature.outside for feature in listed)
        self.acl = together(feature.acl for feature in listed)
        self.balancer = together(feature.balancer for feature in listed)
        self.router_balancer = together(feature.router_balancer for feature in listed)
        self.whole_balancer = together(feature.whole_balancer for feature in listed)
        self.vip_translated = together(feature.vip_translated for feature in listed)
        self.vip_link = together(feature.vip_link for feature in listed)
        self.beyond = together(feature.beyond for feature in listed)
        self.vip_route = together(feature.vip_route for feature in listed)
        self.qos = together(feature.qos for feature in listed)
        self.mirrored = together(feature.mirrored for feature in listed)
        self.heard = together(feature.heard for feature in listed)
        self.relayed_group = together(feature.relayed_group for feature in listed)
        self.forwarding = together(feature.forwarding for feature in listed)
        self.probe = together(feature.probe for feature in listed)
        self.probe_reply = together(feature.probe_reply for feature in listed)
        self.direct = together(feature.direct for feature in listed)
        self.passage = together(feature.passage for feature in listed)
        self.neighbour = together(feature.neighbour for feature in listed)
        self._switch = tuple(entry for feature in listed for entry in feature.switch_rules)
        self._port = tuple(entry for feature in listed for entry in feature.port_rules)
        self.for_switch = lru_cache(maxsize=4096)(self._for_switch)
        self._for_shape = lru_cache(maxsize=4096)(self._select)

    def _for_switch(self, switch: Switch) -> tuple[tuple[str, Common], ...]:
        """(source, flows) of all rules about a switch; computed once for all switches that look alike."""
        made = []
        for rule, stages, written in self._switch:
            flows = tuple(flow for stage in stages for flow in rule(switch, stage))
            if flows:
                made.append((written, Common(dict.fromkeys(spelled(flows, switch.spelling)))))
        return tuple(made)

    def _select(self, shape: Shape) -> tuple[tuple[PortRule, Stage, str], ...]:
        chosen = [entry for entry in self._port if entry.wanted(shape)]
        return tuple((entry.rule, stage, entry.source) for entry in chosen for stage in entry.stages)

    def for_port(self, switch: Switch, port: Port, datapath: str) -> "Provenance":
        """(origin, flows) of all rules about a port."""
        hint = port.row.uuid[:8]
        spelling = switch.spelling
        made = []
        for rule, stage, written in self._for_shape(port.shape):
            flows = tuple(rule(switch, port, stage))
            if flows:
                made.append((Origin(datapath, hint, written), spelled(flows, spelling)))
        return tuple(made)


Provenance = tuple[tuple[Origin, tuple[Flow, ...]], ...]
