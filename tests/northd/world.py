"""Both databases and northd in one process, without sockets: edits go in, and northd carries them over.

world = World()
world.edit(lambda txn: txn.insert(nb.LogicalSwitch, name="s"))     edit and settle
world.rows(sb.PortBinding)                                         what is in a database now
world.objections()                                                 what a northd started now would change: nothing
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pyovn.net.uuids import Uuid, uuid_text
from pyovn.northd.compiler import NORTHBOUND, Compiler
from pyovn.ovsdb.model import Row, columns, table_name
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.txn import Txn
from pyovn.plan.central import Central
from pyovn.tables import nb, sb
from tests.northd.oracle import loaded

Json = Any
DATABASES = (nb.NORTHBOUND, sb.SOUTHBOUND)


def numbers() -> Iterator[Uuid]:
    """UUIDs, the same in every run."""
    state = 1
    while True:
        state = (state * 0x5851F42D4C957F2D + 0x14057B7EF767814F) % 2**128
        yield uuid_text(state)


class World(Central):
    """A whole central, but for its processes, whose databases are new."""

    def __init__(self) -> None:
        draws = itertools.count(0x123456789ABC)
        databases = [Database(database.typed_schema()) for database in DATABASES]
        super().__init__(databases, numbers(), lambda bits: next(draws) % 2**bits)
        self.edit(lambda txn: txn.insert(nb.NBGlobal))

    def edit(self, edit: Callable[[Txn], object], database: str = "OVN_Northbound") -> None:
        """Change a database, and let northd carry it over."""
        txn = Txn()
        edit(txn)
        self.transact(database, txn)
        self.settle()

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
