"""Random networks whose switches and routers are protected: what they hand to the controller has meters."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.northd.model.spelling import KNOWN
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd import networks, served
from tests.northd.balanced import balanced_networks
from tests.northd.balanced_routers import balanced_router_networks
from tests.northd.filtered import filtered_networks
from tests.northd.oracle import Network

METERS = ("m0", "m1", "just")


class ProtectedSpec(NamedTuple):
    """A network, and what protects its datapaths."""

    network: Network
    copps: tuple[Mapping[str, str], ...]
    chosen: Mapping[tuple[str, str], int]  #: table and name → which of them
    events: bool

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        self.network(txn)
        for name in METERS:
            band = txn.insert(nb.MeterBand, action="drop", rate=5)
            txn.insert(nb.Meter, name=name, unit="pktps", bands=frozenset([band]), fair=name == "just")
        rows = [txn.insert(nb.Copp, name=f"copp{number}", meters=each) for number, each in enumerate(self.copps)]
        for (table, name), number in self.chosen.items():
            where = [["name", "==", name]]
            copp: Any = ["named-uuid", rows[number % len(rows)]]
            txn.raw({"op": "update", "table": table, "where": where, "row": {"copp": copp}})
        if self.events:
            mutation = [["options", "insert", ["map", [["controller_event", "true"]]]]]
            txn.raw({"op": "mutate", "table": "NB_Global", "where": [], "mutations": mutation})


NAMES = [("Logical_Switch", name) for name in ("s", "s0", "s1")] + [("Logical_Router", name) for name in ("r", "r0")]
protected_networks = st.builds(
    ProtectedSpec,
    st.one_of(networks.networks, served.networks, balanced_networks, balanced_router_networks, filtered_networks),
    st.lists(
        st.dictionaries(
            st.sampled_from([*sorted(KNOWN), "unknown"]), st.sampled_from([*METERS, "m0", "nobody"]), min_size=8
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 1), min_size=3),
    st.booleans(),
)
