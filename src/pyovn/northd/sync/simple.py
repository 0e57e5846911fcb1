"""Tables whose rows are what a relation says: IP_Multicast, Address_Set, Port_Group, ACL_ID, Static_MAC_Binding, …"""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.engine import Source
from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.relations import Columns, NextHop, Snooping, StaticNeighbour
from pyovn.northd.sync.datapath_binding import DatapathSync
from pyovn.northd.sync.references import References
from pyovn.northd.sync.rows import R, RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import ACLID, AddressSet, ECMPNexthop, IPMulticast, PortBinding, PortGroup, StaticMACBinding

SERVICE_MONITORS = "svc_monitor_mac"  #: the address set of the health checker


class SnoopingSync(RowSync[Uuid, IPMulticast]):
    """IP_Multicast, by switch; `seq_no` belongs to ovn-sbctl, which flushes with it."""

    cls = IPMulticast

    def __init__(self, wanted: Facts[Uuid, Snooping | None, Any], references: References) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references

    def key(self, row: IPMulticast) -> Uuid | None:
        """The switch that a row is for."""
        found = self.references.northbound.get(row.datapath)
        return None if found is None else Uuid(found)

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """The columns of a row."""
        wanted, datapath = self.facts.get(key), self.references.datapaths.get(key)
        return None if wanted is None or datapath is None else {"datapath": datapath, **wanted._asdict()}


class AddressSetSync(RowSync[str, AddressSet]):
    """Address_Set, by name."""

    cls = AddressSet

    def __init__(
        self, wanted: Facts[str, frozenset[str] | None, Any], of_groups: Facts[str, frozenset[str], Any]
    ) -> None:
        super().__init__()
        self.facts = wanted
        self.of_groups = of_groups
        self.service_monitors: frozenset[str] = frozenset()

    def key(self, row: AddressSet) -> str | None:
        """The name of a set."""
        return row.name

    def expect(self, macs: frozenset[str]) -> None:
        """These are the MACs of the health checker."""
        if macs != self.service_monitors:
            self.service_monitors = macs
            self.dirty[SERVICE_MONITORS] = None

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The columns of a set."""
        found = self.service_monitors if key == SERVICE_MONITORS else self.facts.get(key)
        return None if found is None else {"name": key, "addresses": found or self.of_groups.get(key)}

    def update(self, txn: Txn, key: str, row: AddressSet, wanted: Mapping[str, Any]) -> None:
        """Let addresses come and go one by one: a set may be large."""
        if come := wanted["addresses"] - row.addresses:
            txn.mutate(row, "addresses", "insert", come)
        if gone := row.addresses - wanted["addresses"]:
            txn.mutate(row, "addresses", "delete", gone)


class ACLNumberSync(RowSync[Uuid, ACLID]):
    """ACL_ID: the row has the UUID of its ACL."""

    cls = ACLID

    def __init__(self, wanted: Facts[Uuid, int | None, Any]) -> None:
        super().__init__()
        self.facts = wanted

    def key(self, row: ACLID) -> Uuid | None:
        """The ACL that a number is for."""
        return row.uuid

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """The number."""
        found = self.facts.get(key)
        return None if found is None else {"id": found}

    def insert(self, txn: Txn, key: Uuid, wanted: Mapping[str, Any]) -> None:
        """Add a row with the ACL's UUID."""
        txn.insert_as(ACLID, key, **wanted)


class PortGroupSync(RowSync[str, PortGroup]):
    """Port_Group, by name: the switch's tunnel key, then the northbound name."""

    cls = PortGroup

    def __init__(self, wanted: Facts[tuple[str, Uuid], frozenset[str], Any], datapaths: DatapathSync) -> None:
        super().__init__()
        self.facts = wanted
        self.datapaths = datapaths
        self._numbers: dict[tuple[str, Uuid], str] = {}  # what the row for each wanted group is called
        self._groups: dict[str, tuple[str, Uuid]] = {}

    def key(self, row: PortGroup) -> str | None:
        """The name of a group."""
        return row.name

    def rename(self, groups: Mapping[tuple[str, Uuid], None], moved: Mapping[Uuid, None]) -> None:
        """Work out again what touched groups, and those of datapaths with another key, are called."""
        again = {**groups, **{group: None for group in self._numbers if group[1] in moved}}
        for group in again:
            if (before := self._numbers.pop(group, None)) is not None:
                self._groups.pop(before, None)
                self.dirty[before] = None
            number = self.datapaths.number(group[1])
            if number is not None and group in self.facts:
                name = self._numbers[group] = f"{number}_{group[0]}"
                self._groups[name] = group
                self.dirty[name] = None

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The columns of a group."""
        group = self._groups.get(key)
        ports = frozenset() if group is None else self.facts.get(group)
        return {"name": key, "ports": ports} if ports else None

    def update(self, txn: Txn, key: str, row: PortGroup, wanted: Mapping[str, Any]) -> None:
        """Let ports come and go one by one: a group may be large."""
        if come := wanted["ports"] - row.ports:
            txn.mutate(row, "ports", "insert", come)
        if gone := row.ports - wanted["ports"]:
            txn.mutate(row, "ports", "delete", gone)


class StaticNeighbourSync(RowSync[Uuid, StaticMACBinding]):
    """Static_MAC_Binding; each row has the UUID of its northbound one."""

    cls = StaticMACBinding

    def __init__(self, wanted: Facts[Uuid, StaticNeighbour | None, Any], references: References) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references

    def key(self, row: StaticMACBinding) -> Uuid | None:
        """The row's own UUID."""
        return row.uuid

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """The columns of a row."""
        found = self.facts.get(key)
        datapath = None if found is None else self.references.datapaths.get(found.router)
        if found is None or datapath is None:
            return None
        return {
            "logical_port": found.logical_port,
            "ip": found.ip,
            "mac": found.mac,
            "override_dynamic_mac": found.override,
            "datapath": datapath,
        }

    def insert(self, txn: Txn, key: Uuid, wanted: Mapping[str, Any]) -> None:
        """Add a row."""
        txn.insert_as(StaticMACBinding, key, **wanted)


class NextHopSync(RowSync[tuple[str, str], ECMPNexthop]):
    """ECMP_Nexthop, by address and name of the port; a MAC stays when nobody knows it any more."""

    cls = ECMPNexthop

    def __init__(
        self, wanted: Facts[tuple[str, str], NextHop | None, Any], references: References, southbound: Source
    ) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references
        self.southbound = southbound

    def key(self, row: ECMPNexthop) -> tuple[str, str] | None:
        """What is watched."""
        port = self.southbound.rows(PortBinding).get(row.port)
        return None if port is None else (row.nexthop, port.logical_port)

    def wanted(self, key: tuple[str, str]) -> Mapping[str, Any] | None:
        """The columns of a row."""
        hop, port = self.facts.get(key), self.references.ports.get(key[1])
        datapath = None if hop is None else self.references.datapaths.get(hop.router)
        if hop is None or port is None or datapath is None:
            return None
        mac = {"mac": hop.mac} if hop.mac else {}
        return {"nexthop": key[0], "port": port, "datapath": datapath, **mac}


class TwinSync(RowSync[Uuid, R]):
    """A table whose rows are those of the northbound one, UUIDs and all: Chassis_Template_Var, Mirror."""

    def __init__(self, cls: type[R], wanted: Facts[Uuid, Columns | None, Any]) -> None:
        super().__init__()
        self.cls = cls
        self.facts = wanted

    def key(self, row: R) -> Uuid | None:
        """The northbound row."""
        return row.uuid

    def wanted(self, key: Uuid) -> Mapping[str, Any] | None:
        """The columns of a row."""
        return self.facts.get(key)

    def insert(self, txn: Txn, key: Uuid, wanted: Mapping[str, Any]) -> None:
        """Add a row."""
        txn.insert_as(self.cls, key, **wanted)
