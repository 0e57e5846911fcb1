"""Both databases and northd in one process, without sockets: edits go in, and northd carries them over.

central = Central([northbound, southbound], uuids, bits)
central.transact("OVN_Northbound", txn)
central.settle()                                  northd works until it has nothing more to do
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from pyovn.net.uuids import Uuid
from pyovn.northd.compiler import NORTHBOUND, SOUTHBOUND, Compiler
from pyovn.ovsdb.model import Row, columns, table_name
from pyovn.ovsdb.replica import Changes, Replica, Update, merge
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.server import Server
from pyovn.ovsdb.server.session import Sync
from pyovn.ovsdb.txn import Txn

Json = Any
MOST_ROUNDS = 6  #: before northd must have settled


def messages(data: bytes) -> Iterator[Json]:
    """The messages in what a server sends; mostly it is one, and large ones come alone."""
    try:
        yield orjson.loads(data or b"null") or {}
    except orjson.JSONDecodeError:
        decoder, text = json.JSONDecoder(), data.decode()
        while text:
            message, end = decoder.raw_decode(text)
            text = text[end:]
            yield message


class NotSettled(RuntimeError):
    """northd went on and on."""


class Central:
    """A whole central, but for its processes; `bits` draws numbers of so many bits."""

    def __init__(self, databases: Iterable[Database], uuids: Iterator[Uuid], bits: Callable[[int], int]) -> None:
        self.server = Server(uuids)
        self.databases = {database.name: database for database in databases}
        for database in self.databases.values():
            self.server.add_database(database)
        self.session = self.server.open()
        north, south = Replica(dict(NORTHBOUND)), Replica(dict(SOUTHBOUND))
        self.replicas = {"OVN_Northbound": north, "OVN_Southbound": south}
        self.compiler = Compiler(north, south, bits)
        self._ids = itertools.count()
        self._pending: Changes = {}
        self.transactions: list[Txn] = []  #: what northd did when it settled last
        for name, replica in self.replicas.items():
            requests = {table_name(cls): [{"columns": self._columns(name, cls)}] for cls in replica.classes}
            self.call("monitor_cond", name, name, requests)
        self._compile()
        self.compiler.flows.load([self.contents("OVN_Southbound", "Logical_Flow")])

    def contents(self, database: str, table: str) -> dict[Uuid, Json]:
        """A table as a monitor would tell it at first."""
        known = list(self.databases[database].schema.tables[table].columns)
        told = self.call("monitor_cond", database, "contents", {table: [{"columns": known}]})
        self.call("monitor_cancel", "contents")
        found: dict[Uuid, Json] = told.get(table, {})
        return found

    def _columns(self, database: str, cls: type[Row]) -> list[str]:
        """The columns that northd reads, of those that there are."""
        table = self.databases[database].schema.tables.get(table_name(cls))
        wanted = {**NORTHBOUND, **SOUTHBOUND}[cls] or columns(cls)
        return [name for name in wanted if table is None or name in table.columns]

    def call(self, method: str, *params: Json) -> Json:
        """Ask the database server; what it says otherwise is for northd."""
        number = next(self._ids)
        self.session.handle(orjson.loads(orjson.dumps({"id": number, "method": method, "params": params})))
        for sync in self.session.outbox:
            if isinstance(sync, Sync):
                sync.done = True
        result = None
        for message in messages(self.session.take()):
            if message.get("method") == "update2":
                name, tables = message["params"]
                merge(self._pending, self.replicas[name].apply(Update(tables)))
            elif message.get("id") == number:
                assert message["error"] is None, message
                result = message["result"]
                if method == "monitor_cond" and params[1] in self.replicas:
                    merge(self._pending, self.replicas[params[1]].apply(Update(result, fresh=True)))
        return result

    def transact(self, database: str, txn: Txn) -> list[Json]:
        """Carry out a transaction that must succeed."""
        operations = [orjson.loads(each) if isinstance(each, bytes) else each for each in txn.operations()]
        return txn.settle(self.call("transact", database, *operations))

    def settle(self) -> None:
        """Let northd work until it has nothing more to do; raises `NotSettled`."""
        self.transactions = []
        for _ in range(MOST_ROUNDS):
            if not self._work():
                return
        raise NotSettled(f"northd has not settled after {MOST_ROUNDS} rounds")

    def _work(self) -> bool:
        """One step of northd; True where it did something."""
        done = []
        if before := self.compiler.northbound_options():
            self.transact("OVN_Northbound", before)
            done.append(before)
        self._compile()
        while leases := self.compiler.leases_transaction():
            self.transact("OVN_Northbound", leases)
            done.append(leases)
            self._compile()
        south = self.compiler.southbound_transaction()
        if south:
            results = self.transact("OVN_Southbound", south)
            self.compiler.settled(south, results)
            self._compile()
        north = self.compiler.northbound_transaction()
        if north:
            self.transact("OVN_Northbound", north)
        done += [txn for txn in (south, north) if txn]
        self.transactions += done
        return bool(done)

    def _compile(self) -> None:
        self.call("echo")  # takes in what others have changed
        changes, self._pending = self._pending, {}
        self.compiler.run(changes)
