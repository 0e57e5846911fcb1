"""Random networks with mirrors: some that switches carry out, some that end at logical ports."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb

rules = st.fixed_dictionaries(
    {
        "priority": st.sampled_from([0, 5, 200]),
        "match": st.sampled_from(["ip4", "tcp.dst == 80", "ip6 || arp"]),
        "action": st.sampled_from(["mirror", "skip"]),
    }
)
mirrors = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["lport", "lport", "local", "gre", "erspan"]),
        "filter": st.sampled_from(["from-lport", "to-lport", "both"]),
        "sink": st.sampled_from(["s0p0", "s0p1", "s1p0", "nobody", "10.0.0.9"]),
        "index": st.sampled_from([0, 7]),
    }
)
TYPES = ["", "", "localnet", "localport", "external", "virtual", "l2gateway"]


class MirroredSpec(NamedTuple):
    """Mirrors with their rules; switches, with ports: a type, and which mirrors it has."""

    mirrors: tuple[tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]], ...]
    switches: tuple[tuple[tuple[str, frozenset[int]], ...], ...]

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        made = [
            txn.insert(
                nb.Mirror,
                name=f"m{number}",
                mirror_rules=frozenset(txn.insert(nb.MirrorRule, **rule) for rule in rules),
                **mirror,
            )
            for number, (mirror, rules) in enumerate(self.mirrors)
        ]
        for number, listed in enumerate(self.switches):
            ports = [
                txn.insert(
                    nb.LogicalSwitchPort,
                    name=f"s{number}p{index}",
                    type=kind,
                    mirror_rules=frozenset(made[each] for each in chosen if each < len(made)),
                )
                for index, (kind, chosen) in enumerate(listed)
            ]
            txn.insert(nb.LogicalSwitch, name=f"s{number}", ports=frozenset(ports))


ports = st.tuples(st.sampled_from(TYPES), st.frozensets(st.integers(0, 3), max_size=3))
mirrored_networks = st.builds(
    MirroredSpec,
    st.lists(st.tuples(mirrors, st.lists(rules, max_size=3).map(tuple)), max_size=4).map(tuple),
    st.lists(st.lists(ports, max_size=3).map(tuple), max_size=2).map(tuple),
)
