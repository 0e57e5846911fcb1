"""Database files: what was acknowledged is there again, whatever became of the end of the file or of the disk."""

import asyncio
import logging
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.server import Server
from pyovn.runtime.ovsdb_server.logfile import LogFile, StorageFault, create_log, open_log
from pyovn.runtime.ovsdb_server.uuids import random_uuids
from tests.ovsdb.server.engine import Client, delete, insert, mutate, named, update
from tests.support.loops import asynchronous
from tests.support.rich_schema import RICH


@contextmanager
def opened(path: Path) -> Iterator[tuple[Database, LogFile, Client]]:
    """The database in a file, and a client of it."""
    if not path.exists():
        create_log(path, Schema.parse(RICH))
    database, log = open_log(path, random_uuids())
    server = Server(random_uuids())
    server.add_database(database)
    try:
        yield database, log, Client(server.open(), database.name)
    finally:
        log.abandon()


def contents(database: Database) -> Any:
    """The rows without their versions."""
    return {name: {uuid: row[2:] for uuid, row in table.rows.items()} for name, table in database.tables.items()}


def fill(client: Client) -> None:
    """Every kind of change."""
    client.transact(
        insert(name="a", tags=["set", ["x", "y"]], map=["map", [["k", "v"]]], kid=named("k"), level=5, ratio=0.5),
        insert("Kid", "k", name="k", val=3),
        insert(name="b", peers=named("c"), reals=["set", [1, 2.5]], imap=["map", [[1, 2]]]),
        insert("Root", "c", name="c", flag=True, pair=["set", [4, 5]]),
        {"op": "comment", "comment": "filling"},
    )
    client.transact(update("Root", {"tags": ["set", ["y", "z"]], "level": ["set", []]}, ["name", "==", "a"]))
    client.transact(mutate("Root", [["map", "insert", ["map", [["l", "w"]]]]], ["name", "==", "a"]))
    client.transact(mutate("Root", [["map", "delete", "k"], ["imap", "insert", ["map", [[2, 3]]]]]))
    client.transact(delete("Root", ["name", "==", "c"]))
    client.transact(insert(name="d"), insert("Kid", name="collected at once"))


def test_a_file_read_again_gives_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with opened(path) as (database, _, client):
        fill(client)
        before = contents(database)
    with opened(path) as (database, _, _):
        assert contents(database) == before
    assert (path.stat().st_mode & 0o777) == 0o640


def test_ephemeral_columns_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with opened(path) as (_, log, client):
        client.transact(insert(name="a", eph="x"))
        length = log.length
        client.transact(update("Root", {"eph": "y"}))
        assert log.length == length
    with opened(path) as (database, _, _):
        (row,) = database.tables["Root"].rows.values()
        assert row[database.tables["Root"].by_name["eph"].place] == ""


def test_a_file_is_not_opened_twice(tmp_path: Path) -> None:
    with opened(tmp_path / "db"):
        code = os.fork()
        if code == 0:  # locks of files are those of processes
            try:
                open_log(tmp_path / "db", random_uuids())
            except StorageFault:
                os._exit(0)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(code, 0)[1]) == 0


@pytest.mark.parametrize("cut", [1, 30, 70])
def test_a_torn_end_is_cut_off_kept_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture, cut: int) -> None:
    path = tmp_path / "db"
    with opened(path) as (database, log, client):
        client.transact(insert(name="a"))
        before, length = contents(database), log.length
        client.transact(insert(name="b"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with caplog.at_level(logging.WARNING), opened(path) as (database, _, client):
        assert contents(database) == before
        assert f"byte offset {length}" in caplog.text
        assert (tmp_path / f"db.damaged-{length}").read_bytes() == whole[length:-cut]
        client.transact(insert(name="c"))
        before = contents(database)
    caplog.clear()
    with opened(path) as (database, _, _):
        assert contents(database) == before
    assert not caplog.records


def test_a_damaged_record_ends_what_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "db"
    with opened(path) as (database, log, client):
        client.transact(insert(name="a"))
        before, length = contents(database), log.length
        client.transact(insert(name="b"))
        client.transact(insert(name="c"))
    content = bytearray(path.read_bytes())
    content[length + 70] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING), opened(path) as (database, _, _):
        assert contents(database) == before
    assert "SHA-1" in caplog.text


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"OVSDB JSON 3 ffff\n{}\n"])
def test_a_file_without_a_schema_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "db").write_bytes(content)
    with pytest.raises(StorageFault):
        open_log(tmp_path / "db", random_uuids())


@contextmanager
def full_disk(at: int) -> Iterator[None]:
    """Files cannot grow beyond this length."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_refuses_the_transaction_and_leaves_no_trace_of_it(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with opened(path) as (database, log, client):
        client.transact(insert(name="a"))
        before, length = contents(database), log.length
        with full_disk(length + 20):
            results = client.transact(insert(name="b", kid=named("k")), insert("Kid", "k"))
            assert results[-1]["error"] == "I/O error"
            assert contents(database) == before
            assert path.stat().st_size == length
        assert "uuid" in client.transact(insert(name="b"))[0]
        before = contents(database)
    with opened(path) as (database, _, _):
        assert contents(database) == before


@asynchronous
async def test_compaction_leaves_the_rows_and_what_is_committed_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with opened(path) as (database, log, client):
        fill(client)
        for number in range(50):
            client.transact(update("Root", {"any": number}))
        length = log.length
        compacting = asyncio.ensure_future(log.compact(database))
        await asyncio.sleep(0)
        client.transact(insert(name="meanwhile"))
        await compacting
        assert log.length == path.stat().st_size < length
        client.transact(insert(name="afterwards"))
        before = contents(database)
    with opened(path) as (database, _, _):
        assert contents(database) == before
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".tmp"] == []


@asynchronous
async def test_who_asks_for_a_compaction_under_way_waits_for_its_end(tmp_path: Path) -> None:
    with opened(tmp_path / "db") as (database, log, client):
        fill(client)
        length = log.length
        first = asyncio.ensure_future(log.compact(database))
        await asyncio.sleep(0)
        await log.compact(database)
        assert log.length < length
        assert first.done()


@asynchronous
async def test_a_file_that_is_closed_during_its_compaction_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "db"
    create_log(path, Schema.parse(RICH))
    database, log = open_log(path, random_uuids())
    server = Server(random_uuids())
    server.add_database(database)
    fill(Client(server.open(), "Rich"))
    compacting = asyncio.ensure_future(log.compact(database))
    await asyncio.sleep(0)
    await log.close()
    await compacting
    with opened(path) as (again, _, _):
        assert contents(again) == contents(database)
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".tmp"] == []


@asynchronous
async def test_a_compaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with opened(path) as (database, log, client):
        fill(client)
        (tmp_path / "db.tmp").mkdir()
        with pytest.raises(StorageFault):
            await log.compact(database)
        client.transact(insert(name="afterwards"))
        before = contents(database)
    with opened(path) as (database, _, _):
        assert contents(database) == before


@asynchronous
async def test_an_answer_to_a_durable_transaction_waits_for_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path / "db") as (_, log, client):
        synced = asyncio.Event()
        log.on_synced = synced.set
        client.request("transact", "Rich", insert(name="a"), {"op": "commit", "durable": True})
        assert client.sent() == []
        await synced.wait()
        assert len(client.sent()) == 1
        await asyncio.sleep(0)


def test_a_conversion_rewrites_the_file(tmp_path: Path) -> None:
    path = tmp_path / "db"
    schema = {**RICH, "version": "2.0.0"}
    with opened(path) as (_, _, client):
        fill(client)
        assert client.call("convert", "Rich", schema) == {}
        client.transact(insert(name="afterwards"))
        before = contents(client.session.server.databases["Rich"])
    with opened(path) as (database, _, _):
        assert database.schema.version == "2.0.0"
        assert contents(database) == before
