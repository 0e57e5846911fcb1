"""Random networks with ACLs: on switches and on port groups."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb

ACTIONS = ["allow", "allow-related", "allow-related", "allow-stateless", "drop", "reject", "pass"]
OPTIONS = ["persist-established", "apply-after-lb", "log-related"]
acls = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["from-lport", "to-lport"]),
        "priority": st.sampled_from([0, 1, 1000, 32767]),
        "match": st.sampled_from(["tcp", "udp.dst == 53", 'ip4.src == $as && inport == "s0p0"', "ip6"]),
        "action": st.sampled_from(ACTIONS),
    },
    optional={
        "tier": st.integers(0, 3),
        "log": st.just(True),
        "name": st.sampled_from(["first", "with blanks"]),  # quotes C writes as they are, for no one to read
        "severity": st.sampled_from(["alert", "debug"]),
        "meter": st.sampled_from(["fair", "unfair", "nobody"]),
        "label": st.sampled_from([0, 77]),
        "options": st.frozensets(st.sampled_from(OPTIONS)).map(lambda found: dict.fromkeys(found, "true")),
    },
)
ports = st.fixed_dictionaries(
    {"addresses": st.just(frozenset(["00:00:00:00:00:01 10.0.0.1"]))},
    optional={"type": st.sampled_from(["localnet", "switch", "external"])},
)


class FilteredSpec(NamedTuple):
    """Switches with ports and ACLs; groups, of ports by number, with ACLs."""

    options: Mapping[str, str]
    switches: tuple[tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]], ...]
    groups: tuple[tuple[frozenset[int], tuple[Mapping[str, Any], ...]], ...]

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        if self.options:
            pairs = ["map", [list(pair) for pair in self.options.items()]]
            txn.raw({"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["options", "insert", pairs]]})
        for name, fair in (("fair", True), ("unfair", None)):
            band = txn.insert(nb.MeterBand, action="drop", rate=10, burst_size=5)
            txn.insert(nb.Meter, name=name, unit="pktps", bands=frozenset([band]), fair=fair)
        everybody: list[Uuid] = []
        for number, (ports, filters) in enumerate(self.switches):
            members = [
                txn.insert(nb.LogicalSwitchPort, name=f"s{number}p{index}", **port) for index, port in enumerate(ports)
            ]
            everybody += members
            txn.insert(
                nb.LogicalSwitch,
                name=f"s{number}",
                ports=frozenset(members),
                acls=frozenset(txn.insert(nb.ACL, **each) for each in filters),
            )
        for number, (chosen, filters) in enumerate(self.groups):
            found = frozenset(everybody[each % len(everybody)] for each in chosen) if everybody else frozenset()
            rules = frozenset(txn.insert(nb.ACL, **each) for each in filters)
            txn.insert(nb.PortGroup, name=f"pg{number}", ports=found, acls=rules)


filtered_networks = st.builds(
    FilteredSpec,
    st.fixed_dictionaries(
        {},
        optional={
            "use_ct_inv_match": st.just("false"),
            "default_acl_drop": st.sampled_from(["true", "false"]),
            "acl_ct_translation": st.just("true"),
            "debug_drop_collector_set": st.just("123"),
        },
    ),
    st.lists(st.tuples(st.lists(ports, max_size=2).map(tuple), st.lists(acls, max_size=3).map(tuple)), max_size=3).map(
        tuple
    ),
    st.lists(
        st.tuples(st.frozensets(st.integers(0, 9), max_size=4), st.lists(acls, max_size=2).map(tuple)), max_size=2
    ).map(tuple),
)
