"""Datapath_Binding: one for each logical switch and router, with its key on the wire."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid, is_uuid
from pyovn.northd.relations import WantedDatapath
from pyovn.northd.sync.keys import Keys
from pyovn.northd.sync.references import References
from pyovn.northd.sync.rows import RowSync, TableChanges
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import DatapathBinding

MOST = 2**24 - 1 - 65535  #: larger keys are for networks that span availability zones
MOST_VXLAN = 2**12 - 1

Wanted = Facts[Uuid, WantedDatapath | None, Any]


class DatapathSync(RowSync[Uuid, DatapathBinding]):
    """The bindings of datapaths, by northbound UUID."""

    cls = DatapathBinding

    def __init__(self, wanted: Wanted, references: References) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references
        self.keys: Keys[Uuid] = Keys(MOST)
        self.numbers: dict[Uuid, int] = {}
        self.moved: dict[Uuid, None] = {}  #: those whose key is another since somebody last looked
        self.problems: list[tuple[Uuid, str]] = []

    def key(self, row: DatapathBinding) -> Uuid | None:
        """The switch or router that a binding is for."""
        ids = row.external_ids
        found = ids.get("logical-switch") or ids.get("logical-router")
        return Uuid(found) if found and is_uuid(found) else None

    def seen(self, changes: TableChanges) -> None:
        """Note the bindings' UUIDs and keys too."""
        super().seen(changes)
        references = self.references
        for uuid, (old, new) in changes.items():
            if old is not None and (key := self.key(old)) is not None and new is None:
                self.keys.free(old.tunnel_key, key)
                references.northbound.pop(uuid, None)
                if references.datapaths.get(key) == uuid:
                    del references.datapaths[key]
        for uuid, (old, new) in changes.items():
            if new is not None and self._keys.get(uuid) is not None:
                key = self._keys[uuid]
                references.datapaths[key] = uuid
                references.northbound[uuid] = key
                if "logical-router" in new.external_ids:
                    references.routers.add(key)
                if old is not None and old.tunnel_key != new.tunnel_key:
                    self.keys.free(old.tunnel_key, key)
                self.keys.hold(new.tunnel_key, key)

    def touch(self, keys: Iterable[Uuid]) -> None:
        """In the order of names, so that new keys do not depend on the order in which rows were read."""
        super().touch(sorted(keys, key=lambda key: (self._name(key), key)))

    def remove(self, txn: Txn, key: Uuid, row: DatapathBinding) -> None:
        """Delete a binding."""
        forget_neighbours(txn, row)
        txn.delete(row)

    def plan(self, txn: Txn) -> None:
        """Requested keys are settled first, for they displace others."""
        for row in self.surplus.values():
            forget_neighbours(txn, row)
        for key in list(self.dirty):
            wanted = self.facts.get(key)
            if wanted is not None and wanted.requested_key is not None:
                self._request(key, wanted.requested_key)
        super().plan(txn)

    def _request(self, key: Uuid, number: int) -> None:
        holder = self.keys.holder(number)
        rival = None if holder is None else self.facts.get(holder)
        if not 1 <= number < 2**24 or (holder != key and rival is not None and rival.requested_key == number):
            text = f"Cannot use requested tunnel key {number} for datapath {self._name(key)}"
            self.problems.append(
                (key, f"{text}: in use by {self._name(holder)}" if holder else f"{text}: out of range")
            )
        elif (displaced := self.keys.take(number, key)) is not None:
            self.dirty[displaced] = None

    def _name(self, key: Uuid | None) -> str:
        found = None if key is None else self.facts.get(key)
        return str(key) if found is None else found.name

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """The columns of a binding."""
        wanted = self.facts.get(key)
        if wanted is None:
            self.numbers.pop(key, None)
            self.moved[key] = None
            return None
        columns = {"external_ids": wanted.external_ids, "type": wanted.type, "nb_uuid": key}
        number = self._number(key, wanted)
        if number is not None and self.numbers.get(key) != number:
            self.numbers[key] = number
            self.moved[key] = None
        return columns if number is None else {**columns, "tunnel_key": number}

    def _number(self, key: Uuid, wanted: WantedDatapath) -> int | None:
        requested, row = wanted.requested_key, self.rows.get(key)
        if requested is not None and self.keys.holder(requested) == key:
            if row is not None and row.tunnel_key != requested:
                self.keys.free(row.tunnel_key, key)
            return requested
        if row is not None and self.keys.hold(row.tunnel_key, key):
            return row.tunnel_key
        number = self.keys.next(key)
        if number is None:
            self.problems.append((key, f"all datapath tunnel keys exhausted, none left for {wanted.name}"))
        return number

    def limit(self, most: int) -> None:
        """Use no keys larger than this."""
        if most != self.keys.most:
            self.keys.most = most
            self.touch_all()

    def number(self, key: Uuid) -> int | None:
        """The tunnel key of a switch or router, once it is settled."""
        return self.numbers.get(key)

    def insert(self, txn: Txn, key: Uuid, wanted: Mapping[str, Any]) -> None:
        """Add a binding, unless there is no key for it."""
        if "tunnel_key" in wanted:
            self.references.datapaths[key] = txn.insert(DatapathBinding, **wanted)
            if wanted["type"] == "logical-router":
                self.references.routers.add(key)


def forget_neighbours(txn: Txn, row: DatapathBinding) -> None:
    """Delete what controllers have learned on a datapath: the database does not let it go before."""
    where = [["datapath", "==", ["uuid", row.uuid]]]
    txn.raw({"op": "delete", "table": "MAC_Binding", "where": where})
