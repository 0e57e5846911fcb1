"""Logical_Router_Port.ipv6_prefix: the prefix that a controller was delegated for a router port.

Port_Binding.options:ipv6_ra_pd_list "IAID:PREFIX" ─► Logical_Router_Port.ipv6_prefix ─► what the port advertises

A prefix that was lost stays until another one is there: guests may go on with it.
"""

from typing import Final

from pyovn.incr.engine import Source
from pyovn.northd.sync.rows import TableChanges
from pyovn.ovsdb.txn import Txn
from pyovn.tables.nb import LogicalRouterPort
from pyovn.tables.sb import PortBinding

DELEGATED: Final = "ipv6_ra_pd_list"


class DelegatedSync:
    """The prefixes of router ports."""

    def __init__(self, northbound: Source) -> None:
        self._northbound = northbound
        self._fresh: dict[str, str] = {}  #: by router port

    def seen(self, changes: TableChanges) -> None:
        """Bindings have changed; few have ever had a prefix."""
        for old, new in changes.values():
            if isinstance(new, PortBinding) and DELEGATED in new.options:
                before = old.options.get(DELEGATED) if isinstance(old, PortBinding) else None
                if before != new.options[DELEGATED]:
                    self._fresh[new.logical_port] = new.options[DELEGATED]

    def plan(self, txn: Txn) -> None:
        """Write down what is new."""
        fresh, self._fresh = self._fresh, {}
        for name, lease in fresh.items():
            prefix = lease.partition(" ")[0].partition(":")[2]
            for row in self._northbound.where(LogicalRouterPort, name=name) if prefix else ():
                txn.update(row, ipv6_prefix=frozenset([prefix]))
