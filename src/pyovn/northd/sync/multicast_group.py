"""Multicast_Group: the ports that packets for everybody, or for those who listen, go to, by datapath."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.relations import ANY_KEY, FLOOD, FLOOD_L2, ROUTER_FLOOD, STATIC, UNKNOWN, Group
from pyovn.northd.sync.references import References, reference_json
from pyovn.northd.sync.rows import RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import MulticastGroup

FIRST, LAST = 32773, 65535  #: keys of groups for addresses
GROUPS = {group: group for group in (FLOOD, UNKNOWN, ROUTER_FLOOD, STATIC, FLOOD_L2)}

Key = tuple[Uuid, Group]
Wanted = Facts[Key, tuple[str, ...], Any]


class GroupSync(RowSync[Key, MulticastGroup]):
    """The groups, by datapath (northbound UUID) and group."""

    cls = MulticastGroup

    def __init__(self, wanted: Wanted, references: References) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references
        self._taken: dict[str, set[int]] = defaultdict(set)  #: keys of groups for addresses, by southbound datapath

    def key(self, row: MulticastGroup) -> Key | None:
        """What a row is the group of."""
        datapath = self.references.northbound.get(row.datapath)
        group = GROUPS.get(Group(row.name, row.tunnel_key))
        if row.tunnel_key >= FIRST:
            group = Group(row.name, ANY_KEY)
        return None if datapath is None or group is None else (Uuid(datapath), group)

    def _learn(self, uuid: Uuid, row: MulticastGroup) -> None:
        super()._learn(uuid, row)
        if row.tunnel_key >= FIRST:
            self._taken[row.datapath].add(row.tunnel_key)

    def _forget(self, uuid: Uuid) -> None:
        row = self.surplus.get(uuid) or self.rows[self._keys[uuid]]
        self._taken[row.datapath].discard(row.tunnel_key)
        super()._forget(uuid)

    def wanted(self, key: Key) -> Mapping[str, Any] | None:
        """The columns of a group; none where nobody is in it."""
        members = self.facts.get(key)
        datapath = self.references.datapaths.get(key[0])
        if not members or datapath is None:
            return None
        ports = self.references.ports
        found = frozenset(ports[name] for name in members if name in ports)
        number = key[1].key or self._number(key, datapath)
        return {"datapath": datapath, "name": key[1].name, "tunnel_key": number, "ports": found}

    def _number(self, key: Key, datapath: Any) -> int:
        """The key of a group for an address: the one it has, or the smallest that is free."""
        if (row := self.rows.get(key)) is not None:
            return row.tunnel_key
        taken = self._taken[str(datapath)]
        number = next(each for each in range(FIRST, LAST + 1) if each not in taken)
        taken.add(number)
        return number

    def insert(self, txn: Txn, key: Key, wanted: Mapping[str, Any]) -> None:
        """Add a group, as JSON: a first fill adds two for each switch, with all its ports."""
        json = {
            "datapath": reference_json(wanted["datapath"]),
            "name": wanted["name"],
            "tunnel_key": wanted["tunnel_key"],
            "ports": ["set", [reference_json(port) for port in sorted(wanted["ports"])]],
        }
        txn.raw_insert("Multicast_Group", json)

    def update(self, txn: Txn, key: Key, row: MulticastGroup, wanted: Mapping[str, Any]) -> None:
        """Let members come and go one by one: a group may be large."""
        if come := wanted["ports"] - row.ports:
            txn.mutate(row, "ports", "insert", come)
        if gone := row.ports - wanted["ports"]:
            txn.mutate(row, "ports", "delete", gone)
