"""What goes back to the northbound database: whether ports are up, the VLANs of their traffic, where gateways are."""

from collections.abc import Iterable
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.northd.relations import Binding
from pyovn.northd.sync.rows import TableChanges
from pyovn.ovsdb.txn import Txn
from pyovn.tables.nb import LogicalRouterPort, LogicalSwitchPort


class PortStateSync:
    """The columns of Logical_Switch_Port that are northd's to write."""

    def __init__(
        self,
        liveness: Facts[str, bool | None, Any],
        bindings: Facts[str, Binding | None, Any],
        tags: Facts[str, int | None, Any],
    ) -> None:
        self.rows: dict[str, LogicalSwitchPort] = {}  # by name
        self.liveness = liveness
        self.bindings = bindings
        self.tags = tags
        self.dirty: dict[str, None] = {}

    def seen(self, changes: TableChanges) -> None:
        """Ports have changed: new ones do not know yet whether they are up."""
        for old, _ in changes.values():
            if old is not None and (known := self.rows.get(old.name)) is not None and known.uuid == old.uuid:
                del self.rows[old.name]
        for old, new in changes.values():
            if new is not None:
                self.rows[new.name] = new
            if new is not None and (old is None or old[1:] != new[1:]):
                self.dirty[new.name] = None

    def touch(self, names: Iterable[str]) -> None:
        """What is known about these ports has changed."""
        self.dirty.update(dict.fromkeys(names))

    def plan(self, txn: Txn) -> None:
        """Set what differs."""
        self.touch(self.liveness.take())
        self.touch(self.tags.take())
        dirty, self.dirty = self.dirty, {}
        for name in dirty:
            row, up = self.rows.get(name), self.liveness.get(name)
            if row is None:
                continue
            different: dict[str, Any] = {}
            if up is not None and row.up is not up:
                different["up"] = up
            if row.tag_request is not None and (bound := self.bindings.get(name)) and row.tag != bound.tag:
                different["tag"] = ["set", []] if bound.tag is None else bound.tag
            if different:  # as JSON: a first fill sets 25,000
                where = [["_uuid", "==", ["uuid", row.uuid]]]
                txn.raw({"op": "update", "table": "Logical_Switch_Port", "where": where, "row": different})


HOSTING = "hosting-chassis"


class RouterPortStateSync:
    """`Logical_Router_Port.status`: which chassis serves a gateway port."""

    def __init__(self, hosted: Facts[str, str | None, Any]) -> None:
        self.rows: dict[str, LogicalRouterPort] = {}  # by name
        self.hosted = hosted
        self.dirty: dict[str, None] = {}

    def seen(self, changes: TableChanges) -> None:
        """Ports have changed."""
        for old, new in changes.values():
            if old is not None and (known := self.rows.get(old.name)) is not None and known.uuid == old.uuid:
                del self.rows[old.name]
            if new is not None:
                self.rows[new.name] = new
                self.dirty[new.name] = None

    def plan(self, txn: Txn) -> None:
        """Set what differs."""
        self.dirty.update(self.hosted.take())
        dirty, self.dirty = self.dirty, {}
        for name in dirty:
            row = self.rows.get(name)
            if row is None:
                continue
            status = {key: value for key, value in row.status.items() if key != HOSTING}
            if (chassis := self.hosted.get(name)) is not None:
                status[HOSTING] = chassis
            txn.update(row, status=status)
