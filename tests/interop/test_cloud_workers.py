"""Workers of a cloud's API service share one database, ours: they write at once, come and go, and share out events.

As with Neutron's hash ring, each worker hears of every event and handles those that fall to it among the living.
"""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clusters import eventually
from tests.support.servers import RunningServer, server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
NB, PORTS = "OVN_Northbound", 24


class Worker:
    """A worker's process, and what it said."""

    def __init__(self, server: RunningServer, name: str, ports: int) -> None:
        self.name, self.said = name, list[dict[str, Any]]()
        words = [sys.executable, "-W", "ignore", "-m", "tests.support.cloud_worker", server.remote, name, str(ports)]
        self.process = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def lines(self, what: str) -> list[dict[str, Any]]:
        """What it said of a kind."""
        return [line for line in list(self.said) if line["what"] == what]

    def wait(self, what: str, times: int = 1) -> None:
        """Until it has said so."""
        eventually(lambda: len(self.lines(what)) >= times or self.process.poll() is not None, 60)
        assert len(self.lines(what)) >= times, self.process.communicate()[1]

    def created(self, on: str) -> list[str]:
        """The ports that it was told of, in order."""
        return [line["port"] for line in self.lines("event") if (line["on"], line["event"]) == (on, "create")]

    def end(self) -> None:
        """End it in good order."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(30)

    def kill(self) -> None:
        """End it in the middle of what it does."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server() -> Iterator[RunningServer]:
    for name in ("ovs", "ovsdbapp"):
        pytest.importorskip(name, reason=f"{name}: not installed (extra dev)")
    with server_process(upstream_schema("ovn-nb")) as running:
        rows = ("NB_Global", {}), ("Logical_Switch", {"name": "shared"})
        running.transact(NB, *({"op": "insert", "table": table, "row": row} for table, row in rows))
        yield running


def held(server: RunningServer) -> tuple[dict[str, str], int, int]:
    """Ports with their types, how many of them the switch has, and the counter."""
    ports, switches, rows = server.transact(
        NB,
        {"op": "select", "table": "Logical_Switch_Port", "where": [], "columns": ["name", "type"]},
        {"op": "select", "table": "Logical_Switch", "where": [], "columns": ["ports"]},
        {"op": "select", "table": "NB_Global", "where": [], "columns": ["external_ids"]},
    )
    (switch,), (row,) = switches["rows"], rows["rows"]
    found = {port["name"]: port["type"] for port in ports["rows"]}
    return found, len(switch["ports"][1]), int(dict(row["external_ids"][1])["counter"])


def test_workers_write_at_once_come_and_go_and_share_out_events(server: RunningServer) -> None:
    workers = {name: Worker(server, name, PORTS) for name in ("a", "b", "c")}
    for worker in workers.values():
        worker.wait("ready")
    (holder,) = eventually(lambda: [worker for worker in workers.values() if worker.lines("lock")])
    holder.wait("added", 3)
    holder.kill()
    survivors = [worker for worker in workers.values() if worker is not holder]
    newcomer = Worker(server, "d", PORTS)
    living = [*survivors, newcomer]
    for worker in living:
        worker.wait("done")
    acknowledged = {line["port"] for worker in [*living, holder] for line in worker.lines("added")}
    ports, on_switch, counter = held(server)
    assert acknowledged <= set(ports)
    assert len(set(ports) - acknowledged) <= 1, "what the killed one was about when it died"
    assert on_switch == counter == len(ports)
    assert len(ports) >= 3 * PORTS
    (successor,) = eventually(lambda: [worker for worker in living if worker.lines("lock")])
    special = {name for name, kind in ports.items() if kind == "localport"}
    for worker in living:
        eventually(lambda worker=worker: set(worker.created("all")) == set(ports))
        eventually(lambda worker=worker: set(worker.created("some")) == special)
        assert max(Counter(worker.created("all")).values()) == 1, "told once"
        assert max(Counter(worker.created("some")).values()) == 1
    orders = [[port for port in worker.created("all") if port.startswith("d-")] for worker in survivors]
    assert orders[0] == orders[1], "everybody hears of them in the order of the transactions"
    handled = [
        {port for port in worker.created("all") if hash(port) % len(living) == at} for at, worker in enumerate(living)
    ]
    assert sum(map(len, handled)) == len(set().union(*handled)) == len(ports)
    successor.end()
    rest = [worker for worker in living if worker is not successor]
    eventually(lambda: [worker for worker in rest if worker.lines("lock")])
    for worker in rest:
        worker.end()
