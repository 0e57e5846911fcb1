"""northd over two sources of rows, with no process around it.

    changed rows ──► Engine ──► wanted ──► sync ──► a southbound transaction
                                              └───► a northbound transaction

What is wanted is a function of the rows.  What is to be *done* about it depends on what the southbound database holds,
which the sync objects keep track of; `settled` and `failed` tell them how a transaction went.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pyovn.incr.engine import Changes, Engine, Source
from pyovn.net.uuids import Uuid
from pyovn.northd import relations as are
from pyovn.northd.families import FAMILIES
from pyovn.northd.flowtable import FlowTable
from pyovn.northd.model.chassis import has_vxlan, know_groups_apart, remote_chassis
from pyovn.northd.sync import constants, datapath_binding, port_binding, upkeep
from pyovn.northd.sync.bfd import SessionStateSync, SessionSync
from pyovn.northd.sync.datapath_binding import DatapathSync
from pyovn.northd.sync.delegated import DelegatedSync
from pyovn.northd.sync.dns import NameSync
from pyovn.northd.sync.flows import FlowSync
from pyovn.northd.sync.ha_chassis_group import HAGroupSync
from pyovn.northd.sync.leases import LeaseSync
from pyovn.northd.sync.load_balancer import BalancerSync
from pyovn.northd.sync.meter import MeterSync
from pyovn.northd.sync.multicast_group import GroupSync
from pyovn.northd.sync.northbound import PortStateSync, RouterPortStateSync
from pyovn.northd.sync.port_binding import PortSync
from pyovn.northd.sync.references import References
from pyovn.northd.sync.route import AdvertisedRouteSync, LearnedRouteSync
from pyovn.northd.sync.rows import RowSync
from pyovn.northd.sync.service_monitor import MonitorSync, health_of_ports
from pyovn.northd.sync.simple import (
    ACLNumberSync,
    AddressSetSync,
    NextHopSync,
    PortGroupSync,
    SnoopingSync,
    StaticNeighbourSync,
    TwinSync,
)
from pyovn.ovsdb.model import Row, table_name
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb

Json = Any

#: the northbound tables that northd reads, and the columns (None: all)
NORTHBOUND: Mapping[type[Row], Sequence[str] | None] = {
    nb.NBGlobal: (
        "name", "nb_cfg", "nb_cfg_timestamp", "sb_cfg", "sb_cfg_timestamp", "hv_cfg", "hv_cfg_timestamp", "options",
        "ipsec",
    ),
    nb.LogicalSwitch: None,
    nb.LogicalSwitchPort: None,
    nb.ACL: None,
    nb.LoadBalancer: ("name", "vips", "protocol", "selection_fields", "ip_port_mappings", "options", "health_check"),
    nb.LoadBalancerGroup: None,
    nb.LoadBalancerHealthCheck: None,
    nb.LogicalSwitchPortHealthCheck: None,
    nb.QoS: None,
    nb.ForwardingGroup: None,
    nb.Meter: None,
    nb.Copp: None,
    nb.MeterBand: None,
    nb.AddressSet: ("name", "addresses"),
    nb.PortGroup: ("name", "ports", "acls"),
    nb.HAChassisGroup: None,
    nb.HAChassis: None,
    nb.Mirror: None,
    nb.MirrorRule: None,
    nb.LogicalRouter: None,
    nb.LogicalRouterPort: None,
    nb.LogicalRouterStaticRoute: None,
    nb.LogicalRouterPolicy: None,
    nb.NAT: None,
    nb.DHCPOptions: None,
    nb.DHCPRelay: ("name", "servers"),
    nb.DNS: None,
    nb.BFD: ("logical_port", "dst_ip", "min_tx", "min_rx", "detect_mult", "status"),
    nb.StaticMACBinding: None,
    nb.GatewayChassis: None,
    nb.ChassisTemplateVar: ("chassis", "variables"),
}  # fmt: skip
#: the southbound tables, likewise; Logical_Flow is read in its own way
SOUTHBOUND: Mapping[type[Row], Sequence[str] | None] = {
    sb.SBGlobal: ("nb_cfg", "options", "ipsec"),
    sb.Chassis: ("name", "hostname", "other_config"),
    sb.Encap: ("type", "chassis_name"),
    sb.ChassisPrivate: ("name", "nb_cfg", "nb_cfg_timestamp"),
    sb.DatapathBinding: None,
    sb.PortBinding: (
        "logical_port", "type", "options", "datapath", "tunnel_key", "parent_port", "tag", "chassis", "mac",
        "port_security", "up", "external_ids", "requested_chassis", "requested_additional_chassis",
        "ha_chassis_group", "nat_addresses", "mirror_rules", "mirror_port",
    ),
    sb.MulticastGroup: None,
    sb.IPMulticast: None,
    sb.IGMPGroup: ("address", "ports"),
    sb.ACLID: None,
    sb.AddressSet: None,
    sb.LoadBalancer: None,
    sb.ServiceMonitor: None,
    sb.Meter: None,
    sb.MeterBand: None,
    sb.PortGroup: None,
    sb.LogicalDPGroup: None,
    sb.HAChassisGroup: ("name", "ha_chassis", "ref_chassis"),
    sb.HAChassis: None,
    sb.DNS: None,
    sb.DHCPOptions: None,
    sb.DHCPv6Options: None,
    sb.BFD: None,
    sb.StaticMACBinding: None,
    sb.ECMPNexthop: None,
    sb.MACBinding: ("logical_port", "ip", "mac"),
    sb.ChassisTemplateVar: None,
    sb.Mirror: None,
    sb.AdvertisedRoute: None,
    sb.LearnedRoute: None,
    sb.RBACRole: None,
    sb.RBACPermission: None,
}  # fmt: skip
#: columns that northd writes; units that read them say so
QUIET: Mapping[type[Row], Sequence[str]] = {
    nb.LogicalSwitchPort: ("up", "tag"),
    nb.LogicalRouterPort: ("status",),
    nb.BFD: ("status",),
}


class Compiler:
    """Everything northd knows."""

    def __init__(self, northbound: Source, southbound: Source, random: upkeep.Random) -> None:
        self.northbound = northbound
        self.southbound = southbound
        self.random = random
        self.most = datapath_binding.MOST  #: the largest key of a datapath
        sources: dict[type[Row], Source] = {
            **dict.fromkeys(NORTHBOUND, northbound),
            **dict.fromkeys(SOUTHBOUND, southbound),
        }
        self.engine = Engine(FAMILIES, sources, QUIET)
        facts = self.engine.facts
        self.references = References()
        flow_table = facts(are.FLOWS)
        assert isinstance(flow_table, FlowTable)
        self.flows = FlowSync(flow_table, self.references)
        self.datapaths = DatapathSync(facts(are.DATAPATHS), self.references)
        self.ports = PortSync(facts(are.BINDINGS), self.references)
        self.groups = GroupSync(facts(are.MEMBERS), self.references)
        self.snooping = SnoopingSync(facts(are.SNOOPING), self.references)
        self.address_sets = AddressSetSync(facts(are.ADDRESS_SETS), facts(are.GROUP_ADDRESSES))
        self.names = NameSync(facts(are.NAMES), self.references)
        self.meters = MeterSync(facts(are.METERS), southbound)
        self.acl_numbers = ACLNumberSync(facts(are.ACL_NUMBERS))
        self.port_groups = PortGroupSync(facts(are.PORT_GROUPS), self.datapaths)
        self.ha_groups = HAGroupSync(facts(are.HA_GROUPS), facts(are.REFERRING), southbound)
        self.leases = LeaseSync(facts(are.WISHES), facts(are.IP_CLAIMS), facts(are.MAC_CLAIMS))
        self.port_states = PortStateSync(facts(are.LIVENESS), facts(are.BINDINGS), facts(are.TAGS))
        self.delegated = DelegatedSync(northbound)
        self.monitors = MonitorSync(facts(are.MONITORS), southbound)
        self.balancers = BalancerSync(facts(are.BALANCERS), self.flows)
        self.router_port_states = RouterPortStateSync(facts(are.HOSTED))
        self.sessions = SessionSync(facts(are.SESSIONS), random)
        self.session_states = SessionStateSync(self.sessions)
        self.static_neighbours = StaticNeighbourSync(facts(are.STATIC_NEIGHBOURS), self.references)
        self.next_hops = NextHopSync(facts(are.WATCHED_HOPS), self.references, southbound)
        self.variables = TwinSync(sb.ChassisTemplateVar, facts(are.VARIABLES))
        self.mirrors = TwinSync(sb.Mirror, facts(are.MIRRORS))
        self.advertised_routes = AdvertisedRouteSync(facts(are.ADVERTISED), self.references, southbound)
        self.learned_routes = LearnedRouteSync(facts(are.LEARNED))
        self.dhcp4, self.dhcp6 = constants.DHCP4Sync(), constants.DHCP6Sync()
        self.permissions = constants.PermissionSync()
        self.roles = constants.RoleSync(self.permissions)
        self._touched: tuple[tuple[RowSync[Any, Any], Any], ...] = (
            (self.datapaths, facts(are.DATAPATHS)),
            (self.ha_groups, facts(are.HA_GROUPS)),
            (self.ports, facts(are.BINDINGS)),
            (self.groups, facts(are.MEMBERS)),
            (self.snooping, facts(are.SNOOPING)),
            (self.address_sets, facts(are.ADDRESS_SETS)),
            (self.names, facts(are.NAMES)),
            (self.meters, facts(are.METERS)),
            (self.monitors, facts(are.MONITORS)),
            (self.acl_numbers, facts(are.ACL_NUMBERS)),
            (self.sessions, facts(are.SESSIONS)),
            (self.static_neighbours, facts(are.STATIC_NEIGHBOURS)),
            (self.next_hops, facts(are.WATCHED_HOPS)),
            (self.variables, facts(are.VARIABLES)),
            (self.mirrors, facts(are.MIRRORS)),
            (self.advertised_routes, facts(are.ADVERTISED)),
            (self.learned_routes, facts(are.LEARNED)),
        )
        self._tables: tuple[RowSync[Any, Any], ...] = (
            *(sync for sync, _ in self._touched),
            self.port_groups,
            self.dhcp4,
            self.dhcp6,
            self.permissions,
            self.roles,
            self.balancers,
        )
        self.everything()

    def everything(self) -> None:
        """Look at all that is wanted again."""
        for sync, facts in self._touched:
            sync.touch_all()
            sync.touch(facts)
        self.leases.everything()
        self.port_groups.touch_all()
        self.port_groups.rename(dict.fromkeys(self.engine.facts(are.PORT_GROUPS)), {})
        self.dhcp4.touch(self.dhcp4.options)
        self.dhcp6.touch(self.dhcp6.options)
        self.permissions.touch(constants.PERMISSIONS)
        self.roles.touch([constants.ROLE])
        self.balancers.touch_all()
        self.balancers.touch(self.engine.facts(are.BALANCERS))
        self._global_dirty = True

    def run(self, changes: Changes) -> None:
        """Take in changed rows of either database."""
        if sb.DatapathBinding in changes:
            self.datapaths.seen(changes[sb.DatapathBinding])
        if sb.LogicalDPGroup in changes:
            self.flows.groups_seen(changes[sb.LogicalDPGroup])
        for sync in self._tables:
            if sync is not self.datapaths and sync.cls in changes:
                sync.seen(changes[sync.cls])
        self._states_seen(changes)
        if sb.Chassis in changes:
            self.balancers.group(apart=know_groups_apart(self.southbound.rows(sb.Chassis).values()))
        if sb.PortBinding in changes:
            self.monitors.moved(changes[sb.PortBinding])
            self.delegated.seen(changes[sb.PortBinding])
        if changes.keys() & {sb.HAChassis, sb.Chassis}:
            self.ha_groups.touch_all()
        if changes.keys() & {nb.NBGlobal, sb.SBGlobal, sb.Encap, sb.Chassis}:
            self._global_dirty = True
            self._limit_keys()
        # no unit reads these; their UUIDs, which are those of the northbound rows, would mislead it
        unread = (sb.LoadBalancer, sb.StaticMACBinding, sb.ChassisTemplateVar, sb.Mirror, sb.AdvertisedRoute)
        self.engine.run({cls: rows for cls, rows in changes.items() if cls not in unread})

    def _states_seen(self, changes: Changes) -> None:
        """Note what there is of the rows that go back."""
        if nb.LogicalSwitchPort in changes:
            self.port_states.seen(changes[nb.LogicalSwitchPort])
        if nb.LogicalRouterPort in changes:
            self.router_port_states.seen(changes[nb.LogicalRouterPort])
        if nb.BFD in changes:
            self.session_states.seen(changes[nb.BFD])
        if sb.BFD in changes:
            self.session_states.touch_all()

    def _limit_keys(self) -> None:
        """VXLAN has room for small keys only."""
        remote = remote_chassis(self.southbound.rows(sb.Chassis).values())
        options = [row.options for row in self.northbound.rows(nb.NBGlobal).values()]
        allowed = all(each.get("vxlan_mode") != "false" for each in options)
        small = allowed and has_vxlan(self.southbound.rows(sb.Encap).values(), remote)
        self.most = datapath_binding.MOST_VXLAN if small else datapath_binding.MOST
        self.datapaths.limit(self.most)
        self.ports.limit(port_binding.MOST_VXLAN if small else port_binding.MOST)

    def southbound_transaction(self) -> Txn:
        """What is to be done about the southbound database."""
        txn = Txn()
        self._plan_global(txn)
        port_groups = self.engine.facts(are.PORT_GROUPS).take()
        self.address_sets.touch(self.engine.facts(are.GROUP_ADDRESSES).take())
        for sync, facts in self._touched:
            sync.touch(facts.take())
            self.ports.groups = self.ha_groups.uuids
            sync.plan(txn)
        moved, self.datapaths.moved = self.datapaths.moved, {}
        self.port_groups.rename(port_groups, moved)
        for sync in (self.port_groups, self.dhcp4, self.dhcp6, self.permissions, self.roles):
            sync.plan(txn)
        self.flows.plan(txn)
        self.balancers.touch(self.engine.facts(are.BALANCERS).take())
        self.balancers.plan(txn)
        return txn

    def _plan_global(self, txn: Txn) -> None:
        if not self._global_dirty:
            return
        self._global_dirty = False
        for row in self.northbound.rows(nb.NBGlobal).values():
            settled = upkeep.options(row.options, self.random, self.most)
            macs = frozenset(settled[key] for key in ("svc_monitor_mac", "svc_monitor_mac_dst"))
            self.address_sets.expect(macs)
            self.monitors.expect(settled["svc_monitor_mac"])
            if settled != row.options:
                self._global_dirty = True
                return
            present = list(self.southbound.rows(sb.SBGlobal).values())
            if present:
                txn.update(present[0], **upkeep.southbound(row, present[0]))
            else:
                txn.raw(none_yet(sb.SBGlobal))
                txn.insert(sb.SBGlobal, **upkeep.southbound(row, None))

    def northbound_options(self) -> Txn:
        """What NB_Global lacks; it must be there before the southbound database can be told."""
        txn = Txn()
        rows = list(self.northbound.rows(nb.NBGlobal).values())
        if not rows:
            txn.raw(none_yet(nb.NBGlobal))
            txn.insert(nb.NBGlobal, options=upkeep.options({}, self.random, self.most))
        for row in rows:
            txn.update(row, options=upkeep.options(row.options, self.random, self.most))
        return txn

    def leases_transaction(self) -> Txn:
        """The addresses that ports ask for and do not have; flows are about those that the database shows."""
        txn = Txn()
        self.leases.plan(txn)
        return txn

    def northbound_transaction(self) -> Txn:
        """What is to be done about the northbound database: tags, state of ports and sessions, prefixes."""
        txn = Txn()
        self.port_states.plan(txn)
        self.delegated.plan(txn)
        health_of_ports(self.northbound, self.engine.facts(are.HEALTH), txn)
        self.router_port_states.plan(txn)
        self.session_states.plan(txn)
        return txn

    def settled(self, txn: Txn, results: Sequence[Json]) -> list[Uuid]:
        """The southbound transaction is done; gives the rows of Logical_Flow that it wrote."""
        return self.flows.settle(txn, results)

    def problems(self) -> Iterable[tuple[Uuid, str]]:
        """All that is wrong with the configuration, by row."""
        facts = self.engine.facts(are.PROBLEMS)
        return [*((row, text) for row in facts for text in facts.get(row)), *self.leases.problems()]


def compile_snapshot(northbound: Source, southbound: Source, random: Callable[[int], int]) -> Compiler:
    """A compiler that has taken in everything there is."""
    compiler = Compiler(northbound, southbound, random)
    changes: dict[type[Row], dict[Uuid, tuple[Row | None, Row | None]]] = {}
    for tables, source in ((SOUTHBOUND, southbound), (NORTHBOUND, northbound)):
        for cls in tables:
            changes[cls] = {uuid: (None, row) for uuid, row in source.rows(cls).items()}
    compiler.run(changes)
    return compiler


def none_yet(cls: type[Row]) -> dict[str, Any]:
    """The operation that ends a transaction where somebody was faster to make the one row of a table."""
    return {
        "op": "wait",
        "timeout": 0,
        "table": table_name(cls),
        "columns": ["nb_cfg"],
        "until": "==",
        "rows": [],
        "where": [],
    }
