"""What a power failure leaves of a database: at least everything that was acknowledged as durable.

The disk here is as forgetful as POSIX allows: of a file it keeps what was there at the last sync, of a directory the
names at its last sync or, if that is worse, those of now.  Whatever the server does, what is left holds all rows that
durable answers were given for.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyovn.ovsdb.storage.records import recover
from pyovn.runtime.ovsdb_server.uuids import random_uuids
from tests.ovsdb.server.engine import Client, insert
from tests.runtime.ovsdb_server.test_logfile import opened
from tests.support.loops import asynchronous
from tests.support.rich_schema import RICH

STEPS = 150


class ForgetfulDisk:
    """What would be left of one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._contents: dict[int, bytes] = {}  # by inode, at the last sync
        self._names: dict[str, int] = {}
        self._kept: dict[int, int] = {}  # descriptors, so that no inode's number is given to another one

    def sync_file(self, file: int) -> None:
        inode = os.fstat(file).st_ino
        if inode not in self._kept:
            self._kept[inode] = os.open(f"/proc/self/fd/{file}", os.O_RDONLY)
        self._contents[inode] = os.pread(self._kept[inode], 1 << 24, 0)

    def sync_directory(self) -> None:
        self._names = {each.name: each.stat().st_ino for each in self._directory.iterdir()}

    def left_of(self, name: str) -> list[bytes]:
        """The contents of which one is left."""
        inodes = {self._names[name], (self._directory / name).stat().st_ino}
        return [self._contents[inode] for inode in inodes]

    def close(self) -> None:
        for file in self._kept.values():
            os.close(file)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForgetfulDisk]:
    forgetful = ForgetfulDisk(tmp_path)
    directory = os.stat(tmp_path).st_ino

    def sync(file: int) -> None:
        time.sleep(random.choice([0, 0.004]))  # as disks do
        if os.fstat(file).st_ino == directory:
            forgetful.sync_directory()
        else:
            forgetful.sync_file(file)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "fdatasync", sync)
    yield forgetful
    forgetful.close()


def holds(files: list[bytes], names: set[str]) -> bool:
    return all(names <= names_in(file) for file in files)


def names_in(file: bytes) -> set[str]:
    table = recover(file, random_uuids()).database.tables["Root"]
    return {row[table.by_name["name"].place] for row in table.rows.values()}


class Player:
    """A client that inserts rows, and knows which of them it may count on."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asked: dict[int, str] = {}
        self.safe: set[str] = set()

    def insert(self, name: str, *, durable: bool) -> None:
        commit = [{"op": "commit", "durable": True}] if durable else []
        id = self._client.request("transact", "Rich", insert(name=name), *commit)
        if durable:
            self._asked[id] = name

    def convert(self, version: str) -> None:
        self._client.request("convert", "Rich", {**RICH, "version": version})

    def listen(self) -> None:
        for message in self._client.sent():
            assert message["error"] is None
            if message["id"] in self._asked:
                self.safe.add(self._asked[message["id"]])


@pytest.mark.parametrize("seed", range(6))
def test_what_was_acknowledged_as_durable_is_left(tmp_path: Path, disk: ForgetfulDisk, seed: int) -> None:
    chance = random.Random(seed)
    compactions: list[Any] = []

    @asynchronous
    async def play() -> None:
        with opened(tmp_path / "db") as (_, log, client):
            client.session.change_aware = True
            player = Player(client)

            async def compact() -> None:
                await log.compact(client.session.server.databases["Rich"])

            for step in range(STEPS):
                match chance.choices(["durable", "plain", "compact", "convert", "wait"], [6, 3, 1, 0.2, 6])[0]:
                    case "compact":
                        compactions.append(asyncio.ensure_future(compact()))
                    case "convert":
                        player.convert(f"1.{step}.0")
                    case "wait":
                        await asyncio.sleep(chance.choice([0, 0.001, 0.003]))
                    case kind:
                        player.insert(f"row{step}", durable=kind == "durable")
                player.listen()
                assert holds(disk.left_of("db"), player.safe)
            await asyncio.gather(*compactions)
            await log._safe()
            player.listen()
            assert holds(disk.left_of("db"), player.safe)
            assert len(player.safe) > STEPS / 8
            assert disk.left_of("db") == [(tmp_path / "db").read_bytes()]

    play()
