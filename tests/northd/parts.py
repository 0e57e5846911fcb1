"""Random switches with QoS rules and forwarding groups."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb

rules = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["from-lport", "to-lport"]),
        "priority": st.sampled_from([0, 1, 1000]),
        "match": st.sampled_from(["tcp", 'inport == "s0p0"', "ip4"]),
        "action": st.fixed_dictionaries({}, optional={"dscp": st.sampled_from([0, 46]), "mark": st.just(7)}),
        "bandwidth": st.sampled_from([{}, {"rate": 1000}, {"rate": 1000, "burst": 50}, {"burst": 9}]),
    }
)
groups = st.fixed_dictionaries(
    {
        "vip": st.sampled_from(["10.0.0.50", "10.0.0.51"]),
        "vmac": st.sampled_from(["00:00:00:00:00:50", "00:00:00:00:00:51"]),
        "liveness": st.booleans(),
        "child_port": st.frozensets(st.sampled_from(["s0p0", "s0p1", "nobody"]), min_size=1),
    }
)


class PartsSpec(NamedTuple):
    """Switches: their QoS rules and forwarding groups."""

    switches: tuple[tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]], ...]

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        for number, (rules, groups) in enumerate(self.switches):
            ports = [txn.insert(nb.LogicalSwitchPort, name=f"s{number}p{index}") for index in range(2)]
            txn.insert(
                nb.LogicalSwitch,
                name=f"s{number}",
                ports=frozenset(ports),
                qos_rules=frozenset(txn.insert(nb.QoS, **each) for each in rules),
                forwarding_groups=frozenset(
                    txn.insert(nb.ForwardingGroup, name=f"f{number}{index}", **each)
                    for index, each in enumerate(groups)
                ),
            )


parts_networks = st.builds(
    PartsSpec,
    st.lists(
        st.tuples(st.lists(rules, max_size=3).map(tuple), st.lists(groups, max_size=2).map(tuple)), max_size=2
    ).map(tuple),
)
