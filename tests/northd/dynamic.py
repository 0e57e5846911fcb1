"""Random networks whose routers tell the world outside about their routes, and learn from it."""

from collections.abc import Mapping
from typing import NamedTuple

from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from tests.northd.balanced_routers import BalancedNetwork, balanced_router_networks
from tests.northd.networks import networks
from tests.northd.oracle import Network
from tests.northd.routed import options, together

Options = Mapping[str, str]
KINDS = ["connected", "connected-as-host", "static", "nat", "lb"]
ROUTERS, PORTS = ("r0", "r1"), ("r0p0", "r0p1", "r1p0")


class DynamicNetwork(NamedTuple):
    """A network, and what is done about routes by routers and ports of it."""

    base: Network
    routers: tuple[Options, ...]
    ports: tuple[Options, ...]
    learned: tuple[tuple[str, str, str], ...]  #: port, prefix, next hop

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        self.base(txn)
        for table in ("Logical_Router_Port", "Logical_Switch_Port"):  # C tells of some disabled ones, not of others
            txn.raw({"op": "update", "table": table, "where": [], "row": {"enabled": ["set", []]}})
        for table, names, chosen in (
            ("Logical_Router", ROUTERS, self.routers),
            ("Logical_Router_Port", PORTS, self.ports),
        ):
            for name, given in zip(names, chosen, strict=True):
                mutation = ["options", "insert", ["map", sorted(given.items())]]
                txn.raw({"op": "mutate", "table": table, "where": [["name", "==", name]], "mutations": [mutation]})


def varies_nowhere(network: BalancedNetwork) -> bool:
    """Has it no templates?  The C northd tells the world outside of "^vip"."""
    return not any("template" in columns["options"] for columns, _ in network.balancers)


flag = ["true", "true", "false"]
redistributed = st.lists(st.sampled_from([*KINDS, *KINDS, "nonsense"]), min_size=1, max_size=4).map(
    lambda kinds: {"dynamic-routing-redistribute": ",".join(kinds)}
)
either = options(dynamic_routing_redistribute_local_only=flag, dynamic_routing_no_learning=flag)
router_options = together(
    st.sampled_from([{"dynamic-routing": "true"}] * 4 + [{"dynamic-routing": "false"}, {}]),
    redistributed,
    either,
    options(
        dynamic_routing_vrf_name=["blue", "a-name-that-is-too-long"],
        dynamic_routing_vrf_id=["77", "0", "nonsense"],
        dynamic_routing_v4_prefix_nexthop=["192.0.2.1", "fd00::77", "nonsense"],
        dynamic_routing_v6_prefix_nexthop=["fd00::77"],
    ),
)
port_options = together(
    st.one_of(st.just({}), st.just({}), redistributed),
    st.one_of(st.just({}), either),
    options(dynamic_routing_maintain_vrf=flag, dynamic_routing_port_name=["eth1", "s0p0"]),
)
learned = st.tuples(
    st.sampled_from(PORTS),
    st.sampled_from(["20.0.0.0/16", "40.0.0.0/8", "41.0.0.5", "10.0.0.0/24", "fd77::/64", "0.0.0.0/0"]),
    st.sampled_from(["10.0.0.9", "172.16.9.9", "fe80::9"]),
)
dynamic_networks = st.builds(
    DynamicNetwork,
    st.one_of(networks, balanced_router_networks.filter(varies_nowhere)),
    st.tuples(*[router_options] * len(ROUTERS)),
    st.tuples(*[port_options] * len(PORTS)),
    st.lists(learned, max_size=3, unique=True).map(tuple),
)
