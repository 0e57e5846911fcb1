"""Random networks: switches, and routers between them.

Shaped ports are left out: the C northd of 26.03.2 dies when one is added (an assertion about its queue numbers).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb


class PortSpec(NamedTuple):
    """The columns of a port, but for its name."""

    columns: Mapping[str, Any]


class SwitchSpec(NamedTuple):
    """A switch and its ports."""

    columns: Mapping[str, Any]
    ports: tuple[PortSpec, ...]


class RouterPortSpec(NamedTuple):
    """The columns of a router port, but for its name, and what it is connected to."""

    columns: Mapping[str, Any]
    switch: int | None  #: which switch, by number
    link: Mapping[str, Any]  #: the columns of the switch port there
    gateways: tuple[str, ...]


class RouterSpec(NamedTuple):
    """A router with what it consists of."""

    columns: Mapping[str, Any]
    ports: tuple[RouterPortSpec, ...]
    routes: tuple[Mapping[str, Any], ...]
    policies: tuple[Mapping[str, Any], ...]
    nats: tuple[Mapping[str, Any], ...]

    def __call__(self, txn: Txn, number: int, links: list[list[Uuid]]) -> None:
        """Write the router down; the switch ports that lead to it go to `links`."""
        ports = []
        taken: frozenset[str] = frozenset()
        for index, port in enumerate(self.ports):
            name = f"r{number}p{index}"
            gateways = [
                txn.insert(nb.GatewayChassis, name=f"{name}-{chassis}", chassis_name=chassis, priority=priority)
                for priority, chassis in enumerate(port.gateways)
            ]
            mac = f"00:00:00:00:0{number}:0{index}"
            networks, taken = port.columns["networks"] - taken, taken | port.columns["networks"]
            own = {"networks": networks, "gateway_chassis": frozenset(gateways)}
            columns = {"mac": mac, **port.columns, **own}
            ports.append(txn.insert(nb.LogicalRouterPort, name=name, **columns))
            if port.switch is not None and links:
                link = {**port.link, "options": {"router-port": name, **port.link.get("options", {})}}
                row = txn.insert(nb.LogicalSwitchPort, name=f"to-{name}", type="router", **link)
                links[port.switch % len(links)].append(row)
        txn.insert(
            nb.LogicalRouter,
            name=f"r{number}",
            ports=frozenset(ports),
            static_routes=frozenset(
                txn.insert(nb.LogicalRouterStaticRoute, **{**each, **through(each, number)}) for each in self.routes
            ),
            policies=frozenset(txn.insert(nb.LogicalRouterPolicy, **each) for each in self.policies),
            nat=frozenset(txn.insert(nb.NAT, **each) for each in self.nats),
            **self.columns,
        )


def through(route: Mapping[str, Any], number: int) -> dict[str, str]:
    """The output port of a route, on its own router."""
    return {"output_port": f"r{number}{route['output_port']}"} if "output_port" in route else {}


class NetworkSpec(NamedTuple):
    """Everything northbound."""

    options: Mapping[str, str]
    switches: tuple[SwitchSpec, ...]
    routers: tuple[RouterSpec, ...]
    address_sets: Mapping[str, frozenset[str]]
    port_groups: Mapping[str, frozenset[int]]

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        if self.options:
            pairs = ["map", [list(pair) for pair in self.options.items()]]
            mutation = [["options", "insert", pairs]]
            txn.raw({"op": "mutate", "table": "NB_Global", "where": [], "mutations": mutation})
        ports: list[Uuid] = []
        links: list[list[Uuid]] = [[] for _ in self.switches]
        for number, router in enumerate(self.routers):
            router(txn, number, links)
        for number, switch in enumerate(self.switches):
            members = []
            for index, port in enumerate(switch.ports):
                members.append(txn.insert(nb.LogicalSwitchPort, name=f"s{number}p{index}", **port.columns))
            txn.insert(
                nb.LogicalSwitch, name=f"s{number}", ports=frozenset([*members, *links[number]]), **switch.columns
            )
            ports += members
        for name, addresses in self.address_sets.items():
            txn.insert(nb.AddressSet, name=name, addresses=addresses)
        for name, chosen in self.port_groups.items():
            found = frozenset(ports[each % len(ports)] for each in chosen) if ports else frozenset()
            txn.insert(nb.PortGroup, name=name, ports=found)


def options(**choices: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """Some of the keys, each with one of its values."""
    optional = {key.replace("_", "-"): st.sampled_from(values) for key, values in choices.items()}
    return st.fixed_dictionaries({}, optional=optional)


def exactly(**choices: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """Like `options`, with underscores kept."""
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in choices.items()})


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
                ),
            ),
            "external_ids": st.sampled_from([{}, {"neutron:network_name": "net"}]),
        }
    ),
    st.lists(ports, max_size=3).map(tuple),
)

#: addresses of routers; each network but the last is that of some guests too
NETWORKS = ["10.0.0.10/24", "10.0.1.1/24", "192.168.0.1/30", "fd00::10/64", "fd01::1/64", "10.0.2.1/32"]
NEXT_HOPS = ["10.0.0.1", "10.0.1.9", "192.168.0.2", "172.16.9.9", "fd00::9", "fd01::5"]
PREFIXES = ["20.0.0.0/16", "20.0.0.0/16", "20.1.1.1", "fd77::/64", "0.0.0.0/0", "10.0.0.0/24"]
router_ports = st.builds(
    RouterPortSpec,
    st.fixed_dictionaries(
        {
            "networks": st.frozensets(st.sampled_from(NETWORKS), max_size=3),
            "enabled": st.sampled_from([None, None, True, False]),
            "options": exactly(
                gateway_mtu=["1400", "0"],
                gateway_mtu_bypass=["ip4"],
                route_table=["blue"],
                mcast_flood=["true"],
                prefix_delegation=["true", "false"],
                prefix=["true"],
            ).flatmap(
                lambda one: options(
                    reside_on_redirect_chassis=["true", "false"],
                    redirect_type=["bridged", "overlay"],
                    requested_tnl_key=["9"],
                ).map(lambda two: {**one, **two})
            ),
            "ipv6_ra_configs": st.one_of(
                st.just({}),
                exactly(
                    address_mode=["slaac", "dhcpv6_stateful", "dhcpv6_stateless", "x"],
                    send_periodic=["true"],
                    mtu=["1400", "900"],
                    max_interval=["1", "8", "900", "9999"],
                    min_interval=["1", "20"],
                    rdnss=["fd00::53"],
                    dnssl=["a.example,b.example"],
                    route_info=["HIGH-fd00::/64"],
                    router_preference=["LOW", "HIGH"],
                ),
            ),
        }
    ),
    st.sampled_from([None, 0, 0, 1, 1]),
    st.fixed_dictionaries(
        {
            "addresses": st.sampled_from([["router"], ["router"], ["00:00:00:00:00:77 10.0.0.10"], []]).map(frozenset),
            "enabled": st.sampled_from([None, None, None, False]),
            "options": options(
                nat_addresses=["router", "00:00:00:00:00:05 1.2.3.4"], exclude_router_ips_from_garp=["true"]
            ),
        }
    ),
    st.sampled_from([(), (), (), ("ch1",), ("ch1", "ch2"), ("nobody",)]),
)
routes = st.fixed_dictionaries(
    {"ip_prefix": st.sampled_from(PREFIXES), "nexthop": st.sampled_from([*NEXT_HOPS, "discard"])},
    optional={
        "policy": st.sampled_from(["src-ip", "dst-ip"]),
        "output_port": st.sampled_from(["p0", "p1", "nobody"]),
        "route_table": st.sampled_from(["", "blue"]),
        "options": st.sampled_from([{"ecmp_symmetric_reply": "true"}, {}]),
    },
)
policies = st.one_of(
    st.fixed_dictionaries({"action": st.sampled_from(["allow", "drop"])}),
    st.fixed_dictionaries(
        {
            "action": st.just("reroute"),
            "nexthops": st.one_of(
                st.frozensets(st.sampled_from([hop for hop in NEXT_HOPS if "." in hop]), min_size=1, max_size=2),
                st.frozensets(st.sampled_from([hop for hop in NEXT_HOPS if ":" in hop]), min_size=1, max_size=2),
            ),
        }
    ),
).flatmap(
    lambda what: st.fixed_dictionaries(
        {
            "priority": st.sampled_from([1, 2, 100]),
            "match": st.sampled_from(["ip4.src == 10.0.0.0/24", "tcp", "ip6"]),
            "options": st.sampled_from([{}, {"pkt_mark": "7"}]),
        }
    ).map(lambda rest: {**what, **rest})
)


def translations(kinds: list[str], external: list[str], inside: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Translations of some types between these addresses."""
    found = st.fixed_dictionaries(
        {
            "type": st.sampled_from(kinds),
            "external_ip": st.sampled_from(external),
            "logical_ip": st.sampled_from(inside),
        },
        optional={
            "external_mac": st.just("00:00:00:00:ee:01"),
            "logical_port": st.sampled_from(["s0p0", "s1p0"]),
            "options": st.just({"stateless": "true"}),
            "external_port_range": st.just("100-200"),
            "match": st.just("tcp"),
            "priority": st.just(7),
        },
    )
    return found.map(plausible)


def plausible(nat: dict[str, Any]) -> dict[str, Any]:
    """Only `dnat_and_snat` has a MAC; with others, the C northd answers for it and does nothing else."""
    return nat if nat["type"] == "dnat_and_snat" else {key: nat[key] for key in nat if key != "external_mac"}


OUTSIDE4, OUTSIDE6 = ["10.0.0.20", "10.0.1.21", "172.16.0.1"], ["fd00::20", "fd02::1"]
nats = st.one_of(
    translations(["dnat", "dnat_and_snat", "snat"], OUTSIDE4, ["10.0.0.1", "10.0.1.2"]),
    translations(["snat"], [*OUTSIDE4, "10.0.0.10"], ["10.0.0.0/24", "192.168.0.0/30"]),
    translations(["dnat", "dnat_and_snat", "snat"], OUTSIDE6, ["fd01::7"]),
    translations(["snat"], OUTSIDE6, ["fd01::/64"]),
)
routers = st.builds(
    RouterSpec,
    st.fixed_dictionaries(
        {
            "options": options(
                always_learn_from_arp_request=["true", "false"],
                dynamic_neigh_routers=["true", "false"],
                mcast_relay=["true", "false"],
                dnat_force_snat_ip=["10.0.0.99", "10.0.0.10 fd00::99"],
                lb_force_snat_ip=["router_ip", "10.0.0.98"],
                chassis=["ch1"],
            ).map(lambda found: {key.replace("-", "_"): value for key, value in found.items()}),
            "external_ids": st.sampled_from([{}, {"neutron:router_name": "nice"}]),
        },
        optional={"enabled": st.sampled_from([True, True, False])},
    ),
    st.lists(router_ports, max_size=3).map(tuple),
    st.lists(routes, max_size=3).map(tuple),
    st.lists(policies, max_size=2).map(tuple),  # no chains: the C northd numbers all it has ever seen
    st.lists(nats, max_size=2).map(tuple),
)
networks = st.builds(
    NetworkSpec,
    exactly(
        ignore_lsp_down=["true", "false"],
        use_ct_inv_match=["false"],
        default_acl_drop=["true", "false"],
        debug_drop_collector_set=["0", "123"],
        debug_drop_domain_id=["0", "7"],
    ),
    st.lists(switches, max_size=2).map(tuple),
    st.lists(routers, max_size=2).map(tuple),
    st.dictionaries(st.sampled_from(["as1", "as2"]), st.frozensets(st.sampled_from(IP), max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["pg1", "pg2"]), st.frozensets(st.integers(0, 9), max_size=4), max_size=2),
)
