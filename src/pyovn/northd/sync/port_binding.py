"""Port_Binding: one for each logical port, with its key on the wire.

northd says what a port is; `chassis`, `up` after the first time, `virtual_parent` and the encapsulations are the
controllers' to write.
"""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.relations import Binding
from pyovn.northd.sync.delegated import DELEGATED
from pyovn.northd.sync.keys import Keys
from pyovn.northd.sync.references import References, reference_json
from pyovn.northd.sync.rows import RowSync, TableChanges
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import PortBinding

MOST = 2**15 - 1
MOST_VXLAN = 2**11 - 1
#: the controllers' own keys among the options
THEIRS = ("additional-chassis-activated", DELEGATED)

Wanted = Facts[str, Binding | None, Any]


class PortSync(RowSync[str, PortBinding]):
    """The bindings of ports, by name."""

    cls = PortBinding

    def __init__(self, wanted: Wanted, references: References) -> None:
        super().__init__()
        self.facts = wanted
        self.references = references
        self.most = MOST
        self.keys: dict[str, Keys[str]] = {}  #: by the datapath's northbound UUID
        self.problems: list[tuple[str, str]] = []
        self.groups: Mapping[str, Uuid] = {}  #: HA_Chassis_Group by name

    def key(self, row: PortBinding) -> str | None:
        """The port that a binding is for."""
        return row.logical_port

    def seen(self, changes: TableChanges) -> None:
        """Note the bindings' UUIDs and keys too."""
        super().seen(changes)
        northbound, ports = self.references.northbound, self.references.ports
        for old, new in changes.values():
            if old is not None and new is None:
                if ports.get(old.logical_port) == old.uuid:
                    del ports[old.logical_port]
                if (datapath := northbound.get(old.datapath)) is not None:
                    self._space(datapath).free(old.tunnel_key, old.logical_port)
        for uuid, (old, new) in changes.items():
            if new is not None:
                ports[new.logical_port] = uuid
                if (datapath := northbound.get(new.datapath)) is not None:
                    space = self._space(datapath)
                    if old is not None and old.tunnel_key != new.tunnel_key:
                        space.free(old.tunnel_key, old.logical_port)
                    space.hold(new.tunnel_key, new.logical_port)

    def _space(self, datapath: str) -> Keys[str]:
        space = self.keys.get(datapath)
        if space is None:
            space = self.keys[datapath] = Keys(self.most)
        return space

    def limit(self, most: int) -> None:
        """Use no keys larger than this."""
        if most != self.most:
            self.most = most
            for space in self.keys.values():
                space.most = most
            self.touch_all()

    def plan(self, txn: Txn) -> None:
        """Requested keys are settled first, for they displace others; new keys go by name."""
        rows = self.rows
        wrong = [name for name in self.dirty if (row := rows.get(name)) is None or not self.is_right(name, row)]
        self.dirty = dict.fromkeys(sorted(wrong))
        for name in wrong:
            wanted = self.facts.get(name)
            if wanted is not None and wanted.requested_key is not None:
                self._request(name, wanted.datapath, wanted.requested_key)
        super().plan(txn)

    def _request(self, name: str, datapath: str, number: int) -> None:
        space = self._space(datapath)
        holder = space.holder(number)
        rival = None if holder is None else self.facts.get(holder)
        if not 1 <= number <= self.most or (holder != name and rival is not None and rival.requested_key == number):
            self.problems.append((name, f"Cannot use requested tunnel key {number} for port {name}"))
        elif (displaced := space.take(number, name)) is not None:
            self.dirty[displaced] = None

    def is_right(self, key: str, row: PortBinding) -> bool:
        """Does a row say what is wanted?  A restart asks this 25,000 times."""
        wanted = self.facts.get(key)
        return (
            wanted is not None
            and (row.options == wanted.options or row.options == kept(row, wanted.options))
            and row.mac == wanted.mac
            and row.port_security == wanted.port_security
            and row.external_ids == wanted.external_ids
            and row.type == wanted.type
            and (row.nat_addresses == wanted.nat_addresses or same(row.nat_addresses, wanted.nat_addresses))
            and self.references.northbound.get(row.datapath) == wanted.datapath
            and row.parent_port == wanted.parent_port
            and row.tag == wanted.tag
            and row.mirror_rules == wanted.mirrors
            and row.mirror_port == wanted.mirror_port
            and row.requested_chassis == wanted.requested_chassis
            and row.requested_additional_chassis == wanted.requested_additional_chassis
            and (row.ha_chassis_group is None) == (wanted.ha_chassis_group is None)
            and (wanted.ha_chassis_group is None or row.ha_chassis_group == self.groups.get(wanted.ha_chassis_group))
            and wanted.requested_key in (None, row.tunnel_key)
            and self._space(wanted.datapath).holder(row.tunnel_key) == key
            and row.tunnel_key <= self.most
        )

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The columns of a binding; `tunnel_key` is there unless all keys are taken."""
        wanted = self.facts.get(key)
        if wanted is None or wanted.datapath not in self.references.datapaths:
            return None
        number = self._number(key, wanted)
        if number is None:
            self.problems.append((key, f"all port tunnel keys exhausted, none left for {key}"))
            return None
        return {
            "tunnel_key": number,
            "datapath": self.references.datapaths[wanted.datapath],
            "type": wanted.type,
            "options": wanted.options,
            "mac": wanted.mac,
            "port_security": wanted.port_security,
            "external_ids": wanted.external_ids,
            "nat_addresses": wanted.nat_addresses,
            "parent_port": wanted.parent_port,
            "tag": wanted.tag,
            "mirror_rules": wanted.mirrors,
            "mirror_port": wanted.mirror_port,
            "requested_chassis": wanted.requested_chassis,
            "requested_additional_chassis": wanted.requested_additional_chassis,
            "ha_chassis_group": self.groups.get(wanted.ha_chassis_group) if wanted.ha_chassis_group else None,
        }

    def _number(self, name: str, wanted: Binding) -> int | None:
        space = self.keys.get(wanted.datapath) or self._space(wanted.datapath)
        requested, row = wanted.requested_key, self.rows.get(name)
        if requested is not None and space.holder(requested) == name:
            if row is not None and row.tunnel_key != requested:
                space.free(row.tunnel_key, name)
            return requested
        stays = row is not None and self.references.northbound.get(row.datapath) == wanted.datapath
        if row is not None and stays and space.hold(row.tunnel_key, name):
            return row.tunnel_key
        return space.next(name)

    def update(self, txn: Txn, key: str, row: PortBinding, wanted: Mapping[str, Any]) -> None:
        """Set what differs; one comparison finds that nothing does, as it mostly is."""
        if same(row.nat_addresses, wanted["nat_addresses"]):
            wanted = {**wanted, "nat_addresses": row.nat_addresses}
        txn.update(row, **{**wanted, "options": kept(row, wanted["options"])})

    def insert(self, txn: Txn, key: str, wanted: Mapping[str, Any]) -> None:
        """Add a binding, as JSON: a first fill adds 25,000."""
        json = {
            "logical_port": key,
            "datapath": reference_json(wanted["datapath"]),
            "tunnel_key": wanted["tunnel_key"],
            "type": wanted["type"],
            "up": False,
        }
        for column in ("mac", "port_security", "nat_addresses"):
            if wanted[column]:
                json[column] = ["set", sorted(wanted[column])]
        for column in ("options", "external_ids"):
            if wanted[column]:
                json[column] = ["map", sorted(wanted[column].items())]
        for column in ("parent_port", "tag", "mirror_port"):
            if wanted[column] is not None:
                json[column] = wanted[column]
        for column in ("requested_chassis", "ha_chassis_group"):
            if wanted[column] is not None:
                json[column] = reference_json(wanted[column])
        for column in ("requested_additional_chassis", "mirror_rules"):
            if wanted[column]:
                json[column] = ["set", [reference_json(each) for each in sorted(wanted[column])]]
        name = self.references.ports[key] = txn.new_name()
        txn.raw_insert("Port_Binding", json, name)


def kept(row: PortBinding, options: Mapping[str, str]) -> Mapping[str, str]:
    """The options, with the controllers' own of a row."""
    own = {key: row.options[key] for key in THEIRS if key in row.options}
    return {**options, **own} if own else options


def same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Do they say the same?  The order of addresses in an entry has no meaning."""
    return {frozenset(text.split()) for text in one} == {frozenset(text.split()) for text in other}
