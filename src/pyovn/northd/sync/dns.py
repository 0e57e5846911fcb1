"""DNS: names and the switches that answer for them; a row has the UUID of its northbound row."""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.relations import Names
from pyovn.northd.sync.references import References
from pyovn.northd.sync.rows import RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import DNS


class NameSync(RowSync[Uuid, DNS]):
    """The names, by northbound row."""

    cls = DNS

    def __init__(self, wanted: Facts[Uuid, Names | None, Any], references: References) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references

    def key(self, row: DNS) -> Uuid | None:
        """The northbound row."""
        return row.uuid

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """The columns of a row; without a switch there is to be none."""
        found = self.facts.get(key)
        known = self.references.datapaths
        datapaths = frozenset(known[each] for each in found.switches if each in known) if found else frozenset()
        if found is None or not datapaths:
            return None
        options = {"ovn-owned": "true" if found.owned else "false"}
        return {"records": found.records, "options": options, "datapaths": datapaths}

    def insert(self, txn: Txn, key: Uuid, wanted: Mapping[str, Any]) -> None:
        """Add a row, with the UUID that shows what it is for."""
        txn.insert_as(DNS, key, **wanted)
