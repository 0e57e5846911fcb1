"""What one bad client can cost the others: very little."""

import asyncio
import json
import socket
import time
from typing import Any

import pytest

from pyovn.runtime.ovsdb_server import connections
from tests.ovsdb.server.engine import insert, mutate, select, update
from tests.support.loops import asynchronous
from tests.support.rich_schema import RICH
from tests.support.servers import EmbeddedServer, Rpc, embedded_server, server_process, upstream_schema

Json = Any


def request(id: Json, method: str, *params: Json) -> bytes:
    return json.dumps({"id": id, "method": method, "params": params}).encode()


def client(server: EmbeddedServer) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(server.path)
    connection.setblocking(False)
    return connection


async def offer(connection: socket.socket, data: bytes) -> None:
    """Send as much as the server takes."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(0.3):
            await loop.sock_sendall(connection, data)
    except TimeoutError:
        pass


def held(server: EmbeddedServer) -> int:
    """Bytes that wait for clients to read them."""
    return sum(
        each.transport.get_write_buffer_size() + each.session.queued for each in server.shell.connections.values()
    )


@asynchronous
async def test_a_client_that_asks_much_and_reads_nothing_is_not_listened_to() -> None:
    async with embedded_server(None, upstream_schema("ovn-nb"), in_memory=True) as server:
        greedy = client(server)
        await offer(greedy, b"".join(request(number, "get_schema", "OVN_Northbound") for number in range(5_000)))
        assert held(server) < 3 * connections.MOST_UNSENT
        assert "rows" in (await server.transact("OVN_Northbound", {"op": "select", "table": "ACL", "where": []}))[0]
        greedy.close()


@asynchronous
async def test_it_gets_every_answer_when_it_reads_after_all() -> None:
    async with embedded_server(None, upstream_schema("ovn-nb"), in_memory=True) as server:
        late = client(server)
        asked = b"".join(request(number, "get_schema", "OVN_Northbound") for number in range(300))
        sending = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(late, asked))
        await asyncio.sleep(0.1)
        received = b""
        while received.count(b'"error":null}') < 300:
            received += await asyncio.get_running_loop().sock_recv(late, 1 << 20)
        await sending
        places = [received.index(b'{"id":%d,' % number) for number in range(300)]
        assert places == sorted(places)
        late.close()


@asynchronous
async def test_many_requests_of_one_client_do_not_keep_another_waiting() -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        await server.transact("Rich", insert(name="a"))
        busy = client(server)
        one = request(1, "transact", "Rich", mutate("Root", [["num", "+=", 1]]))
        reading = asyncio.ensure_future(_drain(busy))
        sending = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(busy, one * 20_000))
        await asyncio.sleep(0.05)
        with server.rpc() as rpc:
            worst = 0.0
            for _ in range(10):
                start = time.perf_counter()
                await asyncio.to_thread(rpc.call, "echo")
                worst = max(worst, time.perf_counter() - start)
            assert not sending.done() or not reading.done()
        assert worst < 0.5
        sending.cancel()
        reading.cancel()
        await asyncio.gather(sending, reading, return_exceptions=True)
        busy.close()


async def _drain(connection: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(connection, 1 << 20):
        pass


@asynchronous
async def test_unfinished_messages_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BULK", 1000)
    monkeypatch.setattr(connections, "LARGEST_MESSAGE", 300_000)
    async with embedded_server(None, RICH, in_memory=True) as server:
        clients = [client(server) for _ in range(5)]
        for number, each in enumerate(clients, 1):
            await offer(each, b'{"id":1,"method":"echo","params":["' + b"x" * 25_000 * number)
        while sum(each.unfinished for each in server.shell.connections.values()) > 300_000:
            await asyncio.sleep(0.01)
        while len(server.shell.connections) == 5:
            await asyncio.sleep(0.01)
        assert b"too many unfinished messages" in await asyncio.get_running_loop().sock_recv(clients[-1], 1000)
        await offer(clients[0], b'"]}')
        assert b'"result":["xxx' in await asyncio.get_running_loop().sock_recv(clients[0], 100_000)
        for each in clients:
            each.close()


@pytest.mark.parametrize(
    ("requests", "limit"),
    [
        ([request(n, "monitor", "Rich", n, {"Root": {}}) for n in range(1001)], "too many monitors"),
        ([request(n, "lock", f"l{n}") for n in range(1001)], "too many locks"),
        (
            [
                request(n, "transact", "Rich", {"op": "wait", "table": "Root", "where": [], "columns": ["name"],
                        "until": "==", "rows": [{"name": "never"}]})
                for n in range(1001)
            ],
            "too many transactions are waiting",
        ),
    ],
    ids=["monitors", "locks", "waits"],
)  # fmt: skip
def test_what_one_client_may_have_under_way_is_limited(requests: list[bytes], limit: str) -> None:
    @asynchronous
    async def play() -> None:
        async with embedded_server(None, RICH, in_memory=True) as server:
            many = client(server)
            await asyncio.get_running_loop().sock_sendall(many, b"".join(requests))
            received = b""
            while limit.encode() not in received:
                received += await asyncio.get_running_loop().sock_recv(many, 1 << 20)
            assert b'"resources exhausted"' in received
            many.close()

    play()


@asynchronous
async def test_rows_that_come_and_go_unseen_are_forgotten() -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        lazy = client(server)
        await offer(lazy, request(1, "monitor_cond", "Rich", 1, {"Root": [{}]}))

        def churn() -> None:
            with server.rpc() as rpc:
                rpc.transact("Rich", insert(name="a"))
                for number in range(40):
                    rpc.transact("Rich", update("Root", {"tags": ["set", [f"{number}-{n}" for n in range(5000)]]}))
                for number in range(200):
                    rpc.transact("Rich", insert(name=f"b{number}"))
                    rpc.transact("Rich", {"op": "delete", "table": "Root", "where": [["name", "==", f"b{number}"]]})

        await asyncio.to_thread(churn)
        (slow,) = (each for each in server.shell.connections.values() if each.session.subscriptions)
        assert slow.session.congested
        (subscription,) = slow.session.subscriptions.values()
        assert subscription._missed is not None
        assert len(subscription._missed["Root"]) == 1
        lazy.close()


@asynchronous
async def test_views_that_each_differ_do_not_each_keep_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        initials = server.shell.server.initials
        monkeypatch.setattr(type(initials), "MOST_BYTES", 50_000)
        await server.transact("Rich", insert(name="x" * 10_000))

        def watch() -> None:
            with server.rpc() as rpc:
                for number in range(50):
                    where = [["num", "!=", number + 1]]
                    assert rpc.call("monitor_cond", "Rich", number, {"Root": [{"where": where}]})["result"]
                assert len(initials) < 5

        await asyncio.to_thread(watch)
        while server.shell.connections:
            await asyncio.sleep(0.01)
        assert len(initials) == 0


@asynchronous
async def test_a_condition_that_changes_for_ever_costs_the_same_for_ever() -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:

        def play() -> None:
            with server.rpc() as rpc:
                rpc.call("monitor_cond", "Rich", 1, {"Root": [{}]})
                for number in range(200):
                    rpc.call("monitor_cond_change", 1, 1, {"Root": [{"where": [["num", "==", number % 2]]}]})
                (session,) = (each for each in server.shell.connections if each.subscriptions)
                (subscription,) = session.subscriptions.values()
                assert len(repr(subscription.view.key)) < 500

        await asyncio.to_thread(play)


def test_clients_cannot_take_all_descriptors() -> None:
    with server_process(RICH) as server:
        server.kill()
        server._command = ["sh", "-c", 'ulimit -n 90; exec "$@"', "sh", *server._command]
        server.start()
        with server.rpc() as kept:
            assert kept.call("echo", 1)["result"] == [1]
            many = []
            for _ in range(120):
                many.append(socket.socket(socket.AF_UNIX))
                many[-1].connect(server.path)
            assert many[-1].recv(1) == b""
            durable = {"op": "commit", "durable": True}
            assert "error" not in kept.transact("Rich", insert(name="a"), durable)[-1]
            with Rpc(server.control) as control:
                assert control.call("ovsdb-server/compact")["error"] is None
            assert "error" not in kept.transact("Rich", insert(name="b"), durable)[-1]
            for each in many:
                each.close()
        with server.rpc() as later:
            assert len(later.transact("Rich", select("Root"))[0]["rows"]) == 2
        assert "too many connections; dropping it" in server.log()
        assert "Traceback" not in server.log()
