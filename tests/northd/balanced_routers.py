"""Random networks with load balancers on routers: gateway routers, distributed ones with and without gateways."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd.balanced import WHOLE, WITH_PORTS, balancers, chosen, health, numbers, plausible, vips
from tests.northd.routed import exactly, seldom

#: by port of the router: the network inside, with backends; those outside
NETWORKS = [["10.0.0.254/24", "fd00::fe/64"], ["172.16.0.{}/24", "fd17::{}/64"], ["172.17.0.{}/24"]]
#: some are in a network of the router, some are its own addresses, some are outside addresses of translations
ADDRESSES = {
    "172.16.0.50:80": ["10.0.0.1:8080", "10.0.0.1:8080,10.0.0.2:80", ""],
    "172.16.0.1:443": ["10.0.0.1:443"],
    "172.16.0.60:80": ["10.0.0.1:8080", "10.0.0.3:1,10.0.0.2:2"],
    "10.0.0.60:80": ["10.0.0.1:8080", ""],
    "[fd17::50]:80": ["[fd00::1]:80", "[fd00::1]:80,[fd00::2]:81", ""],
    **WITH_PORTS,
}
ALL_OF_THEM = {"172.16.0.61": ["10.0.0.1", "10.0.0.1,10.0.0.2"], "fd17::61": ["fd00::1"], **WHOLE}
NATS: list[Mapping[str, Any]] = [
    {"type": "snat", "external_ip": "172.16.0.61", "logical_ip": "10.0.0.0/24"},
    {"type": "dnat_and_snat", "external_ip": "172.16.0.60", "logical_ip": "10.0.0.1"},
    {"type": "dnat", "external_ip": "172.16.0.60", "logical_ip": "10.0.0.2"},
    {"type": "snat", "external_ip": "fd17::61", "logical_ip": "fd00::/64"},
    {"type": "snat", "external_ip": "172.16.0.1", "logical_ip": "10.0.0.0/24"},
]


class BalancedRouter(NamedTuple):
    """A router with the numbers of the load balancers and of the groups that it lists."""

    options: Mapping[str, str]
    gateways: tuple[bool, bool, bool]  #: which of its ports are distributed gateway ports
    ports: int  #: how many it has
    nats: tuple[Mapping[str, Any], ...]
    announces: Mapping[str, str]  #: the options of its switch ports
    balancers: frozenset[int]
    groups: frozenset[int]


class BalancedNetwork(NamedTuple):
    """Load balancers, groups of them by number, and routers; all are on the same two networks outside."""

    balancers: tuple[tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]], ...]  #: columns, health checks
    groups: tuple[frozenset[int], ...]
    routers: tuple[BalancedRouter, ...]
    common_zone: bool
    physical: bool  #: is there a localnet port outside?
    inside: frozenset[int]  #: load balancers of the switches inside

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        if self.common_zone:
            mutation = [["options", "insert", ["map", [["use_common_zone", "true"]]]]]
            txn.raw({"op": "mutate", "table": "NB_Global", "where": [], "mutations": mutation})
        rows = [
            txn.insert(
                nb.LoadBalancer,
                name=f"lb{index}",
                health_check=frozenset(txn.insert(nb.LoadBalancerHealthCheck, **each) for each in checks),
                **columns,
            )
            for index, (columns, checks) in enumerate(self.balancers)
        ]
        groups = [
            txn.insert(nb.LoadBalancerGroup, name=f"g{index}", load_balancer=chosen(rows, each))
            for index, each in enumerate(self.groups)
        ]
        if self.physical:
            txn.insert(nb.ChassisTemplateVar, chassis="ch1", variables={"vip": "172.16.0.55", "port": "80"})
        outside: list[list[Uuid]] = [[], []]
        for number, router in enumerate(self.routers):
            links = self.write(txn, number, router, rows, groups)
            for members, link in zip(outside, links[1:], strict=False):
                members.append(link)
            guest = txn.insert(
                nb.LogicalSwitchPort, name=f"s{number}p0", addresses=frozenset(["00:00:00:00:00:01 10.0.0.1"])
            )
            balanced = chosen(rows, self.inside)
            txn.insert(
                nb.LogicalSwitch, name=f"s{number}", ports=frozenset([guest, *links[:1]]), load_balancer=balanced
            )
        if self.physical:
            network = {"network_name": "phys"}
            outside[0].append(
                txn.insert(
                    nb.LogicalSwitchPort,
                    name="phys",
                    type="localnet",
                    addresses=frozenset(["unknown"]),
                    options=network,
                )
            )
        for number, members in enumerate(outside):
            txn.insert(nb.LogicalSwitch, name=f"out{number}", ports=frozenset(members))

    def write(self, txn: Txn, number: int, router: BalancedRouter, rows: list[Uuid], groups: list[Uuid]) -> list[Uuid]:
        """Write a router down; gives the switch ports that lead to it."""
        ports, links = [], []
        for index in range(router.ports):
            name = f"r{number}p{index}"
            columns: dict[str, Any] = {}
            if router.gateways[index]:
                gateway = txn.insert(nb.GatewayChassis, name=f"{name}-ch1", chassis_name="ch1")
                columns["gateway_chassis"] = frozenset([gateway])
            own = frozenset(each.format(number + 1) for each in NETWORKS[index])
            mac = f"00:00:00:00:0{number}:0{index}"
            ports.append(txn.insert(nb.LogicalRouterPort, name=name, mac=mac, networks=own, **columns))
            to = {"router-port": name, **router.announces}
            addresses = frozenset(["router"])
            links.append(
                txn.insert(nb.LogicalSwitchPort, name=f"to-{name}", type="router", addresses=addresses, options=to)
            )
        several = sum(router.gateways[: router.ports]) > 1 and "chassis" not in router.options
        nats = [
            txn.insert(nb.NAT, **each, **({"gateway_port": ports[router.gateways.index(True)]} if several else {}))
            for each in router.nats
        ]
        txn.insert(
            nb.LogicalRouter,
            name=f"r{number}",
            options=router.options,
            ports=frozenset(ports),
            nat=frozenset(nats),
            load_balancer=chosen(rows, router.balancers),
            load_balancer_group=chosen(groups, router.groups),
        )
        return links


router_balancers = st.builds(
    lambda columns, found: plausible({**columns, "vips": found}),
    balancers,
    st.one_of(vips(ADDRESSES), vips(ADDRESSES), vips(ALL_OF_THEM)),
)


def made_known(balancer: dict[str, Any], vip: str) -> dict[str, Any]:
    """A load balancer that neighbouring routers know; of several addresses nobody knows in which order C lists them."""
    return {**balancer, "vips": {vip: "10.0.0.1:80"}, "options": {**balancer["options"], "add_route": "true"}}


def template(balancer: dict[str, Any], family: str, vips: dict[str, str]) -> dict[str, Any]:
    """A load balancer that means what chassis say.

    C remembers clients of IPv4 templates as if they were IPv6, and answers for an IPv6 address that is called "^vip".
    """
    kept = {key: value for key, value in balancer["options"].items() if key in ("reject", "event", "skip_snat")}
    return {**balancer, "vips": vips, "options": {**kept, "template": "true", "address-family": family}}


templates = st.builds(
    template,
    router_balancers,
    st.sampled_from(["ipv4", "ipv6"]),
    st.dictionaries(
        st.sampled_from(["^vip:80", "^vip:^port"]), st.sampled_from(["^be", "^be,^be2:^port", ""]), max_size=2
    ),
)
known_balancers = st.builds(made_known, router_balancers, st.sampled_from(["172.16.0.50:80", "30.0.0.1:80"]))
router_options = st.builds(
    lambda one, two: {**one, **two},
    exactly(
        lb_force_snat_ip=["router_ip", "172.16.0.98", "172.16.0.98 fd17::98", "172.16.0.1"],
        dnat_force_snat_ip=["172.16.0.97"],
    ),
    st.sampled_from([{}, {}, {"chassis": "ch1"}, {"chassis": "ch1"}, {"ct-commit-all": "true"}]),
)
balanced_routers = st.builds(
    BalancedRouter,
    router_options,
    st.sampled_from([(False, False, False), (False, True, False), (False, True, False), (False, True, True)]),
    st.integers(1, 3),
    st.lists(st.sampled_from(NATS), max_size=2, unique_by=lambda nat: (nat["external_ip"], nat["logical_ip"])).map(
        tuple
    ),
    st.sampled_from(
        [{}, {"nat-addresses": "router"}, {"nat-addresses": "router", "exclude-lb-vips-from-garp": "true"}]
    ),
    numbers,
    numbers,
)
balanced_router_networks = st.builds(
    BalancedNetwork,
    st.builds(
        lambda first, checks, more: ((first, checks), *((each, ()) for each in more)),
        st.one_of(router_balancers, router_balancers, router_balancers, known_balancers, templates),
        st.one_of(st.just(()), health.map(lambda checks: checks[:1])),  # else nobody knows which of two is followed
        st.lists(router_balancers, max_size=2),
    ),
    st.lists(numbers, max_size=2).map(tuple),
    st.lists(balanced_routers, min_size=1, max_size=2).map(tuple),
    seldom(st.just(True), False),
    seldom(st.just(True), False),
    seldom(numbers, frozenset()),
)
