"""The database server: small transactions, monitors, bulk loads; ours and C's in turns, the best of several rounds.

Clients are processes of their own and the same for both servers, so their cost is in both rates; the server's own
processor time stands beside them.  At the end a northd, C's if there is one, fills the southbound database of each.
"""

import contextlib
import functools
import multiprocessing
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from tests.support.c_programs import find
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

from bench import Figure
from bench.northd import PATIENCE_S, Network, Program, Shape, programs, running

NB, SB = "OVN_Northbound", "OVN_Southbound"
ROUNDS = 3
SMALL = 4_000  #: transactions of one client
CLIENTS = 4
ROWS = 100_000
SWITCHES, PORTS = 200, 50  #: of the network that northd compiles
FANOUT = {100: SMALL // 10, 1_000: SMALL // 40}  #: clients that watch → transactions meanwhile

Send = Callable[[bytes], None]


class Measured(dict[tuple[str, str], float]):
    """Figures by what they are of, and their unit."""

    def improve(self, other: "Measured") -> None:
        """Take over what is better."""
        for key, figure in other.items():
            better = max if key[1].endswith("/s") else min
            self[key] = better(figure, self.get(key, figure))


class Wire:
    """A client that costs as little as a Python client can."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def close(self) -> None:
        self.socket.close()

    def call(self, method: str, *params: Any) -> Any:
        """The result of one request, however long."""
        self.socket.sendall(orjson.dumps({"id": 1, "method": method, "params": params}))
        pieces = []
        while True:
            pieces.append(self.socket.recv(1 << 20))
            if pieces[-1].endswith(b'"error":null}'):
                text = b"".join(pieces)
                return orjson.loads(text[text.rindex(b'{"id":1') :])["result"]

    def exchange(self, messages: list[bytes]) -> float:
        """Send messages one by one, each after the answer to the one before; gives the seconds that took."""
        send, receive = self.socket.sendall, self.socket.recv
        start = time.perf_counter()
        for message in messages:
            send(message)
            while not receive(65536).endswith(b'"error":null}'):
                pass
        return time.perf_counter() - start


def transact(database: str, *operations: Any) -> bytes:
    return orjson.dumps({"id": 1, "method": "transact", "params": [database, *operations]})


def inserts(count: int, tag: str) -> list[bytes]:
    addresses = ["set", ["10.0.0.1", "10.0.0.2"]]
    rows = ({"name": f"{tag}_{number}", "addresses": addresses} for number in range(count))
    return [transact(NB, {"op": "insert", "table": "Address_Set", "row": row}) for row in rows]


def insert_rate(path: str, tag: str, count: int = SMALL) -> float:
    """Single inserts, a round trip each."""
    wire = Wire(path)
    seconds = wire.exchange(inserts(count, tag))
    wire.close()
    return count / seconds


def update_rate(path: str, tag: str) -> float:
    """Single updates by UUID, a round trip each."""
    wire = Wire(path)
    (result,) = wire.call("transact", NB, {"op": "insert", "table": "Address_Set", "row": {"name": tag}})
    where = [["_uuid", "==", result["uuid"]]]
    rows = ({"external_ids": ["map", [["k", str(number)]]]} for number in range(SMALL))
    updates = [transact(NB, {"op": "update", "table": "Address_Set", "where": where, "row": row}) for row in rows]
    seconds = wire.exchange(updates)
    wire.close()
    return SMALL / seconds


def _one_of_several(path: str, tag: str, start: Any, done: Any) -> None:
    wire, messages = Wire(path), inserts(SMALL, tag)
    start.wait()
    wire.exchange(messages)
    done.wait()
    wire.close()


def clients_rate(path: str, tag: str) -> float:
    """Inserts of several clients at once, in all."""
    context = multiprocessing.get_context("fork")
    start, done = context.Barrier(CLIENTS + 1), context.Barrier(CLIENTS + 1)
    clients = [
        context.Process(target=_one_of_several, args=(path, f"{tag}_{number}", start, done))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    start.wait()
    began = time.perf_counter()
    done.wait()
    seconds = time.perf_counter() - began
    for client in clients:
        client.join()
    return CLIENTS * SMALL / seconds


@contextlib.contextmanager
def watched(path: str, count: int) -> Iterator[None]:
    """Clients that monitor the table, and read what they are sent, in a process of their own."""
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    watchers = context.Process(target=_watch, args=(path, count, ready, done))
    watchers.start()
    ready.wait()
    try:
        yield
    finally:
        done.set()
        watchers.join()


def _watch(path: str, count: int, ready: Any, done: Any) -> None:
    columns = ["name", "addresses", "external_ids"]
    zero = "00000000-0000-0000-0000-000000000000"
    buffer = bytearray(1 << 16)
    with contextlib.ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        wires = {}
        for _ in range(count):
            wire = Wire(path)
            stack.callback(wire.close)
            wire.call("monitor_cond_since", NB, "m", {"Address_Set": [{"columns": columns}]}, zero)
            poll.register(wire.socket, select.EPOLLIN)
            wires[wire.socket.fileno()] = wire.socket
        ready.set()
        while not done.is_set():
            for number, _ in poll.poll(0.05):
                wires[number].recv_into(buffer)


def used_s(server: RunningServer) -> float:
    """Processor time of a server so far, of all its threads."""
    threads = Path(f"/proc/{server.pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


def small(server: RunningServer, tag: str) -> Measured:
    """Transactions per second, and the server's processor time for each."""
    path, figures = server.path, Measured()
    clear = {"op": "delete", "table": "Address_Set", "where": []}
    wire = Wire(path)

    def measure(what: str, rate: Callable[[], float], count: int) -> None:
        before = used_s(server)
        figures[what, "/s"] = rate()
        figures[what, "µs CPU"] = (used_s(server) - before) / count * 1e6

    def measure_all(suffix: str, tag: str) -> None:
        wire.call("transact", NB, clear)
        measure("insert, 1 client" + suffix, lambda: insert_rate(path, tag + "i"), SMALL)
        measure("update, 1 client" + suffix, lambda: update_rate(path, tag + "u"), SMALL)
        measure(f"insert, {CLIENTS} clients{suffix}", lambda: clients_rate(path, tag + "c"), CLIENTS * SMALL)

    measure_all("", tag)
    with watched(path, 1):
        measure_all(", 1 monitor", tag + "m")
    wire.call("transact", NB, clear)
    for count, transactions in FANOUT.items():
        with watched(path, count):
            rate = functools.partial(insert_rate, path, f"{tag}f{count}", transactions)
            measure(f"insert, 1 client, {count:,} monitors", rate, transactions)
    wire.close()
    return figures


def flow(number: int) -> dict[str, Any]:
    """One of very many logical flows."""
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    ids = [["source", f"northd.c:{number % 9000}"], ["stage-name", "ls_in_acl_eval"]]
    row = {
        "logical_datapath": ["named-uuid", "dp"],
        "pipeline": "ingress" if number % 2 else "egress",
        "table_id": number % 30,
        "priority": number % 100,
        "match": f'inport == "lsp{number}" && eth.src == 00:00:00:00:00:01 && ip4.dst == {address}',
        "actions": "reg0[0] = 1; next;",
        "external_ids": ["map", ids],
    }
    return {"op": "insert", "table": "Logical_Flow", "row": row}


def longest_wait_ms(server: RunningServer) -> float:
    """How long a client had to wait at most for a small transaction while another database was compacted."""

    def compact() -> None:
        with Rpc(server.control, 120.0) as control:
            assert control.call("ovsdb-server/compact", SB)["error"] is None

    wire, compacting = Wire(server.path), threading.Thread(target=compact)
    waits = []
    compacting.start()
    for message in inserts(100_000, "wait"):
        waits.append(wire.exchange([message]))
        if not compacting.is_alive():
            break
    compacting.join()
    wire.call("transact", NB, {"op": "delete", "table": "Address_Set", "where": []})
    wire.close()
    return 1000 * max(waits)


def bulk(server: RunningServer) -> Measured:
    """Seconds for a hundred thousand rows, and the milliseconds of a compaction."""
    wire, figures = Wire(server.path), Measured()
    datapath = {"op": "insert", "table": "Datapath_Binding", "uuid-name": "dp", "row": {"tunnel_key": 1}}
    operations = [datapath, *map(flow, range(ROWS))]
    for what, method, params in (
        (f"insert {ROWS:,} flows in one transaction", "transact", (SB, *operations)),
        (f"monitor {ROWS:,} flows", "monitor_cond", (SB, "m", {"Logical_Flow": [{}]})),
        (f"delete {ROWS:,} flows", "transact", (SB, {"op": "delete", "table": "Logical_Flow", "where": []})),
    ):
        start, before = time.perf_counter(), used_s(server)
        wire.call(method, *params)
        figures[what, "s"] = time.perf_counter() - start
        figures[what, "s CPU"] = used_s(server) - before
        if method == "monitor_cond":
            figures["longest wait during a compaction", "ms"] = longest_wait_ms(server)
    wire.call("transact", SB, {"op": "delete", "table": "Datapath_Binding", "where": []})
    wire.close()
    return figures


def fill_s(make: Callable[..., Any], northd: Program) -> float:
    """Processor time of a server while a northd fills its southbound database."""
    with make(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) as server, server.rpc() as rpc:
        rpc.socket.settimeout(PATIENCE_S)
        network = Network(rpc, Shape(SWITCHES, PORTS))
        before = used_s(server)
        with running(northd, server, dict(os.environ)):
            network.settle()
        return used_s(server) - before


def memory_mb(server: RunningServer) -> float:
    """The resident set of a server."""
    with open(f"/proc/{server.pid}/status") as status:
        (line,) = (line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def measure() -> list[Measured]:
    """The figures of ours and of C's, which may be missing."""
    schemas = [upstream_schema("ovn-nb"), upstream_schema("ovn-sb")]
    makers: list[Callable[..., Any]] = [server_process] + [c_server_process] * (find("ovsdb-server") is not None)
    best = [Measured() for _ in makers]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(make(*schemas)) for make in makers]
        for number in range(ROUNDS):
            for of in (lambda server: small(server, f"r{number}"), bulk):  # noqa: B023
                for server, mine in zip(servers, best, strict=True):
                    mine.improve(of(server))
        for server, mine in zip(servers, best, strict=True):
            mine["resident after that", "MB"] = memory_mb(server)
    northd = list(programs())[-1]
    for make, mine in zip(makers, best, strict=True):
        what = f"northd {northd.name} fills {SWITCHES} × {PORTS} ports"
        mine[what, "s CPU"] = min(fill_s(make, northd) for _ in range(2))
    return best


def main() -> list[Figure]:
    ours, *others = measure()
    return [
        Figure(what, figure, others[0][what, unit] if others else None, unit) for (what, unit), figure in ours.items()
    ]
