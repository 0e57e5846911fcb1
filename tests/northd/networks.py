"""Random networks: switches, and routers between them.

Shaped ports are left out: the C northd of 26.03.2 dies when one is added (an assertion about its queue numbers).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd.routed import RouterSpec, exactly, options, routers


class PortSpec(NamedTuple):
    """The columns of a port, but for its name."""

    columns: Mapping[str, Any]


class SwitchSpec(NamedTuple):
    """A switch and its ports."""

    columns: Mapping[str, Any]
    ports: tuple[PortSpec, ...]


def chained_once(routers: list[RouterSpec]) -> tuple[RouterSpec, ...]:
    """The routers; if the first has chains, it alone has policies: the C northd numbers chains over all routers."""
    if not any("chain" in policy for router in routers[:1] for policy in router.policies):
        return tuple(routers)
    return (*routers[:1], *(router._replace(policies=()) for router in routers[1:]))


def relayable(switch: SwitchSpec) -> SwitchSpec:
    """The switch; DHCP requests are relayed only where all guests have addresses: else the C northd reads astray."""
    if all(port.columns["addresses"] - {"unknown"} for port in switch.ports if port.columns["type"] == ""):
        return switch
    return no_relay(switch)


def no_relay(switch: SwitchSpec) -> SwitchSpec:
    """The switch, without relaying DHCP requests."""
    config = {key: value for key, value in switch.columns["other_config"].items() if key != "dhcp_relay_port"}
    return switch._replace(columns={**switch.columns, "other_config": config})


def once_by_each_hop(router: RouterSpec) -> RouterSpec:
    """The router, with no more than one route with symmetric replies by each next hop."""
    taken: set[str] = set()
    kept = []
    for route in router.routes:
        symmetric = route.get("options")
        kept.append({**route, "options": {}} if symmetric and route["nexthop"] in taken else route)
        taken |= {route["nexthop"]} if symmetric else set()
    return router._replace(routes=tuple(kept))


class NetworkSpec(NamedTuple):
    """Everything northbound."""

    options: Mapping[str, str]
    switches: tuple[SwitchSpec, ...]
    routers: tuple[RouterSpec, ...]
    address_sets: Mapping[str, frozenset[str]]
    port_groups: Mapping[str, frozenset[int]]
    crossed: int | None = None  #: the number of the ports by which the two routers are connected

    def leads_to(self, number: int, switch: SwitchSpec) -> bool:
        """Is the port that the switch relays DHCP requests to its own?  It may be nobody's."""
        chosen = switch.columns.get("other_config", {}).get("dhcp_relay_port", "")
        for router, spec in enumerate(self.routers):
            for index, port in enumerate(spec.ports):
                if chosen == f"to-r{router}p{index}" and port.switch is not None:
                    return index == self.crossed or port.switch % len(self.switches) == number
        return True

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        if self.options:
            pairs = ["map", [list(pair) for pair in self.options.items()]]
            mutation = [["options", "insert", pairs]]
            txn.raw({"op": "mutate", "table": "NB_Global", "where": [], "mutations": mutation})
        ports: list[Uuid] = []
        links: list[list[Uuid]] = [[] for _ in self.switches]
        for number, router in enumerate(self.routers):
            router(txn, number, links, self.crossed)
        for number, switch in enumerate(self.switches):
            members = []
            for index, port in enumerate(switch.ports):
                members.append(txn.insert(nb.LogicalSwitchPort, name=f"s{number}p{index}", **port.columns))
            columns = switch.columns if self.leads_to(number, switch) else no_relay(switch).columns
            txn.insert(nb.LogicalSwitch, name=f"s{number}", ports=frozenset([*members, *links[number]]), **columns)
            ports += members
        for name, addresses in self.address_sets.items():
            txn.insert(nb.AddressSet, name=name, addresses=addresses)
        for name, chosen in self.port_groups.items():
            found = frozenset(ports[each % len(ports)] for each in chosen) if ports else frozenset()
            txn.insert(nb.PortGroup, name=name, ports=found)


def watchable(network: NetworkSpec) -> NetworkSpec:
    """The network; where next hops are watched, each by one route: the C northd tries for ever to watch one twice."""
    if network.options.get("ecmp_nexthop_monitor_enable") != "true":
        return network
    return network._replace(routers=tuple(map(once_by_each_hop, network.routers)))


MAC = ["00:00:00:00:00:01", "00:00:00:00:00:02", "00:00:00:00:00:AB", "2:0:0:0:0:3"]
IP = ["10.0.0.1", "10.0.0.2", "fe80::1", "FD00::0:2", "10.0.0.3/24"]
lines = st.builds(
    lambda mac, ips: " ".join([mac, *ips]), st.sampled_from(MAC), st.lists(st.sampled_from(IP), max_size=3)
)
addresses = st.frozensets(st.one_of(lines, lines, st.just("unknown")), max_size=3)
security = st.one_of(st.just(frozenset()), st.frozensets(lines, max_size=2))
port_options = st.builds(
    lambda one, two: {**one, **two},
    exactly(
        force_fdb_lookup=["true", "false"],
        localnet_learn_fdb=["true", "false"],
        lsp_learn_mac=["false"],
        pkt_clone_type=["mc_unknown", "x"],
        disable_arp_nd_rsp=["true", "false"],
        mcast_flood=["true"],
        mcast_flood_reports=["true"],
        network_name=["phys"],
        receive_multicast=["false"],
        enable_router_port_acl=["true"],
    ),
    options(requested_chassis=["ch1", "nobody", "ch1,ch2", "ch2.example", "nobody,ch1"], hostname=["h"],
            virtual_ip=["10.0.0.9", "fd00::9"], virtual_parents=["s0p0", "s0p0,s0p1"], iface_id_ver=["7"]),
)  # fmt: skip
some_options = st.one_of(st.just({}), port_options)
TYPES = ["", "", "", "", "localnet", "localport", "l2gateway", "vtep", "external", "virtual", "remote", "switch"]
ports = st.builds(
    PortSpec,
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(TYPES),
            "addresses": addresses,
            "port_security": security,
            "enabled": st.sampled_from([None, None, True, False]),
            "options": some_options,
        },
        optional={
            "external_ids": st.sampled_from([{"neutron:port_name": "nice"}, {"a": "b"}]),
            "tag_request": st.sampled_from([0, 101, 102, 103]),  # the C northd gives 1 away even if somebody wants it
            "parent_name": st.sampled_from(["s0p0", "s0p1"]),
        },
    ),
)
switches = st.builds(
    SwitchSpec,
    st.fixed_dictionaries(
        {
            "other_config": st.builds(
                lambda one, two: {**one, **two},
                options(vlan_passthru=["true", "false"], broadcast_arps_to_all_routers=["true", "false"]),
                exactly(
                    mcast_snoop=["true", "false"],
                    mcast_querier=["true", "false"],
                    mcast_flood_unregistered=["true", "false"],
                    mcast_table_size=["100", "0"],
                    mcast_idle_timeout=["10", "60", "4000"],
                    mcast_query_interval=["5", "0", "9999"],
                    mcast_query_max_response=["3", "99"],
                    mcast_eth_src=["00:00:00:00:00:07"],
                    mcast_ip4_src=["10.0.0.250"],
                    mcast_ip6_src=["fe80::250"],
                    dhcp_relay_port=["to-r0p0", "to-r0p1", "nobody"],
                ),
            ),
            "external_ids": st.sampled_from([{}, {"neutron:network_name": "net"}]),
        }
    ),
    st.lists(ports, max_size=3).map(tuple),
).map(relayable)

networks = st.builds(
    NetworkSpec,
    exactly(
        ignore_lsp_down=["true", "false"],
        use_ct_inv_match=["false"],
        default_acl_drop=["true", "false"],
        debug_drop_collector_set=["0", "123"],
        debug_drop_domain_id=["0", "7"],
        use_common_zone=["true", "false"],
        ecmp_nexthop_monitor_enable=["true", "true", "false"],
    ),
    st.lists(switches, max_size=2).map(tuple),
    st.lists(routers, max_size=2).map(chained_once),
    st.dictionaries(st.sampled_from(["as1", "as2"]), st.frozensets(st.sampled_from(IP), max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["pg1", "pg2"]), st.frozensets(st.integers(0, 9), max_size=4), max_size=2),
    st.sampled_from([None, None, None, 0, 1]),
).map(watchable)
