"""Load_Balancer: what chassis do beyond its flows, hairpinning above all.  A row has the UUID of its northbound one.

The switches and the routers that a load balancer is on are groups of datapaths, shared with flows that are on the same.
"""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.relations import WantedBalancer
from pyovn.northd.sync.flows import FlowSync
from pyovn.northd.sync.rows import RowSync, TableChanges
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import LoadBalancer

SWITCHES, ROUTERS, TOGETHER = "ls_datapath_group", "lr_datapath_group", "datapath_group"


class BalancerSync(RowSync[Uuid, LoadBalancer]):
    """The load balancers, by UUID."""

    cls = LoadBalancer

    def __init__(self, wanted: Facts[Uuid, WantedBalancer | None, Any], flows: FlowSync) -> None:
        super().__init__()
        self.facts = wanted
        self.flows = flows
        self.apart = True  #: do all chassis know the two columns for groups?
        self._known: dict[frozenset[Uuid], frozenset[Uuid]] = {}  # those with a binding, of sets in this plan

    def key(self, row: LoadBalancer) -> Uuid | None:
        """The northbound load balancer."""
        return row.uuid

    def seen(self, changes: TableChanges) -> None:
        """Note rows that have changed, and which groups they use."""
        super().seen(changes)
        for before, after in changes.values():
            for row, use in ((before, -1), (after, 1)):
                for group in () if row is None else (getattr(row, name) for name in (SWITCHES, ROUTERS, TOGETHER)):
                    if group in self.flows.groups:
                        self.flows.groups[group].others += use

    def group(self, *, apart: bool) -> None:
        """Use two columns for the groups, or the one that older chassis know."""
        if apart != self.apart:
            self.apart = apart
            self.touch_all()

    def plan(self, txn: Txn) -> None:
        """Write down what is to be done about touched keys."""
        super().plan(txn)
        self._known.clear()

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """The columns of a row; groups as sets of northbound UUIDs."""
        found = self.facts.get(key)
        return None if found is None else found._asdict()

    def insert(self, txn: Txn, key: Uuid, wanted: Mapping[str, Any]) -> None:
        """Add a row."""
        txn.insert_as(LoadBalancer, key, **self._columns(txn, wanted, None))

    def update(self, txn: Txn, key: Uuid, row: LoadBalancer, wanted: Mapping[str, Any]) -> None:
        """Set what differs."""
        txn.update(row, **self._columns(txn, wanted, row))

    def _columns(self, txn: Txn, wanted: Mapping[str, Any], row: LoadBalancer | None) -> dict[str, Any]:
        present = (
            (None, None) if row is None else (getattr(row, SWITCHES if self.apart else TOGETHER), getattr(row, ROUTERS))
        )
        switches = self._group(txn, wanted["switches"], present[0])
        routers = self._group(txn, wanted["routers"], present[1])
        return {
            "name": wanted["name"],
            "vips": wanted["vips"],
            "protocol": wanted["protocol"],
            "options": wanted["options"],
            SWITCHES: switches if self.apart else None,
            ROUTERS: routers,
            TOGETHER: None if self.apart else switches,
            "datapaths": frozenset(),
        }

    def _group(self, txn: Txn, datapaths: frozenset[Uuid], present: Uuid | None) -> Uuid | None:
        """The group with these datapaths: the one there is, if it has them."""
        known = self._known.get(datapaths)
        if known is None:
            known = self._known[datapaths] = datapaths & self.flows.references.datapaths.keys()
        if present is not None and (group := self.flows.groups.get(present)) and group.members == known:
            return present
        return self.flows.group_of(txn, known).uuid if known else None
