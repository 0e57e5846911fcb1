"""BFD: the sessions that chassis are to keep with next hops.

The session's number and UDP source port are made up here and stay; `status` is the chassis's to write, but a session
that no route and no policy needs rests (`admin_down`).
"""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.relations import Session
from pyovn.northd.sync.rows import RowSync, TableChanges
from pyovn.northd.sync.upkeep import Random
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from pyovn.tables.sb import BFD

FIRST_PORT, LAST_PORT = 49152, 65535  #: RFC 5881 §4
RESTING, STARTING = "admin_down", "down"

Key = tuple[str, str]  #: port and next hop


class SessionSync(RowSync[Key, BFD]):
    """The sessions, by port and next hop."""

    cls = BFD

    def __init__(self, wanted: Facts[Key, Session | None, Any], random: Random) -> None:
        super().__init__()
        self.facts = wanted
        self.random = random
        self._last = FIRST_PORT - 1

    def key(self, row: BFD) -> Key | None:
        """The port and the next hop of a session."""
        return row.logical_port, row.dst_ip

    def wanted(self, key: Key) -> Mapping[str, Any] | None:
        """The columns of a session."""
        session = self.facts.get(key)
        if session is None:
            return None
        row = self.rows.get(key)
        status = row.status if row is not None else RESTING
        if session.needed == (status == RESTING):
            status = STARTING if session.needed else RESTING
        timing = {"min_tx": session.min_tx, "min_rx": session.min_rx, "detect_mult": session.detect_mult}
        return {"logical_port": key[0], "dst_ip": key[1], "status": status, **timing}

    def insert(self, txn: Txn, key: Key, wanted: Mapping[str, Any]) -> None:
        """Add a session."""
        txn.insert(BFD, src_port=self._port(), disc=max(1, self.random(32)), **wanted)

    def _port(self) -> int:
        """A UDP port that no session uses."""
        taken = {row.src_port for row in self.rows.values()}
        count = LAST_PORT - FIRST_PORT + 1
        for step in range(1, count + 1):
            port = FIRST_PORT + (self._last - FIRST_PORT + step) % count
            if port not in taken:
                break
        self._last = port
        return port


class SessionStateSync:
    """`BFD.status` of the northbound database: what the southbound one says."""

    def __init__(self, sessions: SessionSync) -> None:
        self.sessions = sessions
        self.rows: dict[Uuid, nb.BFD] = {}
        self.dirty: dict[Uuid, None] = {}

    def seen(self, changes: TableChanges) -> None:
        """Northbound rows have changed."""
        for uuid, (_, new) in changes.items():
            self.dirty[uuid] = None
            if new is None:
                self.rows.pop(uuid, None)
            else:
                self.rows[uuid] = new

    def touch_all(self) -> None:
        """Southbound rows have changed; there are few."""
        self.dirty.update(dict.fromkeys(self.rows))

    def plan(self, txn: Txn) -> None:
        """Set what differs."""
        dirty, self.dirty = self.dirty, {}
        for uuid in dirty:
            row = self.rows.get(uuid)
            session = None if row is None else self.sessions.rows.get((row.logical_port, row.dst_ip))
            if row is not None and session is not None and row.status != session.status:
                txn.update(row, status=session.status)
