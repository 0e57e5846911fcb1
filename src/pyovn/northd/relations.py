"""What the families hand to each other and to the sync; datapaths are known by the UUID of their northbound row."""

from collections.abc import Mapping
from typing import NamedTuple

from pyovn.incr.relation import Bag, Inverse, Named, Sets, Single
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Datapaths
from pyovn.northd.flowtable import FlowRelation
from pyovn.northd.model.acl import Kind
from pyovn.northd.model.balancer import Answering, Balancer, Virtual
from pyovn.northd.model.ipam import Claim, Pool, Wish
from pyovn.northd.model.meter import WantedMeter
from pyovn.northd.model.monitor import Probe, Target
from pyovn.northd.model.nat import Translation
from pyovn.northd.model.router import Router, Site
from pyovn.northd.model.router_port import Link, RouterPort
from pyovn.northd.model.routes import Destination, Route
from pyovn.northd.model.settings import Settings
from pyovn.northd.model.spelling import Limits
from pyovn.northd.model.switch import Switch

Columns = Mapping[str, object]  #: of a row


class Problem(NamedTuple):
    """Configuration that cannot be carried out; said once, in the log."""

    row: Uuid
    text: str


class WantedDatapath(NamedTuple):
    """What a Datapath_Binding is to say."""

    type: str
    name: str
    external_ids: Mapping[str, str]
    requested_key: int | None


class Binding(NamedTuple):
    """What a Port_Binding is to say."""

    datapath: Uuid
    type: str
    options: Mapping[str, str]
    mac: frozenset[str]
    port_security: frozenset[str]
    external_ids: Mapping[str, str]
    parent_port: str | None = None
    tag: int | None = None
    requested_key: int | None = None
    requested_chassis: Uuid | None = None
    requested_additional_chassis: frozenset[Uuid] = frozenset()
    ha_chassis_group: str | None = None
    mirrors: frozenset[Uuid] = frozenset()
    nat_addresses: frozenset[str] = frozenset()  #: what the controller announces: "MAC IP… [is_chassis_resident(…)]"
    mirror_port: str | None = None  #: the port that gets copies, of a port that stands for it


class WantedBalancer(NamedTuple):
    """What a Load_Balancer is to say."""

    name: str
    vips: Mapping[str, str]
    protocol: str | None
    options: Mapping[str, str]
    switches: frozenset[Uuid]
    routers: frozenset[Uuid]


class Session(NamedTuple):
    """What a BFD row is to say; times in milliseconds."""

    min_tx: int
    min_rx: int
    detect_mult: int
    needed: bool  #: a route or a policy depends on it


class StaticNeighbour(NamedTuple):
    """What a Static_MAC_Binding is to say."""

    router: Uuid
    logical_port: str
    ip: str
    mac: str
    override: bool


class NextHop(NamedTuple):
    """What an ECMP_Nexthop is to say, beside what it is about."""

    router: Uuid
    mac: str  #: as a chassis learned it; empty: none did, and what the row says stays


class Snooping(NamedTuple):
    """What an IP_Multicast is to say."""

    enabled: bool
    querier: bool
    eth_src: str
    ip4_src: str
    ip6_src: str
    table_size: int
    idle_timeout: int
    query_interval: int
    query_max_resp: int


class Names(NamedTuple):
    """What a DNS row is to say."""

    records: Mapping[str, str]
    owned: bool  #: nobody else answers for these names
    switches: tuple[Uuid, ...]


class Group(NamedTuple):
    """A Multicast_Group: names and keys with a fixed meaning, known to the controller; or with `ANY_KEY`."""

    name: str
    key: int


ANY_KEY = 0  #: of a group for an address that somebody listens to: any that is free
FLOOD = Group("_MC_flood", 32768)
UNKNOWN = Group("_MC_unknown", 32769)
ROUTER_FLOOD = Group("_MC_mrouter_flood", 32770)
STATIC = Group("_MC_static", 32771)
FLOOD_L2 = Group("_MC_flood_l2", 32772)

LIMITS: Single[Uuid, Limits] = Single("limits")  #: Copp → the meters of what reaches the controller
SETTINGS: Bag[str, Settings] = Bag("settings")  #: "" → the settings
OWNER: Bag[Uuid, Uuid] = Bag("owner")  #: port → switches that list it
SPECIAL: Bag[Uuid, tuple[str, str, str]] = Bag("special")  #: switch → (kind, port's name, detail)
PART_OF: Bag[Uuid, Uuid] = Bag("part_of")  #: QoS rule, or forwarding group → the switch that lists it
ACL_ON: Bag[Uuid, Uuid] = Bag("acl_on")  #: ACL → switches that it is on
ACL_KINDS: Bag[Uuid, Kind] = Bag("acl_kinds")  #: switch → the kinds of ACLs that are on it
PERSISTING: Bag[str, Uuid] = Bag("persisting")  #: "" → ACLs whose connections outlive changes
ACL_NUMBERS: Named[Uuid, int] = Named("acl_numbers")  #: those ACLs → the numbers that their connections carry
OWN_METER: Single[Uuid, str] = Single("own_meter")  #: ACL → the name of its copy of a meter
METERS: Named[str, WantedMeter] = Named("meters")  #: by name
BALANCER_ON: Bag[Uuid, Uuid] = Bag("balancer_on")  #: load balancer → switches that list it
BALANCER_AT: Bag[Uuid, Uuid] = Bag("balancer_at")  #: load balancer → routers that list it
BALANCER_IN: Bag[Uuid, Uuid] = Bag("balancer_in")  #: load balancer → groups that it is in
GROUP_ON: Bag[Uuid, Uuid] = Bag("group_on")  #: group of load balancers → switches that list it
GROUP_AT: Bag[Uuid, Uuid] = Bag("group_at")  #: group of load balancers → routers that list it
SWITCHES_OF: Single[Uuid, Datapaths] = Single("switches_of")  #: group of load balancers → all those switches
ROUTERS_OF: Single[Uuid, Datapaths] = Single("routers_of")  #: likewise the routers
#: group of load balancers → the switches that list it, by what they look like
ALIKE: Single[Uuid, tuple[tuple[Switch, Datapaths], ...]] = Single("alike")
SITES: Single[Uuid, tuple[tuple[Site, Datapaths], ...]] = Single("sites")  #: likewise the routers
BALANCES: Bag[Uuid, bool] = Bag("balances")  #: switch, router, or group with something to balance → is it distributed?
ROUTED: Bag[Uuid, str] = Bag("routed")  #: router, or group → IPv4 addresses that neighbouring routers know the way to
ROUTER_KEY: Bag[Uuid, int] = Bag("router_key")  #: router → its tunnel key
#: rows that are copied with their UUIDs → what they are to say
MIRRORS: Single[Uuid, Columns] = Single("mirrors")
VARIABLES: Single[Uuid, Columns] = Single("variables")
VIRTUAL: Bag[Uuid, Virtual] = Bag("virtual")  #: router, or group → virtual addresses
ANSWERING: Single[Uuid, Answering] = Single("answering")  #: router, or group → those, as its routers look for them
NEAR: Bag[tuple[str, int, int], Uuid] = Bag("near")  #: version, length and first address of a network → router ports
LENGTHS: Bag[str, int] = Bag("lengths")  #: version → lengths of such networks
VIRTUAL_AT: Bag[str, Uuid] = Bag("virtual_at")  #: virtual address → routers and groups that list its load balancer
BALANCER: Single[Uuid, tuple[Balancer, tuple[str, ...]]] = Single("balancer")  #: its view, and what is wrong with it
BALANCERS: Single[Uuid, WantedBalancer] = Single("balancers")
MONITORS: Named[Target, Probe] = Named("monitors")  #: what is probed → how
HEALTH_CHECK_OF: Bag[Uuid, Uuid] = Bag("health_check_of")  #: health check → switch ports that list it
HEALTH: Single[Uuid, str] = Single("health")  #: health check of a port → what its probe found
SWITCH: Single[Uuid, Switch] = Single("switch")  #: switch → its view
QUEUES: Named[str, int] = Named("queues")  #: port's name → queue
SHAPED: Bag[str, str] = Bag("shaped")  #: "" → names of ports that want a queue
FLOWS = FlowRelation("flows")
PROBLEMS: Bag[Uuid, str] = Bag("problems")  #: row → what is wrong with it

DATAPATHS: Single[Uuid, WantedDatapath] = Single("datapaths")
BINDINGS: Named[str, Binding] = Named("bindings")  #: by `logical_port`
MEMBERS: Bag[tuple[Uuid, Group], str] = Bag("members")  #: datapath and group → names of ports
HEARD: Bag[tuple[Uuid, str], str] = Bag("heard")  #: switch and multicast address → ports where somebody listens
HEARD_ON: Sets[Uuid, str] = Sets("heard_on")  #: switch → those addresses that have a flow of their own
CROWDED_OUT: Single[Uuid, frozenset[str]] = Single("crowded_out")  #: switch → those that its table has no room for
RELAYED: Bag[tuple[Uuid, str], str] = Bag("relayed")  #: router and multicast address → its ports to listeners
SNOOPING: Single[Uuid, Snooping] = Single("snooping")
ADDRESS_SETS: Named[str, frozenset[str]] = Named("address_sets")  #: by name
MEMBER_OF: Inverse[Uuid, Uuid] = Inverse("member_of")  #: switch port → port groups that it is in
GROUP_REACHES: Bag[Uuid, Uuid] = Bag("group_reaches")  #: port group → switches that have ports in it
GROUP_ADDRESSES: Sets[str, str] = Sets("group_addresses")  #: name of an address set → the addresses of a group's ports
PORT_GROUPS: Sets[tuple[str, Uuid], str] = Sets("port_groups")  #: name and datapath → names of ports
LIVENESS: Named[str, bool] = Named("liveness")  #: port's name → is it up
NESTED: Bag[str, tuple[str, int, int]] = Bag("nested")  #: parent's name → (port's name, VLAN wanted, VLAN in use)
TAGS: Named[str, int] = Named("tags")  #: nested port's name → the VLAN chosen for it
POOLS: Single[Uuid, Pool] = Single("pools")  #: switch → the addresses that its ports can be given
WISHES: Single[Uuid, Wish] = Single("wishes")  #: port → the addresses that it asks for
RELAYS: Bag[Uuid, tuple[str, str]] = Bag("relays")  #: switch → name of the port to a DHCP relay, and its MAC
RESOLVERS: Bag[Uuid, Uuid] = Bag("resolvers")  #: DNS row → switches that answer from it
NAMES: Single[Uuid, Names] = Single("names")  #: by DNS row
IP_CLAIMS: Bag[tuple[Uuid, int], Claim] = Bag("ip_claims")  #: switch and IPv4 address → who has it
MAC_CLAIMS: Bag[int, Claim] = Bag("mac_claims")  #: MAC with our prefix → who has it
HA_GROUPS: Named[str, frozenset[tuple[str, int]]] = Named("ha_groups")  #: by name: chassis and priorities
REFERRING: Named[str, frozenset[Uuid]] = Named("referring")  #: group's name → chassis that depend on it
PRESENT: Bag[tuple[Uuid, Uuid], bool] = Bag("present")  #: Datapath_Binding and chassis with guests there
HOSTS: Bag[Uuid, Uuid] = Bag("hosts")  #: switch → chassis with guests of it
REDUNDANT: Bag[str, tuple[Uuid, str]] = Bag("redundant")  #: "" → routers with gateways to choose from, and the group
COMPONENT: Bag[Uuid, str] = Bag("component")  #: a router → groups of gateways of all routers connected with it
CONNECTED: Bag[Uuid, Uuid] = Bag("connected")  #: that router → switches connected with it

HOSTED: Named[str, str] = Named("hosted")  #: gateway port's name → the chassis that serves it now
WATCHED: Bag[Uuid, Uuid] = Bag("watched")  #: BFD session → routes that depend on it
WATCHED_BY_POLICY: Bag[Uuid, Uuid] = Bag("watched_by_policy")  #: likewise policies
SESSIONS: Named[tuple[str, str], Session] = Named("sessions")  #: port's name and next hop → session
#: next hop and the port it is reached by → router; of routes with symmetric replies
NEXT_HOPS: Named[tuple[str, str], Uuid] = Named("next_hops")
WATCHED_HOPS: Single[tuple[str, str], NextHop] = Single("watched_hops")  #: those with their MACs
STATIC_NEIGHBOURS: Single[Uuid, StaticNeighbour] = Single("static_neighbours")  #: by northbound UUID

ROUTER_OF: Bag[Uuid, Uuid] = Bag("router_of")  #: router port → routers that list it
ROUTE_OF: Bag[Uuid, Uuid] = Bag("route_of")  #: static route → routers that list it
POLICY_OF: Bag[Uuid, Uuid] = Bag("policy_of")  #: policy → routers that list it
LINKS: Bag[str, Link] = Bag("links")  #: router port's name → switch ports that lead to it
ROUTER_PORT: Single[Uuid, RouterPort] = Single("router_port")  #: router port → its view
ROUTER_PORTS: Single[Uuid, tuple[RouterPort, ...]] = Single("router_ports")  #: router → its ports, by name
ATTACHED: Bag[Uuid, tuple[Uuid, bool]] = Bag("attached")  #: switch → (router port, does the router relay multicast?)
ROUTER: Single[Uuid, Router] = Single("router")  #: router → its view
SENDERS: Single[Uuid, tuple[str, ...]] = Single("senders")  #: router → MACs of its distributed translations
ROUTES: Bag[Destination, Route] = Bag("routes")
#: router, its port's name and a prefix → the port whose chassis is nearest to it (or none), is it that of a neighbour?
TOLD: Bag[tuple[Uuid, str, str], tuple[str, bool]] = Bag("told")
#: the same, of routers that tell the world outside: port, prefix, tracked port → router
ADVERTISED: Named[tuple[str, str, str], Uuid] = Named("advertised")
LEARNED: Single[Uuid, bool] = Single("learned")  #: Learned_Route → it belongs to a router that learns
ROUTE_TABLES: Bag[Uuid, str] = Bag("route_tables")  #: router → names of tables of routes
GROUPED: Bag[Uuid, Destination] = Bag("grouped")  #: router → destinations with a choice of routes
CHAINS: Bag[Uuid, str] = Bag("chains")  #: router → names of chains that policies are in
POLICY_GROUPS: Bag[Uuid, Uuid] = Bag("policy_groups")  #: router → policies with several next hops
NAT_OF: Bag[Uuid, Uuid] = Bag("nat_of")  #: translation → routers that list it
TRANSLATION: Single[Uuid, Translation] = Single("translation")  #: translation → its view
#: router and outside address → translations
OUTSIDE: Bag[tuple[Uuid, str], Uuid] = Bag("outside")
OUTSIDE_AT: Bag[str, Uuid] = Bag("outside_at")  #: outside address → routers with translations to it
NAT_FACTS: Bag[Uuid, Translation] = Bag("nat_facts")  #: router → its translations
