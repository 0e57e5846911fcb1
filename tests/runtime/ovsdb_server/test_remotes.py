"""Remotes in a database: their options, and what is written back about them."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pyovn.runtime.ovsdb_server import remotes
from tests.support.loops import asynchronous
from tests.support.servers import EmbeddedServer, embedded_server, upstream_schema

NB, SB = "OVN_Northbound", "OVN_Southbound"
Json = Any


@pytest.fixture(autouse=True)
def _report_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "STATUS_INTERVAL_S", 0.03)


@asynccontextmanager
async def configured(*connections: Json) -> AsyncIterator[EmbeddedServer]:
    """A server whose southbound database names these connections."""
    async with embedded_server(None, upstream_schema("ovn-sb"), in_memory=True) as server:
        await server.shell.remotes.add(f"db:{SB},SB_Global,connections")
        names = [f"c{number}" for number in range(len(connections))]
        await server.transact(
            SB,
            *(
                {"op": "insert", "table": "Connection", "uuid-name": name, "row": row}
                for name, row in zip(names, connections, strict=True)
            ),
            {"op": "insert", "table": "SB_Global", "row": {"connections": ["set", [["named-uuid", n] for n in names]]}},
        )
        yield server


async def connection(server: EmbeddedServer, target: str) -> Json:
    """The row of a connection."""
    where = [["target", "==", target]]
    ((result,),) = [await server.transact(SB, {"op": "select", "table": "Connection", "where": where})]
    (row,) = result["rows"]
    row["status"] = dict(row["status"][1])
    return row


async def until(server: EmbeddedServer, target: str, **wanted: Json) -> Json:
    """The row of a connection once its status has these members."""
    while True:
        row = await connection(server, target)
        if all(row["status"].get(name) == value for name, value in wanted.items()):
            return row


async def change(server: EmbeddedServer, target: str, **row: Json) -> None:
    where = [["target", "==", target]]
    await server.transact(SB, {"op": "update", "table": "Connection", "where": where, "row": row})


async def port_of(server: EmbeddedServer, target: str) -> int:
    while target not in server.shell.remotes.endpoints:
        await asyncio.sleep(0.01)
    port = server.shell.remotes.endpoints[target].bound_port
    assert port is not None
    return port


async def ask(port: int, *messages: Json) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for message in messages:
        writer.write(json.dumps(message).encode())
    await writer.drain()
    return reader, writer


LISTEN = "ptcp:0:127.0.0.1"


def lock(name: str, method: str = "lock") -> Json:
    return {"id": 1, "method": method, "params": [name]}


@asynchronous
async def test_a_listening_remote_tells_its_port_and_how_many_are_connected() -> None:
    async with configured({"target": LISTEN}) as server:
        port = await port_of(server, LISTEN)
        quiet = {"bound_port": str(port), "sec_since_connect": "0", "sec_since_disconnect": "0"}
        row = await until(server, LISTEN, **quiet)
        assert (row["is_connected"], row["status"]) == (False, quiet)
        writers = [(await ask(port))[1] for _ in range(2)]
        row = await until(server, LISTEN, n_connections="2")
        assert row["is_connected"]
        for writer in writers:
            writer.close()
        row = await until(server, LISTEN, n_connections=None)
        assert row["status"] == quiet


@asynchronous
async def test_an_active_remote_tells_its_state_and_locks() -> None:
    arrived: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arrived.put((reader, writer))

    listener = await asyncio.start_server(arrive, "127.0.0.1", 0)
    target = f"tcp:127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with configured({"target": target}) as server:
        reader, writer = await arrived.get()
        row = await until(server, target, state="ACTIVE")
        assert row["is_connected"]
        assert row["status"].keys() == {"state", "sec_since_connect"}
        with server.rpc() as rpc:
            await asyncio.to_thread(rpc.call, "lock", "taken")
            for message in (lock("held"), lock("taken"), lock("robbed")):
                writer.write(json.dumps(message).encode())
                await reader.read(1000)
            await asyncio.to_thread(rpc.call, "steal", "robbed")
            await until(server, target, locks_held="held", locks_waiting="taken", locks_lost="robbed")
        writer.close()
        row = await until(server, target, state="BACKOFF")
        assert not row["is_connected"]
        assert row["status"].keys() == {"state", "sec_since_connect", "sec_since_disconnect"}
        listener.close()
        await until(server, target, last_error="Connection refused")


@asynchronous
async def test_a_remote_that_makes_no_sense_is_said_to_fail() -> None:
    async with configured({"target": "bogus:1"}, {"target": "ptcp:6640:not-an-address"}) as server:
        row = await until(server, "bogus:1", state="BACKOFF")
        assert "not a valid stream name" in row["status"]["last_error"]
        row = await until(server, "ptcp:6640:not-an-address", state="BACKOFF")
        assert "listen failed" in row["status"]["last_error"]


@asynchronous
async def test_a_remote_that_cannot_listen_does_so_as_soon_as_it_can() -> None:
    blocker = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = blocker.sockets[0].getsockname()[1]
    target = f"ptcp:{port}:127.0.0.1"
    async with configured({"target": target}) as server:
        await until(server, target, last_error=f"{target}: listen failed: Address already in use")
        blocker.close()
        await until(server, target, bound_port=str(port))


@asynchronous
async def test_probes_follow_the_row() -> None:
    async with configured({"target": LISTEN, "inactivity_probe": 0}) as server:
        reader, writer = await ask(await port_of(server, LISTEN))
        while not server.shell.remotes.endpoints[LISTEN].connections:
            await asyncio.sleep(0.01)
        (client,) = server.shell.remotes.endpoints[LISTEN].connections
        now = server.shell.clock.now()
        client.probe(now + 1000)
        assert not client.is_idle
        await change(server, LISTEN, inactivity_probe=2000)
        while client.endpoint.probe_ms != 2000:
            await asyncio.sleep(0.01)
        client.probe(now + 1.5)
        assert not client.is_idle
        client.probe(now + 10)
        assert client.is_idle
        assert b'"echo"' in await reader.read(1000)
        client.probe(now + 20)
        assert await reader.read(1000) == b""
        writer.close()


@asynchronous
async def test_pauses_between_attempts_follow_the_row() -> None:
    blocker = socket.create_server(("127.0.0.1", 0))
    target = f"tcp:127.0.0.1:{blocker.getsockname()[1]}"
    blocker.close()
    async with configured({"target": target}) as server:
        while target not in server.shell.remotes.endpoints:
            await asyncio.sleep(0.01)
        endpoint = server.shell.remotes.endpoints[target]
        for most_ms, pause_s in ((None, 8.0), (2500, 2.5), (60_000, 60.0)):
            if most_ms is not None:
                await change(server, target, max_backoff=most_ms)
            while endpoint.longest_pause_s != pause_s:
                await asyncio.sleep(0.01)
        assert server.shell.remotes.endpoints[target] is endpoint


@pytest.mark.parametrize(
    ("row", "error"),
    [({"read_only": True}, "not allowed"), ({"role": "ovn-controller"}, "permission error")],
)
def test_what_clients_may_do_follows_the_row(row: Json, error: str) -> None:
    @asynchronous
    async def play() -> None:
        update = {"op": "update", "table": "SB_Global", "where": [], "row": {"nb_cfg": 1}}
        message = {"id": 1, "method": "transact", "params": [SB, update]}
        async with configured({"target": LISTEN}) as server:
            reader, writer = await ask(await port_of(server, LISTEN), message)
            assert b'"count":1' in await reader.read(1000)
            await change(server, LISTEN, **row)
            assert await reader.read(1000) == b""  # what it may do is settled anew
            writer.close()
            reader, writer = await ask(await port_of(server, LISTEN), message)
            assert error.encode() in await reader.read(1000)
            writer.close()

    play()


@asynchronous
async def test_status_is_not_written_to_the_file() -> None:
    sources: Sequence[Json] = [upstream_schema("ovn-sb")]
    async with embedded_server(None, *sources) as server:
        await server.shell.remotes.add(f"db:{SB},SB_Global,connections")
        await server.transact(
            SB,
            {"op": "insert", "table": "Connection", "uuid-name": "c", "row": {"target": LISTEN}},
            {"op": "insert", "table": "SB_Global", "row": {"connections": ["named-uuid", "c"]}},
        )
        length = server.files[0].stat().st_size
        await until(server, LISTEN, sec_since_connect="0")
        assert server.files[0].stat().st_size == length
