"""One worker of a cloud's API service, as a process: what Neutron's ML2/OVN driver does with the northbound database.

    python -m tests.support.cloud_worker REMOTE NAME PORTS

It follows all ports and, over a second connection, those of one type only; adds ports of its own to a switch that all
workers share, and counts them in a counter that all share; and takes its turn with the lock.  On standard output it
says a line of JSON for each thing that happens: ready, lock, event, added, done.  It lives until its input ends.
"""

import json
import sys
import threading
from typing import Any

from ovs.db import idl as ovs_idl
from ovsdbapp.backend.ovs_idl import command, connection
from ovsdbapp.backend.ovs_idl import event as events
from ovsdbapp.event import RowEventHandler
from ovsdbapp.schema.ovn_northbound.impl_idl import OvnNbApiIdlImpl

NB, SWITCH, COUNTER = "OVN_Northbound", "shared", "counter"
PORT, TYPE = "Logical_Switch_Port", "localport"
TIMEOUT_S = 30
_saying = threading.Lock()


def say(what: str, **more: Any) -> None:
    """Tell the test."""
    with _saying:
        sys.stdout.write(json.dumps({"what": what, **more}) + "\n")
        sys.stdout.flush()


class Idl(connection.OvsdbIdl):  # type: ignore[misc]
    """An IDL that tells of events."""

    def __init__(self, remote: str, helper: Any) -> None:
        self.notify_handler = RowEventHandler()
        super().__init__(remote, helper, leader_only=False)

    def notify(self, event: str, row: Any, updates: Any = None) -> None:
        self.notify_handler.notify(event, row, updates)


class PortEvent(events.RowEvent):  # type: ignore[misc]
    """Says what happens to ports."""

    event_name = "ports"

    def __init__(self, connection_name: str) -> None:
        super().__init__((self.ROW_CREATE, self.ROW_DELETE), PORT, None)
        self.connection_name = connection_name

    def run(self, event: str, row: Any, old: Any) -> None:
        say("event", on=self.connection_name, event=event, port=row.name, uuid=str(row.uuid))


class Count(command.BaseCommand):  # type: ignore[misc]
    """Add one to the shared counter, which must not have changed meanwhile."""

    def run_idl(self, txn: Any) -> None:
        (row,) = self.api.tables["NB_Global"].rows.values()
        row.verify("external_ids")
        row.setkey("external_ids", COUNTER, str(int(row.external_ids.get(COUNTER, 0)) + 1))


def opened(remote: str, name: str, tables: tuple[str, ...] = ()) -> Any:
    """A connection whose port events are said."""
    helper = ovs_idl.SchemaHelper(schema_json=_schema(remote))
    if tables:
        for table in tables:
            helper.register_table(table)
    else:
        helper.register_all()
    idl = Idl(remote, helper)
    idl.notify_handler.watch_event(PortEvent(name))
    return idl


def _schema(remote: str) -> Any:
    from tests.support.servers import Rpc

    with Rpc(remote.removeprefix("unix:"), TIMEOUT_S) as rpc:
        return rpc.call("get_schema", NB)["result"]


def main() -> None:
    """Be a worker."""
    remote, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    some = opened(remote, "some", (PORT,))
    some.cond_change(PORT, [["type", "==", TYPE]])
    followed = connection.Connection(some, TIMEOUT_S)
    some.set_lock("cloud_event_lock")
    api = OvnNbApiIdlImpl(connection.Connection(opened(remote, "all"), TIMEOUT_S))
    followed.start()
    say("ready")
    threading.Thread(target=_watch_lock, args=(some,), daemon=True).start()
    for number in range(count):
        port = f"{name}-{number}"
        with api.transaction(check_error=True) as txn:
            txn.add(api.lsp_add(SWITCH, port, type=TYPE if number % 3 == 0 else ""))
            txn.add(Count(api))
        say("added", port=port)
    say("done")
    sys.stdin.read()


def _watch_lock(idl: Any) -> None:
    had, pause = False, threading.Event()
    while not pause.wait(0.01):
        if idl.has_lock and not had:
            say("lock")
        had = idl.has_lock


if __name__ == "__main__":
    main()
