"""Multicast_Group: the ports that packets for everybody go to, by datapath."""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.relations import FLOOD, FLOOD_L2, ROUTER_FLOOD, STATIC, UNKNOWN, Group
from pyovn.northd.sync.references import References, reference_json
from pyovn.northd.sync.rows import RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import MulticastGroup

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

    def key(self, row: MulticastGroup) -> Key | None:
        """What a row is the group of."""
        datapath = self.references.northbound.get(row.datapath)
        group = GROUPS.get(Group(row.name, row.tunnel_key))
        return None if datapath is None or group is None else (Uuid(datapath), group)

    def wanted(self, key: Key) -> Mapping[str, Any] | None:
        """The columns of a group; none where nobody is in it."""
        members = self.facts.get(key)
        datapath = self.references.datapaths.get(key[0])
        if not members or datapath is None:
            return None
        ports = self.references.ports
        found = frozenset(ports[name] for name in members if name in ports)
        return {"datapath": datapath, "name": key[1].name, "tunnel_key": key[1].key, "ports": found}

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
