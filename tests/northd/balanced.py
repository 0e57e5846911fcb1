"""Random networks with load balancers, on switches that filter or not."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd.filtered import ports

WITH_PORTS = {
    "30.0.0.1:80": ["10.0.0.1:8080", "10.0.0.1:8080,10.0.0.2:80", "", "10.0.0.1:80,10.0.0.1:81"],
    "30.0.0.2:443": ["10.0.0.1:443", "10.0.0.3:1"],
    "[fd30::1]:80": ["[fd00::1]:80", "[fd00::1]:80,[fd00::2]:81", ""],
}
WHOLE = {
    "30.0.0.3": ["10.0.0.1", "10.0.0.1,10.0.0.2", ""],
    "fd30::3": ["fd00::1", "fd00::2,fd00::1"],
}


def vips(choices: Mapping[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    """Some virtual addresses with their backends."""
    return st.fixed_dictionaries({}, optional={vip: st.sampled_from(each) for vip, each in choices.items()})


options = st.fixed_dictionaries(
    {},
    optional={
        "reject": st.just("true"),
        "event": st.sampled_from(["true", "false"]),
        "affinity_timeout": st.sampled_from(["60", "0", "99999"]),
        "skip_snat": st.just("true"),
        "use_stateless_nat": st.just("true"),
        "neighbor_responder": st.sampled_from(["reachable", "all", "none"]),
        "hairpin_snat_ip": st.just("9.9.9.9 fd99::9"),
        "distributed": st.just("true"),
    },
)


def plausible(balancer: dict[str, Any]) -> dict[str, Any]:
    """C spells backends of a distributed load balancer without ports so that nobody can read them."""
    if not any(vip.count(":") == 1 or vip.startswith("[") for vip in balancer["vips"]):
        balancer["options"] = {key: value for key, value in balancer["options"].items() if key != "distributed"}
    return balancer


health = st.lists(
    st.fixed_dictionaries(
        {"vip": st.sampled_from([*WITH_PORTS, "30.0.0.3"])},
        optional={"options": st.sampled_from([{"interval": "7"}, {"timeout": "2", "failure_count": "3"}])},
    ),
    max_size=2,
).map(tuple)
balancers = st.fixed_dictionaries(
    {
        "vips": st.one_of(vips(WITH_PORTS), vips(WITH_PORTS), vips(WHOLE)),
        "protocol": st.sampled_from([None, "tcp", "udp", "sctp"]),
        "options": options,
    },
    optional={
        "selection_fields": st.frozensets(st.sampled_from(["ip_src", "ip_dst", "tp_src", "tp_dst", "eth_src"])),
        "ip_port_mappings": st.sampled_from(
            [{"10.0.0.1": "s0p0:10.0.0.254"}, {"10.0.0.2": "s0p1:10.0.0.254", "[fd00::1]": "s0p0:[fd00::9]"}]
        ),
    },
).map(plausible)
simple_acls = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["from-lport", "to-lport"]),
        "priority": st.sampled_from([1, 2]),
        "match": st.just("tcp"),
        "action": st.sampled_from(["allow", "allow-related", "allow-stateless", "drop"]),
    },
    optional={"options": st.just({"apply-after-lb": "true"})},
)


#: of ports: what is probed, and from where
port_health = st.fixed_dictionaries(
    {
        "protocol": st.sampled_from(["tcp", "udp", "icmp"]),
        "src_ip": st.sampled_from(["10.0.0.240", "fd00::240"]),
        "port": st.sampled_from([0, 80]),
        "address": st.sampled_from(["10.0.0.1", "fd00::1"]),
    },
    optional={"options": st.just({"interval": "9"})},
)


class BalancedSwitch(NamedTuple):
    """A switch, with the numbers of the load balancers and of the groups that it lists."""

    config: Mapping[str, str]
    ports: tuple[Mapping[str, Any], ...]
    acls: tuple[Mapping[str, Any], ...]
    balancers: frozenset[int]
    groups: frozenset[int]


class BalancedSpec(NamedTuple):
    """Load balancers, groups of them by number, and switches."""

    balancers: tuple[tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]], ...]  #: columns, health checks
    groups: tuple[frozenset[int], ...]
    switches: tuple[BalancedSwitch, ...]

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
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
            txn.insert(nb.LoadBalancerGroup, name=f"g{index}", load_balancer=chosen(rows, numbers))
            for index, numbers in enumerate(self.groups)
        ]
        for number, switch in enumerate(self.switches):
            members = [
                txn.insert(nb.LogicalSwitchPort, name=f"s{number}p{index}", **probed(txn, port))
                for index, port in enumerate(switch.ports)
            ]
            txn.insert(
                nb.LogicalSwitch,
                name=f"s{number}",
                other_config=switch.config,
                ports=frozenset(members),
                acls=frozenset(txn.insert(nb.ACL, **each) for each in switch.acls),
                load_balancer=chosen(rows, switch.balancers),
                load_balancer_group=chosen(groups, switch.groups),
            )


def probed(txn: Txn, port: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a port, its health checks written down."""
    checks = frozenset(txn.insert(nb.LogicalSwitchPortHealthCheck, **each) for each in port.get("health_checks", ()))
    return {**port, "health_checks": checks}


def chosen(rows: list[Uuid], numbers: frozenset[int]) -> frozenset[Uuid]:
    """The rows with these numbers."""
    return frozenset(rows[each % len(rows)] for each in numbers) if rows else frozenset()


probed_ports = st.builds(
    lambda port, checks: {**port, "health_checks": checks} if "type" not in port else port,
    ports,
    st.lists(port_health, max_size=1, unique_by=lambda each: each["address"]).map(tuple),
)
numbers = st.frozensets(st.integers(0, 5), max_size=2)
balanced_networks = st.builds(
    BalancedSpec,
    st.lists(st.tuples(balancers, st.one_of(st.just(()), health)), max_size=3).map(tuple),
    st.lists(numbers, max_size=2).map(tuple),
    st.lists(
        st.builds(
            BalancedSwitch,
            st.sampled_from([{}, {}, {"enable-stateless-acl-with-lb": "true"}]),
            st.lists(probed_ports, max_size=2).map(tuple),
            st.lists(simple_acls, max_size=2).map(tuple),
            numbers,
            numbers,
        ),
        max_size=3,
    ).map(tuple),
)
