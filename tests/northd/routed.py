"""Random logical routers, with all that belongs to them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb

Columns = Mapping[str, Any]


class RouterPortSpec(NamedTuple):
    """The columns of a router port, but for its name, and what it is connected to."""

    columns: Columns
    switch: int | None  #: which switch, by number
    link: Columns  #: the columns of the switch port there
    gateways: tuple[str, ...]  #: chassis; "group" is a group of them
    relay: Columns | None = None  #: its DHCP relay


class RouterSpec(NamedTuple):
    """A router with what it consists of."""

    columns: Columns
    ports: tuple[RouterPortSpec, ...]
    routes: tuple[Columns, ...] = ()
    policies: tuple[Columns, ...] = ()
    nats: tuple[Columns, ...] = ()
    sessions: tuple[Columns, ...] = ()  #: BFD; those of ports that there are, for without them the C northd dies
    bindings: tuple[Columns, ...] = ()  #: static MAC bindings

    def __call__(self, txn: Txn, number: int, links: list[list[Uuid]], crossed: int | None = None) -> None:
        """Write the router down; the switch ports that lead to it go to `links`.

        The port with the number `crossed` is connected to that of the other router.
        """
        us = f"r{number}"
        ports: dict[str, Uuid] = {}
        taken: frozenset[str] = frozenset()
        for index, port in enumerate(self.ports):
            name = f"{us}p{index}"
            networks, taken = port.columns["networks"] - taken, taken | port.columns["networks"]
            own = {"networks": networks, **gateways(txn, us, name, port.gateways)}
            if port.relay is not None:
                own["dhcp_relay"] = txn.insert(nb.DHCPRelay, name=f"relay-{name}", **port.relay)
            if index == crossed:
                own["peer"] = f"r{1 - number}p{index}"
            mac = f"00:00:00:00:0{number}:0{index}"
            ports[name] = txn.insert(nb.LogicalRouterPort, name=name, **{"mac": mac, **port.columns, **own})
            if port.switch is not None and links and "peer" not in own:
                link = {**port.link, "options": {"router-port": name, **port.link.get("options", {})}}
                row = txn.insert(nb.LogicalSwitchPort, name=f"to-{name}", type="router", **link)
                links[port.switch % len(links)].append(row)
        sessions = [
            txn.insert(nb.BFD, **own_port(each, us, "logical_port"))
            for each in self.sessions
            if us + each["logical_port"] in ports and self.columns.get("enabled") is not False
        ]
        for each in self.bindings:
            txn.insert(nb.StaticMACBinding, **own_port(each, us, "logical_port"))
        columns = dict(self.columns)
        if number:  # one router may ask for that key
            columns["options"] = {key: columns["options"][key] for key in columns["options"] if "tnl-key" not in key}
        txn.insert(
            nb.LogicalRouter,
            name=us,
            ports=frozenset(ports.values()),
            static_routes=frozenset(txn.insert(nb.LogicalRouterStaticRoute, **r) for r in self._routes(us, sessions)),
            policies=frozenset(txn.insert(nb.LogicalRouterPolicy, **p) for p in self._policies(us, ports, sessions)),
            nat=frozenset(txn.insert(nb.NAT, **nat) for nat in self._nats(txn, us, ports)),
            **columns,
        )

    def _routes(self, us: str, sessions: list[Uuid]) -> list[Columns]:
        found = []
        for each in self.routes:
            columns = own_port(each, us, "output_port")
            if us != "r0":  # groups have numbers of their own on each router: their flows are not to be compared
                columns["ip_prefix"] = ELSEWHERE.get(columns["ip_prefix"], columns["ip_prefix"])
            if (session := columns.pop("bfd", None)) is not None and sessions:
                columns["bfd"] = sessions[session % len(sessions)]
            found.append(columns)
        return found

    def _policies(self, us: str, ports: dict[str, Uuid], sessions: list[Uuid]) -> list[Columns]:
        found = []
        for each in self.policies:
            if us != "r0" and ("chain" in each or "jump_chain" in each):
                continue  # the C northd numbers chains over all routers
            columns = {key: us + each[key] if "chain" in key else each[key] for key in each}
            if us != "r0":
                columns["match"] += " && ip.ttl > 1"
            if columns.pop("bfd", False):
                columns["bfd_sessions"] = frozenset(sessions)
            if output := ports.get(us + columns.pop("output_port", "")):
                columns["output_port"] = output
            found.append(columns)
        return found

    def _nats(self, txn: Txn, us: str, ports: dict[str, Uuid]) -> list[Columns]:
        sets: dict[str, Uuid] = {}
        found = []
        for each in self.nats:
            columns = dict(each)
            distributed = [f"{us}p{index}" for index, port in enumerate(self.ports) if port.gateways]
            if "add_route" in each.get("options", {}) and len(self.ports) > 1:
                del columns["options"]  # two ports on one switch: the C northd has the router send to itself
            gateway = us + columns.pop("gateway_port", "")
            if len(distributed) > 1:  # one for each outside address
                gateway = distributed[len(each["external_ip"]) % len(distributed)]
            if gateway in distributed and "chassis" not in self.columns["options"]:
                columns["gateway_port"] = ports[gateway]
            for column in ("allowed_ext_ips", "exempted_ext_ips"):
                if (addresses := columns.pop(column, None)) is not None:
                    if column not in sets:
                        sets[column] = txn.insert(nb.AddressSet, name=f"{us}{column}", addresses=addresses)
                    columns[column] = sets[column]
            found.append(columns)
        return found


def settled(router: RouterSpec) -> RouterSpec:
    """The router; one with several gateway ports has nothing that is done at "the first": which is it, nobody knows."""
    if sum(bool(port.gateways) for port in router.ports) < 2:
        return router
    return router._replace(
        ports=tuple(
            port._replace(columns=without(port.columns, "redirect-type"), link=without(port.link, "nat-addresses"))
            for port in router.ports
        )
    )


def without(columns: Columns, option: str) -> Columns:
    """The columns, without an option."""
    return {**columns, "options": {key: value for key, value in columns["options"].items() if key != option}}


def gateways(txn: Txn, us: str, name: str, chosen: tuple[str, ...]) -> dict[str, Any]:
    """The columns that make a port a distributed gateway port."""
    if "group" in chosen:
        members = [
            txn.insert(nb.HAChassis, chassis_name=each, priority=10 - n) for n, each in enumerate(("ch2", "ch1"))
        ]
        group = txn.insert(nb.HAChassisGroup, name=f"{us}group-{name}", ha_chassis=frozenset(members))
        return {"ha_chassis_group": group}
    rows = [
        txn.insert(nb.GatewayChassis, name=f"{name}-{chassis}", chassis_name=chassis, priority=priority)
        for priority, chassis in enumerate(chosen)
    ]
    return {"gateway_chassis": frozenset(rows)}


def own_port(columns: Columns, us: str, column: str) -> dict[str, Any]:
    """The columns, with the name of a port ("p0") as that of the router's own."""
    return {**columns, column: us + columns[column]} if column in columns else dict(columns)


#: tables whose rows belong to a router by name, and the column that says so
BY_NAME = (
    (nb.BFD, "logical_port"),
    (nb.StaticMACBinding, "logical_port"),
    (nb.HAChassisGroup, "name"),
    (nb.AddressSet, "name"),
)


def options(**choices: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """Some of the keys, each with one of its values."""
    optional = {key.replace("_", "-"): st.sampled_from(values) for key, values in choices.items()}
    return st.fixed_dictionaries({}, optional=optional)


def exactly(**choices: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """Like `options`, with underscores kept."""
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in choices.items()})


def together(*strategies: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[dict[str, str]]:
    """All of several maps in one."""
    return st.tuples(*strategies).map(lambda maps: {key: value for each in maps for key, value in each.items()})


def seldom(strategy: st.SearchStrategy[Any], otherwise: Any) -> st.SearchStrategy[Any]:
    """One time out of four."""
    return st.one_of(*[st.just(otherwise)] * 3, strategy)


#: addresses of routers; each network but the last is that of some guests too
NETWORKS = ["10.0.0.10/24", "10.0.1.1/24", "192.168.0.1/30", "fd00::10/64", "FD01::1/64", "10.0.2.1/32", "nonsense"]
HOPS4 = ["10.0.0.1", "10.0.1.9", "192.168.0.2", "172.16.9.9"]
HOPS6 = ["fd00::9", "fd01::5"]
#: with what the second router has in their place
ELSEWHERE = {
    "20.0.0.0/16": "21.0.0.0/16",
    "20.1.1.1": "21.1.1.1",
    "fd77::/64": "fd78::/64",
    "0.0.0.0/0": "128.0.0.0/1",
    "10.0.0.0/24": "10.0.8.0/24",
}
PREFIXES = ["20.0.0.0/16", *ELSEWHERE]
PORTS = ["p0", "p0", "p1", "nobody"]

port_options = together(
    exactly(
        gateway_mtu=["1400", "0"],
        gateway_mtu_bypass=["ip4"],
        route_table=["blue"],
        mcast_flood=["true"],
        prefix_delegation=["true"],
        prefix=["true"],
    ),
    options(
        reside_on_redirect_chassis=["true", "false"],
        redirect_type=["bridged", "overlay"],
        requested_tnl_key=["9"],
        requested_chassis=["ch1", "nobody"],
    ),
    seldom(
        options(
            routing_protocol_redirect=["s0p0", "s1p0", "nobody"],
            routing_protocols=["BGP", "BFD", "BGP,BFD", "x"],
        ),
        {},
    ),
)
advertisements = seldom(
    exactly(
        address_mode=["slaac", "dhcpv6_stateful", "dhcpv6_stateless", "x"],
        send_periodic=["true"],
        mtu=["1400", "900"],
        max_interval=["1", "8", "900", "9999"],
        min_interval=["1", "20"],
        rdnss=["fd00::53"],
        dnssl=["a.example,b.example"],
        route_info=["HIGH-fd00::/64"],
        router_preference=["LOW", "HIGH", "MEDIUM"],
    ),
    {},
)
router_ports = st.builds(
    RouterPortSpec,
    st.fixed_dictionaries(
        {
            "networks": st.frozensets(st.sampled_from(NETWORKS), max_size=3),
            "enabled": st.sampled_from([None, None, True, False]),
            "options": port_options,
            "ipv6_ra_configs": advertisements,
            "ipv6_prefix": seldom(st.just(frozenset(["fd05::/64"])), frozenset()),
            "external_ids": st.sampled_from([{}, {"a": "b"}]),
        }
    ),
    st.sampled_from([None, 0, 0, 1, 1]),
    st.fixed_dictionaries(
        {
            "addresses": st.sampled_from([["router"], ["router"], ["00:00:00:00:00:77 10.0.0.10"], []]).map(frozenset),
            "enabled": st.sampled_from([None, None, None, False]),
            "options": together(
                options(
                    nat_addresses=["router", "00:00:00:00:00:05 1.2.3.4"],
                    exclude_router_ips_from_garp=["true"],
                ),
                seldom(
                    exactly(
                        arp_proxy=["10.0.0.50", "0a:00:00:00:00:07 10.0.9.0/24 fd00::50", "nonsense", "fd09::/64"],
                        disable_garp_rarp=["true"],
                    ),
                    {},
                ),
            ),
        }
    ),
    st.sampled_from([(), (), (), ("ch1",), ("ch1", "ch2"), ("nobody",), ("group",)]),
    seldom(st.sampled_from([{"servers": each} for each in ("172.16.9.1", "10.0.1.9", "nonsense")]), None),
)
routes = st.fixed_dictionaries(
    {
        "ip_prefix": st.sampled_from([*PREFIXES, "nonsense"]),
        "nexthop": st.sampled_from([*HOPS4, *HOPS6, "discard", "nonsense"]),
    },
    optional={
        "policy": st.sampled_from(["src-ip", "dst-ip"]),
        "output_port": st.sampled_from(PORTS),
        "route_table": st.sampled_from(["", "blue"]),
        "options": st.sampled_from([{"ecmp_symmetric_reply": "true"}, {}]),
        "selection_fields": st.frozensets(st.sampled_from(["ip_src", "ip_dst", "tp_dst"]), max_size=2),
        "bfd": st.integers(0, 1),
    },
)


def discarding_once(found: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The routes; of those that discard packets one, and none beside it: ovn-nbctl allows no choice with them."""
    kept = [route for route in found if route["nexthop"] != "discard"]
    return (*kept, {"ip_prefix": "30.0.0.0/8", "nexthop": "discard"}) if len(kept) < len(found) else tuple(kept)


decisions = st.one_of(
    st.fixed_dictionaries({"action": st.sampled_from(["allow", "drop"])}),
    st.fixed_dictionaries({"action": st.just("jump"), "jump_chain": st.sampled_from(["inner", "outer"])}),
    st.fixed_dictionaries(
        {
            "action": st.just("reroute"),
            "nexthops": st.sampled_from([HOPS4, HOPS6]).flatmap(
                lambda hops: st.frozensets(st.sampled_from(hops), min_size=1, max_size=2)
            ),
        },
        optional={"output_port": st.sampled_from(PORTS), "bfd": st.booleans()},
    ),
    st.fixed_dictionaries({"action": st.just("reroute"), "nexthop": st.sampled_from([*HOPS4, "nonsense"])}),
)
policies = st.tuples(
    decisions,
    st.fixed_dictionaries(
        {
            "priority": st.sampled_from([1, 2, 100]),
            "match": st.sampled_from(["ip4.src == 10.0.0.0/24", "tcp", "ip6"]),
            "options": st.sampled_from([{}, {"pkt_mark": "7"}]),
        },
        optional={"chain": st.sampled_from(["inner", "outer"])},
    ),
).map(lambda both: {**both[0], **both[1]})


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
            "options": st.sampled_from([{"stateless": "true"}, {"stateless": "true"}, {"add_route": "true"}]),
            "external_port_range": st.just("100-200"),
            "match": st.just("tcp"),
            "priority": st.just(7),
            "gateway_port": st.sampled_from(PORTS),
            "allowed_ext_ips": st.just(frozenset(["1.2.3.4"])),
            "exempted_ext_ips": st.just(frozenset(["1.2.3.5"])),
        },
    )
    return found.map(plausible)


def plausible(nat: dict[str, Any]) -> dict[str, Any]:
    """Only `dnat_and_snat` has a MAC, and addresses; without, the C northd answers for it and does nothing else.

    Not both sets of outside addresses, and none with `stateless`: there, the C northd often fills a flow with what was
    left of others (one that does not is in `test_differential`).
    """
    wrong = nat["type"] != "dnat_and_snat" or "nonsense" in nat.values() or "/" in nat["logical_ip"]
    without = {"external_mac"} if wrong else set()
    if "nonsense" in nat.values():
        without.add("options")
    if "allowed_ext_ips" in nat:
        without.add("exempted_ext_ips")
    if is_stateless(nat):
        without |= {"allowed_ext_ips", "exempted_ext_ips"}
    return {key: nat[key] for key in nat if key not in without}


def is_stateless(nat: Columns) -> bool:
    """Does it do without conntrack?"""
    return "stateless" in nat.get("options", {})


OUTSIDE4, OUTSIDE6 = ["10.0.0.20", "10.0.1.21", "172.16.0.1"], ["fd00::20", "fd02::1"]
nats = st.one_of(
    translations(["dnat", "dnat_and_snat", "snat"], OUTSIDE4, ["10.0.0.1", "10.0.1.2"]),
    translations(["dnat", "dnat_and_snat", "snat"], OUTSIDE4, ["10.0.0.1", "10.0.1.2"]),
    translations(["snat"], [*OUTSIDE4, "10.0.0.10"], ["10.0.0.0/24", "192.168.0.0/30"]),
    translations(["dnat", "dnat_and_snat", "snat"], OUTSIDE6, ["fd01::7"]),
    translations(["snat"], OUTSIDE6, ["fd01::/64"]),
    translations(["snat", "dnat_and_snat"], ["nonsense"], ["10.0.0.0/24", "nonsense"]),
)
sessions = st.fixed_dictionaries(
    {"logical_port": st.sampled_from(PORTS), "dst_ip": st.sampled_from([*HOPS4, *HOPS6])},
    optional={
        "min_tx": st.sampled_from([100, 1]),
        "min_rx": st.sampled_from([100, 0]),
        "detect_mult": st.just(3),
        "options": st.just({"a": "b"}),
        "external_ids": st.just({"c": "d"}),
    },
)
mac_bindings = st.fixed_dictionaries(
    {
        "logical_port": st.sampled_from(PORTS),
        "ip": st.sampled_from(["10.0.0.7", "fd00::7"]),
        "mac": st.just("00:00:00:00:00:07"),
        "override_dynamic_mac": st.booleans(),
    }
)
router_options = together(
    exactly(
        always_learn_from_arp_request=["true", "false"],
        dynamic_neigh_routers=["true", "false"],
        mcast_relay=["true", "false"],
        dnat_force_snat_ip=["10.0.0.99", "10.0.0.10 fd00::99", "10.0.0.10/32 nonsense", "10.0.0.99 10.0.0.10"],
        lb_force_snat_ip=["router_ip", "10.0.0.98"],
        mac_binding_age_threshold=["60", "10.0.0.0/8:30;60"],
        disable_garp_rarp=["true"],
    ),
    options(ct_commit_all=["true"], snat_ct_zone=["77"], ct_zone_limit=["10"], requested_tnl_key=["5"]),
    st.sampled_from([{}, {}, {}, {"chassis": "ch1"}, {"chassis": "nobody"}]),
)
routers = st.builds(
    RouterSpec,
    st.fixed_dictionaries(
        {"options": router_options, "external_ids": st.sampled_from([{}, {"neutron:router_name": "nice"}])},
        optional={"enabled": st.sampled_from([True, True, False])},
    ),
    st.lists(router_ports, max_size=3).map(tuple),
    st.lists(routes, max_size=3).map(discarding_once),
    st.lists(policies, max_size=2).map(tuple),
    st.lists(nats, max_size=3).map(tuple),
    st.lists(sessions, max_size=2, unique_by=lambda each: (each["logical_port"], each["dst_ip"])).map(tuple),
    st.lists(mac_bindings, max_size=2, unique_by=lambda each: (each["logical_port"], each["ip"])).map(tuple),
).map(settled)
