"""HA_Chassis_Group: the chassis that may serve external ports and gateways, best first."""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.engine import Source
from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.sync.rows import RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import Chassis, HAChassis, HAChassisGroup

Members = frozenset[tuple[str, int]]  #: names of chassis with priorities


class HAGroupSync(RowSync[str, HAChassisGroup]):
    """The groups, by name."""

    cls = HAChassisGroup

    def __init__(
        self,
        wanted: Facts[str, Members | None, Any],
        referring: Facts[str, frozenset[Uuid] | None, Any],
        southbound: Source,
    ) -> None:
        super().__init__()
        self.facts = wanted
        self.referring = referring
        self.southbound = southbound
        self.uuids: dict[str, Uuid] = {}  #: by name, those that are being inserted too

    def key(self, row: HAChassisGroup) -> str | None:
        """The name of a group."""
        return row.name

    def plan(self, txn: Txn) -> None:
        """Know the rows by name."""
        self.uuids = {name: row.uuid for name, row in self.rows.items()}
        self.touch(self.referring.take())
        super().plan(txn)

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The members that a group is to have, and the chassis that depend on it."""
        members = self.facts.get(key)
        referring = self.referring.get(key) or frozenset()
        return None if members is None else {"members": members, "ref_chassis": referring}

    def insert(self, txn: Txn, key: str, wanted: Mapping[str, Any]) -> None:
        """Add a group with its members."""
        rows = frozenset(self._insert_member(txn, name, priority) for name, priority in sorted(wanted["members"]))
        self.uuids[key] = txn.insert(HAChassisGroup, name=key, ha_chassis=rows, ref_chassis=wanted["ref_chassis"])

    def update(self, txn: Txn, key: str, row: HAChassisGroup, wanted: Mapping[str, Any]) -> None:
        """Exchange the members that differ, and note who depends on them."""
        txn.update(row, ref_chassis=wanted["ref_chassis"])
        kept, missing = set(), set(wanted["members"])
        known = self.southbound.rows(HAChassis)
        for uuid in row.ha_chassis:
            member = known.get(uuid)
            if member is None:
                continue
            said = (member.external_ids.get("chassis-name", ""), member.priority)
            if said in missing and self._chassis(said[0]) == member.chassis:
                missing.discard(said)
                kept.add(uuid)
        added = {self._insert_member(txn, name, priority) for name, priority in sorted(missing)}
        if added or len(kept) != len(row.ha_chassis):
            txn.update(row, ha_chassis=frozenset(kept | added))

    def remove(self, txn: Txn, key: str, row: HAChassisGroup) -> None:
        """Delete a group."""
        self.uuids.pop(key, None)
        txn.delete(row)

    def _insert_member(self, txn: Txn, name: str, priority: int) -> Uuid:
        ids = {"chassis-name": name}
        return txn.insert(HAChassis, chassis=self._chassis(name), priority=priority, external_ids=ids)

    def _chassis(self, name: str) -> Uuid | None:
        found = self.southbound.where(Chassis, name=name)
        return found[0].uuid if found else None
