"""The running server: its clients, well-behaved and not, its remotes and its commands."""

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from pyovn.net.errors import OvnError
from pyovn.runtime.control import send
from tests.ovsdb.server.engine import insert, update
from tests.support.loops import asynchronous
from tests.support.rich_schema import RICH
from tests.support.servers import EmbeddedServer, embedded_server, upstream_schema


async def answer(server: EmbeddedServer, *pieces: bytes) -> bytes:
    """What a client that sends these bytes gets until the server hangs up, or for a moment."""
    reader, writer = await asyncio.open_unix_connection(server.path)
    received = b""
    with contextlib.suppress(asyncio.TimeoutError):
        async with asyncio.timeout(0.3):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            while piece := await reader.read(65536):
                received += piece
            received += b"EOF"
    writer.close()
    return received


@asynchronous
async def test_messages_may_come_in_pieces_or_together() -> None:
    echo = b'{"id":1,"method":"echo","params":["}{"]}'
    async with embedded_server(None, RICH, in_memory=True) as server:
        expected = b'{"id":1,"result":["}{"],"error":null}'
        assert await answer(server, echo[:10], echo[10:]) == expected
        assert await answer(server, echo + b"\n" + echo) == 2 * expected
        assert await answer(server, echo + echo[:7], echo[7:]) == 2 * expected


@pytest.mark.parametrize(
    "nonsense",
    [
        b"[]",
        b'{"id":1,"method":"echo","params":[}',
        b'{"id":1}',
        b'{"id":1,"method":"echo"}',
        b'{"id":1,"method":"echo","params":["\\u0000"]}',
        b'{"id":3,"result":[],"error":null}',
        b'{"a":' * 50_000 + b"}" * 50_000,
    ],
)
@asynchronous
async def test_a_client_that_makes_no_sense_is_cut_off_alone(nonsense: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        reader, writer = await asyncio.open_unix_connection(server.path)
        with caplog.at_level(logging.WARNING):
            assert (await answer(server, nonsense)).endswith(b"EOF")
        assert "connection dropped" in caplog.text
        writer.write(b'{"id":1,"method":"list_dbs","params":[]}')
        assert await reader.read(1000) == b'{"id":1,"result":["Rich","_Server"],"error":null}'
        writer.close()


@asynchronous
async def test_an_escaped_backslash_before_u0000_is_no_null_character() -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        text = await answer(server, b'{"id":1,"method":"echo","params":["\\\\u0000"]}')
        assert json.loads(text)["result"] == ["\\u0000"]


@asynchronous
async def test_an_oversized_message_cuts_its_sender_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyovn.runtime.ovsdb_server.connections.LARGEST_MESSAGE", 100_000)
    async with embedded_server(None, RICH, in_memory=True) as server:
        text = await answer(server, b'{"id":1,"method":"echo","params":["', b"x" * 120_000)
        assert b"longer than 100000 bytes" in text
        assert text.endswith(b"EOF")


@asynchronous
async def test_a_client_that_does_not_read_costs_little_and_catches_up() -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        lazy = socket.socket(socket.AF_UNIX)
        lazy.connect(server.path)
        lazy.sendall(json.dumps({"id": 1, "method": "monitor_cond", "params": ["Rich", 1, {"Root": [{}]}]}).encode())
        await server.transact("Rich", insert(name="a"))
        tags = ["set", [str(number) * 50 for number in range(2000)]]

        def change() -> None:
            with server.rpc() as rpc:
                for number in range(100):
                    rpc.transact("Rich", update("Root", {"num": number, "tags": tags if number % 2 else "none"}))

        await asyncio.to_thread(change)
        (slow,) = (each for each in server.shell.connections.values() if each.session.subscriptions)
        assert slow.session.congested
        assert slow.transport.get_write_buffer_size() < 2 * 2**20
        assert sum(map(len, slow.session.outbox)) == 0  # type: ignore[arg-type]
        received = await asyncio.to_thread(_read_until, lazy, b'"num":99')
        assert received.count(b'"update2"') < 100
        assert not slow.session.congested
        lazy.close()


def _read_until(connection: socket.socket, text: bytes) -> bytes:
    connection.settimeout(5)
    received = b""
    while text not in received:
        piece = connection.recv(1 << 20)
        assert piece
        received += piece
    return received


@asynchronous
async def test_a_wait_times_out_by_the_clock() -> None:
    wait = {"op": "wait", "table": "Root", "where": [], "columns": ["name"], "until": "!=", "rows": [], "timeout": 30}
    async with embedded_server(None, RICH, in_memory=True) as server:
        (result,) = await server.transact("Rich", wait)
        assert result["error"] == "timed out"


@asynchronous
async def test_durable_transactions_are_answered(tmp_path: Path) -> None:
    async with embedded_server(tmp_path, RICH) as server:
        results = await server.transact("Rich", insert(name="a"), {"op": "commit", "durable": True})
        assert len(results) == 2
        assert b'"a"' in server.files[0].read_bytes()


@asynchronous
async def test_who_waits_for_a_disk_that_breaks_gets_no_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_file: int) -> None:
        raise OSError(errno.EIO, "")

    async with embedded_server(None, RICH) as server:
        monkeypatch.setattr(os, "fdatasync", broken)
        durable = {"op": "commit", "durable": True}
        with pytest.raises(AssertionError, match="the server hung up"):
            await server.transact("Rich", insert(name="a"), durable)
        assert "refusing further transactions" in caplog.text
        results = await server.transact("Rich", insert(name="b"))
        assert results[-1]["error"] == "I/O error"
        assert "sync failed" in await send(server.control, "ovsdb-server/get-db-storage-status", ["Rich"])


@asynchronous
async def test_memory_is_counted_as_the_c_server_does() -> None:
    async with embedded_server(None, upstream_schema("ovn-nb"), in_memory=True) as server:
        assert server.shell.sizes() == {"atoms": 14, "cells": 20, "monitors": 0, "n-weak-refs": 0, "txn-history": 2}
        row = {"name": "a", "addresses": ["set", ["1", "2"]]}
        await server.transact("OVN_Northbound", {"op": "insert", "table": "Address_Set", "row": row})
        sizes = server.shell.sizes()
        assert (sizes["atoms"], sizes["cells"]) == (19, 25)


@asynchronous
async def test_the_state_of_storage_can_be_asked_for(tmp_path: Path) -> None:
    async with embedded_server(tmp_path, RICH) as server:
        assert await send(server.control, "ovsdb-server/get-db-storage-status", ["Rich"]) == "status: ok\n"
        with pytest.raises(OvnError, match="Failed to find the database"):
            await send(server.control, "ovsdb-server/get-db-storage-status", ["Poor"])
        with pytest.raises(OvnError, match="Configuration file was not specified"):
            await send(server.control, "ovsdb-server/reload", [])


@asynchronous
async def test_commands_of_the_control_socket(tmp_path: Path) -> None:
    async with embedded_server(tmp_path, RICH) as server:

        async def ask(*words: str) -> str:
            return await send(server.control, words[0], words[1:])

        assert await ask("ovsdb-server/list-dbs") == "Rich\n_Server\n"
        assert await ask("ovsdb-server/sync-status") == "state: active\n"
        await ask("ovsdb-server/add-remote", "ptcp:0:127.0.0.1")
        assert "ptcp:0:127.0.0.1" in (await ask("ovsdb-server/list-remotes")).splitlines()
        port = server.shell.remotes.endpoints["ptcp:0:127.0.0.1"].bound_port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await ask("ovsdb-server/remove-remote", "ptcp:0:127.0.0.1")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await ask("ovsdb-server/compact")
        await ask("ovsdb-server/reconnect")
        assert "cells:" in await ask("memory/show")
        await ask("ovsdb-server/remove-db", "Rich")
        assert await ask("ovsdb-server/list-dbs") == "_Server\n"
        await ask("ovsdb-server/add-db", str(server.files[0]))
        assert await ask("ovsdb-server/list-dbs") == "Rich\n_Server\n"


@asynchronous
async def test_a_relay_is_refused_by_name() -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        with pytest.raises(OvnError, match=r"relay:Rich:tcp:127.0.0.1:1: relays are not offered"):
            server.shell.add_database("relay:Rich:tcp:127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["ovsdb-server/add-db", "/nowhere/db"], "No such file or directory"),
        (["ovsdb-server/remove-db", "nope"], "Failed to find the database."),
        (["ovsdb-server/remove-db", "_Server"], "Cannot remove reserved database."),
        (["ovsdb-server/compact", "nope"], "no database by that name"),
        (["ovsdb-server/compact", "_Server"], "cannot compact built-in databases"),
        (["ovsdb-server/remove-remote", "nope"], "no such remote"),
        (["ovsdb-server/add-remote", "db:Rich,Nope,name"], '"db:Rich,Nope,name": no table named Nope'),
        (["ovsdb-server/add-remote", "foo"], "is not a valid stream name"),
    ],
)
@asynchronous
async def test_commands_that_cannot_be_carried_out_say_why(words: list[str], fault: str) -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        with pytest.raises(OvnError, match=fault.replace("(", ".")):
            await send(server.control, words[0], words[1:])


@asynchronous
async def test_remotes_follow_what_a_database_says() -> None:
    async with embedded_server(None, upstream_schema("ovn-nb"), in_memory=True) as server:
        remotes = server.shell.remotes
        await remotes.add("db:OVN_Northbound,NB_Global,connections")
        connection = {"op": "insert", "table": "Connection", "uuid-name": "c", "row": {"target": "ptcp:0:127.0.0.1"}}
        owner: Any = {"op": "insert", "table": "NB_Global", "row": {"connections": ["named-uuid", "c"]}}
        await server.transact("OVN_Northbound", connection, owner)
        while "ptcp:0:127.0.0.1" not in remotes.endpoints:
            await asyncio.sleep(0.01)
        await server.transact("OVN_Northbound", {"op": "delete", "table": "NB_Global", "where": []})
        while "ptcp:0:127.0.0.1" in remotes.endpoints:
            await asyncio.sleep(0.01)


@asynchronous
async def test_an_active_remote_is_connected_to_and_again_when_lost() -> None:
    async with embedded_server(None, RICH, in_memory=True) as server:
        arrived: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

        async def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await arrived.put(writer)
            writer.write(b'{"id":1,"method":"list_dbs","params":[]}')
            assert b"Rich" in await reader.read(1000)
            writer.close()

        listener = await asyncio.start_server(arrive, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        await server.shell.remotes.add(f"tcp:127.0.0.1:{port}")
        await arrived.get()
        await arrived.get()
        listener.close()
