"""Edits of a switch that gives addresses: ports come, go and ask for something else.

steps(…)   lists of steps, each a function of a transaction and of the rows that there are
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb


class Step(NamedTuple):
    """A port gets these addresses (none: it goes), or the switch another configuration."""

    port: str = ""
    addresses: frozenset[str] | None = None
    config: Mapping[str, str] | None = None

    def __call__(self, txn: Txn, rows: Callable[[type[Any]], list[Any]]) -> None:
        """Carry it out over the rows of the northbound database."""
        (switch,) = rows(nb.LogicalSwitch)
        if self.config is not None:
            txn.update(switch, other_config=self.config)
            return
        present = [row for row in rows(nb.LogicalSwitchPort) if row.name == self.port]
        match present, self.addresses:
            case [row], None:
                txn.mutate(switch, "ports", "delete", row.uuid)
            case [row], addresses:
                txn.update(row, addresses=addresses)
            case [], frozenset() as addresses:
                new: Uuid = txn.insert(nb.LogicalSwitchPort, name=self.port, addresses=addresses)
                txn.mutate(switch, "ports", "insert", new)


def forms(number: int, fixed: int) -> list[list[str]]:
    """What a port may have in `addresses`; fixed ones differ from port to port."""
    return [
        ["dynamic"],
        ["dynamic"],
        [f"dynamic 10.0.0.{number + fixed}"],
        [f"dynamic 10.0.0.{number + fixed} fd00::{number}"],
        [f"00:00:00:00:01:{number:02x} dynamic"],
        [f"0a:00:00:00:00:{number + 3:02x} 10.0.0.{number + 4}"],
        [f"00:00:00:00:02:{number:02x} 10.0.0.{number + 2} 10.0.0.{number + 9}"],
        ["dynamic", f"00:00:00:00:03:{number:02x} 10.0.0.{number + 5}"],
        ["dynamic", "unknown"],
    ]


#: asked for in vain: the C northd gives such a port another address each time
VAIN = [["dynamic 11.0.0.7"], ["dynamic 10.0.0.4"], ["dynamic", "dynamic 10.0.0.14"], ["dynamic nonsense"]]

#: two of one network, others with too few addresses, without IPv4, and with nothing
POOLS: list[dict[str, str]] = [
    {"subnet": "10.0.0.0/27", "exclude_ips": "10.0.0.4 10.0.0.6..10.0.0.8"},
    {"subnet": "10.0.0.0/24", "ipv6_prefix": "fd00::"},
    {"subnet": "10.0.0.0/29", "exclude_ips": "10.0.0.2..10.0.0.3"},
    {"subnet": "10.1.0.9/255.255.255.0"},
    {"ipv6_prefix": "fd01::/64"},
    {"mac_only": "true"},
    {},
]


def steps(*, fixed: int, more: list[list[str]], configs: list[dict[str, str]]) -> st.SearchStrategy[list[Step]]:
    """Lists of steps; `fixed` is where the addresses start that ports ask for."""
    port = st.integers(0, 5).flatmap(
        lambda number: st.one_of(
            st.just(Step(f"p{number}")),
            st.sampled_from([*forms(number, fixed), *more]).map(lambda form: Step(f"p{number}", frozenset(form))),
        )
    )
    config = st.sampled_from(configs).map(lambda config: Step(config=config)) if configs else st.nothing()
    return st.lists(st.one_of(port, port, port, config), min_size=1, max_size=8)
