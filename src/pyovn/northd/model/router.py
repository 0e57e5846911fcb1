"""A logical router as its rules see it; its ports are in `model.router_port`."""

from typing import NamedTuple

from pyovn.northd.model.settings import Settings
from pyovn.northd.model.spelling import PLAIN, Spelling


class Site(NamedTuple):
    """What decides about the flows of load balancers on a router; many look alike."""

    gateways: tuple[str, ...]  #: the names of its distributed gateway ports
    forces_source: bool  #: `options:lb_force_snat_ip`: sources of balanced connections become the router's
    common_zone: bool
    spelling: Spelling


class Router(NamedTuple):
    """What decides about the flows of a logical router."""

    settings: Settings = Settings()
    spelling: Spelling = PLAIN  #: how its flows are written
    chassis: str = ""  #: of a gateway router: where all of it is
    gateways: tuple[str, ...] = ()  #: the names of its distributed gateway ports
    first_gateway: str = ""  #: one of these, whichever: that of the smallest UUID
    learns_from_requests: bool = True  #: `options:always_learn_from_arp_request`
    asks_for_neighbours: bool = False  #: `options:dynamic_neigh_routers`
    relays: bool = False  #: `options:mcast_relay`
    floods: bool = False  #: a port takes all multicast: `options:mcast_flood`
    bridges: bool = False  #: a port, be it no gateway port, has `options:redirect-type=bridged`
    measures: bool = False  #: a port has a `gateway_mtu`
    commits_all: bool = False  #: `options:ct-commit-all`
    distributes: bool = False  #: it has translations with MACs of their own, or distributed load balancers
    translated: frozenset[str] = frozenset()  #: its own addresses that sources are translated to, or virtual ones
    forced: frozenset[str] = frozenset()  #: the same, of the router's own that come with `lb_force_snat_ip`
    own: frozenset[str] = frozenset()  #: the addresses of its ports
    translates: bool = False  #: it has translations
    force_for_dnat: tuple[str, ...] = ()  #: `options:dnat_force_snat_ip`
    force_for_lb: tuple[str, ...] = ()  #: `options:lb_force_snat_ip`
    force_own: bool = False  #: the same, "router_ip"
    balances: bool = False  #: it has load balancers with anything to balance
    virtual: tuple[tuple[str, str], ...] = ()  #: address sets of virtual addresses that it answers for, by version
    tables: tuple[str, ...] = ()  #: of routes, but for the main one
    monitored: frozenset[str] = frozenset()  #: names of ports with BFD sessions

    @property
    def site(self) -> Site:
        """What its load balancers need to know."""
        forces = bool(self.force_own or self.force_for_lb)
        return Site(self.gateways, forces, self.common_zone, self.spelling)

    @property
    def distributed(self) -> bool:
        """Is it everywhere, with no gateway at all?"""
        return not self.chassis and not self.gateways

    @property
    def commits_both_zones(self) -> bool:
        """Are connections that are translated at a distributed gateway port remembered in both zones there?"""
        return self.settings.commits_to_zone and not self.commits_all and not self.common_zone

    @property
    def common_zone(self) -> bool:
        """Do translations at its distributed gateway ports share a zone of conntrack?"""
        return self.settings.common_zone and not self.chassis

    @property
    def only_gateway(self) -> str:
        """The distributed gateway port, where there is one and no other."""
        return self.gateways[0] if len(self.gateways) == 1 else ""
