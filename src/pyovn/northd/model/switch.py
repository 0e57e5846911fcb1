"""A logical switch as its rules see it.

Switches that look alike are equal, whatever their names: their flows are made once and shared.  So the view holds what
decides about flows and nothing else; what concerns single ports is in `model.port`.
"""

from typing import NamedTuple

from pyovn.northd.model.settings import Settings
from pyovn.northd.model.spelling import PLAIN, Spelling


class Switch(NamedTuple):
    """What decides about the flows of a logical switch."""

    settings: Settings = Settings()
    spelling: Spelling = PLAIN  #: how its flows are written
    passes_vlans: bool = False  #: `other_config:vlan-passthru`
    floods_unknown: bool = False  #: a port wants packets to unknown addresses
    has_vtep: bool = False  #: a hardware gateway is attached
    localnets: tuple[str, ...] = ()  #: the names of the localnet ports
    physical_network: str = ""  #: what the first of them is attached to
    relayed: bool = False  #: a router relays its multicast
    only_routers: bool = False  #: nobody else is attached
    arps_to_all_routers: bool = True  #: `other_config:broadcast-arps-to-all-routers`

    proxies: bool = False  #: a router answers for foreign addresses: `options:arp_proxy`

    snoops: bool = False  #: `other_config:mcast_snoop`
    floods_unregistered: bool = False  #: `other_config:mcast_flood_unregistered`
    has_static: bool = False  #: a port wants all multicast

    filtered: bool = False  #: it has ACLs
    related: bool = False  #: some of them judge by connection
    tiers: tuple[int, int, int] = (0, 0, 0)  #: the last tier of ACLs, by where they are judged: see `model.acl`
    announced: bool = False  #: a router on it tells the world outside where each of its guests is
    relays_dhcp: bool = False  #: `other_config:dhcp_relay_port`: its guests are not answered here
    resolves: bool = False  #: it has DNS records
    assigns: bool = False  #: it has addresses for ports that ask for some
    balanced: bool = False  #: it has load balancers
    mixes: bool = False  #: `other_config:enable-stateless-acl-with-lb`
    balances_untracked: bool = False  #: and it lists load balancers: connections are balanced that no ACL wants tracked

    @property
    def tracks(self) -> bool:
        """Are there connections to judge by?"""
        return self.related or self.balanced

    @property
    def has_localnet(self) -> bool:
        """Is it attached to a physical network?"""
        return bool(self.localnets)


#: facts about single ports that matter to their switch
LOCALNET, PROXY, STATIC, TAGGED, UNKNOWN, VTEP = "localnet", "proxy", "static", "tagged", "unknown", "vtep"
