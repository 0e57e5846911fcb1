"""Both databases and our northd in one process, without sockets: edits go in, and northd carries them over.

world = World()
world.edit(lambda txn: txn.insert(nb.LogicalSwitch, name="s"))     edit and settle
world.rows(sb.PortBinding)                                         what is in a database now
world.objections()                                                 what a northd started now would change: nothing
"""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from pyovn.net.uuids import Uuid, uuid_text
from pyovn.northd.compiler import NORTHBOUND, SOUTHBOUND, Compiler
from pyovn.ovsdb.model import Row, columns, table_name
from pyovn.ovsdb.replica import Changes, Replica, Update, merge
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.server import Server
from pyovn.ovsdb.server.session import Sync
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.oracle import loaded

Json = Any
DATABASES = (nb.NORTHBOUND, sb.SOUTHBOUND)
MOST_ROUNDS = 6  #: before it must have settled


def numbers() -> Iterator[Uuid]:
    """UUIDs, the same in every run."""
    state = 1
    while True:
        state = (state * 0x5851F42D4C957F2D + 0x14057B7EF767814F) % 2**128
        yield uuid_text(state)


class World:
    """A whole central, but for its processes."""

    def __init__(self) -> None:
        self.server = Server(numbers())
        for database in DATABASES:
            self.server.add_database(Database(database.typed_schema()))
        self.session = self.server.open()
        self.replicas = {"OVN_Northbound": Replica(dict(NORTHBOUND)), "OVN_Southbound": Replica(dict(SOUTHBOUND))}
        self._random = itertools.count(0x123456789ABC)
        self.compiler = Compiler(*self.replicas.values(), self._bits)
        self._ids = itertools.count()
        self._pending: Changes = {}
        self.transactions: list[Txn] = []  #: what northd has done in the last edit
        for name, replica in self.replicas.items():
            requests = {table_name(cls): [{"columns": self._columns(cls)}] for cls in replica.classes}
            self.call("monitor_cond", name, name, requests)
        self.edit(lambda txn: txn.insert(nb.NBGlobal))

    def _bits(self, bits: int) -> int:
        return next(self._random) % 2**bits

    @staticmethod
    def _columns(cls: type[Row]) -> list[str]:
        return list({**NORTHBOUND, **SOUTHBOUND}[cls] or columns(cls))

    def call(self, method: str, *params: Json) -> Json:
        """Ask the database server."""
        number = next(self._ids)
        self.session.handle(json.loads(json.dumps({"id": number, "method": method, "params": params})))
        for sync in self.session.outbox:
            if isinstance(sync, Sync):
                sync.done = True
        decoder, text = json.JSONDecoder(), self.session.take().decode()
        result = None
        while text:
            message, end = decoder.raw_decode(text)
            text = text[end:]
            if message.get("method") == "update2":
                name, tables = message["params"]
                merge(self._pending, self.replicas[name].apply(Update(tables)))
            elif message.get("id") == number:
                assert message["error"] is None, message
                result = message["result"]
        return result

    def transact(self, database: str, txn: Txn) -> list[Json]:
        """Carry out a transaction that must succeed."""
        operations = [json.loads(each) if isinstance(each, bytes) else each for each in txn.operations()]
        return txn.settle(self.call("transact", database, *operations))

    def edit(self, edit: Callable[[Txn], object], database: str = "OVN_Northbound") -> None:
        """Change a database, and let northd carry it over."""
        txn = Txn()
        edit(txn)
        self.transact(database, txn)
        self.settle()

    def settle(self) -> None:
        """Let northd work until it has nothing more to do."""
        self.transactions = []
        for _ in range(MOST_ROUNDS):
            if not self._work():
                return
        raise AssertionError("northd does not settle")

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
        changes, self._pending = self._pending, {}
        self.compiler.run(changes)

    def rows(self, cls: type[Row]) -> list[Any]:
        """The rows of a replicated table."""
        replica = self.replicas["OVN_Northbound" if cls in NORTHBOUND else "OVN_Southbound"]
        return list(replica.rows(cls).values())

    def dump(self, database: Any) -> dict[str, Json]:
        """Everything in a database, as a monitor would tell it at first."""
        requests = {table_name(cls): [{"columns": list(columns(cls))}] for cls in database.tables}
        tables: dict[str, Json] = self.call("monitor_cond", database.name, "dump", requests)
        self.call("monitor_cancel", "dump")
        return tables

    def flows(self) -> list[dict[str, Json]]:
        """The rows of Logical_Flow."""
        return [row["initial"] for row in self.dump(sb.SOUTHBOUND).get("Logical_Flow", {}).values()]

    def restarted(self) -> Compiler:
        """A northd that starts now."""
        return loaded(self.dump(nb.NORTHBOUND), self.dump(sb.SOUTHBOUND))

    def objections(self) -> list[Json]:
        """What a northd that starts now would do."""
        fresh = self.restarted()
        before = [*fresh.northbound_options().operations(), *fresh.leases_transaction().operations()]
        return [*before, *fresh.southbound_transaction().operations(), *fresh.northbound_transaction().operations()]
